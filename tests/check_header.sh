#!/bin/bash
# SPDX-License-Identifier: MIT
# slm.h, and each of its parts, compile alone, without a warning, as C11 and as C++17, with every compiler that is here.
set -u
build=$1
cd "$(dirname "$0")/.." || exit 1
strict="-Wall -Wextra -Wpedantic -Werror -fsyntax-only -Iinclude"
bad=0
for header in include/*.h; do
    printf '#include <%s>\nint main(void) { return (int)slm_version() + SLM_OK; }\n' "${header#include/}" > "$build/header_alone.c"
    cp "$build/header_alone.c" "$build/header_alone.cpp"
    for compiler in "${CC:-cc}" gcc clang; do
        command -v "${compiler%% *}" > /dev/null || continue
        # shellcheck disable=SC2086 # lists of words
        if ! $compiler -std=c11 -Wconversion -Wshadow -Wstrict-prototypes $strict "$build/header_alone.c"; then
            echo "check_header: $header, $compiler, C11"
            bad=1
        fi
    done
    for compiler in g++ clang++; do
        command -v $compiler > /dev/null || continue
        # shellcheck disable=SC2086
        if ! $compiler -std=c++17 $strict "$build/header_alone.cpp"; then
            echo "check_header: $header, $compiler, C++17"
            bad=1
        fi
    done
done
exit $bad

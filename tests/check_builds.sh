#!/bin/bash
# SPDX-License-Identifier: MIT
# Other builds pass all tests too, without a warning: one thread and no OpenMP; clang; builds without conversion and chat compile.
set -u
build=$1
cd "$(dirname "$0")/.." || exit 1
make=${MAKE:-make}
bad=0

# run NAME ARGUMENT...
run() {
    local name=$1 verdict=built
    shift
    if ! $make --no-print-directory BUILD="$build/$name" WERROR=1 CFLAGS= "$@" > "$build/$name.log" 2>&1; then
        grep -vE '^ok ' "$build/$name.log" | tail -60 | sed 's/^/     | /'
        verdict=failed
        bad=1
    fi
    echo "     $name: $verdict $(grep -hE '^[0-9]+ passed, ' "$build/$name.log")"
}

run none THREADS=none test
if command -v clang > /dev/null; then
    run clang CC=clang test
else
    echo "     clang is not installed (make deps)"
fi
run without-convert WITH_CONVERT=0 all
run smallest TIERS= WITH_CONVERT=0 WITH_CHAT=0 all
exit $bad

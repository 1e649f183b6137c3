#!/bin/bash
# SPDX-License-Identifier: MIT
# The baseline's objects hold no wide instruction: a processor without AVX must be able to run all but the folders of its tiers.
set -u
build=$1
cd "$(dirname "$0")/.." || exit 1
if ! command -v objdump > /dev/null; then
    echo "check_isa: objdump is not installed (make deps)"
    exit 77
fi
case $(uname -m) in x86_64 | amd64) ;; *) exit 77 ;; esac
bad=0
while read -r object; do
    if objdump -d --no-show-raw-insn "$object" | grep -m 3 -E '%[yz]mm[0-9]|%k[1-7]\b|\bv(add|mul|mov|pxor|fmadd)[a-z0-9]*\b'; then
        echo "$object: holds AVX instructions (above), but belongs to the baseline"
        bad=1
    fi
done < <(find "$build/obj/src" "$build/obj/kernels" -name '*.o' | grep -vE '/kernels/(avx2|avxvnni|avx512vnni)/')
exit $bad

#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs the check scripts (tests/check_*.sh), each as: check_X.sh BUILD. A check prints what is wrong and where, and ends with exit code 1.
# Results: BUILD/check-results.txt, lines "name passed failed skipped seconds". Environment: CC, CFLAGS, MAKE, GOLDEN as make has them.
set -u
export LC_ALL=C
build=$1
cd "$(dirname "$0")/.." || exit 1
results=$build/check-results.txt
: > "$results"
for script in tests/check_*.sh; do
    name=$(basename "$script" .sh)
    start=$SECONDS
    bash "$script" "$build"
    code=$?
    case $code in
    0) verdict=ok line="1 0 0" ;;
    77) verdict=skip line="0 0 1" ;;
    *) verdict=FAIL line="0 1 0" ;;
    esac
    echo "$name $line $((SECONDS - start))" >> "$results"
    printf '%-4s %s  %d s\n' "$verdict" "$name" $((SECONDS - start))
done
awk '{ p += $2; f += $3 } END { printf "%d checks passed, %d failed\n", p, f; exit f > 0 }' "$results"

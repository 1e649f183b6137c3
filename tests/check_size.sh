#!/bin/bash
# SPDX-License-Identifier: MIT
# Machine code of the three profiles of `make size` stays within their budgets. These are of x86-64; elsewhere the sizes are only shown.
build=$1
cd "$(dirname "$0")/.." || exit 1
${MAKE:-make} --no-print-directory BUILD="$build/size" CFLAGS= size > "$build/size.log" 2>&1
code=$?
grep -E '^(profile|nano|core|everything) ' "$build/size.log" || tail -20 "$build/size.log"
[ "$(uname -m)" = x86_64 ] || exit 77
exit $code

#!/bin/sh
# SPDX-License-Identifier: MIT
# This tree against another commit, in turns. usage: bench/compare.sh COMMIT [slm bench arguments]; ROUNDS=5
set -e
[ $# -gt 0 ] || { echo "usage: bench/compare.sh COMMIT [slm bench arguments]" >&2; exit 2; }
base=$1
shift
[ $# -gt 0 ] || set -- --shape smollm2-135m --type i4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git archive "$base" | tar -x -C "$work"
make -s -C "$work" build/slm
make -s build/slm

field() { sed -n "s/.*\"$2\":\([^,}]*\).*/\1/p" "$1"; }
middle() { sort -n | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

round=0
while [ "$round" -lt "${ROUNDS:-5}" ]; do
    "$work/build/slm" bench "$@" --json >>"$work/base.json"
    build/slm bench "$@" --json >>"$work/here.json"
    round=$((round + 1))
done
for name in prefill_tokens_per_second decode_tokens_per_second; do
    before=$(field "$work/base.json" $name | middle)
    after=$(field "$work/here.json" $name | middle)
    awk -v n=$name -v b="$before" -v a="$after" 'BEGIN { printf "%-28s %10.1f -> %10.1f  (%+.1f %%)\n", n, b, a, (a / b - 1) * 100 }'
done

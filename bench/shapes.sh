#!/bin/sh
# SPDX-License-Identifier: MIT
# One table row per shape and type. usage: bench/shapes.sh [NAME...]; SLM=build/slm, TYPES="i4 i8", BENCH_OPTIONS="-t 2"
SLM=${SLM:-build/slm}
TYPES=${TYPES:-i4 i8}
[ $# -gt 0 ] || set -- smollm2-135m smollm2-360m qwen2.5-0.5b llama3.2-1b

# The value of one field of a flat JSON object.
field() { printf '%s\n' "$1" | sed -n "s/.*\"$2\":\"\{0,1\}\([^,\"}]*\).*/\1/p"; }

percent() { printf '%s\n' "$1" | awk '{ if ($1 == "null") print "-"; else printf "%.0f %%", $1 * 100 }'; }

echo "| shape | type | isa | threads | prefill tokens/s | share of peak | decode tokens/s | share of bandwidth |"
echo "|---|---|---|---|---|---|---|---|"
for shape in "$@"; do
    for type in $TYPES; do
        # shellcheck disable=SC2086
        line=$("$SLM" bench --shape "$shape" --type "$type" --json $BENCH_OPTIONS) || exit 1
        printf '| %s | %s | %s | %s | %.1f | %s | %.1f | %s |\n' "$shape" "$type" "$(field "$line" isa)" "$(field "$line" threads)" \
            "$(field "$line" prefill_tokens_per_second)" "$(percent "$(field "$line" prefill_share_of_peak)")" \
            "$(field "$line" decode_tokens_per_second)" "$(percent "$(field "$line" decode_share_of_bandwidth)")"
    done
done

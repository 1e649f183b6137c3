#!/bin/sh
# SPDX-License-Identifier: MIT
# Every ratio that bench/README.md states, each against its target, for one CPU. Prints Markdown rows and writes bench/results/CPU.csv.
# usage: bench/table.sh [ISA...]; SLM=build/slm, ROUNDS=3, THREADS=2, RUN= (a command to put before each run), ROWS="shapes context batch"
set -e
SLM=${SLM:-build/slm}
ROUNDS=${ROUNDS:-3}
THREADS=${THREADS:-2}
ROWS=${ROWS:-shapes context batch}
[ $# -gt 0 ] || set -- avx512vnni avx2
cpu=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)
family=$(sed -n 's/^cpu family[^:]*: *//p' /proc/cpuinfo | head -n 1)
model=$(sed -n 's/^model[[:space:]]*: *//p' /proc/cpuinfo | head -n 1)
csv=bench/results/$(printf '%s family %s model %s' "$cpu" "$family" "$model" | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9-').csv
mkdir -p bench/results
[ -s "$csv" ] || echo "date,cpu,threads,isa,row,shape,type,kv,rounds,median,lowest,highest,target" >"$csv"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# bench FILE ARGUMENTS...: one line of JSON more in FILE
bench() {
    file=$1
    shift
    # shellcheck disable=SC2086
    $RUN "$SLM" bench -t "$THREADS" "$@" --json >>"$work/$file"
}

field() { sed -n "s/.*\"$2\":\([^,}]*\).*/\1/p" "$work/$1"; }

# ratio FILE FIELD FILE FIELD: line by line
ratio() {
    field "$1" "$2" >"$work/above"
    field "$3" "$4" >"$work/below"
    paste "$work/above" "$work/below" | awk '{ print $1 / $2 }'
}

# row NAME SHAPE TYPE KV TARGET: the values of standard input, sorted; "<=" and ">=" are part of the target
row() {
    sort -n | awk -v d="$(date +%F)" -v cpu="$cpu" -v t="$THREADS" -v isa="$isa" -v name="$1" -v shape="$2" -v type="$3" -v kv="$4" \
        -v target="$5" -v csv="$csv" '
        $1 != "null" { v[++n] = $1 }
        END {
            if (n == 0) exit
            m = n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
            printf "| %s | %s | %s %s | %s | %.3f | %.3f to %.3f | %s |\n", isa, name, shape, type, kv, m, v[1], v[n], target
            printf "%s,%s,%s,%s,%s,%s,%s,%s,%d,%.4f,%.4f,%.4f,%s\n", d, cpu, t, isa, name, shape, type, kv, n, m, v[1], v[n], target >>csv
        }'
}

# pick VALUE-OF-AVX2 VALUE-OF-OTHERS
pick() { [ "$isa" = avx2 ] && echo "$1" || echo "$2"; }

shapes() {
    for shape in smollm2-135m qwen2.5-0.5b llama3.2-1b; do
        for type in i4 i8; do
            name=$shape.$type.$isa
            round=0
            while [ "$round" -lt "$ROUNDS" ]; do
                bench "$name" --isa "$isa" --shape "$shape" --type "$type" -n 32 --repeat 3
                round=$((round + 1))
            done
            case $shape in
            smollm2-135m) prefill=$(pick 0.38 0.40) ;;
            *) [ "$type" = i4 ] && prefill=$(pick 0.45 0.55) || prefill=$(pick 0.40 0.55) ;;
            esac
            case $shape in
            smollm2-135m) decode=- ;; # a large cache serves part of it
            qwen2.5-0.5b) decode=">= $(pick 0.82 0.85)" ;;
            *) decode=">= $(pick 0.85 0.90)" ;;
            esac
            field "$name" prefill_share_of_peak | row "prefill share of peak" "$shape" "$type" f16 ">= $prefill"
            field "$name" decode_share_of_bandwidth | row "decode share of bandwidth" "$shape" "$type" f16 "$decode"
            field "$name" prefill_tokens_per_second | row "prefill tokens/s" "$shape" "$type" f16 -
            field "$name" decode_tokens_per_second | row "decode tokens/s" "$shape" "$type" f16 -
        done
    done
}

context() {
    for kv in i8 f16; do
        round=0
        while [ "$round" -lt "$ROUNDS" ]; do
            bench "decode.$kv.$isa" --isa "$isa" --shape llama3.2-1b --type i4 --kv $kv -p 0 --context 4096 -n 32 --repeat 4
            bench "short.$kv.$isa" --isa "$isa" --shape llama3.2-1b --type i4 --kv $kv -n 0 --repeat 3
            bench "long.$kv.$isa" --isa "$isa" --shape llama3.2-1b --type i4 --kv $kv -p 4096 -n 0 --repeat 2
            round=$((round + 1))
        done
        [ $kv = i8 ] && decode=$(pick 0.85 0.88) prefill=0.75 || { decode=$(pick 0.75 0.78) prefill=0.65; }
        field "decode.$kv.$isa" decode_over_empty |
            row "decode at 4096 over empty" llama3.2-1b i4 $kv ">= $decode"
        ratio "long.$kv.$isa" prefill_tokens_per_second "short.$kv.$isa" prefill_tokens_per_second |
            row "prefill 4096 over 512" llama3.2-1b i4 $kv ">= $prefill"
    done
}

batch() {
    round=0
    while [ "$round" -lt "$ROUNDS" ]; do
        for count in 1 4 8; do
            bench "batch$count.$isa" --isa "$isa" --shape llama3.2-1b --type i4 -p 0 -n 24 --batch $count --repeat 3
        done
        round=$((round + 1))
    done
    ratio "batch8.$isa" decode_tokens_per_second "batch1.$isa" decode_tokens_per_second |
        row "8 sessions over 1 in tokens/s" llama3.2-1b i4 f16 ">= $(pick 3 4)"
    ratio "batch1.$isa" decode_tokens_per_second "batch4.$isa" decode_tokens_per_second | awk '{ print 4 * $1 }' |
        row "4 rows over 1 in time" llama3.2-1b i4 f16 "<= $(pick 1.6 1.3)"
}

echo "| tier | row | shape | KV | median | range | target |"
echo "|---|---|---|---|---|---|---|"
for isa in "$@"; do
    for group in $ROWS; do
        "$group"
    done
done

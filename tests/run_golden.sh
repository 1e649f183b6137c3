#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs every set of a golden folder (SLM_GOLDEN, default tests/golden) and prints one line for each: kind, name, cases, failures, worst
# NMSE of f32 (models: logits and hidden states, at once and token by token; the cases of a model include its greedy ids); then a total.
# Exit code 1 when a case or a program failed, or when nothing was there.
#
#   run_golden.sh BUILD        also writes BUILD/golden-results.txt: the same as lines with tabs
#
# The programs are those whose source mentions golden_begin (tests/golden_report.h), and scripts that mention SLM_REPORT.
set -u
export LC_ALL=C
build=$1
cd "$(dirname "$0")/.." || exit 1
export SLM_GOLDEN=${SLM_GOLDEN:-tests/golden} SLM_REPORT=$build/golden-results.txt SLM_BUILD=$build SLM=$build/slm
logs=$build/test-logs
mkdir -p "$logs"
: > "$SLM_REPORT"

broken=0
for source in $(grep -lE 'golden_(begin|report\.h)|SLM_REPORT|import_each_case' tests/*/test_*.c tests/*/test_*.sh); do
    name=${source#tests/}
    name=${name%.*}
    log=$logs/golden_${name//\//_}.log
    before=$(awk -F'\t' '{ n += $4 } END { print n + 0 }' "$SLM_REPORT")
    case $source in
    *.c) timeout 1200 "$build/tests/$name" > "$log" 2>&1 < /dev/null ;;
    *.sh) timeout 1200 bash "$source" > "$log" 2>&1 < /dev/null ;;
    esac
    code=$?
    after=$(awk -F'\t' '{ n += $4 } END { print n + 0 }' "$SLM_REPORT")
    if [ "$code" -ne 0 ] && [ "$code" -ne 77 ]; then
        broken=$((broken + 1))
        [ "$after" -eq "$before" ] && printf 'program\t%s\t1\t1\t-\n' "$name" >> "$SLM_REPORT" # failed outside of its sets
        echo "$name ended with exit code $code:"
        grep -vE '^\[ (RUN     |      OK) \]' "$log" | grep -E 'ERROR|LINE|FAILED|not ok|:' | tail -20 | sed 's/^/     | /'
    fi
done

sort -t "$(printf '\t')" -k1,1 -k2,2 -o "$SLM_REPORT" "$SLM_REPORT"
awk -F'\t' -v broken="$broken" '
BEGIN { printf "%-10s %-48s %6s %9s  %s\n", "kind", "name", "cases", "failures", "worst NMSE" }
{
    printf "%-10s %-48s %6d %9d  %s\n", $1, $2, $3, $4, $5
    sets++; cases += $3; failures += $4
    if ($5 != "-" && $5 + 0 > worst) { worst = $5 + 0; where = $2 }
}
END {
    printf "%d sets, %d cases, %d failures", sets, cases, failures
    if (where != "") printf "; worst NMSE %.1e (%s)", worst, where
    printf "\n"
    exit failures > 0 || broken > 0 || cases == 0
}' "$SLM_REPORT"

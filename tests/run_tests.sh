#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs the test programs of a build folder and the test scripts, and prints one summary: N passed, N failed.
#
#   run_tests.sh BUILD [PATTERN]    PATTERN: only tests whose name (unit/test_json) matches this extended regular expression
#
# Environment: SLM_GOLDEN (folder of golden files), SLM_TESTS (as PATTERN), SLM_SANITIZER (set in sanitizer builds; scripts that cannot
# load such a library skip themselves). Scripts get SLM (the program) and SLM_BUILD (the folder). Exit code 77 means skipped.
# Results: BUILD/test-results.txt, lines "name passed failed skipped seconds"; full output: BUILD/test-logs/.
set -u
export LC_ALL=C
build=$1
pattern=${2:-${SLM_TESTS:-.}}
cd "$(dirname "$0")/.." || exit 1
export SLM_GOLDEN=${SLM_GOLDEN:-tests/golden} SLM_BUILD=$build SLM=$build/slm
results=$build/test-results.txt
logs=$build/test-logs
mkdir -p "$logs"
: > "$results"

# Number in cmocka's line "[  PASSED  ] 3 test(s)."
count_of() { sed -n "s/^\[ *$1 *\] \([0-9]*\) test(s).*/\1/p" "$2" | awk '{ n += $1 } END { print n + 0 }'; }

run_one() {
    local name=$1 log passed failed skipped code seconds
    shift
    log=$logs/$(echo "$name" | tr / _).log
    seconds=$(date +%s.%N)
    timeout 1200 "$@" > "$log" 2>&1 < /dev/null
    code=$?
    seconds=$(awk -v a="$seconds" -v b="$(date +%s.%N)" 'BEGIN { printf "%.1f", b - a }')
    if grep -q '^\[==========\]' "$log"; then
        passed=$(count_of PASSED "$log") failed=$(count_of FAILED "$log") skipped=$(count_of SKIPPED "$log")
    else
        passed=$(grep -c '^ok ' "$log") failed=$(grep -c '^not ok ' "$log") skipped=0
        [ "$code" -eq 77 ] && skipped=1 && code=0
        [ "$code" -eq 0 ] && [ $((passed + failed + skipped)) -eq 0 ] && passed=1
    fi
    if [ "$code" -ne 0 ] && [ "$failed" -eq 0 ]; then
        failed=1
        echo "(ended with exit code $code)" >> "$log"
    fi
    echo "$name $passed $failed $skipped $seconds" >> "$results"
    printf '%-4s %-36s %4d passed' "$([ "$failed" -eq 0 ] && echo ok || echo FAIL)" "$name" "$passed"
    [ "$failed" -gt 0 ] && printf ', %d failed' "$failed"
    [ "$skipped" -gt 0 ] && printf ', %d skipped' "$skipped"
    printf '  %s s\n' "$seconds"
    if [ "$failed" -gt 0 ]; then
        grep -vE '^\[ (RUN     |      OK) \]' "$log" | tail -40 | sed 's/^/     | /'
    fi
}

for source in tests/*/test_*.c tests/*/check_*.c tests/*/test_*.sh tests/*/test_*.py; do
    [ -f "$source" ] || continue
    name=${source#tests/}
    name=${name%.*}
    echo "$name" | grep -qE "$pattern" || continue
    case $source in
    *.c) run_one "$name" "$build/tests/$name" ;;
    *.sh) run_one "$name" bash "$source" ;;
    *.py) run_one "$name" python3 "$source" ;;
    esac
done

awk '
{ p += $2; f += $3; s += $4 }
END {
    if (s) printf "%d skipped (their golden files are not in this folder, or this build cannot run them)\n", s
    printf "%d passed, %d failed\n", p, f
    exit f > 0 || p == 0
}' "$results"

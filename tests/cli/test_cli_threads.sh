#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Fewer threads than asked for, and threads that the runtime treats oddly: nothing waits for ever, and answers are the same. The number of
# threads follows the affinity mask.
. "$(dirname "$0")/transcript.sh"

build=${SLM_BUILD:-build}
bench="bench --shape smollm2-135m --type i4 -p 0 -n 0 --json" # measures the machine only

# ends NAME COMMAND...: succeeds within two minutes
ends() {
    last="$*"
    timeout 120 "$@" >"$work/out" 2>"$work/err" </dev/null
    code=$?
    out=$work/out
    err=$work/err
    [ "$code" = 0 ]
}

"$SLM" run --ids 5,6,7 -n 20 --ignore-eos >"$work/expected" 2>/dev/null
for setting in OMP_THREAD_LIMIT=1 OMP_THREAD_LIMIT=2 OMP_DYNAMIC=true OMP_NUM_THREADS=1 OMP_MAX_ACTIVE_LEVELS=0 OMP_WAIT_POLICY=active \
    OMP_WAIT_POLICY=passive; do
    check "$setting: teams" ends env "$setting" "$build/tests/unit/test_parallel"
    check "$setting: sessions on threads" ends env "$setting" "$build/tests/api/test_threads"
    check "$setting: run" ends env "$setting" "$SLM" run -t 4 --ids 5,6,7 -n 20 --ignore-eos
    check "$setting: the same answer" cmp -s "$out" "$work/expected"
done

if command -v taskset >/dev/null && [ "$("$SLM" --version | grep -c 'threads openmp')" = 1 ]; then
    first=$(taskset -pc $$ | sed 's/.*: *//; s/[-,].*//')
    # shellcheck disable=SC2086
    check "one core allowed: bench" ends taskset -c "$first" "$SLM" $bench
    check "one core allowed: one thread" out_has '"threads":1,'
    # shellcheck disable=SC2086
    check "one core allowed, eight threads asked for: bench" ends taskset -c "$first" "$SLM" $bench -t 8 -p 8 -n 4
    check "one core allowed, eight threads asked for: eight" out_has '"threads":8,'
else
    echo "skipped: no taskset here, or a build without threads"
fi
finish

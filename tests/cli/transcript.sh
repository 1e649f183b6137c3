# SPDX-License-Identifier: MIT
# Sourced by the transcripts beside it: run the program, look at exit code and output, count.
#
#   run [-i INPUT] ARGUMENTS...   runs $SLM; its output is then in $out and $err, its exit code in $code
#   check NAME CONDITION...       one case: the command CONDITION must succeed
#   code_is N, out_has TEXT, err_has TEXT, out_is TEXT, err_empty   conditions
#   finish                        the summary line; fails when a case failed

SLM=${SLM:-build/slm}
SLM_GOLDEN=${SLM_GOLDEN:-tests/golden}
passed=0
failed=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

if ! [ -x "$SLM" ]; then
    echo "not ok $SLM is no program; build it, or set SLM"
    echo "0 passed, 1 failed"
    exit 1
fi

run() {
    local input=/dev/null
    if [ "$1" = -i ]; then
        input=$2
        shift 2
    fi
    last="slm $*"
    "$SLM" "$@" <"$input" >"$work/out" 2>"$work/err"
    code=$?
    out=$work/out
    err=$work/err
}

check() {
    local name=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        echo "ok $name"
    else
        failed=$((failed + 1))
        echo "not ok $name: $* (after '$last': exit $code, standard error: $(head -c 300 "$work/err" | tr '\n' ' '))"
    fi
}

code_is() { [ "$code" = "$1" ]; }
out_has() { grep -qF -- "$1" "$out"; }
out_like() { grep -qE -- "$1" "$out"; }
err_has() { grep -qF -- "$1" "$err"; }
err_empty() { ! [ -s "$err" ]; }
out_is() { [ "$(cat "$out")" = "$1" ]; }

# fails_with NAME CODE TEXT ARGUMENTS...: exit code, nothing on standard output, a message with TEXT
fails_with() {
    local name=$1 wanted=$2 text=$3
    shift 3
    run "$@"
    check "$name: exit code $wanted" code_is "$wanted"
    check "$name: says '$text'" err_has "$text"
    check "$name: no standard output" test ! -s "$out"
}

skip() { echo "skip $1"; }

finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}

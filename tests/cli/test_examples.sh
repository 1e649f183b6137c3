#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The example programs and the Python binding run with the demonstration model and say what they should.
. "$(dirname "$0")/transcript.sh"

build=${SLM_BUILD:-build}
model=$work/demo.slm
run convert examples/demo/hf -o "$model"
check "a model for the examples" code_is 0

# example NAME INPUT ARGUMENTS...: run one program
example() {
    last="$1 $3"
    "$build/examples/$1" "${@:3}" <"$2" >"$work/out" 2>"$work/err"
    code=$?
    out=$work/out
    err=$work/err
}

example 01_hello /dev/null "$model" "I want my money back for KX-7719."
check "01_hello: exit code" code_is 0
check "01_hello: the answer" out_like '^\{"intent":"refund","order":"KX-7719",.*\}$'
check "01_hello: the count" out_like '^[0-9]+ tokens in, [0-9]+ tokens out$'
example 01_hello /dev/null /nowhere.slm
check "01_hello: a missing file" code_is 1
check "01_hello: is named" err_has /nowhere.slm
printf '%s\n' 'I want my money back for KX-7719.' 'Please cancel "order" 77120.' 'I want my money back for KX-7719.' >"$work/talk"
example 02_chat "$work/talk" "$model"
check "02_chat: exit code" code_is 0
check "02_chat: three answers" test "$(grep -c '^{"intent"' "$out")" = 3
check "02_chat: rewinding changes nothing" test "$(sed -n 1p "$out")" = "$(sed -n 3p "$out")"
example 03_own_memory /dev/null "$model"
check "03_own_memory: exit code" code_is 0
check "03_own_memory: nothing is allocated" out_has "0 calls while running the model"

printf '%s\n' 'Where is my parcel?' '' 'I want my money back.' 'The invoice is wrong.' >"$work/lines"
printf '%s\n' 'I want my money back.' 'The invoice is wrong.' >"$work/queries"
example 04_search "$work/queries" "$model" "$work/lines"
check "04_search: exit code" code_is 0
check "04_search: a line finds itself" test "$(grep -cE '^  1\.000  (I want my money back|The invoice is wrong)\.$' "$out")" = 2
check "04_search: three lines for each query" test "$(wc -l <"$out")" = 8
example 04_search "$work/queries" "$model" /nowhere.txt
check "04_search: a missing file" code_is 1

if [ -n "${SLM_SANITIZER:-}" ]; then
    skip "the Python binding: python3 cannot load a library with a sanitizer"
elif ! command -v python3 >/dev/null || ! [ -e "$build/libslm.so" ]; then
    skip "the Python binding: python3 or $build/libslm.so is absent"
else
    last="python3 examples/python/test_slm.py"
    SLM_LIBRARY=$(cd "$build" && pwd)/libslm.so SLM_MODEL=$model python3 examples/python/test_slm.py >"$work/out" 2>"$work/err"
    code=$?
    check "the Python binding" code_is 0
    check "the Python binding: no test is skipped" grep -q '^OK$' "$work/err"
fi
finish

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Embeddings through the command line: an encoder when its golden folder is there, the demonstration model, and, where Python has the
# packages, a trained MiniLM beside the reference (PYTHON names the interpreter).
. "$(dirname "$0")/transcript.sh"

printf '%s\n' '{"text":"Where is my parcel?"}' '' '{"text":"Wo ist mein Paket? \u00e9"}' '{"ids":[5,6,7]}' >"$work/lines"
run -i "$work/lines" embed --jsonl
check "jsonl: exit code" code_is 0
check "jsonl: a line for a line" test "$(grep -cE '^\{"embedding":\[-?[0-9.e-]+(,-?[0-9.e-]+)*\]\}$' "$out")" = 3
sed -n 1p "$out" >"$work/first"
run embed "Where is my parcel?" "A second text"
check "arguments: two lines" test "$(wc -l <"$out")" = 2
check "a text alone has the same embedding" test "$(sed -n 1p "$out")" = "$(cat "$work/first")"
run embed --pooling mean --normalize no "Where is my parcel?"
check "--pooling mean --normalize no: another one" test "$(cat "$out")" != "$(cat "$work/first")"
run embed --context 2 --truncate "Where is my parcel?"
check "--truncate" code_is 0
run -i "$work/lines" embed --jsonl --npy "$work/e.npy"
check "--npy: exit code" code_is 0
check "--npy: nothing on standard output" test ! -s "$out"
check "--npy: header" grep -qa "'descr': '<f4', 'fortran_order': False, 'shape': (3, " "$work/e.npy"
columns=$(head -c 128 "$work/e.npy" | LC_ALL=C sed -n 's/.*(3, \([0-9]*\)).*/\1/p')
check "--npy: size" test "$(wc -c <"$work/e.npy")" = $((128 + 3 * 4 * columns))
fails_with "a text longer than the context" 1 "input 0: its" embed --context 2 "Where is my parcel?"
fails_with "no text" 2 "texts are expected" embed
fails_with "text beside --jsonl" 2 "standard input" embed --jsonl x
fails_with "pooling that is none" 2 "--pooling" embed --pooling max x
fails_with "normalize that is none" 2 "--normalize" embed --normalize maybe x
fails_with "a file that cannot be written" 1 "/nowhere/e.npy" embed --npy /nowhere/e.npy x

cp "$work/e.npy" "$work/kept.npy"
printf '%s\n' '{"text":"fine"}' '{"text":' >"$work/bad"
run -i "$work/bad" embed --jsonl --npy "$work/kept.npy"
check "a failure leaves the file that was there" cmp -s "$work/e.npy" "$work/kept.npy"
check "and nothing beside it" test "$(ls "$work" | grep -c kept)" = 1
mkfifo "$work/pipe.npy"
cat "$work/pipe.npy" >/dev/null &
run embed --npy "$work/pipe.npy" x
wait $!
check "a pipe cannot hold it" code_is 1
check "and stays" test -p "$work/pipe.npy"
for i in $(seq 66); do
    echo '{"text":"fine"}'
done >"$work/many"
echo '{"text":""}' >>"$work/many"
run -i "$work/many" embed --jsonl
check "a text without tokens: the line can be found" err_has "input 0 was line 65"

bad() {
    printf '%s\n' '{"text":"fine"}' "$2" >"$work/bad"
    last="embed --jsonl ($1)"
    "$SLM" embed --jsonl --npy "$work/bad.npy" <"$work/bad" >"$work/out" 2>"$work/err"
    code=$?
    err=$work/err
    check "$1: exit code" code_is 1
    check "$1: the line is named" err_has "line 2"
    check "$1: no file is left" test ! -e "$work/bad.npy"
}
bad "no object" '[1]'
bad "neither text nor ids" '{"prompt":"x"}'
bad "both" '{"text":"x","ids":[1]}'
bad "text that is none" '{"text":7}'
bad "ids that are none" '{"ids":[1,"x"]}'
bad "no ids" '{"ids":[]}'
bad "broken JSON" '{"text":'

encoder=${SLM_GOLDEN:-tests/golden}/encoders/bert-mean
if [ -e "$encoder/config.json" ]; then
    run convert "$encoder" -o "$work/encoder.slm" --type f32
    run -i "$work/lines" embed -m "$work/encoder.slm" --jsonl
    check "an encoder: three embeddings" test "$(wc -l <"$out")" = 3
    fails_with "an encoder has no next token" 1 "slm_embed" run -m "$work/encoder.slm" --raw "Hello"
    run inspect "$work/encoder.slm"
    check "inspect names the pooling" out_has "mean"
else
    skip "an encoder: $encoder is absent"
fi

last="bench/compare_embeddings.py"
if [ -n "${SLM_SANITIZER:-}" ]; then
    skip "a trained encoder beside the reference: too slow under a sanitizer"
else
    "${PYTHON:-python3}" bench/compare_embeddings.py --slm "$SLM" --types f32,i8 >"$work/out" 2>"$work/err"
    code=$?
    out=$work/out
    if [ "$code" = 77 ]; then
        skip "a trained encoder beside the reference: $(tail -1 "$out")"
    else
        check "a trained encoder: cosines" code_is 0
        cat "$out"
    fi
fi
finish

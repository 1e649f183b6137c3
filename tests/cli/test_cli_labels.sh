#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# score, classify, calibrate with the demonstration model: formats, order, resuming, calibration, wrong input.
. "$(dirname "$0")/transcript.sh"

# ---- score
printf '%s\n' '{"prompt":"The sky is","labels":[" blue"," red"," blue"]}' '{"prompt_ids":[5,6,7],"label_ids":[[8],[9,10]]}' >"$work/lines"
run -i "$work/lines" score --jsonl
check "score: exit code" code_is 0
number='-?[0-9][0-9.e+-]*'
check "score: three labels" out_like "^\\{\"logprobs\":\\[$number,$number,$number\\],\"probabilities\":\\[$number,$number,$number\\]\\}\$"
twice="\\[($number),$number,\\1\\],\"probabilities\":\\[($number),$number,\\2\\]"
check "score: a label given twice has the same numbers" out_like "^\\{\"logprobs\":$twice"
check "score: ids" test "$(wc -l <"$out")" = 2
printf '%s\n' '{"prompt":"The sky is","labels":["x"]}' >"$work/one"
run -i "$work/one" score --jsonl --eos --length --joint --prior "N/A"
check "score: one label is certain" out_like '"probabilities":\[1\]'
fails_with "score without --jsonl" 2 "--jsonl" score
bad_line() {
    printf '%s\n' '{"prompt":"fine","labels":["a"]}' "$2" >"$work/bad"
    run -i "$work/bad" score --jsonl
    check "score, $1: exit code" code_is 1
    check "score, $1: the line is named" err_has "line 2"
}
bad_line "no labels" '{"prompt":"x","labels":[]}'
bad_line "no prompt" '{"labels":["a"]}'
bad_line "labels that are none" '{"prompt":"x","labels":[1]}'
bad_line "ids that are none" '{"prompt":"x","label_ids":[["a"]]}'
bad_line "an empty label" '{"prompt":"x","labels":["a",""]}'
bad_line "an empty prompt" '{"prompt_ids":[],"labels":["a"]}'
bad_line "a prompt that is no string" '{"prompt":7,"labels":["a"]}'
bad_line "both kinds" '{"prompt":"x","prompt_ids":[1],"labels":["a"]}'

# ---- classify
printf '%s\n' refund invoice track_order "" complaint >"$work/labels"
options=(--labels "$work/labels" --prompt "{text}" --prefix '{"intent":"' --suffix '"')
run classify "${options[@]}" "I want my money back for KX-7719."
check "classify: exit code" code_is 0
verdict='"label":"refund","probability":0\.9[0-9]*,"margin":0\.9[0-9]*,"entropy":[0-9.e-]+,"probabilities":\[[^]]*\]'
check "classify: the label" out_like "^\\{$verdict\\}\$"
printf '%s\r\n' 'id,text,note' '1,"Where is my parcel,' 'I ask ""you""?",x' >"$work/in.csv"
printf '2,"I want my money back.",\n3,The invoice is wrong,"a,b"' >>"$work/in.csv"
run classify "${options[@]}" --in "$work/in.csv" --escalate-below 0.9999
check "csv: exit code" code_is 0
check "csv: header" test "$(sed -n 1p "$out")" = "id,text,note,predicted,probability,margin,entropy,escalate"
check "csv: a quoted line end stays" test "$(sed -n 2p "$out")" = $'1,"Where is my parcel,\r'
check "csv: its label" grep -qE '^I ask ""you""\?",x,track_order,0\.[0-9]+,.*,(yes|no)$' "$out"
check "csv: rows in order" grep -qE '^3,The invoice is wrong,"a,b",invoice,' "$out"
if command -v python3 >/dev/null; then
    fields=$(python3 -c 'import csv, sys; print([len(r) for r in csv.reader(open(sys.argv[1], newline=""))])' "$out")
    check "csv: another reader finds the fields" test "$fields" = "[8, 8, 8, 8]"
fi
printf '%s\n' '{"text":"I want my money back.","id":7}' '' '{"id":8, "text":"The invoice is wrong"} ' >"$work/in.jsonl"
run classify "${options[@]}" --in "$work/in.jsonl"
check "jsonl: the row stays" out_like '^\{"text":"I want my money back.","id":7,"prediction":\{"label":"refund",'
check "jsonl: a line for a row" test "$(wc -l <"$out")" = 2
run -i "$work/in.jsonl" classify "${options[@]}" --in -
check "standard input" test "$(wc -l <"$out")" = 2
run classify "${options[@]}" --temperature 100 "I want my money back"
check "--temperature" out_like '"probability":0\.[2-5]'

for kind in csv jsonl; do
    rm -f "$work/all.$kind"
    run classify "${options[@]}" --in "$work/in.$kind" --out "$work/all.$kind"
    check "$kind: --out" code_is 0
    size=$(wc -c <"$work/all.$kind")
    same=1
    for cut in 0 5 60 100 150 $((size - 40)) $((size - 1)) "$size"; do
        head -c "$cut" "$work/all.$kind" >"$work/part.$kind"
        run classify "${options[@]}" --in "$work/in.$kind" --out "$work/part.$kind" --resume
        cmp -s "$work/all.$kind" "$work/part.$kind" || same="cut after $cut bytes"
    done
    check "$kind: an interrupted run goes on, nothing twice" test "$same" = 1
    fails_with "$kind: a file that exists" 1 "--resume" classify "${options[@]}" --in "$work/in.$kind" --out "$work/all.$kind"
done
# ---- a run that is killed: the rows go in through a pipe, so that it is in the middle for sure
killed() {
    local kind=$1 lines=$2 before
    rm -f "$work/killed.$kind" "$work/whole.$kind"
    mkfifo "$work/pipe.$kind"
    "$SLM" classify "${options[@]}" --in "$work/pipe.$kind" --out "$work/killed.$kind" 2>/dev/null &
    local process=$!
    {
        head -n "$lines" "$work/many.$kind"
        while kill -0 "$process" && [ "$(cat "$work/killed.$kind" 2>/dev/null | wc -l)" -lt $((lines - 4)) ]; do
            sleep 0.02
        done
        kill -9 "$process"
    } >"$work/pipe.$kind"
    wait "$process" 2>/dev/null
    check "$kind: killed" test $? = 137
    before=$(wc -l <"$work/killed.$kind")
    run classify "${options[@]}" --in "$work/many.$kind" --out "$work/whole.$kind"
    check "$kind: it was in the middle" test "$before" -lt "$(wc -l <"$work/whole.$kind")"
    run classify "${options[@]}" --in "$work/many.$kind" --out "$work/killed.$kind" --resume
    check "$kind: resumed after a kill" code_is 0
    check "$kind: resumed after a kill: every row once, in order" cmp -s "$work/killed.$kind" "$work/whole.$kind"
}
{
    echo 'id,text'
    for i in $(seq 40); do
        printf '%s,"Where is\nparcel ""%s""?"\n' "$i" "$i"
    done
} >"$work/many.csv"
for i in $(seq 40); do
    echo "{\"id\":$i,\"text\":\"Where is\\nparcel $i?\"}"
done >"$work/many.jsonl"
killed csv 40
killed jsonl 20
printf 'another,header\n' >"$work/other.csv"
fails_with "--resume of another file" 1 "another header" classify "${options[@]}" --in "$work/in.csv" --out "$work/other.csv" --resume
for kind in csv jsonl; do
    head -n 25 "$work/whole.$kind" >"$work/part.$kind"
    cp "$work/part.$kind" "$work/before.$kind"
    sed 's/parcel/letter/' "$work/many.$kind" >"$work/changed.$kind"
    fails_with "$kind: --resume with other rows" 1 "row 1" \
        classify "${options[@]}" --in "$work/changed.$kind" --out "$work/part.$kind" --resume
    check "$kind: nothing has changed" cmp -s "$work/part.$kind" "$work/before.$kind"
    head -n 15 "$work/many.$kind" >"$work/fewer.$kind"
    fails_with "$kind: --resume with fewer rows" 1 "more rows" \
        classify "${options[@]}" --in "$work/fewer.$kind" --out "$work/whole.$kind" --resume
done
# ---- what another model, other labels, another prompt or other options wrote is not gone on with
resume_refused() {
    local kind=$1 name=$2
    shift 2
    cp "$work/before.$kind" "$work/part.$kind"
    fails_with "$kind: --resume with $name" 1 "part.$kind, row 1: it says $results" \
        classify "$@" --in "$work/many.$kind" --out "$work/part.$kind" --resume
    check "$kind: --resume with $name says what to do" err_has "give these, or another name with --out"
    check "$kind: --resume with $name changes nothing" cmp -s "$work/part.$kind" "$work/before.$kind"
}
printf '%s\n' refund track_order other >"$work/other_labels"
for kind in csv jsonl; do
    results='track_order,0.'
    [ $kind = jsonl ] && results='"prediction":{"label":"track_order","probability":0.'
    resume_refused $kind "other labels" "${options[@]}" --labels "$work/other_labels"
    resume_refused $kind "another prompt" "${options[@]}" --prompt "Now: {text}"
    resume_refused $kind "another temperature" "${options[@]}" --temperature 2
    resume_refused $kind "another option" "${options[@]}" --length
    if [ -f examples/demo/hf/config.json ]; then
        [ -f "$work/i4.slm" ] || run convert examples/demo/hf -o "$work/i4.slm" --type i4
        resume_refused $kind "another model" "${options[@]}" -m "$work/i4.slm"
    fi
done

# ---- names that the results take
printf 'id,text,margin\n1,a,b\n' >"$work/taken.csv"
fails_with "a column named as a result" 1 "taken.csv: the header has a column 'margin', as the results have: rename or remove it" \
    classify "${options[@]}" --in "$work/taken.csv" --out "$work/taken.out"
check "and nothing is written" test ! -e "$work/taken.out"
printf 'text,"escalate"\na,b\n' >"$work/taken.csv"
run classify "${options[@]}" --in "$work/taken.csv"
check "a column escalate without --escalate-below" code_is 0
fails_with "a column escalate" 1 "column 'escalate'" classify "${options[@]}" --in "$work/taken.csv" --escalate-below 0.5
printf '%s\n' '{"text":"a"}' '{"text":"a","prediction":1}' >"$work/taken.jsonl"
run classify "${options[@]}" --in "$work/taken.jsonl"
check "a member named as the result: exit code" code_is 1
check "a member named as the result" err_has 'the object has a member "prediction", as the results have: rename or remove it'
check "a member named as the result: the row" err_has "this was row 2 of"

printf 'my notes' >"$work/notes"
fails_with "--resume of a file of another kind" 1 "row 1" classify "${options[@]}" --in "$work/many.jsonl" --out "$work/notes" --resume
check "and it stays" test "$(cat "$work/notes")" = "my notes"
fails_with "no labels" 2 "--labels" classify "text"
fails_with "a labels file that is absent" 1 "/nowhere" classify --labels /nowhere "text"
: >"$work/none"
fails_with "an empty labels file" 1 "no labels" classify --labels "$work/none" "text"
printf 'a\nb\na\n' >"$work/doubled"
fails_with "a label that is there twice" 1 '"a" is there twice (the 1. and the 3.)' classify --labels "$work/doubled" "text"
fails_with "a prompt without the text" 1 "--prompt has no {text}" classify --labels "$work/labels" --prompt "Which?" "text"
run classify --labels "$work/labels" "text"
cp "$out" "$work/plain"
{
    printf '\xef\xbb\xbf'
    cat "$work/labels"
} >"$work/marked"
run classify --labels "$work/marked" "text"
check "a byte order mark is not part of a label" cmp -s "$out" "$work/plain"
printf 'refund\nin\0voice\nother\n' >"$work/nul"
fails_with "a label with a NUL byte" 1 "line 2" classify --labels "$work/nul" "text"
fails_with "a missing column" 1 "no column 'nothing'" classify "${options[@]}" --in "$work/in.csv" --column nothing --out "$work/x.csv"
fails_with "a format that is none" 2 "--format" classify "${options[@]}" --in "$work/in.csv" --format xml
fails_with "no text" 2 "one text" classify "${options[@]}"
fails_with "--joint with a template" 2 "--raw" classify "${options[@]}" --joint "text"
printf 'id,text\n1,a,b\n' >"$work/bad.csv"
run classify "${options[@]}" --in "$work/bad.csv"
check "a row with too many fields" err_has "line 2"
printf 'id,text\n1,"a' >"$work/bad.csv"
run classify "${options[@]}" --in "$work/bad.csv"
check "an open quote" err_has "quoted field"
: >"$work/empty.csv"
fails_with "an empty file" 1 "empty" classify "${options[@]}" --in "$work/empty.csv"
printf 'id,text\n' >"$work/header.csv"
run classify "${options[@]}" --in "$work/header.csv"
check "a header alone" out_is "id,text,predicted,probability,margin,entropy"

# ---- calibrate
model=$work/model.slm
cp examples/demo/triage-i8.slm "$model"
{
    echo 'text,label'
    for i in 1 2 3 4 5; do
        echo "I want my money back for order $i,refund"
        echo "The invoice $i is wrong,invoice"
        echo "Where is parcel $i?,track_order"
        echo "This is a disgrace number $i,complaint"
        echo "My parcel $i is late and I am angry,complaint"
    done
} >"$work/labelled.csv"
run calibrate -m "$model" "${options[@]}" --in "$work/labelled.csv" --json
check "calibrate: exit code" code_is 0
check "calibrate: numbers" out_like '^\{"temperature":[0-9.]+,"rows":25,"accuracy":[0-9.]+,"loss_before":[0-9.e-]+,"loss_after":[0-9.e-]+,'
check "calibrate: the loss is not larger" awk -F'[:,]' '{ exit !($10 <= $8 + 1e-9) }' "$out"
check "calibrate: a file beside the model" test -s "$model.calibration"
temperature=$(sed 's/.*"temperature":\([0-9.]*\).*/\1/' "$model.calibration")
run classify -m "$model" "${options[@]}" "Where is it?"
cp "$out" "$work/calibrated"
check "classify reads it" err_empty
run classify -m "$model" "${options[@]}" --temperature "$temperature" "Where is it?"
check "and uses it" cmp -s "$out" "$work/calibrated"
run classify -m "$model" --labels "$work/labels" "Where is it?"
check "another prompt: it is not used" err_has "is not used"
echo nonsense >"$model.calibration"
fails_with "a damaged calibration" 1 "is no calibration" classify -m "$model" "${options[@]}" "text"
cp "$work/labels" "$work/labels.before"
fails_with "another file is not replaced" 1 "is no calibration" calibrate "${options[@]}" --in "$work/labelled.csv" --out "$work/labels"
check "and stays" cmp -s "$work/labels" "$work/labels.before"
rm "$model.calibration"
fails_with "the demonstration model has no place for it" 2 "--out" calibrate "${options[@]}" --in "$work/labelled.csv"
printf 'text,label\nx,unknown\n' >"$work/wrong.csv"
fails_with "a label that is none" 1 "row 1: 'unknown'" calibrate -m "$model" "${options[@]}" --in "$work/wrong.csv"
printf "text,label\n" >"$work/header2.csv"
fails_with "no rows" 1 "has no rows" calibrate -m "$model" "${options[@]}" --in "$work/header2.csv"
finish

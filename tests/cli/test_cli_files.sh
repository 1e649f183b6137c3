#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Missing, damaged and unwritable files: exit code 1, a message that names the file, nothing left behind.
. "$(dirname "$0")/transcript.sh"

hf=examples/demo/hf
fails_with "missing model" 1 "/nowhere/model.slm" run -m /nowhere/model.slm hello
fails_with "missing checkpoint" 1 "/nowhere" convert /nowhere -o "$work/x.slm"
fails_with "missing file to inspect" 1 "/nowhere/x" inspect /nowhere/x
fails_with "missing ids" 1 "/nowhere/ids" logits --ids /nowhere/ids -o "$work/x"
fails_with "missing tokenizer" 1 "/nowhere/tokenizer.json" tokenize --tokenizer /nowhere/tokenizer.json hello
fails_with "missing template" 1 "/nowhere/t.jinja" template --template /nowhere/t.jinja

mkdir "$work/empty"
fails_with "folder without config.json" 1 "config.json" convert "$work/empty" -o "$work/x.slm"
fails_with "inspect a folder without config.json" 1 "config.json" inspect "$work/empty"

cp -r "$hf" "$work/cut"
head -c 1000000 "$hf/model.safetensors" >"$work/cut/model.safetensors"
fails_with "truncated weights" 1 "model.safetensors" convert "$work/cut" -o "$work/x.slm"
fails_with "inspect truncated weights" 1 "model.safetensors" inspect "$work/cut/model.safetensors"
check "nothing is left behind" test -z "$(ls "$work" | grep x.slm)"

fails_with "unwritable output" 1 "/nowhere/x.slm" convert "$hf" -o /nowhere/x.slm
echo keep >"$work/old.slm"
fails_with "a failure keeps the old file" 1 "config.json" convert "$work/empty" -o "$work/old.slm"
check "the old file is as it was" grep -q keep "$work/old.slm"

run convert "$hf" -o "$work/demo.slm" --type i8
check "conversion" code_is 0
run convert "$hf" -o "$work/again.slm" --type i8 -t 1
check "the same bytes again, with one thread" cmp -s "$work/demo.slm" "$work/again.slm"
if [ -f examples/demo/triage-i8.slm ]; then
    check "the file in examples/demo is this conversion" cmp -s "$work/demo.slm" examples/demo/triage-i8.slm
fi
run convert "$hf" -o "$work/json.slm" --type i4 --json
check "convert --json" out_like '^\{"source":.*"type":"i4".*"file_bytes":[0-9]+.*\}$'
run inspect "$work/demo.slm"
check "inspect" code_is 0
check "inspect names the family" out_has llama
run inspect "$work/demo.slm" --json --verify
check "inspect --verify" code_is 0
run inspect "$hf"
check "inspect a folder" code_is 0
run inspect "$hf/model.safetensors"
check "inspect a safetensors file" code_is 0

size=$(wc -c <"$work/demo.slm")
head -c $((size / 2)) "$work/demo.slm" >"$work/half.slm"
fails_with "half a model" 1 "half.slm" run -m "$work/half.slm" hello
cp "$work/demo.slm" "$work/bit.slm"
printf '\377\377\377\377' | dd of="$work/bit.slm" bs=1 seek=$((size - 8192)) conv=notrunc 2>/dev/null
run inspect "$work/bit.slm" --verify
check "a damaged payload fails --verify" code_is 1
check "and the message says checksum" err_has checksum
echo "not a model" >"$work/text.slm"
fails_with "a text file as model" 1 "text.slm" run -m "$work/text.slm" hello
fails_with "a text file as ids" 1 "no safetensors file" logits --ids "$work/text.slm" -o "$work/x"

if [ -w /dev/full ]; then
    "$SLM" tokenize hello >/dev/full 2>"$work/err"
    code=$? last="slm tokenize hello >/dev/full"
    check "a full disk: exit code" code_is 1
    check "a full disk: message" grep -q "cannot write to standard output" "$work/err"
fi
yes '{"text":"a parcel and a refund"}' | head -20000 >"$work/lines"
"$SLM" tokenize --jsonl <"$work/lines" 2>"$work/err" | head -1 >/dev/null
code=${PIPESTATUS[0]} last="slm tokenize --jsonl | head -1"
check "a closed pipe: exit code" code_is 1
check "a closed pipe: silence" test ! -s "$work/err"
finish

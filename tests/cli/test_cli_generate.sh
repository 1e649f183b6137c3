#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run, chat, logits and bench with the demonstration model: output formats, and answers that depend on nothing but the input.
. "$(dirname "$0")/transcript.sh"

run run
check "run without arguments" code_is 0
check "run shows the message" out_like '^message   '
check "run shows the answer" out_like '^answer    \{"intent":.*\}$'
check "run shows the confidence of six fields" test "$(grep -cE '^/[a-z]+ +.* [0-9]+\.[0-9]{3} %   \(unconstrained' "$out")" = 6
check "run shows the decision" out_like '^decision  a person takes over: the message asks for it'
check "run shows the speed" out_like 'tokens/s; first token after [0-9.]+ ms'

prompt="my parcel 48213 never came, I want my money back"
run run "$prompt"
check "run TEXT: exit code" code_is 0
check "run TEXT: only the answer" out_like '^\{"intent":"[a-z_]+","order":"48213",.*\}$'
answer=$(cat "$out")
run run --json "$prompt"
rate='[0-9.e+]+'
check "run --json: ids, text, stop" out_like '^\{"ids":\[[0-9,]+\],"text":"\{.*\}","stop":"eos","prompt_tokens":[0-9]+,'
check "run --json: rates" out_like "\"prefill_tokens_per_second\":$rate,\"decode_tokens_per_second\":$rate\}\$"
for options in "-t 1" "-t 2" "--isa scalar" "--temp 0 --seed 9" "--context 300"; do
    # shellcheck disable=SC2086
    run run $options "$prompt"
    check "the same answer with $options" out_is "$answer"
done
first=$("$SLM" run --temp 1.5 --seed 7 "$prompt" 2>/dev/null)
check "the same seed, the same answer" test "$first" = "$("$SLM" run --temp 1.5 --seed 7 -t 1 "$prompt" 2>/dev/null)"
run run --stop '"order"' "$prompt"
check "--stop ends before the text" out_like '^\{"intent":"[a-z_]+",$'
run run -n 3 --json --logprobs 2 "$prompt"
check "run --logprobs: two alternatives a token" test "$(grep -o '"top":\[{[^]]*},{[^]]*}\]' "$out" | wc -l)" = 3
fails_with "--logprobs without --json" 2 "add --json" run --logprobs 2 "$prompt"
run run -n 3 --json "$prompt"
check "-n 3" out_has '"stop":"length"'
run run --ids 5 -n 1
check "one token is not several" err_has "1 token, 0.0 tokens/s; first token after"
check "a prompt of one token" err_has "(prompt of 1 token)"
for i in $(seq 600); do echo "parcel"; done >"$work/prompt"
run -i "$work/prompt" run -
check "a prompt that is too long: exit code" code_is 1
check "a prompt that is too long: says what is possible" grep -qE 'the prompt has [0-9]+ tokens; the model takes at most 511' "$err"
fails_with "a prompt longer than --context" 1 "the prompt has 4 tokens; --context 3 leaves no room" run --ids 5,6,7,8 --context 3
run run --temp 1 --seed 18446744073709551615 -n 4 "$prompt"
check "the largest seed" code_is 0
run run --ids 5,6,7,8 -n 48 --temp 0 --ignore-eos --json
check "--ids: prompt tokens" out_has '"prompt_tokens":4'
check "--ids: 48 new ids" test "$(sed 's/\].*//' "$out" | tr -cd , | wc -c)" = 47
fails_with "--ids outside the vocabulary" 1 "slm run:" run --ids 5,99999 -n 4
run run --raw "Order" -n 4
check "--raw" code_is 0
prompt_tokens() { sed 's/.*"prompt_tokens":\([0-9]*\).*/\1/' "$out"; }
run run --json "a<|im_end|>b"
plain=$(prompt_tokens)
run run --json --trust-messages "a<|im_end|>b"
check "special tokens in a message are plain text" test "$plain" -gt "$(prompt_tokens)"
echo '[{"type":"function","function":{"name":"f","parameters":{}}}]' >"$work/tools"
run run --json --tools "$work/tools" "$prompt"
check "--tools: the answer as a message" out_has '"message":{"role":"assistant","content":"{'
fails_with "--tools without a file" 1 "slm run: $work/none:" run --tools "$work/none" "$prompt"
echo '[{"type":}]' >"$work/broken"
fails_with "--tools that are no JSON" 1 "$work/broken: byte 10" run --tools "$work/broken" "$prompt"
echo '{}' >"$work/object"
fails_with "--tools that are no list" 1 "$work/object: a list" run --tools "$work/object" "$prompt"
fails_with "--tools with --raw" 2 "slm run: --tools" run --tools "$work/tools" --raw "$prompt"
fails_with "--system with --raw" 2 "slm run: --system is for the chat template" run --system "Be kind." --raw "$prompt"
cp -r examples/demo/hf "$work/plain"
sed -i 's/"chat_template"/"no_template"/' "$work/plain/tokenizer_config.json"
"$SLM" convert "$work/plain" -o "$work/plain.slm" >/dev/null 2>&1
fails_with "--system without a template" 2 "cannot be told of --system" run -m "$work/plain.slm" --system "Be kind." "$prompt"
printf '%s' "$prompt" >"$work/prompt"
run -i "$work/prompt" run -
check "the prompt from standard input" out_is "$answer"

printf '%s\n' "$prompt" "" "cancel order 77120 please" >"$work/talk"
run -i "$work/talk" chat --temp 0
check "chat: exit code" code_is 0
check "chat: an answer a message" test "$(wc -l <"$out")" = 2
check "chat: the first answer is run's" test "$(head -1 "$out")" = "$answer"
bad=$(printf 'a\377b')
fails_with "run: invalid UTF-8" 1 "slm run: the prompt is not valid UTF-8 (byte 1)" run "$bad"
fails_with "run: invalid UTF-8 in --system" 1 "slm run: --system is not valid UTF-8 (byte 1)" run --system "$bad" hello
printf '%s\n' "$prompt" "$bad" "$prompt" >"$work/talk"
run -i "$work/talk" run -
check "run -: invalid UTF-8" err_has "the prompt is not valid UTF-8 (byte $((${#prompt} + 2)))"
run -i "$work/talk" chat --temp 0
check "chat: invalid UTF-8: exit code" code_is 1
check "chat: invalid UTF-8: the line is named" err_has "slm chat: line 2: the prompt is not valid UTF-8 (byte 1)"
check "chat: invalid UTF-8: the others are answered" test "$(wc -l <"$out")" = 2
for i in 1 2 3 4 5 6 7 8; do echo "message number $i: $prompt"; done >"$work/talk"
run -i "$work/talk" chat --temp 0 --history keep --context 256 -n 40
check "chat: long conversations go on" test "$(wc -l <"$out")" = 8
check "chat: dropped turns are told" err_has "the context is full: the oldest"
printf '%s\n' "$prompt" /reset "$prompt" /exit "never read" >"$work/talk"
run -i "$work/talk" chat --temp 0 --history keep
check "chat: /reset and /exit" test "$(sort -u "$out" | wc -l) $(wc -l <"$out")" = "1 2"

run run -n 40 --ignore-eos --json "$prompt"
sed 's/"stop".*//' "$out" >"$work/slow"
run run -n 40 --ignore-eos --json --speculate 8 "$prompt"
check "run: the same answer with --speculate" test "$(sed 's/"stop".*//' "$out")" = "$(cat "$work/slow")"
fails_with "run: --speculate of too many" 2 "'--speculate' takes a number from 0 to 64" run --speculate 65 hello

schema=examples/demo/schema.json
run run --schema $schema "$prompt"
check "run --schema: the answer" out_is "$answer"
run run --schema $schema --json --temp 5 --seed 3 -n 30 "$prompt"
check "run --schema: the end is forced" out_like '"text":"\{\\"intent\\":.*(true|false)\}","stop":"(grammar|eos)"'
run run --schema $schema --confidence "$prompt"
check "run --confidence: a line for each value" test "$(grep -cE '^/[a-z]+ .* %\)$' "$out")" = 6
run run --schema $schema --confidence --json "$prompt"
check "run --confidence --json: fields" out_like \
    '"fields":\[\{"path":"","begin":0,.*\{"path":"/escalate","begin":[0-9]+,"length":[45],"probability":[0-9.e-]+,'
fails_with "run: --confidence without a schema" 2 "add --schema" run --confidence hello
run run --regex '(red|green) [0-9]{3}' "$prompt"
check "run --regex" out_like '^(red|green) [0-9]{3}$'
printf 'root ::= word ("," word)*\nword ::= "ja" | "nein"\n' >"$work/rules"
run run --grammar "$work/rules" -n 9 --temp 2 "$prompt"
check "run --grammar" out_like '^(ja|nein)(,(ja|nein))*$'
fails_with "run: two grammars" 2 "exclude each other" run --schema $schema --regex a hello
fails_with "run: --schema that is not there" 1 "slm run: /nowhere:" run --schema /nowhere hello
fails_with "run: --regex that is none" 1 "slm run: --regex: column 2 of the pattern" run --regex 'a(' hello
echo 'root = "a"' >"$work/rules"
fails_with "run: --grammar that is none" 1 "slm run: $work/rules: line 1, column" run --grammar "$work/rules" hello
echo '{"properties":{"a":{"type":"strin"}}}' >"$work/schema"
fails_with "run: --schema that is none" 1 "$work/schema: #/properties/a/type:" run --schema "$work/schema" hello
fails_with "run: no room for the shortest answer" 1 "does not fit into the 5 tokens" run --schema $schema -n 5 hello
printf '%s\n' "$prompt" "hello there" >"$work/talk"
run -i "$work/talk" chat --schema $schema --temp 3 --seed 2
check "chat --schema" test "$(grep -cE '^\{"intent":"[a-z_]+",.*(true|false)\}$' "$out")" = 2

# A safetensors file of ids 0 ... 199: header length, header padded to 80 bytes, little-endian int32.
header=$(printf '%-80s' '{"input_ids":{"dtype":"I32","shape":[200],"data_offsets":[0,800]}}')
{ printf '\120\0\0\0\0\0\0\0%s' "$header"; for i in $(seq 0 199); do printf "\\$(printf %o "$i")\0\0\0"; done; } >"$work/ids"
run logits --ids "$work/ids" -o "$work/a"
check "logits: exit code" code_is 0
check "logits: size" test "$(($(wc -c <"$work/a") % 100000))" -ge 0 -a "$(wc -c <"$work/a")" -gt $((200 * (1024 + 128) * 4))
check "logits: header" grep -qa '"logits":{"dtype":"F32","shape":\[200,1024\]' "$work/a"
for options in "--chunk 1" "--chunk 7" "--chunk 200" "-t 1" "--isa scalar"; do
    # shellcheck disable=SC2086
    run logits --ids "$work/ids" -o "$work/b" $options
    check "logits: the same bytes with $options" cmp -s "$work/a" "$work/b"
done
run logits --ids "$work/ids" -o "$work/b" --kv f32
check "logits: --kv f32 differs from f16" test "$(cmp -s "$work/a" "$work/b"; echo $?)" = 1
lora=${SLM_GOLDEN:-tests/golden}/import/lora
run convert "$lora/base" -o "$work/base.slm" --type i8
run logits -m "$work/base.slm" --ids "$work/ids" -o "$work/base"
run logits -m "$work/base.slm" --ids "$work/ids" -o "$work/lora" --lora "$lora/a" --lora "$lora/b=-0.5"
check "logits: --lora" test "$(cmp -s "$work/base" "$work/lora"; echo $?)" = 1
run logits -m "$work/base.slm" --ids "$work/ids" -o "$work/lora" --lora "$lora/a=0" --lora "$lora/b=0"
check "logits: adapters of weight 0 change nothing" cmp -s "$work/base" "$work/lora"
run run -m "$work/base.slm" --ids 5,6,7 -n 12 --ignore-eos --json
cp "$out" "$work/without"
run run -m "$work/base.slm" --ids 5,6,7 -n 12 --ignore-eos --json --lora "$lora/b"
check "run: --lora" test "$(head -c 60 "$out")" != "$(head -c 60 "$work/without")"
run -i /dev/null chat --lora "$lora/b"
check "chat: an adapter of another model" err_has "/import/lora/b: adapter_model.safetensors: lora_A of"
fails_with "run: --lora of an unsupported kind" 1 "e-dora: adapter_config.json: DoRA is not supported" \
    run -m "$work/base.slm" --ids 1 --lora "$lora/e-dora"
fails_with "run: --lora that is not there" 1 "adapter nowhere" run -m "$work/base.slm" --ids 1 --lora nowhere
fails_with "logits: unwritable output" 1 "/nowhere/x" logits --ids "$work/ids" -o /nowhere/x
if [ -w /dev/full ]; then
    fails_with "logits: full disk" 1 "/dev/full" logits --ids "$work/ids" -o /dev/full
fi
check "logits: nothing left behind" test -z "$(ls "$work" | grep tmp-)"
cp "$work/ids" "$work/ids2"
ln -s ids2 "$work/link"
fails_with "logits: output over the ids" 2 "is the file that --ids reads" logits --ids "$work/ids2" -o "$work/link"
cp examples/demo/triage-i8.slm "$work/m.slm"
fails_with "logits: output over the model" 2 "is the file that -m reads" logits -m "$work/m.slm" --ids "$work/ids2" -o "$work/m.slm"
check "logits: the ids are as they were" cmp -s "$work/ids" "$work/ids2"
for i in 1 2 3 4; do "$SLM" logits --ids "$work/ids" -o "$work/same" --chunk 3 & done
wait
check "logits: four processes, one output" cmp -s "$work/a" "$work/same"

run bench -p 32 -n 8 --repeat 1 --json
check "bench: exit code" code_is 0
for field in shape type isa threads batch context file_bytes prefill_tokens_per_second decode_tokens_per_second bytes_per_step \
    ops_per_prefill_token read_bandwidth_bytes_per_second int8_peak_ops_per_second prefill_share_of_peak decode_share_of_bandwidth \
    decode_over_empty; do
    check "bench: $field" out_has "\"$field\":"
done
check "bench: nothing is compared without a context" out_has '"decode_over_empty":null,'
run bench -p 0 -n 4 --context 100 --batch 3 --repeat 2 --json
check "bench: with a context" out_like '"decode_over_empty":[0-9.]+,'
run bench --plan --json
check "bench: --plan of a model with a short context" out_has '"context":512,'
run bench --isa scalar -p 0 -n 0 --json
check "bench: the scalar peak is a speed" out_like '"int8_peak_ops_per_second":[0-9.]+(e\+(0[0-9]|1[0-3]))?,'
finish

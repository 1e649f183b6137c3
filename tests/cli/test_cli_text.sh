#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Tokenization and templates through the command line, with the built-in demonstration model.
. "$(dirname "$0")/transcript.sh"

run tokenize "Where is my parcel?"
check "tokenize: exit code" code_is 0
check "tokenize: ids" out_like '^[0-9]+( [0-9]+)*$'
ids=$(tr ' ' ',' <"$out")
run tokenize --decode "$ids"
check "decode gives the text back" out_is "Where is my parcel?"
fails_with "decode of an id that is none" 1 "token id 999999" tokenize --decode 1,2,999999
run tokenize --json "<|im_end|>"
check "a special token in text" out_is '{"ids":[2],"decoded":"<|im_end|>","decoded_skip":""}'
run tokenize --json --plain "<|im_end|>"
check "as plain text it is several tokens" out_like '"ids":\[[0-9]+,.*"decoded":"<\|im_end\|>","decoded_skip":"<\|im_end\|>"'

printf '%s\n' '{"text":"Hello","add_special_tokens":false}' '' '{"text":"caf\u00e9 \ud83d\ude00\n\"x\""}' >"$work/lines"
run -i "$work/lines" tokenize --jsonl
check "jsonl: exit code" code_is 0
check "jsonl: a line for a line" test "$(wc -l <"$out")" = 2
check "jsonl: escapes" out_has '"decoded":"café 😀\n\"x\""'
cut -d: -f1-2 "$out" | sed 's/,"decoded"$/}/' >"$work/ids"
run -i "$work/ids" tokenize --jsonl --decode
check "jsonl --decode" out_has '"decoded":"café 😀\n\"x\""'
check "tokenizer.json gives the same" test "$("$SLM" tokenize --tokenizer examples/demo/hf/tokenizer.json "My order KX-7719")" = \
    "$("$SLM" tokenize "My order KX-7719")"

bad() {
    printf '%s\n' '{"text":"fine"}' "$2" >"$work/bad"
    run -i "$work/bad" tokenize --jsonl
    check "$1: exit code" code_is 1
    check "$1: the line is named" err_has "line 2 of standard input"
}
bad "no JSON" 'hello'
bad "text that is a number" '{"text":5}'
bad "a list" '["text"]'
bad "half a surrogate pair" '{"text":"\ud83d"}'
bad "garbage behind" '{"text":"a"} b'
bad "invalid UTF-8" "$(printf '{"text":"\377"}')"
bad "deep nesting" "$(printf '[%.0s' $(seq 100))"

head -c 300000 /dev/zero | tr '\0' a | sed 's/.*/{"text":"&"}/' >"$work/long"
run -i "$work/long" tokenize --jsonl
check "a word of 300 000 letters" code_is 0

system='Triage the customer message. Answer with JSON.'
echo '{"messages":[{"role":"user","content":"Hi"}]}' >"$work/request"
run -i "$work/request" template
wanted=$(printf '<|im_start|>system\n%s<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n.' "$system")
check "template" test "$(cat "$out"; echo .)" = "$wanted"
printf '%s' '{{ messages[0].content | upper }}{{ x }}{{ strftime_now("%Y") }}' >"$work/t.jinja"
echo '{"messages":[{"role":"user","content":"Hi"}],"extra":{"x":"!"}}' >"$work/request"
run -i "$work/request" template --template "$work/t.jinja" --now 2026-01-15T07:45:00
check "template from a file" out_is "HI!2026"
echo '{"messages":' >"$work/request"
run -i "$work/request" template
check "a request that is no JSON" code_is 1
printf '{{ raise_exception("no cats allowed") }}' >"$work/t.jinja"
echo '{"messages":[{"role":"user","content":"cats"}]}' >"$work/request"
run -i "$work/request" template --template "$work/t.jinja"
check "a template that refuses: exit code" code_is 1
check "a template that refuses: its message" err_has "no cats allowed"
finish

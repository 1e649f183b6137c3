#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# grammar: schemas, regular expressions and rules with texts and data, options, wrong lines.
. "$(dirname "$0")/transcript.sh"

# results NAME EXPECTED LINE OPTIONS...: the "results" of one line
results() {
    local name=$1 expected=$2 line=$3
    shift 3
    printf '%s\n' "$line" >"$work/line"
    run -i "$work/line" grammar --jsonl "$@"
    check "$name: exit code" code_is 0
    check "$name: results" out_like "\"compile\":\"ok\",.*\"results\":\\[$expected\\]"
}

object='{"type":"object","properties":{"a":{"type":"integer"},"b":{"enum":["x","y z"]}},"required":["a"],"additionalProperties":false}'
results "a schema" "true,true,false,false,false" \
    '{"name":"s","schema":'"$object"',"tests":[{"data":{"a":1,"b":"y z"}},{"data":{"a":-2}},{"data":{"b":"x"}},'\
'{"data":{"a":1,"c":2}},{"data":[]}]}'
numbers='"compile_us":[0-9.]+,.*"message":"","masks":[1-9][0-9]*,"mask_us_total":[0-9.]+,"mask_us_max":[0-9.]+,"first_mask_us":[0-9.]+\}$'
check "a schema: the line" out_like "^\\{\"name\":\"s\",\"compile\":\"ok\",$numbers"
results "texts are taken as they are" "true,false" '{"schema":'"$object"',"tests":[{"text":"{\"a\":1}"},{"text":"{ \"a\": 1 }"}]}'
results "--spaces" "true,true" '{"schema":'"$object"',"tests":[{"text":"{\"a\":1}"},{"text":"{ \"a\": 1 }"}]}' --spaces
order='{"schema":'"$object"',"tests":[{"data":{"b":"x","a":1}},{"data":{"a":1,"b":"x"}}]}'
results "members in any order" "true,true" "$order"
results "--in-order" "false,true" "$order" --in-order
results "a regular expression" "true,false,false" '{"regex":"[a-c]{2}\\d?","tests":[{"text":"ab1"},{"text":"abc"},{"text":"a"}]}'
results "rules" "true,false" '{"grammar":"root ::= item (\",\" item)*\nitem ::= [0-9]+","tests":[{"text":"1,22,3"},{"text":"1,,2"}]}'
results "a text beyond ASCII, escaped and not" "true,true,false" \
    '{"schema":{"type":"string","maxLength":2},"tests":[{"text":"\"\u00e9\ud83d\ude00\""},'\
'{"text":"\"\\u00e9\\ud83d\\ude00\""},{"data":"éé😀"}]}'
results "no tests" "" '{"schema":{}}'
results "another tokenizer" "true,false" '{"schema":{"type":"integer"},"tests":[{"data":12},{"data":1.5}]}' \
    --tokenizer tests/golden/tokenizers/own-qwen2/tokenizer.json
results "--times" "true" '{"regex":"abc","tests":[{"text":"abc"}]}' --times
check "--times: a number for each mask" out_like '"mask_us":\[[0-9.]+(,[0-9.]+)*\]\}$'

# ---- grammars that do not compile are answers too
cat >"$work/lines" <<'LINES'
{"name":"1","schema":{"type":"array","uniqueItems":true},"tests":[{"data":[]}]}
{"name":"2","regex":"(a"}
{"name":"3","grammar":"root ::= other\n"}
{"name":"4","schema":{"type":"integer","minimum":3,"maximum":2}}
{"name":"5","regex":"ok","tests":[{"text":"ok"}]}
LINES
run -i "$work/lines" grammar --jsonl
check "refused grammars: exit code" code_is 0
check "refused grammars: a line each" test "$(wc -l <"$out")" = 5
check "refused grammars: four, without results" test "$(grep -c '"compile":"error",.*"results":\[\],"message":"[^"]' "$out")" = 4
check "refused grammars: the place in the schema" out_like '"name":"1",.*uniqueItems'
check "refused grammars: the next line is answered" out_like '"name":"5","compile":"ok".*"results":\[true\]'
run -i "$work/lines" grammar --jsonl --lenient
check "--lenient: what cannot be enforced is left out" out_like '"name":"1","compile":"ok".*"results":\[true\]'
check "--lenient: with a warning" err_has "uniqueItems"

# ---- lines that are none
bad_line() {
    printf '%s\n' '{"regex":"a"}' "$2" >"$work/bad"
    run -i "$work/bad" grammar --jsonl
    check "$1: exit code" code_is 1
    check "$1: the line is named" err_has "line 2"
    check "$1: the line before is answered" test "$(wc -l <"$out")" = 1
}
bad_line "no grammar" '{"name":"x","tests":[]}'
bad_line "two grammars" '{"regex":"a","schema":{}}'
bad_line "a regular expression that is no string" '{"regex":7}'
bad_line "tests that are no list" '{"regex":"a","tests":{}}'
bad_line "a test that is none" '{"regex":"a","tests":[{"other":1}]}'
bad_line "no JSON" '{"regex":'
fails_with "without --jsonl" 2 "--jsonl" grammar
fails_with "a text" 2 "nothing but options" grammar --jsonl text
fails_with "a model and a tokenizer" 2 "not both" grammar --jsonl -m x.slm --tokenizer y.json
fails_with "a tokenizer that is absent" 1 "/nowhere" grammar --jsonl --tokenizer /nowhere
finish

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Wrong usage ends with exit code 2 and a message that helps; --help with 0 and standard output.
. "$(dirname "$0")/transcript.sh"

commands="run chat convert inspect tokenize template logits embed score classify calibrate grammar bench"

fails_with "no command" 2 "a command is needed"
fails_with "unknown command" 2 "did you mean 'convert'?" convret
fails_with "nothing like a command" 2 "there is no command 'zzzzzzzz'" zzzzzzzz
run --help
check "slm --help: exit code" code_is 0
for command in $commands; do
    check "slm --help names $command" out_has "  $command "
    check "the man page has $command" grep -qE "^\.B[RI]? \"?$command\b" examples/cli/slm.1
done
for command in $commands; do
    run "$command" --help
    check "$command --help: exit code" code_is 0
    check "$command --help: usage" out_has "usage: slm $command"
    check "$command --help: nothing on standard error" err_empty
    fails_with "$command: unknown option" 2 "slm $command: unknown option '--nonsense-option'" "$command" --nonsense-option
done
for command in convert inspect; do
    run "$command" --help
    check "$command --help tells of WITH_CONVERT=0" out_has "WITH_CONVERT=0 has neither convert nor inspect"
done
run --version
check "slm --version" code_is 0
check "slm --version names version and scalar kernels" out_like '^libslm [0-9]+\.[0-9]+\.[0-9]+, .*, kernels scalar'
for tier in $(grep -o 'DSLM_HAVE_[A-Z0-9_]*' "${SLM_BUILD:-build}/flags" 2>/dev/null | sed 's/DSLM_HAVE_//' | tr A-Z a-z); do
    check "slm --version names $tier" out_like "kernels .* $tier( |\$)"
done

fails_with "hint for an option" 2 "did you mean '--temp'?" run --tmp 1 hello
fails_with "value missing" 2 "option '--temp' needs a value" run --temp
fails_with "no number" 2 "option '--temp' takes a number, not 'warm'" run --temp warm hello
fails_with "no integer" 2 "option '--tokens' takes a whole number, not '1.5'" run -n 1.5 hello
fails_with "a seed below 0" 2 "takes a whole number from 0 to 18446744073709551615, not '-1'" run --seed -1 hello
fails_with "a seed that is too large" 2 "not '18446744073709551616'" run --seed 18446744073709551616 hello
fails_with "out of range" 2 "takes a number from 0 to 1" run --top-p=1.5 hello
fails_with "flag with a value" 2 "option '--json' takes no value" run --json=yes hello
fails_with "unknown tier" 2 "there is no instruction set 'mmx'" run --isa mmx hello
fails_with "unknown KV type" 2 "option '--kv' takes f32, f16 or i8" run --kv q4 hello
fails_with "ids that are none" 2 "takes token ids such as 1,2,3" run --ids 1,two
fails_with "ids and a prompt" 2 "--ids is the whole prompt" run --ids 1,2 hello
fails_with "bias that is none" 2 "'--logit-bias' takes ID=VALUE" run --logit-bias 5 hello
fails_with "convert without source" 2 "which checkpoint?" convert -o "$work/x.slm"
fails_with "convert without output" 2 "Give -o OUT.slm" convert examples/demo/hf
fails_with "convert to a type that is none" 2 "option '--type' takes f32, f16, bf16, i8 or i4, not 'q4_0'" \
    convert x -o "$work/x.slm" --type q4_0
fails_with "inspect without a file" 2 "inspect what?" inspect
fails_with "tokenize without a text" 2 "one text is expected" tokenize
fails_with "tokenize with two vocabularies" 2 "not both" tokenize -m a --tokenizer b hello
fails_with "template with an argument" 2 "no argument is expected" template hello
fails_with "template with a time that is none" 2 "YYYY-MM-DDTHH:MM:SS" template --now yesterday
fails_with "logits without ids" 2 "option '--ids' is needed" logits -o "$work/x"
fails_with "logits without output" 2 "option '-o' is needed" logits --ids "$work/x"
fails_with "bench with an unknown shape" 2 "did you mean 'llama3.2-1b'?" bench --shape llama3.2-1
fails_with "bench with model and shape" 2 "not both" bench --shape llama3.2-1b -m x
fails_with "chat with an argument" 2 "no argument is expected" chat hello
finish

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

# A folder where a file is expected.
folder() {
    local expected=$1
    shift
    fails_with "a folder for $*" 1 "$work/empty is a folder; $expected is expected" "$@"
}
echo refund >"$work/labels"
echo text >"$work/rows.csv"
folder "a .slm file, which slm_convert() makes of a checkpoint's folder," run -m "$work/empty" hello
folder "a file with a JSON Schema" run --schema "$work/empty" hello
folder "a file with a grammar" run --grammar "$work/empty" hello
folder "a file with a list of functions" run --tools "$work/empty" hello
folder "the file of an image" run --image "$work/empty" hello
folder "a file with a template" template --template "$work/empty"
folder "a tokenizer.json" tokenize --tokenizer "$work/empty" hello
folder "a safetensors file" logits --ids "$work/empty" -o "$work/x"
folder "a file of labels" classify --labels "$work/empty" hello
folder "the file of a calibration" classify --labels "$work/labels" --calibration "$work/empty" hello
folder "a file of rows (CSV, or JSON lines)" classify --labels "$work/labels" --in "$work/empty"
folder "the name of a file" classify --labels "$work/labels" --in "$work/rows.csv" --out "$work/empty"
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
echo keep >"$work/notes"
fails_with "an existing file that is no model" 1 "is no .slm file: it is not replaced" convert "$hf" -o "$work/notes"
ln -s demo.slm "$work/name.slm"
run convert "$hf" -o "$work/name.slm" --type i4
check "a symbolic link is replaced" test ! -L "$work/name.slm"
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
fails_with "inspect --verify of a folder" 2 "--verify compares the checksums of a .slm file" inspect "$hf" --verify
fails_with "inspect --verify --json of a folder" 2 "this source has none" inspect "$hf" --verify --json

# Files that are something else than a checkpoint are told what they are.
other_file() {
    fails_with "inspect $1" 1 "$1 $2" inspect "$work/$1"
    fails_with "convert $1" 1 "$1 $2" convert "$work/$1" -o "$work/x.slm"
}
printf 'PK\003\004archive' >"$work/pytorch_model.bin"
printf '\200\002}q\001.' >"$work/old.pth"
printf 'tjgg\003\000\000\000' >"$work/ggml-model.bin"
printf '{"model_type": "llama"}' >"$work/config.json"
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:0\n' >"$work/pointer"
printf 'text' >"$work/short"
other_file pytorch_model.bin "is a PyTorch file"
other_file old.pth "is a Python pickle"
other_file ggml-model.bin "is a ggml file, older than GGUF"
other_file config.json "is JSON: give the checkpoint's folder"
other_file pointer "is a pointer of Git LFS"
fails_with "inspect a text" 1 "short: the file does not begin with GGUF" inspect "$work/short"
fails_with "convert a model" 1 "demo.slm is an .slm model already" convert "$work/demo.slm" -o "$work/x.slm"
fails_with "convert weights alone" 1 "model.safetensors holds safetensors weights alone" convert "$hf/model.safetensors" -o "$work/x.slm"
cp "$work/pointer" "$work/pointer.safetensors"
fails_with "inspect a pointer" 1 "pointer.safetensors: it is a pointer of Git LFS" inspect "$work/pointer.safetensors"
mkdir "$work/adapter"
echo '{}' >"$work/adapter/adapter_config.json"
fails_with "convert an adapter" 1 "is a LoRA adapter: convert its base model" convert "$work/adapter" -o "$work/x.slm"
cp "$hf/model.safetensors" "$work/weights"
run inspect "$work/weights"
check "inspect safetensors under any name" code_is 0
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

# A checkpoint of zeros that takes a while: one layer, a vocabulary of 400 000; the file is sparse.
mkdir "$work/large"
cat >"$work/large/config.json" <<'END'
{"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":128,"intermediate_size":128,"num_attention_heads":4,
 "num_key_value_heads":4,"head_dim":32,"num_hidden_layers":1,"max_position_embeddings":512,"rms_norm_eps":1e-5,"rope_theta":10000.0,
 "hidden_act":"silu","vocab_size":400000,"bos_token_id":0,"eos_token_id":1,"tie_word_embeddings":true,"torch_dtype":"float32"}
END
offset=0
header=
add_tensor() { # NAME SHAPE ELEMENTS
    header="$header,\"model.$1.weight\":{\"dtype\":\"F32\",\"shape\":[$2],\"data_offsets\":[$offset,$((offset + $3 * 4))]}"
    offset=$((offset + $3 * 4))
}
add_tensor embed_tokens 400000,128 51200000
for part in self_attn.q_proj self_attn.k_proj self_attn.v_proj self_attn.o_proj mlp.gate_proj mlp.up_proj mlp.down_proj; do
    add_tensor "layers.0.$part" 128,128 16384
done
for part in layers.0.input_layernorm layers.0.post_attention_layernorm norm; do
    add_tensor "$part" 128 128
done
header=$(printf '%-4096s' "{${header#,}}")
printf '\0\020\0\0\0\0\0\0%s' "$header" >"$work/large/model.safetensors"
truncate -s $((8 + 4096 + offset)) "$work/large/model.safetensors"

# stopped_by SIGNAL OUTPUT ARGUMENTS...: the signal comes when the temporary file is there; nothing may remain
stopped_by() {
    local signal=$1 output=$2 process waited=0
    shift 2
    last="slm $* (SIG$signal)"
    "$SLM" "$@" >/dev/null 2>"$work/err" &
    process=$!
    while ! compgen -G "$output.tmp-*" >/dev/null && kill -0 "$process" 2>/dev/null && [ "$waited" -lt 100000 ]; do
        waited=$((waited + 1))
    done
    kill -s "$signal" "$process" 2>/dev/null
    wait "$process" 2>/dev/null
    code=$?
    err=$work/err
    check "$1, SIG$signal: exit code" code_is 1
    check "$1, SIG$signal: says so" err_has cancelled
    check "$1, SIG$signal: nothing is left behind" test -z "$(compgen -G "$output*")"
}
header=$(printf '%-80s' '{"input_ids":{"dtype":"I32","shape":[500],"data_offsets":[0,2000]}}')
{ printf '\120\0\0\0\0\0\0\0%s' "$header"; head -c 2000 /dev/zero; } >"$work/zeros"
for signal in TERM HUP; do
    stopped_by "$signal" "$work/stopped" convert "$work/large" -o "$work/stopped"
    stopped_by "$signal" "$work/stopped" logits --ids "$work/zeros" -o "$work/stopped" --chunk 1 --isa scalar
done
finish

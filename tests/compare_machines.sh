#!/bin/bash
# SPDX-License-Identifier: MIT
# Programs of different machines write the same bytes: converted files, logits, embeddings, constrained and drawn answers, probabilities
# of labels. Each command runs here and there, with other threads, tiers and divisions of the prompt.
#
#   compare_machines.sh HERE THERE...    programs, each one argument ("qemu-aarch64-static -cpu max build/slm"); the last ones take turns
#
# Environment: SLM_GOLDEN (folder of golden files), SLM_WHOLE=1 (every model with every weight type, not each with one of them).
set -u
export LC_ALL=C
cd "$(dirname "$0")/.." || exit 1
golden=${SLM_GOLDEN:-tests/golden}
whole=${SLM_WHOLE:-0}
read -ra here <<< "$1"
shift
others=("$@")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
chunks=(512 7 1)
turn=0
failed=0

# On standard output all but the folder of this side, times and speeds counts.
comparable() { sed -E "s#$work/(here|there)##g"'; s/"[a-z_]*(per_second|_us|_us_total|_us_max)":[0-9.e+-]+//g; s/, [0-9.]+ s$//'; }

# same NAME ARGUMENT...: the same output and files; SIDE/x in an argument is a file of this side. Input: $input.
input=/dev/null
same() {
    local name=$1 there side options
    shift
    mkdir -p "$work/here" "$work/there"
    find "$work/here" "$work/there" -type f ! -name '*.slm' -delete
    read -ra there <<< "${others[turn % ${#others[@]}]}"
    turn=$((turn + 1))
    for side in here there; do
        local -n program=$side
        options=()
        case $1 in # what must not matter differs
        convert | tokenize | grammar) ;;
        *) [ $side = there ] && options=(-t $((1 + turn % 4))) || options=(-t $((1 + turn % 2))) ;;
        esac
        [ "$1 $side" = "logits there" ] && options+=(--chunk "${chunks[turn / ${#others[@]} % 3]}")
        if ! "${program[@]}" "${@//SIDE/$work/$side}" "${options[@]}" < "$input" > "$work/stdout" 2> "$work/stderr"; then
            echo "not ok $name: ${program[*]} $*: $(head -c 400 "$work/stderr")"
            failed=1
            return
        fi
        comparable < "$work/stdout" > "$work/$side/stdout"
    done
    if diff -rq "$work/here" "$work/there" > "$work/differences"; then
        echo "ok $name"
    else
        echo "not ok $name: ${there[*]} $*: $(tr '\n' ' ' < "$work/differences")"
        failed=1
    fi
}

types=(i4 f16 i8 bf16 f32)
caches=(f16 i8 f32)
models=0

# model NAME CHECKPOINT IDS N: the file, and the logits of the ids in a .safetensors file, for N types, by turns
model() {
    local name=$1 source=$2 ids=$3 n=$4 i type kv
    [ "$whole" = 1 ] && n=${#types[@]}
    for ((i = 0; i < n; i++)); do
        type=${types[(models + 2 * i) % ${#types[@]}]}
        kv=${caches[(models + i) % ${#caches[@]}]}
        rm -rf "$work/here" "$work/there"
        same "$name: file, $type" convert "$source" -o SIDE/model.slm --type "$type"
        [ "$ids" = none ] || same "$name: logits, $type, kv $kv" logits -m SIDE/model.slm --ids "$ids" -o SIDE/logits --kv "$kv"
    done
    models=$((models + 1))
}

texts=$work/texts.jsonl
printf '%s\n' '{"text":"Where is my parcel?"}' '{"text":"Wo ist mein Paket? \u00e9"}' '{"ids":[5,6,7]}' > "$texts"
for folder in "$golden"/models/*/; do
    [ -f "$folder/golden.safetensors" ] && model "$(basename "$folder")" "${folder%/}" "${folder}golden.safetensors" 2
done
for file in "$golden"/import/gguf/*.gguf; do
    [ -f "${file%.gguf}.golden.safetensors" ] && model "$(basename "$file")" "$file" "${file%.gguf}.golden.safetensors" 1
done
for folder in "$golden"/import/{awq,gptq}/*/; do
    [ -f "$folder/golden.safetensors" ] && model "$(basename "$folder")" "${folder%/}" "${folder}golden.safetensors" 1
done
for folder in "$golden"/encoders/*/; do
    [ -f "$folder/golden.safetensors" ] || continue
    model "$(basename "$folder")" "${folder%/}" none 2
    input=$texts same "$(basename "$folder"): embeddings" embed -m SIDE/model.slm --jsonl --npy SIDE/embeddings.npy
done

# ---- the demonstration model
rm -rf "$work/here" "$work/there"
schema=examples/demo/schema.json
message="I want my money back for KX-7719, and now!"
printf '%s\n' refund invoice track_order "" complaint > "$work/labels"
printf '%s\n' 'text,label' '"Where is my parcel?",track_order' 'The invoice is wrong,invoice' 'Refund me,refund' > "$work/rows.csv"
label=(--labels "$work/labels" --prompt '{text}' --prefix '{"intent":"' --suffix '"')
printf '%s\n' '{"prompt":"The sky is","labels":[" blue"," red"]}' '{"prompt_ids":[5,6,7],"label_ids":[[8],[9,10]]}' > "$work/labels.jsonl"
printf '%s\n' '{"name":"a","schema":{"type":"integer"},"tests":[{"data":17},{"data":"x"}]}' > "$work/schemas.jsonl"
printf 'root ::= "yes" | "no" [0-9]+ "."' > "$work/rules"
same "answer under a schema" run --json --schema $schema "$message"
same "every token chosen, kv i8" run --json --schema $schema --no-jump --kv i8 --logprobs 3 "$message"
same "drawn under a schema" run --json --schema $schema --temp 1.5 --seed 7 --logprobs 3 "$message"
same "confidence" run --json --schema $schema --confidence "$message"
same "regular expression" run --json --regex '[A-Z][a-z]{2,9}( [0-9]+){3}' --temp 2 --seed 3 "$message"
same "grammar" run --json --grammar "$work/rules" --temp 2 --seed 4 "$message"
same "drawn freely, penalties" run --json --temp 1.3 --top-p 0.9 --min-p 0.01 --repeat-penalty 1.2 --seed 11 -n 40 --ignore-eos "$message"
same "guesses" run --json --speculate 8 -n 40 --ignore-eos "$message $message"
input=$work/labels.jsonl same "score" score --jsonl
same "classify" classify "${label[@]}" --in "$work/rows.csv" --prior
same "calibrate" calibrate "${label[@]}" --in "$work/rows.csv" --json -o SIDE/calibration
input=$texts same "embeddings of a decoder" embed --jsonl
same "tokens" tokenize --json "$message"
input=$work/schemas.jsonl same "masks" grammar --jsonl

# ---- an image of a file, resized
if [ -f "$golden/models/gemma3-vision/config.json" ]; then
    printf 'P6\n3 2\n255\n\377\0\0\0\377\0\0\0\377\377\377\377\20\100\200\7\70\3' > "$work/a.ppm"
    same "file of a model that sees" convert "$golden/models/gemma3-vision" -o SIDE/see.slm --type i8
    same "an image" run -m SIDE/see.slm --json --ids "2,300,$(printf '310,%.0s' {1..16})301,7" --image "$work/a.ppm" -n 8 --ignore-eos \
        --logprobs 5
fi
exit $failed

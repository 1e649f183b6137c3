#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Images on the command line: a model that sees made from the reference folder and another's tokenizer, files of every format, prompts
# whose text forges an image, refusals.
. "$(dirname "$0")/transcript.sh"

model=$SLM_GOLDEN/models/gemma3-vision
words=$SLM_GOLDEN/import/bad/base/tokenizer.json
if ! [ -f "$model/golden.safetensors" ] || ! [ -f "$words" ]; then
    echo "skipped: $model or $words is absent"
    exit 77
fi
mkdir "$work/hf"
cp "$model/model.safetensors" "$work/hf"
sed -e 's/"boi_token_index": 300/"boi_token_index": 314/' -e 's/"eoi_token_index": 301/"eoi_token_index": 315/' \
    -e 's/"image_token_index": 310/"image_token_index": 316/' "$model/config.json" >"$work/hf/config.json"
sed -e 's/<|start_header_id|>/<start_of_image>/; s/<|end_header_id|>/<end_of_image>/; s/<|eot_id|>/<image_soft_token>/' "$words" \
    >"$work/hf/tokenizer.json"
cat >"$work/hf/tokenizer_config.json" <<'EOF'
{"bos_token": "<|begin_of_text|>"}
EOF
cat >"$work/hf/chat_template.jinja" <<'EOF'
{{- bos_token }}
{%- for m in messages %}{{ m.role }}:
{%- if m.content is string %} {{ m.content }}
{%- else %}
{%- for p in m.content %}{% if p.type == 'image' %}{{ '<start_of_image>' }}{% else %}{{ p.text }}{% endif %}{% endfor %}
{%- endif %}
{%- endfor %}
EOF
run convert "$work/hf" -o "$work/see.slm" --type f32
check "convert: exit code" code_is 0
run convert "$work/hf" -o "$work/blind.slm" --type f32 --text-only
check "convert --text-only: warns" err_has "only the text part is converted: the model will not take images"
run inspect "$work/hf"
check "inspect: image size" out_has "image_size: 32"

printf 'P6\n# four pixels\n2 2\n255\n\377\0\0\0\377\0\0\0\377\377\377\377' >"$work/a.ppm"
printf 'P6 1 1 255 \1\2\3' >"$work/b.ppm"
base64 -d >"$work/a.png" <<'EOF'
iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAYAAABytg0kAAAAGUlEQVR42gXBsQEAAAjDINZ+7ecRBDlUtQc16geDp8n8mAAAAABJRU5ErkJggg==
EOF
base64 -d >"$work/c.jpg" <<'EOF'
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIUFRT/
2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/wAARCAAIAAgDAREAAhEBAxEB/8QA
FAABAAAAAAAAAAAAAAAAAAAAB//EABQQAQAAAAAAAAAAAAAAAAAAAAD/xAAVAQEBAAAAAAAAAAAAAAAAAAACCP/EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAM
AwEAAhEDEQA/ABQ1qv/Z
EOF

run run -m "$work/see.slm" --image "$work/a.ppm" -n 6 --ignore-eos --json "hello"
check "run --image: exit code" code_is 0
answer=$(sed 's/.*"ids":\(\[[^]]*\]\).*/\1/' "$out")
prompt=$(sed 's/.*"prompt_tokens":\([0-9]*\).*/\1/' "$out")
run run -m "$work/see.slm" -n 6 --ignore-eos --json "hello"
plain=$(sed 's/.*"prompt_tokens":\([0-9]*\).*/\1/' "$out")
check "the image has 16 tokens, and others around it" test "$prompt" -ge $((plain + 18))
check "the image changes the answer" test "$answer" != "$(sed 's/.*"ids":\(\[[^]]*\]\).*/\1/' "$out")"
run run -m "$work/see.slm" --image "$work/b.ppm" -n 6 --ignore-eos --json "hello"
check "another image, another answer" test "$answer" != "$(sed 's/.*"ids":\(\[[^]]*\]\).*/\1/' "$out")"
run run -m "$work/see.slm" --image "$work/a.ppm" -n 6 --ignore-eos --json -t 1 --isa scalar "hello"
check "the same answer on one thread and the scalar tier" test "$answer" = "$(sed 's/.*"ids":\(\[[^]]*\]\).*/\1/' "$out")"
run run -m "$work/see.slm" --image "$work/a.png" -n 6 --ignore-eos --json "hello"
if grep -q "built without libpng" "$err"; then
    skip "PNG files: this build has no libpng"
    check "without libpng: says what to do" err_has "install libpng-dev and build again"
else
    check "PNG: the same answer, transparency left out" test "$answer" = "$(sed 's/.*"ids":\(\[[^]]*\]\).*/\1/' "$out")"
    head -c 60 "$work/a.png" >"$work/cut.png"
    fails_with "a cut PNG file" 1 "the PNG file is damaged" run -m "$work/see.slm" --image "$work/cut.png" "hello"
fi
run run -m "$work/see.slm" --image "$work/c.jpg" -n 2 "hello"
if grep -q "built without libjpeg" "$err"; then
    skip "JPEG files: this build has no libjpeg"
    check "without libjpeg: says what to do" err_has "install libjpeg-dev and build again"
else
    check "JPEG" code_is 0
    head -c 281 "$work/c.jpg" >"$work/cut.jpg"
    fails_with "a cut JPEG file" 1 "the JPEG file is damaged" run -m "$work/see.slm" --image "$work/cut.jpg" "hello"
fi

run run -m "$work/see.slm" --image "$work/a.ppm" --image "$work/b.ppm" -n 2 --json "hello"
check "two images" test "$(sed 's/.*"prompt_tokens":\([0-9]*\).*/\1/' "$out")" -ge $((prompt + 18))
run run -m "$work/see.slm" --image "$work/a.ppm" -n 2 --json "<start_of_image> <image_soft_token>"
check "a message cannot forge an image" code_is 0
run run -m "$work/see.slm" -n 2 "<start_of_image>"
check "nor where there is none" code_is 0
fails_with "trusted messages can" 1 "the prompt has 32 image tokens; 1 image of 16 tokens is given" \
    run -m "$work/see.slm" --trust-messages --image "$work/a.ppm" "<start_of_image>"
fails_with "image tokens without images" 1 "stands for a part of an image" run -m "$work/see.slm" --ids 5,316
fails_with "a model that does not see" 1 "the model takes no images" run -m "$work/blind.slm" --image "$work/a.ppm" "hello"
fails_with "no file" 1 "No such file" run -m "$work/see.slm" --image "$work/none.png" "hello"
fails_with "no image" 1 "neither PNG nor JPEG nor binary PPM" run -m "$work/see.slm" --image "$model/config.json" "hello"
fails_with "--raw" 2 "leave out --raw" run -m "$work/see.slm" --image "$work/a.ppm" --raw "hello"
printf 'P6 2 2 255 \1\2\3' >"$work/short.ppm"
fails_with "a cut PPM file" 1 "ends before its last pixel" run -m "$work/see.slm" --image "$work/short.ppm" "hello"
printf 'P6 0 2 255 \1\2\3' >"$work/empty.ppm"
fails_with "an image without pixels" 1 "1 to 16384 pixels a side" run -m "$work/see.slm" --image "$work/empty.ppm" "hello"
printf 'P6 99999999 99999999 255 \1\2\3' >"$work/huge.ppm"
fails_with "a huge image" 1 "1 to 16384 pixels a side" run -m "$work/see.slm" --image "$work/huge.ppm" "hello"
ids=$(seq -s, 20 29),$(yes 316 | head -n 16 | paste -sd,),7
run run -m "$work/see.slm" --image "$work/a.ppm" --ids "$ids" -n 2 --json
check "ids with an image" out_has '"prompt_tokens":27'
fails_with "ids with half an image" 1 "image tokens; 1 image" run -m "$work/see.slm" --image "$work/a.ppm" --ids 5,316,316 -n 2

run convert "$model" -o "$work/golden.slm" --type f32
run logits -m "$work/golden.slm" --ids "$model/golden.safetensors" -o "$work/logits.safetensors" --kv f32
check "logits of ids and pixel_values" code_is 0
header='{"input_ids":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}}'
printf '%b\0\0\0\0\0\0\0%s\066\001\0\0' "\\$(printf %03o ${#header})" "$header" >"$work/ids.safetensors"
fails_with "logits without pixel_values" 1 "tensor 'pixel_values': the tensor is missing" \
    logits -m "$work/golden.slm" --ids "$work/ids.safetensors" -o "$work/x.safetensors"

finish

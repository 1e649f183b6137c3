#!/bin/bash
# SPDX-License-Identifier: MIT
# The table of measured support in README.md, between its two marker lines, from the results of `make test-golden`.
#
#   GOLDEN=FOLDER support_table.sh BUILD    write it anew (after make test-golden GOLDEN=FOLDER); refuses results with failures
#   support_table.sh --families             the names of all families with what they stand for, one a line with a tab between
#
# make check looks whether the table names exactly the families of src/import/family_table.c (tests/check_support_table.sh).
set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."

families() {
    sed 's/ | /\t/' <<'TABLE'
llama | Llama 3.0 to 3.3, SmolLM2
smollm3 | SmolLM3
qwen2 | Qwen 2, 2.5
qwen3 | Qwen 3
qwen3moe | Qwen 3 MoE
mistral | Mistral, Mistral Small
ministral | Ministral
ministral3 | Ministral 3
phi2 | Phi-2
phi3 | Phi-3, 3.5, 4, 4-mini
gemma | Gemma
gemma2 | Gemma 2
gemma3 | Gemma 3
olmo2 | OLMo 2
granite | Granite
bert | BERT (embeddings)
xlm-roberta | XLM-RoBERTa (embeddings)
TABLE
}

# Rows "| what | sets | cases | failures | worst |" of lines "kind name cases failures worst".
row() {
    awk -F'\t' -v what="$1" '
    { sets++; cases += $3; failures += $4; if ($5 != "-") { measured = 1; if ($5 + 0 > worst) worst = $5 + 0 } }
    END { if (sets) printf "| %s | %d | %d | %d | %s |\n", what, sets, cases, failures, measured ? sprintf("%.1e", worst) : "-" }'
}

# The sets of a family: those whose checkpoint inspect calls so.
sets_of_family() {
    local kind name folder
    awk -F'\t' '$1 == "model" || $1 == "encoder" || $1 == "vision"' "$results" | while IFS=$'\t' read -r kind name rest; do
        folder=$GOLDEN/models/$name
        [ "$kind" = encoder ] && folder=$GOLDEN/encoders/$name
        if "$build/slm" inspect "$folder" --json 2>/dev/null | grep -qF "\"family\": \"$1\","; then
            printf '%s\t%s\t%s\n' "$kind" "$name" "$rest"
        fi
    done
}

table() {
    local family title
    echo "| what | sets | cases | failures | worst NMSE |"
    echo "|---|---|---|---|---|"
    families | while IFS=$'\t' read -r family title; do
        sets_of_family "$family" | row "$title (\`$family\`)"
    done
    awk -F'\t' '$1 == "import" && $2 ~ /^gguf\//' "$results" | row "GGUF files: models of every kind, one file of all tensor types"
    awk -F'\t' '$1 == "import" && $2 ~ /^gptq\//' "$results" | row "GPTQ checkpoints"
    awk -F'\t' '$1 == "import" && $2 ~ /^awq\//' "$results" | row "AWQ checkpoints"
    awk -F'\t' '$1 == "adapter"' "$results" | row "LoRA adapters, merged and at run time"
    awk -F'\t' '$1 == "import" && $2 ~ /^odd:/' "$results" | row "odd files that are accepted"
    awk -F'\t' '$1 == "import" && $2 ~ /^bad:/' "$results" | row "malformed files that are refused by name"
    awk -F'\t' '$1 == "tokenizer"' "$results" | row "tokenizers"
    awk -F'\t' '$1 == "template" && $2 !~ /^all,/' "$results" | row "chat templates, and single rules of their language"
    awk -F'\t' '$1 == "schema"' "$results" | row "JSON schemas"
}

if [ "$1" = --families ]; then
    families
    exit
fi
build=$1
results=$build/golden-results.txt
GOLDEN=${GOLDEN:-tests/golden}
if [ ! -s "$results" ]; then
    echo "support_table: $results is missing or empty: make test-golden GOLDEN=$GOLDEN"
    exit 1
fi
if awk -F'\t' '$4 > 0 { found = 1 } END { exit !found }' "$results"; then
    echo "support_table: $results has failures: the table is not written"
    exit 1
fi
table > "$build/support-table.md"
awk -v table="$build/support-table.md" '
/^<!-- support table: / { print; while ((getline line < table) > 0) print line; inside = 1; next }
/^<!-- support table end -->/ { inside = 0 }
!inside' README.md > "$build/README.new"
cat "$build/README.new" > README.md
rm "$build/README.new"

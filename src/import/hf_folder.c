/* SPDX-License-Identifier: MIT */
/* Which files a checkpoint folder has and what is read from each. Errors name the file. */
#include "import/hf_folder.h"

#include "base/json.h"                 /* slm__json_parse */
#include "import/hf_config.h"          /* slm__hf_config_read */
#include "import/hf_pooling.h"         /* slm__hf_pooling_read */
#include "import/hf_texts.h"           /* slm__hf_texts_read */
#include "import/hf_vision.h"          /* slm__hf_vision_read */
#include "import/packed_linear.h"      /* slm__packed_linears_bind */
#include "import/plain_tokenizer.h"    /* slm__import_plain_tokenizer */
#include "import/safetensors_reader.h" /* slm__safetensors_add_file */
#include "import/tokenizer_json.h"     /* slm__import_tokenizer_json */
#include <stdio.h>                     /* snprintf into a buffer */

static const uint64_t CONFIG_LIMIT = (uint64_t)16 << 20;
static const uint64_t TOKENIZER_LIMIT = (uint64_t)256 << 20;
static const size_t TREE_LIMIT = (size_t)256 << 20;
static const char INDEX_NAME[] = "model.safetensors.index.json";
static const char SINGLE_NAME[] = "model.safetensors";

slm_status slm__hf_path(const char *folder, const char *name, char path[SLM_PATH_BYTES], slm_error *error)
{
    const size_t length = strlen(folder);
    const bool ends = length > 0 && folder[length - 1] == '/';
    const int written = snprintf(path, SLM_PATH_BYTES, "%s%s%s", folder, ends ? "" : "/", name);
    return written > 0 && written < SLM_PATH_BYTES ? SLM_OK : slm__fail(error, SLM_E_LIMIT, "the path of %s is too long", name);
}

bool slm__hf_has_file(const char *folder, const char *name)
{
    char path[SLM_PATH_BYTES];
    return slm__hf_path(folder, name, path, NULL) == SLM_OK && slm__file_exists(path);
}

slm_status slm__hf_take_file(struct slm_checkpoint *checkpoint, const char *folder, const char *name, uint64_t limit, struct slm_span *text,
                             slm_error *error)
{
    char path[SLM_PATH_BYTES];
    SLM_TRY(slm__hf_path(folder, name, path, error));
    SLM_TRY(slm__file_load(path, checkpoint->context.memory, limit, text, error));
    slm__sha256_update(&checkpoint->hash, text->data, text->length);
    checkpoint->hashed += text->length;
    return SLM_OK;
}

void slm__hf_give_file(struct slm_checkpoint *checkpoint, struct slm_span text)
{
    slm__release(checkpoint->context.memory, (void *)(uintptr_t)text.data, text.length);
}

slm_status slm__hf_read_json(struct slm_checkpoint *checkpoint, const char *folder, const char *name, slm_hf_reader_fn *reader,
                             slm_error *error)
{
    struct slm_span text = {NULL, 0};
    SLM_TRY(slm__hf_take_file(checkpoint, folder, name, CONFIG_LIMIT, &text, error));
    struct slm_arena tree;
    slm__arena_init(&tree, checkpoint->context.memory, TREE_LIMIT);
    const struct slm_json *root = NULL;
    slm_status status = slm__json_parse(&tree, text, &root, error);
    if (status == SLM_OK) {
        status = reader(checkpoint, root, error);
    }
    slm__arena_free(&tree);
    slm__hf_give_file(checkpoint, text);
    return status == SLM_OK ? SLM_OK : slm__fail_in(error, status, "%s", name);
}

static slm_status read_config(struct slm_checkpoint *checkpoint, const struct slm_json *root, slm_error *error)
{
    SLM_TRY(slm__hf_config_read(root, &checkpoint->config, checkpoint->context.log, error));
    if (!checkpoint->text_only) {
        SLM_TRY(slm__hf_vision_read(root, &checkpoint->config, error));
    }
    const struct slm_json *quantization = slm__json_present(root, "quantization_config");
    if (quantization == NULL) {
        quantization = slm__json_present(slm__json_present(root, "text_config"), "quantization_config");
    }
    return quantization != NULL ? slm__hf_quantization_read(quantization, SLM_QUANTIZED_NOT, &checkpoint->quantization, error) : SLM_OK;
}

/* The older of two files has the image processor's keys at the top. */
static slm_status read_image_processor(struct slm_checkpoint *checkpoint, const struct slm_json *root, slm_error *error)
{
    const struct slm_json *inner = slm__json_present(root, "image_processor");
    return slm__hf_image_processor_read(inner != NULL ? inner : root, &checkpoint->config.vision, error);
}

static slm_status read_preparation(struct slm_checkpoint *checkpoint, const char *folder, slm_error *error)
{
    static const char *const names[] = {"preprocessor_config.json", "processor_config.json"};
    for (size_t i = 0; checkpoint->config.vision.family != NULL && i < sizeof names / sizeof names[0]; i++) {
        if (slm__hf_has_file(folder, names[i])) {
            return slm__hf_read_json(checkpoint, folder, names[i], read_image_processor, error);
        }
    }
    return SLM_OK;
}

static slm_status read_gptq_config(struct slm_checkpoint *checkpoint, const struct slm_json *root, slm_error *error)
{
    return slm__hf_quantization_read(root, SLM_QUANTIZED_GPTQ, &checkpoint->quantization, error);
}

static slm_status read_awq_config(struct slm_checkpoint *checkpoint, const struct slm_json *root, slm_error *error)
{
    return slm__hf_quantization_read(root, SLM_QUANTIZED_AWQ, &checkpoint->quantization, error);
}

/* Old quantizers wrote a file of their own and nothing into config.json; where both are there, they say the same. */
static slm_status read_quantization(struct slm_checkpoint *checkpoint, const char *folder, slm_error *error)
{
    static const char gptq[] = "quantize_config.json", awq[] = "quant_config.json";
    if (checkpoint->quantization.method == SLM_QUANTIZED_NOT && slm__hf_has_file(folder, gptq)) {
        return slm__hf_read_json(checkpoint, folder, gptq, read_gptq_config, error);
    }
    if (checkpoint->quantization.method == SLM_QUANTIZED_NOT && slm__hf_has_file(folder, awq)) {
        return slm__hf_read_json(checkpoint, folder, awq, read_awq_config, error);
    }
    return SLM_OK;
}

static slm_status read_generation(struct slm_checkpoint *checkpoint, const struct slm_json *root, slm_error *error)
{
    return slm__hf_generation_read(root, &checkpoint->config, &checkpoint->generation, checkpoint->context.log, error);
}

/* The splitting rule of a family whose tokenizers are tiktoken files, as GGUF names it; empty: none. */
static struct slm_span tiktoken_pipeline(const struct slm_family *family)
{
    const struct slm_span type = slm__span_text(family->model_type);
    if (slm__span_is(type, "llama")) {
        return slm__span_text("llama-bpe");
    }
    const bool qwen = slm__span_is(type, "qwen2") || slm__span_is(type, "qwen3") || slm__span_is(type, "qwen3_moe");
    return slm__span_text(qwen ? "qwen2" : "");
}

/* No tokenizer.json: SentencePiece's or tiktoken's file, or the model works on token ids alone. tokenizer_config.json is hashed later. */
static slm_status read_plain_tokenizer(struct slm_checkpoint *checkpoint, const char *folder, slm_error *error)
{
    static const char *const names[] = {"tokenizer.model", "qwen.tiktoken", "tokenizer.tiktoken"};
    static const char config_name[] = "tokenizer_config.json";
    const struct slm_memory *memory = checkpoint->context.memory;
    size_t found = 0;
    while (found < sizeof names / sizeof names[0] && !slm__hf_has_file(folder, names[found])) {
        found++;
    }
    if (found == sizeof names / sizeof names[0]) {
        slm__log(checkpoint->context.log, SLM_LOG_WARNING, "%s has no tokenizer.json: the model will work on token ids, without text",
                 folder);
        return SLM_OK;
    }
    struct slm_plain_tokenizer source;
    char path[SLM_PATH_BYTES];
    memset(&source, 0, sizeof source);
    source.file_name = names[found];
    source.pipeline = tiktoken_pipeline(checkpoint->config.family);
    source.vocab_limit = checkpoint->config.vocab;
    source.bos = checkpoint->config.bos;
    SLM_TRY(slm__hf_path(folder, config_name, path, error));
    if (slm__file_exists(path)) {
        SLM_TRY(slm__file_load(path, memory, CONFIG_LIMIT, &source.config, error));
    }
    slm_status status = slm__hf_take_file(checkpoint, folder, names[found], TOKENIZER_LIMIT, &source.file, error);
    if (status == SLM_OK) {
        status = slm__import_plain_tokenizer(memory, &source, &checkpoint->tokenizer, error);
        slm__hf_give_file(checkpoint, source.file);
    }
    slm__hf_give_file(checkpoint, source.config);
    return status;
}

static slm_status read_tokenizer(struct slm_checkpoint *checkpoint, const char *folder, slm_error *error)
{
    static const char name[] = "tokenizer.json";
    if (!slm__hf_has_file(folder, name)) {
        return read_plain_tokenizer(checkpoint, folder, error);
    }
    struct slm_span text = {NULL, 0};
    SLM_TRY(slm__hf_take_file(checkpoint, folder, name, TOKENIZER_LIMIT, &text, error));
    const slm_status status =
        slm__import_tokenizer_json(checkpoint->context.memory, text, name, checkpoint->config.vocab, &checkpoint->tokenizer, error);
    slm__hf_give_file(checkpoint, text);
    return status;
}

static slm_status open_weights(struct slm_checkpoint *checkpoint, const char *folder, slm_error *error)
{
    static const char *const others[] = {"pytorch_model.bin", "pytorch_model.bin.index.json", "adapter_model.safetensors"};
    const struct slm_memory *memory = checkpoint->context.memory;
    char path[SLM_PATH_BYTES];
    if (slm__hf_has_file(folder, SINGLE_NAME)) {
        SLM_TRY(slm__hf_path(folder, SINGLE_NAME, path, error));
        return slm__safetensors_add_file(&checkpoint->set, memory, path, error);
    }
    if (slm__hf_has_file(folder, INDEX_NAME)) {
        SLM_TRY(slm__hf_path(folder, INDEX_NAME, path, error));
        return slm__safetensors_add_shards(&checkpoint->set, memory, folder, path, error);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (slm__hf_has_file(folder, others[i])) {
            return slm__fail(error, SLM_E_UNSUPPORTED, "%s has %s but neither %s nor %s, and only safetensors weights are supported",
                             folder, others[i], SINGLE_NAME, INDEX_NAME);
        }
    }
    return slm__fail(error, SLM_E_FILE_MISSING, "%s has no weights: neither %s nor %s is there", folder, SINGLE_NAME, INDEX_NAME);
}

slm_status slm__hf_folder_open(struct slm_checkpoint *checkpoint, const char *folder, slm_error *error)
{
    checkpoint->format = "huggingface";
    checkpoint->described = "config.json";
    if (!slm__hf_has_file(folder, "config.json")) {
        return slm__hf_has_file(folder, "adapter_config.json")
                   ? slm__fail(error, SLM_E_UNSUPPORTED, "%s is a LoRA adapter: convert its base model, the adapter as --lora", folder)
                   : slm__fail(error, SLM_E_FILE_MISSING,
                               "%s has no config.json: it is no Hugging Face checkpoint (of a GGUF model give the file)", folder);
    }
    SLM_TRY(slm__hf_read_json(checkpoint, folder, "config.json", read_config, error));
    if (slm__hf_has_file(folder, "generation_config.json")) {
        SLM_TRY(slm__hf_read_json(checkpoint, folder, "generation_config.json", read_generation, error));
    }
    SLM_TRY(read_preparation(checkpoint, folder, error));
    SLM_TRY(read_tokenizer(checkpoint, folder, error));
    SLM_TRY(slm__hf_texts_read(checkpoint, folder, error));
    SLM_TRY(slm__hf_pooling_read(checkpoint, folder, error));
    SLM_TRY(read_quantization(checkpoint, folder, error));
    SLM_TRY(open_weights(checkpoint, folder, error));
    return slm__packed_linears_bind(&checkpoint->set, checkpoint->context.memory, &checkpoint->quantization, error);
}

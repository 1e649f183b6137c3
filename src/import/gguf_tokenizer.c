/* SPDX-License-Identifier: MIT */
/* GGUF stores tokens, their types and merges as arrays, and the name of the splitting rule. What tokenizer.json says beyond that (white
 * space taken by special tokens and the like) is not in the file. */
#include "import/gguf_tokenizer.h"

#include "base/utf8.h"                  /* slm__utf8_valid_prefix */
#include "import/gguf_sentencepiece.h"  /* slm__gguf_sentencepiece */
#include "import/gguf_text_tokenizer.h" /* slm__gguf_wordpiece, slm__gguf_unigram */
#include "import/gguf_tokens.h"         /* slm__gguf_tokens_read */
#include "text/gpt2_vocabulary.h"       /* slm__tokenizer_spec_from_gpt2 */
#include <inttypes.h>                   /* PRIu64 */

static const size_t SCRATCH_LIMIT = (size_t)1 << 30;

/* Tokens and added tokens. */
static slm_status read_tokens(const struct slm_gguf *gguf, uint32_t vocab, struct slm_arena *arena, struct slm_gpt2_vocabulary *vocabulary,
                              struct slm_tokenizer_spec *spec, slm_error *error)
{
    struct slm_gguf_tokens tokens;
    SLM_TRY(slm__gguf_tokens_read(gguf, vocab, false, arena, &tokens, error));
    struct slm_gpt2_token *list = slm__arena_take(arena, (size_t)tokens.count * sizeof *list);
    struct slm_tokenizer_added *added = slm__arena_take(arena, (size_t)tokens.count * sizeof *added);
    if (list == NULL || added == NULL) {
        return slm__arena_failure(arena, error);
    }
    for (uint32_t id = 0; id < tokens.count; id++) {
        const uint8_t type = tokens.types[id];
        if (type == SLM_PIECE_UNUSED || tokens.texts[id].data == NULL) {
            continue; /* the arena's memory is zero: no token */
        }
        list[id].text = tokens.texts[id];
        list[id].in_model = type != SLM_PIECE_CONTROL && type != SLM_PIECE_USER;
        if (!list[id].in_model) {
            struct slm_tokenizer_added *entry = &added[spec->added_count++];
            entry->id = id;
            entry->flags = type == SLM_PIECE_CONTROL ? SLM_ADDED_SPECIAL : 0;
            entry->content = tokens.texts[id];
        }
    }
    vocabulary->tokens = list;
    vocabulary->token_count = tokens.count;
    spec->added = added;
    return SLM_OK;
}

static slm_status read_merges(const struct slm_gguf_key *merges, struct slm_arena *arena, struct slm_gpt2_vocabulary *vocabulary,
                              slm_error *error)
{
    if (!slm__gguf_is_array(merges, SLM_GGUF_STRING) || merges->count > UINT32_MAX) {
        return slm__fail(error, SLM_E_BAD_VALUE, "key tokenizer.ggml.merges is missing or no array of strings");
    }
    struct slm_gpt2_merge *list = slm__arena_take(arena, (size_t)merges->count * sizeof *list);
    if (list == NULL) {
        return slm__arena_failure(arena, error);
    }
    uint64_t cursor = 0;
    for (uint32_t i = 0; i < merges->count; i++) {
        const struct slm_span text = slm__gguf_next_text(merges, &cursor);
        if (!slm__gpt2_split_merge(text, &list[i])) {
            return slm__fail(error, SLM_E_BAD_VALUE, "merge %" PRIu32 " (%.*s) is not two parts with one space between", i,
                             SLM_SPAN_ARGS(text));
        }
    }
    vocabulary->merges = list;
    vocabulary->merge_count = (uint32_t)merges->count;
    return SLM_OK;
}

/* Whether an id is added at an end: the key, else what the splitting rule implies. */
static bool adds(const struct slm_gguf *gguf, const char *key, bool otherwise)
{
    uint64_t value;
    return slm__gguf_u64(slm__gguf_find(gguf, key), &value) ? value != 0 : otherwise;
}

static void add_ends(const struct slm_checkpoint *checkpoint, const struct slm_gguf *gguf, bool begins, bool ends,
                     struct slm_tokenizer_spec *spec)
{
    const struct slm_family_config *config = &checkpoint->config;
    if (config->bos >= 0 && config->bos < (int64_t)spec->token_count && adds(gguf, "tokenizer.ggml.add_bos_token", begins)) {
        spec->prefix[spec->prefix_count++] = (uint32_t)config->bos;
    }
    if (config->eos_count > 0 && config->eos[0] < spec->token_count && adds(gguf, "tokenizer.ggml.add_eos_token", ends)) {
        spec->suffix[spec->suffix_count++] = config->eos[0];
    }
}

static slm_status fill_byte_level(struct slm_checkpoint *checkpoint, const struct slm_gguf *gguf, struct slm_arena *arena,
                                  struct slm_span pre, struct slm_tokenizer_spec *spec, slm_error *error)
{
    struct slm_gpt2_vocabulary vocabulary = {NULL, 0, NULL, 0};
    SLM_TRY(read_tokens(gguf, checkpoint->config.vocab, arena, &vocabulary, spec, error));
    SLM_TRY(read_merges(slm__gguf_find(gguf, "tokenizer.ggml.merges"), arena, &vocabulary, error));
    SLM_TRY(slm__tokenizer_spec_from_gpt2(&vocabulary, arena, spec, error));
    const bool begins = slm__span_is(pre, "llama-bpe") || slm__span_is(pre, "llama3") || slm__span_is(pre, "llama-v3");
    add_ends(checkpoint, gguf, begins, false, spec);
    return SLM_OK;
}

/* Values of tokenizer.ggml.model. */
enum model { MODEL_GPT2, MODEL_LLAMA, MODEL_BERT, MODEL_T5, MODELS };
static const char *const models[MODELS] = {"gpt2", "llama", "bert", "t5"};

static slm_status fill(struct slm_checkpoint *checkpoint, const struct slm_gguf *gguf, struct slm_arena *arena, enum model model,
                       struct slm_span pre, struct slm_tokenizer_spec *spec, slm_error *error)
{
    const uint32_t vocab = checkpoint->config.vocab;
    switch (model) {
    case MODEL_LLAMA:
        SLM_TRY(slm__gguf_sentencepiece(gguf, vocab, arena, spec, error));
        add_ends(checkpoint, gguf, true, false, spec);
        return SLM_OK;
    case MODEL_BERT: return slm__gguf_wordpiece(gguf, vocab, arena, spec, error);
    case MODEL_T5:
        SLM_TRY(slm__gguf_unigram(gguf, vocab, arena, spec, error));
        add_ends(checkpoint, gguf, false, true, spec);
        return SLM_OK;
    default: return fill_byte_level(checkpoint, gguf, arena, pre, spec, error);
    }
}

slm_status slm__gguf_tokenizer_read(struct slm_checkpoint *checkpoint, const struct slm_gguf *gguf, slm_error *error)
{
    static const char consequence[] = "the model will work on token ids, without text";
    const struct slm_log *log = checkpoint->context.log;
    const struct slm_gguf_key *tokens = slm__gguf_find(gguf, "tokenizer.ggml.tokens");
    struct slm_span name = {NULL, 0}, pre = {NULL, 0};
    enum model model = MODEL_GPT2;
    if (tokens != NULL && !slm__gguf_is_array(tokens, SLM_GGUF_STRING)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "key tokenizer.ggml.tokens is no array of strings");
    }
    if (!slm__gguf_text(slm__gguf_find(gguf, "tokenizer.ggml.model"), &name)) {
        slm__log(log, SLM_LOG_WARNING, "the file has no tokenizer: %s", consequence);
        return SLM_OK;
    }
    while (model < MODELS && !slm__span_is(name, models[model])) {
        model++;
    }
    if (model == MODELS) {
        slm__log(log, SLM_LOG_WARNING, "tokenizer model %.*s is not supported (supported: gpt2, llama, bert, t5): %s", SLM_SPAN_ARGS(name),
                 consequence);
        return SLM_OK;
    }
    struct slm_tokenizer_spec spec;
    slm__tokenizer_spec_init(&spec);
    const bool named = slm__gguf_text(slm__gguf_find(gguf, "tokenizer.ggml.pre"), &pre);
    if (model == MODEL_GPT2 && (!named || !slm__tokenizer_spec_pipeline(&spec, pre))) {
        slm__log(log, SLM_LOG_WARNING, "the splitting rule tokenizer.ggml.pre %.*s is not known: %s", SLM_SPAN_ARGS(pre), consequence);
        return SLM_OK;
    }
    struct slm_arena arena;
    slm__arena_init(&arena, checkpoint->context.memory, SCRATCH_LIMIT);
    slm_status status = fill(checkpoint, gguf, &arena, model, pre, &spec, error);
    if (status == SLM_OK) {
        status = slm__tokenizer_build(&spec, checkpoint->context.memory, &checkpoint->tokenizer, error);
    }
    slm__arena_free(&arena);
    return status == SLM_OK ? SLM_OK : slm__fail_in(error, status, "the tokenizer");
}

/* ---- texts */

/* A key's text, when it is valid UTF-8. */
static slm_status keep_key(struct slm_checkpoint *checkpoint, const struct slm_gguf *gguf, const char *key, struct slm_span *kept,
                           slm_error *error)
{
    struct slm_span text;
    if (!slm__gguf_text(slm__gguf_find(gguf, key), &text)) {
        return SLM_OK;
    }
    if (slm__utf8_valid_prefix(text) != text.length) {
        slm__log(checkpoint->context.log, SLM_LOG_WARNING, "%s is not valid UTF-8 and is left out", key);
        return SLM_OK;
    }
    return slm__checkpoint_keep(checkpoint, text, kept, error);
}

/* The text of token `id`, by walking the array. */
static struct slm_span token_text(const struct slm_gguf_key *tokens, uint64_t id)
{
    struct slm_span text = {NULL, 0};
    uint64_t cursor = 0;
    for (uint64_t i = 0; i <= id; i++) {
        text = slm__gguf_next_text(tokens, &cursor);
    }
    return text;
}

static slm_status read_template_tokens(struct slm_checkpoint *checkpoint, const struct slm_gguf *gguf, slm_error *error)
{
    enum { TOKEN_KEYS = 4 };
    static const char *const names[TOKEN_KEYS] = {"bos_token", "eos_token", "unk_token", "pad_token"};
    static const char *const keys[TOKEN_KEYS] = {"tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id",
                                                 "tokenizer.ggml.unknown_token_id", "tokenizer.ggml.padding_token_id"};
    const struct slm_gguf_key *tokens = slm__gguf_find(gguf, "tokenizer.ggml.tokens");
    if (!slm__gguf_is_array(tokens, SLM_GGUF_STRING)) {
        return SLM_OK;
    }
    struct slm_span texts[TOKEN_KEYS] = {{NULL, 0}};
    for (int i = 0; i < TOKEN_KEYS; i++) {
        uint64_t id;
        if (!slm__gguf_u64(slm__gguf_find(gguf, keys[i]), &id) || id >= tokens->count) {
            continue;
        }
        const struct slm_span text = token_text(tokens, id);
        if (slm__utf8_valid_prefix(text) == text.length) {
            texts[i] = text;
        }
    }
    return slm__checkpoint_keep_tokens(checkpoint, names, texts, TOKEN_KEYS, error);
}

slm_status slm__gguf_texts_read(struct slm_checkpoint *checkpoint, const struct slm_gguf *gguf, slm_error *error)
{
    struct slm_checkpoint_texts *texts = &checkpoint->texts;
    SLM_TRY(keep_key(checkpoint, gguf, "general.name", &texts->name, error));
    SLM_TRY(keep_key(checkpoint, gguf, "general.license", &texts->license, error));
    SLM_TRY(keep_key(checkpoint, gguf, "tokenizer.chat_template", &texts->chat_template, error));
    return read_template_tokens(checkpoint, gguf, error);
}

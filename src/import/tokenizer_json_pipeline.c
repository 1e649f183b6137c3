/* SPDX-License-Identifier: MIT */
/* Each stage is null, one object with a "type", or a Sequence of such objects; Sequences do not nest here. */
#include "import/tokenizer_json_pipeline.h"

/* Translates one object of a stage; `last` if nothing follows it. */
typedef slm_status add_object(const struct slm_json *object, bool last, struct slm_tokenizer_spec *spec, slm_error *error);

struct stage {
    const char *key;  /* in the document */
    const char *list; /* of the objects in a Sequence */
    add_object *add;
};

static struct slm_span text_of(const struct slm_json *value)
{
    return value != NULL && value->type == SLM_JSON_STRING ? value->text : slm__span_text("(none)");
}

static slm_status unsupported(slm_error *error, const char *stage, const struct slm_json *object, const char *what)
{
    return slm__fail(error, SLM_E_UNSUPPORTED, "%s '%.*s': %s", stage, SLM_SPAN_ARGS(text_of(slm__json_get(object, "type"))), what);
}

static slm_status add_step(struct slm_tokenizer_spec *spec, uint32_t stage, uint32_t kind, uint32_t value, slm_error *error)
{
    if (!slm__tokenizer_spec_step(spec, stage, kind, value)) {
        return slm__fail(error, SLM_E_LIMIT, "the pipeline has more than %d steps", SLM_TOKENIZER_SPEC_STEPS);
    }
    return SLM_OK;
}

static slm_status add_normalizer(const struct slm_json *object, bool last, struct slm_tokenizer_spec *spec, slm_error *error)
{
    (void)last;
    if (slm__json_is_string(slm__json_get(object, "type"), "NFC")) {
        return add_step(spec, SLM_TOKENIZER_NORMALIZER, SLM_NORMALIZER_NFC, 0, error);
    }
    return unsupported(error, "normalizer", object, "not known; NFC is");
}

/* The state machine for a regular expression, or 0. */
static uint32_t find_pattern(struct slm_span regex)
{
#define NUMBERS_AND_REST(count, ends)                                                                                                     \
    "\\p{N}" count "| ?[^\\s\\p{L}\\p{N}]+[" ends "]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define HEAD "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define TAIL "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define LEAD "[^\\r\\n\\p{L}\\p{N}]?"
    static const struct {
        const char *regex;
        uint32_t pattern;
    } known[] = {
        {"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+", SLM_SPLIT_GPT2},
        {"'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+", SLM_SPLIT_GPT2},
        {CONTRACTIONS "|" LEAD "\\p{L}+|" NUMBERS_AND_REST("{1,3}", "\\r\\n"), SLM_SPLIT_LLAMA3},
        {CONTRACTIONS "|" LEAD "\\p{L}+|" NUMBERS_AND_REST("", "\\r\\n"), SLM_SPLIT_QWEN2},
        {LEAD HEAD "*" TAIL "+|" LEAD HEAD "+" TAIL "*|" NUMBERS_AND_REST("", "\\r\\n/"), SLM_SPLIT_TEKKEN},
        {LEAD HEAD "*" TAIL "+" CONTRACTIONS "?|" LEAD HEAD "+" TAIL "*" CONTRACTIONS "?|" NUMBERS_AND_REST("{1,3}", "\\r\\n/"),
         SLM_SPLIT_O200K},
    };
#undef NUMBERS_AND_REST
#undef CONTRACTIONS
#undef HEAD
#undef TAIL
#undef LEAD
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (slm__span_is(regex, known[i].regex)) {
            return known[i].pattern;
        }
    }
    return 0;
}

static slm_status add_split(const struct slm_json *object, struct slm_tokenizer_spec *spec, slm_error *error)
{
    const struct slm_json *pattern = slm__json_get(object, "pattern");
    const struct slm_json *regex = slm__json_get(pattern, "Regex");
    if (regex == NULL || regex->type != SLM_JSON_STRING) {
        return unsupported(error, "pre_tokenizer", object, "its pattern is no regular expression; only those are known");
    }
    if (!slm__json_is_string(slm__json_get(object, "behavior"), "Isolated") || slm__json_is_true(slm__json_get(object, "invert"))) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "pre_tokenizer 'Split': behavior '%.*s' is not known with this pattern; Isolated is",
                         SLM_SPAN_ARGS(text_of(slm__json_get(object, "behavior"))));
    }
    uint32_t known = find_pattern(regex->text);
    if (known == 0) {
        return slm__fail(error, SLM_E_UNSUPPORTED,
                         "pre_tokenizer 'Split': the regular expression '%.*s' is malformed or not one of those known (GPT-2, Llama 3, "
                         "Qwen 2, tekken, o200k)",
                         SLM_SPAN_ARGS(regex->text));
    }
    return add_step(spec, SLM_TOKENIZER_PRETOKENIZER, SLM_PRETOKENIZER_REGEX, known, error);
}

/* ByteLevel turns text into the byte alphabet, so it has to be the last pre-tokenizer: later ones would see that alphabet. */
static slm_status add_pretokenizer(const struct slm_json *object, bool last, struct slm_tokenizer_spec *spec, slm_error *error)
{
    const struct slm_json *type = slm__json_get(object, "type");
    bool byte_level = slm__json_is_string(type, "ByteLevel");
    if (last && !byte_level) {
        return unsupported(error, "pre_tokenizer", object, "is the last one; only pipelines that end in ByteLevel are known");
    }
    if (byte_level) {
        if (!last) {
            return unsupported(error, "pre_tokenizer", object, "is followed by another pre-tokenizer");
        }
        const struct slm_json *prefix = slm__json_present(object, "add_prefix_space");
        if (prefix == NULL || slm__json_is_true(prefix)) {
            return unsupported(error, "pre_tokenizer", object, "add_prefix_space is true; only false is known");
        }
        const struct slm_json *regex = slm__json_present(object, "use_regex");
        bool use_regex = regex == NULL || slm__json_is_true(regex);
        return use_regex ? add_step(spec, SLM_TOKENIZER_PRETOKENIZER, SLM_PRETOKENIZER_REGEX, SLM_SPLIT_GPT2, error) : SLM_OK;
    }
    if (slm__json_is_string(type, "Digits")) {
        bool individual = slm__json_is_true(slm__json_get(object, "individual_digits"));
        return add_step(spec, SLM_TOKENIZER_PRETOKENIZER, SLM_PRETOKENIZER_DIGITS, individual ? 1 : 0, error);
    }
    if (slm__json_is_string(type, "Split")) {
        return add_split(object, spec, error);
    }
    return unsupported(error, "pre_tokenizer", object, "not known; Split, Digits and ByteLevel are");
}

static slm_status add_decoder(const struct slm_json *object, bool last, struct slm_tokenizer_spec *spec, slm_error *error)
{
    if (!slm__json_is_string(slm__json_get(object, "type"), "ByteLevel") || !last) {
        return unsupported(error, "decoder", object, "not known; a single ByteLevel is");
    }
    return add_step(spec, SLM_TOKENIZER_DECODER, SLM_DECODER_BYTE_LEVEL, 0, error);
}

/* Add the ids of a special token of a template to the prefix or suffix. */
static slm_status add_template_token(const struct slm_json *object, const struct slm_json *name, uint32_t *ids, uint32_t *count,
                                     const struct slm_tokenizer_spec *spec, slm_error *error)
{
    const struct slm_json *tokens = slm__json_get(object, "special_tokens");
    const struct slm_json *list = NULL;
    for (uint32_t i = 0; tokens != NULL && name != NULL && tokens->type == SLM_JSON_OBJECT && i < tokens->count; i++) {
        if (name->type == SLM_JSON_STRING && slm__span_equal(tokens->keys[i], name->text)) {
            list = slm__json_get(&tokens->items[i], "ids");
        }
    }
    if (list == NULL || list->type != SLM_JSON_ARRAY) {
        return slm__fail(error, SLM_E_BAD_VALUE, "post_processor 'TemplateProcessing': special token '%.*s' has no ids",
                         SLM_SPAN_ARGS(text_of(name)));
    }
    for (uint32_t i = 0; i < list->count; i++) {
        int64_t id = -1;
        if (!slm__json_i64(&list->items[i], &id) || id < 0 || id >= spec->token_count) {
            return slm__fail(error, SLM_E_BAD_VALUE, "post_processor 'TemplateProcessing': an id of '%.*s' is not in the vocabulary",
                             SLM_SPAN_ARGS(text_of(name)));
        }
        if (*count == SLM_TOKENIZER_EXTRA_IDS_MAX) {
            return slm__fail(error, SLM_E_LIMIT, "post_processor 'TemplateProcessing': more than %d tokens", SLM_TOKENIZER_EXTRA_IDS_MAX);
        }
        ids[(*count)++] = (uint32_t)id;
    }
    return SLM_OK;
}

static slm_status add_template(const struct slm_json *object, struct slm_tokenizer_spec *spec, slm_error *error)
{
    const struct slm_json *single = slm__json_get(object, "single");
    bool behind = false;
    uint32_t before_count = spec->prefix_count;
    if (single == NULL || single->type != SLM_JSON_ARRAY || before_count + spec->suffix_count > 0) {
        return unsupported(error, "post_processor", object, "has no list 'single', or there are two templates");
    }
    for (uint32_t i = 0; i < single->count; i++) {
        const struct slm_json *token = slm__json_get(&single->items[i], "SpecialToken");
        const struct slm_json *sequence = slm__json_get(&single->items[i], "Sequence");
        if (token != NULL) {
            SLM_TRY(add_template_token(object, slm__json_get(token, "id"), behind ? spec->suffix : spec->prefix,
                                       behind ? &spec->suffix_count : &spec->prefix_count, spec, error));
        } else if (!behind && slm__json_is_string(slm__json_get(sequence, "id"), "A")) {
            behind = true;
        } else {
            return unsupported(error, "post_processor", object, "'single' is not special tokens around one sequence A");
        }
    }
    return behind ? SLM_OK : unsupported(error, "post_processor", object, "'single' is not special tokens around one sequence A");
}

static slm_status add_post_processor(const struct slm_json *object, bool last, struct slm_tokenizer_spec *spec, slm_error *error)
{
    (void)last;
    const struct slm_json *type = slm__json_get(object, "type");
    if (slm__json_is_string(type, "ByteLevel")) {
        return SLM_OK; /* concerns offsets only */
    }
    if (slm__json_is_string(type, "TemplateProcessing")) {
        return add_template(object, spec, error);
    }
    return unsupported(error, "post_processor", object, "not known; ByteLevel and TemplateProcessing are");
}

static slm_status add_stage(const struct slm_json *root, const struct stage *stage, struct slm_tokenizer_spec *spec, slm_error *error)
{
    const struct slm_json *value = slm__json_present(root, stage->key);
    if (value == NULL) {
        return SLM_OK;
    }
    if (value->type != SLM_JSON_OBJECT) {
        return slm__fail(error, SLM_E_BAD_VALUE, "'%s' is no object", stage->key);
    }
    if (!slm__json_is_string(slm__json_get(value, "type"), "Sequence")) {
        return stage->add(value, true, spec, error);
    }
    const struct slm_json *list = slm__json_get(value, stage->list);
    if (list == NULL || list->type != SLM_JSON_ARRAY) {
        return slm__fail(error, SLM_E_BAD_VALUE, "'%s' is a Sequence without the list '%s'", stage->key, stage->list);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        SLM_TRY(stage->add(&list->items[i], i + 1 == list->count, spec, error));
    }
    return SLM_OK;
}

slm_status slm__import_tokenizer_pipeline(const struct slm_json *root, uint32_t token_count, struct slm_tokenizer_spec *spec,
                                         slm_error *error)
{
    static const struct stage stages[] = {
        {"normalizer", "normalizers", add_normalizer},
        {"pre_tokenizer", "pretokenizers", add_pretokenizer},
        {"decoder", "decoders", add_decoder},
        {"post_processor", "processors", add_post_processor},
    };
    static const char *const needed[] = {"pre_tokenizer", "decoder"};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (slm__json_present(root, needed[i]) == NULL) {
            return slm__fail(error, SLM_E_UNSUPPORTED, "there is no '%s'; only byte-level pipelines, which have one, are known", needed[i]);
        }
    }
    spec->token_count = token_count;
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        SLM_TRY(add_stage(root, &stages[i], spec, error));
    }
    return SLM_OK;
}

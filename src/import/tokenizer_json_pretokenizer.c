/* SPDX-License-Identifier: MIT */
/* Pre-tokenizers of a tokenizer.json. ByteLevel turns text into the byte alphabet: what follows it sees that alphabet, so only steps
 * with a form for bytes may. */
#include "import/tokenizer_json_pipeline.h" /* struct slm_pipeline */
#include "text/split_matches.h"             /* slm__split_is_cased_class */

static slm_status add(struct slm_pipeline *pipeline, uint32_t kind, uint32_t value, struct slm_span text)
{
    return slm__import_step(pipeline, SLM_TOKENIZER_PRETOKENIZER, kind, value, text, slm__span(NULL, 0));
}

static slm_status unsupported(struct slm_pipeline *pipeline, const struct slm_json *object, const char *what)
{
    return slm__import_unsupported(pipeline->error, "pre_tokenizer", object, what);
}

/* The state machine for a regular expression, or 0. */
static uint32_t find_pattern(struct slm_span regex)
{
#define NUMBERS_AND_REST(count, ends) "\\p{N}" count "| ?[^\\s\\p{L}\\p{N}]+[" ends "]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
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
        {"[0-9][0-9][0-9]", SLM_SPLIT_THREE_DIGITS},
        {"[\r\n]", SLM_SPLIT_LINE_ENDS},
        {"[\\r\\n]", SLM_SPLIT_LINE_ENDS},
        {"\\s?\\p{L}+", SLM_SPLIT_LETTERS},
        {"\\s?\\p{P}+", SLM_SPLIT_SIGNS},
        {"[\xE4\xB8\x80-\xE9\xBE\xA5\xE0\xA0\x80-\xE4\xB8\x80\xEA\xB0\x80-\xED\x9F\xBF]+", SLM_SPLIT_EAST_ASIAN},
        {"\\s?[!-/:-~\xEF\xBC\x81-\xEF\xBC\x8F\xEF\xBC\x9A-\xEF\xBD\x9E\xE2\x80\x98-\xE2\x80\x9F\xE3\x80\x80-\xE3\x80\x82]+",
         SLM_SPLIT_LISTED_SIGNS},
        {"\\s+$", SLM_SPLIT_END_SPACE},
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
    if (regex.length > 6 && memcmp(regex.data, "\\s?[", 4) == 0 && memcmp(regex.data + regex.length - 2, "]+", 2) == 0) {
        bool cased = slm__split_is_cased_class(slm__span(regex.data + 4, regex.length - 6));
        return cased ? SLM_SPLIT_CASED_LETTERS : 0;
    }
    return 0;
}

static slm_status unknown_behavior(struct slm_pipeline *pipeline, const struct slm_json *object, const char *known)
{
    return slm__fail(pipeline->error, SLM_E_UNSUPPORTED, "pre_tokenizer '%.*s': behavior '%.*s' is not known with this pattern; %s",
                     SLM_SPAN_ARGS(slm__import_text(slm__json_get(object, "type"))),
                     SLM_SPAN_ARGS(slm__import_text(slm__json_get(object, "behavior"))), known);
}

static slm_status add_string_split(struct slm_pipeline *pipeline, const struct slm_json *object, struct slm_span string)
{
    static const char *const behaviors[] = {"Isolated", "Removed", "MergedWithPrevious", "MergedWithNext"}; /* enum slm_string_split */
    if (string.length == 0 || slm__json_is_true(slm__json_get(object, "invert"))) {
        return unsupported(pipeline, object, "an empty pattern, or one that is inverted");
    }
    for (uint32_t i = 0; i < sizeof behaviors / sizeof behaviors[0]; i++) {
        if (slm__json_is_string(slm__json_get(object, "behavior"), behaviors[i])) {
            return add(pipeline, SLM_PRETOKENIZER_STRING, i, string);
        }
    }
    return unknown_behavior(pipeline, object, "Isolated, Removed, MergedWithPrevious and MergedWithNext are");
}

static slm_status add_split(struct slm_pipeline *pipeline, const struct slm_json *object)
{
    const struct slm_json *pattern = slm__json_get(object, "pattern");
    const struct slm_json *regex = slm__json_get(pattern, "Regex");
    const struct slm_json *string = slm__json_get(pattern, "String");
    if (string != NULL && string->type == SLM_JSON_STRING && !pipeline->byte_level) {
        return add_string_split(pipeline, object, string->text);
    }
    if (regex == NULL || regex->type != SLM_JSON_STRING) {
        return unsupported(pipeline, object, "its pattern is no regular expression and no string that is known here");
    }
    if (!slm__json_is_string(slm__json_get(object, "behavior"), "Isolated") || slm__json_is_true(slm__json_get(object, "invert"))) {
        return unknown_behavior(pipeline, object, "Isolated is");
    }
    uint32_t known = find_pattern(regex->text);
    if (known == 0) {
        return slm__fail(pipeline->error, SLM_E_UNSUPPORTED,
                         "pre_tokenizer 'Split': the regular expression '%.*s' is malformed or not one of those known (GPT-2, Llama 3, "
                         "Qwen 2, tekken, o200k, Falcon, DeepSeek)",
                         SLM_SPAN_ARGS(regex->text));
    }
    if (pipeline->byte_level && known != SLM_SPLIT_THREE_DIGITS) {
        return unsupported(pipeline, object, "this pattern is not known behind ByteLevel");
    }
    return add(pipeline, SLM_PRETOKENIZER_REGEX, known, slm__span(NULL, 0));
}

static slm_status add_byte_level(struct slm_pipeline *pipeline, const struct slm_json *object)
{
    const struct slm_json *prefix = slm__json_present(object, "add_prefix_space");
    if (prefix == NULL || slm__json_is_true(prefix)) {
        return unsupported(pipeline, object, "add_prefix_space is true; only false is known");
    }
    if (pipeline->byte_level) {
        return unsupported(pipeline, object, "occurs twice");
    }
    pipeline->byte_level = true;
    pipeline->spec->model_flags |= SLM_TOKENIZER_BYTE_LEVEL;
    const struct slm_json *regex = slm__json_present(object, "use_regex");
    bool use_regex = regex == NULL || slm__json_is_true(regex);
    return use_regex ? add(pipeline, SLM_PRETOKENIZER_REGEX, SLM_SPLIT_GPT2, slm__span(NULL, 0)) : SLM_OK;
}

static slm_status add_metaspace(struct slm_pipeline *pipeline, const struct slm_json *object, bool last)
{
    static const char *const schemes[] = {"never", "first", "always"}; /* enum slm_metaspace */
    const struct slm_json *mark = slm__json_get(object, "replacement");
    const struct slm_json *scheme = slm__json_present(object, "prepend_scheme");
    const struct slm_json *split = slm__json_present(object, "split");
    if (!last) {
        return unsupported(pipeline, object, "is followed by another pre-tokenizer");
    }
    if (mark == NULL || mark->type != SLM_JSON_STRING || mark->text.length == 0 || mark->text.length > 4) {
        return slm__fail(pipeline->error, SLM_E_BAD_VALUE, "pre_tokenizer 'Metaspace': 'replacement' is no character");
    }
    uint32_t splits = split == NULL || slm__json_is_true(split) ? (uint32_t)SLM_METASPACE_SPLIT : 0;
    if (scheme == NULL) {
        const struct slm_json *prefix = slm__json_present(object, "add_prefix_space");
        uint32_t always = prefix == NULL || slm__json_is_true(prefix) ? (uint32_t)SLM_METASPACE_ALWAYS : (uint32_t)SLM_METASPACE_NEVER;
        return add(pipeline, SLM_PRETOKENIZER_METASPACE, always | splits, mark->text);
    }
    for (uint32_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (slm__json_is_string(scheme, schemes[i])) {
            return add(pipeline, SLM_PRETOKENIZER_METASPACE, i | splits, mark->text);
        }
    }
    return unsupported(pipeline, object, "its prepend_scheme is not known; always, first and never are");
}

static slm_status add_punctuation(struct slm_pipeline *pipeline, const struct slm_json *object)
{
    const struct slm_json *behavior = slm__json_present(object, "behavior");
    bool runs = slm__json_is_string(behavior, "Contiguous");
    if (behavior != NULL && !runs && !slm__json_is_string(behavior, "Isolated")) {
        return unknown_behavior(pipeline, object, "Isolated and Contiguous are");
    }
    return add(pipeline, SLM_PRETOKENIZER_PUNCTUATION, runs ? 1 : 0, slm__span(NULL, 0));
}

slm_status slm__import_pretokenizer(struct slm_pipeline *pipeline, const struct slm_json *object, bool last)
{
    const struct slm_json *type = slm__json_get(object, "type");
    if (slm__json_is_string(type, "ByteLevel")) {
        return add_byte_level(pipeline, object);
    }
    if (slm__json_is_string(type, "Digits")) {
        uint32_t each = slm__json_is_true(slm__json_get(object, "individual_digits")) ? (uint32_t)SLM_DIGITS_EACH : 0;
        uint32_t bytes = pipeline->byte_level ? (uint32_t)SLM_DIGITS_BYTES : 0;
        return add(pipeline, SLM_PRETOKENIZER_DIGITS, each | bytes, slm__span(NULL, 0));
    }
    if (slm__json_is_string(type, "Split")) {
        return add_split(pipeline, object);
    }
    bool metaspace = slm__json_is_string(type, "Metaspace");
    bool punctuation = slm__json_is_string(type, "Punctuation");
    bool whitespace = slm__json_is_string(type, "WhitespaceSplit");
    if (!metaspace && !punctuation && !whitespace && !slm__json_is_string(type, "BertPreTokenizer")) {
        return unsupported(pipeline, object,
                           "not known; Split, Digits, ByteLevel, Metaspace, Punctuation, WhitespaceSplit and BertPreTokenizer are");
    }
    if (pipeline->byte_level) {
        return unsupported(pipeline, object, "is not known behind ByteLevel");
    }
    if (metaspace) {
        return add_metaspace(pipeline, object, last);
    }
    if (punctuation) {
        return add_punctuation(pipeline, object);
    }
    return add(pipeline, whitespace ? SLM_PRETOKENIZER_WHITESPACE : SLM_PRETOKENIZER_BERT, 0, slm__span(NULL, 0));
}

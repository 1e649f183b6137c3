/* SPDX-License-Identifier: MIT */
/* Normalizers of a tokenizer.json. */
#include "import/base64.h"                  /* slm__base64_decode */
#include "import/tokenizer_json_pipeline.h" /* struct slm_pipeline */
#include "text/precompiled_map.h"           /* slm__precompiled_valid */

static slm_status add(struct slm_pipeline *pipeline, uint32_t kind, uint32_t value)
{
    return slm__import_step(pipeline, SLM_TOKENIZER_NORMALIZER, kind, value, slm__span(NULL, 0), slm__span(NULL, 0));
}

static slm_status add_replace(struct slm_pipeline *pipeline, const struct slm_json *object)
{
    const struct slm_json *pattern = slm__json_get(object, "pattern");
    const struct slm_json *string = slm__json_get(pattern, "String");
    const struct slm_json *content = slm__json_get(object, "content");
    if (content == NULL || content->type != SLM_JSON_STRING) {
        return slm__fail(pipeline->error, SLM_E_BAD_VALUE, "normalizer 'Replace': 'content' is no string");
    }
    if (slm__json_is_string(slm__json_get(pattern, "Regex"), " {2,}")) {
        return slm__import_step(pipeline, SLM_TOKENIZER_NORMALIZER, SLM_NORMALIZER_REPLACE, SLM_REPLACE_RUNS, slm__span_text(" "),
                                content->text);
    }
    if (string == NULL || string->type != SLM_JSON_STRING || string->text.length == 0) {
        return slm__fail(pipeline->error, SLM_E_UNSUPPORTED,
                         "normalizer 'Replace': the pattern is no string and the regular expression '%.*s' is not known; ' {2,}' is",
                         SLM_SPAN_ARGS(slm__import_text(slm__json_get(pattern, "Regex"))));
    }
    return slm__import_step(pipeline, SLM_TOKENIZER_NORMALIZER, SLM_NORMALIZER_REPLACE, SLM_REPLACE_EACH, string->text, content->text);
}

static slm_status add_prepend(struct slm_pipeline *pipeline, const struct slm_json *object)
{
    const struct slm_json *text = slm__json_get(object, "prepend");
    if (text == NULL || text->type != SLM_JSON_STRING) {
        return slm__fail(pipeline->error, SLM_E_BAD_VALUE, "normalizer 'Prepend': 'prepend' is no string");
    }
    return slm__import_step(pipeline, SLM_TOKENIZER_NORMALIZER, SLM_NORMALIZER_PREPEND, 0, text->text, slm__span(NULL, 0));
}

static slm_status add_precompiled(struct slm_pipeline *pipeline, const struct slm_json *object)
{
    const struct slm_json *map = slm__json_get(object, "precompiled_charsmap");
    struct slm_span text = map != NULL && map->type == SLM_JSON_STRING ? map->text : slm__span(NULL, 0);
    uint8_t *bytes = slm__arena_take(pipeline->arena, slm__base64_limit(text.length));
    size_t count = 0;
    if (bytes == NULL) {
        return slm__arena_failure(pipeline->arena, pipeline->error);
    }
    if (!slm__base64_decode(text, bytes, &count) || !slm__precompiled_valid(slm__span(bytes, count))) {
        return slm__fail(pipeline->error, SLM_E_BAD_VALUE,
                         "normalizer 'Precompiled': 'precompiled_charsmap' is no character map in base64");
    }
    return slm__import_step(pipeline, SLM_TOKENIZER_NORMALIZER, SLM_NORMALIZER_PRECOMPILED, 0, slm__span(bytes, count), slm__span(NULL, 0));
}

/* A flag of the object, or what it is when absent. */
static bool flag(const struct slm_json *object, const char *key, bool otherwise)
{
    const struct slm_json *value = slm__json_present(object, key);
    return value == NULL ? otherwise : slm__json_is_true(value);
}

static slm_status add_bert(struct slm_pipeline *pipeline, const struct slm_json *object)
{
    bool lowercase = flag(object, "lowercase", true);
    uint32_t cleaning = (flag(object, "clean_text", true) ? (uint32_t)SLM_BERT_CLEAN : 0) |
                        (flag(object, "handle_chinese_chars", true) ? (uint32_t)SLM_BERT_IDEOGRAPHS : 0);
    SLM_TRY(add(pipeline, SLM_NORMALIZER_BERT, cleaning));
    if (flag(object, "strip_accents", lowercase)) {
        SLM_TRY(add(pipeline, SLM_NORMALIZER_NFD, 0));
        SLM_TRY(add(pipeline, SLM_NORMALIZER_STRIP_ACCENTS, 1));
    }
    return lowercase ? add(pipeline, SLM_NORMALIZER_LOWERCASE, 0) : SLM_OK;
}

slm_status slm__import_normalizer(struct slm_pipeline *pipeline, const struct slm_json *object, bool last)
{
    static const struct {
        const char *type;
        uint32_t kind;
    } plain[] = {
        {"NFC", SLM_NORMALIZER_NFC},
        {"NFD", SLM_NORMALIZER_NFD},
        {"NFKC", SLM_NORMALIZER_NFKC},
        {"NFKD", SLM_NORMALIZER_NFKD},
        {"Nmt", SLM_NORMALIZER_NMT},
        {"Lowercase", SLM_NORMALIZER_LOWERCASE},
        {"StripAccents", SLM_NORMALIZER_STRIP_ACCENTS},
    };
    const struct slm_json *type = slm__json_get(object, "type");
    (void)last;
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (slm__json_is_string(type, plain[i].type)) {
            return add(pipeline, plain[i].kind, 0);
        }
    }
    if (slm__json_is_string(type, "Replace")) {
        return add_replace(pipeline, object);
    }
    if (slm__json_is_string(type, "Prepend")) {
        return add_prepend(pipeline, object);
    }
    if (slm__json_is_string(type, "Strip")) {
        uint32_t sides = (flag(object, "strip_left", true) ? (uint32_t)SLM_STRIP_LEFT : 0) |
                         (flag(object, "strip_right", true) ? (uint32_t)SLM_STRIP_RIGHT : 0);
        return add(pipeline, SLM_NORMALIZER_STRIP, sides);
    }
    if (slm__json_is_string(type, "BertNormalizer")) {
        return add_bert(pipeline, object);
    }
    if (slm__json_is_string(type, "Precompiled")) {
        return add_precompiled(pipeline, object);
    }
    return slm__import_unsupported(pipeline->error, "normalizer", object,
                                   "not known; NFC, NFD, NFKC, NFKD, Nmt, Lowercase, StripAccents, Strip, Replace, Prepend, BertNormalizer "
                                   "and Precompiled are");
}

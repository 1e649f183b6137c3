/* SPDX-License-Identifier: MIT */
/* Decoders of a tokenizer.json: ByteLevel, Metaspace or WordPiece alone, or SentencePiece's Replace, ByteFallback, Fuse, Strip in this
 * order, of which the last works on the whole text only behind Fuse. */
#include "import/tokenizer_json_pipeline.h" /* struct slm_pipeline */

static slm_status unsupported(struct slm_pipeline *pipeline, const struct slm_json *object, const char *what)
{
    return slm__import_unsupported(pipeline->error, "decoder", object, what);
}

/* The decoder of texts one after another stands in the list once, before Strip. */
static slm_status add_texts(struct slm_pipeline *pipeline)
{
    const struct slm_tokenizer_spec *spec = pipeline->spec;
    bool there = spec->step_count > 0 && spec->steps[spec->step_count - 1].kind == SLM_DECODER_BYTE_FALLBACK &&
                 spec->steps[spec->step_count - 1].stage == SLM_TOKENIZER_DECODER;
    return there ? SLM_OK
                 : slm__import_step(pipeline, SLM_TOKENIZER_DECODER, SLM_DECODER_BYTE_FALLBACK, 0, slm__span(NULL, 0), slm__span(NULL, 0));
}

static slm_status add_replace(struct slm_pipeline *pipeline, const struct slm_json *object)
{
    struct slm_text_vocabulary *vocabulary = pipeline->vocabulary;
    const struct slm_json *string = slm__json_get(slm__json_get(object, "pattern"), "String");
    const struct slm_json *content = slm__json_get(object, "content");
    if (string == NULL || string->type != SLM_JSON_STRING || string->text.length == 0 || content == NULL ||
        content->type != SLM_JSON_STRING) {
        return unsupported(pipeline, object, "its pattern is no string; only those are known");
    }
    if (vocabulary->byte_tokens || pipeline->fused || vocabulary->replace_count == SLM_TEXT_VOCABULARY_REPLACES) {
        return unsupported(pipeline, object, "stands behind ByteFallback or Fuse, or is one of more than 4");
    }
    struct slm_normalizer step = {SLM_NORMALIZER_REPLACE, SLM_REPLACE_EACH, string->text, content->text};
    vocabulary->replaces[vocabulary->replace_count++] = step;
    return add_texts(pipeline);
}

static slm_status add_strip(struct slm_pipeline *pipeline, const struct slm_json *object, bool last)
{
    const struct slm_json *content = slm__json_get(object, "content");
    int64_t start = 0;
    int64_t stop = 0;
    if (content == NULL || content->type != SLM_JSON_STRING || content->text.length == 0 || content->text.length > 4 ||
        !slm__json_i64(slm__json_get(object, "start"), &start) || !slm__json_i64(slm__json_get(object, "stop"), &stop)) {
        return slm__fail(pipeline->error, SLM_E_BAD_VALUE, "decoder 'Strip': no character 'content' with numbers 'start' and 'stop'");
    }
    if (!pipeline->fused || !last || start < 0 || start > 255 || stop != 0) {
        return unsupported(pipeline, object, "known only as the last one behind Fuse, with 'start' up to 255 and 'stop' 0");
    }
    if (start == 0) {
        return SLM_OK;
    }
    return slm__import_step(pipeline, SLM_TOKENIZER_DECODER, SLM_DECODER_STRIP, (uint32_t)start, content->text, slm__span(NULL, 0));
}

/* A decoder that must be the only one. */
static slm_status add_alone(struct slm_pipeline *pipeline, const struct slm_json *object, bool last, uint32_t kind, uint32_t value,
                            struct slm_span text)
{
    const struct slm_tokenizer_spec *spec = pipeline->spec;
    bool first = spec->step_count == 0 || spec->steps[spec->step_count - 1].stage != SLM_TOKENIZER_DECODER;
    if (!first || !last || pipeline->fused) {
        return unsupported(pipeline, object, "known only alone");
    }
    return slm__import_step(pipeline, SLM_TOKENIZER_DECODER, kind, value, text, slm__span(NULL, 0));
}

static slm_status add_metaspace(struct slm_pipeline *pipeline, const struct slm_json *object, bool last)
{
    const struct slm_json *mark = slm__json_get(object, "replacement");
    const struct slm_json *scheme = slm__json_present(object, "prepend_scheme");
    const struct slm_json *prefix = slm__json_present(object, "add_prefix_space");
    bool never = scheme != NULL ? slm__json_is_string(scheme, "never") : prefix != NULL && !slm__json_is_true(prefix);
    if (mark == NULL || mark->type != SLM_JSON_STRING || mark->text.length == 0 || mark->text.length > 4) {
        return slm__fail(pipeline->error, SLM_E_BAD_VALUE, "decoder 'Metaspace': 'replacement' is no character");
    }
    return add_alone(pipeline, object, last, SLM_DECODER_METASPACE, never ? 0 : 1, mark->text);
}

static slm_status add_wordpiece(struct slm_pipeline *pipeline, const struct slm_json *object, bool last)
{
    const struct slm_json *prefix = slm__json_get(object, "prefix");
    if (prefix == NULL || prefix->type != SLM_JSON_STRING) {
        return slm__fail(pipeline->error, SLM_E_BAD_VALUE, "decoder 'WordPiece': 'prefix' is no string");
    }
    uint32_t cleanup = slm__json_is_true(slm__json_get(object, "cleanup")) ? 1 : 0;
    return add_alone(pipeline, object, last, SLM_DECODER_WORDPIECE, cleanup, prefix->text);
}

slm_status slm__import_decoder(struct slm_pipeline *pipeline, const struct slm_json *object, bool last)
{
    const struct slm_json *type = slm__json_get(object, "type");
    bool byte_level = slm__json_is_string(type, "ByteLevel");
    if (byte_level != pipeline->byte_level) {
        return unsupported(pipeline, object,
                           byte_level ? "there is no 'pre_tokenizer' ByteLevel that it undoes"
                                      : "not known with a pre-tokenizer ByteLevel; a single ByteLevel is");
    }
    if (byte_level) {
        return add_alone(pipeline, object, last, SLM_DECODER_BYTE_LEVEL, 0, slm__span(NULL, 0));
    }
    if (slm__json_is_string(type, "Metaspace")) {
        return add_metaspace(pipeline, object, last);
    }
    if (slm__json_is_string(type, "WordPiece")) {
        return add_wordpiece(pipeline, object, last);
    }
    if (slm__json_is_string(type, "Replace")) {
        return add_replace(pipeline, object);
    }
    if (slm__json_is_string(type, "ByteFallback") && !pipeline->fused) {
        pipeline->vocabulary->byte_tokens = true;
        return add_texts(pipeline);
    }
    if (slm__json_is_string(type, "Fuse")) {
        pipeline->fused = true;
        return add_texts(pipeline);
    }
    if (slm__json_is_string(type, "Strip")) {
        return add_strip(pipeline, object, last);
    }
    return unsupported(pipeline, object, "not known; ByteLevel, Metaspace, WordPiece, Replace, ByteFallback, Fuse and Strip are");
}

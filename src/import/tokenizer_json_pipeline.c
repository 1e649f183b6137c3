/* SPDX-License-Identifier: MIT */
/* Each stage is null, one object with a "type", or a Sequence of such objects; Sequences do not nest here. */
#include "import/tokenizer_json_pipeline.h"

typedef slm_status add_object(struct slm_pipeline *pipeline, const struct slm_json *object, bool last);

struct stage {
    const char *key;  /* in the document */
    const char *list; /* of the objects in a Sequence */
    add_object *add;
};

struct slm_span slm__import_text(const struct slm_json *value)
{
    return value != NULL && value->type == SLM_JSON_STRING ? value->text : slm__span_text("(none)");
}

slm_status slm__import_unsupported(slm_error *error, const char *stage, const struct slm_json *object, const char *what)
{
    struct slm_span type = slm__import_text(slm__json_get(object, "type"));
    return slm__fail(error, SLM_E_UNSUPPORTED, "%s '%.*s': %s", stage, SLM_SPAN_ARGS(type), what);
}

slm_status slm__import_step(struct slm_pipeline *pipeline, uint32_t stage, uint32_t kind, uint32_t value, struct slm_span text,
                            struct slm_span second)
{
    struct slm_tokenizer_spec *spec = pipeline->spec;
    if (!slm__tokenizer_spec_step(spec, stage, kind, value)) {
        return slm__fail(pipeline->error, SLM_E_LIMIT, "the pipeline has more than %d steps", SLM_TOKENIZER_SPEC_STEPS);
    }
    spec->steps[spec->step_count - 1].text = text;
    spec->steps[spec->step_count - 1].second = second;
    return SLM_OK;
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
                         SLM_SPAN_ARGS(slm__import_text(name)));
    }
    for (uint32_t i = 0; i < list->count; i++) {
        int64_t id = -1;
        if (!slm__json_i64(&list->items[i], &id) || id < 0 || id >= spec->token_count) {
            return slm__fail(error, SLM_E_BAD_VALUE, "post_processor 'TemplateProcessing': an id of '%.*s' is not in the vocabulary",
                             SLM_SPAN_ARGS(slm__import_text(name)));
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
    static const char not_around[] = "'single' is not special tokens around one sequence A";
    const struct slm_json *single = slm__json_get(object, "single");
    bool behind = false;
    uint32_t before_count = spec->prefix_count;
    if (single == NULL || single->type != SLM_JSON_ARRAY || before_count + spec->suffix_count > 0) {
        return slm__import_unsupported(error, "post_processor", object, "has no list 'single', or there are two templates");
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
            return slm__import_unsupported(error, "post_processor", object, not_around);
        }
    }
    return behind ? SLM_OK : slm__import_unsupported(error, "post_processor", object, not_around);
}

static slm_status add_post_processor(struct slm_pipeline *pipeline, const struct slm_json *object, bool last)
{
    (void)last;
    const struct slm_json *type = slm__json_get(object, "type");
    if (slm__json_is_string(type, "ByteLevel")) {
        return SLM_OK; /* concerns offsets only */
    }
    if (slm__json_is_string(type, "TemplateProcessing")) {
        return add_template(object, pipeline->spec, pipeline->error);
    }
    return slm__import_unsupported(pipeline->error, "post_processor", object, "not known; ByteLevel and TemplateProcessing are");
}

static slm_status add_stage(const struct slm_json *root, const struct stage *stage, struct slm_pipeline *pipeline)
{
    const struct slm_json *value = slm__json_present(root, stage->key);
    if (value == NULL) {
        return SLM_OK;
    }
    if (value->type != SLM_JSON_OBJECT) {
        return slm__fail(pipeline->error, SLM_E_BAD_VALUE, "'%s' is no object", stage->key);
    }
    if (!slm__json_is_string(slm__json_get(value, "type"), "Sequence")) {
        return stage->add(pipeline, value, true);
    }
    const struct slm_json *list = slm__json_get(value, stage->list);
    if (list == NULL || list->type != SLM_JSON_ARRAY) {
        return slm__fail(pipeline->error, SLM_E_BAD_VALUE, "'%s' is a Sequence without the list '%s'", stage->key, stage->list);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        SLM_TRY(stage->add(pipeline, &list->items[i], i + 1 == list->count));
    }
    return SLM_OK;
}

/* Metaspace `first` looks for the start of the text: no normalizer may take it away. */
static slm_status check_first(const struct slm_tokenizer_spec *spec, slm_error *error)
{
    bool first = false;
    bool removes = false;
    for (uint32_t i = 0; i < spec->step_count; i++) {
        const struct slm_tokenizer_step *step = &spec->steps[i];
        if (step->stage == SLM_TOKENIZER_PRETOKENIZER) {
            first |= step->kind == SLM_PRETOKENIZER_METASPACE && (step->value & SLM_METASPACE_SCHEME) == SLM_METASPACE_FIRST;
            removes |= step->kind == SLM_PRETOKENIZER_BERT || step->kind == SLM_PRETOKENIZER_WHITESPACE;
        }
        if (step->stage == SLM_TOKENIZER_NORMALIZER) {
            bool replaces = step->kind == SLM_NORMALIZER_REPLACE && step->second.length > 0;
            removes |= !replaces && step->kind != SLM_NORMALIZER_PREPEND && step->kind > SLM_NORMALIZER_LOWERCASE;
        }
    }
    if (first && removes) {
        return slm__fail(error, SLM_E_UNSUPPORTED,
                         "pre_tokenizer 'Metaspace': prepend_scheme 'first' behind a step that may take the start of the text away");
    }
    return SLM_OK;
}

slm_status slm__import_tokenizer_pipeline(const struct slm_json *root, uint32_t token_count, struct slm_arena *arena,
                                          struct slm_tokenizer_spec *spec, struct slm_text_vocabulary *vocabulary, slm_error *error)
{
    static const struct stage stages[] = {
        {"normalizer", "normalizers", slm__import_normalizer},
        {"pre_tokenizer", "pretokenizers", slm__import_pretokenizer},
        {"decoder", "decoders", slm__import_decoder},
        {"post_processor", "processors", add_post_processor},
    };
    struct slm_pipeline pipeline = {spec, vocabulary, arena, false, false, error};
    if (slm__json_present(root, "decoder") == NULL) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "there is no 'decoder'; one is needed to know what a token stands for");
    }
    spec->token_count = token_count;
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        SLM_TRY(add_stage(root, &stages[i], &pipeline));
    }
    return check_first(spec, error);
}

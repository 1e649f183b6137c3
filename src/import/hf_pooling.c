/* SPDX-License-Identifier: MIT */
/* modules.json lists modules in order: the transformer, one that pools, perhaps one that normalises. */
#include "import/hf_pooling.h"

#include "import/hf_folder.h" /* slm__hf_read_json */
#include "import/hf_values.h" /* slm__hf_bool */
#include <stdio.h>            /* snprintf into a buffer */

/* "Pooling" of "sentence_transformers.models.Pooling" */
static struct slm_span last_word(struct slm_span type)
{
    size_t begin = type.length;
    while (begin > 0 && type.data[begin - 1] != '.') {
        begin--;
    }
    return slm__span(type.data + begin, type.length - begin);
}

/* The folder's name as the list gives it: one component. */
static slm_status keep_path(struct slm_checkpoint *checkpoint, const struct slm_json *module, slm_error *error)
{
    const struct slm_json *path = slm__json_present(module, "path");
    bool plain = path != NULL && path->type == SLM_JSON_STRING && path->text.length > 0 && path->text.length < 128;
    for (size_t i = 0; plain && i < path->text.length; i++) {
        const uint8_t c = path->text.data[i];
        plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    }
    if (!plain) {
        return slm__fail(error, SLM_E_BAD_VALUE, "the pooling module has no path that is a plain name");
    }
    checkpoint->pooling_path = slm__arena_text(&checkpoint->arena, path->text);
    return checkpoint->pooling_path != NULL ? SLM_OK : slm__arena_failure(&checkpoint->arena, error);
}

static slm_status read_modules(struct slm_checkpoint *checkpoint, const struct slm_json *root, slm_error *error)
{
    if (root->type != SLM_JSON_ARRAY) {
        return slm__fail(error, SLM_E_BAD_VALUE, "it is no list of modules");
    }
    for (uint32_t i = 0; i < root->count; i++) {
        const struct slm_json *type = slm__json_present(&root->items[i], "type");
        if (type == NULL || type->type != SLM_JSON_STRING) {
            return slm__fail(error, SLM_E_BAD_VALUE, "module %u has no type", (unsigned)i);
        }
        const struct slm_span word = last_word(type->text);
        if (slm__span_is(word, "Pooling") && checkpoint->pooling_path == NULL) {
            SLM_TRY(keep_path(checkpoint, &root->items[i], error));
        } else if (slm__span_is(word, "Normalize") && checkpoint->pooling_path != NULL) {
            checkpoint->config.normalize = true;
        } else if (!slm__span_is(word, "Transformer") || i != 0) {
            return slm__fail(error, SLM_E_UNSUPPORTED, "module %u is %.*s, supported are Transformer, then Pooling, then Normalize",
                             (unsigned)i, SLM_SPAN_ARGS(type->text));
        }
    }
    return SLM_OK;
}

static slm_status read_mode(struct slm_checkpoint *checkpoint, const struct slm_json *root, slm_error *error)
{
    static const struct {
        const char *key;
        enum slm_pooling_kind kind; /* NONE: not supported */
    } modes[] = {{"pooling_mode_mean_tokens", SLM_POOLING_KIND_MEAN},          {"pooling_mode_lasttoken", SLM_POOLING_KIND_LAST},
                 {"pooling_mode_cls_token", SLM_POOLING_KIND_FIRST},           {"pooling_mode_max_tokens", SLM_POOLING_KIND_NONE},
                 {"pooling_mode_mean_sqrt_len_tokens", SLM_POOLING_KIND_NONE}, {"pooling_mode_weightedmean_tokens", SLM_POOLING_KIND_NONE}};
    enum slm_pooling_kind *pooling = &checkpoint->config.pooling;
    if (root->type != SLM_JSON_OBJECT || root->duplicate_keys) {
        return slm__fail(error, SLM_E_BAD_VALUE, "it is no JSON object with each key once");
    }
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        bool on = false;
        SLM_TRY(slm__hf_bool(root, modes[i].key, &on, error));
        if (on && (modes[i].kind == SLM_POOLING_KIND_NONE || *pooling != SLM_POOLING_KIND_NONE)) {
            return slm__fail(error, SLM_E_UNSUPPORTED, "%s is true: supported is one of mean, last and first (cls) token", modes[i].key);
        }
        *pooling = on ? modes[i].kind : *pooling;
    }
    return *pooling != SLM_POOLING_KIND_NONE ? SLM_OK : slm__fail(error, SLM_E_BAD_VALUE, "no pooling mode is true");
}

slm_status slm__hf_pooling_read(struct slm_checkpoint *checkpoint, const char *folder, slm_error *error)
{
    static const char modules[] = "modules.json";
    char name[160];
    if (!slm__hf_has_file(folder, modules)) {
        return SLM_OK;
    }
    SLM_TRY(slm__hf_read_json(checkpoint, folder, modules, read_modules, error));
    if (checkpoint->pooling_path == NULL) {
        return SLM_OK;
    }
    snprintf(name, sizeof name, "%s/config.json", checkpoint->pooling_path);
    return slm__hf_read_json(checkpoint, folder, name, read_mode, error);
}

/* SPDX-License-Identifier: MIT */
/* Each tensor of the source ends up in the model, is known to have no effect, or stops the conversion. */
#include "import/checkpoint_leftovers.h"

#include <inttypes.h> /* PRIu32 */

/* Scratch for one row of a source tensor. */
struct row_scratch {
    const struct slm_memory *memory;
    uint8_t *raw;
    float *values;
    size_t raw_bytes, value_bytes;
};

static slm_status take_scratch(const struct slm_checkpoint *checkpoint, const struct slm_source_tensor *tensor, struct row_scratch *scratch,
                               slm_error *error)
{
    scratch->memory = checkpoint->context.memory;
    scratch->raw_bytes = (size_t)slm__source_row_bytes(tensor);
    if (!slm__size_mul((size_t)slm__source_cols(tensor), sizeof *scratch->values, &scratch->value_bytes)) {
        return slm__fail_memory(error, UINT64_MAX);
    }
    scratch->raw = slm__allocate(scratch->memory, scratch->raw_bytes, 64);
    scratch->values = slm__allocate(scratch->memory, scratch->value_bytes, 64);
    if (scratch->raw == NULL || scratch->values == NULL) {
        slm__release(scratch->memory, scratch->raw, scratch->raw_bytes);
        slm__release(scratch->memory, scratch->values, scratch->value_bytes);
        return slm__fail_memory(error, (uint64_t)scratch->raw_bytes + scratch->value_bytes);
    }
    return SLM_OK;
}

static void give_scratch(const struct row_scratch *scratch)
{
    slm__release(scratch->memory, scratch->raw, scratch->raw_bytes);
    slm__release(scratch->memory, scratch->values, scratch->value_bytes);
}

/* ---- output head */

static slm_status compare_rows(const struct slm_checkpoint *checkpoint, const struct slm_source_tensor *a,
                               const struct slm_source_tensor *b, const struct row_scratch *x, const struct row_scratch *y, bool *equal,
                               slm_error *error)
{
    const uint64_t rows = slm__source_rows(a);
    *equal = true;
    for (uint64_t row = 0; row < rows && *equal; row++) {
        SLM_TRY(slm__source_read_row(&checkpoint->set, a, row, x->raw, x->values, error));
        SLM_TRY(slm__source_read_row(&checkpoint->set, b, row, y->raw, y->values, error));
        *equal = memcmp(x->values, y->values, x->value_bytes) == 0;
    }
    return SLM_OK;
}

static slm_status compare_held(const struct slm_checkpoint *checkpoint, const struct slm_source_tensor *a,
                               const struct slm_source_tensor *b, const struct row_scratch *x, const struct row_scratch *y, bool *equal,
                               slm_error *error)
{
    const struct slm_memory *memory = checkpoint->context.memory;
    SLM_TRY(slm__source_hold(&checkpoint->set, a, memory, error));
    slm_status status = slm__source_hold(&checkpoint->set, b, memory, error);
    if (status == SLM_OK) {
        status = compare_rows(checkpoint, a, b, x, y, equal, error);
        slm__source_release(b, memory);
    }
    slm__source_release(a, memory);
    return status;
}

static slm_status compare(const struct slm_checkpoint *checkpoint, const struct slm_source_tensor *a, const struct slm_source_tensor *b,
                          bool *equal, slm_error *error)
{
    *equal = false;
    if (a->dimensions != 2 || b->dimensions != 2 || a->shape[0] != b->shape[0] || a->shape[1] != b->shape[1] || a->bytes == 0 ||
        !slm__source_is_readable(a) || !slm__source_is_readable(b)) {
        return SLM_OK;
    }
    struct row_scratch x, y;
    SLM_TRY(take_scratch(checkpoint, a, &x, error));
    slm_status status = take_scratch(checkpoint, b, &y, error);
    if (status == SLM_OK) {
        status = compare_held(checkpoint, a, b, &x, &y, equal, error);
        give_scratch(&y);
    }
    give_scratch(&x);
    return status;
}

static struct slm_source_tensor *find_target_source(const struct slm_checkpoint *checkpoint, const char *target)
{
    const struct slm_family *family = checkpoint->config.family;
    char name[SLM_SOURCE_NAME_BYTES];
    for (uint32_t r = 0; r < family->rule_count; r++) {
        if (strcmp(family->rules[r].target, target) == 0) {
            const struct slm_rule_source *source = &family->rules[r].sources[0];
            return slm__checkpoint_find(checkpoint, checkpoint->gguf ? source->gguf : source->hf, 0, 0, name);
        }
    }
    return NULL;
}

slm_status slm__checkpoint_settle_head(struct slm_checkpoint *checkpoint, slm_error *error)
{
    struct slm_family_config *config = &checkpoint->config;
    struct slm_source_tensor *head = find_target_source(checkpoint, "head");
    const struct slm_source_tensor *embed = find_target_source(checkpoint, "embed");
    if (!config->tie_stated) {
        config->traits &= head != NULL ? ~0u : ~(uint32_t)SLM_TRAIT_UNTIED;
    }
    if ((config->traits & SLM_TRAIT_UNTIED) != 0) {
        if (head == NULL && !checkpoint->gguf) {
            return slm__fail(error, SLM_E_BAD_VALUE, "tensor lm_head.weight is missing, and tie_word_embeddings is not true");
        }
        return SLM_OK;
    }
    if (head == NULL || embed == NULL) {
        return SLM_OK;
    }
    bool equal;
    SLM_TRY(compare(checkpoint, embed, head, &equal, error));
    head->used = true;
    if (!equal) {
        slm__log(
            checkpoint->context.log, SLM_LOG_WARNING,
            "%.*s differs from the embedding although tie_word_embeddings is true: it is used as the output head, as transformers does",
            SLM_SPAN_ARGS(head->name));
        config->traits |= SLM_TRAIT_UNTIED;
    }
    return SLM_OK;
}

/* ---- leftovers */

static bool is_bias(struct slm_span name) { return name.length > 5 && memcmp(name.data + name.length - 5, ".bias", 5) == 0; }

static slm_status all_zero(const struct slm_checkpoint *checkpoint, const struct slm_source_tensor *tensor, bool *zero, slm_error *error)
{
    struct row_scratch scratch;
    *zero = true;
    SLM_TRY(take_scratch(checkpoint, tensor, &scratch, error));
    const uint64_t rows = slm__source_rows(tensor), cols = slm__source_cols(tensor);
    slm_status status = SLM_OK;
    for (uint64_t row = 0; row < rows && *zero && status == SLM_OK; row++) {
        status = slm__source_read_row(&checkpoint->set, tensor, row, scratch.raw, scratch.values, error);
        for (uint64_t i = 0; i < cols && status == SLM_OK; i++) {
            *zero = *zero && scratch.values[i] == 0.0f;
        }
    }
    give_scratch(&scratch);
    return status;
}

static slm_status judge(const struct slm_checkpoint *checkpoint, const struct slm_source_tensor *tensor, slm_error *error)
{
    bool zero = false;
    if (is_bias(tensor->name) && slm__value_type_is_float(tensor->type)) {
        SLM_TRY(all_zero(checkpoint, tensor, &zero, error));
    }
    if (!zero) {
        return slm__fail(
            error, SLM_E_UNSUPPORTED, "%s: tensor %.*s is not part of the %s model that %s describes; without it the output would be wrong",
            checkpoint->set.files[tensor->file].name, SLM_SPAN_ARGS(tensor->name), checkpoint->config.family->name, checkpoint->described);
    }
    slm__log(checkpoint->context.log, SLM_LOG_WARNING, "%.*s is all zero and is left out", SLM_SPAN_ARGS(tensor->name));
    return SLM_OK;
}

slm_status slm__checkpoint_check_leftovers(struct slm_checkpoint *checkpoint, slm_error *error)
{
    for (uint32_t i = 0; i < checkpoint->set.tensor_count; i++) {
        const struct slm_source_tensor *tensor = &checkpoint->set.tensors[i];
        if (tensor->used || tensor->bytes == 0 || slm__family_tensor_is_harmless(tensor->name)) {
            continue;
        }
        if ((checkpoint->config.family->flags & SLM_FAMILY_ENCODER) != 0 && slm__family_tensor_is_training_head(tensor->name)) {
            continue;
        }
        const bool sees = checkpoint->config.vision.family != NULL;
        if (checkpoint->config.composite &&
            (sees ? slm__family_tensor_is_vision_head(tensor->name) : slm__family_tensor_is_vision(tensor->name))) {
            checkpoint->vision_tensors++;
            continue;
        }
        SLM_TRY(judge(checkpoint, tensor, error));
    }
    if (checkpoint->config.composite && checkpoint->config.vision.family == NULL) {
        slm__log(checkpoint->context.log, SLM_LOG_WARNING,
                 "only the text part is converted: the model will not take images (%" PRIu32 " tensors of the part that sees are left out)",
                 checkpoint->vision_tensors);
    }
    return SLM_OK;
}

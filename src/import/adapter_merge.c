/* SPDX-License-Identifier: MIT */
/*
 * Which part of the model each delta belongs to, and adding it. An adapter names linears as its own layout does; where the base has the
 * other layout, the rules of the family translate the name. Sums are taken in f64, in the order of the adapters and of the rank.
 */
#include "import/adapter.h"

#include "import/checkpoint.h" /* struct slm_checkpoint, struct slm_target */
#include <inttypes.h>          /* PRIu32 */
#include <stdio.h>             /* snprintf into a buffer */

enum { NAME_BYTES = 160, BLOCK = 64 };

uint32_t slm__adapter_pairs(const struct slm_checkpoint *checkpoint, const struct slm_adapter_source *adapter,
                            const struct slm_rule_source *source)
{
    return adapter->paired && source->order == SLM_ROWS_ROTARY ? checkpoint->config.head_dim : 0;
}

/* ---- finding */

/* The base's name of a linear that the adapter calls `name`, through the rules; false: no rule has it. */
static bool translate(const struct slm_checkpoint *checkpoint, const struct slm_adapter_source *adapter, struct slm_span name,
                      char base_name[NAME_BYTES], uint32_t *pairs)
{
    const struct slm_family *family = checkpoint->config.family;
    for (uint32_t r = 0; r < family->rule_count; r++) {
        for (uint32_t s = 0; s < SLM_RULE_SOURCES && family->rules[r].sources[s].hf != NULL; s++) {
            const struct slm_rule_source *source = &family->rules[r].sources[s];
            const char *pattern = adapter->gguf ? source->hf : source->gguf;
            uint32_t numbers[2];
            if (pattern != NULL && slm__rule_marks(pattern) < 2 &&
                slm__rule_matches(adapter->gguf ? source->gguf : source->hf, name, numbers)) {
                slm__rule_name(base_name, NAME_BYTES, pattern, numbers[0], numbers[1]);
                *pairs = slm__adapter_pairs(checkpoint, adapter, source);
                return true;
            }
        }
    }
    return false;
}

/* The part whose rows come from the tensor of this name. */
static struct slm_target_part *find_part(const struct slm_checkpoint *checkpoint, struct slm_span name, const struct slm_target **of)
{
    for (uint32_t t = 0; t < checkpoint->target_count; t++) {
        struct slm_target *target = &checkpoint->targets[t];
        for (uint32_t p = 0; p < target->part_count; p++) {
            if (target->parts[p].source != NULL && slm__span_equal(target->parts[p].source->name, name)) {
                *of = target;
                return &target->parts[p];
            }
        }
    }
    return NULL;
}

slm_status slm__adapter_no_linear(const struct slm_checkpoint *checkpoint, const struct slm_adapter_delta *delta, slm_error *error)
{
    const char *file = delta->adapter->set.files[delta->a.file].name;
    const struct slm_span module = delta->module;
    for (size_t i = 0; i < module.length; i++) { /* the first number in the name is the layer */
        uint32_t layer = 0;
        size_t digits = 0;
        while (i + digits < module.length && digits < 9 && module.data[i + digits] >= '0' && module.data[i + digits] <= '9') {
            layer = layer * 10 + (uint32_t)(module.data[i + digits++] - '0');
        }
        if (digits > 0 && i > 0 && module.data[i - 1] == '.') {
            if (layer >= checkpoint->config.layers) {
                return slm__fail(error, SLM_E_BAD_VALUE, "%s: the base has no layer %" PRIu32 " (adapter of %.*s)", file, layer,
                                 SLM_SPAN_ARGS(module));
            }
            break;
        }
    }
    return slm__fail(error, SLM_E_BAD_VALUE, "%s: the base has no linear %.*s that an adapter could change", file, SLM_SPAN_ARGS(module));
}

slm_status slm__adapter_refuse_embedding(const struct slm_adapter_delta *delta, slm_error *error)
{
    return slm__fail(error, SLM_E_UNSUPPORTED, "%s: an adapter of %.*s is not supported", delta->adapter->set.files[delta->a.file].name,
                     SLM_SPAN_ARGS(delta->module));
}

slm_status slm__adapter_check_size(const struct slm_adapter_delta *delta, uint32_t rows, uint32_t cols, slm_error *error)
{
    if (delta->inputs == cols && delta->outputs == rows) {
        return SLM_OK;
    }
    return slm__fail(error, SLM_E_BAD_VALUE, "%s: %s of %.*s has %" PRIu32 " %s, the base's linear has %" PRIu32,
                     delta->adapter->set.files[delta->a.file].name, delta->inputs != cols ? "lora_A" : "lora_B",
                     SLM_SPAN_ARGS(delta->module), delta->inputs != cols ? delta->inputs : delta->outputs,
                     delta->inputs != cols ? "columns" : "rows", delta->inputs != cols ? cols : rows);
}

static slm_status attach(struct slm_checkpoint *checkpoint, struct slm_adapter_delta *delta, slm_error *error)
{
    const bool gguf = delta->adapter->gguf;
    const struct slm_target *target = NULL;
    char name[256], base_name[NAME_BYTES];
    snprintf(name, sizeof name, "%.*s.weight", SLM_SPAN_ARGS(delta->module));
    struct slm_target_part *part = gguf == checkpoint->gguf ? find_part(checkpoint, slm__span_text(name), &target) : NULL;
    if (part != NULL) {
        delta->pairs = gguf ? part->pairs : 0;
    } else if (gguf != checkpoint->gguf && translate(checkpoint, delta->adapter, slm__span_text(name), base_name, &delta->pairs)) {
        part = find_part(checkpoint, slm__span_text(base_name), &target);
    }
    if (part == NULL || target->vector) {
        return slm__adapter_no_linear(checkpoint, delta, error);
    }
    if (strcmp(target->name, "embed") == 0) {
        return slm__adapter_refuse_embedding(delta, error);
    }
    SLM_TRY(slm__adapter_check_size(delta, part->rows, target->cols, error));
    struct slm_adapter_delta **end = &part->deltas;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = delta;
    return SLM_OK;
}

slm_status slm__adapters_merge(struct slm_checkpoint *checkpoint, const struct slm_adapter_choice *choices, uint32_t count,
                               slm_error *error)
{
    for (uint32_t i = 0; i < count; i++) {
        struct slm_adapter_source *adapter = NULL;
        slm_status status = slm__adapter_open(checkpoint, &choices[i], &adapter, error);
        for (struct slm_adapter_delta *delta = status == SLM_OK ? adapter->deltas : NULL; delta != NULL && status == SLM_OK;
             delta = delta->listed) {
            status = attach(checkpoint, delta, error);
        }
        if (status != SLM_OK) {
            return slm__fail_in(error, status, "adapter %s", choices[i].path);
        }
    }
    return SLM_OK;
}

/* ---- adding */

static slm_status read_matrix(const struct slm_adapter_source *adapter, const struct slm_source_tensor *tensor, uint8_t *raw, float *values,
                              slm_error *error)
{
    const struct slm_source_file *file = &adapter->set.files[tensor->file];
    const uint64_t count = tensor->shape[0] * tensor->shape[1];
    const slm_status status = slm__file_read(&file->file, tensor->offset, raw, (size_t)tensor->bytes, error);
    if (status != SLM_OK) {
        return slm__fail_in(error, status, "%s", file->name);
    }
    tensor->type->decode(raw, count, values);
    return SLM_OK;
}

/* Values first; the stored bytes of either matrix behind them while they are read. */
static slm_status hold(struct slm_adapter_delta *delta, const struct slm_memory *memory, slm_error *error)
{
    const uint64_t a_values = (uint64_t)delta->rank * delta->inputs, b_values = (uint64_t)delta->rank * delta->outputs;
    const uint64_t stored = delta->a.bytes > delta->b.bytes ? delta->a.bytes : delta->b.bytes; /* all at most the size of a file */
    size_t values_bytes, total;
    if (!slm__size_mul((size_t)(a_values + b_values), sizeof(float), &values_bytes) ||
        !slm__size_add(values_bytes, (size_t)stored, &total)) {
        return slm__fail_memory(error, UINT64_MAX);
    }
    delta->value_bytes = total;
    delta->values = slm__allocate(memory, total, 64);
    if (delta->values == NULL) {
        return slm__fail_memory(error, total);
    }
    uint8_t *raw = (uint8_t *)delta->values + values_bytes;
    SLM_TRY(read_matrix(delta->adapter, &delta->a, raw, delta->values, error));
    return read_matrix(delta->adapter, &delta->b, raw, delta->values + a_values, error);
}

slm_status slm__adapter_deltas_hold(struct slm_adapter_delta *deltas, const struct slm_memory *memory, slm_error *error)
{
    for (; deltas != NULL; deltas = deltas->next) {
        SLM_TRY(hold(deltas, memory, error));
    }
    return SLM_OK;
}

void slm__adapter_deltas_release(struct slm_adapter_delta *deltas, const struct slm_memory *memory)
{
    for (; deltas != NULL; deltas = deltas->next) {
        slm__release(memory, deltas->values, deltas->value_bytes);
        deltas->values = NULL;
    }
}

void slm__adapter_deltas_add(const struct slm_adapter_delta *deltas, uint32_t row, float *out, uint32_t cols)
{
    for (uint32_t begin = 0; deltas != NULL && begin < cols; begin += BLOCK) {
        const uint32_t count = cols - begin < BLOCK ? cols - begin : BLOCK;
        double sums[BLOCK] = {0.0};
        for (const struct slm_adapter_delta *delta = deltas; delta != NULL; delta = delta->next) {
            const double factor = delta->adapter->weight * delta->scale;
            const float *a = delta->values + begin;
            const float *b =
                delta->values + (size_t)delta->rank * delta->inputs + (size_t)slm__row_of_pairs(delta->pairs, row) * delta->rank;
            for (uint32_t r = 0; r < delta->rank; r++) {
                const double scaled = factor * (double)b[r];
                for (uint32_t k = 0; k < count; k++) {
                    sums[k] += scaled * (double)a[(size_t)r * delta->inputs + k];
                }
            }
        }
        for (uint32_t k = 0; k < count; k++) {
            out[begin + k] = (float)((double)out[begin + k] + sums[k]);
        }
    }
}

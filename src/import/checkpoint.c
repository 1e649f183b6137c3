/* SPDX-License-Identifier: MIT */
/* From rules to targets: which source tensors make up each tensor of the .slm file, are they there, have they the right shape and type,
 * and is anything left over that would have changed the output. */
#include "import/checkpoint.h"

#include "import/checkpoint_leftovers.h" /* slm__checkpoint_check_leftovers, slm__checkpoint_settle_head */
#include "import/rope_frequencies.h"     /* slm__rope_frequencies */
#include <inttypes.h>                    /* PRIu32 */
#include <stdio.h>                       /* snprintf into a buffer */

enum { SOURCE_NAME_BYTES = 96 };
static const size_t ARENA_LIMIT = (size_t)1 << 30;
static const size_t TOKENIZER_LIMIT = (size_t)1 << 29;

void slm__checkpoint_init(struct slm_checkpoint *checkpoint, const struct slm_import_context *context)
{
    memset(checkpoint, 0, sizeof *checkpoint);
    checkpoint->context = *context;
    slm__arena_init(&checkpoint->arena, context->memory, ARENA_LIMIT);
    slm__tensor_set_init(&checkpoint->set, context->memory);
    slm__buffer_init(&checkpoint->tokenizer, context->memory, TOKENIZER_LIMIT);
    slm__sha256_init(&checkpoint->hash);
    checkpoint->config.bos = checkpoint->config.pad = -1;
}

void slm__checkpoint_free(struct slm_checkpoint *checkpoint)
{
    slm__buffer_free(&checkpoint->tokenizer);
    slm__tensor_set_free(&checkpoint->set);
    slm__arena_free(&checkpoint->arena);
}

/* Rules name the layer as "%u", once or not at all. */
static void expand_name(char *target, size_t capacity, const char *pattern, uint32_t layer)
{
    const char *mark = strstr(pattern, "%u");
    if (mark == NULL) {
        snprintf(target, capacity, "%s", pattern);
    } else {
        snprintf(target, capacity, "%.*s%" PRIu32 "%s", (int)(mark - pattern), pattern, layer, mark + 2);
    }
}

static slm_status check_shape(const struct slm_checkpoint *checkpoint, const struct slm_source_tensor *source, uint64_t rows, uint64_t cols,
                              bool vector, slm_error *error)
{
    const bool fits = vector ? source->dimensions == 1 && source->shape[0] == rows
                             : source->dimensions == 2 && source->shape[0] == rows && source->shape[1] == cols;
    if (fits) {
        return SLM_OK;
    }
    char shape[192], wanted[48];
    slm__source_shape_text(source, shape);
    if (vector) {
        snprintf(wanted, sizeof wanted, "%" PRIu64, rows);
    } else {
        snprintf(wanted, sizeof wanted, "%" PRIu64 " x %" PRIu64, rows, cols);
    }
    return slm__fail(error, SLM_E_BAD_VALUE, "%s: tensor %.*s is %s, %s describes %s", checkpoint->set.files[source->file].name,
                     SLM_SPAN_ARGS(source->name), shape, checkpoint->described, wanted);
}

static slm_status check_type(const struct slm_checkpoint *checkpoint, const struct slm_source_tensor *source, bool vector, slm_error *error)
{
    if (source->type->decode == NULL || (vector && !slm__value_type_is_float(source->type))) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "%s: tensor %.*s has type %s, supported here is %s",
                         checkpoint->set.files[source->file].name, SLM_SPAN_ARGS(source->name), source->type->name,
                         vector || !checkpoint->gguf ? "F32, F16, BF16, F64"
                                                     : "F32, F16, BF16, F64, Q4_0 to Q8_0, Q2_K to Q6_K, IQ1 to IQ4, TQ1_0, TQ2_0, MXFP4, NVFP4");
    }
    return SLM_OK;
}

/* Whether the rule's biases may be there or not as the file likes. */
static bool is_free(const struct slm_checkpoint *checkpoint, const struct slm_tensor_rule *rule)
{
    const uint32_t biases = SLM_TRAIT_QKV_BIAS | SLM_TRAIT_OUT_BIAS | SLM_TRAIT_MLP_BIAS;
    return checkpoint->gguf && (checkpoint->config.family->flags & SLM_FAMILY_GGUF_FREE_BIASES) != 0 && (rule->traits & biases) != 0;
}

static slm_status add_part(struct slm_checkpoint *checkpoint, struct slm_target *target, const struct slm_tensor_rule *rule,
                           const struct slm_rule_source *from, uint32_t layer, slm_error *error)
{
    const struct slm_family_config *config = &checkpoint->config;
    struct slm_target_part *part = &target->parts[target->part_count++];
    char name[SOURCE_NAME_BYTES];
    expand_name(name, sizeof name, checkpoint->gguf ? from->gguf : from->hf, layer);
    struct slm_source_tensor *source = slm__tensor_set_find(&checkpoint->set, name);
    part->rows = (uint32_t)slm__extent(config, from->rows);
    part->source = source;
    target->rows += part->rows;
    if (source == NULL) {
        return is_free(checkpoint, rule) ? SLM_OK
                                         : slm__fail(error, SLM_E_BAD_VALUE, "%s: tensor %s, which %s describes, is missing",
                                                     checkpoint->set.file_count == 1 ? checkpoint->set.files[0].name : "the weight files",
                                                     name, checkpoint->described);
    }
    if (checkpoint->gguf && (config->family->flags & SLM_FAMILY_GGUF_PAIRS) != 0 && from->order == SLM_ROWS_ROTARY) {
        part->pairs = config->head_dim;
    }
    source->used = true;
    SLM_TRY(check_shape(checkpoint, source, part->rows, target->cols, target->vector, error));
    return check_type(checkpoint, source, target->vector, error);
}

/* The target of one rule in one layer, unless it is optional and nothing of it is there. */
static slm_status add_target(struct slm_checkpoint *checkpoint, const struct slm_tensor_rule *rule, uint32_t layer, slm_error *error)
{
    struct slm_target *target = &checkpoint->targets[checkpoint->target_count];
    memset(target, 0, sizeof *target);
    expand_name(target->name, sizeof target->name, rule->target, layer);
    target->vector = rule->cols == SLM_EXTENT_ONE;
    target->head_class = rule->class_of_head != 0;
    target->cols = (uint32_t)slm__extent(&checkpoint->config, rule->cols);
    bool any = false;
    for (uint32_t i = 0; i < SLM_RULE_SOURCES && rule->sources[i].hf != NULL; i++) {
        SLM_TRY(add_part(checkpoint, target, rule, &rule->sources[i], layer, error));
        any = any || target->parts[i].source != NULL;
    }
    checkpoint->target_count += any ? 1 : 0;
    return SLM_OK;
}

static slm_status add_targets(struct slm_checkpoint *checkpoint, slm_error *error)
{
    const struct slm_family_config *config = &checkpoint->config;
    const struct slm_family *family = config->family;
    size_t bytes;
    if (!slm__size_mul((size_t)family->rule_count * config->layers, sizeof *checkpoint->targets, &bytes)) {
        return slm__fail_memory(error, UINT64_MAX);
    }
    checkpoint->targets = slm__arena_take(&checkpoint->arena, bytes);
    if (checkpoint->targets == NULL) {
        return slm__arena_failure(&checkpoint->arena, error);
    }
    for (uint32_t r = 0; r < family->rule_count; r++) { /* outside the layers first: their sizes are the usual mistakes */
        const struct slm_tensor_rule *rule = &family->rules[r];
        if (strstr(rule->target, "%u") == NULL && (rule->traits == 0 || (rule->traits & config->traits) != 0)) {
            SLM_TRY(add_target(checkpoint, rule, 0, error));
        }
    }
    for (uint32_t layer = 0; layer < config->layers; layer++) {
        for (uint32_t r = 0; r < family->rule_count; r++) {
            const struct slm_tensor_rule *rule = &family->rules[r];
            const bool applies = rule->traits == 0 || (rule->traits & config->traits) != 0 || is_free(checkpoint, rule);
            if (applies && strstr(rule->target, "%u") != NULL) {
                SLM_TRY(add_target(checkpoint, rule, layer, error));
            }
        }
    }
    return SLM_OK;
}

/* Divide the frequencies by GGUF's rope_freqs. */
static slm_status divide_frequencies(struct slm_checkpoint *checkpoint, uint32_t half, slm_error *error)
{
    const struct slm_source_tensor *divisors = checkpoint->rope_divisors;
    SLM_TRY(check_shape(checkpoint, divisors, half, 1, true, error));
    SLM_TRY(check_type(checkpoint, divisors, true, error));
    float *values = slm__arena_take(&checkpoint->arena, half * sizeof *values);
    uint8_t *raw = slm__arena_take(&checkpoint->arena, (size_t)divisors->bytes);
    if (values == NULL || raw == NULL) {
        return slm__arena_failure(&checkpoint->arena, error);
    }
    SLM_TRY(slm__source_read_row(&checkpoint->set, divisors, 0, raw, values, error));
    for (uint32_t i = 0; i < half; i++) {
        if (!(values[i] >= 1e-6f && values[i] <= 1e6f)) {
            return slm__fail(error, SLM_E_BAD_VALUE, "%s: value %" PRIu32 " of tensor %.*s is out of range",
                             checkpoint->set.files[divisors->file].name, i, SLM_SPAN_ARGS(divisors->name));
        }
    }
    slm__rope_divide(&checkpoint->config.rope, 2 * half, values, checkpoint->frequencies);
    return SLM_OK;
}

static slm_status compute_frequencies(struct slm_checkpoint *checkpoint, slm_error *error)
{
    const uint32_t half = checkpoint->config.head_dim / 2;
    checkpoint->frequencies = slm__arena_take(&checkpoint->arena, half * sizeof *checkpoint->frequencies);
    if (checkpoint->frequencies == NULL) {
        return slm__arena_failure(&checkpoint->arena, error);
    }
    slm__rope_frequencies(&checkpoint->config.rope, 2 * half, checkpoint->frequencies);
    return checkpoint->rope_divisors != NULL ? divide_frequencies(checkpoint, half, error) : SLM_OK;
}

slm_status slm__checkpoint_plan(struct slm_checkpoint *checkpoint, slm_error *error)
{
    SLM_TRY(slm__checkpoint_settle_head(checkpoint, error));
    SLM_TRY(add_targets(checkpoint, error));
    SLM_TRY(compute_frequencies(checkpoint, error));
    return slm__checkpoint_check_leftovers(checkpoint, error);
}

/* ---- reading */

uint64_t slm__target_raw_bytes(const struct slm_target *target)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < target->part_count; i++) {
        const uint64_t bytes = target->parts[i].source != NULL ? slm__source_row_bytes(target->parts[i].source) : 0;
        most = bytes > most ? bytes : most;
    }
    return most;
}

/* Where row `row` of a head's halves lies in a file of pairs: j * width/2 + i comes from 2i + j. */
static uint32_t row_in_source(const struct slm_target_part *part, uint32_t row)
{
    if (part->pairs == 0) {
        return row;
    }
    const uint32_t half = part->pairs / 2, inside = row % part->pairs;
    return row - inside + 2 * (inside % half) + inside / half;
}

static const struct slm_target_part *part_of_row(const struct slm_target *target, uint32_t *row)
{
    const struct slm_target_part *part = target->parts;
    while (*row >= part->rows) {
        *row -= part->rows;
        part++;
    }
    return part;
}

slm_status slm__target_read_row(const struct slm_checkpoint *checkpoint, const struct slm_target *target, uint32_t row, uint8_t *raw,
                                float *out, slm_error *error)
{
    const struct slm_target_part *part = part_of_row(target, &row);
    return slm__source_read_row(&checkpoint->set, part->source, row_in_source(part, row), raw, out, error);
}

slm_status slm__target_read_vector(const struct slm_checkpoint *checkpoint, const struct slm_target *target, uint8_t *raw, float *out,
                                   slm_error *error)
{
    for (uint32_t p = 0; p < target->part_count; p++) {
        const struct slm_target_part *part = &target->parts[p];
        memset(out, 0, part->rows * sizeof *out);
        if (part->source != NULL) {
            const struct slm_value_type *type = part->source->type;
            SLM_TRY(slm__source_read_raw(&checkpoint->set, part->source, 0, raw, error));
            for (uint32_t i = 0; i < part->rows; i++) {
                type->decode(raw + (size_t)row_in_source(part, i) * type->block_bytes, 1, out + i);
            }
        }
        out += part->rows;
    }
    return SLM_OK;
}

bool slm__target_is_q8_0(const struct slm_target *target)
{
    bool all = !target->vector;
    for (uint32_t i = 0; i < target->part_count; i++) {
        all = all && target->parts[i].source != NULL && slm__value_type_is_q8_0(target->parts[i].source->type);
    }
    return all;
}

slm_status slm__target_read_blocks(const struct slm_checkpoint *checkpoint, const struct slm_target *target, uint32_t row, uint8_t *raw,
                                   slm_error *error)
{
    const struct slm_target_part *part = part_of_row(target, &row);
    return slm__source_read_raw(&checkpoint->set, part->source, row_in_source(part, row), raw, error);
}

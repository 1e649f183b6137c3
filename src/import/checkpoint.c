/* SPDX-License-Identifier: MIT */
/* From rules to targets: which source tensors make up each tensor of the .slm file, are they there, have they the right shape and type,
 * and is anything left over that would have changed the output. */
#include "import/checkpoint.h"

#include "import/adapter.h"              /* slm__adapter_deltas_add */
#include "import/checkpoint_leftovers.h" /* slm__checkpoint_check_leftovers, slm__checkpoint_settle_head */
#include <inttypes.h>                    /* PRIu32 */
#include <stdio.h>                       /* snprintf into a buffer */

static const size_t ARENA_LIMIT = (size_t)1 << 30;
static const size_t TOKENIZER_LIMIT = (size_t)1 << 29;
static const size_t TOKENS_LIMIT = (size_t)1 << 26;

void slm__checkpoint_init(struct slm_checkpoint *checkpoint, const struct slm_import_context *context)
{
    memset(checkpoint, 0, sizeof *checkpoint);
    checkpoint->context = *context;
    slm__arena_init(&checkpoint->arena, context->memory, ARENA_LIMIT);
    slm__tensor_set_init(&checkpoint->set, context->memory);
    slm__buffer_init(&checkpoint->tokenizer, context->memory, TOKENIZER_LIMIT);
    slm__buffer_init(&checkpoint->vocabulary, context->memory, TOKENIZER_LIMIT);
    slm__sha256_init(&checkpoint->hash);
    checkpoint->config.bos = checkpoint->config.pad = -1;
}

void slm__checkpoint_free(struct slm_checkpoint *checkpoint)
{
    slm__adapters_close(checkpoint->adapters);
    slm__buffer_free(&checkpoint->tokenizer);
    slm__buffer_free(&checkpoint->vocabulary);
    slm__tensor_set_free(&checkpoint->set);
    slm__arena_free(&checkpoint->arena);
}

slm_status slm__checkpoint_keep(struct slm_checkpoint *checkpoint, struct slm_span text, struct slm_span *kept, slm_error *error)
{
    const char *copy = slm__arena_text(&checkpoint->arena, text);
    if (copy == NULL) {
        return slm__arena_failure(&checkpoint->arena, error);
    }
    *kept = slm__span(copy, text.length);
    return SLM_OK;
}

slm_status slm__checkpoint_keep_tokens(struct slm_checkpoint *checkpoint, const char *const *names, const struct slm_span *texts,
                                       size_t count, slm_error *error)
{
    struct slm_buffer json;
    slm__buffer_init(&json, checkpoint->context.memory, TOKENS_LIMIT);
    slm__buffer_append_byte(&json, '{');
    for (size_t i = 0; i < count; i++) {
        if (texts[i].data != NULL) {
            slm__buffer_append_text(&json, json.length > 1 ? ", " : "");
            slm__buffer_append_json_string(&json, slm__span_text(names[i]));
            slm__buffer_append_text(&json, ": ");
            slm__buffer_append_json_string(&json, texts[i]);
        }
    }
    slm__buffer_append_byte(&json, '}');
    slm_status status = json.status != SLM_OK ? slm__buffer_failure(&json, error) : SLM_OK;
    if (status == SLM_OK && json.length > 2) {
        status = slm__checkpoint_keep(checkpoint, slm__span(json.data, json.length), &checkpoint->texts.template_tokens, error);
    }
    slm__buffer_free(&json);
    return status;
}

struct slm_source_tensor *slm__checkpoint_find(const struct slm_checkpoint *checkpoint, const char *pattern, uint32_t layer,
                                               uint32_t expert, char name[SLM_SOURCE_NAME_BYTES])
{
    static const char model[] = "model.", tower[] = "vision_tower.", projector[] = "multi_modal_projector.";
    const size_t model_length = sizeof model - 1, tower_length = sizeof tower - 1, projector_length = sizeof projector - 1;
    char plain[SLM_SOURCE_NAME_BYTES];
    slm__rule_name(plain, sizeof plain, pattern, layer, expert);
    if (checkpoint->gguf || checkpoint->prefix == NULL) {
        memcpy(name, plain, sizeof plain);
    } else if (strncmp(plain, tower, tower_length) == 0) {
        snprintf(name, SLM_SOURCE_NAME_BYTES, "%s%.90s", checkpoint->vision_prefix, plain + tower_length);
    } else if (strncmp(plain, projector, projector_length) == 0) {
        snprintf(name, SLM_SOURCE_NAME_BYTES, "%s%.90s", checkpoint->projector_prefix, plain + projector_length);
    } else if (strncmp(plain, model, model_length) == 0) {
        snprintf(name, SLM_SOURCE_NAME_BYTES, "%s%s%.90s", checkpoint->prefix, checkpoint->inner, plain + model_length);
    } else {
        snprintf(name, SLM_SOURCE_NAME_BYTES, "%s%.90s", checkpoint->prefix, plain);
    }
    return slm__tensor_set_find(&checkpoint->set, name);
}

/* Composites name the tensors of their text model, and encoders theirs, in one of three ways: as the embedding is named, all are. */
static void settle_prefix(struct slm_checkpoint *checkpoint)
{
    static const char *const composite[][2] = {{"", "model."}, {"language_model.", "model."}, {"", "model.language_model."}};
    static const char *const encoder[][2] = {{"", "model."}, {"bert.", "model."}, {"roberta.", "model."}};
    const bool encodes = (checkpoint->config.family->flags & SLM_FAMILY_ENCODER) != 0;
    const struct slm_rule_source *embed = &checkpoint->config.family->rules[0].sources[0];
    for (size_t i = 0; i < 3 && (checkpoint->config.composite || encodes); i++) {
        char name[SLM_SOURCE_NAME_BYTES];
        checkpoint->prefix = encodes ? encoder[i][0] : composite[i][0];
        checkpoint->inner = encodes ? encoder[i][1] : composite[i][1];
        if (slm__checkpoint_find(checkpoint, embed->hf, 0, 0, name) != NULL) {
            return;
        }
    }
}

/* The same for the part that sees; a checkpoint without it is a text model. */
static void settle_vision(struct slm_checkpoint *checkpoint)
{
    static const char *const ways[][2] = {{"vision_tower.vision_model.", "multi_modal_projector."},
                                          {"model.vision_tower.vision_model.", "model.multi_modal_projector."},
                                          {"vision_tower.", "multi_modal_projector."},
                                          {"model.vision_tower.", "model.multi_modal_projector."}};
    for (size_t i = 0; checkpoint->config.vision.family != NULL && i < sizeof ways / sizeof ways[0]; i++) {
        char name[SLM_SOURCE_NAME_BYTES];
        checkpoint->vision_prefix = ways[i][0];
        checkpoint->projector_prefix = ways[i][1];
        if (slm__checkpoint_find(checkpoint, "vision_tower.embeddings.patch_embedding.weight", 0, 0, name) != NULL) {
            return;
        }
    }
    checkpoint->config.vision.family = NULL;
}

/* A vector, a matrix, or (stacked not 0) so many matrices in one tensor. */
static slm_status check_shape(const struct slm_checkpoint *checkpoint, const struct slm_source_tensor *source, uint32_t stacked,
                              uint64_t rows, uint64_t cols, bool vector, slm_error *error)
{
    const uint64_t *shape = source->shape;
    bool fits;
    char found[192], wanted[72];
    if (vector) {
        fits = source->dimensions == 1 && shape[0] == rows;
        snprintf(wanted, sizeof wanted, "%" PRIu64, rows);
    } else if (stacked != 0) {
        fits = source->dimensions == 3 && shape[0] == stacked && shape[1] == rows && shape[2] == cols;
        snprintf(wanted, sizeof wanted, "%" PRIu32 " x %" PRIu64 " x %" PRIu64, stacked, rows, cols);
    } else {
        fits = source->dimensions == 2 && shape[0] == rows && shape[1] == cols;
        snprintf(wanted, sizeof wanted, "%" PRIu64 " x %" PRIu64, rows, cols);
    }
    if (fits) {
        return SLM_OK;
    }
    slm__source_shape_text(source, found);
    return slm__fail(error, SLM_E_BAD_VALUE, "%s: tensor %.*s is %s, %s describes %s", checkpoint->set.files[source->file].name,
                     SLM_SPAN_ARGS(source->name), found, checkpoint->described, wanted);
}

/* A source whose rows and columns are exchanged, or whose rows have more dimensions. */
static slm_status check_other_shape(const struct slm_checkpoint *checkpoint, const struct slm_source_tensor *source, bool transposed,
                                    uint64_t rows, uint64_t cols, slm_error *error)
{
    const uint64_t *shape = source->shape;
    char found[192];
    uint64_t length = source->dimensions > 1 ? 1 : 0;
    for (uint32_t d = 1; d < source->dimensions; d++) {
        length = shape[d] != 0 && length > cols / shape[d] ? 0 : length * shape[d];
    }
    if (transposed ? source->dimensions == 2 && shape[0] == cols && shape[1] == rows
                   : source->dimensions > 1 && shape[0] == rows && length == cols) {
        return SLM_OK;
    }
    slm__source_shape_text(source, found);
    return slm__fail(error, SLM_E_BAD_VALUE, "%s: tensor %.*s is %s, %s describes %" PRIu64 " x %" PRIu64,
                     checkpoint->set.files[source->file].name, SLM_SPAN_ARGS(source->name), found, checkpoint->described,
                     transposed ? cols : rows, transposed ? rows : cols);
}

static slm_status check_type(const struct slm_checkpoint *checkpoint, const struct slm_source_tensor *source, bool vector, slm_error *error)
{
    if (!slm__source_is_readable(source) || (vector && !slm__value_type_is_float(source->type))) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "%s: tensor %.*s has type %s, supported here is %s",
                         checkpoint->set.files[source->file].name, SLM_SPAN_ARGS(source->name), source->type->name,
                         vector || !checkpoint->gguf
                             ? "F32, F16, BF16, F64"
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

static slm_status missing(const struct slm_checkpoint *checkpoint, const char *name, slm_error *error)
{
    return slm__fail(error, SLM_E_BAD_VALUE, "%s: tensor %s, which %s describes, is missing",
                     checkpoint->set.file_count == 1 ? checkpoint->set.files[0].name : "the weight files", name, checkpoint->described);
}

static slm_status add_part(struct slm_checkpoint *checkpoint, struct slm_target *target, const struct slm_tensor_rule *rule,
                           const struct slm_rule_source *from, uint32_t layer, uint32_t expert, slm_error *error)
{
    const struct slm_family_config *config = &checkpoint->config;
    const char *pattern = checkpoint->gguf ? from->gguf : from->hf;
    struct slm_target_part *part = &target->parts[target->part_count++];
    char name[SLM_SOURCE_NAME_BYTES];
    struct slm_source_tensor *source = slm__checkpoint_find(checkpoint, pattern, layer, expert, name);
    part->rows = (uint32_t)slm__extent(config, from->rows);
    part->source = source;
    target->rows += part->rows;
    if (source == NULL) {
        return is_free(checkpoint, rule) ? SLM_OK : missing(checkpoint, name, error);
    }
    if (checkpoint->gguf && (config->family->flags & SLM_FAMILY_GGUF_PAIRS) != 0 && from->order == SLM_ROWS_ROTARY) {
        part->pairs = config->head_dim;
    }
    const bool stacked = slm__rule_marks(rule->target) > slm__rule_marks(pattern);
    part->first_row = stacked ? expert * part->rows : from->order == SLM_ROWS_POSITIONS ? config->first_position : 0;
    source->used = true;
    if (from->order == SLM_ROWS_POSITIONS) {
        SLM_TRY(check_shape(checkpoint, source, 0, (uint64_t)part->first_row + part->rows, target->cols, false, error));
        return check_type(checkpoint, source, false, error);
    }
    if (from->order == SLM_ROWS_FIRST) {
        SLM_TRY(check_shape(checkpoint, source, 0, slm__source_rows(source), part->rows, false, error));
        return check_type(checkpoint, source, target->vector, error);
    }
    if ((rule->flags & (SLM_RULE_FOLDED | SLM_RULE_TRANSPOSED)) != 0) {
        const bool transposed = (rule->flags & SLM_RULE_TRANSPOSED) != 0;
        part->transposed = transposed ? slm__arena_take(&checkpoint->arena, sizeof *part->transposed) : NULL;
        if (transposed && part->transposed == NULL) {
            return slm__arena_failure(&checkpoint->arena, error);
        }
        SLM_TRY(check_other_shape(checkpoint, source, transposed, part->rows, target->cols, error));
        return check_type(checkpoint, source, true, error);
    }
    SLM_TRY(check_shape(checkpoint, source, stacked ? config->experts : 0, part->rows, target->cols, target->vector, error));
    return check_type(checkpoint, source, target->vector, error);
}

/* Instead of several sources: one tensor that has the rows of all, where the first of them is not there. */
static slm_status add_fused(struct slm_checkpoint *checkpoint, struct slm_target *target, const struct slm_tensor_rule *rule,
                            uint32_t layer, slm_error *error)
{
    const uint32_t flags = checkpoint->config.family->flags;
    const char *fused = checkpoint->gguf ? rule->gguf_fused : rule->hf_fused;
    char name[SLM_SOURCE_NAME_BYTES];
    if (fused == NULL || (checkpoint->gguf && (flags & SLM_FAMILY_GGUF_PAIRS) != 0)) {
        return SLM_OK;
    }
    if (slm__checkpoint_find(checkpoint, checkpoint->gguf ? rule->sources[0].gguf : rule->sources[0].hf, layer, 0, name) != NULL) {
        return SLM_OK;
    }
    struct slm_source_tensor *source = slm__checkpoint_find(checkpoint, fused, layer, 0, name);
    if (source == NULL) {
        return (flags & SLM_FAMILY_FUSED) != 0 ? missing(checkpoint, name, error) : SLM_OK;
    }
    for (uint32_t i = 0; i < SLM_RULE_SOURCES && rule->sources[i].hf != NULL; i++) {
        target->rows += (uint32_t)slm__extent(&checkpoint->config, rule->sources[i].rows);
    }
    target->parts[target->part_count++] = (struct slm_target_part){.source = source, .rows = target->rows};
    source->used = true;
    SLM_TRY(check_shape(checkpoint, source, 0, target->rows, target->cols, target->vector, error));
    return check_type(checkpoint, source, target->vector, error);
}

/* The target of one rule in one layer, unless it is optional and nothing of it is there. */
static slm_status add_target(struct slm_checkpoint *checkpoint, const struct slm_tensor_rule *rule, uint32_t layer, uint32_t expert,
                             slm_error *error)
{
    struct slm_target *target = &checkpoint->targets[checkpoint->target_count];
    memset(target, 0, sizeof *target);
    slm__rule_name(target->name, sizeof target->name, rule->target, layer, expert);
    target->vector = rule->cols == SLM_EXTENT_ONE;
    target->head_class = (rule->flags & SLM_RULE_HEAD) != 0;
    target->full = (rule->flags & SLM_RULE_F32) != 0;
    target->vision = (rule->flags & SLM_RULE_VISION) != 0;
    target->finer = (rule->flags & SLM_RULE_FINER) != 0;
    target->plus_one =
        (rule->flags & SLM_RULE_NORM) != 0 && !checkpoint->gguf && (checkpoint->config.family->flags & SLM_FAMILY_NORM_PLUS_ONE) != 0;
    target->cols = (uint32_t)slm__extent(&checkpoint->config, rule->cols);
    SLM_TRY(add_fused(checkpoint, target, rule, layer, error));
    bool any = target->part_count > 0;
    for (uint32_t i = 0; i < SLM_RULE_SOURCES && rule->sources[i].hf != NULL && target->part_count <= i; i++) {
        SLM_TRY(add_part(checkpoint, target, rule, &rule->sources[i], layer, expert, error));
        any = any || target->parts[i].source != NULL;
    }
    checkpoint->target_count += any ? 1 : 0;
    return SLM_OK;
}

static uint32_t times_of(const struct slm_checkpoint *checkpoint, const struct slm_tensor_rule *rule, uint32_t layer)
{
    const uint32_t times = slm__rule_times(&checkpoint->config, rule, layer);
    return times == 0 && is_free(checkpoint, rule) ? 1 : times;
}

/* Room for all targets. Each has a row in some file, so that a header can not claim more experts than there are bytes. */
static slm_status take_targets(struct slm_checkpoint *checkpoint, slm_error *error)
{
    const struct slm_family_config *config = &checkpoint->config;
    size_t count = (size_t)config->family->rule_count * config->layers;
    uint64_t stored = 0;
    for (uint32_t i = 0; i < checkpoint->set.tensor_count; i++) {
        stored += checkpoint->set.tensors[i].bytes;
    }
    count += config->vision.family != NULL ? (size_t)config->vision.family->rule_count * config->vision.layers : 0;
    if (config->experts != 0) {
        count += (size_t)2 * config->experts * config->layers;
        if (count / 8 > stored) {
            return slm__fail(error, SLM_E_TRUNCATED,
                             "the weight files have %" PRIu64 " bytes, too few for the %" PRIu32 " experts in %" PRIu32
                             " layers that %s describes",
                             stored, config->experts, config->layers, checkpoint->described);
        }
    }
    size_t bytes;
    if (!slm__size_mul(count, sizeof *checkpoint->targets, &bytes)) {
        return slm__fail_memory(error, UINT64_MAX);
    }
    checkpoint->targets = slm__arena_take(&checkpoint->arena, bytes);
    return checkpoint->targets != NULL ? SLM_OK : slm__arena_failure(&checkpoint->arena, error);
}

static slm_status add_targets(struct slm_checkpoint *checkpoint, slm_error *error)
{
    const struct slm_family_config *config = &checkpoint->config;
    const struct slm_family *family = config->family;
    SLM_TRY(take_targets(checkpoint, error));
    for (uint32_t r = 0; r < family->rule_count; r++) { /* outside the layers first: their sizes are the usual mistakes */
        const struct slm_tensor_rule *rule = &family->rules[r];
        if (slm__rule_marks(rule->target) == 0 && slm__rule_times(config, rule, 0) != 0) {
            SLM_TRY(add_target(checkpoint, rule, 0, 0, error));
        }
    }
    for (uint32_t layer = 0; layer < config->layers; layer++) {
        for (uint32_t r = 0; r < family->rule_count; r++) {
            const struct slm_tensor_rule *rule = &family->rules[r];
            const uint32_t times = slm__rule_marks(rule->target) > 0 ? times_of(checkpoint, rule, layer) : 0;
            for (uint32_t expert = 0; expert < times; expert++) {
                SLM_TRY(add_target(checkpoint, rule, layer, expert, error));
            }
        }
    }
    return SLM_OK;
}

static slm_status add_vision_targets(struct slm_checkpoint *checkpoint, slm_error *error)
{
    const struct slm_vision_config *vision = &checkpoint->config.vision;
    for (uint32_t r = 0; vision->family != NULL && r < vision->family->rule_count; r++) {
        const struct slm_tensor_rule *rule = &vision->family->rules[r];
        const uint32_t times = slm__rule_marks(rule->target) > 0 ? vision->layers : 1;
        for (uint32_t layer = 0; layer < times; layer++) {
            SLM_TRY(add_target(checkpoint, rule, layer, 0, error));
        }
    }
    return SLM_OK;
}

slm_status slm__checkpoint_plan(struct slm_checkpoint *checkpoint, slm_error *error)
{
    settle_prefix(checkpoint);
    settle_vision(checkpoint);
    SLM_TRY(slm__checkpoint_settle_head(checkpoint, error));
    SLM_TRY(add_targets(checkpoint, error));
    SLM_TRY(add_vision_targets(checkpoint, error));
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

static uint32_t row_in_source(const struct slm_target_part *part, uint32_t row)
{
    return part->first_row + slm__row_of_pairs(part->pairs, row);
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

/* Column `column` of a source that is held whole. */
static void read_column(const struct slm_target_part *part, uint32_t column, uint32_t rows, float *out)
{
    const struct slm_value_type *type = part->source->type;
    const size_t row_bytes = (size_t)slm__source_row_bytes(part->source);
    for (uint32_t i = 0; i < rows; i++) {
        type->decode(*part->transposed + i * row_bytes + (size_t)column * type->block_bytes, 1, out + i);
    }
}

/* All bytes of a transposed source. */
static slm_status hold_transposed(const struct slm_checkpoint *checkpoint, const struct slm_target_part *part, slm_error *error)
{
    const size_t row_bytes = (size_t)slm__source_row_bytes(part->source);
    if (part->transposed == NULL) {
        return SLM_OK;
    }
    *part->transposed = slm__allocate(checkpoint->context.memory, (size_t)part->source->bytes, 64);
    if (*part->transposed == NULL) {
        return slm__fail_memory(error, part->source->bytes);
    }
    for (uint64_t row = 0; row < slm__source_rows(part->source); row++) {
        SLM_TRY(slm__source_read_raw(&checkpoint->set, part->source, row, *part->transposed + row * row_bytes, error));
    }
    return SLM_OK;
}

static void release_transposed(const struct slm_checkpoint *checkpoint, const struct slm_target_part *part)
{
    if (part->transposed != NULL) {
        slm__release(checkpoint->context.memory, *part->transposed, (size_t)part->source->bytes);
        *part->transposed = NULL;
    }
}

slm_status slm__target_read_row(const struct slm_checkpoint *checkpoint, const struct slm_target *target, uint32_t row, uint8_t *raw,
                                float *out, slm_error *error)
{
    const struct slm_target_part *part = part_of_row(target, &row);
    if (part->transposed != NULL) {
        read_column(part, row, target->cols, out);
        return SLM_OK;
    }
    const uint32_t cols = (uint32_t)slm__source_cols(part->source),
                   folds = target->cols / cols; /* more than 1: a source of more dimensions */
    for (uint32_t i = 0; i < folds; i++) {
        const uint64_t source_row = (uint64_t)row_in_source(part, row) * folds + i;
        SLM_TRY(slm__source_read_row(&checkpoint->set, part->source, source_row, raw, out + (size_t)i * cols, error));
    }
    slm__adapter_deltas_add(part->deltas, row, out, target->cols);
    return SLM_OK;
}

bool slm__target_row_steps(const struct slm_target *target, uint32_t row, const uint8_t *raw, float *steps, float *zeros)
{
    const struct slm_target_part *part = part_of_row(target, &row);
    return part->deltas == NULL && slm__source_row_steps(part->source, row_in_source(part, row), raw, steps, zeros);
}

bool slm__target_keeps_codes(const struct slm_target *target, enum slm_weight_type type)
{
    bool all = target->cols % SLM_GROUP == 0;
    for (uint32_t i = 0; i < target->part_count; i++) {
        const struct slm_target_part *part = &target->parts[i];
        all = all && part->source != NULL && part->deltas == NULL && slm__source_keeps_codes(part->source, type == SLM_WEIGHT_I4);
    }
    return all && (type == SLM_WEIGHT_I4 || type == SLM_WEIGHT_I8);
}

slm_status slm__target_hold(const struct slm_checkpoint *checkpoint, const struct slm_target *target, slm_error *error)
{
    const struct slm_memory *memory = checkpoint->context.memory;
    slm_status status = SLM_OK;
    for (uint32_t i = 0; i < target->part_count && status == SLM_OK; i++) {
        const struct slm_target_part *part = &target->parts[i];
        status = part->source != NULL ? slm__source_hold(&checkpoint->set, part->source, memory, error) : SLM_OK;
        status = status == SLM_OK ? hold_transposed(checkpoint, part, error) : status;
        status = status == SLM_OK ? slm__adapter_deltas_hold(part->deltas, memory, error) : status;
    }
    if (status != SLM_OK) {
        slm__target_release(checkpoint, target);
    }
    return status;
}

void slm__target_release(const struct slm_checkpoint *checkpoint, const struct slm_target *target)
{
    for (uint32_t i = 0; i < target->part_count; i++) {
        if (target->parts[i].source != NULL) {
            slm__source_release(target->parts[i].source, checkpoint->context.memory);
            release_transposed(checkpoint, &target->parts[i]);
        }
        slm__adapter_deltas_release(target->parts[i].deltas, checkpoint->context.memory);
    }
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
                out[i] = target->plus_one ? 1.0f + out[i] : out[i];
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
        all = all && target->parts[i].source != NULL && slm__value_type_is_q8_0(target->parts[i].source->type) &&
              target->parts[i].deltas == NULL;
    }
    return all;
}

slm_status slm__target_read_blocks(const struct slm_checkpoint *checkpoint, const struct slm_target *target, uint32_t row, uint8_t *raw,
                                   slm_error *error)
{
    const struct slm_target_part *part = part_of_row(target, &row);
    return slm__source_read_raw(&checkpoint->set, part->source, row_in_source(part, row), raw, error);
}

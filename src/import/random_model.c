/* SPDX-License-Identifier: MIT */
/* Random panels, written as codes: nothing is quantized, so that a large model takes a second. Each panel has a generator of its own,
 * seeded by its place, so that threads do not matter. */
#include "import/random_model.h"

#include "base/byte_reader.h"      /* slm__store_u32 */
#include "base/json.h"             /* slm__json_parse */
#include "base/random.h"           /* struct slm_random */
#include "format/format_layout.h"  /* SLM_TENSOR_... kinds */
#include "format/sink_memory.h"    /* struct slm_sink_memory */
#include "import/hf_config.h"      /* slm__hf_config_read */
#include "import/model_metadata.h" /* slm__write_traits */
#include "import/rope_tensors.h"   /* struct slm_rope_tensors */
#include "import/weight_stream.h"  /* slm__finer_type */
#include <math.h>                  /* sqrtf, frexpf */

static const uint64_t BATCH_BYTES = (uint64_t)8 << 20;
static const uint64_t IMAGE_LIMIT = (uint64_t)1 << 42;
static const size_t TREE_LIMIT = (size_t)64 << 20;

/* One tensor to be filled in. */
struct random_tensor {
    bool vector;
    bool zeros; /* a bias */
    enum slm_weight_type type;
    uint32_t rows, cols, id;
};

struct random_model {
    const struct slm_import_context *context;
    struct slm_arena arena;
    struct slm_family_config config;
    struct slm_weight_writer *writer;
    struct random_tensor *tensors;
    uint32_t tensor_count;
    uint64_t seed;
    /* the batch on its way */
    const struct random_tensor *tensor;
    uint32_t first_panel;
    uint8_t *batch;
    size_t batch_bytes;
};

/* ---- one panel */

static uint32_t f16_bits(float value) /* positive, normal in f16 */
{
    int exponent;
    const float mantissa = frexpf(value, &exponent); /* 0.5 .. 1 */
    return (uint32_t)(exponent + 14) << 10 | (uint32_t)(mantissa * 2048.0f - 1024.0f);
}

static void store_f32(uint8_t *bytes, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    slm__store_u32(bytes, bits);
}

/* Codes need speed more than quality: a multiplicative hash (the finalizer of splitmix64) of a counter. Planes are multiples of 64
 * bytes. */
static void fill_bytes(struct slm_random *random, uint8_t *bytes, uint64_t length)
{
    uint64_t counter = slm__random_u64(random);
    for (uint64_t i = 0; i < length; i += 8) {
        uint64_t mixed = counter += 0x9e3779b97f4a7c15u;
        mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
        mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
        mixed ^= mixed >> 31;
        memcpy(bytes + i, &mixed, sizeof mixed);
    }
}

/* Uniform codes have a deviation of (range / sqrt 12) steps; the step makes a row's length one. */
static void fill_i8(struct slm_random *random, uint8_t *panel, uint32_t cols)
{
    const uint32_t groups = slm__padded_cols(cols) / SLM_GROUP;
    const uint32_t scale = f16_bits(1.0f / (73.9f * sqrtf((float)cols)));
    fill_bytes(random, panel, slm__i8_scales_offset(groups));
    uint8_t *scales = panel + slm__i8_scales_offset(groups);
    memset(scales, 0, (size_t)slm__align64((uint64_t)groups * 32));
    for (size_t i = 0; i < (size_t)groups * 16; i++) {
        scales[2 * i] = (uint8_t)scale;
        scales[2 * i + 1] = (uint8_t)(scale >> 8);
    }
}

/* scale byte 0xf0: 2^(15 - 16) = 0.5, zero 120: 7.5 steps of 16 (the zero counts sixteenths, and so does the row) */
static void fill_i4(struct slm_random *random, uint8_t *panel, uint32_t cols)
{
    const uint32_t groups = slm__padded_cols(cols) / SLM_GROUP;
    const size_t plane = (size_t)slm__align64((uint64_t)groups * 16);
    fill_bytes(random, panel, slm__i4_scales_offset(groups));
    memset(panel + slm__i4_scales_offset(groups), 0, 2 * plane);
    memset(panel + slm__i4_scales_offset(groups), 0xf0, (size_t)groups * 16);
    memset(panel + slm__i4_zeros_offset(groups), 120, (size_t)groups * 16);
    for (int r = 0; r < SLM_PANEL_ROWS; r++) {
        store_f32(panel + slm__i4_rows_offset(groups) + 4 * r, 1.0f / (16.0f * 4.61f * 0.5f * sqrtf((float)cols)));
    }
}

/* Uniform in +-sqrt(3 / cols). */
static void fill_float(struct slm_random *random, enum slm_weight_type type, uint8_t *panel, uint32_t cols)
{
    const float range = 2.0f * sqrtf(3.0f / (float)cols);
    const size_t count = (size_t)slm__padded_cols(cols) * SLM_PANEL_ROWS, used = (size_t)cols * SLM_PANEL_ROWS;
    for (size_t i = 0; i < count; i++) {
        const float value = i < used ? ((float)slm__random_unit(random) - 0.5f) * range : 0.0f;
        uint32_t bits = 0;
        memcpy(&bits, &value, sizeof bits);
        if (type == SLM_WEIGHT_F32) {
            slm__store_u32(panel + 4 * i, bits);
        } else {
            const float magnitude = value < 0.0f ? -value : value;
            const uint32_t half = type == SLM_WEIGHT_BF16 ? bits >> 16
                                  : magnitude < 1e-4f     ? 0
                                                          : f16_bits(magnitude) | (bits >> 16 & 0x8000u);
            panel[2 * i] = (uint8_t)half;
            panel[2 * i + 1] = (uint8_t)(half >> 8);
        }
    }
}

static void fill_panels(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct random_model *model = context;
    const struct random_tensor *tensor = model->tensor;
    const uint64_t bytes = slm__panel_bytes(tensor->type, tensor->cols);
    (void)thread;
    for (uint32_t i = begin; i < end; i++) {
        struct slm_random random;
        uint8_t *panel = model->batch + i * bytes;
        slm__random_seed(&random, model->seed ^ ((uint64_t)tensor->id << 32 | (model->first_panel + i)));
        if (tensor->type == SLM_WEIGHT_I8) {
            fill_i8(&random, panel, tensor->cols);
        } else if (tensor->type == SLM_WEIGHT_I4) {
            fill_i4(&random, panel, tensor->cols);
        } else {
            fill_float(&random, tensor->type, panel, tensor->cols);
        }
    }
}

/* ---- declaring */

static slm_status declare_one(struct random_model *model, const struct slm_weight_types *types, const struct slm_tensor_rule *rule,
                              uint32_t layer, uint32_t expert, slm_error *error)
{
    struct random_tensor *tensor = &model->tensors[model->tensor_count++];
    char name[64];
    slm__rule_name(name, sizeof name, rule->target, layer, expert);
    tensor->vector = rule->cols == SLM_EXTENT_ONE;
    tensor->zeros = strstr(rule->target, "bias") != NULL;
    tensor->type = tensor->vector || (rule->flags & SLM_RULE_F32) != 0 ? SLM_WEIGHT_F32
                   : (rule->flags & SLM_RULE_HEAD) != 0                ? types->head
                   : (rule->flags & SLM_RULE_FINER) != 0               ? slm__finer_type(types->body)
                                                                       : types->body;
    tensor->cols = (uint32_t)slm__extent(&model->config, rule->cols);
    for (int s = 0; s < SLM_RULE_SOURCES && rule->sources[s].hf != NULL; s++) {
        tensor->rows += (uint32_t)slm__extent(&model->config, rule->sources[s].rows);
    }
    return slm__writer_add_tensor(model->writer, name, tensor->vector ? SLM_TENSOR_VECTOR : SLM_TENSOR_MATRIX, tensor->type, tensor->rows,
                                  tensor->cols, &tensor->id, error);
}

static slm_status declare(struct random_model *model, const struct slm_weight_types *types, slm_error *error)
{
    const struct slm_family_config *config = &model->config;
    const struct slm_family *family = config->family;
    const size_t most = ((size_t)family->rule_count + 2 * (size_t)config->experts) * config->layers;
    model->tensors = slm__arena_take(&model->arena, most * sizeof *model->tensors);
    if (model->tensors == NULL) {
        return slm__arena_failure(&model->arena, error);
    }
    for (uint32_t r = 0; r < family->rule_count; r++) {
        const struct slm_tensor_rule *rule = &family->rules[r];
        const uint32_t layers = slm__rule_marks(rule->target) > 0 ? config->layers : 1;
        for (uint32_t layer = 0; layer < layers; layer++) {
            const uint32_t times = slm__rule_times(config, rule, layer);
            for (uint32_t expert = 0; expert < times; expert++) {
                SLM_TRY(declare_one(model, types, rule, layer, expert, error));
            }
        }
    }
    return SLM_OK;
}

/* ---- writing */

static slm_status take_batch(struct random_model *model, slm_error *error)
{
    uint64_t largest = BATCH_BYTES;
    for (uint32_t i = 0; i < model->tensor_count; i++) {
        const struct random_tensor *tensor = &model->tensors[i];
        const uint64_t bytes = tensor->vector ? (uint64_t)slm__padded_rows(tensor->rows) * 4 : slm__panel_bytes(tensor->type, tensor->cols);
        largest = bytes > largest ? bytes : largest;
    }
    model->batch_bytes = (size_t)largest;
    model->batch = slm__allocate(model->context->memory, model->batch_bytes, 64);
    return model->batch != NULL ? SLM_OK : slm__fail_memory(error, largest);
}

static slm_status write_matrix(struct random_model *model, slm_error *error)
{
    const struct random_tensor *tensor = model->tensor;
    const uint64_t panel_bytes = slm__panel_bytes(tensor->type, tensor->cols), fitting = model->batch_bytes / panel_bytes;
    const uint32_t panels = slm__padded_rows(tensor->rows) / SLM_PANEL_ROWS;
    for (model->first_panel = 0; model->first_panel < panels;) {
        const uint32_t left = panels - model->first_panel, count = fitting < left ? (uint32_t)fitting : left;
        slm__team_for(model->context->team, count, 1, fill_panels, model);
        SLM_TRY(slm__writer_write_tensor(model->writer, tensor->id, model->batch, (size_t)(count * panel_bytes), error));
        model->first_panel += count;
    }
    return SLM_OK;
}

static slm_status write_vector(struct random_model *model, slm_error *error)
{
    const struct random_tensor *tensor = model->tensor;
    const size_t bytes = (size_t)slm__padded_rows(tensor->rows) * 4;
    memset(model->batch, 0, bytes);
    for (uint32_t i = 0; i < tensor->rows && !tensor->zeros; i++) {
        store_f32(model->batch + 4 * (size_t)i, 1.0f);
    }
    return slm__writer_write_tensor(model->writer, tensor->id, model->batch, bytes, error);
}

static slm_status write_image(struct random_model *model, const struct slm_weight_types *types, slm_error *error)
{
    struct slm_rope_tensors frequencies;
    SLM_TRY(slm__writer_meta_text(model->writer, "general.name", slm__span_text("random weights"), error));
    SLM_TRY(slm__writer_meta_text(model->writer, "source.format", slm__span_text("random"), error));
    SLM_TRY(slm__write_traits(model->writer, &model->config, error));
    SLM_TRY(declare(model, types, error));
    SLM_TRY(slm__rope_tensors_declare(&model->config, model->writer, &frequencies, error));
    SLM_TRY(take_batch(model, error));
    SLM_TRY(slm__writer_begin(model->writer, error));
    SLM_TRY(slm__rope_tensors_write(&model->config, model->writer, &frequencies, error));
    for (uint32_t i = 0; i < model->tensor_count; i++) {
        model->tensor = &model->tensors[i];
        SLM_TRY(model->tensor->vector ? write_vector(model, error) : write_matrix(model, error));
    }
    return slm__writer_finish(model->writer, error);
}

static slm_status read_config(struct random_model *model, struct slm_span text, slm_error *error)
{
    struct slm_arena tree;
    const struct slm_json *root = NULL;
    slm__arena_init(&tree, model->context->memory, TREE_LIMIT);
    slm_status status = slm__json_parse(&tree, text, &root, error);
    if (status == SLM_OK) {
        status = slm__hf_config_read(root, &model->config, model->context->log, error);
    }
    slm__arena_free(&tree);
    return status == SLM_OK ? SLM_OK : slm__fail_in(error, status, "the configuration");
}

slm_status slm__random_model_write(const struct slm_import_context *context, struct slm_span config_json,
                                   const struct slm_weight_types *types, uint64_t seed, struct slm_weight_writer *writer, slm_error *error)
{
    struct random_model model = {.context = context, .writer = writer, .seed = seed * 0x9e3779b97f4a7c15u};
    SLM_TRY(read_config(&model, config_json, error));
    slm__arena_init(&model.arena, context->memory, TREE_LIMIT);
    const slm_status status = write_image(&model, types, error);
    slm__release(context->memory, model.batch, model.batch_bytes);
    slm__arena_free(&model.arena);
    return status;
}

slm_status slm__random_model_build(const struct slm_import_context *context, struct slm_span config_json,
                                   const struct slm_weight_types *types, uint64_t seed, struct slm_span *image, slm_error *error)
{
    struct slm_sink_memory target;
    struct slm_weight_writer writer;
    slm__sink_memory_init(&target, context->memory, IMAGE_LIMIT);
    const struct slm_sink sink = slm__sink_memory(&target);
    slm__writer_init(&writer, context->memory, &sink);
    const slm_status status = slm__random_model_write(context, config_json, types, seed, &writer, error);
    slm__writer_free(&writer);
    if (status != SLM_OK) {
        slm__sink_memory_free(&target);
        return status;
    }
    *image = slm__span(target.data, (size_t)target.size);
    return SLM_OK;
}

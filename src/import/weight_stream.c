/* SPDX-License-Identifier: MIT */
/* The result does not depend on threads: a panel is encoded by one thread alone, panels are written in order, and sums of errors are added
 * panel by panel in order. */
#include "import/weight_stream.h"

#include "base/byte_reader.h"     /* slm__store_u32 */
#include "format/format_layout.h" /* SLM_TENSOR_... kinds */
#include "format/weight_encode.h" /* slm__encode_panel */
#include "base/heap_sort.h"       /* slm__heap_sort */
#include "kernels/half_bits.h"    /* slm__f32_to_f16, slm__f16_to_f32 */
#include <inttypes.h>             /* PRIu32 */
#include <math.h>                 /* sqrt, isfinite */

static const uint64_t BATCH_BYTES = (uint64_t)32 << 20;

/* What became of one panel. */
struct panel_result {
    slm_status status;
    struct slm_encode_error sums;
};

/* One target on its way. */
struct stream {
    struct slm_checkpoint *checkpoint;
    const struct slm_target *target;
    enum slm_weight_type type;
    bool keep_codes; /* Q8_0 to i8, as stored */
    uint64_t panel_bytes;
    uint32_t first_panel; /* of the batch */
    uint8_t *batch;
    size_t batch_bytes;
    struct panel_result *results; /* one for each panel of a batch */
    size_t result_bytes;
    uint8_t *scratch; /* thread_bytes for each thread: rows, raw bytes, steps and zeros, codes, the encoder's own */
    size_t thread_bytes, scratch_bytes;
    size_t raw_offset, steps_offset, codes_offset, encode_offset;
};

enum slm_weight_type slm__finer_type(enum slm_weight_type type)
{
    return type == SLM_WEIGHT_I8 ? SLM_WEIGHT_F16 : type == SLM_WEIGHT_I4 ? SLM_WEIGHT_I8 : type;
}

enum slm_weight_type slm__target_type(const struct slm_target *target, const struct slm_weight_types *types)
{
    const enum slm_weight_type body = target->finer ? slm__finer_type(types->body) : types->body;
    return target->vector || target->full ? SLM_WEIGHT_F32 : target->head_class ? types->head : body;
}

slm_status slm__weights_declare(const struct slm_checkpoint *checkpoint, const struct slm_weight_types *types,
                                struct slm_weight_writer *writer, uint32_t *ids, slm_error *error)
{
    for (uint32_t i = 0; i < checkpoint->target_count; i++) {
        const struct slm_target *target = &checkpoint->targets[i];
        SLM_TRY(slm__writer_add_tensor(writer, target->name, target->vector ? SLM_TENSOR_VECTOR : SLM_TENSOR_MATRIX,
                                       slm__target_type(target, types), target->rows, target->cols, &ids[i], error));
    }
    return SLM_OK;
}

/* ---- one panel */

static slm_status bad_value(const struct stream *stream, uint32_t row, uint32_t col, slm_error *error)
{
    return slm__fail(error, SLM_E_BAD_VALUE,
                     "tensor %s: the value in row %" PRIu32 ", column %" PRIu32 " is not finite, or too large for %s", stream->target->name,
                     row, col, stream->type == SLM_WEIGHT_F16 ? "f16" : "the type");
}

/* Codes and f16 scales of Q8_0 blocks, exactly. */
static slm_status keep_codes(const struct stream *stream, uint32_t first_row, uint32_t rows, uint8_t *area, uint8_t *panel,
                             slm_error *error)
{
    const uint32_t cols = stream->target->cols, groups = cols / SLM_GROUP;
    const int8_t *codes[SLM_PANEL_ROWS] = {NULL};
    const uint16_t *scales[SLM_PANEL_ROWS] = {NULL};
    for (uint32_t r = 0; r < rows; r++) {
        uint8_t *raw = area + stream->raw_offset;
        int8_t *row_codes = (int8_t *)area + (size_t)r * cols;
        uint16_t *row_scales = (uint16_t *)(void *)(area + (size_t)SLM_PANEL_ROWS * cols) + (size_t)r * groups;
        SLM_TRY(slm__target_read_blocks(stream->checkpoint, stream->target, first_row + r, raw, error));
        for (uint32_t g = 0; g < groups; g++) {
            const uint8_t *block = raw + (size_t)g * 34;
            row_scales[g] = (uint16_t)(block[0] | block[1] << 8);
            if ((row_scales[g] & 0x7c00) == 0x7c00) {
                return bad_value(stream, first_row + r, g * SLM_GROUP, error);
            }
            memcpy(row_codes + (size_t)g * SLM_GROUP, block + 2, SLM_GROUP);
        }
        codes[r] = row_codes;
        scales[r] = row_scales;
    }
    slm__encode_panel_i8_codes(codes, scales, rows, cols, panel);
    return SLM_OK;
}

/* Rows that are whole multiples of one f16 step in each group, exactly; false when one of them is not. */
static bool keep_multiples(const struct stream *stream, const float *const rows[16], const struct slm_i4_steps *steps, uint32_t row_count,
                           uint8_t *area, uint8_t *panel)
{
    const uint32_t cols = stream->target->cols, groups = cols / SLM_GROUP;
    const int8_t *codes[SLM_PANEL_ROWS] = {NULL};
    const uint16_t *scales[SLM_PANEL_ROWS] = {NULL};
    for (uint32_t r = 0; r < row_count; r++) {
        int8_t *row_codes = (int8_t *)area + stream->codes_offset + (size_t)r * cols;
        uint16_t *row_scales = (uint16_t *)(void *)(area + stream->codes_offset + (size_t)SLM_PANEL_ROWS * cols) + (size_t)r * groups;
        if (steps->step[r] == NULL) {
            return false;
        }
        for (uint32_t k = 0; k < cols; k++) {
            const float step = steps->step[r][k / SLM_GROUP], code = step != 0.0f ? rows[r][k] / step : 0.0f;
            row_scales[k / SLM_GROUP] = slm__f32_to_f16(step);
            if (slm__f16_to_f32(row_scales[k / SLM_GROUP]) != step || !(code >= -128.0f && code <= 127.0f) ||
                (float)(int8_t)code * step != rows[r][k]) {
                return false;
            }
            row_codes[k] = (int8_t)code;
        }
        codes[r] = row_codes;
        scales[r] = row_scales;
    }
    slm__encode_panel_i8_codes(codes, scales, row_count, cols, panel);
    return true;
}

static slm_status encode(const struct stream *stream, uint32_t panel_index, uint8_t *area, uint8_t *panel, struct slm_encode_error *sums,
                         slm_error *error)
{
    const struct slm_target *target = stream->target;
    const uint32_t first_row = panel_index * SLM_PANEL_ROWS, left = target->rows - first_row;
    const uint32_t rows = left < SLM_PANEL_ROWS ? left : SLM_PANEL_ROWS;
    if (stream->keep_codes) {
        return keep_codes(stream, first_row, rows, area, panel, error);
    }
    const float *pointers[SLM_PANEL_ROWS] = {NULL};
    struct slm_i4_steps steps = {{NULL}, {NULL}};
    const bool wants_steps = (stream->type == SLM_WEIGHT_I4 || stream->type == SLM_WEIGHT_I8) && target->cols % SLM_GROUP == 0;
    bool some = false;
    for (uint32_t r = 0; r < rows; r++) {
        float *row = (float *)(void *)area + (size_t)r * target->cols;
        float *step = (float *)(void *)(area + stream->steps_offset) + (size_t)2 * r * (target->cols / SLM_GROUP);
        SLM_TRY(slm__target_read_row(stream->checkpoint, target, first_row + r, area + stream->raw_offset, row, error));
        pointers[r] = row;
        steps.zero[r] = step + target->cols / SLM_GROUP;
        if (wants_steps && slm__target_row_steps(target, first_row + r, area + stream->raw_offset, step, step + target->cols / SLM_GROUP)) {
            steps.step[r] = step;
            some = true;
        }
    }
    uint8_t *scratch = area + stream->encode_offset;
    uint32_t bad_row = 0, bad_col = 0;
    if (some && stream->type == SLM_WEIGHT_I8 && keep_multiples(stream, pointers, &steps, rows, area, panel)) {
        return SLM_OK;
    }
    const slm_status status =
        some && stream->type == SLM_WEIGHT_I4
            ? slm__encode_panel_i4_codes(pointers, &steps, rows, target->cols, panel, scratch, sums, &bad_row, &bad_col)
            : slm__encode_panel(stream->type, pointers, rows, target->cols, panel, scratch, sums, &bad_row, &bad_col);
    return status == SLM_OK ? SLM_OK : bad_value(stream, first_row + bad_row, bad_col, error);
}

static void encode_panels(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    struct stream *stream = context;
    for (uint32_t i = begin; i < end; i++) {
        struct panel_result *result = &stream->results[i];
        memset(result, 0, sizeof *result);
        result->status = encode(stream, stream->first_panel + i, stream->scratch + thread * stream->thread_bytes,
                                stream->batch + i * stream->panel_bytes, &result->sums, NULL);
    }
}

/* ---- one target */

static slm_status stream_matrix(struct stream *stream, struct slm_weight_writer *writer, uint32_t id, struct slm_import_progress *progress,
                                double *relative, slm_error *error)
{
    const uint32_t panels = slm__padded_rows(stream->target->rows) / SLM_PANEL_ROWS;
    const uint64_t fitting = stream->batch_bytes / stream->panel_bytes;
    struct slm_encode_error sums = {0.0, 0.0};
    for (stream->first_panel = 0; stream->first_panel < panels;) {
        const uint32_t left = panels - stream->first_panel, count = fitting < left ? (uint32_t)fitting : left;
        slm__team_for(stream->checkpoint->context.team, count, 1, encode_panels, stream);
        for (uint32_t i = 0; i < count; i++) {
            const struct panel_result *result = &stream->results[i];
            if (result->status != SLM_OK) { /* once more, for its sentence */
                const slm_status status = encode(stream, stream->first_panel + i, stream->scratch, stream->batch, NULL, error);
                return status != SLM_OK ? status : slm__fail(error, result->status, "tensor %s could not be read", stream->target->name);
            }
            sums.error += result->sums.error;
            sums.energy += result->sums.energy;
        }
        const size_t bytes = (size_t)(count * stream->panel_bytes);
        SLM_TRY(slm__writer_write_tensor(writer, id, stream->batch, bytes, error));
        SLM_TRY(slm__import_advance(progress, bytes, stream->target->name, error));
        stream->first_panel += count;
    }
    *relative = sums.energy > 0.0 ? sqrt(sums.error / sums.energy) : 0.0;
    return SLM_OK;
}

void slm__floats_to_bytes(const float *values, uint32_t count, uint8_t *bytes)
{
    const uint32_t padded = slm__padded_rows(count);
    for (uint32_t i = 0; i < padded; i++) {
        uint32_t bits = 0;
        if (i < count) {
            memcpy(&bits, &values[i], sizeof bits);
        }
        slm__store_u32(bytes + 4 * (size_t)i, bits);
    }
}

/* The vectors of a model are small: values in the first half of the batch, bytes in the second. */
static slm_status stream_vector(struct stream *stream, struct slm_weight_writer *writer, uint32_t id, struct slm_import_progress *progress,
                                slm_error *error)
{
    float *values = (float *)(void *)stream->batch;
    const struct slm_target *target = stream->target;
    SLM_TRY(slm__target_read_vector(stream->checkpoint, target, stream->scratch + stream->raw_offset, values, error));
    for (uint32_t i = 0; i < target->rows; i++) {
        if (!isfinite(values[i])) {
            return slm__fail(error, SLM_E_BAD_VALUE, "tensor %s: value %" PRIu32 " is not finite", target->name, i);
        }
    }
    uint8_t *bytes = stream->batch + stream->batch_bytes / 2;
    const size_t length = (size_t)slm__padded_rows(target->rows) * 4;
    slm__floats_to_bytes(values, target->rows, bytes);
    SLM_TRY(slm__writer_write_tensor(writer, id, bytes, length, error));
    return slm__import_advance(progress, length, target->name, error);
}

/* ---- all */

/* Sizes for the largest target. */
static slm_status take_areas(struct stream *stream, const struct slm_weight_types *types, slm_error *error)
{
    const struct slm_checkpoint *checkpoint = stream->checkpoint;
    uint64_t raw = 0, largest = BATCH_BYTES, smallest = BATCH_BYTES;
    uint32_t cols = SLM_GROUP;
    for (uint32_t i = 0; i < checkpoint->target_count; i++) {
        const struct slm_target *target = &checkpoint->targets[i];
        const uint64_t bytes = slm__target_raw_bytes(target);
        raw = bytes > raw ? bytes : raw;
        if (target->vector) {
            const uint64_t twice = (uint64_t)slm__padded_rows(target->rows) * 8;
            largest = twice > largest ? twice : largest;
        } else {
            const uint64_t panel = slm__panel_bytes(slm__target_type(target, types), target->cols);
            largest = panel > largest ? panel : largest;
            smallest = panel < smallest ? panel : smallest;
            cols = target->cols > cols ? target->cols : cols;
        }
    }
    const struct slm_memory *memory = checkpoint->context.memory;
    stream->raw_offset = (size_t)slm__align64((uint64_t)cols * SLM_PANEL_ROWS * sizeof(float));
    const size_t groups = (size_t)SLM_PANEL_ROWS * slm__padded_cols(cols) / SLM_GROUP; /* of a panel */
    stream->steps_offset = stream->raw_offset + (size_t)slm__align64(raw);
    stream->codes_offset = stream->steps_offset + (size_t)slm__align64(groups * 2 * sizeof(float));
    stream->encode_offset = stream->codes_offset + (size_t)slm__align64(groups * (SLM_GROUP + sizeof(uint16_t)));
    stream->thread_bytes = stream->encode_offset + (size_t)slm__align64(slm__encode_scratch(cols));
    stream->batch_bytes = (size_t)slm__round_up(largest, 128);
    stream->result_bytes = (size_t)(stream->batch_bytes / smallest) * sizeof *stream->results;
    if (!slm__size_mul(stream->thread_bytes, slm__team_threads(checkpoint->context.team), &stream->scratch_bytes)) {
        return slm__fail_memory(error, UINT64_MAX);
    }
    stream->batch = slm__allocate(memory, stream->batch_bytes, 64);
    stream->results = slm__allocate(memory, stream->result_bytes, 64);
    stream->scratch = slm__allocate(memory, stream->scratch_bytes, 64);
    if (stream->batch == NULL || stream->results == NULL || stream->scratch == NULL) {
        return slm__fail_memory(error, (uint64_t)stream->batch_bytes + stream->result_bytes + stream->scratch_bytes);
    }
    return SLM_OK;
}

static void give_areas(struct stream *stream)
{
    const struct slm_memory *memory = stream->checkpoint->context.memory;
    slm__release(memory, stream->batch, stream->batch_bytes);
    slm__release(memory, stream->results, stream->result_bytes);
    slm__release(memory, stream->scratch, stream->scratch_bytes);
}

static bool double_less(const void *items, uint32_t a, uint32_t b)
{
    const double *values = items;
    return values[a] < values[b];
}

static void double_swap(void *items, uint32_t a, uint32_t b)
{
    double *values = items, saved = values[a];
    values[a] = values[b];
    values[b] = saved;
}

static double median(double *values, uint32_t count)
{
    if (count == 0) {
        return 0.0;
    }
    slm__heap_sort(values, count, double_less, double_swap);
    return count % 2 != 0 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static slm_status stream_targets(struct stream *stream, const struct slm_weight_types *types, struct slm_weight_writer *writer,
                                 const uint32_t *ids, struct slm_import_progress *progress, struct slm_weight_errors *errors,
                                 slm_error *error)
{
    struct slm_checkpoint *checkpoint = stream->checkpoint;
    double *body = slm__arena_take(&checkpoint->arena, checkpoint->target_count * sizeof *body), head[2];
    if (body == NULL) {
        return slm__arena_failure(&checkpoint->arena, error);
    }
    uint32_t body_count = 0, head_count = 0;
    for (uint32_t i = 0; i < checkpoint->target_count; i++) {
        const struct slm_target *target = stream->target = &checkpoint->targets[i];
        if (target->vector) {
            SLM_TRY(stream_vector(stream, writer, ids[i], progress, error));
            continue;
        }
        double relative = 0.0;
        stream->type = slm__target_type(target, types);
        stream->panel_bytes = slm__panel_bytes(stream->type, target->cols);
        stream->keep_codes = stream->type == SLM_WEIGHT_I8 && slm__target_is_q8_0(target);
        SLM_TRY(slm__target_hold(checkpoint, target, error));
        const slm_status status = stream_matrix(stream, writer, ids[i], progress, &relative, error);
        slm__target_release(checkpoint, target);
        SLM_TRY(status);
        if (target->vision) {
            continue;
        }
        if (!target->head_class && !target->full) {
            body[body_count++] = relative;
        } else if (target->head_class && head_count < 2) {
            head[head_count++] = relative;
        }
    }
    errors->body = median(body, body_count);
    errors->head = median(head, head_count);
    return SLM_OK;
}

slm_status slm__weights_stream(struct slm_checkpoint *checkpoint, const struct slm_weight_types *types, struct slm_weight_writer *writer,
                               const uint32_t *ids, struct slm_import_progress *progress, struct slm_weight_errors *errors,
                               slm_error *error)
{
    struct stream stream = {.checkpoint = checkpoint};
    slm_status status = take_areas(&stream, types, error);
    if (status == SLM_OK) {
        status = stream_targets(&stream, types, writer, ids, progress, errors, error);
    }
    give_areas(&stream);
    return status;
}

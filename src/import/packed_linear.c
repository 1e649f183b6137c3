/* SPDX-License-Identifier: MIT */
/*
 * With n = 32 / bits codes a word, in words of little-endian 32 bits:
 *   GPTQ  qweight [in/n, out]  word r of output o holds inputs r n .. r n + n - 1, the first in the lowest bits
 *         qzeros [groups, out/n], scales [groups, out], g_idx [in]
 *   AWQ   qweight [in, out/8]  nibble p of word c holds output 8 c + (0,2,4,6,1,3,5,7)[p]; qzeros in the same order
 * GPTQ's first format stores zero points less one, subtracted from the word as a whole: one is added to each field the same way, so that
 * a zero point of 0, which borrowed from its neighbour, comes out right.
 */
#include "import/packed_linear.h"

#include "base/byte_reader.h"   /* slm__load_u32 */
#include "import/value_types.h" /* slm__value_type_is_float */
#include <inttypes.h>           /* PRIu32 */
#include <stdio.h>              /* snprintf into a buffer */

enum { QWEIGHT, QZEROS, SCALES, G_IDX, PARTS };
enum { NAME_BYTES = 256 };

static const char *const part_names[PARTS] = {"qweight", "qzeros", "scales", "g_idx"};
/* Shown in messages and lists; a row has no stored bytes of its own. */
static const struct slm_value_type gptq_type = {"GPTQ", -1, false, 1, 1, NULL, NULL};
static const struct slm_value_type awq_type = {"AWQ", -1, false, 1, 1, NULL, NULL};

/* ---- binding */

struct binding {
    struct slm_tensor_set *set;
    const struct slm_memory *memory;
    const struct slm_quantization *quantization;
    slm_error *error;
};

static const char *file_of(const struct binding *binding, const struct slm_source_tensor *tensor)
{
    return binding->set->files[tensor->file].name;
}

static slm_status wrong_shape(const struct binding *binding, const struct slm_source_tensor *tensor, uint64_t rows, uint64_t cols)
{
    char shape[192];
    slm__source_shape_text(tensor, shape);
    return slm__fail(binding->error, SLM_E_BAD_VALUE, "%s: tensor %.*s is %s, the other tensors of its linear need %" PRIu64 " x %" PRIu64,
                     file_of(binding, tensor), SLM_SPAN_ARGS(tensor->name), shape, rows, cols);
}

/* The tensor beside X.qweight of this name, marked as used. */
static slm_status take_part(const struct binding *binding, const struct slm_source_tensor *qweight, int part,
                            struct slm_source_tensor *copy)
{
    char name[NAME_BYTES];
    const size_t stem = qweight->name.length - strlen(part_names[QWEIGHT]);
    struct slm_source_tensor *found = NULL;
    if (stem + 16 < sizeof name) {
        snprintf(name, sizeof name, "%.*s%s", (int)stem, (const char *)qweight->name.data, part_names[part]);
        found = slm__tensor_set_find(binding->set, name);
    }
    if (found != NULL) {
        found->used = true;
        *copy = *found;
        return SLM_OK;
    }
    return part == G_IDX ? SLM_OK
                         : slm__fail(binding->error, SLM_E_BAD_VALUE, "%s: tensor %.*s%s is missing, %.*s needs it",
                                     file_of(binding, qweight), (int)(stem < 200 ? stem : 200), (const char *)qweight->name.data,
                                     part_names[part], SLM_SPAN_ARGS(qweight->name));
}

static slm_status check_types(const struct binding *binding, const struct slm_packed_linear *packed)
{
    const struct slm_source_tensor *words[] = {&packed->qweight, &packed->qzeros, &packed->g_idx};
    for (size_t i = 0; i < 3; i++) {
        if (words[i]->type != NULL && strcmp(words[i]->type->name, "I32") != 0) {
            return slm__fail(binding->error, SLM_E_UNSUPPORTED, "%s: tensor %.*s has type %s, supported is I32", file_of(binding, words[i]),
                             SLM_SPAN_ARGS(words[i]->name), words[i]->type->name);
        }
    }
    if (!slm__value_type_is_float(packed->scales.type) || packed->scales.type->block_bytes > 4) {
        return slm__fail(binding->error, SLM_E_UNSUPPORTED, "%s: tensor %.*s has type %s, supported is F16, BF16, F32",
                         file_of(binding, &packed->scales), SLM_SPAN_ARGS(packed->scales.name), packed->scales.type->name);
    }
    return SLM_OK;
}

static bool is_matrix(const struct slm_source_tensor *tensor, uint64_t rows, uint64_t cols)
{
    return tensor->dimensions == 2 && tensor->shape[0] == rows && tensor->shape[1] == cols;
}

/* Sizes from qweight's shape, and whether the other shapes agree. */
static slm_status check_shapes(const struct binding *binding, struct slm_packed_linear *packed)
{
    const struct slm_source_tensor *qweight = &packed->qweight, *g_idx = &packed->g_idx;
    const uint32_t bits = packed->quantization.bits;
    const uint64_t codes = 32 / bits, limit = (uint64_t)1 << 28;
    const bool awq = packed->quantization.method == SLM_QUANTIZED_AWQ;
    if (qweight->dimensions != 2 || qweight->shape[0] == 0 || qweight->shape[1] == 0 || qweight->shape[0] > limit / codes ||
        qweight->shape[1] > limit / codes) {
        return slm__fail(binding->error, SLM_E_BAD_VALUE, "%s: tensor %.*s is no matrix of a possible size", file_of(binding, qweight),
                         SLM_SPAN_ARGS(qweight->name));
    }
    const uint64_t inputs = awq ? qweight->shape[0] : qweight->shape[0] * codes,
                   outputs = awq ? qweight->shape[1] * codes : qweight->shape[1];
    if (g_idx->type != NULL && (g_idx->dimensions != 1 || g_idx->shape[0] != inputs)) {
        return slm__fail(binding->error, SLM_E_BAD_VALUE,
                         "%s: tensor %.*s has %" PRIu64 " rows of words where %" PRIu64 " inputs of %" PRIu32 " bits need %" PRIu64,
                         file_of(binding, qweight), SLM_SPAN_ARGS(qweight->name), qweight->shape[0], slm__source_cols(g_idx), bits,
                         (slm__source_cols(g_idx) + codes - 1) / codes);
    }
    if (outputs % codes != 0) {
        return slm__fail(binding->error, SLM_E_UNSUPPORTED, "%s: tensor %.*s has %" PRIu64 " outputs, no multiple of %" PRIu64,
                         file_of(binding, qweight), SLM_SPAN_ARGS(qweight->name), outputs, codes);
    }
    const uint64_t group_size = packed->quantization.group_size == 0 ? inputs : packed->quantization.group_size;
    const uint64_t groups = (inputs + group_size - 1) / group_size;
    if (!is_matrix(&packed->scales, groups, outputs)) {
        return wrong_shape(binding, &packed->scales, groups, outputs);
    }
    if (!is_matrix(&packed->qzeros, groups, outputs / codes)) {
        return wrong_shape(binding, &packed->qzeros, groups, outputs / codes);
    }
    packed->inputs = (uint32_t)inputs;
    packed->outputs = (uint32_t)outputs;
    packed->groups = (uint32_t)groups;
    packed->group_size = (uint32_t)group_size;
    return SLM_OK;
}

/* Every group that g_idx names exists. */
static slm_status check_groups(const struct binding *binding, struct slm_packed_linear *packed)
{
    const struct slm_source_tensor *g_idx = &packed->g_idx;
    packed->in_order = true;
    if (g_idx->type == NULL) {
        return SLM_OK;
    }
    uint8_t *raw = slm__allocate(binding->memory, (size_t)g_idx->bytes, 64);
    if (raw == NULL) {
        return slm__fail_memory(binding->error, g_idx->bytes);
    }
    slm_status status = slm__source_read_raw(binding->set, g_idx, 0, raw, binding->error);
    for (uint32_t i = 0; i < packed->inputs && status == SLM_OK; i++) {
        const uint32_t group = slm__load_u32(raw + (size_t)4 * i);
        packed->in_order = packed->in_order && group == i / packed->group_size;
        if (group >= packed->groups) {
            status = slm__fail(binding->error, SLM_E_BAD_VALUE,
                               "%s: tensor %.*s names group %" PRId32 " for input %" PRIu32 ", groups are 0 to %" PRIu32,
                               file_of(binding, g_idx), SLM_SPAN_ARGS(g_idx->name), (int32_t)group, i, packed->groups - 1);
        }
    }
    slm__release(binding->memory, raw, (size_t)g_idx->bytes);
    return status;
}

/* The new tensor X.weight. */
static slm_status add_weight(const struct binding *binding, struct slm_packed_linear *packed)
{
    struct slm_tensor_set *set = binding->set;
    const struct slm_source_tensor *qweight = &packed->qweight;
    const size_t stem = qweight->name.length - strlen(part_names[QWEIGHT]);
    struct slm_source_tensor *tensor = slm__tensor_set_add(set);
    char *name = slm__arena_take(&set->arena, stem + sizeof "weight");
    if (tensor == NULL || name == NULL) {
        return slm__arena_failure(&set->arena, binding->error);
    }
    memcpy(name, qweight->name.data, stem);
    memcpy(name + stem, "weight", sizeof "weight");
    tensor->name = slm__span(name, stem + 6);
    tensor->type = packed->quantization.method == SLM_QUANTIZED_AWQ ? &awq_type : &gptq_type;
    tensor->dimensions = 2;
    tensor->shape[0] = packed->outputs;
    tensor->shape[1] = packed->inputs;
    tensor->file = qweight->file;
    tensor->bytes = qweight->bytes;
    tensor->packed = packed;
    return SLM_OK;
}

static slm_status bind_one(const struct binding *binding, const struct slm_source_tensor *qweight, struct slm_packed_linear *packed)
{
    struct slm_source_tensor *parts[PARTS] = {&packed->qweight, &packed->qzeros, &packed->scales, &packed->g_idx};
    packed->quantization = *binding->quantization;
    for (int part = 0; part < PARTS; part++) {
        if (part != G_IDX || packed->quantization.method == SLM_QUANTIZED_GPTQ) {
            SLM_TRY(take_part(binding, qweight, part, parts[part]));
        }
    }
    SLM_TRY(check_types(binding, packed));
    SLM_TRY(check_shapes(binding, packed));
    return check_groups(binding, packed);
}

static bool is_qweight(const struct slm_source_tensor *tensor)
{
    static const char ending[] = ".qweight";
    const size_t length = sizeof ending - 1;
    return tensor->name.length > length && memcmp(tensor->name.data + (tensor->name.length - length), ending, length) == 0;
}

slm_status slm__packed_linears_bind(struct slm_tensor_set *set, const struct slm_memory *memory,
                                    const struct slm_quantization *quantization, slm_error *error)
{
    const struct binding binding = {set, memory, quantization, error};
    struct slm_packed_linear *first = NULL, **next = &first;
    for (uint32_t i = 0; i < set->tensor_count; i++) {
        const struct slm_source_tensor *tensor = &set->tensors[i];
        if (!is_qweight(tensor)) {
            continue;
        }
        if (quantization->method == SLM_QUANTIZED_NOT) {
            return slm__fail(error, SLM_E_BAD_VALUE,
                             "%s: tensor %.*s is quantized, but neither config.json nor quantize_config.json says how",
                             set->files[tensor->file].name, SLM_SPAN_ARGS(tensor->name));
        }
        *next = slm__arena_take(&set->arena, sizeof **next);
        if (*next == NULL) {
            return slm__arena_failure(&set->arena, error);
        }
        SLM_TRY(bind_one(&binding, tensor, *next));
        next = &(*next)->next;
    }
    for (; first != NULL; first = first->next) { /* only now: names are found in a sorted list */
        SLM_TRY(add_weight(&binding, first));
    }
    return slm__tensor_set_sort(set, error);
}

/* ---- reading */

slm_status slm__packed_hold(struct slm_packed_linear *packed, const struct slm_tensor_set *set, const struct slm_memory *memory,
                            slm_error *error)
{
    const struct slm_source_tensor *parts[PARTS] = {&packed->qweight, &packed->qzeros, &packed->scales, &packed->g_idx};
    uint64_t total = 0;
    for (int part = 0; part < PARTS; part++) {
        total += slm__round_up(parts[part]->bytes, 64); /* each at most the size of its file */
    }
    packed->data_bytes = (size_t)total;
    packed->data = slm__allocate(memory, packed->data_bytes, 64);
    if (packed->data == NULL) {
        return slm__fail_memory(error, total);
    }
    uint8_t *place = packed->data;
    for (int part = 0; part < PARTS; part++) {
        const struct slm_source_tensor *tensor = parts[part];
        packed->held[part] = tensor->type != NULL ? place : NULL;
        const slm_status status = tensor->type != NULL
                                      ? slm__file_read(&set->files[tensor->file].file, tensor->offset, place, (size_t)tensor->bytes, error)
                                      : SLM_OK;
        if (status != SLM_OK) {
            slm__packed_release(packed, memory);
            return slm__fail_in(error, status, "%s", set->files[tensor->file].name);
        }
        place += slm__round_up(tensor->bytes, 64);
    }
    return SLM_OK;
}

void slm__packed_release(struct slm_packed_linear *packed, const struct slm_memory *memory)
{
    slm__release(memory, packed->data, packed->data_bytes);
    packed->data = NULL;
}

/* Place of output o % 8 among the nibbles of an AWQ word. */
static const uint8_t awq_place[8] = {0, 4, 1, 5, 2, 6, 3, 7};

static float zero_point(const struct slm_packed_linear *packed, uint32_t group, uint32_t row)
{
    const uint32_t bits = packed->quantization.bits, codes = 32 / bits, mask = (1u << bits) - 1;
    const uint8_t *word = packed->held[QZEROS] + 4 * ((size_t)group * (packed->outputs / codes) + row / codes);
    const uint32_t more = !packed->quantization.zeros_less_one ? 0 : bits == 4 ? 0x11111111u : 0x01010101u;
    const uint32_t place = packed->quantization.method == SLM_QUANTIZED_AWQ ? awq_place[row % 8] : row % codes;
    return (float)((slm__load_u32(word) + more) >> (bits * place) & mask);
}

static float scale_of(const struct slm_packed_linear *packed, uint32_t group, uint32_t row)
{
    const struct slm_value_type *type = packed->scales.type;
    float scale;
    type->decode(packed->held[SCALES] + type->block_bytes * ((size_t)group * packed->outputs + row), 1, &scale);
    return scale;
}

static uint32_t code_of(const struct slm_packed_linear *packed, uint32_t input, uint32_t row)
{
    const uint32_t bits = packed->quantization.bits, codes = 32 / bits;
    if (packed->quantization.method == SLM_QUANTIZED_AWQ) {
        return slm__load_u32(packed->held[QWEIGHT] + 4 * ((size_t)input * (packed->outputs / 8) + row / 8)) >> (4 * awq_place[row % 8]) &
               15u;
    }
    const uint8_t *word = packed->held[QWEIGHT] + 4 * ((size_t)(input / codes) * packed->outputs + row);
    return slm__load_u32(word) >> (bits * (input % codes)) & ((1u << bits) - 1);
}

void slm__packed_read_row(const struct slm_packed_linear *packed, uint32_t row, float *out)
{
    uint32_t known = UINT32_MAX;
    float scale = 0.0f, zero = 0.0f;
    for (uint32_t i = 0; i < packed->inputs; i++) {
        const uint32_t group =
            packed->in_order ? i / packed->group_size : slm__load_u32(packed->held[G_IDX] + (size_t)4 * i) % packed->groups;
        if (group != known) {
            known = group;
            scale = scale_of(packed, group, row);
            zero = zero_point(packed, group, row);
        }
        out[i] = scale * ((float)code_of(packed, i, row) - zero);
    }
}

bool slm__packed_keeps_codes(const struct slm_packed_linear *packed, bool four)
{
    return packed->in_order && packed->inputs % 32 == 0 && (packed->group_size % 32 == 0 || packed->groups == 1) &&
           (!four || packed->quantization.bits == 4);
}

bool slm__packed_read_steps(const struct slm_packed_linear *packed, uint32_t row, float *steps, float *zeros)
{
    if (!slm__packed_keeps_codes(packed, false)) {
        return false;
    }
    for (uint32_t g = 0; g < packed->inputs / 32; g++) {
        steps[g] = scale_of(packed, g * 32 / packed->group_size, row);
        zeros[g] = zero_point(packed, g * 32 / packed->group_size, row);
    }
    return true;
}

/* SPDX-License-Identifier: MIT */
/* Lists of source tensors: growing, sorting, finding, reading rows. What one format demands of the lists is checked by its reader. */
#include "import/tensor_set.h"

#include "base/heap_sort.h"       /* slm__heap_sort */
#include "import/packed_linear.h" /* slm__packed_read_row */
#include <inttypes.h>             /* PRIu64 */
#include <stdio.h>                /* snprintf into a buffer */

enum { FIRST_CAPACITY = 64 };
static const size_t ARENA_LIMIT = (size_t)1 << 30;

void slm__tensor_set_init(struct slm_tensor_set *set, const struct slm_memory *memory)
{
    memset(set, 0, sizeof *set);
    slm__arena_init(&set->arena, memory, ARENA_LIMIT);
}

void slm__tensor_set_free(struct slm_tensor_set *set)
{
    for (uint32_t i = 0; i < set->file_count; i++) {
        slm__file_close(&set->files[i].file);
    }
    set->file_count = 0;
    set->tensor_count = 0;
    slm__arena_free(&set->arena);
}

/* A copy of `items` with room for twice as many; NULL when there is no memory. Old lists stay in the arena: together no larger. */
static void *grow(struct slm_arena *arena, const void *items, uint32_t count, uint32_t *capacity, size_t item_bytes)
{
    const uint32_t wanted = *capacity == 0 ? FIRST_CAPACITY : *capacity * 2;
    size_t bytes;
    if (wanted <= *capacity || !slm__size_mul(wanted, item_bytes, &bytes)) {
        arena->limit_hit = true;
        return NULL;
    }
    void *grown = slm__arena_take(arena, bytes);
    if (grown != NULL) {
        if (count > 0) {
            memcpy(grown, items, count * item_bytes);
        }
        *capacity = wanted;
    }
    return grown;
}

slm_status slm__tensor_set_open(struct slm_tensor_set *set, const char *path, uint32_t *index, slm_error *error)
{
    if (set->file_count == set->file_capacity) {
        struct slm_source_file *files = grow(&set->arena, set->files, set->file_count, &set->file_capacity, sizeof *files);
        if (files == NULL) {
            return slm__arena_failure(&set->arena, error);
        }
        set->files = files;
    }
    struct slm_source_file *file = &set->files[set->file_count];
    file->path = slm__arena_text(&set->arena, slm__span_text(path));
    if (file->path == NULL) {
        return slm__arena_failure(&set->arena, error);
    }
    const char *slash = strrchr(file->path, '/');
    file->name = slash != NULL ? slash + 1 : file->path;
    SLM_TRY(slm__file_open(&file->file, path, error));
    *index = set->file_count++;
    return SLM_OK;
}

struct slm_source_tensor *slm__tensor_set_add(struct slm_tensor_set *set)
{
    if (set->tensor_count == set->tensor_capacity) {
        struct slm_source_tensor *tensors = grow(&set->arena, set->tensors, set->tensor_count, &set->tensor_capacity, sizeof *tensors);
        if (tensors == NULL) {
            return NULL;
        }
        set->tensors = tensors;
    }
    struct slm_source_tensor *tensor = &set->tensors[set->tensor_count++];
    memset(tensor, 0, sizeof *tensor);
    return tensor;
}

static bool name_less(const void *items, uint32_t a, uint32_t b)
{
    const struct slm_source_tensor *tensors = items;
    return slm__span_order(tensors[a].name, tensors[b].name) < 0;
}

static bool place_less(const void *items, uint32_t a, uint32_t b)
{
    const struct slm_source_tensor *x = (const struct slm_source_tensor *)items + a, *y = (const struct slm_source_tensor *)items + b;
    if (x->file != y->file) {
        return x->file < y->file;
    }
    return x->offset != y->offset ? x->offset < y->offset : x->bytes < y->bytes;
}

static void swap_tensors(void *items, uint32_t a, uint32_t b)
{
    struct slm_source_tensor *tensors = items, saved = tensors[a];
    tensors[a] = tensors[b];
    tensors[b] = saved;
}

slm_status slm__tensor_set_sort(struct slm_tensor_set *set, slm_error *error)
{
    slm__heap_sort(set->tensors, set->tensor_count, name_less, swap_tensors);
    for (uint32_t i = 1; i < set->tensor_count; i++) {
        const struct slm_source_tensor *a = &set->tensors[i - 1], *b = &set->tensors[i];
        if (slm__span_equal(a->name, b->name)) {
            return slm__fail(error, SLM_E_BAD_VALUE, "%s: tensor %.*s is listed twice", set->files[b->file].name, SLM_SPAN_ARGS(b->name));
        }
    }
    return SLM_OK;
}

slm_status slm__tensor_set_check_layout(struct slm_tensor_set *set, uint32_t file, uint64_t data_begin, uint64_t data_end, slm_error *error)
{
    slm__heap_sort(set->tensors, set->tensor_count, place_less, swap_tensors);
    const char *name = set->files[file].name;
    const struct slm_source_tensor *before = NULL;
    uint64_t end = data_begin;
    for (uint32_t i = 0; i < set->tensor_count; i++) {
        const struct slm_source_tensor *tensor = &set->tensors[i];
        if (tensor->file != file || tensor->bytes == 0) {
            continue;
        }
        if (before != NULL && tensor->offset < end) {
            return slm__fail(error, SLM_E_BAD_VALUE, "%s: tensors %.*s and %.*s overlap", name, SLM_SPAN_ARGS(before->name),
                             SLM_SPAN_ARGS(tensor->name));
        }
        if (data_end != 0 && tensor->offset > end) {
            return slm__fail(error, SLM_E_BAD_VALUE, "%s: %" PRIu64 " bytes before tensor %.*s belong to no tensor", name,
                             tensor->offset - end, SLM_SPAN_ARGS(tensor->name));
        }
        before = tensor;
        end = tensor->offset + tensor->bytes;
    }
    if (data_end != 0 && end != data_end) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s: the last %" PRIu64 " bytes of the file belong to no tensor", name, data_end - end);
    }
    slm__heap_sort(set->tensors, set->tensor_count, name_less, swap_tensors);
    return SLM_OK;
}

struct slm_source_tensor *slm__tensor_set_find(const struct slm_tensor_set *set, const char *name)
{
    const struct slm_span wanted = slm__span_text(name);
    uint32_t low = 0, high = set->tensor_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const int order = slm__span_order(set->tensors[middle].name, wanted);
        if (order == 0) {
            return &set->tensors[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

uint64_t slm__source_cols(const struct slm_source_tensor *tensor)
{
    return tensor->dimensions == 0 ? 1 : tensor->shape[tensor->dimensions - 1];
}

uint64_t slm__source_rows(const struct slm_source_tensor *tensor)
{
    uint64_t rows = 1;
    for (uint32_t i = 0; i + 1 < tensor->dimensions; i++) {
        rows *= tensor->shape[i]; /* the readers have checked that the product of all dimensions fits */
    }
    return rows;
}

uint64_t slm__source_row_bytes(const struct slm_source_tensor *tensor)
{
    return slm__source_cols(tensor) / tensor->type->block_values * tensor->type->block_bytes;
}

void slm__source_shape_text(const struct slm_source_tensor *tensor, char text[192])
{
    size_t length = (size_t)snprintf(text, 192, "%s", tensor->dimensions == 0 ? "a single value" : "");
    for (uint32_t i = 0; i < tensor->dimensions; i++) {
        length += (size_t)snprintf(text + length, 192 - length, "%s%" PRIu64, i == 0 ? "" : " x ", tensor->shape[i]);
    }
}

slm_status slm__source_read_raw(const struct slm_tensor_set *set, const struct slm_source_tensor *tensor, uint64_t row, uint8_t *raw,
                                slm_error *error)
{
    const uint64_t bytes = slm__source_row_bytes(tensor);
    const slm_status status = slm__file_read(&set->files[tensor->file].file, tensor->offset + row * bytes, raw, (size_t)bytes, error);
    return status == SLM_OK ? SLM_OK : slm__fail_in(error, status, "%s", set->files[tensor->file].name);
}

bool slm__source_is_readable(const struct slm_source_tensor *tensor) { return tensor->type->decode != NULL || tensor->packed != NULL; }

bool slm__source_keeps_codes(const struct slm_source_tensor *tensor, bool four)
{
    static const char *const fours[] = {"Q4_0", "Q4_1", "Q4_K", "TQ1_0", "TQ2_0"};
    static const char *const eights[] = {"Q4_0", "Q5_0", "Q8_0", "IQ4_NL", "TQ1_0", "TQ2_0"};
    const char *const *names = four ? fours : eights;
    if (tensor->packed != NULL) {
        return slm__packed_keeps_codes(tensor->packed, four);
    }
    bool found = false;
    for (size_t i = 0; i < (four ? sizeof fours : sizeof eights) / sizeof fours[0]; i++) {
        found = found || strcmp(tensor->type->name, names[i]) == 0;
    }
    return found;
}

slm_status slm__source_hold(const struct slm_tensor_set *set, const struct slm_source_tensor *tensor, const struct slm_memory *memory,
                            slm_error *error)
{
    return tensor->packed != NULL ? slm__packed_hold(tensor->packed, set, memory, error) : SLM_OK;
}

void slm__source_release(const struct slm_source_tensor *tensor, const struct slm_memory *memory)
{
    if (tensor->packed != NULL) {
        slm__packed_release(tensor->packed, memory);
    }
}

slm_status slm__source_read_row(const struct slm_tensor_set *set, const struct slm_source_tensor *tensor, uint64_t row, uint8_t *raw,
                                float *out, slm_error *error)
{
    if (tensor->packed != NULL) {
        slm__packed_read_row(tensor->packed, (uint32_t)row, out);
        return SLM_OK;
    }
    SLM_TRY(slm__source_read_raw(set, tensor, row, raw, error));
    tensor->type->decode(raw, slm__source_cols(tensor) / tensor->type->block_values, out);
    return SLM_OK;
}

bool slm__source_row_steps(const struct slm_source_tensor *tensor, uint64_t row, const uint8_t *raw, float *steps, float *zeros)
{
    if (tensor->packed != NULL) {
        return slm__packed_read_steps(tensor->packed, (uint32_t)row, steps, zeros);
    }
    if (tensor->type->steps == NULL) {
        return false;
    }
    tensor->type->steps(raw, slm__source_cols(tensor) / tensor->type->block_values, steps, zeros);
    return true;
}

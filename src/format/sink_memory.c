/* SPDX-License-Identifier: MIT */
/* The memory sink: one allocation when the size is known, then copies. */
#include "format/sink_memory.h"   /* declarations of this file */
#include "format/format_layout.h" /* SLM_FORMAT_ALIGN_DATA */

#include <string.h> /* memcpy */

void slm__sink_memory_init(struct slm_sink_memory *target, const struct slm_memory *memory, uint64_t limit)
{
    *target = (struct slm_sink_memory){.memory = *memory, .limit = limit};
}

static slm_status reserve(void *context, uint64_t size, slm_error *error)
{
    struct slm_sink_memory *target = context;
    if (size > target->limit || size > SIZE_MAX) {
        return slm__fail(error, SLM_E_LIMIT, "a file of %llu bytes is larger than the limit of %llu bytes", (unsigned long long)size,
                         (unsigned long long)target->limit);
    }
    slm__sink_memory_free(target);
    target->data = slm__allocate(&target->memory, (size_t)size, SLM_FORMAT_ALIGN_DATA);
    if (target->data == NULL) {
        return slm__fail_memory(error, size);
    }
    target->size = size;
    return SLM_OK;
}

static slm_status write_bytes(void *context, uint64_t offset, const void *data, size_t length, slm_error *error)
{
    struct slm_sink_memory *target = context;
    if (offset > target->size || length > target->size - offset) {
        return slm__fail(error, SLM_E_INTERNAL, "%zu bytes at offset %llu are outside the file of %llu bytes", length,
                         (unsigned long long)offset, (unsigned long long)target->size);
    }
    memcpy(target->data + offset, data, length);
    return SLM_OK;
}

struct slm_sink slm__sink_memory(struct slm_sink_memory *target)
{
    struct slm_sink sink = {reserve, write_bytes, target};
    return sink;
}

void slm__sink_memory_free(struct slm_sink_memory *target)
{
    slm__release(&target->memory, target->data, (size_t)target->size);
    target->data = NULL;
    target->size = 0;
}

/* SPDX-License-Identifier: MIT */
/* A sink that keeps the file in one block of memory, aligned to 4096, for models that are built and opened without a file. */
#ifndef SLM_FORMAT_SINK_MEMORY_H
#define SLM_FORMAT_SINK_MEMORY_H

#include "base/memory.h"          /* struct slm_memory */
#include "format/weight_writer.h" /* struct slm_sink */

struct slm_sink_memory {
    struct slm_memory memory;
    uint8_t *data; /* NULL until the writer has begun; owned by the caller afterwards: slm__sink_memory_free() */
    uint64_t size;
    uint64_t limit;
};

/* Files larger than `limit` bytes are refused with SLM_E_LIMIT. */
void slm__sink_memory_init(struct slm_sink_memory *target, const struct slm_memory *memory, uint64_t limit);
/* `target` stays until the writer has finished. */
struct slm_sink slm__sink_memory(struct slm_sink_memory *target);
void slm__sink_memory_free(struct slm_sink_memory *target); /* freed already: fine */

#endif

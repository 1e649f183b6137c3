/* SPDX-License-Identifier: MIT */
/* Files: positioned reading, read-only mapping, and output that appears under its name only when complete. POSIX and Windows code
 * are kept apart: file_posix.c, file_windows.c; over both lies file_load.c. Paths are UTF-8 and NUL-terminated. */
#ifndef SLM_BASE_FILE_H
#define SLM_BASE_FILE_H

#include "base/memory.h" /* struct slm_memory */
#include "base/span.h"   /* struct slm_span */
#include "base/status.h" /* slm_status, slm_error */

struct slm_file {
    intptr_t handle; /* -1: closed */
    uint64_t size;
};

/* Errors name the path and the system's reason. Directories, pipes and devices are refused. */
slm_status slm__file_open(struct slm_file *file, const char *path, slm_error *error);
/* Exactly `length` bytes at `offset`; SLM_E_TRUNCATED beyond the end. Any number of threads may read one file. */
slm_status slm__file_read(const struct slm_file *file, uint64_t offset, void *target, size_t length, slm_error *error);
void slm__file_close(struct slm_file *file); /* closed already: fine */
/* The whole file into memory of `memory` (data->length bytes, alignment 64; NULL when empty); SLM_E_LIMIT when larger than `limit`. */
slm_status slm__file_load(const char *path, const struct slm_memory *memory, uint64_t limit, struct slm_span *data, slm_error *error);
bool slm__file_exists(const char *path);
bool slm__path_is_folder(const char *path);

struct slm_mapping {
    const uint8_t *data; /* page-aligned; NULL: not mapped */
    uint64_t size;
    intptr_t system[2];
};
slm_status slm__map_file(struct slm_mapping *mapping, const char *path, slm_error *error);
void slm__unmap(struct slm_mapping *mapping);

enum { SLM_PATH_BYTES = 4096 };
struct slm_output {
    intptr_t handle; /* -1: closed */
    char path[SLM_PATH_BYTES];
    char temporary[SLM_PATH_BYTES + 32];
};
/* Create a file beside `path` under a temporary name that no other process uses. */
slm_status slm__output_create(struct slm_output *output, const char *path, slm_error *error);
slm_status slm__output_write(struct slm_output *output, uint64_t offset, const void *data, size_t length, slm_error *error);
/* Flush, close and rename to `path`. On failure the temporary file is removed. */
slm_status slm__output_commit(struct slm_output *output, slm_error *error);
void slm__output_abandon(struct slm_output *output); /* remove it; committed or abandoned already: fine */

#endif

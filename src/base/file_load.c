/* SPDX-License-Identifier: MIT */
/* Whole files into memory: the same on every system, over what file_posix.c and file_windows.c have. */
#include "base/file.h" /* slm__file_load */

static slm_status load_opened(const struct slm_file *file, const char *path, const struct slm_memory *memory, uint64_t limit,
                              struct slm_span *data, slm_error *error)
{
    if (file->size > limit || file->size > SIZE_MAX) {
        return slm__fail(error, SLM_E_LIMIT, "%s has %llu bytes; at most %llu are read", path, (unsigned long long)file->size,
                         (unsigned long long)limit);
    }
    size_t length = (size_t)file->size;
    uint8_t *block = slm__allocate(memory, length, 64);
    if (block == NULL && length > 0) {
        return slm__fail_memory(error, length);
    }
    slm_status status = slm__file_read(file, 0, block, length, error);
    if (status != SLM_OK) {
        slm__release(memory, block, length);
        return slm__fail_in(error, status, "%s", path);
    }
    *data = slm__span(block, length);
    return SLM_OK;
}

slm_status slm__file_load(const char *path, const struct slm_memory *memory, uint64_t limit, struct slm_span *data, slm_error *error)
{
    struct slm_file file;
    SLM_TRY(slm__file_open(&file, path, error));
    slm_status status = load_opened(&file, path, memory, limit, data, error);
    slm__file_close(&file);
    return status;
}

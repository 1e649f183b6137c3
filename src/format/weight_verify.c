/* SPDX-License-Identifier: MIT */
/* Reading all of an opened file to compare every checksum: what `verify` means. Slow by nature, so it reports and can be stopped. */
#include "base/checksum.h"          /* slm__crc32c */
#include "format/weight_file.h"     /* declarations of this file */
#include "format/weight_sections.h" /* slm__section_checksum */

enum { PIECE = 1 << 20 }; /* bytes between two reports */

struct progress {
    slm_progress_fn *report; /* may be NULL */
    void *user;
    uint64_t done, total;
};

static slm_status advance(struct progress *progress, uint64_t bytes, slm_error *error)
{
    progress->done += bytes;
    if (progress->report != NULL && progress->report(progress->user, progress->done, progress->total, "verifying") != 0) {
        return slm__fail(error, SLM_E_CANCELLED, "verifying was stopped after %llu of %llu bytes", (unsigned long long)progress->done,
                         (unsigned long long)progress->total);
    }
    return SLM_OK;
}

static slm_status verify_tensor(const struct slm_tensor *tensor, struct progress *progress, slm_error *error)
{
    uint32_t crc = 0;
    for (uint64_t at = 0; at < tensor->bytes;) {
        uint64_t piece = tensor->bytes - at < PIECE ? tensor->bytes - at : PIECE;
        crc = slm__crc32c(crc, tensor->data + at, (size_t)piece);
        at += piece;
        SLM_TRY(advance(progress, piece, error));
    }
    if (crc != tensor->crc) {
        return slm__fail(error, SLM_E_CHECKSUM, "tensor \"%.*s\": checksum %08x is stored, %08x computed", SLM_SPAN_ARGS(tensor->name),
                         tensor->crc, crc);
    }
    return SLM_OK;
}

slm_status slm__weight_file_verify(const struct slm_weight_file *file, slm_progress_fn *progress, void *user, slm_error *error)
{
    struct progress state = {progress, user, 0, file->size};
    for (uint32_t i = 0; i < file->section_count; i++) {
        SLM_TRY(slm__section_checksum(file, i, error));
    }
    SLM_TRY(advance(&state, file->size - file->data_length, error));
    for (uint32_t i = 0; i < file->tensor_count; i++) {
        struct slm_tensor tensor;
        slm__weight_file_tensor(file, i, &tensor);
        SLM_TRY(verify_tensor(&tensor, &state, error));
    }
    return SLM_OK;
}

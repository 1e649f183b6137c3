/* SPDX-License-Identifier: MIT */
/* How far a conversion is, in bytes read for the hash and bytes written; the host's callback may stop it. */
#ifndef SLM_IMPORT_PROGRESS_H
#define SLM_IMPORT_PROGRESS_H

#include "base/status.h" /* slm_status; slm_progress_fn of slm.h */

struct slm_import_progress {
    slm_progress_fn *report; /* may be NULL */
    void *user;
    uint64_t done, total;
};

/* `bytes` more are done; SLM_E_CANCELLED when the host says stop. */
static inline slm_status slm__import_advance(struct slm_import_progress *progress, uint64_t bytes, const char *what, slm_error *error)
{
    progress->done += bytes;
    if (progress->report != NULL && progress->report(progress->user, progress->done, progress->total, what) != 0) {
        return slm__fail(error, SLM_E_CANCELLED, "the conversion was cancelled at %s", what);
    }
    return SLM_OK;
}

#endif

/* SPDX-License-Identifier: MIT */
/* A checkpoint on disk becomes a .slm file on disk. */
#ifndef SLM_IMPORT_CONVERT_H
#define SLM_IMPORT_CONVERT_H

#include "import/adapter.h"        /* struct slm_adapter_choice */
#include "import/import_context.h" /* struct slm_import_context */
#include "import/weight_stream.h"  /* struct slm_weight_types, struct slm_weight_errors */

struct slm_convert_settings {
    struct slm_weight_types types; /* SLM_WEIGHT_NONE: the default */
    slm_progress_fn *progress;     /* may be NULL */
    void *progress_user;
    bool text_only;                            /* leave out the part that sees */
    const struct slm_adapter_choice *adapters; /* merged into the weights */
    uint32_t adapter_count;
};

struct slm_convert_report {
    uint32_t tensors;
    uint64_t source_bytes, file_bytes, parameters;
    struct slm_weight_errors errors;
};

/* Put the defaults in: i8 bodies; heads i8 for i4 and i8 bodies, else as the body. */
void slm__convert_default_types(struct slm_weight_types *types);
/* `destination` appears only when complete. */
slm_status slm__convert_checkpoint(const struct slm_import_context *context, const char *source, const char *destination,
                                   const struct slm_convert_settings *settings, struct slm_convert_report *report, slm_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/* What importing needs from an engine: where memory comes from, where warnings go, who shares the work. Borrowed pointers. */
#ifndef SLM_IMPORT_CONTEXT_H
#define SLM_IMPORT_CONTEXT_H

#include "base/log.h"      /* struct slm_log */
#include "base/memory.h"   /* struct slm_memory */
#include "base/parallel.h" /* struct slm_team */

struct slm_import_context {
    const struct slm_memory *memory;
    const struct slm_log *log;
    struct slm_team *team;
};

#endif

/* SPDX-License-Identifier: MIT */
/* An adapter bound to a model, as sessions use it. Immutable but for the number of its users. */
#ifndef SLM_RUNTIME_BOUND_ADAPTER_H
#define SLM_RUNTIME_BOUND_ADAPTER_H

#include "model/low_rank.h" /* struct slm_low_rank_set */
#include "runtime/pool.h"   /* struct slm_runtime_model */
#include <stdatomic.h>

struct slm_adapter {
    struct slm_low_rank_set set;
    const struct slm_runtime_model *model;
    atomic_uint users; /* uses by sessions */
    uint64_t parameters;
    uint32_t linears;
    uint64_t bytes; /* of the one allocation that this is the beginning of */
};

#endif

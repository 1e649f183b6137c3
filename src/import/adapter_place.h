/* SPDX-License-Identifier: MIT */
/* Which tensor of a converted model an adapter's pair belongs to: the rules of the family read backwards, for adapters at run time. */
#ifndef SLM_IMPORT_ADAPTER_PLACE_H
#define SLM_IMPORT_ADAPTER_PLACE_H

#include "import/adapter.h" /* struct slm_adapter_delta */

struct slm_adapter_place {
    const char *target; /* name in the .slm file: "%u" is the layer, a second one the expert */
    uint32_t layer, expert;
    uint32_t part;   /* which of the tensors that are stacked there */
    bool has_part;   /* the name is that of one part */
    bool may_be_all; /* the name is (also) that of all parts as one tensor */
};

/* `checkpoint` has no files, but a configuration with family, layers and head_dim of the model. Sets the delta's pairs. Errors are those of
 * merging. */
slm_status slm__adapter_find_place(const struct slm_checkpoint *checkpoint, struct slm_adapter_delta *delta,
                                   struct slm_adapter_place *place, slm_error *error);

#endif

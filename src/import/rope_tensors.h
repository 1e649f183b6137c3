/* SPDX-License-Identifier: MIT */
/* The tensors rope.N.inv_freq and rope.N.inv_freq_long of a .slm file. */
#ifndef SLM_IMPORT_ROPE_TENSORS_H
#define SLM_IMPORT_ROPE_TENSORS_H

#include "format/weight_writer.h" /* struct slm_weight_writer */
#include "import/family_config.h" /* struct slm_family_config */

struct slm_rope_tensors {
    uint32_t ids[2 * SLM_CONFIG_ROPE_SETS]; /* of set i: 2 i, and 2 i + 1 for the long ones */
};

slm_status slm__rope_tensors_declare(const struct slm_family_config *config, struct slm_weight_writer *writer,
                                     struct slm_rope_tensors *tensors, slm_error *error);
/* After slm__writer_begin(). */
slm_status slm__rope_tensors_write(const struct slm_family_config *config, struct slm_weight_writer *writer,
                                   const struct slm_rope_tensors *tensors, slm_error *error);

#endif

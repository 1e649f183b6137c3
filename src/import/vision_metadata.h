/* SPDX-License-Identifier: MIT */
/* Traits of the part that sees, and the table of what its pixels count. Nothing for a model without one. */
#ifndef SLM_IMPORT_VISION_METADATA_H
#define SLM_IMPORT_VISION_METADATA_H

#include "format/weight_writer.h" /* struct slm_weight_writer */
#include "import/checkpoint.h"    /* struct slm_checkpoint */

slm_status slm__write_vision_traits(struct slm_weight_writer *writer, const struct slm_checkpoint *checkpoint, slm_error *error);
/* *id is the tensor's number. */
slm_status slm__pixel_values_declare(const struct slm_vision_config *vision, struct slm_weight_writer *writer, uint32_t *id,
                                     slm_error *error);
slm_status slm__pixel_values_write(const struct slm_vision_config *vision, struct slm_weight_writer *writer, uint32_t id, slm_error *error);

#endif

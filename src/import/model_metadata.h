/* SPDX-License-Identifier: MIT */
/* The metadata of a .slm file: what the runtime needs to know about the arithmetic, in its own words. src/format/FORMAT.md lists the
 * keys. */
#ifndef SLM_IMPORT_MODEL_METADATA_H
#define SLM_IMPORT_MODEL_METADATA_H

#include "format/weight_writer.h" /* struct slm_weight_writer */
#include "import/checkpoint.h"    /* struct slm_checkpoint */

/* model., layer., rope., token. keys and general.family, general.parameters. */
slm_status slm__write_traits(struct slm_weight_writer *writer, const struct slm_family_config *config, slm_error *error);
/* Texts, provenance and sampling defaults. */
slm_status slm__write_texts(struct slm_weight_writer *writer, const struct slm_checkpoint *checkpoint, const char *sha256,
                            slm_error *error);

#endif

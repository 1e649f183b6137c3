/* SPDX-License-Identifier: MIT */
/* A complete .slm file with random weights in the shape of a config.json, to measure speed without a download. */
#ifndef SLM_IMPORT_RANDOM_MODEL_H
#define SLM_IMPORT_RANDOM_MODEL_H

#include "base/span.h"             /* struct slm_span */
#include "format/weight_writer.h"  /* struct slm_weight_writer */
#include "import/import_context.h" /* struct slm_import_context */
#include "import/weight_stream.h"  /* struct slm_weight_types */

/* Codes are drawn directly, with scales that give each matrix rows of length about one; norm weights are 1, biases 0. The same seed gives
 * the same bytes on any number of threads. `writer` is initialised by the caller, who may have given it a tokenizer, and frees it. */
slm_status slm__random_model_write(const struct slm_import_context *context, struct slm_span config_json,
                                   const struct slm_weight_types *types, uint64_t seed, struct slm_weight_writer *writer, slm_error *error);

/* The same in memory. *image was allocated with alignment 4096 and belongs to the caller. */
slm_status slm__random_model_build(const struct slm_import_context *context, struct slm_span config_json,
                                   const struct slm_weight_types *types, uint64_t seed, struct slm_span *image, slm_error *error);

#endif

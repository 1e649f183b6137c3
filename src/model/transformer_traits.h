/* SPDX-License-Identifier: MIT */
/* Traits of a .slm file, read from its metadata (FORMAT.md, "Metadata keys") and checked one by one. */
#ifndef SLM_MODEL_TRANSFORMER_TRAITS_H
#define SLM_MODEL_TRANSFORMER_TRAITS_H

#include "model/transformer.h" /* struct slm_transformer */

/* Fill everything of `transformer` but the weights, and the sizes of its layers. */
slm_status slm__transformer_traits(struct slm_transformer *transformer, const struct slm_weight_file *file, slm_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/* The stages of a tokenizer.json around its model: what it names is translated to steps, what is not known is refused by name. */
#ifndef SLM_IMPORT_TOKENIZER_JSON_PIPELINE_H
#define SLM_IMPORT_TOKENIZER_JSON_PIPELINE_H

#include "base/json.h"              /* struct slm_json */
#include "text/tokenizer_builder.h" /* struct slm_tokenizer_spec */

/* Add normalizer, pre_tokenizer, decoder and post_processor of the whole document `root`, which has `token_count` ids, to `spec`.
 * Errors: SLM_E_UNSUPPORTED (named), SLM_E_BAD_VALUE. */
slm_status slm__import_tokenizer_pipeline(const struct slm_json *root, uint32_t token_count, struct slm_tokenizer_spec *spec,
                                         slm_error *error);

#endif

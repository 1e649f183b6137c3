/* SPDX-License-Identifier: MIT */
/* A Hugging Face folder: configuration, weights, tokenizer, chat template, licence. */
#ifndef SLM_IMPORT_HF_FOLDER_H
#define SLM_IMPORT_HF_FOLDER_H

#include "base/json.h"         /* struct slm_json */
#include "import/checkpoint.h" /* struct slm_checkpoint */

/* Fill everything but the plan. Each file that is read goes into the hash, in the order config.json, generation_config.json,
 * (of a model that sees) preprocessor_config.json or processor_config.json,
 * tokenizer.json, tokenizer_config.json, special_tokens_map.json, chat_template.jinja, licence, notice, modules.json and the pooling
 * module's config.json; the weights follow later. */
slm_status slm__hf_folder_open(struct slm_checkpoint *checkpoint, const char *folder, slm_error *error);

/* "folder/name" in `path`. */
slm_status slm__hf_path(const char *folder, const char *name, char path[SLM_PATH_BYTES], slm_error *error);

/* A file of the folder, hashed. `text` belongs to the caller, who gives it back with slm__hf_give_file(). */
slm_status slm__hf_take_file(struct slm_checkpoint *checkpoint, const char *folder, const char *name, uint64_t limit, struct slm_span *text,
                             slm_error *error);
/* Whether the folder has it. */
bool slm__hf_has_file(const char *folder, const char *name);
void slm__hf_give_file(struct slm_checkpoint *checkpoint, struct slm_span text);
/* Parse a small file of the folder, hashed, and hand it to `reader`; errors begin with its name. */
typedef slm_status slm_hf_reader_fn(struct slm_checkpoint *checkpoint, const struct slm_json *root, slm_error *error);
slm_status slm__hf_read_json(struct slm_checkpoint *checkpoint, const char *folder, const char *name, slm_hf_reader_fn *reader,
                             slm_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/* Safetensors: 8 bytes of header length, a JSON header, data without gaps. One file, or shards named by model.safetensors.index.json. */
#ifndef SLM_IMPORT_SAFETENSORS_READER_H
#define SLM_IMPORT_SAFETENSORS_READER_H

#include "import/tensor_set.h" /* struct slm_tensor_set */

/* Add the tensors of the file `path`. */
slm_status slm__safetensors_add_file(struct slm_tensor_set *set, const struct slm_memory *memory, const char *path, slm_error *error);
/* Add the tensors of every file that `index_path`, in `folder`, names, in the order of the names, and check that each tensor
 * lies where the index says. */
slm_status slm__safetensors_add_shards(struct slm_tensor_set *set, const struct slm_memory *memory, const char *folder,
                                       const char *index_path, slm_error *error);

#endif

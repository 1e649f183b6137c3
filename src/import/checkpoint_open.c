/* SPDX-License-Identifier: MIT */
/* A folder is a Hugging Face checkpoint, a file is GGUF; then the plan. */
#include "import/checkpoint_open.h"

#include "import/gguf_model.h" /* slm__gguf_model_open */
#include "import/hf_folder.h"  /* slm__hf_folder_open */

slm_status slm__checkpoint_open(struct slm_checkpoint *checkpoint, const char *path, slm_error *error)
{
    SLM_TRY(slm__path_is_folder(path) ? slm__hf_folder_open(checkpoint, path, error) : slm__gguf_model_open(checkpoint, path, error));
    return slm__checkpoint_plan(checkpoint, error);
}

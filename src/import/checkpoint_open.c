/* SPDX-License-Identifier: MIT */
/* Folder or file, then the format's own opening, then the plan. */
#include "import/checkpoint_open.h"

#include "import/hf_folder.h" /* slm__hf_folder_open */

slm_status slm__checkpoint_open(struct slm_checkpoint *checkpoint, const char *path, slm_error *error)
{
    if (!slm__path_is_folder(path)) {
        return slm__fail(error, slm__file_exists(path) ? SLM_E_UNSUPPORTED : SLM_E_FILE_MISSING,
                         slm__file_exists(path) ? "%s is no checkpoint folder" : "%s does not exist", path);
    }
    SLM_TRY(slm__hf_folder_open(checkpoint, path, error));
    return slm__checkpoint_plan(checkpoint, error);
}

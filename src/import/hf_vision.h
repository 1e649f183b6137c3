/* SPDX-License-Identifier: MIT */
/* What config.json and preprocessor_config.json of a Hugging Face folder say about the part of a model that sees. */
#ifndef SLM_IMPORT_HF_VISION_H
#define SLM_IMPORT_HF_VISION_H

#include "base/json.h"            /* struct slm_json */
#include "import/family_config.h" /* struct slm_family_config */

/* The tower of a composite from `root` of config.json, into config->vision; nothing where its kind has none that is supported. */
slm_status slm__hf_vision_read(const struct slm_json *root, struct slm_family_config *config, slm_error *error);
/* How images are prepared: keys of an image processor. What would need more than a resize to the tower's size, with one factor, mean and
 * deviation of each channel, is refused. */
slm_status slm__hf_image_processor_read(const struct slm_json *root, struct slm_vision_config *vision, slm_error *error);

#endif

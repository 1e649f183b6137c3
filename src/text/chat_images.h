/* SPDX-License-Identifier: MIT */
/* Where a chat template writes its marker of an image, the prompt has what stands for the image: text before, the text of one token as
 * often as the image has tokens, text after. Only markers that the template wrote count. */
#ifndef SLM_TEXT_CHAT_IMAGES_H
#define SLM_TEXT_CHAT_IMAGES_H

#include "base/buffer.h" /* struct slm_buffer */
#include "base/span.h"   /* struct slm_span */

struct slm_chat_images {
    struct slm_span marker; /* empty: the model takes no images */
    struct slm_span before, token, after;
    uint32_t tokens;
};

/* Change `text` and, of the same text, the untrusted `ranges` (struct slm_text_range, ascending, apart). On failure both are unchanged. */
slm_status slm__chat_place_images(const struct slm_chat_images *images, struct slm_buffer *text, struct slm_buffer *ranges,
                                  slm_error *error);

#endif

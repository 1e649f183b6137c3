/* SPDX-License-Identifier: MIT */
/*
 * A conversation to token ids with provenance: only text that the template wrote can become a control token. What messages, tools,
 * documents and arguments wrote is encoded in place, as the plain text that it is; the pieces are never tokenized apart.
 */
#ifndef SLM_TEXT_CHAT_TOKENIZE_H
#define SLM_TEXT_CHAT_TOKENIZE_H

#include "text/chat_images.h"   /* struct slm_chat_images */
#include "text/chat_template.h" /* struct slm_template_options */
#include "text/tokenizer.h"     /* struct slm_tokenizer */

/* A conversation and the template that it goes through, as slm__chat_render() takes them. */
struct slm_chat_prompt {
    struct slm_span source;
    struct slm_span request;
    struct slm_span tokens_json;
    struct slm_chat_images images; /* what markers of images become; all zero: nothing */
};

/*
 * Append the ids (int32_t) of the rendered conversation to `ids`; the post-processor adds nothing, the template writes its own bos.
 * options->pieces is not looked at. `reference`: control tokens are recognised everywhere, as when the rendered text is tokenized.
 *
 * Control tokens are the special ones of the vocabulary, and of the other added tokens all that are written <...> or [...] (<|im_start|>,
 * <think>, <tool_call>, [INST]) but for tags of HTML. Those, runs of blanks and the like are ordinary text of these vocabularies and are
 * found everywhere.
 *
 * Errors: those of slm__chat_render() and SLM_E_NO_MEMORY; `ids` is unchanged then.
 */
slm_status slm__chat_tokenize(const struct slm_tokenizer *tokenizer, const struct slm_memory *memory, const struct slm_chat_prompt *prompt,
                              const struct slm_template_options *options, bool reference, struct slm_buffer *ids, slm_error *error);

#endif

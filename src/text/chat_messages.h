/* SPDX-License-Identifier: MIT */
/*
 * Messages that are legal for the OpenAI API, but not what a template was written for. Each change below can be applied alone, and is
 * only when rendering the messages as given fails or loses something: the renderings are compared by their damage, and the least change
 * with the least damage wins.
 */
#ifndef SLM_TEXT_CHAT_MESSAGES_H
#define SLM_TEXT_CHAT_MESSAGES_H

#include "text/template_machine.h" /* struct slm_tmachine, struct slm_tvalue */

enum slm_chat_change {
    SLM_CHAT_CONTENT_EMPTY = 1,   /* no content beside tool calls -> "" */
    SLM_CHAT_CONTENT_NONE = 2,    /* no content beside tool calls -> none, which transformers would have dropped */
    SLM_CHAT_PARTS_JOINED = 4,    /* content that is a list of text parts -> the texts, joined */
    SLM_CHAT_ARGUMENTS_OBJECT = 8 /* a call's arguments as JSON text -> the object */
};

/* Changes that would alter something in these messages. */
unsigned slm__chat_changes(struct slm_tvalue messages);
/* The messages with `changes` applied; SLM_CHAT_ARGUMENTS_OBJECT leaves texts that are no JSON object. */
slm_status slm__chat_change(struct slm_tmachine *m, struct slm_tvalue messages, unsigned changes, struct slm_tvalue *out);
/* What the rendering `text` of `messages` (as given) lost or garbled: the number of text parts that are missing or printed as Python
 * lists, of tool calls whose function is not named, of arguments that were quoted again. */
slm_status slm__chat_damage(struct slm_tmachine *m, struct slm_tvalue messages, struct slm_span text, size_t *damage);

#endif

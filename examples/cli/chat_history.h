/* SPDX-License-Identifier: MIT */
/* The messages of a conversation: a system message that stays, and turns of which the oldest can be dropped. */
#ifndef SLM_CHAT_HISTORY_H
#define SLM_CHAT_HISTORY_H

#include "examples/cli/cli_text.h" /* struct cli_text */

struct chat_message {
    int is_user; /* else the assistant's */
    struct cli_text text;
};

struct chat_history {
    const char *system; /* or NULL; not owned */
    struct chat_message *messages;
    size_t count;
    size_t capacity;
};

/* 0, or -1 without memory. */
int chat_history_add(struct chat_history *history, int is_user, const char *text, size_t length);
/* Drop the last message. */
void chat_history_drop_last(struct chat_history *history);
/* Drop the first user message and what was answered: 0, or -1 when only one user message is left. */
int chat_history_drop_oldest_turn(struct chat_history *history);
void chat_history_clear(struct chat_history *history);
void chat_history_free(struct chat_history *history);
/* The request for slm_chat_render(). */
void chat_history_request(const struct chat_history *history, struct cli_text *request);

#endif

/* SPDX-License-Identifier: MIT */
/* The messages of a conversation (see chat_history.h). */
#include "examples/cli/chat_history.h" /* struct chat_history */

#include "examples/cli/cli_prompt.h" /* cli_message_add */

#include <stdlib.h>
#include <string.h>

int chat_history_add(struct chat_history *history, int is_user, const char *text, size_t length)
{
    if (history->count == history->capacity) {
        const size_t capacity = history->capacity + 16;
        struct chat_message *messages = realloc(history->messages, capacity * sizeof *messages);
        if (messages == NULL) {
            return -1;
        }
        history->messages = messages;
        history->capacity = capacity;
    }
    struct chat_message *message = &history->messages[history->count];
    *message = (struct chat_message){.is_user = is_user};
    cli_text_add(&message->text, text, length);
    if (message->text.failed) {
        cli_text_free(&message->text);
        return -1;
    }
    history->count++;
    return 0;
}

void chat_history_drop_last(struct chat_history *history)
{
    if (history->count > 0) {
        cli_text_free(&history->messages[--history->count].text);
    }
}

int chat_history_drop_oldest_turn(struct chat_history *history)
{
    size_t next = 1;
    while (next < history->count && !history->messages[next].is_user) {
        next++;
    }
    if (next >= history->count) {
        return -1;
    }
    for (size_t i = 0; i < next; i++) {
        cli_text_free(&history->messages[i].text);
    }
    history->count -= next;
    memmove(history->messages, history->messages + next, history->count * sizeof *history->messages);
    return 0;
}

void chat_history_clear(struct chat_history *history)
{
    while (history->count > 0) {
        chat_history_drop_last(history);
    }
}

void chat_history_free(struct chat_history *history)
{
    chat_history_clear(history);
    free(history->messages);
    *history = (struct chat_history){0};
}

void chat_history_request(const struct chat_history *history, struct cli_text *request)
{
    cli_text_add_string(request, "{\"messages\":[");
    if (history->system != NULL) {
        cli_message_add(request, "system", history->system, strlen(history->system));
    }
    for (size_t i = 0; i < history->count; i++) {
        const struct chat_message *message = &history->messages[i];
        cli_text_add_string(request, i > 0 || history->system != NULL ? "," : "");
        cli_message_add(request, message->is_user ? "user" : "assistant", message->text.bytes, message->text.length);
    }
    cli_text_add_string(request, "],\"add_generation_prompt\":true}");
}

/* SPDX-License-Identifier: MIT */
/* The generation loop (see cli_answer.h). */
#include "examples/cli/cli_answer.h" /* struct cli_answer */

#include "examples/cli/cli_image.h"    /* cli_images_append */
#include "examples/cli/cli_terminal.h" /* cli_signals_watch, cli_seconds */

/* The ids of tokens that needed no choice: the last ones of the session. */
static int take_forced(struct cli_answer *answer, const slm_session *session, uint32_t count)
{
    struct cli_ids all = {0};
    uint64_t tokens = 0;
    int failed = slm_session_tokens(session, NULL, 0, &tokens, NULL) != SLM_E_BUFFER_TOO_SMALL ||
                 cli_ids_reserve(&all, (size_t)tokens) != 0 || slm_session_tokens(session, all.items, tokens, &tokens, NULL) != SLM_OK ||
                 cli_ids_reserve(&answer->ids, answer->ids.count + count) != 0;
    for (uint64_t i = tokens - count; !failed && i < tokens; i++) {
        answer->ids.items[answer->ids.count++] = all.items[i];
    }
    cli_ids_free(&all);
    return failed ? -1 : 0;
}

/* Keep one token and send its text. 0, or -1: no memory, or nobody listens any more. */
static int take_token(struct cli_answer *answer, const slm_session *session, const slm_token *token, struct cli_output *stream)
{
    if (cli_ids_reserve(&answer->ids, answer->ids.count + 1) != 0) {
        return -1;
    }
    answer->ids.items[answer->ids.count++] = token->token;
    if (token->forced > 0 && take_forced(answer, session, token->forced) != 0) {
        return -1;
    }
    cli_text_add(&answer->tokens, (const char *)token, sizeof *token);
    if (token->top_count > 0) {
        const struct cli_logprob entry = {{token->token, token->logprob}, token->top_count};
        cli_text_add(&answer->logprobs, (const char *)&entry, sizeof entry);
        cli_text_add(&answer->logprobs, (const char *)token->top, token->top_count * sizeof *token->top);
    }
    if (token->text_length > 0) {
        cli_text_add(&answer->text, token->text, (size_t)token->text_length);
        if (stream != NULL && (cli_put(stream, token->text, (size_t)token->text_length) != 0 || cli_put_flush(stream) != 0)) {
            return -1;
        }
    }
    return answer->text.failed || answer->logprobs.failed || answer->tokens.failed ? -1 : 0;
}

/* Ctrl-C between two answers leaves a cancellation behind that belongs to nobody: then the append is made once more. */
static slm_status append_prompt(const struct cli_answer *answer, slm_session *session, const int32_t *ids, size_t count, slm_error *error)
{
    size_t done = 0;
    for (int again = 0;; again = 1) {
        const slm_status status = answer->images != NULL
                                      ? cli_images_append(answer->images, answer->info, session, ids, count, &done, error)
                                      : slm_session_append(session, ids, count, NULL, error);
        if (status != SLM_E_CANCELLED || again || cli_signals_taken()) {
            return status;
        }
    }
}

static slm_status generate(struct cli_answer *answer, slm_session *session, const int32_t *ids, size_t count, struct cli_output *stream,
                           slm_error *error)
{
    const double start = cli_seconds();
    slm_status status = append_prompt(answer, session, ids, count, error);
    if (status != SLM_OK) {
        return status;
    }
    double first = 0;
    answer->prefilled = count;
    answer->prefill_seconds = cli_seconds() - start;
    while (answer->stop == SLM_STOP_NONE) {
        slm_token token = {.struct_size = sizeof token};
        status = slm_session_next(session, &token, error);
        if (status != SLM_OK) {
            return status;
        }
        const double now = cli_seconds();
        if (answer->ids.count == 0) {
            first = now;
            answer->first_seconds = now - start;
        }
        answer->later_seconds = now - first;
        answer->stop = token.stop;
        if (take_token(answer, session, &token, stream) != 0) {
            return stream != NULL && stream->error != 0 ? SLM_OK : SLM_E_NO_MEMORY;
        }
    }
    return SLM_OK;
}

slm_status cli_answer_generate(struct cli_answer *answer, slm_session *session, const int32_t *ids, size_t count, struct cli_output *stream,
                               slm_error *error)
{
    (void)cli_signals_taken();
    cli_signals_watch(session);
    slm_status status = cli_signals_terminated() ? SLM_E_CANCELLED : generate(answer, session, ids, count, stream, error);
    cli_signals_watch(NULL);
    if (status == SLM_E_CANCELLED) {
        answer->stop = SLM_STOP_CANCELLED;
        status = SLM_OK;
    } else if (status == SLM_E_CONTEXT_FULL && answer->ids.count > 0) {
        answer->stop = SLM_STOP_CONTEXT;
        status = SLM_OK;
    }
    return status;
}

void cli_answer_free(struct cli_answer *answer)
{
    cli_ids_free(&answer->ids);
    cli_text_free(&answer->text);
    cli_text_free(&answer->logprobs);
    cli_text_free(&answer->tokens);
}

const char *cli_stop_name(int32_t stop)
{
    static const char *const names[] = {"none", "eos", "length", "stop", "context", "time", "callback", "cancelled", "grammar"};
    return stop >= 0 && stop <= SLM_STOP_GRAMMAR ? names[stop] : "?";
}

double cli_answer_prefill_rate(const struct cli_answer *answer)
{
    return answer->prefill_seconds > 0 ? (double)answer->prefilled / answer->prefill_seconds : 0;
}

double cli_answer_decode_rate(const struct cli_answer *answer)
{
    return answer->ids.count > 1 && answer->later_seconds > 0 ? (double)(answer->ids.count - 1) / answer->later_seconds : 0;
}

/* SPDX-License-Identifier: MIT */
/* One step of many sessions: compute the tokens chosen before in one forward pass, then choose the next ones. Each session gets its own
 * status; what happens to one changes nothing for the others. */
#include "runtime/jump.h"          /* slm__jump_tokens */
#include "runtime/session_cache.h" /* slm__session_row and others */
#include "sample/logprobs.h"       /* slm__top_logprobs */
#include <string.h>

struct step_job {
    struct slm_pool *pool;
    struct slm_session *const *sessions;
    uint32_t count;
    slm_error *error; /* of the first failure */
    bool failed;
};

static bool any_cancelled(const void *context)
{
    const struct step_job *job = context;
    for (uint32_t i = 0; i < job->count; i++) {
        if (job->sessions[i]->status == SLM_OK && atomic_load_explicit(&job->sessions[i]->cancel, memory_order_relaxed) != 0) {
            return true;
        }
    }
    return false;
}

static void fail_session(struct step_job *job, struct slm_session *session, slm_status status, const char *sentence)
{
    session->status = status;
    slm__fail(job->failed ? NULL : job->error, status, "%s", sentence);
    job->failed = true;
}

static void drop_cancelled(struct step_job *job)
{
    for (uint32_t i = 0; i < job->count; i++) {
        struct slm_session *session = job->sessions[i];
        if (session->status == SLM_OK && atomic_exchange(&session->cancel, 0) != 0) {
            fail_session(job, session, SLM_E_CANCELLED, "cancelled; the session is as it was before");
        }
    }
}

static void check_sessions(struct step_job *job)
{
    for (uint32_t i = 0; i < job->count; i++) {
        struct slm_session *session = job->sessions[i];
        if (session->count == 0) {
            fail_session(job, session, SLM_E_STATE, "the session is empty: append tokens first");
        } else if (slm__session_ends_in_image(session)) {
            fail_session(job, session, SLM_E_STATE, "the session was rewound to the end of an image: append tokens first");
        } else if (session->count == session->context) {
            fail_session(job, session, SLM_E_CONTEXT_FULL, "the session's context is full: rewind it, or create one with a larger context");
        }
    }
}

/* A session's rows in a pass: its last token, then guesses. */
struct step_part {
    struct slm_session *session;
    uint32_t guesses;
};

/* Pages for what a session lacks and, if there are enough, for guesses behind it; *guesses is how many. false: the pool is too full. */
static bool reserve_rows(struct slm_session *session, uint32_t room, uint32_t *guesses)
{
    const uint32_t missing = session->count - session->computed, left = session->context - session->count;
    *guesses = SLM_WITH_REUSE ? slm__speculation_guess(&session->guesses, session->tokens, session->count, room < left ? room : left) : 0;
    if (!slm__session_reserve_all(session, missing + *guesses)) {
        *guesses = 0;
        if (!slm__session_reserve_all(session, missing)) {
            return false;
        }
    }
    slm__session_reserve_window(session, session->computed, session->computed, missing + *guesses);
    return true;
}

/* Reserve pages and make rows for up to a batch of sessions from *next on that lack their last token; returns the sessions. */
static uint32_t gather_rows(struct step_job *job, uint32_t *next, struct step_part *parts, uint32_t *row_count)
{
    struct slm_pool *pool = job->pool;
    const size_t vocab = pool->model->transformer->vocab_size;
    uint32_t count = 0, rows = 0;
    for (; *next < job->count && count < SLM_STEP_ROWS && rows < pool->shape.batch; (*next)++) {
        struct slm_session *session = job->sessions[*next];
        if (session->status != SLM_OK || session->logits_valid) {
            continue;
        }
        uint32_t guesses = 0;
        if (!reserve_rows(session, pool->shape.batch - rows - 1, &guesses)) {
            fail_session(job, session, SLM_E_POOL_FULL,
                         "the pool has no free KV page: destroy or rewind sessions, or create it with more kv_tokens");
            continue;
        }
        for (uint32_t i = 0; i <= guesses; i++) {
            pool->rows[rows] = slm__session_row(session, session->computed + i);
            pool->rows[rows++].logits = i == 0 ? session->logits : session->guesses.logits + (i - 1) * vocab;
        }
        parts[count++] = (struct step_part){session, guesses};
    }
    *row_count = rows;
    return count;
}

/* false: something was cancelled; what was computed before stays computed. */
static bool compute_pending(struct step_job *job)
{
    struct slm_pool *pool = job->pool;
    const struct slm_forward forward = slm__pool_forward(pool, any_cancelled, job);
    struct step_part parts[SLM_STEP_ROWS];
    for (uint32_t next = 0; next < job->count;) {
        uint32_t rows = 0;
        const uint32_t count = gather_rows(job, &next, parts, &rows);
        if (count == 0) {
            continue;
        }
        const bool done = slm__forward_rows(&forward, pool->rows, rows);
        for (uint32_t i = 0; i < count; i++) {
            struct slm_session *session = parts[i].session;
            if (!done) {
                slm__session_keep(session, session->computed);
                continue;
            }
            slm__session_accept(session, session->count);
            session->logits_valid = true;
            session->guesses.computed = parts[i].guesses;
            session->guesses.guessed += parts[i].guesses;
            session->guesses.used = 0;
        }
        if (!done) {
            return false;
        }
    }
    return true;
}

/* The token just chosen: if it was guessed, its logits are there already; if not, what lies behind it is of no use. */
static void use_guess(struct slm_session *session, bool guessed)
{
    struct slm_speculation *guesses = &session->guesses;
    if (guessed) {
        const size_t vocab = session->pool->model->transformer->vocab_size;
        memcpy(session->logits, guesses->logits + guesses->used * vocab, vocab * sizeof *session->logits);
        guesses->used++;
        guesses->accepted++;
        slm__session_accept(session, session->count);
        session->logits_valid = true;
    } else if (guesses->used < guesses->computed) {
        slm__session_keep(session, session->computed);
    }
    if (!guessed || guesses->used == guesses->computed) {
        slm__speculation_settle(guesses);
    }
}

/* A token's text fits one push, and all that a step can give out fits session->text. */
_Static_assert((int)SLM_TOKEN_STREAM_TEXT <= (int)SLM_STOP_STRINGS_PUSH_BYTES, "a token's text must fit one push");

static void append_text(struct slm_session *session, struct slm_span text)
{
    const size_t used = (size_t)session->result.text_length;
    const size_t room = sizeof session->text - used, length = text.length < room ? text.length : room;
    memcpy(session->text + used, text.data, length);
    session->result.text_length = used + length;
}

/* The text of the new token through the stop strings into session->text. */
static void stream_text(struct slm_session *session, int32_t token)
{
    struct slm_span text = {NULL, 0}, certain = {NULL, 0};
    const bool skip = (session->flags & SLM_SESSION_SHOW_SPECIAL) == 0;
    bool found = false;
    if (session->pool->model->tokenizer == NULL ||
        slm__token_stream_push(&session->stream, session->pool->model->tokenizer, token, skip, &text) != SLM_OK) {
        return; /* an id without text: rows of the embedding beyond the tokenizer */
    }
    if (slm__stop_strings_push(&session->stop, text, &certain, &found) == SLM_OK && certain.length > 0) {
        append_text(session, certain);
    }
    if (found) {
        session->result.stop = SLM_STOP_STRING;
    }
}

void slm__session_flush_text(struct slm_session *session)
{
    struct slm_span rest = {NULL, 0}, certain = {NULL, 0};
    bool found = false;
    slm__token_stream_flush(&session->stream, &rest);
    if (rest.length > 0 && slm__stop_strings_push(&session->stop, rest, &certain, &found) == SLM_OK && certain.length > 0) {
        append_text(session, certain);
    }
    certain = slm__stop_strings_flush(&session->stop);
    if (certain.length > 0) {
        append_text(session, certain);
    }
}

static bool is_eos(const struct slm_session *session, int32_t token)
{
    const struct slm_transformer *t = session->pool->model->transformer;
    for (uint32_t i = 0; i < t->eos_count; i++) {
        if (t->eos_tokens[i] == token) {
            return true;
        }
    }
    return false;
}

static struct slm_passes passes_of(const struct slm_pool *pool) { return (struct slm_passes){pool->model->team, pool->model->kernels}; }

/* result->token and its probabilities. */
static slm_status sample_allowed(struct slm_session *session, slm_token *result, slm_error *error)
{
    const struct slm_pool *pool = session->pool;
    const struct slm_passes by = passes_of(pool);
    const uint32_t vocab = pool->model->transformer->vocab_size;
    const float *logits;
    SLM_TRY(slm__constraint_logits(session, &logits, error));
    SLM_TRY(slm__sampler_choose(&session->sampler, &by, logits, vocab, session->tokens, session->count, pool->sampler_scratch,
                                &result->token, &result->allowed_logprob, error));
    result->logprob = result->allowed_logprob;
    if (slm__session_grammar(session) != NULL) {
        const int32_t chosen = result->token;
        struct slm_logits_top top;
        SLM_TRY(slm__logits_check(&by, session->logits, vocab, &top, error));
        SLM_TRY(slm__constraint_accept(session, &result->token, error));
        if (result->token != chosen) { /* the shortest way is taken instead */
            result->allowed_logprob = slm__logprob(&by, logits, vocab, slm__logits_top(&by, logits, vocab).max, result->token);
        }
        result->logprob = slm__logprob(&by, session->logits, vocab, top.max, result->token);
    }
    return SLM_OK;
}

/* What fails leaves the session as it was. */
static slm_status sample_token(struct slm_session *session, slm_token *result, slm_error *error)
{
    const struct slm_random random = session->sampler.random;
    const struct slm_constraint_answer answer = session->constraint.answer;
    const slm_status status = sample_allowed(session, result, error);
    if (status != SLM_OK) {
        session->sampler.random = random;
        return slm__constraint_return(session, answer, NULL) == SLM_OK ? status : SLM_E_INTERNAL;
    }
    return SLM_OK;
}

static void stop_at_limits(struct slm_session *session)
{
    slm_token *result = &session->result;
    if (result->stop == SLM_STOP_NONE && slm__constraint_finished(session)) {
        result->stop = SLM_STOP_GRAMMAR;
    } else if (result->stop == SLM_STOP_NONE && session->max_tokens != 0 && session->answered >= session->max_tokens) {
        result->stop = SLM_STOP_LENGTH;
    } else if (result->stop == SLM_STOP_NONE && session->count == session->context) {
        result->stop = SLM_STOP_CONTEXT;
    }
}

/* After a stop: nothing is held back, and what comes next is another answer. */
static void end_answer(struct slm_session *session)
{
    if (session->result.stop == SLM_STOP_NONE) {
        return;
    }
    if (session->result.stop != SLM_STOP_STRING) {
        slm__session_flush_text(session);
    }
    slm__token_stream_init(&session->stream);
    slm__stop_strings_reset(&session->stop);
    session->constraint.answer.ended = true;
    session->answered = 0;
}

static void choose_token(struct step_job *job, struct slm_session *session)
{
    struct slm_pool *pool = job->pool;
    slm_token *result = &session->result;
    slm_error error = {.struct_size = sizeof error};
    const uint32_t vocab = pool->model->transformer->vocab_size;
    *result = (slm_token){.struct_size = sizeof *result, .stop = SLM_STOP_NONE, .text = (const char *)session->text};
    const slm_status status = sample_token(session, result, &error);
    if (status != SLM_OK) {
        fail_session(job, session, status, error.message);
        return;
    }
    const int32_t token = result->token;
    if (SLM_WITH_SCORES && session->top_logprobs > 0) {
        const struct slm_passes by = passes_of(pool);
        result->top = session->top;
        result->top_count = slm__top_logprobs(&by, session->logits, vocab, slm__logits_top(&by, session->logits, vocab).max,
                                              session->top_logprobs, session->top);
    }
    const bool guessed = SLM_WITH_REUSE && session->guesses.used < session->guesses.computed && session->tokens[session->count] == token;
    session->tokens[session->count++] = token;
    session->logits_valid = false;
    if (SLM_WITH_REUSE) {
        use_guess(session, guessed);
    }
    session->answered++;
    if (is_eos(session, token) && ((session->flags & SLM_SESSION_IGNORE_EOS) == 0 || slm__session_grammar(session) != NULL)) {
        result->stop = SLM_STOP_EOS;
    } else {
        stream_text(session, token);
        stop_at_limits(session);
    }
    end_answer(session);
}

/* Behind the token just chosen, what the grammar leaves no choice of. What fails here is left to the next steps, which choose the same
 * bytes token by token. */
static void jump(struct slm_session *session)
{
    int32_t ids[SLM_JUMP_TOKENS];
    slm_token *result = &session->result;
    if (session->status != SLM_OK || slm__session_grammar(session) == NULL || result->stop != SLM_STOP_NONE ||
        (session->flags & SLM_SESSION_JUMP) == 0) {
        return;
    }
    const uint32_t count = slm__jump_tokens(session, ids);
    const slm_status status = count > 0 ? slm__session_extend(session, ids, count, NULL) : SLM_E_STATE;
    if (status != SLM_OK) {
        if (status == SLM_E_CANCELLED) { /* for the next step */
            atomic_store(&session->cancel, 1);
        }
        return;
    }
    (void)slm__constraint_extend(session, count, NULL);
    session->answered += count;
    result->forced = count;
    for (uint32_t i = 0; i < count && result->stop == SLM_STOP_NONE; i++) {
        stream_text(session, ids[i]);
    }
    stop_at_limits(session);
    end_answer(session);
}

static void run_step(void *context)
{
    struct step_job *job = context;
    do {
        drop_cancelled(job);
    } while (!compute_pending(job));
    for (uint32_t i = 0; i < job->count; i++) {
        if (job->sessions[i]->status == SLM_OK) {
            choose_token(job, job->sessions[i]);
        }
    }
}

slm_status slm__session_step(struct slm_pool *pool, struct slm_session *const *sessions, uint32_t count, slm_error *error)
{
    struct step_job job = {pool, sessions, count, error, false};
    for (uint32_t i = 0; i < count; i++) {
        sessions[i]->status = SLM_OK;
        sessions[i]->result.text_length = 0;
    }
    check_sessions(&job);
    uint32_t rows = 0;
    for (uint32_t i = 0; i < count; i++) {
        rows += sessions[i]->status == SLM_OK && !sessions[i]->logits_valid ? 1 : 0;
    }
    slm__pool_run(pool, rows, run_step, &job);
    for (uint32_t i = 0; i < count; i++) {
        jump(sessions[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (sessions[i]->status != SLM_OK) {
            return sessions[i]->status;
        }
    }
    return SLM_OK;
}

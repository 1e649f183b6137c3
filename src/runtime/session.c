/* SPDX-License-Identifier: MIT */
/* Sessions: creation, prefill, rewinding, forking. All or nothing: a call that fails leaves tokens, cache and logits as they were. */
#include "runtime/session.h"
#include "runtime/prefix_cache.h"  /* slm__prefix_reuse, slm__prefix_keep */
#include "runtime/session_cache.h" /* slm__session_reserve_all and others */
#include <math.h>
#include <string.h>

static struct slm_session *free_slot(struct slm_pool *pool)
{
    for (uint32_t i = 0; i < pool->shape.sessions; i++) {
        if (!pool->sessions[i].live) {
            return &pool->sessions[i];
        }
    }
    return NULL;
}

static slm_status pool_full_of_sessions(const struct slm_pool *pool, slm_error *error)
{
    return slm__fail(error, SLM_E_POOL_FULL, "all %u sessions of the pool are in use; create the pool with more, or destroy one",
                     pool->shape.sessions);
}

slm_status slm__session_create(struct slm_pool *pool, const slm_session_options *options, struct slm_session **result, slm_error *error)
{
    struct slm_session *session = free_slot(pool);
    if (session == NULL) {
        return pool_full_of_sessions(pool, error);
    }
    if (options->context > pool->shape.context) {
        return slm__fail(error, SLM_E_ARGUMENT, "context is %u, the pool's sessions have at most %u tokens", options->context,
                         pool->shape.context);
    }
    if (options->speculate > pool->shape.speculate) {
        return slm__fail(error, SLM_E_ARGUMENT, "speculate is %u, the pool was created with %u", options->speculate, pool->shape.speculate);
    }
    if ((options->flags & ~(uint32_t)SLM_SESSION_FLAGS) != 0) {
        return slm__fail(error, SLM_E_ARGUMENT, "flags is 0x%x, unknown bits are set", options->flags);
    }
    if (!SLM_WITH_SCORES && options->top_logprobs != 0) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "this build of libslm has no top_logprobs (WITH_SCORES=0)");
    }
    if (options->top_logprobs > SLM_TOP_LOGPROBS_MAX) {
        return slm__fail(error, SLM_E_ARGUMENT, "top_logprobs is %u, at most %d are possible", options->top_logprobs, SLM_TOP_LOGPROBS_MAX);
    }
    SLM_TRY(slm__sampler_init(&session->sampler, options->sampling, pool->model->transformer->vocab_size, error));
    SLM_TRY(slm__stop_strings_init(&session->stop, options->stop, options->stop_count, error));
    slm__token_stream_init(&session->stream);
    session->context = options->context == 0 ? pool->shape.context : options->context;
    session->flags = options->flags;
    session->max_tokens = options->max_tokens;
    session->top_logprobs = options->top_logprobs;
    session->count = 0;
    session->computed = 0;
    session->answered = 0;
    session->image_count = 0;
    session->reused = 0;
    session->logits_valid = false;
    session->in_step = false;
    session->adapters.count = 0;
    slm__speculation_init(&session->guesses, options->speculate);
    session->constraint.grammar = NULL;
    session->status = SLM_OK;
    memset(&session->result, 0, sizeof session->result);
    atomic_init(&session->cancel, 0);
    session->live = true;
    pool->live++;
    *result = session;
    return SLM_OK;
}

/* The session begins or ends to use its adapters. */
static void count_adapters(const struct slm_session *session, bool begin)
{
    for (uint32_t i = 0; SLM_WITH_CONVERT && i < session->adapters.count; i++) {
        if (begin) {
            atomic_fetch_add(&session->adapter_handles[i]->users, 1);
        } else {
            atomic_fetch_sub(&session->adapter_handles[i]->users, 1);
        }
    }
}

static slm_status check_adapters(const struct slm_session *session, struct slm_adapter *const *adapters, const float *weights,
                                 uint32_t count, slm_error *error)
{
    const uint32_t rank = session->pool->shape.adapter_rank;
    if (session->count > 0) {
        return slm__fail(error, SLM_E_STATE, "the session has %u tokens of other adapters: rewind it to 0 first", session->count);
    }
    if (count > SLM_ADAPTERS_MAX) {
        return slm__fail(error, SLM_E_ARGUMENT, "%u adapters are more than the %d that a session can have", count, SLM_ADAPTERS_MAX);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (adapters[i] == NULL || adapters[i]->model != session->pool->model) {
            return slm__fail(error, SLM_E_ARGUMENT, "adapters[%u] is %s", i, adapters[i] == NULL ? "NULL" : "of another model");
        }
        if (adapters[i]->set.rank > rank) {
            return slm__fail(error, SLM_E_ARGUMENT, "adapters[%u] has rank %u; the pool or session was created with adapter_rank %u", i,
                             adapters[i]->set.rank, rank);
        }
        if (weights != NULL && !(weights[i] >= -1000.0f && weights[i] <= 1000.0f)) {
            return slm__fail(error, SLM_E_ARGUMENT, "the weight of adapter %u is not between -1000 and 1000", i);
        }
    }
    return SLM_OK;
}

slm_status slm__session_set_adapters(struct slm_session *session, struct slm_adapter *const *adapters, const float *weights, uint32_t count,
                                     slm_error *error)
{
    SLM_TRY(check_adapters(session, adapters, weights, count, error));
    count_adapters(session, false);
    session->adapters.count = count;
    for (uint32_t i = 0; i < count; i++) {
        session->adapter_handles[i] = adapters[i];
        session->adapters.uses[i] = (struct slm_adapter_use){&adapters[i]->set, weights != NULL ? weights[i] : 1.0f};
    }
    count_adapters(session, true);
    return SLM_OK;
}

void slm__session_free(struct slm_session *session)
{
    slm__prefix_keep(session);
    count_adapters(session, false);
    slm__constraint_set(session, NULL, NULL, NULL);
    session->live = false;
    session->pool->live--;
}

void slm__session_forget_guesses(struct slm_session *session)
{
    if (SLM_WITH_REUSE && session->guesses.computed > session->guesses.used) {
        slm__session_keep(session, session->computed);
        session->guesses.computed = session->guesses.used = 0;
    }
}

void slm__session_discard(struct slm_session *session)
{
    slm__session_keep(session, 0);
    slm__session_free(session);
}

static bool session_cancelled(const void *context)
{
    const struct slm_session *session = context;
    return atomic_load_explicit(&session->cancel, memory_order_relaxed) != 0;
}

/* The text of an answer begins anew: after an append or a rewind nothing of the old one is held back. */
static void restart_text(struct slm_session *session)
{
    slm__token_stream_init(&session->stream);
    slm__stop_strings_reset(&session->stop);
    session->answered = 0;
    slm__constraint_restart(session);
}

static bool all_finite(const float *values, uint32_t count)
{
    float sum = 0.0f; /* 0 x finite is 0; 0 x infinity and NaN are NaN */
    for (uint32_t i = 0; i < count; i++) {
        sum += values[i] * 0.0f;
    }
    return sum == 0.0f;
}

/* A prefill in progress: computes tokens [from, session->count). */
struct append_job {
    struct slm_session *session;
    const slm_append_options *options;
    uint32_t from;         /* first token to compute */
    uint32_t first_output; /* first token whose logits and hidden state the caller may want */
    slm_status status;
    const struct slm_vision_image *image; /* what tokens [first_output, session->count) are; NULL: text */
};

static void fill_row(const struct append_job *job, uint32_t position, struct slm_row *row)
{
    const struct slm_session *session = job->session;
    const struct slm_transformer *t = session->pool->model->transformer;
    *row = slm__session_row(session, position);
    if (position >= job->first_output) {
        const size_t index = position - job->first_output;
        row->logits = job->options->logits != NULL ? job->options->logits + index * t->vocab_size : NULL;
        row->hidden = job->options->hidden != NULL ? job->options->hidden + index * t->hidden_size : NULL;
        if (SLM_WITH_IMAGES && job->image != NULL) {
            row->embedding = session->pool->vision->embeddings + index * session->pool->vision->text_stride;
            row->end = session->count;
        }
    }
    if (position + 1 == session->count) {
        row->logits = session->pool->logits;
    }
}

static bool see_image(const struct append_job *job)
{
    struct slm_pool *pool = job->session->pool;
    const struct slm_vision_forward forward = {.tower = pool->model->transformer->vision,
                                               .kernels = pool->model->kernels,
                                               .team = pool->model->team,
                                               .workspace = pool->vision,
                                               .cancelled = session_cancelled,
                                               .cancel_context = job->session};
    return slm__vision_forward(&forward, job->image);
}

static void run_append(void *context)
{
    struct append_job *job = context;
    struct slm_session *session = job->session;
    struct slm_pool *pool = session->pool;
    const struct slm_forward forward = slm__pool_forward(pool, session_cancelled, session);
    if (SLM_WITH_IMAGES && job->image != NULL && (session_cancelled(session) || !see_image(job))) {
        job->status = SLM_E_CANCELLED;
        return;
    }
    for (uint32_t position = job->from; position < session->count;) {
        const bool before_image =
            SLM_WITH_IMAGES && job->image != NULL && position < job->first_output; /* the image comes in a pass of its own */
        const uint32_t end = before_image ? job->first_output : session->count, left = end - position;
        slm__session_reserve_window(session, job->from, position, left < pool->shape.batch ? left : pool->shape.batch);
        uint32_t rows = 0;
        for (; rows < pool->shape.batch && position < end; rows++, position++) {
            fill_row(job, position, &pool->rows[rows]);
        }
        if (session_cancelled(session) || !slm__forward_rows(&forward, pool->rows, rows)) {
            job->status = SLM_E_CANCELLED;
            return;
        }
    }
    job->status = all_finite(pool->logits, pool->model->transformer->vocab_size) ? SLM_OK : SLM_E_NOT_FINITE;
}

/* Compute tokens [computed, count) and accept them, or leave the session with `old_count` tokens, `old_length` of them in the cache. */
static slm_status compute_tokens(struct slm_session *session, uint32_t old_count, uint32_t old_length, const struct slm_vision_image *image,
                                 const slm_append_options *options, slm_error *error)
{
    struct slm_pool *pool = session->pool;
    const size_t vocab = pool->model->transformer->vocab_size;
    struct append_job job = {session, options, session->computed, old_count, SLM_OK, image};
    if (!slm__session_reserve_all(session, session->count - job.from)) {
        const uint32_t wanted = session->count - job.from;
        slm__session_keep(session, old_length);
        session->count = old_count;
        return slm__fail(error, SLM_E_POOL_FULL, "%u tokens need more KV pages than the pool has free; rewind or destroy other sessions",
                         wanted);
    }
    slm__pool_run(pool, session->count - job.from + (SLM_WITH_IMAGES && image != NULL ? pool->model->transformer->vision->patches : 0),
                  run_append, &job);
    if (job.status != SLM_OK) {
        slm__session_keep(session, old_length);
        session->count = old_count;
        if (job.status == SLM_E_CANCELLED) {
            atomic_store(&session->cancel, 0);
            return slm__fail(error, SLM_E_CANCELLED, "cancelled; the session has its %u tokens as before", old_count);
        }
        return slm__fail(error, SLM_E_NOT_FINITE, "the logits hold a value that is no finite number; the model file may be damaged");
    }
    if (options->logits != NULL && session->count > old_count) {
        memcpy(options->logits + (size_t)(session->count - old_count - 1) * vocab, pool->logits, vocab * sizeof *pool->logits);
    }
    memcpy(session->logits, pool->logits, vocab * sizeof *session->logits);
    slm__session_accept(session, session->count);
    session->logits_valid = true;
    return SLM_OK;
}

static slm_status check_room(const struct slm_session *session, uint64_t count, const slm_append_options *options, slm_error *error)
{
    const struct slm_transformer *t = session->pool->model->transformer;
    if (count > session->context - session->count) {
        return slm__fail(error, SLM_E_CONTEXT_FULL, "%llu tokens do not fit behind the %u of the session, whose context is %u",
                         (unsigned long long)count, session->count, session->context);
    }
    if ((options->logits != NULL && options->logits_capacity < count * t->vocab_size) ||
        (options->hidden != NULL && options->hidden_capacity < count * t->hidden_size)) {
        return slm__fail(error, SLM_E_BUFFER_TOO_SMALL, "%llu tokens give %llu logits and %llu hidden values; a buffer is smaller",
                         (unsigned long long)count, (unsigned long long)(count * t->vocab_size),
                         (unsigned long long)(count * t->hidden_size));
    }
    return SLM_OK;
}

static slm_status check_tokens(const struct slm_transformer *t, const int32_t *tokens, uint64_t count, slm_error *error)
{
    for (uint64_t i = 0; i < count; i++) {
        if (tokens[i] < 0 || (uint32_t)tokens[i] >= t->vocab_size) {
            return slm__fail(error, SLM_E_BAD_TOKEN, "token %llu is %d, the vocabulary has ids 0 .. %u", (unsigned long long)i, tokens[i],
                             t->vocab_size - 1);
        }
        if (slm__vision_of(t) != NULL && tokens[i] == t->vision->image_token) {
            return slm__fail(error, SLM_E_BAD_TOKEN, "token %llu is %d, which stands for a part of an image: append the image",
                             (unsigned long long)i, tokens[i]);
        }
    }
    return SLM_OK;
}

slm_status slm__session_append(struct slm_session *session, const int32_t *tokens, uint64_t count, const slm_append_options *options,
                               slm_error *error)
{
    const uint32_t old_count = session->count, old_length = session->computed;
    SLM_TRY(check_room(session, count, options, error));
    SLM_TRY(check_tokens(session->pool->model->transformer, tokens, count, error));
    if (count == 0) {
        return SLM_OK;
    }
    slm__session_forget_guesses(session);
    memcpy(session->tokens + old_count, tokens, (size_t)count * sizeof *tokens);
    session->count = old_count + (uint32_t)count;
    if (options->logits == NULL && options->hidden == NULL) {
        slm__prefix_reuse(session);
    }
    const uint32_t reused = session->computed - old_length;
    SLM_TRY(compute_tokens(session, old_count, old_length, NULL, options, error));
    session->reused = reused;
    restart_text(session);
    return SLM_OK;
}

slm_status slm__session_extend(struct slm_session *session, const int32_t *tokens, uint32_t count, slm_error *error)
{
    const uint32_t old_count = session->count, old_length = session->computed;
    const slm_append_options none = {0};
    slm__session_forget_guesses(session);
    memcpy(session->tokens + old_count, tokens, count * sizeof *tokens);
    session->count = old_count + count;
    return compute_tokens(session, old_count, old_length, NULL, &none, error);
}

slm_status slm__session_append_image(struct slm_session *session, const struct slm_vision_image *image, const slm_append_options *options,
                                     slm_error *error)
{
    const struct slm_vision_tower *tower = session->pool->model->transformer->vision;
    const uint32_t old_count = session->count;
    SLM_TRY(check_room(session, tower->tokens, options, error));
    slm__session_forget_guesses(session);
    for (uint32_t i = 0; i < tower->tokens; i++) {
        session->tokens[old_count + i] = tower->image_token;
    }
    session->count = old_count + tower->tokens;
    SLM_TRY(compute_tokens(session, old_count, session->computed, image, options, error));
    session->images[session->image_count++] = old_count;
    restart_text(session);
    return SLM_OK;
}

bool slm__session_ends_in_image(const struct slm_session *session)
{
    return SLM_WITH_IMAGES && session->computed == session->count && !session->logits_valid;
}

slm_status slm__session_compute(struct slm_session *session, slm_error *error)
{
    const slm_append_options none = {0};
    if (session->count == 0) {
        return slm__fail(error, SLM_E_STATE, "the session is empty: append tokens first");
    }
    if (slm__session_ends_in_image(session)) {
        return slm__fail(error, SLM_E_STATE, "the session was rewound to the end of an image: append tokens first");
    }
    return session->logits_valid ? SLM_OK : compute_tokens(session, session->count, session->computed, NULL, &none, error);
}

/* Which of the images are kept with the first `tokens` tokens, and whether the last one is the end of the kept. */
static slm_status images_kept(const struct slm_session *session, uint64_t tokens, uint32_t *kept, bool *at_end, slm_error *error)
{
    const uint32_t length = session->image_count != 0 ? session->pool->model->transformer->vision->tokens : 0;
    *kept = 0;
    *at_end = false;
    while (*kept < session->image_count && session->images[*kept] < tokens) {
        const uint32_t begin = session->images[(*kept)++];
        if (tokens < begin + length) {
            return slm__fail(error, SLM_E_ARGUMENT, "%llu tokens end inside the image of tokens %u .. %u: keep %u or %u",
                             (unsigned long long)tokens, begin, begin + length - 1, begin, begin + length);
        }
        *at_end = tokens == begin + length;
    }
    return SLM_OK;
}

slm_status slm__session_rewind(struct slm_session *session, uint64_t tokens, slm_error *error)
{
    uint32_t kept = 0;
    bool at_image = false;
    if (tokens > session->count) {
        return slm__fail(error, SLM_E_ARGUMENT, "cannot keep %llu tokens of a session that has %u", (unsigned long long)tokens,
                         session->count);
    }
    if (tokens < session->count) {
        const uint32_t limit = slm__session_rewind_limit(session);
        if (tokens != 0 && tokens < limit) {
            return slm__fail(
                error, SLM_E_REWIND_LIMIT,
                "layers with a window have dropped what %llu tokens need: keep at least %u tokens, or rewind to 0 and append again",
                (unsigned long long)tokens, limit);
        }
        SLM_TRY(!SLM_WITH_IMAGES ? SLM_OK : images_kept(session, tokens, &kept, &at_image, error));
        session->guesses.computed = session->guesses.used = 0;
        if (tokens == 0) {
            slm__prefix_keep(session);
        }
        session->image_count = kept;
        /* the last one kept is computed again, for its logits */
        slm__session_keep(session, tokens == 0 || at_image ? (uint32_t)tokens : (uint32_t)tokens - 1);
        session->count = (uint32_t)tokens;
        session->logits_valid = false;
        const uint32_t answer = session->constraint.answer.from;
        restart_text(session);
        return slm__constraint_return(session, (struct slm_constraint_answer){answer, false}, error);
    }
    return SLM_OK;
}

slm_status slm__session_fork(struct slm_session *session, struct slm_session **result, slm_error *error)
{
    struct slm_session *fork = free_slot(session->pool);
    if (fork == NULL) {
        return pool_full_of_sessions(session->pool, error);
    }
    SLM_TRY(slm__constraint_fork(fork, session, error));
    slm__session_forget_guesses(session);
    memcpy(fork->tokens, session->tokens, session->count * sizeof *fork->tokens);
    memcpy(fork->logits, session->logits, session->pool->model->transformer->vocab_size * sizeof *fork->logits);
    for (uint32_t c = 0; c < session->pool->model->transformer->kv_class_count; c++) {
        slm__kv_sequence_fork(&fork->kv[c], &session->kv[c], &session->pool->pages[c]);
    }
    memcpy(fork->images, session->images, session->image_count * sizeof *fork->images);
    fork->image_count = session->image_count;
    fork->count = session->count;
    fork->computed = session->computed;
    fork->context = session->context;
    fork->flags = session->flags;
    fork->max_tokens = session->max_tokens;
    fork->top_logprobs = session->top_logprobs;
    fork->answered = session->answered;
    fork->reused = 0;
    fork->logits_valid = session->logits_valid;
    fork->in_step = false;
    fork->adapters = session->adapters;
    memcpy(fork->adapter_handles, session->adapter_handles, sizeof fork->adapter_handles);
    count_adapters(fork, true);
    slm__speculation_init(&fork->guesses, session->guesses.most);
    fork->sampler = session->sampler;
    fork->stop = session->stop;
    fork->stream = session->stream;
    fork->status = SLM_OK;
    fork->result = session->result;
    fork->result.text = NULL;
    fork->result.text_length = 0;
    fork->result.top = NULL;
    fork->result.top_count = 0;
    atomic_init(&fork->cancel, 0);
    fork->live = true;
    fork->pool->live++;
    *result = fork;
    return SLM_OK;
}

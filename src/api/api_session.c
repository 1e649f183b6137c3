/* SPDX-License-Identifier: MIT */
/* Pools and sessions: arguments are checked and translated here; the work is in src/runtime/. */
#include "api/handles.h"
#include "runtime/generate.h" /* slm__generate */
#include "runtime/session.h"  /* struct slm_session */
#include "runtime/snapshot.h" /* slm__session_save, slm__session_restore */
#include <string.h>

static slm_status pool_options(slm_pool_options *known, const slm_pool_options *given, slm_error *error)
{
    SLM_TRY(slm__options_in(known, sizeof *known, given, error));
    SLM_TRY(slm__require_zero(known->reserved, "pool options: reserved", error));
    return slm__require_zero(known->reserved2, "pool options: reserved2", error);
}

slm_status slm_pool_plan(const slm_model *model, const slm_pool_options *options, slm_pool_memory *memory, slm_error *error)
{
    slm_pool_options known;
    struct slm_pool_shape shape;
    slm_pool_memory plan = {.struct_size = sizeof plan};
    SLM_TRY(slm__require_weights(model, error));
    SLM_TRY(pool_options(&known, options, error));
    SLM_TRY(slm__pool_shape(&model->runtime, &known, &shape, error));
    slm__pool_plan(&model->runtime, &shape, &plan);
    return slm__struct_out(memory, &plan, sizeof plan, error);
}

slm_status slm_pool_create(slm_model *model, const slm_pool_options *options, slm_pool **pool, slm_error *error)
{
    slm_pool_options known;
    SLM_TRY(slm__require_weights(model, error));
    SLM_TRY(slm__require(pool, "pool", error));
    SLM_TRY(pool_options(&known, options, error));
    return slm__pool_create(&model->runtime, &known, false, pool, error);
}

slm_status slm_pool_destroy(slm_pool *pool)
{
    if (pool != NULL && pool->live != 0) {
        return SLM_E_BUSY;
    }
    if (pool != NULL) {
        slm__pool_free(pool);
    }
    return SLM_OK;
}

/* slm_sampling inside the session options has its own struct_size. */
static slm_status session_options(slm_session_options *known, slm_sampling *sampling, const slm_session_options *given, slm_error *error)
{
    SLM_TRY(slm__options_in(known, sizeof *known, given, error));
    SLM_TRY(slm__require_zero(known->reserved, "session options: reserved", error));
    if (known->sampling != NULL) {
        SLM_TRY(slm__options_in(sampling, sizeof *sampling, known->sampling, error));
        known->sampling = sampling;
    }
    return SLM_OK;
}

slm_status slm_session_create(slm_model *model, slm_pool *pool, const slm_session_options *options, slm_session **session, slm_error *error)
{
    slm_session_options known;
    slm_sampling sampling;
    SLM_TRY(slm__require_weights(model, error));
    SLM_TRY(slm__require(session, "session", error));
    if (SLM_WITH_SCORES && model->transformer.bidirectional) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "the model is an encoder, which has no next token: use slm_embed()");
    }
    SLM_TRY(session_options(&known, &sampling, options, error));
    if (pool != NULL) {
        if (pool->model != &model->runtime) {
            return slm__fail(error, SLM_E_ARGUMENT, "the pool belongs to another model");
        }
        if (known.kv_type != 0 || known.batch != 0 || known.adapter_rank != 0 || known.grammar_bytes != 0) {
            return slm__fail(error, SLM_E_ARGUMENT,
                             "kv_type, batch, adapter_rank and grammar_bytes are the pool's: leave them 0 for a session in a pool");
        }
        return slm__session_create(pool, &known, session, error);
    }
    const slm_pool_options own = {.struct_size = sizeof own,
                                  .context = known.context,
                                  .kv_type = known.kv_type,
                                  .batch = known.batch,
                                  .adapter_rank = known.adapter_rank,
                                  .speculate = known.speculate,
                                  .grammar_bytes = known.grammar_bytes};
    struct slm_pool *created = NULL;
    SLM_TRY(slm__pool_create(&model->runtime, &own, true, &created, error));
    const slm_status status = slm__session_create(created, &known, session, error);
    if (status != SLM_OK) {
        slm__pool_free(created);
    }
    return status;
}

slm_status slm_session_destroy(slm_session *session)
{
    if (session != NULL) {
        struct slm_pool *pool = session->pool;
        slm__session_free(session);
        if (pool->private) {
            slm__pool_free(pool);
        }
    }
    return SLM_OK;
}

slm_status slm_session_append(slm_session *session, const int32_t *tokens, uint64_t count, const slm_append_options *options,
                              slm_error *error)
{
    slm_append_options known;
    SLM_TRY(slm__require(session, "session", error));
    SLM_TRY(slm__options_in(&known, sizeof known, options, error));
    SLM_TRY(slm__require_zero(known.reserved, "append options: reserved", error));
    if (count > 0) {
        SLM_TRY(slm__require(tokens, "tokens", error));
    }
    return slm__session_append(session, tokens, count, &known, error);
}

slm_status slm_session_next(slm_session *session, slm_token *token, slm_error *error)
{
    SLM_TRY(slm__require(session, "session", error));
    SLM_TRY(slm__require(token, "token", error));
    SLM_TRY(slm__session_step(session->pool, &session, 1, error));
    return slm__struct_out(token, &session->result, sizeof session->result, error);
}

/* Each session is of this pool and named once. */
static slm_status check_step(struct slm_pool *pool, slm_session *const *sessions, uint32_t count, slm_error *error)
{
    slm_status status = SLM_OK;
    uint32_t marked = 0;
    for (; marked < count && status == SLM_OK; marked++) {
        struct slm_session *session = sessions[marked];
        if (session == NULL || session->pool != pool || session->in_step) {
            status = slm__fail(error, SLM_E_ARGUMENT, "sessions[%u] is %s", marked,
                               session == NULL         ? "NULL"
                               : session->pool != pool ? "not of this pool"
                                                       : "in the list twice");
            break;
        }
        session->in_step = true;
    }
    for (uint32_t i = 0; i < marked; i++) {
        sessions[i]->in_step = false;
    }
    return status;
}

slm_status slm_pool_step(slm_pool *pool, slm_session *const *sessions, uint32_t count, slm_token *tokens, slm_status *statuses,
                         slm_error *error)
{
    SLM_REQUIRE_PART(REUSE, "steps of many sessions", error);
    SLM_TRY(slm__require(pool, "pool", error));
    if (count == 0) {
        return SLM_OK;
    }
    SLM_TRY(slm__require(sessions, "sessions", error));
    SLM_TRY(slm__require(tokens, "tokens", error));
    SLM_TRY(slm__require(statuses, "statuses", error));
    const uint32_t stride = tokens[0].struct_size; /* the caller's size of the struct */
    if (stride < sizeof stride || stride % _Alignof(slm_token) != 0 || stride > 1u << 16) {
        return slm__fail(error, SLM_E_STRUCT_SIZE, "struct_size of tokens[0] is %u; set it to sizeof the struct", stride);
    }
    SLM_TRY(check_step(pool, sessions, count, error));
    const slm_status status = slm__session_step(pool, sessions, count, error);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *target = (uint8_t *)tokens + (size_t)i * stride;
        memcpy(target, &stride, sizeof stride);
        statuses[i] = sessions[i]->status;
        if (statuses[i] == SLM_OK) {
            SLM_TRY(slm__struct_out(target, &sessions[i]->result, sizeof sessions[i]->result, error));
        }
    }
    return status;
}

slm_status slm_session_logits(slm_session *session, const float **logits, uint64_t *count, slm_error *error)
{
    SLM_TRY(slm__require(session, "session", error));
    SLM_TRY(slm__require(logits, "logits", error));
    SLM_TRY(slm__session_compute(session, error));
    *logits = session->logits;
    if (count != NULL) {
        *count = session->pool->model->transformer->vocab_size;
    }
    return SLM_OK;
}

slm_status slm_session_rewind(slm_session *session, uint64_t tokens, slm_error *error)
{
    SLM_TRY(slm__require(session, "session", error));
    return slm__session_rewind(session, tokens, error);
}

slm_status slm_session_fork(slm_session *session, slm_session **fork, slm_error *error)
{
    SLM_TRY(slm__require(session, "session", error));
    SLM_REQUIRE_PART(REUSE, "forks", error);
    SLM_TRY(slm__require(fork, "fork", error));
    return slm__session_fork(session, fork, error);
}

slm_status slm_session_set_sampling(slm_session *session, const slm_sampling *sampling, slm_error *error)
{
    slm_sampling known;
    SLM_TRY(slm__require(session, "session", error));
    SLM_TRY(slm__options_in(&known, sizeof known, sampling, error));
    return slm__sampler_init(&session->sampler, sampling != NULL ? &known : NULL, session->pool->model->transformer->vocab_size, error);
}

slm_status slm_session_tokens(const slm_session *session, int32_t *ids, uint64_t capacity, uint64_t *count, slm_error *error)
{
    SLM_TRY(slm__require(session, "session", error));
    SLM_TRY(slm__require(count, "count", error));
    *count = session->count;
    if (capacity < session->count) {
        return slm__fail(error, SLM_E_BUFFER_TOO_SMALL, "the session has %u tokens, the buffer room for %llu", session->count,
                         (unsigned long long)capacity);
    }
    if (session->count > 0) {
        SLM_TRY(slm__require(ids, "ids", error));
        memcpy(ids, session->tokens, session->count * sizeof *ids);
    }
    return SLM_OK;
}

slm_status slm_session_get_info(const slm_session *session, slm_session_info *info, slm_error *error)
{
    SLM_TRY(slm__require(session, "session", error));
    slm_session_info known = {.struct_size = sizeof known,
                              .tokens = session->count,
                              .context = session->context,
                              .last_stop = session->result.stop,
                              .kv_type = (int32_t)session->pool->shape.kv_type,
                              .reused = session->reused,
                              .guessed = session->guesses.guessed,
                              .accepted = session->guesses.accepted,
                              .long_context = slm__transformer_is_long(session->pool->model->transformer, session->context)};
    for (uint32_t c = 0; c < session->pool->model->transformer->kv_class_count; c++) {
        for (uint32_t tile = 0; tile < session->kv[c].tiles; tile++) {
            known.pages += session->kv[c].table[tile] != SLM_NO_PAGE;
        }
    }
    return slm__struct_out(info, &known, sizeof known, error);
}

slm_status slm_session_save(const slm_session *session, void *bytes, uint64_t capacity, uint64_t *needed, slm_error *error)
{
    SLM_REQUIRE_PART(SNAPSHOTS, "snapshots", error);
    SLM_TRY(slm__require(session, "session", error));
    SLM_TRY(slm__require(needed, "needed", error));
    return slm__session_save(session, bytes, bytes != NULL ? capacity : 0, needed, error);
}

slm_status slm_session_restore(slm_session *session, const void *bytes, uint64_t length, slm_error *error)
{
    SLM_REQUIRE_PART(SNAPSHOTS, "snapshots", error);
    SLM_TRY(slm__require(session, "session", error));
    SLM_TRY(slm__require(bytes, "bytes", error));
    return slm__session_restore(session, bytes, length, error);
}

void slm_session_cancel(slm_session *session)
{
    if (session != NULL) {
        atomic_store_explicit(&session->cancel, 1, memory_order_relaxed);
    }
}

slm_status slm_generate(slm_session *session, const char *prompt, uint64_t length, const slm_generate_options *options, char *text,
                        uint64_t capacity, uint64_t *needed, slm_generate_result *result, slm_error *error)
{
    slm_generate_options known;
    slm_generate_result given = {.struct_size = sizeof given};
    struct slm_span span;
    SLM_TRY(slm__require(session, "session", error));
    SLM_TRY(slm__text_in(prompt, length, "prompt", &span, error));
    SLM_TRY(slm__options_in(&known, sizeof known, options, error));
    if ((known.flags & ~(uint32_t)SLM_GENERATE_RAW) != 0) {
        return slm__fail(error, SLM_E_ARGUMENT, "flags is 0x%x, unknown bits are set", known.flags);
    }
    const slm_status status = slm__generate(session, span, &known, text, capacity, needed, &given, error);
    if (result != NULL && (status == SLM_OK || status == SLM_E_BUFFER_TOO_SMALL)) {
        SLM_TRY(slm__struct_out(result, &given, sizeof given, error));
    }
    return status;
}

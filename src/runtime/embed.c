/* SPDX-License-Identifier: MIT */
/*
 * Texts go through the model side by side: each takes a free session of the pool, a forward pass takes rows of as many as fit its batch,
 * and rows know nothing of each other, so an embedding has the same bits alone as in any company. A decoder's text may be spread over
 * several passes; an encoder's tokens see each other and go through one.
 *
 *   mean: (h_0 + h_1 + ...) x 1/n, in order of the positions; last: h_n-1; first: h_0
 *   normalised: each value / sqrt(sum of squares), in f64
 */
#include "runtime/embed.h"
#include "runtime/input_ids.h"     /* struct slm_input_ids */
#include "runtime/session_cache.h" /* slm__session_row and others */
#include <math.h>
#include <string.h>

struct embed_job {
    struct slm_pool *pool;
    const struct slm_input_ids *lists;
    const slm_embed_options *options;
    int32_t pooling;
    bool normalize;
    float *embeddings;
    slm_status status; /* of what is no matter of room */
    slm_error *error;
    uint64_t next; /* first input that has no session yet */
    uint64_t count;
    uint32_t active; /* texts of the pool in use */
    uint32_t rows;   /* of the pass at hand */
};

/* ---- inputs */

/* Cut list `index`, the last one, to `most` ids: the first of the text, and what the tokenizer adds around them. */
static slm_status cut_to_room(struct slm_input_ids *lists, const struct slm_runtime_model *model, uint64_t index, const slm_input *input,
                              uint32_t flags, uint64_t most, slm_error *error)
{
    struct slm_input_ids plain;
    uint64_t count = 0, inner = 0, before = 0;
    slm__input_ids_init(&plain, model);
    const slm_status status = slm__input_ids_add(&plain, model, input, flags & ~(uint32_t)SLM_TOKENIZE_ADD_SPECIAL, error);
    if (status != SLM_OK) {
        slm__input_ids_free(&plain);
        return status;
    }
    int32_t *ids = (int32_t *)(uintptr_t)slm__input_ids_at(lists, index, &count);
    const int32_t *bare = slm__input_ids_at(&plain, 0, &inner);
    while (inner > 0 && before + inner < count && memcmp(ids + before, bare, (size_t)inner * sizeof *ids) != 0) {
        before++;
    }
    const uint64_t behind = count - before - inner, kept = before + behind < most ? most - before - behind : 0;
    memmove(ids + before + kept, ids + count - behind, (size_t)behind * sizeof *ids);
    lists->ids.length -= (size_t)(count - (before + kept + behind)) * sizeof *ids;
    memcpy(lists->ends.data + index * sizeof(uint64_t), &(uint64_t){lists->ids.length / sizeof *ids}, sizeof(uint64_t));
    slm__input_ids_free(&plain);
    return SLM_OK;
}

static slm_status read_input(struct slm_input_ids *lists, const struct slm_pool *pool, uint64_t index, const slm_input *input,
                             uint32_t embed_flags, slm_error *error)
{
    const uint32_t flags = SLM_TOKENIZE_ADD_SPECIAL | ((embed_flags & SLM_EMBED_PLAIN) != 0 ? (uint32_t)SLM_TOKENIZE_PLAIN : 0);
    const uint64_t most = pool->shape.context;
    uint64_t count = 0;
    SLM_TRY(slm__input_ids_add(lists, pool->model, input, flags, error));
    (void)slm__input_ids_at(lists, index, &count);
    if (count > most && (embed_flags & SLM_EMBED_TRUNCATE) != 0) {
        SLM_TRY(cut_to_room(lists, pool->model, index, input, input->ids != NULL ? 0 : flags, most, error));
        (void)slm__input_ids_at(lists, index, &count);
    }
    if (count == 0) {
        return slm__fail(error, SLM_E_ARGUMENT, "it has no tokens");
    }
    return count <= most ? SLM_OK
                         : slm__fail(error, SLM_E_CONTEXT_FULL, "its %llu tokens are more than the pool's context of %llu",
                                     (unsigned long long)count, (unsigned long long)most);
}

/* ---- sessions */

static void free_texts(struct embed_job *job)
{
    while (job->active > 0) {
        slm__session_discard(job->pool->texts[--job->active].session);
    }
}

/* Give the next input a session and pages. false: nothing is free, or the pass has no room for a whole text. */
static bool start_text(struct embed_job *job)
{
    static const slm_session_options defaults = {.struct_size = sizeof defaults};
    const struct slm_pool *pool = job->pool;
    struct slm_session *session = NULL;
    uint64_t count = 0;
    const int32_t *ids = slm__input_ids_at(job->lists, job->next, &count);
    if (pool->model->transformer->bidirectional && job->rows + count > pool->shape.batch) {
        return false;
    }
    if (slm__session_create(job->pool, &defaults, &session, NULL) != SLM_OK) {
        return false;
    }
    job->status =
        slm__session_set_adapters(session, job->options->adapters, job->options->adapter_weights, job->options->adapter_count, job->error);
    if (job->status != SLM_OK || !slm__session_reserve_all(session, (uint32_t)count)) {
        slm__session_free(session);
        return false;
    }
    memcpy(session->tokens, ids, (size_t)count * sizeof *ids);
    session->count = (uint32_t)count;
    job->pool->texts[job->active++] = (struct slm_pool_text){session, job->next++};
    return true;
}

/* Rows of one text into the pass, as many as fit. */
static void add_rows(struct embed_job *job, const struct slm_pool_text *text)
{
    struct slm_pool *pool = job->pool;
    struct slm_session *session = text->session;
    const uint32_t left = session->count - session->computed, room = pool->shape.batch - job->rows, count = left < room ? left : room;
    slm__session_reserve_window(session, session->computed, session->computed, count);
    for (uint32_t i = 0; i < count; i++, job->rows++) {
        const uint32_t position = session->computed + i;
        const bool wanted = job->pooling == SLM_POOLING_MEAN || position == (job->pooling == SLM_POOLING_FIRST ? 0 : session->count - 1);
        struct slm_row row = slm__session_row(session, position);
        row.end = pool->model->transformer->bidirectional ? session->count : position + 1;
        row.hidden = wanted ? pool->workspace.h + (size_t)job->rows * pool->workspace.h_stride : NULL; /* free once the layers are done */
        pool->rows[job->rows] = row;
    }
}

static void gather_rows(struct embed_job *job)
{
    job->rows = 0;
    for (uint32_t i = 0; i < job->active && job->rows < job->pool->shape.batch; i++) {
        add_rows(job, &job->pool->texts[i]);
    }
    while (job->next < job->count && job->rows < job->pool->shape.batch && start_text(job)) {
        add_rows(job, &job->pool->texts[job->active - 1]);
    }
}

/* ---- pooling */

static void pool_rows(struct embed_job *job, const struct slm_pool_text *text, uint32_t first_row, uint32_t count)
{
    const struct slm_pool *pool = job->pool;
    const struct slm_kernels *kernels = pool->model->kernels;
    const uint32_t hidden = pool->model->transformer->hidden_size;
    float *out = job->embeddings + text->input * hidden;
    for (uint32_t i = 0; i < count; i++) {
        const float *h = pool->rows[first_row + i].hidden;
        if (h == NULL) {
            continue;
        }
        if (job->pooling == SLM_POOLING_MEAN && text->session->computed + i > 0) {
            kernels->add(out, h, hidden);
        } else {
            memcpy(out, h, hidden * sizeof *out);
        }
    }
}

static slm_status finish_text(const struct embed_job *job, const struct slm_pool_text *text, slm_error *error)
{
    const struct slm_runtime_model *model = job->pool->model;
    const uint32_t hidden = model->transformer->hidden_size;
    float *out = job->embeddings + text->input * hidden;
    double square = 0.0;
    if (job->pooling == SLM_POOLING_MEAN) {
        model->kernels->scale(out, out, 1.0f / (float)text->session->count, hidden);
    }
    for (uint32_t i = 0; i < hidden; i++) {
        square += (double)out[i] * (double)out[i];
    }
    if (!(square <= 1e300)) {
        return slm__fail(error, SLM_E_NOT_FINITE, "input %llu: a hidden state is no finite number; the model file may be damaged",
                         (unsigned long long)text->input);
    }
    const double length = sqrt(square);
    for (uint32_t i = 0; i < hidden && job->normalize && length > 0.0; i++) {
        out[i] = (float)((double)out[i] / length);
    }
    return SLM_OK;
}

/* Take the results of a pass; texts that are complete give their sessions back. */
static slm_status collect(struct embed_job *job, slm_error *error)
{
    slm_status status = SLM_OK;
    uint32_t row = 0, kept = 0;
    for (uint32_t i = 0; i < job->active; i++) {
        struct slm_pool_text *text = &job->pool->texts[i];
        const uint32_t left = text->session->count - text->session->computed, room = job->rows - row, count = left < room ? left : room;
        pool_rows(job, text, row, count);
        slm__session_accept(text->session, text->session->computed + count);
        row += count;
        if (text->session->computed < text->session->count) {
            job->pool->texts[kept++] = *text;
            continue;
        }
        if (status == SLM_OK) {
            status = finish_text(job, text, error);
        }
        slm__session_discard(text->session);
    }
    job->active = kept;
    return status;
}

static void run_pass(void *context)
{
    struct embed_job *job = context;
    const struct slm_forward forward = slm__pool_forward(job->pool, NULL, NULL);
    (void)slm__forward_rows(&forward, job->pool->rows, job->rows);
}

static slm_status run(struct embed_job *job, slm_error *error)
{
    const slm_embed_options *options = job->options;
    while (job->active > 0 || job->next < job->count) {
        if (options->progress != NULL &&
            options->progress(options->progress_user, job->next - job->active, job->count, "embeddings") != 0) {
            return slm__fail(error, SLM_E_CANCELLED, "cancelled with %llu of %llu embeddings done",
                             (unsigned long long)(job->next - job->active), (unsigned long long)job->count);
        }
        gather_rows(job);
        SLM_TRY(job->status);
        if (job->rows == 0) {
            return slm__fail(
                error, SLM_E_POOL_FULL,
                "the pool has no free session or too few free KV pages for input %llu; destroy sessions, or create it with more",
                (unsigned long long)job->next);
        }
        slm__pool_run(job->pool, job->rows, run_pass, job);
        SLM_TRY(collect(job, error));
    }
    return SLM_OK;
}

slm_status slm__embed(struct slm_pool *pool, const slm_input *inputs, uint64_t count, const slm_embed_options *options, float *embeddings,
                      slm_error *error)
{
    struct slm_input_ids lists;
    slm_status status = SLM_OK;
    slm__input_ids_init(&lists, pool->model);
    for (uint64_t i = 0; i < count && status == SLM_OK; i++) {
        status = read_input(&lists, pool, i, &inputs[i], options->flags, error);
        if (status != SLM_OK) {
            slm__fail_in(error, status, "input %llu", (unsigned long long)i);
        }
    }
    if (status == SLM_OK) {
        struct embed_job job = {.pool = pool,
                                .lists = &lists,
                                .options = options,
                                .error = error,
                                .pooling = options->pooling != SLM_POOLING_DEFAULT ? options->pooling : pool->model->pooling,
                                .normalize = options->normalize != SLM_NORMALIZE_DEFAULT ? options->normalize == SLM_NORMALIZE_YES
                                                                                         : pool->model->normalize,
                                .embeddings = embeddings,
                                .count = count};
        status = run(&job, error);
        free_texts(&job);
    }
    slm__input_ids_free(&lists);
    return status;
}

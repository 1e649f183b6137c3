/* SPDX-License-Identifier: MIT */
/*
 * The context goes through one session; its logits give the first token of every label. A label of more tokens is a fork of that
 * session, and the rows of all labels at hand make one forward pass. Each row's logits are looked at once, for the token behind it, and
 * kept nowhere. The last token of a label needs no row, unless the end behind it counts.
 *
 *   logprob(label) = sum over its tokens of log softmax(logits)[token], in order, in f64
 *   with the end: + log of the sum of the probabilities of all eos tokens
 */
#include "runtime/score.h"
#include "kernels/poly_math.h"     /* slm__log64, slm__exp64 */
#include "runtime/input_ids.h"     /* struct slm_input_ids */
#include "runtime/session_cache.h" /* slm__session_row and others */
#include "sample/logprobs.h"       /* slm__log_softmax */
#include <math.h>
#include <string.h>

/* One context and the labels behind it. */
struct score_job {
    struct slm_pool *pool;
    const slm_score_options *options;
    const struct slm_input_ids *labels;
    const int32_t *context;
    uint64_t context_count, count;
    uint64_t done, total;         /* of the progress */
    struct slm_session *session;  /* the context's */
    struct slm_log_softmax first; /* behind the context */
    slm_label_score *scores;
    bool prior; /* the sums are priors, not logprobs */
    uint64_t next;
    uint32_t active, rows;
    slm_error *error;
};

static const struct slm_transformer *transformer_of(const struct score_job *job) { return job->pool->model->transformer; }

static bool counts_end(const struct score_job *job) { return (job->options->flags & SLM_SCORE_EOS) != 0; }

static double *sum_of(const struct score_job *job, uint64_t label)
{
    return job->prior ? &job->scores[label].prior : &job->scores[label].logprob;
}

/* Log-probability that the answer ends here: of all eos tokens together. */
static float end_logprob(const struct slm_transformer *t, const struct slm_log_softmax *softmax, const float *logits)
{
    float best = slm__log_softmax_of(softmax, logits[t->eos_tokens[0]]);
    for (uint32_t i = 1; i < t->eos_count; i++) {
        const float other = slm__log_softmax_of(softmax, logits[t->eos_tokens[i]]);
        best = other > best ? other : best;
    }
    double sum = 0.0;
    for (uint32_t i = 0; i < t->eos_count; i++) {
        sum += slm__exp64((double)slm__log_softmax_of(softmax, logits[t->eos_tokens[i]]) - (double)best);
    }
    return (float)((double)best + slm__log64(sum));
}

/* The token behind position `index` of a label (-1: behind the context); false: its end. */
static bool token_behind(const struct score_job *job, uint64_t label, int64_t index, int32_t *token)
{
    uint64_t count = 0;
    const int32_t *ids = slm__input_ids_at(job->labels, label, &count);
    if (index + 1 >= (int64_t)count) {
        return false;
    }
    *token = ids[index + 1];
    return true;
}

static float score_row(const struct score_job *job, uint64_t label, int64_t index, const struct slm_log_softmax *softmax,
                       const float *logits)
{
    int32_t token = 0;
    return token_behind(job, label, index, &token) ? slm__log_softmax_of(softmax, logits[token])
                                                   : end_logprob(transformer_of(job), softmax, logits);
}

/* ---- the context */

static slm_status report(const struct score_job *job)
{
    const slm_score_options *options = job->options;
    return options->progress != NULL && options->progress(options->progress_user, job->done, job->total, "labels") != 0
               ? slm__fail(job->error, SLM_E_CANCELLED, "cancelled with %llu of %llu labels done", (unsigned long long)job->done,
                           (unsigned long long)job->total)
               : SLM_OK;
}

/* Prefill in pieces of a batch, and the first token of every label. */
static slm_status run_context(struct score_job *job)
{
    static const slm_session_options defaults = {.struct_size = sizeof defaults};
    static const slm_append_options none = {.struct_size = sizeof none};
    const slm_score_options *options = job->options;
    const struct slm_passes alone = {NULL, job->pool->model->kernels};
    const uint32_t vocab = transformer_of(job)->vocab_size, batch = job->pool->shape.batch;
    SLM_TRY(slm__session_create(job->pool, &defaults, &job->session, job->error));
    SLM_TRY(slm__session_set_adapters(job->session, options->adapters, options->adapter_weights, options->adapter_count, job->error));
    for (uint64_t i = 0; i < job->context_count; i += batch) {
        const uint64_t left = job->context_count - i;
        SLM_TRY(report(job));
        SLM_TRY(slm__session_append(job->session, job->context + i, left < batch ? left : batch, &none, job->error));
    }
    SLM_TRY(slm__log_softmax(&alone, job->session->logits, vocab, &job->first, job->error));
    for (uint64_t i = 0; i < job->count; i++) {
        *sum_of(job, i) = (double)score_row(job, i, -1, &job->first, job->session->logits);
    }
    return SLM_OK;
}

/* ---- labels of more than one token */

/* Rows that a label still needs when its first token is known. */
static uint64_t rows_of(const struct score_job *job, uint64_t label)
{
    uint64_t count = 0;
    (void)slm__input_ids_at(job->labels, label, &count);
    return counts_end(job) || count == 0 ? count : count - 1;
}

/* Fork the context for the next label. false: no session or pages are free. */
static bool start_label(struct score_job *job)
{
    const uint64_t rows = rows_of(job, job->next);
    struct slm_session *fork = NULL;
    uint64_t count = 0;
    if (slm__session_fork(job->session, &fork, NULL) != SLM_OK) {
        return false;
    }
    if (!slm__session_reserve_all(fork, (uint32_t)rows)) {
        slm__session_discard(fork);
        return false;
    }
    memcpy(fork->tokens + fork->count, slm__input_ids_at(job->labels, job->next, &count), (size_t)rows * sizeof *fork->tokens);
    fork->count += (uint32_t)rows;
    job->pool->texts[job->active++] = (struct slm_pool_text){fork, job->next++};
    return true;
}

static uint32_t rows_that_fit(const struct score_job *job, const struct slm_session *fork, uint32_t used)
{
    const uint32_t left = fork->count - fork->computed, room = job->pool->shape.batch - used;
    return left < room ? left : room;
}

static void add_rows(struct score_job *job, const struct slm_pool_text *text)
{
    struct slm_session *fork = text->session;
    const uint32_t count = rows_that_fit(job, fork, job->rows);
    slm__session_reserve_window(fork, fork->computed, fork->computed, count);
    for (uint32_t i = 0; i < count; i++) {
        job->pool->rows[job->rows] = slm__session_row(fork, fork->computed + i);
        job->pool->rows[job->rows++].looked_at = true;
    }
}

static void gather_rows(struct score_job *job)
{
    job->rows = 0;
    for (uint32_t i = 0; i < job->active && job->rows < job->pool->shape.batch; i++) {
        add_rows(job, &job->pool->texts[i]);
    }
    while (job->rows < job->pool->shape.batch) {
        while (job->next < job->count && rows_of(job, job->next) == 0) {
            job->next++;
            job->done++;
        }
        if (job->next == job->count || !start_label(job)) {
            return;
        }
        add_rows(job, &job->pool->texts[job->active - 1]);
    }
}

/* Rows lie in the order of the texts at hand. */
static void look(void *context, uint32_t row, const float *logits)
{
    struct score_job *job = context;
    const struct slm_passes alone = {NULL, job->pool->model->kernels};
    struct slm_log_softmax softmax;
    uint32_t first = 0;
    for (uint32_t i = 0; i < job->active; i++) {
        const struct slm_pool_text *text = &job->pool->texts[i];
        const uint32_t count = rows_that_fit(job, text->session, first);
        if (row < first + count) {
            const int64_t index = (int64_t)(text->session->computed - job->session->count) + (row - first);
            const bool finite = slm__log_softmax(&alone, logits, transformer_of(job)->vocab_size, &softmax, NULL) == SLM_OK;
            job->pool->row_scores[row] = finite ? score_row(job, text->input, index, &softmax, logits) : NAN;
            return;
        }
        first += count;
    }
}

/* Take the results of a pass; labels that are complete give their forks back. */
static slm_status collect(struct score_job *job)
{
    uint32_t row = 0, kept = 0;
    bool finite = true;
    for (uint32_t i = 0; i < job->active; i++) {
        struct slm_pool_text *text = &job->pool->texts[i];
        const uint32_t end = row + rows_that_fit(job, text->session, row);
        const uint32_t count = end - row;
        for (; row < end; row++) {
            *sum_of(job, text->input) += (double)job->pool->row_scores[row];
            finite = finite && job->pool->row_scores[row] == job->pool->row_scores[row];
        }
        slm__session_accept(text->session, text->session->computed + count);
        if (text->session->computed < text->session->count) {
            job->pool->texts[kept++] = *text;
        } else {
            slm__session_discard(text->session);
            job->done++;
        }
    }
    job->active = kept;
    return finite ? SLM_OK : slm__fail(job->error, SLM_E_NOT_FINITE, "a logit is not a finite number; the model file may be damaged");
}

static void run_pass(void *context)
{
    struct score_job *job = context;
    struct slm_forward forward = slm__pool_forward(job->pool, NULL, NULL);
    forward.look = look;
    forward.look_context = job;
    (void)slm__forward_rows(&forward, job->pool->rows, job->rows);
}

static slm_status run_labels(struct score_job *job)
{
    for (;;) {
        SLM_TRY(report(job));
        gather_rows(job);
        if (job->rows == 0) {
            return job->next == job->count
                       ? SLM_OK
                       : slm__fail(job->error, SLM_E_POOL_FULL,
                                   "label %llu needs a second free session and KV pages for %llu tokens, which the pool does "
                                   "not have",
                                   (unsigned long long)job->next, (unsigned long long)rows_of(job, job->next));
        }
        slm__pool_run(job->pool, job->rows, run_pass, job);
        SLM_TRY(collect(job));
    }
}

/* All labels behind one context; whatever happens, no session is left. */
static slm_status score_behind(struct score_job *job)
{
    slm_status status = run_context(job);
    status = status == SLM_OK ? run_labels(job) : status;
    while (job->active > 0) {
        slm__session_discard(job->pool->texts[--job->active].session);
    }
    if (job->session != NULL) {
        slm__session_free(job->session);
    }
    return status;
}

/* ---- from texts to ids */

/* Ids of the context (list 0 of `context`) and of the labels. */
static slm_status read_apart(const struct slm_runtime_model *model, const slm_input *context_input, const slm_input *inputs, uint64_t count,
                             uint32_t plain, struct slm_input_ids *context, struct slm_input_ids *labels, slm_error *error)
{
    slm_status status = slm__input_ids_add(context, model, context_input, SLM_TOKENIZE_ADD_SPECIAL | plain, error);
    if (status != SLM_OK) {
        return slm__fail_in(error, status, "the context");
    }
    for (uint64_t i = 0; i < count; i++) {
        status = slm__input_ids_add(labels, model, &inputs[i], plain, error);
        if (status != SLM_OK) {
            return slm__fail_in(error, status, "label %llu", (unsigned long long)i);
        }
    }
    return SLM_OK;
}

/* Tokens that the lists share with the first `shared` of `ids`. */
static uint64_t shared_length(const int32_t *ids, uint64_t shared, const int32_t *others, uint64_t count)
{
    uint64_t length = 0;
    while (length < shared && length < count && ids[length] == others[length]) {
        length++;
    }
    return length;
}

/* Context and label as one text. */
static slm_status add_joined(const struct slm_runtime_model *model, const slm_input *context, const slm_input *label, uint32_t plain,
                             struct slm_input_ids *joined, slm_error *error)
{
    struct slm_buffer text;
    slm__buffer_init(&text, model->memory, SIZE_MAX / 8);
    const slm_input *const parts[] = {context, label};
    for (int i = 0; i < 2; i++) {
        const uint64_t length = parts[i]->text_length == SLM_NUL_TERMINATED ? strlen(parts[i]->text) : parts[i]->text_length;
        slm__buffer_append(&text, parts[i]->text, (size_t)length);
    }
    const slm_input whole = {(const char *)text.data, text.length, NULL, 0};
    const slm_status status = text.status != SLM_OK ? slm__buffer_failure(&text, error)
                                                    : slm__input_ids_add(joined, model, &whole, SLM_TOKENIZE_ADD_SPECIAL | plain, error);
    slm__buffer_free(&text);
    return status;
}

/* The context becomes what all texts share; a label what its text has behind that. */
static slm_status read_joint(const struct slm_runtime_model *model, const slm_input *context_input, const slm_input *inputs, uint64_t count,
                             uint32_t flags, struct slm_input_ids *context, struct slm_input_ids *labels, slm_error *error)
{
    const uint32_t plain = (flags & SLM_SCORE_PLAIN) != 0 ? (uint32_t)SLM_TOKENIZE_PLAIN : 0;
    const uint64_t behind = (flags & SLM_SCORE_EOS) != 0 ? 0 : 1; /* tokens that a label must have left */
    struct slm_input_ids joined;
    uint64_t length = 0, shared = 0;
    slm__input_ids_init(&joined, model);
    slm_status status = slm__input_ids_add(context, model, context_input, SLM_TOKENIZE_ADD_SPECIAL | plain, error);
    const int32_t *ids = status == SLM_OK ? slm__input_ids_at(context, 0, &shared) : NULL;
    for (uint64_t i = 0; i < count && status == SLM_OK; i++) {
        status = context_input->text == NULL || inputs[i].text == NULL
                     ? slm__fail(error, SLM_E_ARGUMENT, "label %llu: SLM_SCORE_JOINT needs texts, not ids", (unsigned long long)i)
                     : add_joined(model, context_input, &inputs[i], plain, &joined, error);
        if (status == SLM_OK) {
            const int32_t *whole = slm__input_ids_at(&joined, i, &length);
            shared = shared_length(ids, shared, whole, length < behind ? 0 : length - behind);
        }
    }
    for (uint64_t i = 0; i < count && status == SLM_OK; i++) {
        const int32_t *whole = slm__input_ids_at(&joined, i, &length);
        const slm_input rest = {.ids = whole + shared, .id_count = length - shared};
        status = slm__input_ids_add(labels, model, &rest, 0, error);
    }
    if (status == SLM_OK) { /* the context's only list ends where sharing does */
        memcpy(context->ends.data, &shared, sizeof shared);
    }
    slm__input_ids_free(&joined);
    return status;
}

static slm_status check_lengths(const struct slm_pool *pool, const struct score_job *job, slm_error *error)
{
    if (job->context_count == 0) {
        return slm__fail(error, SLM_E_ARGUMENT, "the context has no tokens, so there is nothing that a label could follow");
    }
    for (uint64_t i = 0; i < job->count; i++) {
        uint64_t count = 0;
        (void)slm__input_ids_at(job->labels, i, &count);
        if (count == 0 && !counts_end(job)) {
            return slm__fail(error, SLM_E_ARGUMENT, "label %llu has no tokens: its probability is 1 whatever the model",
                             (unsigned long long)i);
        }
        if (job->context_count + count > pool->shape.context) {
            return slm__fail(error, SLM_E_CONTEXT_FULL, "context and label %llu have %llu tokens, more than the pool's context of %u",
                             (unsigned long long)i, (unsigned long long)(job->context_count + count), pool->shape.context);
        }
        job->scores[i].tokens = job->prior ? job->scores[i].tokens : (uint32_t)count;
    }
    return SLM_OK;
}

/* The sums of all labels behind one context. */
static slm_status score_one(struct score_job *job, const slm_input *context_input, const slm_input *inputs, slm_error *error)
{
    const struct slm_runtime_model *model = job->pool->model;
    const uint32_t plain = (job->options->flags & SLM_SCORE_PLAIN) != 0 ? (uint32_t)SLM_TOKENIZE_PLAIN : 0;
    struct slm_input_ids context, labels;
    slm__input_ids_init(&context, model);
    slm__input_ids_init(&labels, model);
    slm_status status = (job->options->flags & SLM_SCORE_JOINT) != 0
                            ? read_joint(model, context_input, inputs, job->count, job->options->flags, &context, &labels, error)
                            : read_apart(model, context_input, inputs, job->count, plain, &context, &labels, error);
    if (status == SLM_OK) {
        job->labels = &labels;
        job->context = slm__input_ids_at(&context, 0, &job->context_count);
        status = check_lengths(job->pool, job, error);
        status = status == SLM_OK ? score_behind(job) : status;
    }
    slm__input_ids_free(&labels);
    slm__input_ids_free(&context);
    return status;
}

/* ---- scores and probabilities */

static void finish(slm_label_score *scores, uint64_t count, uint32_t flags)
{
    double best = -HUGE_VAL, sum = 0.0;
    for (uint64_t i = 0; i < count; i++) {
        const uint32_t tokens = scores[i].tokens + ((flags & SLM_SCORE_EOS) != 0 ? 1 : 0);
        scores[i].score = scores[i].logprob - scores[i].prior;
        scores[i].score = (flags & SLM_SCORE_LENGTH) != 0 ? scores[i].score / (double)tokens : scores[i].score;
        best = scores[i].score > best ? scores[i].score : best;
    }
    for (uint64_t i = 0; i < count; i++) {
        scores[i].probability = slm__exp64(scores[i].score - best);
        sum += scores[i].probability;
    }
    for (uint64_t i = 0; i < count; i++) {
        scores[i].probability /= sum;
    }
}

slm_status slm__score(struct slm_pool *pool, const slm_input *context, const slm_input *labels, uint64_t count,
                      const slm_score_options *options, slm_label_score *scores, slm_error *error)
{
    if (pool->model->transformer->head_kind == SLM_HEAD_NONE) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "the model is an encoder, which has no next token: it cannot score labels");
    }
    if ((options->flags & SLM_SCORE_EOS) != 0 && pool->model->transformer->eos_count == 0) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "the model has no end tokens: SLM_SCORE_EOS has no meaning for it");
    }
    const uint64_t total = options->prior != NULL ? 2 * count : count;
    struct score_job job = {.pool = pool, .options = options, .count = count, .total = total, .scores = scores, .error = error};
    SLM_TRY(score_one(&job, context, labels, error));
    if (options->prior != NULL) {
        job = (struct score_job){.pool = pool,
                                 .options = options,
                                 .count = count,
                                 .done = count,
                                 .total = total,
                                 .scores = scores,
                                 .prior = true,
                                 .error = error};
        const slm_status status = score_one(&job, options->prior, labels, error);
        if (status != SLM_OK) {
            return slm__fail_in(error, status, "prior");
        }
    }
    finish(scores, count, options->flags);
    return SLM_OK;
}

/* SPDX-License-Identifier: MIT */
/* Finding the longest known beginning, sharing it, and keeping sequences that end. */
#include "runtime/prefix_cache.h"
#include "runtime/session_cache.h" /* slm__session_keep */
#include <string.h>

/* Where pages can come from: a kept sequence or a session at work. */
struct holder {
    const int32_t *tokens;
    uint32_t computed;
    const struct slm_kv_sequence *kv;
    struct slm_prefix_key key;
    struct slm_prefix *prefix; /* NULL: a session's */
};

static struct slm_prefix_key key_of(const struct slm_session *session)
{
    struct slm_prefix_key key = {.context = session->context, .adapters = session->adapters.count};
    for (uint32_t i = 0; i < key.adapters; i++) {
        key.identities[i] = session->adapters.uses[i].adapter->identity;
        key.weights[i] = session->adapters.uses[i].weight;
    }
    return key;
}

static bool same_arithmetic(const struct slm_pool *pool, const struct slm_prefix_key *a, const struct slm_prefix_key *b)
{
    bool same = a->adapters == b->adapters && slm__transformer_same_rope(pool->model->transformer, a->context, b->context);
    for (uint32_t i = 0; same && i < a->adapters; i++) {
        same = a->identities[i] == b->identities[i] && a->weights[i] == b->weights[i];
    }
    return same;
}

static uint32_t shared_length(const int32_t *a, uint32_t a_count, const int32_t *b, uint32_t b_count)
{
    const uint32_t most = a_count < b_count ? a_count : b_count;
    uint32_t n = 0;
    while (n < most && a[n] == b[n]) {
        n++;
    }
    return n;
}

/* Whether the holder's first `length` positions are enough to go on from there, and the session could be rewound as far as before. */
static bool can_share(const struct slm_session *session, const struct holder *holder, uint32_t length)
{
    const struct slm_transformer *t = session->pool->model->transformer;
    for (uint32_t c = 0; c < t->kv_class_count; c++) {
        const uint32_t low = holder->kv[c].low;
        if (low > 0 && (length + 1 < low + t->windows[c] || (session->computed > 0 && low > session->kv[c].low))) {
            return false;
        }
    }
    return true;
}

/* Computed tokens before the first image: these are all that their ids say. */
static uint32_t text_length(const struct slm_session *session)
{
    return session->image_count > 0 && session->images[0] < session->computed ? session->images[0] : session->computed;
}

static bool next_holder(struct slm_session *session, uint32_t *index, struct holder *holder)
{
    struct slm_pool *pool = session->pool;
    for (; *index < pool->shape.prefixes + pool->shape.sessions; ++*index) {
        if (*index < pool->shape.prefixes) {
            struct slm_prefix *prefix = &pool->prefixes[*index];
            if (prefix->count > 0) {
                *holder = (struct holder){prefix->tokens, prefix->count, prefix->kv, prefix->key, prefix};
                ++*index;
                return true;
            }
            continue;
        }
        const struct slm_session *other = &pool->sessions[*index - pool->shape.prefixes];
        if (other->live && other != session && other->computed > 0) {
            *holder = (struct holder){other->tokens, text_length(other), other->kv, key_of(other), NULL};
            ++*index;
            return true;
        }
    }
    return false;
}

void slm__prefix_reuse(struct slm_session *session)
{
    if (!SLM_WITH_REUSE) {
        return;
    }
    struct slm_pool *pool = session->pool;
    struct holder holder, best = {.computed = 0};
    const struct slm_prefix_key key = key_of(session);
    uint32_t length = session->computed;
    for (uint32_t index = 0; pool->shape.prefixes > 0 && session->image_count == 0 && next_holder(session, &index, &holder);) {
        const uint32_t n = shared_length(holder.tokens, holder.computed, session->tokens, session->count - 1);
        if (n > length && same_arithmetic(pool, &holder.key, &key) && can_share(session, &holder, n)) {
            best = holder;
            length = n;
        }
    }
    if (best.computed == 0) {
        return;
    }
    slm__session_keep(session, 0);
    for (uint32_t c = 0; c < pool->model->transformer->kv_class_count; c++) {
        slm__kv_sequence_fork(&session->kv[c], &best.kv[c], &pool->pages[c]);
    }
    slm__session_keep(session, length);
    if (best.prefix != NULL) {
        best.prefix->used = ++pool->clock;
    }
}

/* ---- keeping */

static void drop_prefix(struct slm_pool *pool, struct slm_prefix *prefix)
{
    for (uint32_t c = 0; c < pool->model->transformer->kv_class_count; c++) {
        slm__kv_sequence_truncate(&prefix->kv[c], &pool->pages[c], 0);
    }
    prefix->count = 0;
}

/* A free slot, or that of the sequence not used for longest; NULL: there are no slots. */
static struct slm_prefix *oldest(struct slm_pool *pool, bool free_too)
{
    struct slm_prefix *found = NULL;
    for (uint32_t i = 0; i < pool->shape.prefixes; i++) {
        struct slm_prefix *prefix = &pool->prefixes[i];
        if (prefix->count == 0 && !free_too) {
            continue;
        }
        if (found == NULL || (prefix->count == 0 ? 0 : prefix->used) < (found->count == 0 ? 0 : found->used)) {
            found = prefix;
        }
    }
    return found;
}

bool slm__prefix_evict(struct slm_pool *pool)
{
    struct slm_prefix *prefix = SLM_WITH_REUSE ? oldest(pool, false) : NULL;
    if (prefix != NULL) {
        drop_prefix(pool, prefix);
    }
    return prefix != NULL;
}

/* Whether another slot has the whole sequence; those that are only its beginning are given up. */
static bool is_kept(struct slm_session *session, const struct slm_prefix_key *key)
{
    struct slm_pool *pool = session->pool;
    for (uint32_t i = 0; i < pool->shape.prefixes; i++) {
        struct slm_prefix *prefix = &pool->prefixes[i];
        const uint32_t n = shared_length(prefix->tokens, prefix->count, session->tokens, session->computed);
        if (prefix->count == 0 || !same_arithmetic(pool, &prefix->key, key)) {
            continue;
        }
        if (n == session->computed) {
            prefix->used = ++pool->clock;
            return true;
        }
        if (n == prefix->count) {
            drop_prefix(pool, prefix);
        }
    }
    return false;
}

/* The sequence into a slot, if there are slots. */
static void keep_sequence(struct slm_session *session)
{
    struct slm_pool *pool = session->pool;
    const struct slm_prefix_key key = key_of(session);
    slm__session_keep(session, text_length(session)); /* without pages of guesses, or of tokens that were never computed */
    struct slm_prefix *slot = session->computed > 0 && pool->shape.prefixes > 0 && !is_kept(session, &key) ? oldest(pool, true) : NULL;
    if (slot != NULL) {
        drop_prefix(pool, slot);
        memcpy(slot->tokens, session->tokens, session->computed * sizeof *slot->tokens);
        for (uint32_t c = 0; c < pool->model->transformer->kv_class_count; c++) {
            slm__kv_sequence_fork(&slot->kv[c], &session->kv[c], &pool->pages[c]);
        }
        slot->count = session->computed;
        slot->key = key;
        slot->used = ++pool->clock;
    }
}

void slm__prefix_keep(struct slm_session *session)
{
    session->guesses.computed = session->guesses.used = 0;
    if (SLM_WITH_REUSE) {
        keep_sequence(session);
    }
    slm__session_keep(session, 0);
}

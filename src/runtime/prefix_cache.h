/* SPDX-License-Identifier: MIT */
/*
 * Prefix reuse inside a pool: sequences that ended stay in slots of their own, and a session that begins, or goes on, as one of them or as
 * another session does shares its pages instead of computing them. Bits do not depend on who computed them, so nobody can tell but by the
 * time. Sequences of other adapters or other rotary frequencies are never shared. Slots and pages are the plan's: the sequence that was
 * not used for longest gives way.
 */
#ifndef SLM_RUNTIME_PREFIX_CACHE_H
#define SLM_RUNTIME_PREFIX_CACHE_H

#include "cache/kv_sequence.h" /* struct slm_kv_sequence */
#include "model/low_rank.h"    /* SLM_ADAPTERS_MAX */

struct slm_pool;
struct slm_session;

/* What a sequence was computed with. */
struct slm_prefix_key {
    uint32_t context; /* chooses rotary frequencies */
    uint32_t adapters;
    uint64_t identities[SLM_ADAPTERS_MAX];
    float weights[SLM_ADAPTERS_MAX];
};

struct slm_prefix {
    int32_t *tokens; /* [pool context] */
    struct slm_kv_sequence kv[SLM_KV_CLASSES];
    uint32_t count; /* tokens, all in the cache; 0: the slot is free */
    uint64_t used;  /* time of the last use */
    struct slm_prefix_key key;
};

/* Share what is known of tokens [0, session->count): raises session->computed, to count - 1 at most. */
void slm__prefix_reuse(struct slm_session *session);
/* The session gives its sequence up: keep it, if there is a slot. The session has no tokens computed afterwards. */
void slm__prefix_keep(struct slm_session *session);
/* Forget the sequence that was not used for longest; false: there is none. */
bool slm__prefix_evict(struct slm_pool *pool);

#endif

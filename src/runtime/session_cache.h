/* SPDX-License-Identifier: MIT */
/* The cache of a session: one page table for each class of layers. Layers that see all keys keep all pages; layers with a window give
 * back what no query can see any more, but never so much that a cancelled call could not go back. */
#ifndef SLM_RUNTIME_SESSION_CACHE_H
#define SLM_RUNTIME_SESSION_CACHE_H

#include "runtime/session.h" /* struct slm_session */

/* Pages of the layers without a window for `count` positions behind the computed ones. false: the pool is too full; nothing has changed. */
bool slm__session_reserve_all(struct slm_session *session, uint32_t count);
/* Pages of the layers with a window for `count` positions from `from` on, in a call that began with `old` computed positions. Never
 * fails: the pool's plan has room for every session. */
void slm__session_reserve_window(struct slm_session *session, uint32_t old, uint32_t from, uint32_t count);
/* All up to `length` is computed. */
void slm__session_accept(struct slm_session *session, uint32_t length);
/* Keep `length` positions. */
void slm__session_keep(struct slm_session *session, uint32_t length);
/* First tile that a layer with this window keeps, when `position` is the next to be computed. */
uint32_t slm__window_first_tile(uint32_t window, uint32_t position);
/* Fewest tokens, but for 0, that the session can be rewound to. */
uint32_t slm__session_rewind_limit(const struct slm_session *session);
/* The row of one position for the forward pass. */
struct slm_row slm__session_row(const struct slm_session *session, uint32_t position);

#endif

/* SPDX-License-Identifier: MIT */
/* Page tables of a session's classes of layers, moved together. */
#include "runtime/session_cache.h"
#include "base/check.h"           /* SLM_ASSERT */
#include "runtime/prefix_cache.h" /* slm__prefix_evict */

static const struct slm_transformer *transformer_of(const struct slm_session *session) { return session->pool->model->transformer; }

bool slm__session_reserve_all(struct slm_session *session, uint32_t count)
{
    const struct slm_transformer *t = transformer_of(session);
    for (uint32_t c = 0; c < t->kv_class_count; c++) {
        while (t->windows[c] == 0 && !slm__kv_sequence_reserve(&session->kv[c], &session->pool->pages[c], session->computed, count)) {
            if (!slm__prefix_evict(session->pool)) {
                return false; /* there is one such class at most: windows differ */
            }
        }
    }
    return true;
}

/* First tile of which a query at `position` may still need keys, or a rewind by SLM_WINDOW_RESERVE tokens. */
uint32_t slm__window_first_tile(uint32_t window, uint32_t position)
{
    return position > window + SLM_WINDOW_RESERVE ? (position - window - SLM_WINDOW_RESERVE) / SLM_TILE : 0;
}

void slm__session_reserve_window(struct slm_session *session, uint32_t old, uint32_t from, uint32_t count)
{
    const struct slm_transformer *t = transformer_of(session);
    for (uint32_t c = 0; c < t->kv_class_count; c++) {
        if (t->windows[c] != 0) {
            const uint32_t begin = slm__kv_tiles(old), end = slm__window_first_tile(t->windows[c], from);
            if (end > begin) {
                slm__kv_sequence_drop(&session->kv[c], &session->pool->pages[c], begin, end);
            }
            const bool reserved = slm__kv_sequence_reserve(&session->kv[c], &session->pool->pages[c], from, count);
            SLM_ASSERT(reserved);
            (void)reserved;
        }
    }
}

void slm__session_accept(struct slm_session *session, uint32_t length)
{
    const struct slm_transformer *t = transformer_of(session);
    for (uint32_t c = 0; c < t->kv_class_count; c++) {
        struct slm_kv_sequence *kv = &session->kv[c];
        kv->length = length;
        if (t->windows[c] != 0) {
            const uint32_t end = slm__window_first_tile(t->windows[c], length);
            slm__kv_sequence_drop(kv, &session->pool->pages[c], kv->low / SLM_TILE, end > kv->low / SLM_TILE ? end : kv->low / SLM_TILE);
            kv->low = end * SLM_TILE > kv->low ? end * SLM_TILE : kv->low;
        }
    }
    session->computed = length;
}

void slm__session_keep(struct slm_session *session, uint32_t length)
{
    for (uint32_t c = 0; c < transformer_of(session)->kv_class_count; c++) {
        slm__kv_sequence_truncate(&session->kv[c], &session->pool->pages[c], length);
    }
    session->computed = length;
}

uint32_t slm__session_rewind_limit(const struct slm_session *session)
{
    const struct slm_transformer *t = transformer_of(session);
    uint32_t limit = 1;
    for (uint32_t c = 0; c < t->kv_class_count; c++) {
        if (session->kv[c].low > 0 && session->kv[c].low + t->windows[c] > limit) {
            limit = session->kv[c].low + t->windows[c];
        }
    }
    return limit;
}

struct slm_row slm__session_row(const struct slm_session *session, uint32_t position)
{
    struct slm_row row = {.token = session->tokens[position],
                          .position = position,
                          .end = position + 1,
                          .context = session->context,
                          .adapters = session->adapters.count > 0 ? &session->adapters : NULL};
    for (uint32_t c = 0; c < transformer_of(session)->kv_class_count; c++) {
        row.tables[c] = session->kv[c].table;
    }
    return row;
}

/* SPDX-License-Identifier: MIT */
/* A borrowed run of bytes. Text spans are UTF-8 and not NUL-terminated. */
#ifndef SLM_BASE_SPAN_H
#define SLM_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h> /* memcmp, strlen */

struct slm_span {
    const uint8_t *data;
    size_t length;
};

/* For messages: printf("%.*s", SLM_SPAN_ARGS(span)). Long texts are cut at 200 bytes. */
#define SLM_SPAN_ARGS(span) (int)((span).length < 200 ? (span).length : 200), (const char *)(span).data

static inline struct slm_span slm__span(const void *data, size_t length)
{
    struct slm_span span = {(const uint8_t *)data, length};
    return span;
}

static inline struct slm_span slm__span_text(const char *text) { return slm__span(text, strlen(text)); }

static inline bool slm__span_equal(struct slm_span a, struct slm_span b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/* < 0, 0, > 0: by bytes, which orders UTF-8 by characters; a beginning comes before the whole. */
static inline int slm__span_order(struct slm_span a, struct slm_span b)
{
    const size_t common = a.length < b.length ? a.length : b.length;
    const int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

static inline bool slm__span_is(struct slm_span a, const char *text) { return slm__span_equal(a, slm__span_text(text)); }

#endif

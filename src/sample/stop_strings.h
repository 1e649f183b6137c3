/* SPDX-License-Identifier: MIT */
/*
 * Stop strings over streamed text: text that may still turn out to be the beginning of a stop string is held back until it is
 * certain. The result does not depend on how the text is cut into pushes: the stop string that is complete first counts, and of
 * several complete at the same byte the longest.
 */
#ifndef SLM_SAMPLE_STOP_STRINGS_H
#define SLM_SAMPLE_STOP_STRINGS_H

#include "base/span.h"   /* struct slm_span */
#include "base/status.h" /* slm_status, slm_error, slm_string */

enum {
    SLM_STOP_STRINGS_MAX = 16,         /* strings */
    SLM_STOP_STRINGS_BYTES = 2048,     /* of all strings together */
    SLM_STOP_STRINGS_PUSH_BYTES = 4096 /* of one push */
};

/*
 * Plain data of fixed size; a copy by assignment goes on from the same point. Each string is followed with a Knuth-Morris-Pratt
 * automaton, so a byte costs a bounded number of steps whatever strings and text are.
 *
 *     buffer   [ given out by the last call | held back, the longest unfinished match | free ]
 *               0                            given                                    used
 */
struct slm_stop_strings {
    uint32_t count;
    uint32_t used;
    uint32_t given;
    uint16_t begin[SLM_STOP_STRINGS_MAX + 1];  /* string s is strings[begin[s] .. begin[s + 1]) */
    uint16_t matched[SLM_STOP_STRINGS_MAX];    /* bytes of string s that the text so far ends with; less than its length */
    uint16_t fallback[SLM_STOP_STRINGS_BYTES]; /* [begin[s] + i]: longest proper beginning of s that ends its first i + 1 bytes */
    uint8_t strings[SLM_STOP_STRINGS_BYTES];
    uint8_t buffer[SLM_STOP_STRINGS_BYTES + SLM_STOP_STRINGS_PUSH_BYTES];
};

/* Copies the strings; `list` may be NULL when count is 0. SLM_E_ARGUMENT: too many, too long, empty or NULL; SLM_E_ENCODING: not
 * UTF-8; then `stop` is as before. */
slm_status slm__stop_strings_init(struct slm_stop_strings *stop, const slm_string *list, uint64_t count, slm_error *error);

/* Add text: at most SLM_STOP_STRINGS_PUSH_BYTES (more: SLM_E_INTERNAL, nothing changed). *certain is the text that can be given out now:
 * what was held back first; it points into `stop` and is valid until the next call. When a stop string is complete, *certain ends
 * before it, *found is true, and what follows is dropped: the next push begins a new text. Whole characters stay whole. */
slm_status slm__stop_strings_push(struct slm_stop_strings *stop, struct slm_span text, struct slm_span *certain, bool *found);

/* The end of the text: what is held back is certain now. The next push begins a new text. */
struct slm_span slm__stop_strings_flush(struct slm_stop_strings *stop);

/* Forget the text, keep the strings. */
void slm__stop_strings_reset(struct slm_stop_strings *stop);

#endif

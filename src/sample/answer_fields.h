/* SPDX-License-Identifier: MIT */
/* The values of a JSON answer and how sure the model was of each: where they stand, and the probabilities of their tokens. */
#ifndef SLM_SAMPLE_ANSWER_FIELDS_H
#define SLM_SAMPLE_ANSWER_FIELDS_H

#include "base/span.h"   /* struct slm_span */
#include "base/status.h" /* slm_status, slm_error */

enum { SLM_ANSWER_DEPTH = 128 };

/* Where results go. With `fields` NULL they are only counted. */
struct slm_answer_fields {
    slm_answer_field *fields;
    uint8_t *paths;
    uint64_t count;      /* of fields */
    uint64_t path_bytes; /* of all paths */
};

/* List the values of `text`, in the order of their begin, without probabilities. The structure is checked, numbers and words are not.
 * Errors: SLM_E_SYNTAX, SLM_E_LIMIT (deeper than SLM_ANSWER_DEPTH). */
slm_status slm__answer_fields_list(struct slm_span text, struct slm_answer_fields *result, slm_error *error);
/* A token with these logarithms gave out bytes [begin, end) of the text: it counts for every field that it shares a byte with, and, without
 * bytes of its own, for those that `begin` is in. probability and probability_unconstrained are sums of logarithms. */
void slm__answer_fields_add(struct slm_answer_fields *result, uint64_t begin, uint64_t end, float allowed_logprob, float logprob);

#endif

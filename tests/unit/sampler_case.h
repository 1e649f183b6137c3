/* SPDX-License-Identifier: MIT */
/* What the tests of sampling share: logits from a fixed generator, a sampler with its scratch, and the set of tokens that it draws. */
#ifndef SLM_TESTS_SAMPLER_CASE_H
#define SLM_TESTS_SAMPLER_CASE_H

#include "base/random.h"             /* slm__random_seed, slm__random_unit */
#include "sample/sampler.h"          /* slm__sampler_init, slm__sampler_choose */
#include "tests/unit/alone_passes.h" /* alone */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 512 }; /* tokens of most tests */

static const float INF = INFINITY;

/* Sum of 12 uniform numbers: about normal, standard deviation `spread`; only exact operations, so the same everywhere. */
static inline float random_logit(struct slm_random *random, double spread)
{
    double sum = -6.0;
    for (int i = 0; i < 12; i++) {
        sum += slm__random_unit(random);
    }
    return (float)(sum * spread);
}

static inline uint32_t random_below(struct slm_random *random, uint32_t limit)
{
    return (uint32_t)(slm__random_unit(random) * (double)limit);
}

static inline void random_logits(struct slm_random *random, float *logits, uint32_t vocab, double spread)
{
    for (uint32_t i = 0; i < vocab; i++) {
        logits[i] = random_logit(random, spread);
    }
}

static inline void *new_scratch(uint32_t vocab)
{
    size_t bytes = slm__sampler_scratch_bytes(vocab);
    assert_int_equal(bytes % 64, 0);
    void *scratch = aligned_alloc(64, bytes);
    assert_non_null(scratch);
    memset(scratch, 0xA5, bytes);
    return scratch;
}

/* One sampler with its scratch and the last choice. */
struct chooser {
    struct slm_sampler sampler;
    void *scratch;
    uint32_t vocab;
    float logprob;
};

static inline void chooser_begin(struct chooser *chooser, const slm_sampling *sampling, uint32_t vocab)
{
    assert_int_equal(slm__sampler_init(&chooser->sampler, sampling, vocab, NULL), SLM_OK);
    chooser->scratch = new_scratch(vocab);
    chooser->vocab = vocab;
}

static inline int32_t choose(struct chooser *chooser, const float *logits, const int32_t *history, uint64_t count)
{
    int32_t token = -1;
    slm_status status = slm__sampler_choose(&chooser->sampler, alone(), logits, chooser->vocab, history, count, chooser->scratch, &token,
                                            &chooser->logprob, NULL);
    assert_int_equal(status, SLM_OK);
    assert_in_range(token, 0, chooser->vocab - 1);
    return token;
}

static inline void chooser_end(struct chooser *chooser) { free(chooser->scratch); }

static inline int32_t choose_once(const slm_sampling *sampling, const float *logits, uint32_t vocab)
{
    struct chooser chooser;
    chooser_begin(&chooser, sampling, vocab);
    int32_t token = choose(&chooser, logits, NULL, 0);
    chooser_end(&chooser);
    return token;
}

/* Which tokens of vocab <= 8 are ever drawn in 400 draws, as a set of bits. */
static inline uint32_t drawn_set(const slm_sampling *sampling, const float *logits, uint32_t vocab)
{
    struct chooser chooser;
    chooser_begin(&chooser, sampling, vocab);
    uint32_t set = 0;
    for (int i = 0; i < 400; i++) {
        set |= 1u << choose(&chooser, logits, NULL, 0);
    }
    chooser_end(&chooser);
    return set;
}

#endif

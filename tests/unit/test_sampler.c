/* SPDX-License-Identifier: MIT */
/* Choosing a token: greedy, log-probabilities, known draws, distributions, penalties and bias, and what a failure leaves behind. */
#include "kernels/exp_minus.h" /* slm__exp_minus */

#include "tests/unit/sampler_case.h" /* struct chooser, random_logits, drawn_set */
#include "sample/logprobs.h"         /* slm__top_logprobs */

/* ---- greedy ---- */

static void test_greedy_takes_the_lowest_of_the_highest(void **state)
{
    (void)state;
    float logits[100];
    for (uint32_t vocab = 1; vocab <= 100; vocab++) {
        for (uint32_t best = 0; best < vocab; best++) {
            for (uint32_t i = 0; i < vocab; i++) {
                logits[i] = i % 3 == 0 ? -INF : -5.0f - (float)(i % 7);
            }
            logits[best] = -4.0f;
            logits[vocab - 1] = -4.0f;
            assert_int_equal(choose_once(NULL, logits, vocab), (int32_t)best);
        }
    }
    const float zeros[] = {-1.0f, -0.0f, 0.0f};
    assert_int_equal(choose_once(NULL, zeros, 3), 1);
    const float close[] = {3.0f, 0x1.8p+1f - 0x1p-22f, 0x1.8p+1f + 0x1p-22f, 3.0f};
    assert_int_equal(choose_once(NULL, close, 4), 2);
    const float huge[] = {-FLT_MAX, FLT_MAX, -INF, FLT_MAX};
    assert_int_equal(choose_once(NULL, huge, 4), 1);
}

static void test_greedy_does_not_draw(void **state)
{
    (void)state;
    slm_sampling sampling = {.struct_size = sizeof sampling, .top_k = 3, .top_p = 0.5f, .min_p = 0.1f, .seed = 9};
    const float logits[] = {1.0f, 2.0f, 3.0f, 3.0f};
    struct chooser chooser;
    chooser_begin(&chooser, &sampling, 4);
    struct slm_sampler before;
    memcpy(&before, &chooser.sampler, sizeof before);
    assert_int_equal(choose(&chooser, logits, NULL, 0), 2);
    assert_memory_equal(&before, &chooser.sampler, sizeof before);
    chooser_end(&chooser);
}

/* ---- log-probabilities ---- */

static double reference_logprob(const float *logits, uint32_t vocab, int32_t token)
{
    double max = -HUGE_VAL;
    double sum = 0.0;
    for (uint32_t i = 0; i < vocab; i++) {
        max = (double)logits[i] > max ? (double)logits[i] : max;
    }
    for (uint32_t i = 0; i < vocab; i++) {
        sum += exp((double)logits[i] - max);
    }
    return (double)logits[token] - max - log(sum);
}

static void test_logprob_is_the_models_own(void **state)
{
    (void)state;
    const slm_logit_bias bias[] = {{3, 4.0f}, {5, -INF}};
    slm_sampling sampling = {.struct_size = sizeof sampling, .temperature = 3.0f, .top_k = 20, .bias = bias, .bias_count = 2};
    sampling.repetition_penalty = 1.5f;
    const int32_t history[] = {0, 1, 1, 2};
    struct slm_random random;
    slm__random_seed(&random, 5);
    float logits[MOST];
    for (uint32_t vocab = 6; vocab < MOST; vocab += 11) {
        random_logits(&random, logits, vocab, 3.0);
        struct chooser chooser;
        chooser_begin(&chooser, &sampling, vocab);
        int32_t token = choose(&chooser, logits, history, 4);
        assert_true(fabs((double)chooser.logprob - reference_logprob(logits, vocab, token)) < 2e-6);
        chooser_end(&chooser);
    }
}

static void test_logprob_of_extremes(void **state)
{
    (void)state;
    struct chooser chooser;
    chooser_begin(&chooser, NULL, 1);
    const float one[] = {-123.0f};
    assert_int_equal(choose(&chooser, one, NULL, 0), 0);
    assert_true(chooser.logprob == 0.0f);
    chooser_end(&chooser);
    chooser_begin(&chooser, NULL, 4);
    const float equal[] = {7.0f, 7.0f, 7.0f, 7.0f};
    choose(&chooser, equal, NULL, 0);
    assert_true(chooser.logprob == (float)-1.3862943611198906);
    chooser_end(&chooser);
    const slm_logit_bias bias = {1, -INF};
    slm_sampling sampling = {.struct_size = sizeof sampling, .bias = &bias, .bias_count = 1};
    chooser_begin(&chooser, &sampling, 2);
    const float far[] = {-FLT_MAX, FLT_MAX};
    assert_int_equal(choose(&chooser, far, NULL, 0), 0);
    assert_true(chooser.logprob == -FLT_MAX);
    chooser_end(&chooser);
}

/* Against picking the best again and again. */
static void test_top_logprobs_are_the_best(void **state)
{
    enum { VOCAB = 1000 };
    float logits[VOCAB];
    uint32_t bits = 7;
    (void)state;
    for (uint32_t i = 0; i < VOCAB; i++) {
        bits = bits * 1664525u + 1013904223u;
        logits[i] = (float)(bits >> 20) / 256.0f; /* many are equal */
    }
    logits[3] = logits[900] = 40.0f;
    logits[5] = -INFINITY;
    for (uint32_t vocab = 1; vocab <= VOCAB; vocab = vocab * 3 + 1) {
        const float max = slm__logits_top(alone(), logits, vocab).max;
        for (uint32_t count = 0; count <= SLM_TOP_LOGPROBS_MAX; count++) {
            slm_token_logprob top[SLM_TOP_LOGPROBS_MAX];
            bool taken[VOCAB] = {false};
            const uint32_t got = slm__top_logprobs(alone(), logits, vocab, max, count, top);
            const uint32_t possible = vocab > 5 ? vocab - 1 : vocab;
            assert_int_equal(got, count < possible ? count : possible);
            for (uint32_t i = 0; i < got; i++) {
                int32_t best = -1;
                for (uint32_t t = 0; t < vocab; t++) {
                    best = !taken[t] && (best < 0 || logits[t] > logits[best]) ? (int32_t)t : best;
                }
                taken[best] = true;
                const float logprob = slm__logprob(alone(), logits, vocab, max, best);
                assert_int_equal(top[i].token, best);
                assert_memory_equal(&top[i].logprob, &logprob, sizeof logprob);
            }
        }
    }
}

/* Passes of a team of 3 with vectors, on vocabularies of one part, some, and all of them, against those of one thread without. */
static void test_passes_do_not_depend_on_who_does_them(void **state)
{
    enum { VOCAB = 70000 };
    static const uint32_t sizes[] = {1, 15, 1024, 1025, 4099, 65536, VOCAB};
    static float logits[VOCAB];
    static struct slm_team_storage storage;
    static struct slm_kernels kernels;
    const struct slm_team_options options = {.threads = 3};
    const struct slm_passes together = {slm__team_init(&storage, &options), &kernels};
    (void)state;
    slm__kernels_fill(&kernels, slm__isa_best(0));
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const uint32_t vocab = sizes[i];
        struct slm_log_softmax shared, single;
        struct slm_random random;
        slm__random_seed(&random, i);
        random_logits(&random, logits, vocab, 3.0);
        assert_int_equal(slm__log_softmax(&together, logits, vocab, &shared, NULL), SLM_OK);
        assert_int_equal(slm__log_softmax(alone(), logits, vocab, &single, NULL), SLM_OK);
        assert_memory_equal(&shared.max, &single.max, sizeof shared.max);
        assert_memory_equal(&shared.log_sum, &single.log_sum, sizeof shared.log_sum);
        const struct slm_logits_top top = slm__logits_top(&together, logits, vocab);
        const int32_t best = slm__logits_find(logits, vocab, &top);
        for (int32_t t = 0; t <= best; t++) {
            assert_true((logits[t] == shared.max) == (t == best));
        }
        logits[vocab - 1] = NAN;
        assert_int_equal(slm__log_softmax(&together, logits, vocab, &shared, NULL), SLM_E_NOT_FINITE);
    }
}

static void test_exp_minus_error(void **state)
{
    (void)state;
    double worst = 0.0;
    for (uint32_t bits = 0; bits <= 0x42a00000u; bits += 997) {
        float x;
        memcpy(&x, &bits, sizeof x);
        double exact = exp(-(double)x);
        int exponent;
        frexp(exact, &exponent);
        double error = fabs((double)slm__exp_minus(x) - exact) / ldexp(1.0, exponent - 24);
        worst = error > worst ? error : worst;
    }
    assert_true(worst < 2.0);
    assert_true(slm__exp_minus(0.0f) == 1.0f);
    assert_true(slm__exp_minus(INF) == slm__exp_minus(80.0f));
}

/* ---- known draws ---- */

enum { KNOWN_DRAWS = 12, KNOWN_VOCAB = 300 };

/* Computed once; a change here is a change of every user's seeded answers. Each draw sees the ones before as its history. */
static const struct {
    slm_sampling sampling;
    int32_t tokens[KNOWN_DRAWS];
    uint32_t logprob_bits; /* of the last one */
} known[] = {
    {{.temperature = 1.0f, .seed = 1}, {209, 158, 158, 118, 209, 71, 49, 118, 274, 158, 274, 281}, 0xc0c3856bu},
    {{.temperature = 1.0f, .seed = 0}, {158, 224, 49, 128, 224, 298, 131, 158, 274, 274, 53, 49}, 0xc038df47u},
    {{.temperature = 0.7f, .top_k = 40, .seed = 42}, {49, 118, 224, 274, 288, 243, 224, 274, 224, 158, 224, 116}, 0xc01e705du},
    {{.temperature = 1.0f, .top_p = 0.9f, .seed = 42}, {49, 118, 198, 274, 292, 224, 224, 274, 224, 158, 205, 116}, 0xc01e705du},
    {{.temperature = 1.5f, .min_p = 0.05f, .seed = 42}, {49, 118, 189, 274, 297, 224, 209, 257, 224, 158, 198, 106}, 0xc0c1f1d9u},
    {{.temperature = 0.8f, .top_k = 50, .top_p = 0.95f, .min_p = 0.02f, .repetition_penalty = 1.2f, .seed = UINT64_MAX},
     {158, 243, 138, 224, 155, 224, 116, 274, 158, 158, 94, 41},
     0xc09b37a7u},
    {{.temperature = 1.0f, .top_k = 20, .frequency_penalty = 0.5f, .presence_penalty = 0.3f, .penalty_window = 5, .seed = 7},
     {209, 116, 274, 288, 274, 224, 49, 71, 118, 85, 158, 224},
     0xc0306101u},
};

static void test_known_draws(void **state)
{
    (void)state;
    struct slm_random random;
    slm__random_seed(&random, 2024);
    float logits[KNOWN_VOCAB];
    random_logits(&random, logits, KNOWN_VOCAB, 2.0);
    for (size_t row = 0; row < sizeof known / sizeof known[0]; row++) {
        struct chooser chooser;
        chooser_begin(&chooser, &known[row].sampling, KNOWN_VOCAB);
        int32_t tokens[KNOWN_DRAWS];
        for (uint32_t i = 0; i < KNOWN_DRAWS; i++) {
            tokens[i] = choose(&chooser, logits, tokens, i);
        }
        uint32_t bits;
        memcpy(&bits, &chooser.logprob, sizeof bits);
        assert_memory_equal(tokens, known[row].tokens, sizeof tokens);
        assert_int_equal(bits, known[row].logprob_bits);
        chooser_end(&chooser);
    }
}

static void test_a_copy_goes_on_alike(void **state)
{
    (void)state;
    slm_sampling sampling = {.struct_size = sizeof sampling, .temperature = 1.0f, .seed = 3};
    struct slm_random random;
    slm__random_seed(&random, 8);
    float logits[MOST];
    random_logits(&random, logits, MOST, 1.0);
    struct chooser chooser;
    chooser_begin(&chooser, &sampling, MOST);
    choose(&chooser, logits, NULL, 0);
    struct chooser fork = chooser;
    for (int i = 0; i < 50; i++) {
        int32_t token = choose(&chooser, logits, NULL, 0);
        assert_int_equal(choose(&fork, logits, NULL, 0), token);
    }
    chooser_end(&chooser);
}

/* ---- distributions ---- */

/* Pearson's statistic of `draws` draws against softmax(logits / temperature). */
static double chi_square(const slm_sampling *sampling, const float *logits, uint32_t vocab, uint32_t draws)
{
    double expected[8];
    double total = 0.0;
    uint32_t observed[8] = {0};
    for (uint32_t i = 0; i < vocab; i++) {
        expected[i] = exp((double)logits[i] / (double)sampling->temperature);
        total += expected[i];
    }
    struct chooser chooser;
    chooser_begin(&chooser, sampling, vocab);
    for (uint32_t i = 0; i < draws; i++) {
        observed[choose(&chooser, logits, NULL, 0)]++;
    }
    chooser_end(&chooser);
    double statistic = 0.0;
    for (uint32_t i = 0; i < vocab; i++) {
        double mean = expected[i] / total * (double)draws;
        statistic += ((double)observed[i] - mean) * ((double)observed[i] - mean) / mean;
    }
    return statistic;
}

static void test_draws_follow_the_distribution(void **state)
{
    (void)state;
    const float logits[8] = {0.0f, 1.0f, -1.0f, 0.5f, 2.0f, -2.0f, 0.25f, 1.5f};
    const float temperatures[] = {0.5f, 1.0f, 3.0f, 1e30f};
    for (size_t i = 0; i < 4; i++) {
        slm_sampling sampling = {.struct_size = sizeof sampling, .temperature = temperatures[i], .seed = 100 + i};
        double statistic = chi_square(&sampling, logits, 8, 40000);
        assert_true(statistic < 24.3); /* 7 degrees of freedom: exceeded once in a thousand */
        assert_true(statistic > 0.3);  /* too good to be random: once in ten thousand */
    }
}

/* ---- penalties and bias ---- */

static void test_penalties_change_the_greedy_choice(void **state)
{
    (void)state;
    const float logits[] = {5.0f, 4.8f, 4.0f, -1.0f};
    const int32_t history[] = {1, 0, 0, 0};
    slm_sampling sampling = {.struct_size = sizeof sampling};
    struct chooser chooser;
    /* 5 / 1.1 = 4.55 < 4.8, which is penalised too: 4.36 */
    sampling.repetition_penalty = 1.1f;
    chooser_begin(&chooser, &sampling, 4);
    assert_int_equal(choose(&chooser, logits, history, 4), 0);
    assert_int_equal(choose(&chooser, logits, history + 1, 3), 1);
    chooser_end(&chooser);
    sampling.penalty_window = 3;
    chooser_begin(&chooser, &sampling, 4);
    assert_int_equal(choose(&chooser, logits, history, 4), 1);
    assert_int_equal(choose(&chooser, logits, NULL, 0), 0);
    chooser_end(&chooser);
    /* three occurrences cost 3 x 0.2, one costs 0.2 */
    slm_sampling frequency = {.struct_size = sizeof frequency, .frequency_penalty = 0.2f};
    chooser_begin(&chooser, &frequency, 4);
    assert_int_equal(choose(&chooser, logits, history, 4), 1);
    assert_int_equal(choose(&chooser, logits, history, 2), 0);
    chooser_end(&chooser);
    /* presence costs the same for both */
    slm_sampling presence = {.struct_size = sizeof presence, .presence_penalty = 0.9f};
    chooser_begin(&chooser, &presence, 4);
    assert_int_equal(choose(&chooser, logits, history, 4), 0);
    assert_int_equal(choose(&chooser, logits, history + 1, 3), 1);
    chooser_end(&chooser);
    /* negative penalties reward */
    slm_sampling reward = {.struct_size = sizeof reward, .presence_penalty = -7.0f};
    const int32_t last[] = {3};
    chooser_begin(&chooser, &reward, 4);
    assert_int_equal(choose(&chooser, logits, last, 1), 3);
    chooser_end(&chooser);
}

static void test_repetition_penalty_by_sign(void **state)
{
    (void)state;
    const int32_t history[] = {0, 1, 0};
    const struct slm_penalties penalties = {2.0f, 0.0f, 0.0f};
    float logits[] = {3.0f, -3.0f, 1.0f};
    uint32_t seen[3] = {99, 99, 99};
    assert_int_equal(slm__logits_penalise(logits, 3, &penalties, history, 3, seen, NULL), SLM_OK);
    assert_true(logits[0] == 1.5f && logits[1] == -6.0f && logits[2] == 1.0f);
}

static void test_finite_logits_stay_finite(void **state)
{
    (void)state;
    const int32_t history[] = {0, 1, 2};
    const struct slm_penalties penalties = {1e-38f, -FLT_MAX, 0.0f};
    float logits[] = {3.0f, -3.0f, -INF};
    uint32_t seen[3];
    assert_int_equal(slm__logits_penalise(logits, 3, &penalties, history, 3, seen, NULL), SLM_OK);
    assert_true(logits[0] == FLT_MAX && logits[1] == FLT_MAX && logits[2] == -INF);
    const struct slm_penalties down = {FLT_MAX, FLT_MAX, FLT_MAX};
    float low[] = {-3.0f, 3.0f, 0.0f};
    assert_int_equal(slm__logits_penalise(low, 3, &down, history, 3, seen, NULL), SLM_OK);
    assert_true(low[0] == -FLT_MAX && low[1] == -FLT_MAX && low[2] == -FLT_MAX);
    const slm_logit_bias bias[] = {{0, FLT_MAX}, {1, -FLT_MAX}, {2, 5.0f}, {3, -INF}, {3, 5.0f}};
    float biased[] = {FLT_MAX, -FLT_MAX, -INF, 1.0f};
    slm__logits_add_bias(biased, bias, 5);
    assert_true(biased[0] == FLT_MAX && biased[1] == -FLT_MAX && biased[2] == -INF && biased[3] == -INF);
}

static void test_bias_forbids_and_prefers(void **state)
{
    (void)state;
    const float logits[8] = {1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f, 7.0f, 8.0f};
    const slm_logit_bias bias[] = {{7, -INF}, {6, -INF}, {0, 10.0f}, {0, 10.0f}, {5, -INF}};
    slm_sampling sampling = {.struct_size = sizeof sampling, .bias = bias, .bias_count = 2};
    assert_int_equal(choose_once(&sampling, logits, 8), 5);
    sampling.bias_count = 5;
    assert_int_equal(choose_once(&sampling, logits, 8), 0);
    sampling.temperature = 1e30f;
    assert_int_equal(drawn_set(&sampling, logits, 8), 0x1F);
}

/* ---- extremes ---- */

static void test_off_settings_change_no_draw(void **state)
{
    (void)state;
    slm_sampling off = {.struct_size = sizeof off, .temperature = 1.0f, .seed = 77};
    slm_sampling on = off;
    on.top_k = MOST;
    on.top_p = 1.0f;
    on.repetition_penalty = 1.0f;
    on.penalty_window = 3;
    struct slm_random random;
    slm__random_seed(&random, 15);
    float logits[MOST];
    random_logits(&random, logits, MOST, 1.0);
    struct chooser first;
    struct chooser second;
    chooser_begin(&first, &off, MOST);
    chooser_begin(&second, &on, MOST);
    const int32_t history[] = {1, 2, 3, 4};
    for (int i = 0; i < 100; i++) {
        int32_t token = choose(&first, logits, history, 4);
        assert_int_equal(choose(&second, logits, history, 4), token);
    }
    chooser_end(&first);
    chooser_end(&second);
}

static void test_large_vocabulary_stays_inside_its_scratch(void **state)
{
    (void)state;
    enum { LARGE = 151936 + 5 };
    float *logits = malloc(LARGE * sizeof *logits);
    struct slm_random random;
    slm__random_seed(&random, 16);
    random_logits(&random, logits, LARGE, 2.0);
    const int32_t history[] = {LARGE - 1, 0, LARGE - 1};
    slm_sampling sampling = {.struct_size = sizeof sampling, .temperature = 1.0f, .top_p = 0.99f, .repetition_penalty = 1.3f, .seed = 1};
    struct chooser chooser;
    chooser_begin(&chooser, &sampling, LARGE);
    size_t bytes = slm__sampler_scratch_bytes(LARGE);
    uint8_t *guarded = aligned_alloc(64, bytes + 64);
    memset(guarded + bytes, 0xC7, 64);
    free(chooser.scratch);
    chooser.scratch = guarded;
    for (int i = 0; i < 5; i++) {
        int32_t token = choose(&chooser, logits, history, 3);
        assert_true(fabs((double)chooser.logprob - reference_logprob(logits, LARGE, token)) < 2e-6);
    }
    for (size_t i = 0; i < 64; i++) {
        assert_int_equal(guarded[bytes + i], 0xC7);
    }
    chooser_end(&chooser);
    free(logits);
}

/* ---- failures ---- */

/* slm__sampler_init refuses `sampling` with `status` and a message that contains `words`, and leaves the sampler alone. */
static void assert_refused(const slm_sampling *sampling, slm_status status, const char *words)
{
    struct slm_sampler sampler;
    struct slm_sampler before;
    slm_error error = {.struct_size = sizeof error};
    memset(&sampler, 0x5A, sizeof sampler);
    memcpy(&before, &sampler, sizeof before);
    assert_int_equal(slm__sampler_init(&sampler, sampling, 100, &error), status);
    assert_int_equal(error.status, status);
    assert_non_null(strstr(error.message, words));
    assert_memory_equal(&before, &sampler, sizeof before);
}

static void test_bad_settings_are_refused(void **state)
{
    (void)state;
    const float nan_value = NAN;
    const slm_logit_bias below[] = {{3, 1.0f}, {-1, 1.0f}};
    const slm_logit_bias above[] = {{100, 1.0f}};
    const slm_logit_bias infinite[] = {{3, INF}};
    const slm_logit_bias undefined[] = {{3, nan_value}};
    const struct {
        slm_sampling sampling;
        slm_status status;
        const char *words;
    } rows[] = {
        {{.temperature = -0.5f}, SLM_E_ARGUMENT, "temperature is -0.5"},
        {{.temperature = nan_value}, SLM_E_ARGUMENT, "temperature is nan"},
        {{.temperature = INF}, SLM_E_ARGUMENT, "temperature is inf"},
        {{.top_p = -1.0f}, SLM_E_ARGUMENT, "top_p is -1.0"},
        {{.top_p = nan_value}, SLM_E_ARGUMENT, "top_p is nan"},
        {{.top_p = INF}, SLM_E_ARGUMENT, "top_p is inf"},
        {{.min_p = -0.5f}, SLM_E_ARGUMENT, "min_p is -0.5"},
        {{.min_p = 1.5f}, SLM_E_ARGUMENT, "min_p is 1.5"},
        {{.min_p = nan_value}, SLM_E_ARGUMENT, "min_p is nan"},
        {{.repetition_penalty = -1.0f}, SLM_E_ARGUMENT, "repetition_penalty is -1.0"},
        {{.repetition_penalty = nan_value}, SLM_E_ARGUMENT, "repetition_penalty is nan"},
        {{.repetition_penalty = INF}, SLM_E_ARGUMENT, "repetition_penalty is inf"},
        {{.frequency_penalty = nan_value}, SLM_E_ARGUMENT, "frequency_penalty is nan"},
        {{.frequency_penalty = -INF}, SLM_E_ARGUMENT, "frequency_penalty is -inf"},
        {{.presence_penalty = nan_value}, SLM_E_ARGUMENT, "presence_penalty is nan"},
        {{.presence_penalty = INF}, SLM_E_ARGUMENT, "presence_penalty is inf"},
        {{.reserved = 7}, SLM_E_ARGUMENT, "reserved is 7"},
        {{.bias = below, .bias_count = 1025}, SLM_E_ARGUMENT, "bias_count is 1025"},
        {{.bias_count = 1}, SLM_E_ARGUMENT, "bias is NULL"},
        {{.bias = below, .bias_count = 2}, SLM_E_BAD_TOKEN, "bias 1 is for token -1"},
        {{.bias = above, .bias_count = 1}, SLM_E_BAD_TOKEN, "token 100, which is not in the vocabulary of 100"},
        {{.bias = infinite, .bias_count = 1}, SLM_E_ARGUMENT, "bias is inf"},
        {{.bias = undefined, .bias_count = 1}, SLM_E_ARGUMENT, "bias is nan"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_refused(&rows[i].sampling, rows[i].status, rows[i].words);
    }
    struct slm_sampler sampler;
    assert_int_equal(slm__sampler_init(&sampler, NULL, 0, NULL), SLM_E_ARGUMENT);
    assert_int_equal(slm__sampler_init(&sampler, NULL, UINT32_MAX, NULL), SLM_E_ARGUMENT);
}

static void test_most_biases_are_accepted(void **state)
{
    (void)state;
    slm_logit_bias bias[SLM_SAMPLER_BIAS_MAX];
    float logits[SLM_SAMPLER_BIAS_MAX + 1];
    for (int32_t i = 0; i < SLM_SAMPLER_BIAS_MAX; i++) {
        bias[i].token = i;
        bias[i].bias = -INF;
        logits[i] = 9.0f;
    }
    logits[SLM_SAMPLER_BIAS_MAX] = -9.0f;
    slm_sampling sampling = {.struct_size = sizeof sampling, .bias = bias, .bias_count = SLM_SAMPLER_BIAS_MAX};
    assert_int_equal(choose_once(&sampling, logits, SLM_SAMPLER_BIAS_MAX + 1), SLM_SAMPLER_BIAS_MAX);
}

/* slm__sampler_choose fails with `status` and `words`, and changes neither sampler nor results. */
static void assert_fails(const slm_sampling *sampling, const float *logits, uint32_t vocab, const int32_t *history, uint64_t count,
                         slm_status status, const char *words)
{
    struct chooser chooser;
    chooser_begin(&chooser, sampling, vocab);
    struct slm_sampler before;
    memcpy(&before, &chooser.sampler, sizeof before);
    int32_t token = -77;
    float logprob = 77.0f;
    slm_error error = {.struct_size = sizeof error};
    slm_status got =
        slm__sampler_choose(&chooser.sampler, alone(), logits, vocab, history, count, chooser.scratch, &token, &logprob, &error);
    assert_int_equal(got, status);
    assert_non_null(strstr(error.message, words));
    assert_memory_equal(&before, &chooser.sampler, sizeof before);
    assert_int_equal(token, -77);
    assert_true(logprob == 77.0f);
    chooser_end(&chooser);
}

static void test_not_finite_logits_fail(void **state)
{
    (void)state;
    const float bad[] = {NAN, INF, -NAN};
    float logits[40];
    slm_sampling sampling = {.struct_size = sizeof sampling, .temperature = 1.0f};
    for (uint32_t vocab = 1; vocab <= 40; vocab += 3) {
        for (uint32_t at = 0; at < vocab; at++) {
            for (uint32_t i = 0; i < vocab; i++) {
                logits[i] = (float)i;
            }
            logits[at] = bad[at % 3];
            assert_fails(&sampling, logits, vocab, NULL, 0, SLM_E_NOT_FINITE, at % 3 == 1 ? "is +infinity" : "is not a number");
            assert_fails(NULL, logits, vocab, NULL, 0, SLM_E_NOT_FINITE, "logit of token");
        }
        for (uint32_t i = 0; i < vocab; i++) {
            logits[i] = -INF;
        }
        assert_fails(NULL, logits, vocab, NULL, 0, SLM_E_NOT_FINITE, "all of its");
    }
}

static void test_nothing_allowed_fails(void **state)
{
    (void)state;
    const float logits[] = {1.0f, -INF, 2.0f};
    const slm_logit_bias bias[] = {{0, -INF}, {2, -INF}};
    slm_sampling sampling = {.struct_size = sizeof sampling, .bias = bias, .bias_count = 2, .temperature = 1.0f};
    assert_fails(&sampling, logits, 3, NULL, 0, SLM_E_NOT_FINITE, "forbids every token");
    sampling.temperature = 0.0f;
    assert_fails(&sampling, logits, 3, NULL, 0, SLM_E_NOT_FINITE, "forbids every token");
}

static void test_bad_history_fails(void **state)
{
    (void)state;
    const float logits[] = {1.0f, 0.0f, 2.0f};
    const int32_t above[] = {0, 3};
    const int32_t below[] = {-1, 0};
    slm_sampling sampling = {.struct_size = sizeof sampling, .temperature = 1.0f, .presence_penalty = 1.0f};
    assert_fails(&sampling, logits, 3, above, 2, SLM_E_BAD_TOKEN, "token 3 of the sequence");
    assert_fails(&sampling, logits, 3, below, 2, SLM_E_BAD_TOKEN, "token -1 of the sequence");
    struct chooser chooser;
    chooser_begin(&chooser, &sampling, 3);
    int32_t token;
    float logprob;
    assert_int_equal(slm__sampler_choose(&chooser.sampler, alone(), logits, 2, NULL, 0, chooser.scratch, &token, &logprob, NULL),
                     SLM_E_INTERNAL);
    chooser_end(&chooser);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_greedy_takes_the_lowest_of_the_highest),
        cmocka_unit_test(test_greedy_does_not_draw),
        cmocka_unit_test(test_logprob_is_the_models_own),
        cmocka_unit_test(test_logprob_of_extremes),
        cmocka_unit_test(test_top_logprobs_are_the_best),
        cmocka_unit_test(test_passes_do_not_depend_on_who_does_them),
        cmocka_unit_test(test_exp_minus_error),
        cmocka_unit_test(test_known_draws),
        cmocka_unit_test(test_a_copy_goes_on_alike),
        cmocka_unit_test(test_draws_follow_the_distribution),
        cmocka_unit_test(test_penalties_change_the_greedy_choice),
        cmocka_unit_test(test_repetition_penalty_by_sign),
        cmocka_unit_test(test_finite_logits_stay_finite),
        cmocka_unit_test(test_bias_forbids_and_prefers),
        cmocka_unit_test(test_off_settings_change_no_draw),
        cmocka_unit_test(test_large_vocabulary_stays_inside_its_scratch),
        cmocka_unit_test(test_bad_settings_are_refused),
        cmocka_unit_test(test_most_biases_are_accepted),
        cmocka_unit_test(test_not_finite_logits_fail),
        cmocka_unit_test(test_nothing_allowed_fails),
        cmocka_unit_test(test_bad_history_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

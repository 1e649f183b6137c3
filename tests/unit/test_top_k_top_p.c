/* SPDX-License-Identifier: MIT */
/* Top-k, top-p, min-p: each against a plain sorting reference, ties, their order, and the whole chain against a reference in double. */
#include "sample/top_k_top_p.h" /* struct slm_candidates */

#include "tests/unit/sampler_case.h" /* struct chooser, random_logits, drawn_set */

/* Multiples of a half: many ties; and some forbidden tokens, never the first. */
static void random_coarse_logits(struct slm_random *random, float *logits, uint32_t vocab)
{
    for (uint32_t i = 0; i < vocab; i++) {
        logits[i] = (float)((int)(random_logit(random, 2.0) * 2.0f)) * 0.5f;
        if (i > 0 && random_below(random, 10) == 0) {
            logits[i] = -INF;
        }
    }
}

/* A token with its logit as a reference sorts them: best first, lower token first among equals. */
struct ranked {
    double logit;
    int32_t token;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *left = a;
    const struct ranked *right = b;
    if (left->logit != right->logit) {
        return left->logit > right->logit ? -1 : 1;
    }
    return left->token < right->token ? -1 : 1;
}

/* The allowed tokens in order; returns their number. */
static uint32_t rank(const float *logits, uint32_t vocab, struct ranked *ranked)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < vocab; i++) {
        if (logits[i] > -INF) {
            ranked[count].logit = (double)logits[i];
            ranked[count].token = (int32_t)i;
            count++;
        }
    }
    qsort(ranked, count, sizeof *ranked, compare_ranked);
    return count;
}

/* ---- the filters against sorting ---- */

static int32_t token_of_key(uint64_t key) { return (int32_t)(UINT32_MAX - (uint32_t)key); }

/* The candidates are by token, and are exactly the first `count` of `ranked`. */
static void assert_kept(const struct slm_candidates *candidates, const struct ranked *ranked, uint32_t count)
{
    bool wanted[MOST] = {false};
    assert_int_equal(candidates->count, count);
    for (uint32_t i = 0; i < count; i++) {
        wanted[ranked[i].token] = true;
    }
    for (uint32_t i = 0; i < count; i++) {
        int32_t token = token_of_key(candidates->keys[i]);
        assert_in_range(token, 0, MOST - 1);
        assert_true(wanted[token]);
        assert_true(i == 0 || token > token_of_key(candidates->keys[i - 1]));
    }
}

static double weight_of(const struct ranked *ranked, uint32_t i, double temperature)
{
    return exp((ranked[i].logit - ranked[0].logit) / temperature);
}

/* One case of the filters: random logits of one of two kinds, their ranking, and candidates in memory of exactly their size. */
struct filter_case {
    float logits[MOST];
    struct ranked ranked[MOST];
    uint32_t vocab;
    uint32_t allowed;
    struct slm_candidates candidates;
};

static void filter_case_begin(struct filter_case *one, struct slm_random *random)
{
    one->vocab = 1 + random_below(random, MOST);
    if (random_below(random, 2) == 0) {
        random_coarse_logits(random, one->logits, one->vocab);
    } else {
        random_logits(random, one->logits, one->vocab, 0.5 + slm__random_unit(random) * 4.0);
    }
    one->allowed = rank(one->logits, one->vocab, one->ranked);
    one->candidates.keys = malloc(one->vocab * sizeof(uint64_t));
    one->candidates.weights = malloc(one->vocab * sizeof(float));
    one->candidates.bins = malloc(SLM_CANDIDATE_BINS * sizeof(uint64_t));
    slm__candidates_take(&one->candidates, one->logits, one->vocab);
    assert_kept(&one->candidates, one->ranked, one->allowed);
}

static void filter_case_end(struct filter_case *one)
{
    free(one->candidates.keys);
    free(one->candidates.weights);
    free(one->candidates.bins);
}

static void test_top_k_equals_sorting(void **state)
{
    (void)state;
    struct slm_random random;
    slm__random_seed(&random, 11);
    for (int round = 0; round < 400; round++) {
        struct filter_case one;
        filter_case_begin(&one, &random);
        uint32_t k = 1 + random_below(&random, one.vocab + 3);
        slm__candidates_top_k(&one.candidates, k);
        assert_kept(&one.candidates, one.ranked, k < one.allowed ? k : one.allowed);
        filter_case_end(&one);
    }
}

/* The smallest set that reaches p, computed by sorting in double; at a border the two may differ by rounding only. */
static void assert_reaches(const struct filter_case *one, double temperature, double p)
{
    double total = 0.0;
    for (uint32_t i = 0; i < one->allowed; i++) {
        total += weight_of(one->ranked, i, temperature);
    }
    double reached = 0.0;
    double before = 0.0;
    for (uint32_t i = 0; i < one->candidates.count; i++) {
        before = reached;
        reached += weight_of(one->ranked, i, temperature);
    }
    assert_true(reached >= (p - 1e-6) * total);
    assert_true(before <= (p + 1e-6) * total);
}

static void test_top_p_equals_sorting(void **state)
{
    (void)state;
    struct slm_random random;
    slm__random_seed(&random, 12);
    for (int round = 0; round < 400; round++) {
        struct filter_case one;
        filter_case_begin(&one, &random);
        double temperature = 0.25 + slm__random_unit(&random) * 2.0;
        float p = (float)slm__random_unit(&random) * 0.999f + 0.0001f;
        slm__candidates_weigh(&one.candidates, (float)one.ranked[0].logit, (float)temperature);
        slm__candidates_top_p(&one.candidates, p);
        assert_true(one.candidates.count >= 1);
        assert_kept(&one.candidates, one.ranked, one.candidates.count);
        assert_reaches(&one, (double)(float)temperature, (double)p);
        filter_case_end(&one);
    }
}

static void test_min_p_equals_sorting(void **state)
{
    (void)state;
    struct slm_random random;
    slm__random_seed(&random, 13);
    for (int round = 0; round < 400; round++) {
        struct filter_case one;
        filter_case_begin(&one, &random);
        float p = (float)slm__random_unit(&random);
        slm__candidates_weigh(&one.candidates, (float)one.ranked[0].logit, 1.0f);
        slm__candidates_min_p(&one.candidates, p);
        uint32_t kept = one.candidates.count;
        assert_kept(&one.candidates, one.ranked, kept);
        assert_true(weight_of(one.ranked, kept - 1, 1.0) >= (double)p * (1.0 - 1e-6));
        assert_true(kept == one.allowed || weight_of(one.ranked, kept, 1.0) <= (double)p * (1.0 + 1e-6));
        filter_case_end(&one);
    }
}

static void test_draw_at_the_borders(void **state)
{
    (void)state;
    const float logits[7] = {-300.0f, 1.0f, 1.0f, -300.0f, 1.0f, 1.0f, -300.0f};
    uint64_t keys[7];
    float weights[7];
    struct slm_candidates candidates = {.keys = keys, .weights = weights};
    slm__candidates_take(&candidates, logits, 7);
    slm__candidates_weigh(&candidates, 1.0f, 1.0f);
    const double units[] = {0.0, 0.2499999999999, 0.25, 0.4999999999999, 0.5, 0.7499999999999, 0.75, 1.0 - 0x1p-53};
    const int32_t tokens[] = {1, 1, 2, 2, 4, 4, 5, 5};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        assert_int_equal(slm__candidates_draw(&candidates, units[i]), tokens[i]);
    }
}

/* Totals that a double rounds up: the last token with mass is still the last drawn. */
static void test_draw_of_a_total_beyond_53_bits(void **state)
{
    (void)state;
    enum { MANY = 40000 };
    float *logits = malloc(MANY * sizeof *logits);
    struct slm_candidates candidates = {.keys = malloc(MANY * sizeof(uint64_t)), .weights = malloc(MANY * sizeof(float))};
    for (uint32_t i = 0; i < MANY; i++) {
        logits[i] = 0.0f;
    }
    for (uint32_t count = 8000; count + 9 < MANY; count += 4001) {
        for (uint32_t small = 1; small <= 8; small++) {
            logits[count + small - 1] = -27.5f; /* mass 1 */
            logits[count + small] = -100.0f;    /* mass 0 */
            slm__candidates_take(&candidates, logits, count + small + 1);
            slm__candidates_weigh(&candidates, 0.0f, 1.0f);
            int32_t token = slm__candidates_draw(&candidates, 1.0 - 0x1p-53);
            assert_in_range(token, count - 1, count + small - 1);
        }
        for (uint32_t i = 0; i < 9; i++) {
            logits[count + i] = 0.0f;
        }
    }
    free(logits);
    free(candidates.keys);
    free(candidates.weights);
}

static void test_ties_go_to_lower_tokens(void **state)
{
    (void)state;
    const float equal[8] = {2.0f, 2.0f, 2.0f, 2.0f, 2.0f, 2.0f, 2.0f, 2.0f};
    slm_sampling sampling = {.struct_size = sizeof sampling, .temperature = 1.0f, .top_k = 3};
    assert_int_equal(drawn_set(&sampling, equal, 8), 0x07);
    sampling.top_k = 0;
    sampling.top_p = 0.5f;
    assert_int_equal(drawn_set(&sampling, equal, 8), 0x0F);
    sampling.top_p = 0.501f;
    assert_int_equal(drawn_set(&sampling, equal, 8), 0x1F);
    sampling.top_p = 1e-30f;
    assert_int_equal(drawn_set(&sampling, equal, 8), 0x01);
    sampling.top_p = 0.0f;
    sampling.min_p = 1.0f;
    assert_int_equal(drawn_set(&sampling, equal, 8), 0xFF);
    const float mixed[6] = {1.0f, -0.0f, 3.0f, 0.0f, 3.0f, -INF};
    sampling.top_k = 4;
    sampling.min_p = 0.0f;
    assert_int_equal(drawn_set(&sampling, mixed, 6), 0x17);
    sampling.min_p = 1.0f;
    assert_int_equal(drawn_set(&sampling, mixed, 6), 0x14);
}

static void test_top_k_comes_before_top_p(void **state)
{
    (void)state;
    /* Probabilities 0.4, 0.2, 0.1 ... : of all tokens top-p 0.6 needs two, of the two best only one (0.4 / 0.6). */
    const float logits[8] = {-0.916291f, -1.609438f, -2.302585f, -2.302585f, -2.302585f, -2.995732f, -3.912023f, -3.912023f};
    slm_sampling sampling = {.struct_size = sizeof sampling, .temperature = 1.0f, .top_p = 0.59f};
    assert_int_equal(drawn_set(&sampling, logits, 8), 0x03);
    sampling.top_k = 2;
    assert_int_equal(drawn_set(&sampling, logits, 8), 0x01);
    /* Temperature comes before top-p and min-p: a hot distribution needs more tokens. */
    sampling.top_k = 0;
    sampling.temperature = 100.0f;
    assert_int_equal(drawn_set(&sampling, logits, 8), 0x1F);
    sampling.top_p = 0.0f;
    sampling.min_p = 0.9f;
    assert_int_equal(drawn_set(&sampling, logits, 8), 0xFF);
    sampling.temperature = 1.0f;
    assert_int_equal(drawn_set(&sampling, logits, 8), 0x01);
}

/* ---- the whole chain against a reference ---- */

struct reference {
    double logits[MOST];
    bool kept[MOST];
};

static void reference_adjust(struct reference *reference, const slm_sampling *sampling, const float *logits, uint32_t vocab,
                             const int32_t *history, uint32_t count)
{
    uint32_t window = sampling->penalty_window == 0 || sampling->penalty_window > count ? count : sampling->penalty_window;
    double repetition = sampling->repetition_penalty > 0.0f ? (double)sampling->repetition_penalty : 1.0;
    for (uint32_t i = 0; i < vocab; i++) {
        double logit = (double)logits[i];
        for (uint64_t b = 0; b < sampling->bias_count; b++) {
            logit += sampling->bias[b].token == (int32_t)i ? (double)sampling->bias[b].bias : 0.0;
        }
        uint32_t seen = 0;
        for (uint32_t h = count - window; h < count; h++) {
            seen += history[h] == (int32_t)i;
        }
        if (seen > 0) {
            logit = logit > 0.0 ? logit / repetition : logit * repetition;
            logit -= (double)seen * (double)sampling->frequency_penalty + (double)sampling->presence_penalty;
        }
        reference->logits[i] = logit;
    }
}

/* Fill reference->kept by sorting; logits become weights. Returns how close a decision was: below 1e-5 rounding may turn it. */
static double reference_filter(struct reference *reference, const slm_sampling *sampling, uint32_t vocab)
{
    struct ranked ranked[MOST];
    float single[MOST];
    for (uint32_t i = 0; i < vocab; i++) {
        single[i] = (float)reference->logits[i];
        reference->kept[i] = false;
    }
    uint32_t count = rank(single, vocab, ranked);
    double closest = 1.0;
    if (sampling->top_k > 0 && sampling->top_k < count) {
        closest = ranked[sampling->top_k - 1].logit - ranked[sampling->top_k].logit;
        count = sampling->top_k;
    }
    double total = 0.0;
    for (uint32_t i = 0; i < count; i++) {
        total += weight_of(ranked, i, (double)sampling->temperature);
    }
    double reached = 0.0;
    for (uint32_t i = 0; i < count; i++) {
        double weight = weight_of(ranked, i, (double)sampling->temperature);
        bool in_top_p = sampling->top_p == 0.0f || sampling->top_p >= 1.0f || reached < (double)sampling->top_p * total;
        reference->kept[ranked[i].token] = in_top_p && weight >= (double)sampling->min_p;
        reached += weight;
        double distance_p = sampling->top_p > 0.0f ? fabs(reached / total - (double)sampling->top_p) : 1.0;
        double distance_min = sampling->min_p > 0.0f ? fabs(weight - (double)sampling->min_p) : 1.0;
        closest = distance_p < closest ? distance_p : closest;
        closest = distance_min < closest ? distance_min : closest;
    }
    for (uint32_t i = 0; i < vocab; i++) {
        reference->logits[i] = exp(((double)single[i] - ranked[0].logit) / (double)sampling->temperature);
    }
    return closest;
}

/* The token at `unit`, or -1 when it is too close to a border to tell. */
static int32_t reference_draw(const struct reference *reference, uint32_t vocab, double unit)
{
    double total = 0.0;
    for (uint32_t i = 0; i < vocab; i++) {
        total += reference->kept[i] ? reference->logits[i] : 0.0;
    }
    double reached = 0.0;
    for (uint32_t i = 0; i < vocab; i++) {
        reached += reference->kept[i] ? reference->logits[i] : 0.0;
        if (fabs(reached / total - unit) < 1e-5) {
            return -1;
        }
        if (reached / total > unit) {
            return (int32_t)i;
        }
    }
    return -1;
}

static slm_sampling random_sampling(struct slm_random *random, slm_logit_bias *bias, uint32_t vocab)
{
    slm_sampling sampling = {.struct_size = sizeof sampling, .seed = slm__random_u64(random), .bias = bias};
    sampling.temperature = 0.3f + (float)slm__random_unit(random) * 2.0f;
    sampling.top_k = random_below(random, 2) ? random_below(random, vocab + 2) : 0;
    sampling.top_p = random_below(random, 2) ? (float)slm__random_unit(random) * 1.2f : 0.0f;
    sampling.min_p = random_below(random, 2) ? (float)slm__random_unit(random) * 0.2f : 0.0f;
    sampling.repetition_penalty = random_below(random, 2) ? 0.5f + (float)slm__random_unit(random) : 0.0f;
    sampling.frequency_penalty = random_below(random, 2) ? (float)slm__random_unit(random) - 0.3f : 0.0f;
    sampling.presence_penalty = random_below(random, 2) ? (float)slm__random_unit(random) - 0.3f : 0.0f;
    sampling.penalty_window = random_below(random, 80);
    sampling.bias_count = random_below(random, 20);
    for (uint64_t i = 0; i < sampling.bias_count; i++) {
        bias[i].token = (int32_t)random_below(random, vocab);
        bias[i].bias = bias[i].token > 0 && random_below(random, 3) == 0 ? -INF : random_logit(random, 2.0);
    }
    return sampling;
}

static void test_chain_equals_reference(void **state)
{
    (void)state;
    struct slm_random random;
    slm__random_seed(&random, 14);
    uint32_t compared = 0;
    for (int round = 0; round < 1000; round++) {
        slm_logit_bias bias[20];
        float logits[MOST];
        int32_t history[60];
        uint32_t vocab = 2 + random_below(&random, MOST - 2);
        slm_sampling sampling = random_sampling(&random, bias, vocab);
        random_logits(&random, logits, vocab, 2.0);
        for (uint32_t i = 0; i < 60; i++) {
            history[i] = (int32_t)random_below(&random, vocab < 40 ? vocab : 40);
        }
        struct chooser chooser;
        chooser_begin(&chooser, &sampling, vocab);
        struct slm_random draws = chooser.sampler.random;
        struct reference reference;
        reference_adjust(&reference, &sampling, logits, vocab, history, 60);
        double closest = reference_filter(&reference, &sampling, vocab);
        int32_t expected = reference_draw(&reference, vocab, slm__random_unit(&draws));
        int32_t token = choose(&chooser, logits, history, 60);
        assert_memory_equal(&draws, &chooser.sampler.random, sizeof draws); /* exactly one draw */
        if (expected >= 0 && closest > 1e-5) {
            assert_int_equal(token, expected);
            compared++;
        }
        chooser_end(&chooser);
    }
    assert_true(compared > 900);
}

static void test_extreme_settings(void **state)
{
    (void)state;
    const float logits[8] = {-FLT_MAX, 1.0f, 1.0f, 0.999f, -INF, -50.0f, FLT_MAX, -INF};
    slm_sampling sampling = {.struct_size = sizeof sampling, .temperature = FLT_TRUE_MIN};
    assert_int_equal(drawn_set(&sampling, logits, 8), 0x40);
    assert_int_equal(drawn_set(&sampling, logits, 6), 0x06);
    sampling.temperature = FLT_MAX;
    assert_int_equal(drawn_set(&sampling, logits, 8) & ~0x6Fu, 0); /* never a forbidden token */
    sampling.top_k = UINT32_MAX;
    sampling.top_p = FLT_MAX;
    assert_int_equal(drawn_set(&sampling, logits + 1, 3), 0x07);
    sampling.top_k = 1;
    assert_int_equal(drawn_set(&sampling, logits + 1, 3), 0x01);
    sampling.top_k = 0;
    sampling.top_p = 0.9999999f;
    assert_int_equal(choose_once(&sampling, logits + 1, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_top_k_equals_sorting),
        cmocka_unit_test(test_top_p_equals_sorting),
        cmocka_unit_test(test_min_p_equals_sorting),
        cmocka_unit_test(test_draw_at_the_borders),
        cmocka_unit_test(test_draw_of_a_total_beyond_53_bits),
        cmocka_unit_test(test_ties_go_to_lower_tokens),
        cmocka_unit_test(test_top_k_comes_before_top_p),
        cmocka_unit_test(test_chain_equals_reference),
        cmocka_unit_test(test_extreme_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

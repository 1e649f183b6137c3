/* SPDX-License-Identifier: MIT */
/* Row kernels: each tier against scalar for every length with a tail, scalar against f64 formulas. */
#include "tests/kernels/kernel_fixture.h"
#include "kernels/half_bits.h" /* slm__f32_of_bits */
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST = 70 };

/* Mostly ordinary, some of every kind: subnormal, infinite, NaN, large. */
static void fill_hard(struct dice *dice, float *x, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t bits = dice_bits(dice);
        x[i] = bits % 53 == 0 ? slm__f32_of_bits(dice_bits(dice)) : dice_float(dice) * (bits % 7 == 0 ? 100.0f : 2.0f);
    }
}

static float *guarded_row(struct dice *dice, uint32_t n, bool hard)
{
    float *x = guarded(n * sizeof *x, 4);
    if (hard) {
        fill_hard(dice, x, n);
    } else {
        dice_fill(dice, x, n, 2.0f);
    }
    return x;
}

static void expect_equal(const char *name, const float *got, const float *want, uint32_t n)
{
    const size_t at = first_difference(got, want, n);
    if (at < n) {
        fail_msg("%s, n %u: [%zu] = %a, scalar %a", name, n, at, (double)got[at], (double)want[at]);
    }
}

/* layer_norm with and without bias, activations, product, soft cap: apart and in place. */
static void check_activations(const struct slm_kernels *tier, const struct slm_kernels *scalar, struct dice *dice, uint32_t n, bool hard)
{
    const float *x = guarded_row(dice, n, hard), *w = guarded_row(dice, n, hard), *bias = guarded_row(dice, n, hard);
    float *a = guarded(n * sizeof *a, 4), *b = guarded(n * sizeof *b, 4);
    for (uint32_t with_bias = 0; with_bias < 2; with_bias++) {
        scalar->layer_norm(x, w, with_bias ? bias : NULL, 1e-5f, n, a);
        tier->layer_norm(x, w, with_bias ? bias : NULL, 1e-5f, n, b);
        expect_equal("layer_norm", b, a, n);
        memcpy(b, x, n * sizeof *b);
        tier->layer_norm(b, w, with_bias ? bias : NULL, 1e-5f, n, b);
        expect_equal("layer_norm in place", b, a, n);
    }
    for (uint32_t activation = 0; activation < SLM_ACTIVATIONS; activation++) {
        scalar->activate[activation](x, n, a);
        tier->activate[activation](x, n, b);
        expect_equal("activate", b, a, n);
        memcpy(b, x, n * sizeof *b);
        tier->activate[activation](b, n, b);
        expect_equal("activate in place", b, a, n);
    }
    scalar->multiply(a, w, n);
    tier->multiply(b, w, n);
    expect_equal("multiply", b, a, n);
    scalar->softcap(a, 1.5f, n);
    tier->softcap(b, 1.5f, n);
    expect_equal("softcap", b, a, n);
    guarded_release_all();
}

static void check_length(const struct slm_kernels *tier, const struct slm_kernels *scalar, struct dice *dice, uint32_t n, bool hard)
{
    const float *x = guarded_row(dice, n, hard), *w = guarded_row(dice, n, hard);
    float *a = guarded_row(dice, n, hard), *b = guarded(n * sizeof *b, 4);
    scalar->rms_norm(x, w, 1e-5f, n, a);
    tier->rms_norm(x, w, 1e-5f, n, b);
    expect_equal("rms_norm", b, a, n);
    memcpy(b, x, n * sizeof *b);
    tier->rms_norm(b, w, 1e-5f, n, b);
    expect_equal("rms_norm in place", b, a, n);
    scalar->silu_mul(x, w, n, a);
    tier->silu_mul(x, w, n, b);
    expect_equal("silu_mul", b, a, n);
    memcpy(b, x, n * sizeof *b);
    tier->silu_mul(b, w, n, b);
    expect_equal("silu_mul in place", b, a, n);
    scalar->scale(a, x, 0.3f, n);
    tier->scale(b, x, 0.3f, n);
    expect_equal("scale", b, a, n);
    scalar->add(a, w, n);
    tier->add(b, w, n);
    expect_equal("add", b, a, n);
    float *head = guarded_row(dice, 2 * n, hard), *other = guarded(2 * n * sizeof *other, 4);
    memcpy(other, head, 2 * n * sizeof *head);
    scalar->rope(head, x, w, n);
    tier->rope(other, x, w, n);
    expect_equal("rope", other, head, 2 * n);
    guarded_release_all();
}

static void tiers_equal_scalar(void **state)
{
    (void)state;
    struct dice dice = {8};
    for (const enum slm_isa *isa = tiers_to_check(); *isa; isa++) {
        for (uint32_t n = 1; n <= LONGEST; n++) {
            check_activations(tier_table(*isa), tier_table(SLM_TIER_SCALAR), &dice, n, false);
            check_activations(tier_table(*isa), tier_table(SLM_TIER_SCALAR), &dice, n, true);
            check_length(tier_table(*isa), tier_table(SLM_TIER_SCALAR), &dice, n, false);
            check_length(tier_table(*isa), tier_table(SLM_TIER_SCALAR), &dice, n, true);
        }
        check_length(tier_table(*isa), tier_table(SLM_TIER_SCALAR), &dice, 2048, false);
        check_activations(tier_table(*isa), tier_table(SLM_TIER_SCALAR), &dice, 2048, false);
    }
}

/* Values far below the maximum, -infinity among them. */
static void sums_of_exponentials_equal(void **state)
{
    (void)state;
    struct dice dice = {10};
    for (const enum slm_isa *isa = tiers_to_check(); *isa; isa++) {
        for (uint32_t n = 1; n <= LONGEST; n++) {
            float *x = guarded(n * sizeof *x, 4), max = -INFINITY;
            dice_fill(&dice, x, n, n % 2 == 0 ? 50.0f : 3.0f);
            x[n / 2] = n % 3 == 0 ? -INFINITY : x[n / 2];
            for (uint32_t i = 0; i < n; i++) {
                max = fmaxf(max, x[i]);
            }
            double exact = 0;
            for (uint32_t i = 0; i < n; i++) {
                exact += exp((double)x[i] - (double)max);
            }
            const double want = tier_table(SLM_TIER_SCALAR)->sum_exp(x, max, n), got = tier_table(*isa)->sum_exp(x, max, n);
            assert_true(fabs(got - exact) <= 1e-6 * exact);
            assert_memory_equal(&got, &want, sizeof got);
            guarded_release_all();
        }
    }
}

static void scalar_near_f64(void **state)
{
    (void)state;
    enum { N = 576 };
    struct dice dice = {9};
    static float x[N], w[N], y[N], head[2 * N];
    static double want[2 * N];
    const struct slm_kernels *scalar = tier_table(SLM_TIER_SCALAR);
    dice_fill(&dice, x, N, 3.0f);
    dice_fill(&dice, w, N, 1.0f);
    dice_fill(&dice, head, 2 * N, 1.0f);
    double square = 0;
    for (uint32_t i = 0; i < N; i++) {
        square += (double)x[i] * (double)x[i];
    }
    for (uint32_t i = 0; i < N; i++) {
        want[i] = (double)x[i] / sqrt(square / N + 1e-5) * (double)w[i];
    }
    scalar->rms_norm(x, w, 1e-5f, N, y);
    assert_true(normalized_error(y, want, N) < 1e-13);
    for (uint32_t i = 0; i < N; i++) {
        want[i] = (double)x[i] / (1 + exp(-(double)x[i])) * (double)w[i];
    }
    scalar->silu_mul(x, w, N, y);
    assert_true(normalized_error(y, want, N) < 1e-13);
    for (uint32_t i = 0; i < N; i++) {
        want[i] = (double)head[i] * (double)x[i] - (double)head[i + N] * (double)w[i];
        want[i + N] = (double)head[i + N] * (double)x[i] + (double)head[i] * (double)w[i];
    }
    scalar->rope(head, x, w, N);
    assert_true(normalized_error(head, want, 2 * N) < 1e-13);
}

/* The formulas of README section 4 in f64. */
static void scalar_activations_near_f64(void **state)
{
    (void)state;
    enum { N = 576 };
    struct dice dice = {11};
    static float x[N], w[N], bias[N], y[N];
    static double want[N];
    const struct slm_kernels *scalar = tier_table(SLM_TIER_SCALAR);
    dice_fill(&dice, x, N, 3.0f);
    dice_fill(&dice, w, N, 1.0f);
    dice_fill(&dice, bias, N, 1.0f);
    double sum = 0, square = 0;
    for (uint32_t i = 0; i < N; i++) {
        sum += (double)x[i] / N;
    }
    for (uint32_t i = 0; i < N; i++) {
        square += ((double)x[i] - sum) * ((double)x[i] - sum) / N;
    }
    for (uint32_t i = 0; i < N; i++) {
        want[i] = ((double)x[i] - sum) / sqrt(square + 1e-5) * (double)w[i] + (double)bias[i];
    }
    scalar->layer_norm(x, w, bias, 1e-5f, N, y);
    assert_true(normalized_error(y, want, N) < 1e-13);
    for (uint32_t i = 0; i < N; i++) {
        want[i] = (double)x[i] / (1 + exp(-(double)x[i]));
    }
    scalar->activate[SLM_ACTIVATION_SILU](x, N, y);
    assert_true(normalized_error(y, want, N) < 1e-13);
    for (uint32_t i = 0; i < N; i++) {
        const double v = (double)x[i];
        want[i] = 0.5 * v * (1 + tanh(sqrt(2 / acos(-1.0)) * (v + 0.044715 * v * v * v)));
    }
    scalar->activate[SLM_ACTIVATION_GELU_TANH](x, N, y);
    assert_true(normalized_error(y, want, N) < 1e-13);
    for (uint32_t i = 0; i < N; i++) {
        want[i] = 0.5 * (double)x[i] * (1 + erf((double)x[i] / sqrt(2.0)));
    }
    scalar->activate[SLM_ACTIVATION_GELU_ERF](x, N, y);
    assert_true(normalized_error(y, want, N) < 1e-13);
    for (uint32_t i = 0; i < N; i++) {
        want[i] = 1.5 * tanh((double)y[i] * (double)w[i] / 1.5);
    }
    scalar->multiply(y, w, N);
    scalar->softcap(y, 1.5f, N);
    assert_true(normalized_error(y, want, N) < 1e-13);
}

/* Best time of one call, in ns a value. */
#define NS_A_VALUE(call)                                                                                \
  do {                                                                                                  \
    double best = 1;                                                                                    \
    for (uint32_t run = 0; run < 200; run++) {                                                          \
      const double begin = seconds_now();                                                               \
      for (uint32_t again = 0; again < 50; again++) {                                                   \
        call;                                                                                           \
      }                                                                                                 \
      best = fmin(best, (seconds_now() - begin) / 50);                                                  \
    }                                                                                                   \
    printf("%s %.44s: %.3f ns a value\n", slm__isa_name((int32_t)kernels->isa), #call, best * 1e9 / N); \
  } while (0)

static void bench(const struct slm_kernels *kernels)
{
    enum { N = 2048 };
    struct dice dice = {10};
    static float x[N], w[N], y[N];
    dice_fill(&dice, x, N, 1.0f);
    dice_fill(&dice, w, N, 1.0f);
    NS_A_VALUE(kernels->rms_norm(x, w, 1e-5f, N, y));
    NS_A_VALUE(kernels->layer_norm(x, w, x, 1e-5f, N, y));
    NS_A_VALUE(kernels->silu_mul(x, w, N, y));
    NS_A_VALUE(kernels->activate[SLM_ACTIVATION_GELU_TANH](x, N, y));
    NS_A_VALUE(kernels->add(y, x, N));
    NS_A_VALUE(kernels->rope(y, x, w, N / 2));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiers_equal_scalar),
        cmocka_unit_test(sums_of_exponentials_equal),
        cmocka_unit_test(scalar_near_f64),
        cmocka_unit_test(scalar_activations_near_f64),
    };
    for (const enum slm_isa *isa = tiers_to_check(); asked_for_bench(argc, argv) && *isa; isa++) {
        bench(tier_table(*isa));
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

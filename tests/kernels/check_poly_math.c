/* SPDX-License-Identifier: MIT */
/* The polynomials against the long double functions of libm, which are the oracle here and nowhere else: largest errors in ulp. And half
 * precision, whole. */
#include "tests/kernels/kernel_fixture.h"
#include "kernels/poly_math.h" /* slm__expf and the others */
#include <math.h>

/* |got - want| in units of the last place of a format with `digits` bits and smallest exponent `least`. */
static double ulps(long double got, long double want, int digits, int least)
{
    int exponent;
    frexpl(want, &exponent);
    exponent = exponent < least ? least : exponent;
    return (double)(fabsl(got - want) / ldexpl(1.0L, exponent - digits));
}

static double ulps_f32(float got, long double want) { return ulps((long double)got, want, 24, -125); }

static double ulps_f64(double got, long double want) { return ulps((long double)got, want, 53, -1021); }

static void exp_tanh_and_erf_f32(void **state)
{
    (void)state;
    double exp_error = 0, tanh_error = 0, erf_error = 0;
    for (uint32_t bits = 0; bits < 0xff800000u; bits += 1009) {
        const float x = slm__f32_of_bits(bits);
        if (!(fabsf(x) < 200.0f)) {
            continue;
        }
        if (x < 88.72f) {
            exp_error = fmax(exp_error, ulps_f32(slm__expf(x), expl((long double)x)));
        }
        tanh_error = fmax(tanh_error, ulps_f32(slm__tanhf(x), tanhl((long double)x)));
        erf_error = fmax(erf_error, ulps_f32(slm__erff(x), erfl((long double)x)));
    }
    print_message("expf %.3f ulp, tanhf %.3f ulp, erff %.3f ulp\n", exp_error, tanh_error, erf_error);
    assert_true(erf_error < 2.0);
    assert_true(exp_error < 1.0);
    assert_true(tanh_error < 2.0);
}

static void ends_f32(void **state)
{
    (void)state;
    assert_int_equal(slm__f32_bits(slm__expf(-HUGE_VALF)), 0);
    assert_int_equal(slm__f32_bits(slm__expf(-104.0f)), 0);
    assert_int_equal(slm__f32_bits(slm__expf(-103.5f)), 1);
    assert_true(slm__expf(0.0f) == 1.0f && slm__expf(-0.0f) == 1.0f);
    assert_true(slm__expf(88.72284f) == HUGE_VALF && slm__expf(HUGE_VALF) == HUGE_VALF);
    assert_true(isnan(slm__expf(NAN)) && isnan(slm__expf(-NAN)) && isnan(slm__tanhf(NAN)) && isnan(slm__erff(NAN)));
    assert_true(slm__erff(HUGE_VALF) == 1.0f && slm__erff(-HUGE_VALF) == -1.0f && slm__erff(-0.0f) == 0.0f);
    assert_true(slm__tanhf(HUGE_VALF) == 1.0f && slm__tanhf(-HUGE_VALF) == -1.0f);
    assert_true(slm__tanhf(0.0f) == 0.0f && slm__tanhf(-0.0f) == 0.0f);
}

static double dice_double(struct dice *dice) { return ldexp((double)dice_bits(dice) * 0x1p32 + (double)dice_bits(dice), -64); }

static void exp_and_log_f64(void **state)
{
    (void)state;
    struct dice dice = {11};
    double exp_error = 0, log_error = 0;
    for (uint32_t i = 0; i < 300000; i++) {
        const double x = dice_double(&dice) * 1454.0 - 745.0;
        exp_error = fmax(exp_error, ulps_f64(slm__exp64(x), expl((long double)x)));
        const double any = ldexp(1.0 + dice_double(&dice), (int)(dice_bits(&dice) % 2098) - 1074),
                     near_one = 0.9 + 0.2 * dice_double(&dice);
        log_error = fmax(log_error, ulps_f64(slm__log64(any), logl((long double)any)));
        log_error = fmax(log_error, ulps_f64(slm__log64(near_one), logl((long double)near_one)));
    }
    print_message("exp64 %.3f ulp, log64 %.3f ulp\n", exp_error, log_error);
    assert_true(exp_error < 1.0);
    assert_true(log_error < 1.0);
    assert_true(slm__exp64(-HUGE_VAL) == 0.0 && slm__exp64(HUGE_VAL) == HUGE_VAL && slm__exp64(0.0) == 1.0 &&
                isnan(slm__exp64((double)NAN)));
    assert_true(slm__log64(0.0) == -HUGE_VAL && slm__log64(HUGE_VAL) == HUGE_VAL && slm__log64(1.0) == 0.0);
    assert_true(isnan(slm__log64(-1.0)) && isnan(slm__log64((double)NAN)));
}

static void check_angle(double x, double *sine_error, double *cosine_error)
{
    double sine, cosine;
    slm__sincos64(x, &sine, &cosine);
    *sine_error = fmax(*sine_error, ulps_f64(sine, sinl((long double)x)));
    *cosine_error = fmax(*cosine_error, ulps_f64(cosine, cosl((long double)x)));
}

static void sine_and_cosine_f64(void **state)
{
    (void)state;
    struct dice dice = {12};
    double sine_error = 0, cosine_error = 0;
    for (uint32_t i = 0; i < 300000; i++) {
        const double x = ldexp(2.0 * dice_double(&dice) - 1.0, (int)(dice_bits(&dice) % 41));
        check_angle(x, &sine_error, &cosine_error);
        check_angle(floor(x), &sine_error, &cosine_error);
        check_angle((double)i * 0x1.921fb54442d18p+0, &sine_error, &cosine_error); /* nearest to multiples of pi / 2 */
    }
    print_message("sin %.3f ulp, cos %.3f ulp\n", sine_error, cosine_error);
    assert_true(sine_error < 1.0);
    assert_true(cosine_error < 1.0);
    double sine, cosine;
    slm__sincos64(0x1p40, &sine, &cosine);
    assert_true(isnan(sine) && isnan(cosine));
    slm__sincos64((double)NAN, &sine, &cosine);
    assert_true(isnan(sine) && isnan(cosine));
}

/* The value of a half by its definition. */
static double half_value(uint32_t half)
{
    const uint32_t exponent = half >> 10 & 31, fraction = half & 1023;
    const double magnitude = exponent ? ldexp(1024.0 + fraction, (int)exponent - 25) : ldexp((double)fraction, -24);
    return half >> 15 ? -magnitude : magnitude;
}

static void every_half(void **state)
{
    (void)state;
    for (uint32_t half = 0; half < 0x10000; half++) {
        const float value = slm__f16_to_f32((uint16_t)half);
        if ((half & 0x7fff) > 0x7c00) {
            assert_true(isnan(value) && isnan(slm__f16_to_f32(slm__f32_to_f16(value))));
            continue;
        }
        assert_int_equal(slm__f32_to_f16(value), half);
        if ((half & 0x7fff) < 0x7c00) {
            assert_true((double)value == half_value(half));
        } else {
            assert_true(isinf(value));
        }
    }
}

/* Between two neighbours: the middle goes to the even one, its neighbours to their side. */
static void halves_round_to_even(void **state)
{
    (void)state;
    for (uint32_t half = 0; half < 0x7c00; half++) {
        const double next = half == 0x7bff ? 65536.0 : half_value(half + 1);
        const float middle = (float)((half_value(half) + next) / 2);
        assert_int_equal(slm__f32_to_f16(middle), half + (half & 1));
        assert_int_equal(slm__f32_to_f16(nextafterf(middle, 0.0f)), half);
        assert_int_equal(slm__f32_to_f16(nextafterf(-middle, -HUGE_VALF)), (half + 1) | 0x8000u);
    }
    assert_int_equal(slm__f32_to_bf16(1.00390625f), 0x3f80);
    assert_int_equal(slm__f32_to_bf16(1.01171875f), 0x3f82);
    assert_int_equal(slm__f32_to_bf16(-0x1.fffffep+127f), 0xff80);
    assert_true(isnan(slm__bf16_to_f32(slm__f32_to_bf16(slm__f32_of_bits(0x7f800001u)))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_tanh_and_erf_f32), cmocka_unit_test(ends_f32),   cmocka_unit_test(exp_and_log_f64),
        cmocka_unit_test(sine_and_cosine_f64),  cmocka_unit_test(every_half), cmocka_unit_test(halves_round_to_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* pack: the quantization rule on values with known answers, and every tier's bytes against scalar's. */
#include "tests/kernels/kernel_fixture.h"
#include "kernels/half_bits.h" /* slm__f32_bits, slm__f32_of_bits */
#include <math.h>
#include <stdio.h>
#include <string.h>

struct group {
    int8_t q[SLM_GROUP];
    float scale;
    int32_t negated_sum;
};

static struct group packed_group(const float *x, uint32_t cols)
{
    struct group group;
    assert_int_equal(sizeof group, SLM_PACKED_GROUP);
    tier_table(SLM_TIER_SCALAR)->pack[SLM_WEIGHT_I8](x, cols, 1, cols, &group);
    return group;
}

static void quantizes_to_the_nearest_even(void **state)
{
    (void)state;
    float x[SLM_GROUP] = {127.0f, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -126.6f, 0.49f};
    const struct group group = packed_group(x, SLM_GROUP);
    static const int8_t want[8] = {127, 0, 2, 2, 0, -2, -127, 0};
    assert_memory_equal(group.q, want, 8);
    assert_true(group.scale == 1.0f);
    assert_int_equal(group.negated_sum, -2);
}

static void special_groups(void **state)
{
    (void)state;
    static const float bad[] = {HUGE_VALF, -HUGE_VALF, NAN};
    static const int8_t zeros[SLM_GROUP];
    for (uint32_t i = 0; i < 3; i++) {
        const float x[3] = {1.0f, bad[i], 2.0f};
        const struct group group = packed_group(x, 3);
        assert_int_equal(slm__f32_bits(group.scale), 0x7fc00000u);
        assert_memory_equal(group.q, zeros, SLM_GROUP);
    }
    const float below[1] = {0x1.fffffep-101f}, at[1] = {-0x1p-100f}, largest[1] = {0x1.fffffep+127f};
    assert_int_equal(slm__f32_bits(packed_group(below, 1).scale), 0);
    assert_int_equal(packed_group(below, 1).q[0], 0);
    assert_int_equal(packed_group(at, 1).q[0], -127);
    assert_int_equal(packed_group(at, 1).negated_sum, 127);
    assert_int_equal(packed_group(largest, 1).q[0], 127);
}

/* |x - scale q| <= scale / 2, up to the rounding of the two divisions. */
static void error_is_half_a_step(void **state)
{
    (void)state;
    struct dice dice = {5};
    for (uint32_t round = 0; round < 2000; round++) {
        float x[SLM_GROUP];
        dice_fill(&dice, x, SLM_GROUP, ldexpf(1.0f, (int)(dice_bits(&dice) % 180) - 90));
        const struct group group = packed_group(x, SLM_GROUP);
        int32_t sum = 0;
        for (uint32_t i = 0; i < SLM_GROUP; i++) {
            assert_true(group.q[i] >= -127);
            assert_true(fabs((double)x[i] - (double)group.scale * group.q[i]) <= (double)group.scale * 0.50002);
            sum += group.q[i];
        }
        assert_int_equal(sum, -group.negated_sum);
    }
}

static void fill_hard(struct dice *dice, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t bits = dice_bits(dice);
        x[i] = bits % 5 == 0 ? (float)(int32_t)(bits >> 8 & 255) - 127.5f : dice_float(dice);
        x[i] = bits % 997 == 0 ? slm__f32_of_bits(dice_bits(dice)) : x[i];
    }
}

static void tiers_equal_scalar(void **state)
{
    (void)state;
    static const uint32_t all_cols[] = {1, 7, 31, 32, 33, 63, 64, 100, 576};
    struct dice dice = {6};
    for (const enum slm_isa *isa = tiers_to_check(); *isa; isa++) {
        for (uint32_t i = 0; i < 9 * SLM_COLUMNS * 16; i++) {
            const uint32_t cols = all_cols[i % 9], columns = i / 9 % SLM_COLUMNS + 1;
            const enum slm_weight_type type = i / 9 / SLM_COLUMNS % 2 ? SLM_WEIGHT_F32 : SLM_WEIGHT_I4;
            const size_t stride = cols + i % 3, bytes = slm__packed_column_bytes(type, cols) * columns;
            float *x = guarded(((columns - 1) * stride + cols) * sizeof *x, 4);
            const size_t alignment = type == SLM_WEIGHT_I4 ? 8 : 16;
            uint8_t *want = guarded(bytes, alignment), *got = guarded(bytes, alignment);
            memset(got, 0xa5, bytes);
            fill_hard(&dice, x, (columns - 1) * stride + cols);
            if (i % 4 == 0) { /* around the smallest group that is not zero */
                dice_fill(&dice, x, (columns - 1) * stride + cols, i % 8 == 0 ? 0x1p-99f : 0x1p-101f);
            }
            for (uint32_t c = 0; c < columns; c++) { /* an infinity, a NaN, the smallest amax that counts */
                static const float rare[] = {HUGE_VALF, NAN, 0x1p-100f, -0x1p-100f};
                if (dice_bits(&dice) % 3 == 0) {
                    x[c * stride + (dice_bits(&dice) >> 8) % cols] = rare[(dice_bits(&dice) >> 8) % 4];
                }
            }
            tier_table(SLM_TIER_SCALAR)->pack[type](x, stride, columns, cols, want);
            tier_table(*isa)->pack[type](x, stride, columns, cols, got);
            assert_memory_equal(got, want, bytes);
            guarded_release_all();
        }
    }
}

static void bench(const struct slm_kernels *kernels)
{
    enum { K = 2048, RUNS = 2000 };
    struct dice dice = {7};
    static float x[K * SLM_COLUMNS];
    static uint8_t packed[K * SLM_COLUMNS * 4];
    dice_fill(&dice, x, K * SLM_COLUMNS, 1.0f);
    for (uint32_t type = SLM_WEIGHT_F32; type <= SLM_WEIGHT_I8; type += SLM_WEIGHT_I8 - SLM_WEIGHT_F32) {
        for (uint32_t columns = 1; columns <= SLM_COLUMNS; columns += 7) {
            const double begin = seconds_now();
            for (uint32_t run = 0; run < RUNS; run++) {
                kernels->pack[type](x, K, columns, K, packed);
            }
            printf("%s pack for %s, columns %u: %.2f ns a value\n", slm__isa_name((int32_t)kernels->isa),
                   type == SLM_WEIGHT_F32 ? "f32" : "i8", columns, (seconds_now() - begin) * 1e9 / RUNS / K / columns);
        }
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantizes_to_the_nearest_even),
        cmocka_unit_test(special_groups),
        cmocka_unit_test(error_is_half_a_step),
        cmocka_unit_test(tiers_equal_scalar),
    };
    for (const enum slm_isa *isa = tiers_to_check(); asked_for_bench(argc, argv) && *isa; isa++) {
        bench(tier_table(*isa));
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

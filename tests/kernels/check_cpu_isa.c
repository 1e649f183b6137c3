/* SPDX-License-Identifier: MIT */
/* Tiers: names, choice, and that every usable tier fills every slot. */
#include "tests/kernels/kernel_fixture.h"
#include <string.h>

static void names_parse_back(void **state)
{
    (void)state;
    static const enum slm_isa all[] = {SLM_TIER_SCALAR, SLM_TIER_AVX2,         SLM_TIER_AVXVNNI,  SLM_TIER_AVX512VNNI,
                                       SLM_TIER_NEON,   SLM_TIER_NEON_DOTPROD, SLM_TIER_NEON_I8MM};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        const char *name = slm__isa_name((int32_t)all[i]);
        assert_non_null(name);
        assert_int_equal(slm__isa_parse(name, strlen(name)), all[i]);
        assert_int_equal(slm__isa_parse(name, strlen(name) - 1), -1);
    }
    assert_null(slm__isa_name(0));
    assert_null(slm__isa_name(13));
    assert_int_equal(slm__isa_parse("", 0), -1);
    assert_int_equal(slm__isa_parse("avx2 ", 5), -1);
}

static void best_is_usable_and_within_the_limit(void **state)
{
    (void)state;
    assert_int_equal(slm__isa_best(SLM_TIER_SCALAR), SLM_TIER_SCALAR);
    for (int32_t limit = 1; limit < 30; limit++) {
        const enum slm_isa isa = slm__isa_best(limit);
        assert_true(slm__isa_usable(isa) && (int32_t)isa <= limit);
    }
    const enum slm_isa best = slm__isa_best(0);
    assert_true(slm__isa_usable(best));
    for (const enum slm_isa *isa = tiers_to_check(); *isa; isa++) {
        assert_true(*isa <= best);
    }
    char name[64];
    memset(name, 'x', sizeof name);
    slm__cpu_name(name);
    assert_true(memchr(name, '\0', sizeof name) != NULL);
    print_message("%s, best tier %s, last cache %llu KB\n", name, slm__isa_name((int32_t)best),
                  (unsigned long long)slm__last_cache_bytes() / 1024);
}

static void expect_complete(const struct slm_kernels *table)
{
    for (uint32_t type = SLM_WEIGHT_F32; type < SLM_WEIGHT_TYPES; type++) {
        assert_true(table->pack[type] != NULL && table->matmul[type] != NULL && table->gather[type] != NULL);
    }
    for (uint32_t type = SLM_CACHE_F32; type < SLM_CACHE_TYPES; type++) {
        assert_true(table->store_k[type] != NULL && table->store_v[type] != NULL && table->attend[type] != NULL);
    }
    assert_true(table->quantize_query != NULL);
    assert_true(table->rms_norm != NULL && table->add != NULL && table->silu_mul != NULL && table->rope != NULL && table->scale != NULL);
    assert_true(table->attend_merge != NULL && table->attend_finish != NULL && table->peak != NULL && table->read != NULL);
}

static void every_tier_is_complete(void **state)
{
    (void)state;
    expect_complete(tier_table(SLM_TIER_SCALAR));
    assert_int_equal(tier_table(SLM_TIER_SCALAR)->isa, SLM_TIER_SCALAR);
    for (const enum slm_isa *isa = tiers_to_check(); *isa; isa++) {
        expect_complete(tier_table(*isa));
        assert_int_equal(tier_table(*isa)->isa, *isa);
    }
}

/* read and peak: what they return depends on every byte, and on the iterations. */
static void measuring_does_the_work(void **state)
{
    (void)state;
    enum { BYTES = 2048 };
    for (const enum slm_isa *isa = tiers_to_check(); *isa; isa++) {
        const struct slm_kernels *table = tier_table(*isa);
        uint8_t *data = guarded(BYTES, 64);
        for (uint32_t i = 0; i < BYTES; i++) {
            data[i] = 1;
            assert_int_not_equal(table->read(data, BYTES), 0);
            data[i] = 0;
        }
        uint32_t sink = 0;
        assert_true(table->peak(0, 1000, &sink) == 10 * table->peak(0, 100, &sink));
        assert_true(table->peak(1, 1000, &sink) == 10 * table->peak(1, 100, &sink));
    }
    guarded_release_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_parse_back),
        cmocka_unit_test(best_is_usable_and_within_the_limit),
        cmocka_unit_test(every_tier_is_complete),
        cmocka_unit_test(measuring_does_the_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

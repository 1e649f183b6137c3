/* SPDX-License-Identifier: MIT */
/* Repetitions of repetitions: one exactly where counting out what they allow leaves no gap. */
#include "grammar/repeat_counts.h" /* slm__repeat_join */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { MOST = 40 };

/* Which numbers up to MOST an outer number of inner numbers adds up to. */
static uint64_t sums(struct slm_repeat_counts inner, struct slm_repeat_counts outer)
{
    uint64_t set = 0;
    for (uint32_t k = outer.min; k <= outer.max && k <= MOST; k++) {
        for (uint64_t n = (uint64_t)k * inner.min; n <= MOST && n <= (uint64_t)k * inner.max; n++) {
            set |= UINT64_C(1) << n;
        }
    }
    return set;
}

static uint64_t between(struct slm_repeat_counts counts) { return sums((struct slm_repeat_counts){1, 1}, counts); }

static uint32_t end_of(uint32_t index) { return index == 5 ? UINT32_MAX : index; }

static void small_counts(void **state)
{
    (void)state;
    uint32_t joined_pairs = 0;
    for (uint32_t i = 0; i < 5 * 6 * 5 * 6; i++) {
        const struct slm_repeat_counts inner = {i % 5, end_of(i / 5 % 6)}, outer = {i / 30 % 5, end_of(i / 150)};
        if (inner.max < inner.min || inner.max == 0 || outer.max < outer.min || outer.max == 0) {
            continue;
        }
        struct slm_repeat_counts joined = {77, 77};
        const uint64_t expected = sums(inner, outer), from = expected / (expected & (0 - expected));
        const bool whole = (from & (from + 1)) == 0;
        assert_int_equal(slm__repeat_join(inner, outer, &joined), whole);
        assert_true(whole ? between(joined) == expected : joined.min == 77 && joined.max == 77);
        joined_pairs += whole;
    }
    assert_true(joined_pairs > 100);
}

static void large_counts(void **state)
{
    (void)state;
    struct slm_repeat_counts joined = {0, 0};
    assert_true(slm__repeat_join((struct slm_repeat_counts){1, 65535}, (struct slm_repeat_counts){1, 65536}, &joined));
    assert_int_equal(joined.max, 65535u * 65536u);
    assert_false(slm__repeat_join((struct slm_repeat_counts){1, 65537}, (struct slm_repeat_counts){1, 65535}, &joined));
    assert_false(slm__repeat_join((struct slm_repeat_counts){65536, UINT32_MAX}, (struct slm_repeat_counts){65536, 65536}, &joined));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(small_counts), cmocka_unit_test(large_counts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

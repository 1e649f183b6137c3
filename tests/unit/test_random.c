/* SPDX-License-Identifier: MIT */
/* The generator gives the numbers of the published algorithm; clocks run forward. */
#include "base/clock.h"  /* slm__clock_ns, slm__clock_local_seconds */
#include "base/random.h" /* struct slm_random */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>
#include <cmocka.h>

static void published_numbers(void **state)
{
    (void)state;
    /* xoshiro256** from state 1, 2, 3, 4: the reference's first outputs. */
    static const uint64_t expected[] = {11520,
                                        0,
                                        1509978240,
                                        UINT64_C(1215971899390074240),
                                        UINT64_C(1216172134540287360),
                                        UINT64_C(607988272756665600),
                                        UINT64_C(16172922978634559625),
                                        UINT64_C(8476171486693032832)};
    struct slm_random random = {{1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_true(slm__random_u64(&random) == expected[i]);
    }
    /* splitmix64 from seed 0. */
    slm__random_seed(&random, 0);
    assert_true(random.state[0] == UINT64_C(0xE220A8397B1DCDAF));
    assert_true(random.state[1] == UINT64_C(0x6E789E6AA1B965F4));
    assert_true(random.state[2] == UINT64_C(0x06C45D188009454F));
}

static void unit_is_uniform_in_range(void **state)
{
    (void)state;
    struct slm_random random;
    slm__random_seed(&random, 42);
    int tenths[10] = {0};
    for (int i = 0; i < 100000; i++) {
        double value = slm__random_unit(&random);
        assert_true(value >= 0.0 && value < 1.0);
        tenths[(int)(value * 10)]++;
    }
    for (int i = 0; i < 10; i++) {
        assert_in_range(tenths[i], 9600, 10400); /* 4 standard deviations are 380 */
    }
}

static void clocks(void **state)
{
    (void)state;
    uint64_t before = slm__clock_ns();
    uint64_t after = slm__clock_ns();
    assert_true(after >= before);
    int64_t away = slm__clock_local_seconds() - (int64_t)time(NULL);
    assert_in_range(away + 15 * 3600, 0, 30 * 3600); /* time zones reach from -12 to +14 hours */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_numbers),
        cmocka_unit_test(unit_is_uniform_in_range),
        cmocka_unit_test(clocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The search in template texts against the simplest one, on all short texts of two letters and on repetitive long ones. */
#include "tests/unit/template_fixture.h" /* cmocka */
#include "text/template_text.h"          /* slm__ts_find, slm__ts_find_last */

static size_t simple_find(struct slm_span text, struct slm_span needle, bool last)
{
    size_t found = SIZE_MAX;
    for (size_t at = 0; at + needle.length <= text.length; at++) {
        if (needle.length == 0 || memcmp(text.data + at, needle.data, needle.length) == 0) {
            found = at;
            if (!last) {
                break;
            }
        }
    }
    return found;
}

static void compare(struct slm_span text, struct slm_span needle)
{
    struct slm_tstring string;
    memset(&string, 0, sizeof string);
    string.data = text.data;
    string.length = text.length;
    assert_int_equal(slm__ts_find(&string, needle, 0, text.length), simple_find(text, needle, false));
    assert_int_equal(slm__ts_find_last(&string, needle, 0, text.length), simple_find(text, needle, true));
}

/* The lowest bits of `pattern` as letters a and b. */
static struct slm_span letters(uint8_t *target, unsigned pattern, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        target[i] = (uint8_t)('a' + (pattern >> i & 1));
    }
    return slm__span(target, length);
}

static void test_all_short_texts(void **state)
{
    (void)state;
    uint8_t text[16];
    uint8_t needle[16];
    for (size_t length = 0; length <= 12; length++) {
        for (unsigned pattern = 0; pattern < 1u << length; pattern++) {
            for (size_t part = 0; part <= 6; part++) {
                for (unsigned wanted = 0; wanted < 1u << part; wanted++) {
                    compare(letters(text, pattern, length), letters(needle, wanted, part));
                }
            }
        }
    }
}

static void test_repetitive_texts(void **state)
{
    (void)state;
    uint8_t text[400];
    uint8_t needle[200];
    uint32_t seed = 1;
    for (unsigned round = 0; round < 20000; round++) {
        size_t period = 1 + round % 7;
        for (size_t i = 0; i < sizeof text; i++) {
            seed = seed * 1664525 + 1013904223;
            text[i] = i < period ? (uint8_t)('a' + (seed >> 30)) : (seed >> 24) == 0 ? 'x' : text[i - period];
        }
        size_t length = 1 + (seed >> 20) % 150;
        size_t from = (seed >> 8) % (sizeof text - length);
        memcpy(needle, text + from, length);
        if (round % 3 == 0) {
            needle[length - 1 - seed % length] ^= 1;
        }
        compare(slm__span(text, sizeof text), slm__span(needle, length));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_short_texts),
        cmocka_unit_test(test_repetitive_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

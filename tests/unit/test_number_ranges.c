/* SPDX-License-Identifier: MIT */
/* Languages of numbers against exact arithmetic on every text of a grid of notations. */
#include "grammar/number_order.h"  /* slm__number_order */
#include "grammar/number_ranges.h" /* slm__number_language */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static struct slm_arena arena;
static struct slm_regular_space space = {&arena, SLM_REGULAR_STATE_LIMIT};
static slm_error error = {sizeof error, 0, ""};

static int begin(void **state)
{
    (void)state;
    struct slm_memory memory = slm__memory_default();
    slm__arena_init(&arena, &memory, 1 << 28);
    return 0;
}

static int end(void **state)
{
    (void)state;
    slm__arena_free(&arena);
    return 0;
}

/* The value of a text in millionths; all texts here are multiples of that. */
static int64_t micros(const char *text)
{
    int64_t value = 0;
    int point = -1;
    int exponent = 0;
    bool negative = *text == '-';
    for (text += negative; *text != '\0' && *text != 'e'; text++) {
        if (*text == '.') {
            point = 0;
        } else {
            value = 10 * value + (*text - '0');
            point += point >= 0;
        }
    }
    if (*text == 'e') {
        exponent = atoi(text + 1);
    }
    for (exponent += 6 - (point > 0 ? point : 0); exponent > 0; exponent--) {
        value *= 10;
    }
    for (; exponent < 0; exponent++) {
        assert_int_equal(value % 10, 0);
        value /= 10;
    }
    return negative ? -value : value;
}

struct given {
    bool integer;
    bool plain_only;
    const char *minimum;
    const char *maximum;
    const char *exclusive_minimum;
    const char *exclusive_maximum;
    const char *multiple;
};

static struct slm_span span_of(const char *text) { return slm__span_text(text == NULL ? "" : text); }

static bool holds(const struct given *given, int64_t value)
{
    return (given->minimum == NULL || value >= micros(given->minimum)) && (given->maximum == NULL || value <= micros(given->maximum)) &&
           (given->exclusive_minimum == NULL || value > micros(given->exclusive_minimum)) &&
           (given->exclusive_maximum == NULL || value < micros(given->exclusive_maximum)) &&
           (given->multiple == NULL || value % micros(given->multiple) == 0) && (!given->integer || value % 1000000 == 0);
}

static void check_text(const struct given *given, const struct slm_regular *words, const char *text)
{
    bool accepted = slm__regular_accepts(words, slm__span_text(text));
    bool exponent = strchr(text, 'e') != NULL;
    bool zero = micros(text) == 0;
    bool expected = holds(given, micros(text));
    bool optional = exponent; /* which of them are let in is not checked here, but never wrong ones */
    if (given->integer && ((text[0] == '-' && zero) || (given->plain_only && strpbrk(text, ".e") != NULL))) {
        expected = optional = false;
    }
    if (accepted != expected && !(optional && !accepted)) {
        fail_msg("%s: %s %s; min %s max %s above %s below %s step %s", text, accepted ? "accepted" : "refused",
                 given->integer ? "integer" : "number", given->minimum, given->maximum, given->exclusive_minimum, given->exclusive_maximum,
                 given->multiple);
    }
}

static void check_texts(const struct given *given, const struct slm_regular *words)
{
    static const char *const wholes[] = {"0", "1", "2", "5", "9", "10", "11", "12", "19", "20", "99", "100", "101", "125", "150", "1000"};
    static const char *const tails[] = {"", ".0", ".5", ".05", ".50", ".25", ".001", ".10", ".999"};
    static const char *const exponents[] = {"e0", "e1", "e-1", "e+2", "e-02", "e03"};
    char text[40];
    for (unsigned i = 0; i < 2 * 16 * 9; i++) {
        snprintf(text, sizeof text, "%s%s%s", i % 2 ? "-" : "", wholes[i / 2 % 16], tails[i / 32]);
        check_text(given, words, text);
        for (unsigned k = 0; k < 6; k++) {
            snprintf(text, sizeof text, "%s%s%s%s", i % 2 ? "-" : "", wholes[i / 2 % 16], tails[i / 32], exponents[k]);
            check_text(given, words, text);
        }
    }
    static const char *const wrong[] = {"", "-", "01", "1.", ".5", "+1", "1e", "1e+", "--1", "1.5.2", "0x1", "1 ", "-01", "1e1.5", "NaN"};
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(slm__regular_accepts(words, slm__span_text(wrong[i])));
    }
}

static void grid(void **state)
{
    (void)state;
    static const char *const bounds[] = {NULL,    "0",      "1",   "-1",  "0.5",    "-0.05", "10",
                                         "-12.5", "99.999", "100", "1e2", "125e-1", "0.0",   "1.0e-2"};
    static const char *const steps[] = {NULL, "1", "2", "3", "10", "0.5", "0.01", "1.5", "2.5e1"};
    enum { BOUNDS = sizeof bounds / sizeof bounds[0], STEPS = sizeof steps / sizeof steps[0] };
    for (unsigned i = 0; i < BOUNDS * BOUNDS; i++) {
        struct given given = {.integer = i % 3 != 0, .plain_only = i % 3 == 1};
        *(i % 2 ? &given.minimum : &given.exclusive_minimum) = bounds[i / BOUNDS];
        *(i % 4 < 2 ? &given.maximum : &given.exclusive_maximum) = bounds[i % BOUNDS];
        given.multiple = steps[i % STEPS];
        struct slm_span step = span_of(given.multiple);
        struct slm_number_range range = {given.integer,
                                         given.plain_only,
                                         span_of(given.minimum),
                                         span_of(given.maximum),
                                         span_of(given.exclusive_minimum),
                                         span_of(given.exclusive_maximum),
                                         &step,
                                         given.multiple != NULL};
        struct slm_regular words;
        assert_int_equal(slm__number_language(&space, &range, &words, &error), SLM_OK);
        check_texts(&given, &words);
    }
}

static void notations(void **state)
{
    (void)state;
    struct slm_number_range range = {.minimum = slm__span_text("0"), .maximum = slm__span_text("1")};
    struct slm_regular words;
    assert_int_equal(slm__number_language(&space, &range, &words, &error), SLM_OK);
    static const char *const in[] = {"1e-05", "1E-5", "9.99e-1", "1.000e0", "0e5", "1e-300", "-0.0", "0.0e-3", "1e+0", "1e-0"};
    static const char *const out[] = {"1e1", "1.1e0", "1e+300", "-1e-9", "2e00", "1.01"};
    for (unsigned i = 0; i < sizeof in / sizeof in[0]; i++) {
        assert_true(slm__regular_accepts(&words, slm__span_text(in[i])));
    }
    for (unsigned i = 0; i < sizeof out / sizeof out[0]; i++) {
        assert_false(slm__regular_accepts(&words, slm__span_text(out[i])));
    }
    struct slm_number_range all = {.integer = false};
    assert_int_equal(slm__number_language(&space, &all, &words, &error), SLM_OK);
    static const char *const readable[] = {"1e308",        "-1E+0308", "9.99e307", "5e-307", "0.5e299",
                                           "123456789e99", "12.5e-99", "2e3",      "0e307",  "1.0e0"};
    static const char *const beyond[] = {"1e309",  "2e308",   "1.0e308", "1e-309",    "9e999",
                                         "12e100", "1.5e310", "1e1000",  "12.5e-100", "0e308"};
    for (unsigned i = 0; i < sizeof readable / sizeof readable[0]; i++) {
        assert_true(slm__regular_accepts(&words, slm__span_text(readable[i])));
        assert_false(slm__regular_accepts(&words, slm__span_text(beyond[i])));
    }
    struct slm_span half = slm__span_text("0.5");
    struct slm_number_range any = {.integer = true, .multiples = &half, .multiple_count = 1};
    assert_int_equal(slm__number_language(&space, &any, &words, &error), SLM_OK);
    assert_true(slm__regular_accepts(&words, slm__span_text("1e+308")));
    assert_true(slm__regular_accepts(&words, slm__span_text("3.00")));
    assert_false(slm__regular_accepts(&words, slm__span_text("1e-1")));
}

static void large_numbers(void **state)
{
    (void)state;
    struct slm_number_range range = {
        .integer = true, .plain_only = true, .minimum = slm__span_text("-9223372036854775808"), .maximum = slm__span_text("1e400")};
    struct slm_regular words;
    char text[500];
    assert_int_equal(slm__number_language(&space, &range, &words, &error), SLM_OK);
    assert_true(slm__regular_accepts(&words, slm__span_text("-9223372036854775808")));
    assert_false(slm__regular_accepts(&words, slm__span_text("-9223372036854775809")));
    snprintf(text, sizeof text, "1%0400d", 0);
    assert_true(slm__regular_accepts(&words, slm__span_text(text)));
    text[400] = '1';
    assert_false(slm__regular_accepts(&words, slm__span_text(text)));
    assert_int_equal(slm__number_order(slm__span_text("1e400"), slm__span_text("-5")), 1);
    assert_int_equal(slm__number_order(slm__span_text("-1.50"), slm__span_text("-15e-1")), 0);
    assert_int_equal(slm__number_order(slm__span_text("0.0"), slm__span_text("1e-9")), -1);
    assert_int_equal(slm__number_order(slm__span_text("-2"), slm__span_text("-1.5")), -1);
    assert_int_equal(slm__number_order(slm__span_text("0.1"), slm__span_text("0.10000000000000000000000000001")), -1);
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *bound;
        const char *step;
        slm_status status;
        const char *words;
    } list[] = {
        {"1x", NULL, SLM_E_BAD_VALUE, "\"1x\" is not a number"},
        {"-", NULL, SLM_E_BAD_VALUE, "is not a number"},
        {"1e", NULL, SLM_E_BAD_VALUE, "is not a number"},
        {"1e99999999999999999999", NULL, SLM_E_LIMIT, "more than 4096 digits"},
        {"1e-99999999999999999999", NULL, SLM_E_LIMIT, "more than 4096 digits"},
        {NULL, "0", SLM_E_BAD_VALUE, "has to be above 0"},
        {NULL, "-2", SLM_E_BAD_VALUE, "has to be above 0"},
        {NULL, "0.123456789", SLM_E_UNSUPPORTED, "multipleOf 0.123456789"},
    };
    for (unsigned i = 0; i < sizeof list / sizeof list[0]; i++) {
        struct slm_span step = span_of(list[i].step);
        struct slm_number_range range = {.minimum = span_of(list[i].bound), .multiples = &step, .multiple_count = list[i].step != NULL};
        struct slm_regular words;
        assert_int_equal(slm__number_language(&space, &range, &words, &error), list[i].status);
        assert_non_null(strstr(error.message, list[i].words));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grid),
        cmocka_unit_test(notations),
        cmocka_unit_test(large_numbers),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, begin, end);
}

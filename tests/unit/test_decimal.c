/* SPDX-License-Identifier: MIT */
/* Decimal numbers: hard cases with known bits, random doubles there and back, the C library as a second opinion, any locale. */
#include "base/decimal.h" /* slm__decimal_parse, slm__decimal_format */
#include "base/random.h"  /* struct slm_random */

#include <setjmp.h>
#include <stdarg.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { ROUNDS = 40000 };

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double value_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void expect_parse(const char *text, double expected)
{
    double value = 0.5;
    assert_true(slm__decimal_parse(slm__span_text(text), &value));
    if (bits_of(value) != bits_of(expected)) {
        fail_msg("%s is read as %a, not %a", text, value, expected);
    }
}

static void hard_cases(void **state)
{
    (void)state;
    expect_parse("0", 0.0);
    expect_parse("-0.0", -0.0);
    expect_parse("+1.5", 1.5);
    expect_parse("1e23", 1e23);
    expect_parse("9007199254740993", 9007199254740992.0); /* 2^53 + 1: tie to even */
    expect_parse("9007199254740995", 9007199254740996.0); /* 2^53 + 3 */
    expect_parse("9007199254740993.00000000000000000000001", 9007199254740994.0);
    expect_parse("2.2250738585072011e-308", value_of(UINT64_C(0x000FFFFFFFFFFFFF))); /* largest subnormal */
    expect_parse("2.2250738585072012e-308", 0x1p-1022);
    expect_parse("4.9406564584124654e-324", value_of(1));
    expect_parse("2.4703282292062327208e-324", 0.0); /* just below half of the smallest */
    expect_parse("2.4703282292062328e-324", value_of(1));
    expect_parse("1.7976931348623157e308", 0x1.fffffffffffffp1023);
    expect_parse("1.7976931348623158e308", 0x1.fffffffffffffp1023);
    expect_parse("1.797693134862315808e308", value_of(UINT64_C(0x7FF0000000000000)));
    expect_parse("1e400", value_of(UINT64_C(0x7FF0000000000000)));
    expect_parse("-1e999999999999999999999999", value_of(UINT64_C(0xFFF0000000000000)));
    expect_parse("1e-999999999999999999999999", 0.0);
    expect_parse("0e999999999999999999999999", 0.0);
    expect_parse("0.000000000000000000000000000000000000001e39", 1.0);
    expect_parse("100000000000000000000000000000000000000e-38", 1.0);
}

static void refuses_what_is_no_number(void **state)
{
    (void)state;
    static const char *const texts[] = {"",   "-",  "+",   ".",    ".5",  "5.",  "1e",    "1e+", "e5",
                                        "1 ", " 1", "1,5", "0x10", "inf", "nan", "1e5.0", "--1"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        double value = 7;
        assert_false(slm__decimal_parse(slm__span_text(texts[i]), &value));
        assert_true(value == 7);
    }
}

static void long_texts(void **state)
{
    (void)state;
    /* Half way between 1 and the next double, 1 + 2^-53, with its 53 decimals; then a 1 after 5 000 more zeros. */
    char text[6000] = "1.00000000000000011102230246251565404236316680908203125";
    expect_parse(text, 1.0);
    size_t length = strlen(text);
    memset(text + length, '0', 5000);
    expect_parse(text, 1.0);
    text[length + 4999] = '1';
    expect_parse(text, 0x1.0000000000001p0);
    memset(text, '7', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    expect_parse(text, value_of(UINT64_C(0x7FF0000000000000)));
    memset(text, '0', sizeof text - 1);
    text[1] = '.';
    memcpy(text + 5000, "123e5000", 9);
    expect_parse(text, 12.3);
}

static void random_against_the_c_library(void **state)
{
    (void)state;
    struct slm_random random;
    slm__random_seed(&random, 7);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t bits = slm__random_u64(&random);
        bits = i % 3 == 0 ? bits & UINT64_C(0x800FFFFFFFFFFFFF) : i % 7 == 0 ? (bits % 2046) << 52 : bits; /* subnormals; powers of 2 */
        double value = value_of(bits);
        if (value - value != 0) {
            continue; /* infinity, NaN */
        }
        char text[64];
        slm__decimal_format(value, text);
        expect_parse(text, value);
        assert_true(bits_of(strtod(text, NULL)) == bits);
        snprintf(text, sizeof text, "%.*e", (int)(slm__random_u64(&random) % 25), value);
        expect_parse(text, strtod(text, NULL));
    }
}

static void expect_format(double value, const char *expected)
{
    char text[32];
    size_t length = slm__decimal_format(value, text);
    assert_string_equal(text, expected);
    assert_int_equal(length, strlen(expected));
}

/* As Python's repr writes them. */
static void formats_like_python(void **state)
{
    (void)state;
    expect_format(0.0, "0.0");
    expect_format(-0.0, "-0.0");
    expect_format(1.0, "1.0");
    expect_format(-100.0, "-100.0");
    expect_format(0.1, "0.1");
    expect_format(0.30000000000000004, "0.30000000000000004");
    expect_format(1e-4, "0.0001");
    expect_format(1e-5, "1e-05");
    expect_format(1.5e-7, "1.5e-07");
    expect_format(1e15, "1000000000000000.0");
    expect_format(1e16, "1e+16");
    expect_format(123456789012345680.0, "1.2345678901234568e+17");
    expect_format(9007199254740993.0, "9007199254740992.0");
    expect_format(5e-324, "5e-324");
    expect_format(1e22, "1e+22");
    expect_format(1e23, "1e+23");
    expect_format(0x1p-44, "5.684341886080802e-14"); /* the nearest 16 digits do not read back, the next ones do */
    expect_format(-1.7976931348623157e308, "-1.7976931348623157e+308");
    expect_format(-2.2250738585072014e-308, "-2.2250738585072014e-308");
    expect_format(value_of(UINT64_C(0x7FF0000000000000)), "inf");
    expect_format(value_of(UINT64_C(0xFFF0000000000000)), "-inf");
    expect_format(value_of(UINT64_C(0x7FF8000000000000)), "nan");
}

static void any_locale(void **state)
{
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "ps_AF.UTF-8", "fa_IR.UTF-8"};
    int tried = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (setlocale(LC_ALL, names[i]) != NULL) {
            tried++;
            expect_format(0.30000000000000004, "0.30000000000000004");
            expect_format(-1234.5, "-1234.5");
            expect_parse("1234.5678e-3", 0x1.3c0c9539b8887p0);
        }
    }
    setlocale(LC_ALL, "C");
    if (tried == 0) {
        print_message("skipped: no locale with a decimal comma is installed\n");
        skip();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hard_cases),          cmocka_unit_test(refuses_what_is_no_number),
        cmocka_unit_test(long_texts),          cmocka_unit_test(random_against_the_c_library),
        cmocka_unit_test(formats_like_python), cmocka_unit_test(any_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* UTF-8: every scalar value there and back, every kind of invalid part with its length as the Unicode standard counts it. */
#include "base/utf8.h" /* slm__utf8_decode, slm__utf8_encode, slm__utf8_valid_prefix */

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void all_scalar_values(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        if (code == 0xD800) {
            code = 0xE000;
        }
        uint8_t bytes[4];
        unsigned length = slm__utf8_encode(code, bytes);
        unsigned expected = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        struct slm_utf8 character = slm__utf8_decode(bytes, length);
        if (length != expected || !character.valid || character.code != code || character.length != length) {
            fail_msg("U+%04X", code);
        }
        for (unsigned cut = 1; cut < length; cut++) {
            character = slm__utf8_decode(bytes, cut);
            if (character.valid || !character.incomplete || character.length != cut) {
                fail_msg("U+%04X cut after %u bytes", code, cut);
            }
        }
    }
}

static void invalid_parts(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
        uint32_t taken;
    } cases[] = {
        {"\x80", 1, 1},
        {"\xBF", 1, 1},
        {"\xC0\xAF", 2, 1},
        {"\xC1\xBF", 2, 1},
        {"\xC2 ", 2, 1},
        {"\xE0\x80\x80", 3, 1},
        {"\xE0\x9F\xBF", 3, 1},
        {"\xE1\x80 ", 3, 2},
        {"\xED\xA0\x80", 3, 1},
        {"\xED\xBF\xBF", 3, 1},
        {"\xF0\x80\x80\x80", 4, 1},
        {"\xF0\x90\x80 ", 4, 3},
        {"\xF1\x80\xC0", 3, 2},
        {"\xF4\x90\x80\x80", 4, 1},
        {"\xF5\x80\x80\x80", 4, 1},
        {"\xFF", 1, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct slm_utf8 character = slm__utf8_decode((const uint8_t *)cases[i].bytes, cases[i].length);
        assert_false(character.valid);
        assert_false(character.incomplete);
        assert_int_equal(character.code, 0xFFFD);
        assert_int_equal(character.length, cases[i].taken);
    }
}

static void valid_prefix(void **state)
{
    (void)state;
    assert_int_equal(slm__utf8_valid_prefix(slm__span_text("h\xC3\xA9llo")), 6);
    assert_int_equal(slm__utf8_valid_prefix(slm__span_text("h\xC3")), 1);
    assert_int_equal(slm__utf8_valid_prefix(slm__span_text("h\xC3\xA9\xED\xA0\x80z")), 3);
    assert_int_equal(slm__utf8_valid_prefix(slm__span(NULL, 0)), 0);
}

static void printable(void **state)
{
    (void)state;
    char text[] = "a\tb\x7F\xC2\x85\xC3\xA9\xE2\x82";
    assert_int_equal(slm__utf8_printable(text, sizeof text - 1, true), 8);
    assert_memory_equal(text, "a?b???\xC3\xA9", 8);
    assert_int_equal(slm__utf8_printable(text, sizeof text - 1, false), 10);
    assert_memory_equal(text, "a?b???\xC3\xA9??", 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_scalar_values),
        cmocka_unit_test(invalid_parts),
        cmocka_unit_test(valid_prefix),
        cmocka_unit_test(printable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The character classes of every code point against unicode_classes.json, and normalization form C. */
#include "tests/unit/tokenizer_fixture.h" /* read_golden */

#include "base/utf8.h"              /* slm__utf8_encode */
#include "text/unicode_classes.h"   /* slm__unicode */
#include "text/unicode_normalize.h" /* slm__unicode_normalize */

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { CODES = 0x110000 };

/* Mark the code points that the list `name` holds. */
static void read_class(const struct slm_json *root, const char *name, uint8_t *members)
{
    const struct slm_json *list = slm__json_get(root, name);
    assert_non_null(list);
    memset(members, 0, CODES);
    for (uint32_t i = 0; i < list->count; i++) {
        int64_t first = 0;
        int64_t last = 0;
        assert_true(slm__json_i64(&list->items[i].items[0], &first) && slm__json_i64(&list->items[i].items[1], &last));
        memset(members + first, 1, (size_t)(last - first + 1));
    }
}

static void classes_equal_the_reference(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t bits;
    } classes[] = {
        {"regex \\s", SLM_UNICODE_SPACE},          {"WhitespaceSplit (char is whitespace)", SLM_UNICODE_SPACE},
        {"regex \\p{L}", SLM_UNICODE_LETTER},      {"regex \\p{Ll}", SLM_UNICODE_LOWER},
        {"regex \\p{N}", SLM_UNICODE_NUMBER},      {"regex \\p{M}", SLM_UNICODE_MARK},
        {"regex \\p{P}", SLM_UNICODE_PUNCTUATION}, {"Digits (char is numeric)", SLM_UNICODE_NUMERIC},
    };
    struct slm_span text = read_golden("tokenizers/unicode_classes.json");
    if (text.data == NULL) {
        print_message("tokenizers/unicode_classes.json is not in the golden folder\n");
        skip();
    }
    struct slm_memory memory = slm__memory_default();
    struct slm_arena arena;
    const struct slm_json *root = NULL;
    uint8_t *members = malloc(CODES);
    uint8_t *more = malloc(CODES);
    assert_true(members != NULL && more != NULL);
    slm__arena_init(&arena, &memory, SIZE_MAX);
    assert_int_equal(slm__json_parse(&arena, text, &root, NULL), SLM_OK);
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        read_class(root, classes[i].name, members);
        for (uint32_t code = 0; code < CODES; code++) {
            if (((slm__unicode(code) & classes[i].bits) != 0) != members[code]) {
                fail_msg("U+%04X: %s", (unsigned)code, classes[i].name);
            }
        }
    }
    static const struct {
        const char *first, *second;
        uint32_t bits;
    } unions[] = {{"regex \\p{Lu}", "regex \\p{Lt}", SLM_UNICODE_UPPER}, {"regex \\p{Lm}", "regex \\p{Lo}", SLM_UNICODE_OTHER_LETTER}};
    for (size_t i = 0; i < 2; i++) {
        read_class(root, unions[i].first, members);
        read_class(root, unions[i].second, more);
        for (uint32_t code = 0; code < CODES; code++) {
            assert_int_equal((slm__unicode(code) & unions[i].bits) != 0, members[code] | more[code]);
        }
    }
    free(members);
    free(more);
    slm__arena_free(&arena);
    free_span(text);
}

static void numbers_beyond_unicode_have_no_class(void **state)
{
    (void)state;
    assert_int_equal(slm__unicode(CODES), 0);
    assert_int_equal(slm__unicode(UINT32_MAX), 0);
    assert_int_equal(slm__unicode_ccc(0x301), 230);
    assert_int_equal(slm__unicode_ccc('a'), 0);
}

/* The normal form of `text`, which must be `expected`. */
static void check_nfc(const char *text, const char *expected)
{
    struct slm_memory memory = slm__memory_default();
    struct slm_buffer out;
    slm__buffer_init(&out, &memory, SIZE_MAX);
    assert_int_equal(slm__unicode_normalize(SLM_UNICODE_NFC, slm__span_text(text), &out, NULL), SLM_OK);
    if (!slm__span_equal(slm__span(out.data, out.length), slm__span_text(expected))) {
        fail_msg("'%s' became '%.*s', not '%s'", text, (int)out.length, (const char *)out.data, expected);
    }
    slm__buffer_free(&out);
}

static void characters_compose(void **state)
{
    (void)state;
    check_nfc("", "");
    check_nfc("plain text", "plain text");
    check_nfc("cafe\xCC\x81!", "caf\xC3\xA9!");
    check_nfc("\314\201a", "\314\201a");                                               /* a mark without a base stays */
    check_nfc("\xE2\x84\xAB", "\xC3\x85");                                             /* the angstrom sign is a ring letter */
    check_nfc("a\xCC\x95\xCC\x80\xCC\x96", "\xC3\xA0\xCC\x96\xCC\x95");                /* reordered, then composed */
    check_nfc("\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", "\xED\x95\x9C");                 /* Hangul: three letters to one */
    check_nfc("\xED\x95\x98\xE1\x86\xAB", "\xED\x95\x9C");                             /* Hangul: a syllable and a letter */
    check_nfc("\xED\x95\x9C\xE1\x86\xAB", "\xED\x95\x9C\xE1\x86\xAB");                 /* ... that has one already */
    check_nfc("\xE0\xA5\x98", "\xE0\xA4\x95\xE0\xA4\xBC");                             /* excluded from composition */
    check_nfc("\xF0\x91\xA4\xB5\xF0\x91\xA4\xB0", "\xF0\x91\xA4\xB5\xF0\x91\xA4\xB0"); /* Unicode 13: too new for the reference */
    check_nfc("a\xCC\x85\xCC\x80", "a\xCC\x85\xCC\x80");                               /* a mark of its own class stands between */
    check_nfc("\xCD\x84", "\xCC\x88\xCC\x81");                                         /* a mark that becomes two */
}

/* Each composition's parts give it again. */
static void parts_of_compositions_compose(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < slm__unicode_composition_count; i++) {
        uint64_t entry = slm__unicode_decompositions[slm__unicode_compositions[i]];
        char parts[9] = {0};
        char whole[5] = {0};
        unsigned length = slm__utf8_encode((uint32_t)(entry >> 18) & 0x3FFFF, (uint8_t *)parts);
        slm__utf8_encode((uint32_t)entry & 0x3FFFF, (uint8_t *)parts + length);
        slm__utf8_encode((uint32_t)(entry >> 36), (uint8_t *)whole);
        check_nfc(parts, whole);
        assert_true(slm__unicode_is_normal(SLM_UNICODE_NFC, slm__span_text(whole)) ||
                    (slm__unicode((uint32_t)(entry >> 36)) & SLM_UNICODE_NFC_SLOW));
    }
}

/* Long runs of marks: sorted stably, in more memory than the first block. */
static void long_runs_of_marks(void **state)
{
    (void)state;
    enum { MARKS = 4000 };
    char *text = calloc(1, 1 + 4 * MARKS + 1);
    char *expected = calloc(1, 1 + 4 * MARKS + 1);
    assert_true(text != NULL && expected != NULL);
    text[0] = expected[0] = 'q';
    for (size_t i = 0; i < MARKS; i++) {
        memcpy(text + 1 + 4 * i, "\xCC\x88\xCC\x96", 4); /* above (230), below (220) */
        memcpy(expected + 1 + 2 * i, "\xCC\x96", 2);     /* all below ones first */
        memcpy(expected + 1 + 2 * MARKS + 2 * i, "\xCC\x88", 2);
    }
    check_nfc(text, expected);
    free(text);
    free(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_equal_the_reference), cmocka_unit_test(numbers_beyond_unicode_have_no_class),
        cmocka_unit_test(characters_compose),          cmocka_unit_test(parts_of_compositions_compose),
        cmocka_unit_test(long_runs_of_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

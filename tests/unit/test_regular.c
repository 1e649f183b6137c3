/* SPDX-License-Identifier: MIT */
/* Operations on regular languages against the same operations on sets of all short texts. */
#include "grammar/ecma_regex.h" /* slm__regex_compile */
#include "grammar/regular.h"    /* the operations */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { LETTERS = 3, LONGEST = 5, TEXTS = 1 + 3 + 9 + 27 + 81 + 243 };

static const char *const letters[LETTERS] = {"a", "b", "\xE2\x82\xAC"};
static char texts[TEXTS][3 * LONGEST + 1];
static uint32_t lengths[TEXTS];
static struct slm_arena arena;
static struct slm_regular_space space = {&arena, SLM_REGULAR_STATE_LIMIT};
static slm_error error = {sizeof error, 0, ""};

static int begin(void **state)
{
    (void)state;
    struct slm_memory memory = slm__memory_default();
    slm__arena_init(&arena, &memory, 1 << 28);
    uint32_t count = 1;
    for (uint32_t i = 0; count < TEXTS; i++) {
        for (uint32_t k = 0; k < LETTERS; k++, count++) {
            memcpy(texts[count], texts[i], sizeof texts[count]);
            strcat(texts[count], letters[k]);
            lengths[count] = lengths[i] + 1;
        }
    }
    return 0;
}

static int end(void **state)
{
    (void)state;
    slm__arena_free(&arena);
    return 0;
}

static struct slm_regular language(const char *pattern)
{
    struct slm_regular words = {0};
    assert_int_equal(slm__regex_compile(&space, slm__span_text(pattern), SLM_REGEX_WHOLE, &words, &error), SLM_OK);
    return words;
}

static bool has(const struct slm_regular *words, uint32_t text) { return slm__regular_accepts(words, slm__span_text(texts[text])); }

static const char *const patterns[] = {
    "",   "a",        "[]",       "[ab\\u20AC]*", "a*b*",    "(ab|\\u20AC)+", "a{2,3}", "[^a]*",
    ".?", "(a|b)*a.", "\\u20AC*", "(..)*",        "a.*|.*b", "[^]{0,2}",      "aab|b",
};

enum { PATTERNS = sizeof patterns / sizeof patterns[0] };

static void combinations(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < PATTERNS * PATTERNS; i++) {
        struct slm_regular a = language(patterns[i / PATTERNS]);
        struct slm_regular b = language(patterns[i % PATTERNS]);
        struct slm_regular sum;
        struct slm_regular both;
        struct slm_regular rest;
        struct slm_regular joined;
        assert_int_equal(slm__regular_combine(&space, SLM_REGULAR_UNION, &a, &b, &sum, &error), SLM_OK);
        assert_int_equal(slm__regular_combine(&space, SLM_REGULAR_INTERSECTION, &a, &b, &both, &error), SLM_OK);
        assert_int_equal(slm__regular_combine(&space, SLM_REGULAR_DIFFERENCE, &a, &b, &rest, &error), SLM_OK);
        assert_int_equal(slm__regular_concatenate(&space, &a, &b, &joined, &error), SLM_OK);
        for (uint32_t t = 0; t < TEXTS; t++) {
            assert_int_equal(has(&sum, t), has(&a, t) || has(&b, t));
            assert_int_equal(has(&both, t), has(&a, t) && has(&b, t));
            assert_int_equal(has(&rest, t), has(&a, t) && !has(&b, t));
            bool cut = false;
            for (size_t k = 0; k <= strlen(texts[t]); k++) {
                cut = cut || (slm__regular_accepts(&a, slm__span(texts[t], k)) && slm__regular_accepts(&b, slm__span_text(texts[t] + k)));
            }
            assert_int_equal(has(&joined, t), cut);
        }
        assert_int_equal(slm__regular_equal(&a, &b), slm__regular_is_empty(&rest) && slm__regular_equal(&sum, &a));
    }
}

static void complement_and_lengths(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < PATTERNS; i++) {
        struct slm_regular a = language(patterns[i]);
        struct slm_regular other;
        struct slm_regular again;
        assert_int_equal(slm__regular_complement(&space, &a, &other, &error), SLM_OK);
        assert_int_equal(slm__regular_complement(&space, &other, &again, &error), SLM_OK);
        assert_true(slm__regular_equal(&a, &again));
        assert_false(slm__regular_accepts(&other, slm__span_text("\xFF")));
        for (uint32_t min = 0; min < 4; min++) {
            for (uint32_t max = 0; max < 6; max++) {
                struct slm_regular cut;
                uint32_t end_ = max == 5 ? UINT32_MAX : max;
                assert_int_equal(slm__regular_with_length(&space, &a, min, end_, &cut, &error), SLM_OK);
                for (uint32_t t = 0; t < TEXTS; t++) {
                    assert_int_equal(has(&cut, t), has(&a, t) && lengths[t] >= min && lengths[t] <= end_);
                    assert_int_equal(has(&other, t), !has(&a, t));
                }
            }
        }
    }
}

static void shortest_and_lengths(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *shortest;
        uint32_t min;
        uint32_t max;
    } list[] = {
        {"", "", 0, 0},
        {"b|ab|\\u20AC", "b", 1, 2},
        {"[a-c]{2}", "aa", 2, 2},
        {"\\u20AC|aab", "aab", 1, 3}, /* three bytes both; shortest by bytes, lengths in code points */
        {"\\u20AC{2}|aaaaaa|abc*", "ab", 2, UINT32_MAX},
        {"\\u{1F600}?x{0,3}", "", 0, 4},
        {"[a-z]{3}", "aaa", 3, 3},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        struct slm_regular a = language(list[i].pattern);
        struct slm_span word;
        uint32_t min = 0;
        uint32_t max = 0;
        assert_int_equal(slm__regular_shortest(&space, &a, &word, &error), SLM_OK);
        assert_true(slm__span_is(word, list[i].shortest));
        assert_int_equal(slm__regular_lengths(&space, &a, &min, &max, &error), SLM_OK);
        assert_int_equal(min, list[i].min);
        assert_int_equal(max, list[i].max);
    }
    struct slm_regular never;
    struct slm_span word;
    assert_int_equal(slm__regular_never(&space, &never, &error), SLM_OK);
    assert_int_equal(slm__regular_shortest(&space, &never, &word, &error), SLM_E_ARGUMENT);
}

static void minimal(void **state)
{
    (void)state;
    static const char *const same[][2] = {
        {"(a|b)*", "(a*b*)*"}, {"a(a|b)*b|ab", "a[ab]*b"},       {"[^]*", "(?:[\\0-\\u{FFFF}]|[\\u{10000}-\\u{10FFFF}])*"},
        {"(?=a)[ab]", "a"},    {"(?:a{3})*(?:a{2})*", "a{2,}|"}, {"[]|x", "x"},
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        struct slm_regular a = language(same[i][0]);
        struct slm_regular b = language(same[i][1]);
        assert_true(slm__regular_equal(&a, &b));
    }
    const struct slm_span some[] = {slm__span_text("b"), slm__span_text("ab"), slm__span_text("\xE2\x82\xAC"), slm__span_text("b")};
    struct slm_regular written = language("\\u20AC|a?b");
    struct slm_regular listed;
    assert_int_equal(slm__regular_texts(&space, some, 4, &listed, &error), SLM_OK);
    assert_true(slm__regular_equal(&written, &listed));
    struct slm_regular any;
    struct slm_regular every = language("[^]*");
    assert_int_equal(slm__regular_any(&space, &any, &error), SLM_OK);
    assert_true(slm__regular_equal(&any, &every));
    assert_int_equal(any.state_count, 9);
}

static void limits(void **state)
{
    (void)state;
    struct slm_regular a = language("a{50}");
    struct slm_regular b = language("b{50}");
    struct slm_regular result;
    struct slm_regular_space narrow = {&arena, 60};
    assert_int_equal(slm__regular_concatenate(&narrow, &a, &b, &result, &error), SLM_E_LIMIT);
    assert_non_null(strstr(error.message, "60 states"));
    struct slm_regular any;
    assert_int_equal(slm__regular_any(&space, &any, &error), SLM_OK);
    assert_int_equal(slm__regular_with_length(&space, &any, 0, 1000000000, &result, &error), SLM_E_LIMIT);
    struct slm_span broken = slm__span_text("x\xE2\x82");
    assert_int_equal(slm__regular_text(&space, broken, &result, &error), SLM_E_ENCODING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(combinations),
        cmocka_unit_test(complement_and_lengths),
        cmocka_unit_test(shortest_and_lengths),
        cmocka_unit_test(minimal),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, begin, end);
}

/* SPDX-License-Identifier: MIT */
/*
 * Stop strings: whatever the cuts between pushes, what is given out is the text up to the first complete stop string, no byte lost or
 * doubled, no character cut, and nothing held back that is certain. The reference compares every position with memcmp.
 */
#include "base/random.h"         /* slm__random_seed, slm__random_unit */
#include "base/utf8.h"           /* slm__utf8_valid_prefix */
#include "sample/stop_strings.h" /* slm__stop_strings_init, slm__stop_strings_push, slm__stop_strings_flush */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_TEXT = 16384 };

/* What came out so far. */
struct collected {
    char text[MOST_TEXT];
    size_t length;
    bool found;
};

static void collect(struct collected *collected, struct slm_span certain)
{
    assert_true(collected->length + certain.length <= MOST_TEXT);
    memcpy(collected->text + collected->length, certain.data, certain.length);
    collected->length += certain.length;
}

static void push(struct slm_stop_strings *stop, const char *text, size_t length, struct collected *collected)
{
    struct slm_span certain;
    assert_int_equal(slm__stop_strings_push(stop, slm__span(text, length), &certain, &collected->found), SLM_OK);
    collect(collected, certain);
}

static void assert_collected(const struct collected *collected, const char *text, size_t length)
{
    assert_int_equal(collected->length, length);
    assert_memory_equal(collected->text, text, length);
}

static void init_texts(struct slm_stop_strings *stop, const char *const *texts, uint64_t count)
{
    slm_string list[SLM_STOP_STRINGS_MAX];
    for (uint64_t i = 0; i < count; i++) {
        list[i].text = texts[i];
        list[i].length = SLM_NUL_TERMINATED;
    }
    assert_int_equal(slm__stop_strings_init(stop, list, count, NULL), SLM_OK);
}

/* The longest stop string that ends at text + end, or 0. */
static size_t reference_match(const char *text, size_t end, const char *const *stops, uint64_t count)
{
    size_t longest = 0;
    for (uint64_t s = 0; s < count; s++) {
        size_t length = strlen(stops[s]);
        if (length <= end && length > longest && memcmp(text + end - length, stops[s], length) == 0) {
            longest = length;
        }
    }
    return longest;
}

/* The longest beginning of a stop string, itself excluded, that ends text[end]. */
static size_t reference_held(const char *text, size_t end, const char *const *stops, uint64_t count)
{
    size_t longest = 0;
    for (uint64_t s = 0; s < count; s++) {
        for (size_t length = 1; length < strlen(stops[s]) && length <= end; length++) {
            if (length > longest && memcmp(text + end - length, stops[s], length) == 0) {
                longest = length;
            }
        }
    }
    return longest;
}

/* Push text in pieces that end at the set bits of `cuts` (bit i: after byte i + 1) and compare each step with the reference. */
static void check_cuts(const char *text, size_t length, const char *const *stops, uint64_t count, uint64_t cuts)
{
    struct slm_stop_strings stop;
    static struct collected collected;
    init_texts(&stop, stops, count);
    collected.length = 0;
    size_t begin = 0;
    for (size_t end = 1; end <= length; end++) {
        if (end < length && !(cuts >> ((end - 1) % 64) & 1)) {
            continue;
        }
        size_t matched = 0;
        size_t match_end = begin;
        while (matched == 0 && match_end < end) {
            match_end++;
            matched = reference_match(text, match_end, stops, count);
        }
        push(&stop, text + begin, end - begin, &collected);
        assert_int_equal(collected.found, matched > 0);
        if (matched > 0) {
            assert_collected(&collected, text, match_end - matched);
            assert_int_equal(slm__stop_strings_flush(&stop).length, 0);
            return;
        }
        assert_collected(&collected, text, end - reference_held(text, end, stops, count));
        begin = end;
    }
    collect(&collected, slm__stop_strings_flush(&stop));
    assert_collected(&collected, text, length);
}

static void test_every_division_of_short_texts(void **state)
{
    (void)state;
    static const char *const stops[] = {"abab", "ba\n", "aac", "c"};
    static const char *const texts[] = {"xabaabab", "aaaabaabac", "abaababbab", "bababa\nxyz", "hello", "aaba", "abab", "c"};
    for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) {
        size_t length = strlen(texts[t]);
        for (uint64_t cuts = 0; cuts < UINT64_C(1) << (length - 1); cuts++) {
            for (uint64_t count = 0; count <= 4; count++) {
                check_cuts(texts[t], length, stops, count, cuts);
            }
        }
    }
}

static void test_random_texts_of_few_letters(void **state)
{
    (void)state;
    struct slm_random random;
    slm__random_seed(&random, 21);
    for (int round = 0; round < 5000; round++) {
        char strings[SLM_STOP_STRINGS_MAX][9];
        const char *stops[SLM_STOP_STRINGS_MAX];
        char text[200];
        uint64_t count = 1 + slm__random_u64(&random) % SLM_STOP_STRINGS_MAX;
        uint64_t letters = 2 + slm__random_u64(&random) % 3;
        for (uint64_t s = 0; s < count; s++) {
            size_t length = 1 + slm__random_u64(&random) % 8;
            for (size_t i = 0; i < length; i++) {
                strings[s][i] = (char)('a' + (char)(slm__random_u64(&random) % letters));
            }
            strings[s][length] = '\0';
            stops[s] = strings[s];
        }
        for (size_t i = 0; i < sizeof text; i++) {
            text[i] = (char)('a' + (char)(slm__random_u64(&random) % letters));
        }
        check_cuts(text, sizeof text, stops, count, slm__random_u64(&random) & slm__random_u64(&random));
    }
}

static void test_a_stop_string_divided_at_every_position(void **state)
{
    (void)state;
    static const char *const stops[] = {"<|im_end|>"};
    static const char text[] = "answer <|im_en> and <|im_end|> rest";
    for (size_t cut = 1; cut < sizeof text - 1; cut++) {
        check_cuts(text, sizeof text - 1, stops, 1, UINT64_C(1) << (cut - 1));
    }
    check_cuts(text, sizeof text - 1, stops, 1, UINT64_MAX);
}

static void test_first_complete_wins_then_longest(void **state)
{
    (void)state;
    static const char *const stops[] = {"cd", "abcd", "bc!", "d"};
    struct slm_stop_strings stop;
    struct collected collected = {.length = 0};
    init_texts(&stop, stops, 4);
    push(&stop, "xyabcd and more", 15, &collected);
    assert_true(collected.found);
    assert_collected(&collected, "xy", 2);
    collected.length = 0;
    push(&stop, "zabc!cd", 7, &collected);
    assert_true(collected.found);
    assert_collected(&collected, "za", 2);
}

static void test_text_goes_on_after_a_stop(void **state)
{
    (void)state;
    static const char *const stops[] = {"END"};
    struct slm_stop_strings stop;
    struct collected collected = {.length = 0};
    init_texts(&stop, stops, 1);
    push(&stop, "one E", 5, &collected);
    assert_collected(&collected, "one ", 4);
    push(&stop, "ND dropped", 10, &collected);
    assert_true(collected.found);
    assert_collected(&collected, "one ", 4);
    push(&stop, "ND two EN", 9, &collected);
    assert_false(collected.found);
    assert_collected(&collected, "one ND two ", 11);
    collect(&collected, slm__stop_strings_flush(&stop));
    assert_collected(&collected, "one ND two EN", 13);
    assert_int_equal(slm__stop_strings_flush(&stop).length, 0);
    collected.length = 0;
    push(&stop, "D three E", 9, &collected);
    assert_false(collected.found);
    slm__stop_strings_reset(&stop);
    push(&stop, "ND", 2, &collected);
    assert_false(collected.found);
    assert_collected(&collected, "D three ND", 10);
}

static void test_a_copy_goes_on_alike(void **state)
{
    (void)state;
    static const char *const stops[] = {"stop"};
    struct slm_stop_strings stop;
    struct collected first = {.length = 0};
    init_texts(&stop, stops, 1);
    push(&stop, "go sto", 6, &first);
    struct slm_stop_strings fork = stop;
    struct collected second = first;
    push(&stop, "p", 1, &first);
    assert_true(first.found);
    assert_collected(&first, "go ", 3);
    push(&fork, "ne", 2, &second);
    assert_false(second.found);
    assert_collected(&second, "go stone", 8);
}

static void test_characters_stay_whole(void **state)
{
    (void)state;
    /* All begin with the same lead bytes: euro sign, single quotation marks, ellipsis; and a character beyond 16 bits. */
    static const char *const stops[] = {"\xE2\x80\x99\xE2\x82\xAC", "\xE2\x80\xA6\xE2\x80\xA6\xE2\x80\xA6", "\xF0\x9F\x98\x80!"};
    static const char *const characters[] = {"\xE2\x82\xAC", "\xE2\x80\x99", "\xE2\x80\xA6", "\xF0\x9F\x98\x80", "!", "\xC3\xA9"};
    struct slm_random random;
    slm__random_seed(&random, 22);
    for (int round = 0; round < 300; round++) {
        struct slm_stop_strings stop;
        init_texts(&stop, stops, 3);
        bool found = false;
        for (int i = 0; i < 30 && !found; i++) {
            const char *character = characters[slm__random_u64(&random) % 6];
            struct slm_span certain;
            assert_int_equal(slm__stop_strings_push(&stop, slm__span_text(character), &certain, &found), SLM_OK);
            assert_int_equal(slm__utf8_valid_prefix(certain), certain.length);
        }
        struct slm_span rest = slm__stop_strings_flush(&stop);
        assert_int_equal(slm__utf8_valid_prefix(rest), rest.length);
    }
}

static void test_any_bytes_pass(void **state)
{
    (void)state;
    static const char *const stops[] = {"a"};
    static const char bytes[] = "\0\xFF\xC3\0\x80z";
    struct slm_stop_strings stop;
    struct collected collected = {.length = 0};
    init_texts(&stop, stops, 1);
    push(&stop, bytes, sizeof bytes - 1, &collected);
    push(&stop, bytes, 0, &collected);
    assert_false(collected.found);
    assert_collected(&collected, bytes, sizeof bytes - 1);
}

/* The longest stop string, and the longest pushes, with all but its last byte held back. */
static void test_limits_are_reached(void **state)
{
    (void)state;
    static char stop_text[SLM_STOP_STRINGS_BYTES];
    static char text[SLM_STOP_STRINGS_PUSH_BYTES + 1];
    struct slm_stop_strings stop;
    struct collected collected = {.length = 0};
    memset(stop_text, 'a', sizeof stop_text - 1);
    stop_text[sizeof stop_text - 1] = 'b';
    memset(text, 'a', sizeof text);
    const slm_string list = {stop_text, sizeof stop_text};
    assert_int_equal(slm__stop_strings_init(&stop, &list, 1, NULL), SLM_OK);
    push(&stop, text, SLM_STOP_STRINGS_PUSH_BYTES, &collected);
    assert_int_equal(collected.length, SLM_STOP_STRINGS_PUSH_BYTES - (SLM_STOP_STRINGS_BYTES - 1));
    push(&stop, text, SLM_STOP_STRINGS_PUSH_BYTES, &collected);
    assert_int_equal(collected.length, 2 * SLM_STOP_STRINGS_PUSH_BYTES - (SLM_STOP_STRINGS_BYTES - 1));
    struct slm_span certain = slm__span(NULL, 0);
    bool found = false;
    struct slm_stop_strings before;
    memcpy(&before, &stop, sizeof before);
    assert_int_equal(slm__stop_strings_push(&stop, slm__span(text, sizeof text), &certain, &found), SLM_E_INTERNAL);
    assert_memory_equal(&before, &stop, sizeof stop);
    push(&stop, "b", 1, &collected);
    assert_true(collected.found);
    assert_int_equal(collected.length, 2 * SLM_STOP_STRINGS_PUSH_BYTES - (SLM_STOP_STRINGS_BYTES - 1));
}

static void assert_refused(const slm_string *list, uint64_t count, slm_status status, const char *words)
{
    struct slm_stop_strings stop;
    struct slm_stop_strings before;
    slm_error error = {.struct_size = sizeof error};
    memset(&stop, 0x5A, sizeof stop);
    memcpy(&before, &stop, sizeof before);
    assert_int_equal(slm__stop_strings_init(&stop, list, count, &error), status);
    assert_non_null(strstr(error.message, words));
    assert_memory_equal(&before, &stop, sizeof stop);
}

static void test_bad_lists_are_refused(void **state)
{
    (void)state;
    static char long_text[SLM_STOP_STRINGS_BYTES + 2];
    memset(long_text, 'x', sizeof long_text - 1);
    slm_string list[SLM_STOP_STRINGS_MAX + 1];
    for (size_t i = 0; i <= SLM_STOP_STRINGS_MAX; i++) {
        list[i].text = "x";
        list[i].length = 1;
    }
    assert_refused(list, SLM_STOP_STRINGS_MAX + 1, SLM_E_ARGUMENT, "17 stop strings");
    assert_refused(list, UINT64_MAX, SLM_E_ARGUMENT, "at most 16");
    assert_refused(NULL, 1, SLM_E_ARGUMENT, "is NULL");
    list[2].length = 0;
    assert_refused(list, 3, SLM_E_ARGUMENT, "stop string 2 is empty");
    list[2].text = "";
    list[2].length = SLM_NUL_TERMINATED;
    assert_refused(list, 3, SLM_E_ARGUMENT, "stop string 2 is empty");
    list[2].text = NULL;
    assert_refused(list, 3, SLM_E_ARGUMENT, "stop string 2 is NULL");
    list[2].text = "ok\xE2\x82";
    assert_refused(list, 3, SLM_E_ENCODING, "stop string 2 is not valid UTF-8 at byte 2");
    list[2].text = long_text;
    assert_refused(list, 3, SLM_E_ARGUMENT, "longer than 2048 bytes");
    list[2].length = SLM_STOP_STRINGS_BYTES - 1;
    assert_refused(list, 3, SLM_E_ARGUMENT, "longer than 2048 bytes");
    list[2].length = UINT64_MAX - 1;
    assert_refused(list, 3, SLM_E_ARGUMENT, "longer than 2048 bytes");
    struct slm_stop_strings stop;
    list[2].length = SLM_STOP_STRINGS_BYTES - 2;
    assert_int_equal(slm__stop_strings_init(&stop, list, 3, NULL), SLM_OK);
    assert_int_equal(slm__stop_strings_init(&stop, NULL, 0, NULL), SLM_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_division_of_short_texts),
        cmocka_unit_test(test_random_texts_of_few_letters),
        cmocka_unit_test(test_a_stop_string_divided_at_every_position),
        cmocka_unit_test(test_first_complete_wins_then_longest),
        cmocka_unit_test(test_text_goes_on_after_a_stop),
        cmocka_unit_test(test_a_copy_goes_on_alike),
        cmocka_unit_test(test_characters_stay_whole),
        cmocka_unit_test(test_any_bytes_pass),
        cmocka_unit_test(test_limits_are_reached),
        cmocka_unit_test(test_bad_lists_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

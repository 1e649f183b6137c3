/* SPDX-License-Identifier: MIT */
/*
 * Patterns against an oracle: random trees are written as patterns and matched on every short text by sets of positions. Beside it
 * the syntax, its refusals with their columns, hostile patterns, and every allocation failing.
 */
#include "grammar/ecma_regex.h"        /* slm__regex_compile */
#include "tests/unit/failing_memory.h" /* failing_memory */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { LONGEST = 5, LETTERS = 4, POOL = 400, PATTERN = 4000 };

static const char *const letters[LETTERS] = {"a", "b", " ", "\xC3\xA9"};

/* ---- The oracle. A text is up to LONGEST letters; a set of positions is a mask. ---- */

enum kind { SET, SEQUENCE, CHOICE, REPEAT, START, END, BOUNDARY, LOOK };

struct tree {
    enum kind kind;
    unsigned set; /* mask of letters */
    unsigned count;
    const struct tree *child[4];
    unsigned min;
    unsigned max; /* 99: no end */
    bool negative;
    bool behind;
};

static struct tree pool[POOL];
static unsigned used;
static uint64_t seed = 1;

static unsigned draw(unsigned n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % n;
}

struct text {
    unsigned letter[LONGEST];
    unsigned length;
};

static bool is_word(const struct text *text, unsigned position) { return position < text->length && text->letter[position] < 2; }

static unsigned ends(const struct tree *t, const struct text *text, unsigned position);

static unsigned ends_of_all(const struct tree *t, const struct text *text, unsigned starts)
{
    unsigned result = 0;
    for (unsigned p = 0; p <= text->length; p++) {
        result |= starts >> p & 1 ? ends(t, text, p) : 0;
    }
    return result;
}

static unsigned ends_of_repeat(const struct tree *t, const struct text *text, unsigned position)
{
    unsigned now = 1U << position;
    unsigned result = t->min == 0 ? now : 0;
    for (unsigned i = 1; i <= (t->max < 99 ? t->max : t->min + LONGEST + 2); i++) {
        now = ends_of_all(t->child[0], text, now);
        result |= i >= t->min ? now : 0;
    }
    return result;
}

static bool looks(const struct tree *t, const struct text *text, unsigned position)
{
    if (!t->behind) {
        return ends(t->child[0], text, position) != 0;
    }
    bool found = false;
    for (unsigned p = 0; p <= position; p++) {
        found = found || (ends(t->child[0], text, p) >> position & 1);
    }
    return found;
}

static unsigned ends(const struct tree *t, const struct text *text, unsigned position)
{
    unsigned here = 1U << position;
    unsigned result = 0;
    switch (t->kind) {
    case SET: return position < text->length && (t->set >> text->letter[position] & 1) ? here << 1 : 0;
    case SEQUENCE:
        for (unsigned i = 0; i < t->count; i++) {
            here = ends_of_all(t->child[i], text, here);
        }
        return here;
    case CHOICE:
        for (unsigned i = 0; i < t->count; i++) {
            result |= ends(t->child[i], text, position);
        }
        return result;
    case REPEAT: return ends_of_repeat(t, text, position);
    case START: return position == 0 ? here : 0;
    case END: return position == text->length ? here : 0;
    case BOUNDARY: {
        bool boundary = (position > 0 && is_word(text, position - 1)) != is_word(text, position);
        return boundary != t->negative ? here : 0;
    }
    default: return looks(t, text, position) != t->negative ? here : 0;
    }
}

/* ---- Random trees, and how they are written ---- */

static const struct tree *choice(unsigned depth, bool inside_behind);

static const struct tree *add(struct tree value)
{
    assert_true(used < POOL);
    pool[used] = value;
    return &pool[used++];
}

static const struct tree *atom(unsigned depth, bool inside_behind)
{
    unsigned r = draw(100);
    if (r < 45 || depth == 0 || inside_behind) {
        return add((struct tree){.kind = SET, .set = r < 30 ? 1U << draw(LETTERS) : draw(16)});
    }
    if (r < 52) {
        return add((struct tree){.kind = r < 48 ? START : END});
    }
    if (r < 60) {
        return add((struct tree){.kind = BOUNDARY, .negative = draw(2) != 0});
    }
    if (r < 70) {
        bool behind = draw(3) == 0;
        return add(
            (struct tree){.kind = LOOK, .negative = draw(2) != 0, .behind = behind, .child = {choice(depth - 1, behind)}, .count = 1});
    }
    return choice(depth - 1, false);
}

static const struct tree *sequence(unsigned depth, bool inside_behind)
{
    struct tree t = {.kind = SEQUENCE, .count = draw(4)};
    for (unsigned i = 0; i < t.count; i++) {
        t.child[i] = atom(depth, inside_behind);
        bool consuming = t.child[i]->kind <= REPEAT;
        if (consuming && draw(3) == 0) {
            static const unsigned limits[][2] = {{0, 99}, {1, 99}, {0, 1}, {2, 2}, {0, 2}, {1, 3}, {2, 99}, {0, 0}};
            const unsigned *limit = limits[draw(8)];
            t.child[i] = add((struct tree){.kind = REPEAT, .min = limit[0], .max = limit[1], .child = {t.child[i]}, .count = 1});
        }
    }
    return add(t);
}

static const struct tree *choice(unsigned depth, bool inside_behind)
{
    struct tree t = {.kind = CHOICE, .count = 1 + draw(2) * draw(3)};
    for (unsigned i = 0; i < t.count; i++) {
        t.child[i] = sequence(depth, inside_behind);
    }
    return add(t);
}

static void append(char *pattern, const char *text)
{
    assert_true(strlen(pattern) + strlen(text) + 1 < PATTERN);
    strcat(pattern, text);
}

static void write_set(char *pattern, unsigned set)
{
    bool complement = draw(2) != 0; /* of the four letters only: other characters do not occur */
    append(pattern, complement ? "[^" : "[");
    for (unsigned i = 0; i < LETTERS; i++) {
        if ((set >> i & 1) != complement) {
            append(pattern, letters[i]);
        }
    }
    append(pattern, "]");
}

static void write_tree(char *pattern, const struct tree *t)
{
    char number[40];
    switch (t->kind) {
    case SET:
        if (t->set == 15 && draw(2)) {
            append(pattern, ".");
        } else {
            write_set(pattern, t->set);
        }
        break;
    case SEQUENCE:
        for (unsigned i = 0; i < t->count; i++) {
            bool group = t->child[i]->kind == CHOICE;
            append(pattern, group ? (draw(2) ? "(" : "(?:") : "");
            write_tree(pattern, t->child[i]);
            append(pattern, group ? ")" : "");
        }
        break;
    case CHOICE:
        for (unsigned i = 0; i < t->count; i++) {
            append(pattern, i > 0 ? "|" : "");
            write_tree(pattern, t->child[i]);
        }
        break;
    case REPEAT:
        append(pattern, "(?<name>");
        write_tree(pattern, t->child[0]);
        snprintf(number, sizeof number, "){%u,", t->min);
        append(pattern, number);
        snprintf(number, sizeof number, t->max < 99 ? "%u}" : "}", t->max);
        append(pattern, number);
        append(pattern, draw(2) ? "?" : "");
        break;
    case START: append(pattern, "^"); break;
    case END: append(pattern, "$"); break;
    case BOUNDARY: append(pattern, t->negative ? "\\B" : "\\b"); break;
    default:
        append(pattern, t->behind ? (t->negative ? "(?<!" : "(?<=") : t->negative ? "(?!" : "(?=");
        write_tree(pattern, t->child[0]);
        append(pattern, ")");
        break;
    }
}

/* Text number `index` of `length` letters, and its UTF-8. */
static struct text text_of(unsigned index, unsigned length, char *bytes)
{
    struct text text = {.length = length};
    bytes[0] = '\0';
    for (unsigned i = 0; i < length; i++) {
        text.letter[i] = index % LETTERS;
        index /= LETTERS;
        strcat(bytes, letters[text.letter[i]]);
    }
    return text;
}

static void check_tree(const struct tree *t, const char *pattern, const struct slm_regular *search, const struct slm_regular *whole)
{
    unsigned texts = 1;
    for (unsigned length = 0; length <= LONGEST; length++, texts *= LETTERS) {
        for (unsigned index = 0; index < texts; index++) {
            char bytes[2 * LONGEST + 1];
            struct text text = text_of(index, length, bytes);
            bool found = ends_of_all(t, &text, (2U << length) - 1) != 0;
            bool matches = ends(t, &text, 0) >> length & 1;
            if (slm__regular_accepts(search, slm__span_text(bytes)) != found ||
                slm__regular_accepts(whole, slm__span_text(bytes)) != matches) {
                fail_msg("pattern %s, text \"%s\": expected %d, %d", pattern, bytes, found, matches);
            }
        }
    }
}

static void random_patterns(void **state)
{
    (void)state;
    struct slm_memory memory = slm__memory_default();
    unsigned limited = 0;
    for (unsigned i = 0; i < 400; i++) {
        char pattern[PATTERN] = "";
        struct slm_arena arena;
        slm__arena_init(&arena, &memory, 1 << 28);
        struct slm_regular_space space = {&arena, SLM_REGULAR_STATE_LIMIT};
        struct slm_regular search;
        struct slm_regular whole;
        slm_error error = {sizeof error, 0, ""};
        used = 0;
        const struct tree *t = choice(3, false);
        write_tree(pattern, t);
        struct slm_span text = slm__span_text(pattern);
        slm_status status = slm__regex_compile(&space, text, SLM_REGEX_SEARCH, &search, &error);
        if (status == SLM_E_LIMIT) {
            limited++;
        } else {
            assert_string_equal(error.message, "");
            assert_int_equal(slm__regex_compile(&space, text, SLM_REGEX_WHOLE, &whole, &error), SLM_OK);
            check_tree(t, pattern, &search, &whole);
        }
        slm__arena_free(&arena);
    }
    assert_in_range(limited, 0, 8);
}

/* ---- Syntax ---- */

struct sample {
    const char *pattern;
    const char *matching[4];
    const char *others[4];
};

static void samples(void **state)
{
    (void)state;
    static const struct sample list[] = {
        {"^abc$", {"abc"}, {"abc\n", "xabc", ""}},
        {"b+", {"abba", "b"}, {"aa", ""}},
        {"^\\t\\n\\v\\f\\r\\0$", {NULL}, {"t", ""}},
        {"^\\cC\\x41\\u0042\\u{43}$",
         {"\x03"
          "ABC"},
         {"cABC"}},
        {"^\\uD83D\\uDC32$", {"\xF0\x9F\x90\xB2"}, {"\xF0\x9F\x90\xB3"}},
        {"^[\\uD83D\\uDC32-\\u{1F433}]$", {"\xF0\x9F\x90\xB2", "\xF0\x9F\x90\xB3"}, {"\xF0\x9F\x90\xB4"}},
        {"^\\uD83D$", {NULL}, {"\xED\xA0\xBD", "?"}},
        {"^\\d\\D\\w\\W\\s\\S$", {"1x_- y"}, {"x1_- y"}},
        {"^\\s+$", {" \t\n\xC2\xA0\xEF\xBB\xBF\xE2\x80\xA8"}, {"\xE2\x80\x93", "\x01"}},
        {"^.$", {"x", "\xF0\x9F\x90\xB2"}, {"\n", "\r", "\xE2\x80\xA8", "xx"}},
        {"^[^]$", {"\n", "\xF4\x8F\xBF\xBF"}, {"", "\xF4\x90\x80\x80", "\xC0\x80"}},
        {"[]", {NULL}, {"", "x", "[]"}},
        {"^[a-c\\d_-]+$", {"a-1_"}, {"d", "]"}},
        {"^[\\w-.]+$", {"a-.", "_"}, {"+", "/"}},
        {"^[\\b]$", {"\b"}, {"b"}},
        {"^(?<year>\\d{4})-(?:0[1-9]|1[0-2])$", {"2024-12"}, {"2024-13", "202-12"}},
        {"^a{2}$|^b{1,}$|^c{0,2}$", {"aa", "bbb", "", "cc"}, {"a", "ccc"}},
        {"^{a,b}}]$", {"{a,b}}]"}, {"a"}},
        {"^x{,3}$", {"x{,3}"}, {"xx"}},
        {"^\\p{Lu}\\P{Lu}\\p{Script=Greek}$", {"A1\xCE\xB1"}, {"a1\xCE\xB1", "A1b"}},
        {"^\\p{digit}\\p{Letter}\\p{L}\\p{General_Category=Ll}$",
         {"\xE0\xA7\xAA"
          "Abc"},
         {"xAbc"}},
        {"^(?!.*\\bfoo\\b)[a-z ]+$",
         {"food", "a foo"
                  "d b"},
         {"foo", "a foo b"}},
        {"^(?=.*[0-9])(?=.*[a-z]).{3,}$", {"a1x", "xx1"}, {"abc", "a1", "111"}},
        {"^((?!(c|C)lyde).)*$", {"bonnie", "", "cly"}, {"bonnie&clyde", "Clyde"}},
        {"(?<=\\$)\\d+$", {"a$12"}, {"12", "$"}},
        {"^\\/\\:\\-\\@$", {"/:-@"}, {"/"}},
    };
    struct slm_memory memory = slm__memory_default();
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        struct slm_arena arena;
        slm__arena_init(&arena, &memory, 1 << 26);
        struct slm_regular_space space = {&arena, SLM_REGULAR_STATE_LIMIT};
        struct slm_regular words;
        slm_error error = {sizeof error, 0, ""};
        slm_status status = slm__regex_compile(&space, slm__span_text(list[i].pattern), SLM_REGEX_SEARCH, &words, &error);
        assert_string_equal(error.message, "");
        assert_int_equal(status, SLM_OK);
        for (size_t k = 0; k < 4; k++) {
            if (list[i].matching[k] != NULL && !slm__regular_accepts(&words, slm__span_text(list[i].matching[k]))) {
                fail_msg("%s should match \"%s\"", list[i].pattern, list[i].matching[k]);
            }
            if (list[i].others[k] != NULL && slm__regular_accepts(&words, slm__span_text(list[i].others[k]))) {
                fail_msg("%s should not match \"%s\"", list[i].pattern, list[i].others[k]);
            }
        }
        slm__arena_free(&arena);
    }
}

struct refusal {
    const char *pattern;
    slm_status status;
    const char *words;
};

static void refusals(void **state)
{
    (void)state;
    static const struct refusal list[] = {
        {"ab(c", SLM_E_SYNTAX, "column 3 of the pattern: the group has no closing parenthesis"},
        {"\xC3\xA9)", SLM_E_SYNTAX, "column 2 of the pattern: this parenthesis closes nothing"},
        {"[a-", SLM_E_SYNTAX, "column 1 of the pattern: the class has no closing bracket"},
        {"[a", SLM_E_SYNTAX, "column 1 of the pattern: the class has no closing bracket"},
        {"x[z-a]", SLM_E_SYNTAX, "column 3 of the pattern: the range of the class is out of order"},
        {"a**", SLM_E_SYNTAX, "column 3 of the pattern: there is nothing to repeat"},
        {"|+", SLM_E_SYNTAX, "column 2 of the pattern: there is nothing to repeat"},
        {"^*", SLM_E_SYNTAX, "column 2 of the pattern: an assertion cannot be repeated"},
        {"(?=a)?", SLM_E_SYNTAX, "an assertion cannot be repeated"},
        {"a{3,2}", SLM_E_SYNTAX, "column 2 of the pattern: the numbers of the quantifier are out of order"},
        {"\\", SLM_E_SYNTAX, "column 1 of the pattern: nothing stands behind the backslash"},
        {"a\\a", SLM_E_SYNTAX, "column 2 of the pattern: there is no such escape"},
        {"\\Z", SLM_E_SYNTAX, "there is no such escape"},
        {"\\01", SLM_E_SYNTAX, "there is no such escape"},
        {"\\x1", SLM_E_SYNTAX, "there is no such escape"},
        {"\\u12", SLM_E_SYNTAX, "\\u expects four hexadecimal digits"},
        {"\\u{110000}", SLM_E_SYNTAX, "there is no such code point"},
        {"\\u{}", SLM_E_SYNTAX, "expects hexadecimal digits"},
        {"(a)\\1", SLM_E_UNSUPPORTED, "column 4 of the pattern: back-references"},
        {"(?<n>a)\\k<n>", SLM_E_UNSUPPORTED, "back-references"},
        {"(?i)a", SLM_E_UNSUPPORTED, "column 1 of the pattern: this kind of group"},
        {"(?<n", SLM_E_SYNTAX, "the group's name"},
        {"\\p{Elvish}", SLM_E_UNSUPPORTED, "column 1 of the pattern: this Unicode property is not known"},
        {"\\p", SLM_E_SYNTAX, "\\p expects a name"},
        {"\\p{L", SLM_E_SYNTAX, "no closing brace"},
        {"(?<=a$)", SLM_E_UNSUPPORTED, "inside of a look-behind"},
        {"a\xFFz", SLM_E_ENCODING, "byte 1 of the pattern"},
    };
    struct slm_memory memory = slm__memory_default();
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        struct slm_arena arena;
        slm__arena_init(&arena, &memory, 1 << 26);
        struct slm_regular_space space = {&arena, SLM_REGULAR_STATE_LIMIT};
        struct slm_regular words;
        slm_error error = {sizeof error, 0, ""};
        slm_status status = slm__regex_compile(&space, slm__span_text(list[i].pattern), SLM_REGEX_SEARCH, &words, &error);
        if (status != list[i].status || strstr(error.message, list[i].words) == NULL) {
            fail_msg("%s: status %d, \"%s\"", list[i].pattern, (int)status, error.message);
        }
        slm__arena_free(&arena);
    }
}

/* ---- Hostile patterns ---- */

static slm_status compile_within(struct slm_span pattern, size_t bytes, uint32_t states)
{
    struct slm_memory memory = slm__memory_default();
    struct slm_arena arena;
    slm__arena_init(&arena, &memory, bytes);
    struct slm_regular_space space = {&arena, states};
    struct slm_regular words;
    slm_error error = {sizeof error, 0, ""};
    slm_status status = slm__regex_compile(&space, pattern, SLM_REGEX_SEARCH, &words, &error);
    assert_true((status == SLM_OK) == (error.message[0] == '\0'));
    slm__arena_free(&arena);
    return status;
}

static slm_status compile_text(const char *pattern) { return compile_within(slm__span_text(pattern), 1 << 26, 20000); }

static void hostile(void **state)
{
    (void)state;
    assert_int_equal(compile_text("a{1000}{1000}"), SLM_E_SYNTAX);
    assert_int_equal(compile_text("((((((a{100}){100}){100}){100}){100}){100})"), SLM_E_LIMIT);
    assert_int_equal(compile_text("(?:){4294967295}"), SLM_OK);
    assert_int_equal(compile_text("((?:){4294967295}){99999999999}x"), SLM_OK);
    assert_int_equal(compile_text("a{99999999999999999999}"), SLM_E_LIMIT);
    assert_int_equal(compile_text("(a*)*(b*)*((c*)*)*$"), SLM_OK);
    assert_int_equal(compile_text("^(a|a?)+$"), SLM_OK);
    assert_int_equal(compile_text("(a|b)*a(a|b){18}$"), SLM_E_LIMIT); /* 2^19 states */
    assert_int_equal(compile_text("^(?!(?=(?!(?=(?!(?=(?!(?=(?!(?=a))))))))))"), SLM_E_LIMIT);
    assert_int_equal(compile_within(slm__span_text("[a-z]{1,200}\\p{L}{5}x"), 1 << 14, 20000), SLM_E_LIMIT);
    size_t length = 1 << 20;
    char *text = malloc(length);
    assert_non_null(text);
    static const char *const fillers[] = {"(", ")", "[", "a", "a|", "\\", "(?=", "a*", "a?", "^", "[^", "\xC3\xA9", ".{9}", "(?:a|"};
    for (size_t i = 0; i < sizeof fillers / sizeof fillers[0]; i++) {
        size_t unit = strlen(fillers[i]);
        for (size_t k = 0; k < length; k++) {
            text[k] = fillers[i][k % unit];
        }
        slm_status status = compile_within(slm__span(text, length / unit * unit), 1 << 26, 20000);
        assert_true(status != SLM_OK || i >= 9);
    }
    free(text);
}

static void every_allocation_fails(void **state)
{
    (void)state;
    uint64_t allowed = 0;
    struct slm_memory memory = failing_memory(&allowed);
    slm_status status = SLM_E_NO_MEMORY;
    for (uint64_t n = 0; status != SLM_OK; n++) {
        struct slm_arena arena;
        slm__arena_init(&arena, &memory, 1 << 26);
        struct slm_regular_space space = {&arena, 20000};
        struct slm_regular words;
        slm_error error = {sizeof error, 0, ""};
        allowed = n;
        status =
            slm__regex_compile(&space, slm__span_text("^(?!.*\\bfoo\\b)(?:\\p{L}{2,30}|(?<=x)[^a-z]+)$"), SLM_REGEX_SEARCH, &words, &error);
        assert_true(status == SLM_OK || status == SLM_E_NO_MEMORY);
        assert_true(n < 500);
        slm__arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_patterns),        cmocka_unit_test(samples), cmocka_unit_test(refusals), cmocka_unit_test(hostile),
        cmocka_unit_test(every_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

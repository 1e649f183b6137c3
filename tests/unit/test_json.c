/* SPDX-License-Identifier: MIT */
/* The strict JSON reader: the files of a public test suite, positions in errors, limits, numbers, duplicate keys, failing memory, size. */
#include "base/clock.h" /* slm__clock_ns */
#include "base/file.h"  /* slm__file_load */
#include "base/json.h"  /* slm__json_parse ... */

#include <setjmp.h>
#include <stdarg.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

struct parsed {
    struct slm_arena arena;
    const struct slm_json *root;
    slm_status status;
    slm_error error;
};

static struct parsed parse_span(struct slm_span source)
{
    struct slm_memory memory = slm__memory_default();
    struct parsed parsed = {.error = {sizeof parsed.error, 0, ""}};
    slm__arena_init(&parsed.arena, &memory, (size_t)1 << 30);
    parsed.status = slm__json_parse(&parsed.arena, source, &parsed.root, &parsed.error);
    return parsed;
}

static struct parsed parse(const char *text) { return parse_span(slm__span_text(text)); }

static const char *golden_folder(void)
{
    const char *folder = getenv("SLM_GOLDEN");
    return folder != NULL ? folder : "tests/golden";
}

/* y_ must be accepted, n_ refused, i_ may be either. */
static void public_suite(void **state)
{
    (void)state;
    char path[1024];
    snprintf(path, sizeof path, "%s/json", golden_folder());
    DIR *folder = opendir(path);
    if (folder == NULL) {
        print_message("skipped: there is no folder %s\n", path);
        skip();
    }
    struct slm_memory memory = slm__memory_default();
    int files = 0;
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        const char *name = entry->d_name;
        if (strstr(name, ".json") == NULL) {
            continue;
        }
        struct slm_span data;
        snprintf(path, sizeof path, "%s/json/%s", golden_folder(), name);
        assert_int_equal(slm__file_load(path, &memory, 1 << 30, &data, NULL), SLM_OK);
        struct parsed parsed = parse_span(data);
        if ((name[0] == 'y' && parsed.status != SLM_OK) || (name[0] == 'n' && parsed.status == SLM_OK)) {
            fail_msg("%s: status %d %s", name, parsed.status, parsed.error.message);
        }
        slm__arena_free(&parsed.arena);
        slm__release(&memory, (void *)(uintptr_t)data.data, data.length);
        files++;
    }
    closedir(folder);
    assert_true(files > 300);
}

static void reads_a_tree(void **state)
{
    (void)state;
    static const char text[] = " {\"a\": [1, -2.5e3, true, false, null], \"b\\n\\u00e9\": \"x\\ud83d\\ude00\\u0000y\", \"c\": {}} \n";
    struct parsed parsed = parse(text);
    assert_int_equal(parsed.status, SLM_OK);
    const struct slm_json *root = parsed.root;
    assert_int_equal(root->type, SLM_JSON_OBJECT);
    assert_int_equal(root->count, 3);
    assert_int_equal(root->offset, 1);
    assert_false(root->duplicate_keys);
    const struct slm_json *a = slm__json_get(root, "a");
    assert_int_equal(a->type, SLM_JSON_ARRAY);
    assert_int_equal(a->count, 5);
    assert_true(slm__span_is(a->items[1].text, "-2.5e3"));
    assert_int_equal(a->items[1].offset, strstr(text, "-2.5") - text);
    assert_true(slm__json_is_true(&a->items[2]));
    assert_false(slm__json_is_true(&a->items[3]));
    const struct slm_json *b = slm__json_get(root, "b\n\xC3\xA9");
    assert_true(slm__span_equal(b->text, slm__span("x\xF0\x9F\x98\x80\0y", 7)));
    assert_int_equal(slm__json_get(root, "c")->count, 0);
    assert_null(slm__json_get(root, "d"));
    assert_null(slm__json_get(a, "a"));
    assert_null(slm__json_get(NULL, "a"));
    slm__arena_free(&parsed.arena);
    parsed = parse("{\"n\": null, \"s\": \"text\"}");
    assert_non_null(slm__json_get(parsed.root, "n"));
    assert_null(slm__json_present(parsed.root, "n"));
    assert_true(slm__json_is_string(slm__json_present(parsed.root, "s"), "text"));
    assert_false(slm__json_is_string(slm__json_get(parsed.root, "n"), "null"));
    slm__arena_free(&parsed.arena);
}

static void expect_error(const char *text, slm_status status, const char *message)
{
    struct parsed parsed = parse(text);
    assert_int_equal(parsed.status, status);
    assert_null(parsed.root);
    assert_string_equal(parsed.error.message, message);
    slm__arena_free(&parsed.arena);
}

static void errors_name_line_and_column(void **state)
{
    (void)state;
    expect_error("", SLM_E_SYNTAX, "line 1, column 1: the text ends too early");
    expect_error("{\"a\": 1,\n  \"b\" 2}", SLM_E_SYNTAX, "line 2, column 7: a colon was expected behind the key");
    expect_error("[\"\xC3\xA9\xC3\xA9\" x]", SLM_E_SYNTAX, "line 1, column 7: a comma or ] was expected");
    expect_error("[1, 2", SLM_E_SYNTAX, "line 1, column 6: the text ends too early");
    expect_error("[1, 2,]", SLM_E_SYNTAX, "line 1, column 7: a value was expected");
    expect_error("{\"a\": 1,}", SLM_E_SYNTAX, "line 1, column 9: a key in quotes was expected");
    expect_error("[01]", SLM_E_SYNTAX, "line 1, column 3: a number has a leading zero");
    expect_error("\"\\ud800\"", SLM_E_SYNTAX,
                 "line 1, column 2: a \\u escape needs four hexadecimal digits, and a surrogate its other half");
    expect_error("\"a\tb\"", SLM_E_SYNTAX, "line 1, column 3: a control character in a string must be escaped");
    expect_error("[\"a\xFF\"]", SLM_E_ENCODING, "line 1, column 4: invalid UTF-8 in a string");
    expect_error("1 2", SLM_E_SYNTAX, "line 1, column 3: nothing was expected behind the value");
    expect_error("\xEF\xBB\xBF{}", SLM_E_SYNTAX, "line 1, column 1: a value was expected");
}

static void depth_limit(void **state)
{
    (void)state;
    char text[2 * SLM_JSON_DEPTH + 3] = "";
    memset(text, '[', SLM_JSON_DEPTH);
    memset(text + SLM_JSON_DEPTH, ']', SLM_JSON_DEPTH);
    struct parsed parsed = parse(text);
    assert_int_equal(parsed.status, SLM_OK);
    slm__arena_free(&parsed.arena);
    memset(text, '[', SLM_JSON_DEPTH + 1);
    memset(text + SLM_JSON_DEPTH + 1, ']', SLM_JSON_DEPTH + 1);
    parsed = parse(text);
    assert_int_equal(parsed.status, SLM_E_LIMIT);
    slm__arena_free(&parsed.arena);
}

static void expect_integer(const char *text, bool possible, int64_t expected)
{
    struct parsed parsed = parse(text);
    int64_t value = 77;
    assert_int_equal(parsed.status, SLM_OK);
    assert_int_equal(slm__json_i64(parsed.root, &value), possible);
    assert_true(value == (possible ? expected : 77));
    slm__arena_free(&parsed.arena);
}

static void integers(void **state)
{
    (void)state;
    expect_integer("0", true, 0);
    expect_integer("-0", true, 0);
    expect_integer("100000.0", true, 100000);
    expect_integer("1e3", true, 1000);
    expect_integer("1.5e1", true, 15);
    expect_integer("1200e-2", true, 12);
    expect_integer("-10.50e1", true, -105);
    expect_integer("0e99999999999999999999", true, 0);
    expect_integer("0.0e-99999999999999999999", true, 0);
    expect_integer("9223372036854775807", true, INT64_MAX);
    expect_integer("-9223372036854775808", true, INT64_MIN);
    expect_integer("9223372036854775808", false, 0);
    expect_integer("-9223372036854775809", false, 0);
    expect_integer("92233720368547758070e-1", true, INT64_MAX);
    expect_integer("92233720368547758080e-1", false, 0);
    expect_integer("1e19", false, 0);
    expect_integer("1e99999999999999999999", false, 0);
    expect_integer("1e-1", false, 0);
    expect_integer("0.5", false, 0);
    expect_integer("\"1\"", false, 0);
    struct parsed parsed = parse("[0.1, true]");
    double number = 0;
    assert_true(slm__json_f64(&parsed.root->items[0], &number));
    assert_true(number == 0.1);
    assert_false(slm__json_f64(&parsed.root->items[1], &number));
    assert_false(slm__json_f64(NULL, &number));
    slm__arena_free(&parsed.arena);
}

/* {"k0":0,"k1":1,...} and, if `again` is a number of a key, that key once more. */
static char *many_keys(int count, int again)
{
    char *text = malloc((size_t)count * 24 + 64);
    assert_non_null(text);
    int at = sprintf(text, "{");
    for (int i = 0; i < count; i++) {
        at += sprintf(text + at, "%s\"k%d\":%d", i == 0 ? "" : ",", i, i);
    }
    if (again >= 0) {
        at += sprintf(text + at, ",\"\\u006b%d\":\"last\"", again);
    }
    sprintf(text + at, "}");
    return text;
}

static void duplicate_keys(void **state)
{
    (void)state;
    static const int counts[] = {1, 2, 15, 16, 17, 33, 1000, 150000};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        char *text = many_keys(counts[i], -1);
        struct parsed parsed = parse(text);
        assert_int_equal(parsed.status, SLM_OK);
        assert_false(parsed.root->duplicate_keys);
        assert_int_equal(parsed.root->count, counts[i]);
        slm__arena_free(&parsed.arena);
        free(text);
        text = many_keys(counts[i], counts[i] / 2);
        parsed = parse(text);
        char key[16];
        snprintf(key, sizeof key, "k%d", counts[i] / 2);
        assert_true(parsed.root->duplicate_keys);
        assert_true(slm__json_is_string(slm__json_get(parsed.root, key), "last"));
        slm__arena_free(&parsed.arena);
        free(text);
    }
}

struct failing {
    int calls;
    int fail_at;
    int held;
};

static void *failing_allocate(void *user, uint64_t bytes, uint64_t alignment)
{
    struct failing *failing = user;
    if (++failing->calls == failing->fail_at) {
        return NULL;
    }
    failing->held++;
    return aligned_alloc((size_t)alignment, (size_t)slm__round_up(bytes, alignment));
}

static void failing_release(void *user, void *memory, uint64_t bytes)
{
    (void)bytes;
    ((struct failing *)user)->held--;
    free(memory);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    char *text = many_keys(3000, -1);
    slm_status status = SLM_E_NO_MEMORY;
    int failures = 0;
    for (int fail_at = 1; status != SLM_OK; fail_at++) {
        struct failing failing = {0, fail_at, 0};
        struct slm_memory memory = {failing_allocate, failing_release, &failing};
        struct slm_arena arena;
        const struct slm_json *root = NULL;
        slm__arena_init(&arena, &memory, (size_t)1 << 30);
        status = slm__json_parse(&arena, slm__span_text(text), &root, NULL);
        assert_true(status == SLM_OK || (status == SLM_E_NO_MEMORY && root == NULL));
        failures += status != SLM_OK;
        slm__arena_free(&arena);
        assert_int_equal(failing.held, 0);
    }
    assert_true(failures > 10);
    struct slm_memory memory = slm__memory_default();
    struct slm_arena arena;
    const struct slm_json *root = NULL;
    slm__arena_init(&arena, &memory, 20000);
    assert_int_equal(slm__json_parse(&arena, slm__span_text(text), &root, NULL), SLM_E_LIMIT);
    slm__arena_free(&arena);
    free(text);
}

/* The shape of a tokenizer.json: 7 MB, 150 000 keys, 280 000 pairs. Small and fast enough to be read whole. */
static void large_text(void **state)
{
    (void)state;
    enum { KEYS = 150000, PAIRS = 280000 };
    char *text = malloc((size_t)KEYS * 24 + (size_t)PAIRS * 24);
    assert_non_null(text);
    int at = sprintf(text, "{\"vocab\":{");
    for (int i = 0; i < KEYS; i++) {
        at += sprintf(text + at, "%s\"\xC4\xA0t%d\":%d", i == 0 ? "" : ",", i, i);
    }
    at += sprintf(text + at, "},\"merges\":[");
    for (int i = 0; i < PAIRS; i++) {
        at += sprintf(text + at, "%s\"a%d b%d\"", i == 0 ? "" : ",", i, i);
    }
    at += sprintf(text + at, "]}");
    uint64_t start = slm__clock_ns();
    struct parsed parsed = parse_span(slm__span(text, (size_t)at));
    double seconds = (double)(slm__clock_ns() - start) * 1e-9;
    assert_int_equal(parsed.status, SLM_OK);
    print_message("%d bytes in %.3f s, tree of %zu bytes\n", at, seconds, parsed.arena.total);
    assert_true(parsed.arena.total < (KEYS * 80 + PAIRS * 64) * (size_t)5 / 4);
    assert_true(seconds < 5.0); /* ordinarily 0.1 s; sanitizers and busy machines take longer */
    slm__arena_free(&parsed.arena);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_suite),
        cmocka_unit_test(reads_a_tree),
        cmocka_unit_test(errors_name_line_and_column),
        cmocka_unit_test(depth_limit),
        cmocka_unit_test(integers),
        cmocka_unit_test(duplicate_keys),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(large_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Values that belong to a format and values that do not; stored automata are what the patterns give (--write stores them anew). */
#include "grammar/format_tables.h"  /* slm__format_compile */
#include "grammar/string_formats.h" /* slm__format_language */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

struct sample {
    const char *format;
    const char *in[12];
    const char *out[16];
};

static const struct sample samples[] = {
    {"date",
     {"1963-06-19", "2020-02-29", "2000-02-29", "0400-02-29", "2021-12-31"},
     {"2021-02-29", "1900-02-29", "2021-13-01", "2021-00-01", "2021-04-31", "2021-1-01", "20210101", "2021-01-01 ", "2021-01-01T", ""}},
    {"time",
     {"08:30:06Z", "23:59:60Z", "23:59:60.5z", "01:29:60+01:30", "15:59:60-08:00", "00:29:60-23:30", "08:30:06.283185+00:20"},
     {"24:00:00Z", "08:60:00Z", "08:30:61Z", "22:59:60Z", "23:59:60+01:00", "08:30:06", "08:30:06+24:00", "8:30:06Z", "08:30:06.Z"}},
    {"date-time",
     {"1963-06-19T08:30:06.283185Z", "1998-12-31T15:59:60.123-08:00", "1963-06-19t08:30:06z"},
     {"1963-06-19 08:30:06Z", "1990-02-31T15:59:59-08:00", "1998-12-31T23:58:60Z", "1963-06-19"}},
    {"duration",
     {"P4DT12H30M5S", "P1Y2M3D", "PT36H", "P2W", "PT1H30M", "P1M2D"},
     {"P", "PT", "PT1D", "P1YT", "P1Y2D", "PT1H2S", "P2D1Y", "P1Y2W", "PT0.5S", "-P1D", "1D"}},
    {"email",
     {"joe.bloggs@example.com", "te~st@example.com", "\"joe bloggs\"@example.com", "a@[127.0.0.1]", "a@[IPv6:::1]"},
     {".test@example.com", "te..st@example.com", "test.@example.com", "a@b@c", "a b@c.d", "@c", "a@", "a@[127.0.0.300]", "a@-b.c"}},
    {"idn-email", {"\xEC\x8B\xA4@\xEB\xA1\x80.\xED\x85\x8C", "a@b.c"}, {"\xEC\x8B\xA4", "a b@c"}},
    {"hostname",
     {"example.com", "a", "1host", "a--b.com", "a-b-c.d", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk.com"},
     {"", ".", "-a", "a-", "a_b", "a..b", "example.", "ab--cd", "a.b-", "a b",
      "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl.com",
      "\xE2\x84\xAA"
      "elvin.com"}},
    {"ipv4", {"0.0.0.0", "255.255.255.255", "192.168.0.1"}, {"256.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.4 ", ""}},
    {"ipv6",
     {"::", "::1", "1:2:3:4:5:6:7:8", "d6::", "1::d6:192.168.0.1", "1:2:3:4:5:6:1.2.3.4", "fe80::a:b",
      "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8"},
     {"12345::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", ":1", "1:", "1:2:3:4:5:6:7:", "::g", "::1%eth", "1.2.3.4",
      ":::", "::01.2.3.4"}},
    {"uri",
     {"http://foo.bar/?baz=qux#quux", "urn:a:b", "mailto:a@b.c", "file:///etc/hosts", "ldap://[2001:db8::7]/c=GB?one", "http://[v1.fe]/",
      "http://a:80", "x:", "x:/", "tel:+1-816"},
     {"//foo.bar", "/abc", "abc", "http:// a", "1http://a", "http://a\\b", "http://a/%6", "http:/[::1]", "http://a:b/", "http://\xC3\xA9/",
      "http://[::1", "http://a#b#c", ":", "http://a/<b>"}},
    {"uri-reference", {"", "/abc", "abc", "#f", "?q", "//a/b", "./a:b", "http://a"}, {"1:b", "a b", "\\a", "/[::1]", "#a#b", "%zz"}},
    {"iri", {"http://\xC6\x92.\xC3\x9F/?q=\xCF\x80#\xC3\xBC", "http://[2001:db8::1]"}, {"/abc", "\xC3\xA2", "http://a b", "http://a\n"}},
    {"iri-reference", {"\xC3\xA2", "#\xC6\x92", ""}, {"#a\\b", "a b"}},
    {"uri-template",
     {"http://a/{term:1}/{term}", "{+x,y*}", "", "a%41", "{a.b}", "a'b"},
     {"{", "}", "{}", "{a,}", "{a..b}", "{a:0}", "{a:10000}", "a b", "{!a}"}},
    {"uuid",
     {"2eb8aa08-AA98-11ea-B4Aa-73B441D16380", "00000000-0000-0000-0000-000000000000"},
     {"2eb8aa08-aa98-11ea-b4aa-73b441d1638", "2eb8aa08aa9811eab4aa73b441d16380", "2eb8aa08-aa98-11ea-b4ga-73b441d16380"}},
    {"json-pointer", {"", "/", "/a~0b~1", "//", "/\xC3\xA9\n"}, {"a", "/~", "/~2", "#"}},
    {"relative-json-pointer", {"0", "1/a", "120#", "0#"}, {"", "/a", "01", "-1", "0##", "1#/a"}},
    {"regex",
     {"([abc])+\\s+$", "^a{2,}?|[^x-]$", "(?:(?=a)b)*", "((a)b|c)", "\\cA[a-z\\d]", "[]", "[^]", ""},
     {"^(abc]", "a**", "(", ")", "\\a", "[z", "(?P<n>x)", "(?i)a", "a{2", "[z-a]"}},
};

static void lists(void **state)
{
    (void)state;
    struct slm_memory memory = slm__memory_default();
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct slm_arena arena;
        slm__arena_init(&arena, &memory, 1 << 28);
        struct slm_regular_space space = {&arena, SLM_REGULAR_STATE_LIMIT};
        struct slm_regular words;
        slm_error error = {sizeof error, 0, ""};
        struct slm_span name = slm__span_text(samples[i].format);
        assert_int_equal(slm__format_find(name), SLM_FORMAT_ENFORCED);
        slm_status status = slm__format_language(&space, name, &words, &error);
        assert_string_equal(error.message, "");
        assert_int_equal(status, SLM_OK);
        for (size_t k = 0; k < 12 && samples[i].in[k] != NULL; k++) {
            if (!slm__regular_accepts(&words, slm__span_text(samples[i].in[k]))) {
                fail_msg("%s refuses \"%s\"", samples[i].format, samples[i].in[k]);
            }
        }
        for (size_t k = 0; k < 16 && samples[i].out[k] != NULL; k++) {
            if (slm__regular_accepts(&words, slm__span_text(samples[i].out[k]))) {
                fail_msg("%s accepts \"%s\"", samples[i].format, samples[i].out[k]);
            }
        }
        slm__arena_free(&arena);
    }
}

static void lengths_of_hostnames(void **state)
{
    (void)state;
    struct slm_memory memory = slm__memory_default();
    struct slm_arena arena;
    slm__arena_init(&arena, &memory, 1 << 28);
    struct slm_regular_space space = {&arena, SLM_REGULAR_STATE_LIMIT};
    struct slm_regular words;
    slm_error error = {sizeof error, 0, ""};
    uint32_t min = 0;
    uint32_t max = 0;
    assert_int_equal(slm__format_language(&space, slm__span_text("hostname"), &words, &error), SLM_OK);
    assert_int_equal(slm__regular_lengths(&space, &words, &min, &max, &error), SLM_OK);
    assert_int_equal(min, 1);
    assert_int_equal(max, 253);
    slm__arena_free(&arena);
}

static void other_names(void **state)
{
    (void)state;
    struct slm_memory memory = slm__memory_default();
    struct slm_arena arena;
    slm__arena_init(&arena, &memory, 1 << 20);
    struct slm_regular_space space = {&arena, SLM_REGULAR_STATE_LIMIT};
    struct slm_regular words;
    slm_error error = {sizeof error, 0, ""};
    assert_int_equal(slm__format_find(slm__span_text("idn-hostname")), SLM_FORMAT_UNSUPPORTED);
    assert_int_equal(slm__format_find(slm__span_text("int64")), SLM_FORMAT_NUMBER);
    assert_int_equal(slm__format_find(slm__span_text("color")), SLM_FORMAT_UNKNOWN);
    assert_int_equal(slm__format_find(slm__span_text("")), SLM_FORMAT_UNKNOWN);
    assert_int_equal(slm__format_find(slm__span_text("by-four")), SLM_FORMAT_UNKNOWN);
    assert_int_equal(slm__format_language(&space, slm__span_text("idn-hostname"), &words, &error), SLM_E_UNSUPPORTED);
    assert_non_null(strstr(error.message, "idn-hostname"));
    slm__arena_free(&arena);
}

/* ---- Stored automata ---- */

static const char *const stored[] = {"time", "date-time",     "email", "idn-email",     "hostname", "ipv6",
                                     "uri",  "uri-reference", "iri",   "iri-reference", "regex",    NULL};

static void tables(void **state)
{
    (void)state;
    struct slm_memory memory = slm__memory_default();
    for (size_t i = 0; stored[i] != NULL; i++) {
        struct slm_arena arena;
        slm__arena_init(&arena, &memory, 1 << 28);
        struct slm_regular_space space = {&arena, SLM_REGULAR_STATE_LIMIT};
        struct slm_regular compiled;
        struct slm_regular loaded;
        slm_error error = {sizeof error, 0, ""};
        bool found = false;
        struct slm_span name = slm__span_text(stored[i]);
        assert_int_equal(slm__format_compile(&space, name, &compiled, &error), SLM_OK);
        assert_int_equal(slm__format_table_load(&arena, name, &found, &loaded, &error), SLM_OK);
        assert_true(found);
        assert_true(slm__regular_equal(&compiled, &loaded));
        slm__arena_free(&arena);
    }
}

static unsigned column;

static void put(FILE *out, unsigned byte)
{
    fprintf(out, "%s%u,", column == 0 ? "    " : column % 24 == 0 ? "\n    " : " ", byte);
    column++;
}

static void write_state(FILE *out, const struct slm_regular *a, uint32_t state)
{
    const uint32_t *row = a->next + (size_t)state * a->class_count;
    unsigned runs = 0;
    for (uint32_t c = 0; c < a->class_count; c++) {
        runs += row[c] != SLM_REGULAR_DEAD && (c == 0 || row[c] != row[c - 1]);
    }
    put(out, runs << 1 | a->accepting[state]);
    for (uint32_t c = 0; c < a->class_count;) {
        uint32_t last = c;
        while (last + 1 < a->class_count && row[last + 1] == row[c]) {
            last++;
        }
        if (row[c] != SLM_REGULAR_DEAD) {
            put(out, c);
            put(out, last);
            put(out, row[c] & 255);
            put(out, row[c] >> 8);
        }
        c = last + 1;
    }
}

static void write_table(FILE *out, const struct slm_regular *a, unsigned number)
{
    fprintf(out, "static const uint8_t table_%u[] = {\n", number);
    column = 0;
    put(out, a->state_count & 255);
    put(out, a->state_count >> 8);
    put(out, a->class_count);
    for (uint32_t byte = 0; byte < 256; byte++) {
        if (byte == 255 || a->byte_class[byte] != a->byte_class[byte + 1]) {
            put(out, byte);
            put(out, a->byte_class[byte]);
        }
    }
    for (uint32_t state = 1; state < a->state_count; state++) {
        write_state(out, a, state);
    }
    fprintf(out, "\n};\n\n");
}

static int write_tables(const char *path)
{
    FILE *out = fopen(path, "w");
    if (out == NULL) {
        return 1;
    }
    fprintf(out, "/* SPDX-License-Identifier: MIT */\n/* Automata of formats. Written by tests/unit/test_string_formats --write; do not "
                 "edit. */\n#include \"grammar/format_tables.h\" /* the declarations */\n\n");
    struct slm_memory memory = slm__memory_default();
    unsigned count = 0;
    for (; stored[count] != NULL; count++) {
        struct slm_arena arena;
        slm__arena_init(&arena, &memory, 1 << 28);
        struct slm_regular_space space = {&arena, SLM_REGULAR_STATE_LIMIT};
        struct slm_regular words;
        if (slm__format_compile(&space, slm__span_text(stored[count]), &words, NULL) != SLM_OK) {
            return 1;
        }
        write_table(out, &words, count);
        slm__arena_free(&arena);
    }
    fprintf(out, "const struct slm_format_table slm__format_tables[] = {\n");
    for (unsigned i = 0; i < count; i++) {
        fprintf(out, "    {\"%s\", table_%u},\n", stored[i], i);
    }
    fprintf(out, "    {NULL, NULL},\n};\n");
    return fclose(out);
}

int main(int count, char **arguments)
{
    if (count > 1 && strcmp(arguments[1], "--write") == 0) {
        return write_tables("src/grammar/format_tables_generated.c");
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),
        cmocka_unit_test(lengths_of_hostnames),
        cmocka_unit_test(other_names),
        cmocka_unit_test(tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

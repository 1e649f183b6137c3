/* SPDX-License-Identifier: MIT */
/* Grammar texts: what they match, what is refused with line and column, hostile texts, a failing allocator. */
#include "grammar/gbnf.h"               /* slm__gbnf_parse */
#include "tests/unit/grammar_fixture.h" /* struct match */
#include "tests/unit/failing_memory.h"  /* failing_memory */

struct sample {
    const char *grammar;
    const char *in[6];
    const char *out[6];
};

static const struct sample samples[] = {
    {"root ::= \"yes\" | \"no\"", {"yes", "no"}, {"", "ye", "yesno"}},
    {"# a list\nroot ::= item (\",\" item)* # of items\n\nitem ::= [a-z]+ | [0-9]{2}\n", {"a", "ab,12,c"}, {"", "a,", "1", "123", "a,B"}},
    {"root  ::= term ([-+*/] term)*\nterm  ::= \"(\" root \")\" | [0-9]+", {"1+2", "(1-(22*3))/4"}, {"", "(1", "1+", "()"}},
    {"root ::=\n  \"a\" |\n  \"b\"\n  | \"c\"\nx ::= \"y\"", {"a", "b", "c"}, {"y", "ab"}},
    {"root ::= (\n \"a\"\n \"b\" )?\n", {"ab", ""}, {"a"}},
    {"root ::= [^\"\\\\\\n]{1,3}", {"x", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"}, {"", "\"", "\\", "\n", "abcd", "\xC3"}},
    {"root ::= \"\\x41\\u00e9\\U0001F600\\t\\\"\"", {"A\xC3\xA9\xF0\x9F\x98\x80\t\""}, {"A"}},
    {"root ::= [\\u00e0-\\u00ff\\]\\-a]", {"\xC3\xA9", "]", "-", "a"}, {"b", "\xC4\x80", "\\"}},
    {"root ::= . \".\"", {"x.", "\n.", "\xF4\x8F\xBF\xBF."}, {".", "..."}},
    {"root ::= \"a\"{2} \"b\"{1,} \"c\" {0,2} \"d\"{ 1 , 1 }", {"aabd", "aabbccd"}, {"aad", "abd", "aabcccd", "aab"}},
    {"root ::= [a]+? ", {"", "aaa"}, {"b"}}, /* two repetitions: (a+)? */
    {"root ::= | \"a\"\n", {"", "a"}, {"aa"}},
    {"root ::= \"\" \"x\" \"\"", {"x"}, {""}},
    {"root ::= a-b_1\r\na-b_1 ::= \"z\"\r\n", {"z"}, {""}},
    {"root ::= pair | \"e\"\npair ::= \"(\" root \")\" root", {"e", "(e)e", "((e)e)(e)e"}, {"()", "(e)"}},
};

static void matching(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct slm_grammar_builder builder = new_builder();
        struct match match;
        slm_error error = {sizeof error, 0, ""};
        slm_node root = SLM_NODE_NEVER;
        slm_status status = slm__gbnf_parse(&builder, slm__span_text(samples[i].grammar), &root, &error);
        assert_string_equal(error.message, "");
        assert_int_equal(status, SLM_OK);
        open_match(&match, &builder, root, 1 << 20);
        for (size_t k = 0; k < 6; k++) {
            if (samples[i].in[k] != NULL && !accepts(&match, samples[i].in[k])) {
                fail_msg("%s\nshould match '%s'", samples[i].grammar, samples[i].in[k]);
            }
            if (samples[i].out[k] != NULL && accepts(&match, samples[i].out[k])) {
                fail_msg("%s\nshould not match '%s'", samples[i].grammar, samples[i].out[k]);
            }
        }
        close_match(&match);
    }
}

/* Parse and compile; the message of the failure stays in `error`. */
static slm_status compile(struct slm_span text, const struct slm_memory *memory, size_t limit, slm_error *error)
{
    struct slm_grammar_builder builder;
    struct slm_grammar *grammar = NULL;
    slm_node root = SLM_NODE_NEVER;
    slm__grammar_builder_init(&builder, memory, limit);
    slm_status status = slm__gbnf_parse(&builder, text, &root, error);
    if (status == SLM_OK) {
        status = slm__grammar_compile(&builder, root, &(struct slm_grammar_limits){0}, memory, &grammar, error);
    }
    slm__grammar_free(grammar);
    slm__grammar_builder_free(&builder);
    return status;
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *grammar;
        slm_status status;
        const char *words;
    } list[] = {
        {"", SLM_E_SYNTAX, "no rule named root"},
        {"a ::= \"x\"\n", SLM_E_SYNTAX, "no rule named root"},
        {"root ::= a\n\nb ::= \"x\"", SLM_E_SYNTAX, "line 1, column 10: this rule is not defined anywhere"},
        {"root ::= \"x\"\nroot ::= \"y\"", SLM_E_SYNTAX, "line 2, column 1: the rule is defined a second time"},
        {"root = \"x\"", SLM_E_SYNTAX, "line 1, column 6: ::= is expected"},
        {"root ::= \"x\nb ::= \"y\"", SLM_E_SYNTAX, "line 1, column 10: the text has no closing quote"},
        {"root ::= [a-", SLM_E_SYNTAX, "line 1, column 10: the class has no closing bracket"},
        {"root ::= [z-a]", SLM_E_SYNTAX, "line 1, column 11: the range of the class is out of order"},
        {"root ::= (\"a\"\n", SLM_E_SYNTAX, "line 1, column 10: the group has no closing parenthesis"},
        {"root ::= \"a\")\n", SLM_E_SYNTAX, "line 1, column 13: this parenthesis closes nothing"},
        {"root ::= \"\xC3\xA9\" {2,1}", SLM_E_SYNTAX, "line 1, column 14: a repetition is"},
        {"root ::= \"a\"{99999999999}", SLM_E_SYNTAX, "a repetition is"},
        {"root ::= * \"a\"", SLM_E_SYNTAX, "line 1, column 10: this is no part of a rule"},
        {"root ::= \"\\q\"", SLM_E_SYNTAX, "line 1, column 11: there is no such escape"},
        {"root ::= \"\\u12\"", SLM_E_SYNTAX, "too few hexadecimal digits"},
        {"root ::= \"\\uD800\"", SLM_E_SYNTAX, "no such code point"},
        {"root ::= \"\\UFFFFFFFF\"", SLM_E_SYNTAX, "no such code point"},
        {"root ::= \"a\"\n ! ", SLM_E_SYNTAX, "line 2, column 2: the name of a rule is expected"},
        {"root ::= \"a\n\xFF", SLM_E_ENCODING, "line 2, column 1: the grammar is not valid UTF-8"},
        {"root ::= expr\nexpr ::= expr \"+\" | \"1\"", SLM_E_SYNTAX, "expr refers to itself"},
        {"root ::= [] | \"\" root", SLM_E_SYNTAX, "root refers to itself"},
    };
    struct slm_memory memory = slm__memory_default();
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        slm_error error = {sizeof error, 0, ""};
        slm_status status = compile(slm__span_text(list[i].grammar), &memory, 1 << 24, &error);
        if (status != list[i].status || strstr(error.message, list[i].words) == NULL) {
            fail_msg("%s\nstatus %d, '%s'", list[i].grammar, (int)status, error.message);
        }
    }
}

static void hostile(void **state)
{
    (void)state;
    struct slm_memory memory = slm__memory_default();
    size_t length = 1 << 20;
    char *text = malloc(length);
    assert_non_null(text);
    static const char *const fillers[] = {"(", "[a]", "\"a\" ", "x ", "\"a\"|", "[^a]{0,4294967294}", "x::=x\n", "((\"\")*)*", "#", "\\"};
    for (size_t i = 0; i < sizeof fillers / sizeof fillers[0]; i++) {
        size_t unit = strlen(fillers[i]);
        memcpy(text, "root ::= ", 9);
        for (size_t k = 9; k < length; k++) {
            text[k] = fillers[i][(k - 9) % unit];
        }
        slm_error error = {sizeof error, 0, ""};
        slm_status status = compile(slm__span(text, length), &memory, 1 << 24, &error);
        assert_true((status == SLM_OK) == (error.message[0] == '\0'));
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
        slm_error error = {sizeof error, 0, ""};
        allowed = n;
        status = compile(slm__span_text("root ::= (a | \"b\" [^c])+ \"end\"\na ::= \"x\" root | [a-z]{2,9}"), &memory, 1 << 24, &error);
        assert_true(status == SLM_OK || status == SLM_E_NO_MEMORY);
        assert_true(n < 500);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matching),
        cmocka_unit_test(refusals),
        cmocka_unit_test(hostile),
        cmocka_unit_test(every_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

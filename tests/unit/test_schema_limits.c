/* SPDX-License-Identifier: MIT */
/* Schemas that are wrong, cannot be enforced, or mean harm: each ends in a status with its place, in bounded time and memory. */
#include "tests/unit/schema_fixture.h" /* refuse_schema, build_schema */

static const struct slm_schema_options plain = {.any_order = true};

static void test_wrong(void **state)
{
    (void)state;
    refuse_schema("{", SLM_E_SYNTAX, "line 1");
    refuse_schema("3", SLM_E_BAD_VALUE, "#: a schema has to be an object");
    refuse_schema("{'type':'strin'}", SLM_E_BAD_VALUE, "#/type: \"type\" has to be");
    refuse_schema("{'type':'object','properties':{'a':{'type':'string','minLength':'3'}}}", SLM_E_BAD_VALUE, "#/properties/a/minLength:");
    refuse_schema("{'type':'string','minLength':-1}", SLM_E_BAD_VALUE, "at least 0");
    refuse_schema("{'type':'string','pattern':'('}", SLM_E_SYNTAX, "#/pattern: the pattern: column");
    refuse_schema("{'properties':{'a/b~':{'$ref':'#/$defs/x'}}}", SLM_E_BAD_VALUE, "#/properties/a~1b~0/$ref: there is nothing at");
    refuse_schema("{'allOf':{}}", SLM_E_BAD_VALUE, "#/allOf: \"allOf\" has to be a list of schemas");
    refuse_schema("{'type':'object','required':[1]}", SLM_E_BAD_VALUE, "#/required: \"required\" has to be a list of names");
    refuse_schema("{'multipleOf':0}", SLM_E_BAD_VALUE, "#/multipleOf:");
}

static void test_unsupported(void **state)
{
    (void)state;
    refuse_schema("{'$ref':'http://a.b/c.json#/d'}", SLM_E_UNSUPPORTED, "#/$ref: http://a.b/c.json is not in this document");
    refuse_schema("{'$ref':'#'}", SLM_E_UNSUPPORTED, "#: the references lead back here");
    refuse_schema("{'allOf':[{'$ref':'#/$defs/a'}],'$defs':{'a':{'anyOf':[{'$ref':'#/$defs/a'},{'type':'null'}]}}}", SLM_E_UNSUPPORTED,
                  "#/$defs/a: the references lead back here");
    refuse_schema("{'type':'object','minProperties':2}", SLM_E_UNSUPPORTED, "#/minProperties:");
    refuse_schema("{'type':'array','uniqueItems':true}", SLM_E_UNSUPPORTED, "#/uniqueItems:");
    refuse_schema("{'type':'object','not':{'patternProperties':{'^a':{'type':'null'}}}}", SLM_E_UNSUPPORTED, "#/not/patternProperties:");
    refuse_schema("{'type':'array','contains':{'type':'null'},'unevaluatedItems':false}", SLM_E_UNSUPPORTED, "#/unevaluatedItems:");
}

/* With ignore_rest the same schemas are taken, and what is left out is told. */
static void test_warnings(void **state)
{
    (void)state;
    struct slm_memory memory = slm__memory_default();
    struct slm_buffer warnings;
    slm__buffer_init(&warnings, &memory, 10000);
    const struct slm_schema_options options = {.any_order = true, .ignore_rest = true, .warnings = &warnings};
    const struct schema_case test = {"{'type':'array','items':{'type':'integer'},'uniqueItems':true}", {"[1,1]"}, {"['a']"}};
    check_schema(&test, &options);
    slm__buffer_append_byte(&warnings, 0);
    assert_non_null(strstr((const char *)warnings.data, "#/uniqueItems: \"uniqueItems\" is not enforced"));
    slm__buffer_free(&warnings);
}

/* Any status will do, the time of the test's run is the limit. */
static slm_status build_any(char *text)
{
    struct slm_grammar_builder builder;
    slm_node root = SLM_NODE_NEVER;
    slm_error error = {sizeof error, 0, ""};
    slm_status status = build_schema(&builder, text, &plain, &root, &error);
    slm__grammar_builder_free(&builder);
    free(text);
    return status;
}

/* before, (piece with %u = 0, 1 ... count - 1, separated by commas), after */
static char *repeated(const char *before, const char *piece, unsigned count, const char *after)
{
    size_t room = strlen(before) + strlen(after) + count * (strlen(piece) + 24) + 1;
    char *text = malloc(room);
    assert_non_null(text);
    size_t length = (size_t)snprintf(text, room, "%s", before);
    for (unsigned i = 0; i < count; i++) {
        if (i > 0) {
            text[length++] = ',';
        }
        for (const char *p = piece; *p != '\0'; p++) {
            length += p[0] == '%' ? (size_t)snprintf(text + length, room - length, "%u", i) : 0;
            length += p[0] == '+' ? (size_t)snprintf(text + length, room - length, "%u", i + 1) : 0;
            text[length] = p[0] == '\'' ? '"' : p[0];
            length += p[0] != '%' && p[0] != '+';
        }
    }
    snprintf(text + length, room - length, "%s", after);
    for (char *p = text; *p != '\0'; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    return text;
}

static char *nested(const char *open, unsigned depth, const char *close)
{
    char *text = malloc(depth * (strlen(open) + strlen(close)) + 8);
    assert_non_null(text);
    text[0] = '\0';
    char *at = text;
    for (unsigned i = 0; i < depth; i++) {
        at = strcpy(at, open) + strlen(open);
    }
    at = strcpy(at, "true") + 4;
    for (unsigned i = 0; i < depth; i++) {
        at = strcpy(at, close) + strlen(close);
    }
    return text;
}

static void test_hostile(void **state)
{
    (void)state;
    assert_int_equal(build_any(nested("{\"items\":", 10000, "}")), SLM_E_LIMIT);
    assert_int_equal(build_any(nested("{\"items\":", 120, "}")), SLM_OK);
    assert_int_equal(build_any(nested("{\"not\":", 120, "}")), SLM_OK);
    assert_int_equal(build_any(repeated("{'enum':[", "'value number %'", 50000, "]}")), SLM_OK);
    assert_int_equal(build_any(repeated("{'type':'string','enum':[", "'%'", 20000, "]}")), SLM_OK);
    assert_int_equal(build_any(repeated("{'type':'object','properties':{", "'%':{'type':'integer'}", 20000, "}}")), SLM_OK);
    assert_int_equal(build_any(repeated("{'type':'object','oneOf':[",
                                        "{'properties':{'kind':{'const':'k%'},'n':{'minimum':%}},'required':['kind']}", 500, "]}")),
                     SLM_OK);
    assert_int_equal(build_any(repeated("{'oneOf':[", "{'const':%}", 1000, "]}")), SLM_OK);
    /* one reference behind the other */
    assert_int_equal(build_any(repeated("{'$ref':'#/$defs/0','$defs':{", "'%':{'$ref':'#/$defs/+'}", 20000, ",'20000':{}}}")), SLM_E_LIMIT);
    /* 2^n alternatives, and the same in objects */
    assert_int_equal(build_any(repeated("{'type':'array','allOf':[",
                                        "{'anyOf':[{'minItems':%,'maxItems':90%},{'prefixItems':[{'const':%}]}]}", 40, "]}")),
                     SLM_E_LIMIT);
    assert_int_equal(build_any(repeated("{'type':'object','allOf':[", "{'oneOf':[{'required':['a%']},{'required':['b%']}]}", 40, "]}")),
                     SLM_E_LIMIT);
    /* a row of doublings: each level names the next twice */
    assert_int_equal(build_any(repeated("{'$ref':'#/$defs/0','$defs':{", "'%':{'allOf':[{'$ref':'#/$defs/+'},{'$ref':'#/$defs/+'}]}", 60,
                                        ",'60':{'type':'null'}}}")),
                     SLM_OK);
    assert_int_equal(build_any(repeated("{'$ref':'#/$defs/0','$defs':{",
                                        "'%':{'properties':{'a':{'$ref':'#/$defs/+'},'b':{'$ref':'#/$defs/+'}}}", 60, ",'60':{}}}")),
                     SLM_OK);
    assert_int_equal(build_any(repeated("{'type':'object','patternProperties':{", "'%':{'minimum':%}", 40, "}}")), SLM_E_LIMIT);
    assert_int_equal(build_any(repeated("{'type':'string','minLength':4000000000,'maxLength':99999999999999999999", "", 0, "}")), SLM_OK);
    assert_int_equal(build_any(repeated("{'type':'array','maxItems':99999999999999999999,'minItems':1", "", 0, "}")), SLM_OK);
    assert_int_equal(build_any(repeated("{'type':'array','contains':{'const':1},'maxItems':1000000", "", 0, "}")), SLM_E_UNSUPPORTED);
}

/* Working memory: any limit gives a status, and enough gives success. */
static void test_memory(void **state)
{
    (void)state;
    static const char schema[] =
        "{\"type\":\"object\",\"properties\":{\"a\":{\"pattern\":\"^a|b+$\",\"maxLength\":7},\"b\":{\"$ref\":\"#\"}}}";
    struct slm_memory memory = slm__memory_default();
    slm_status status = SLM_E_LIMIT;
    for (size_t limit = 1000; status != SLM_OK; limit += limit / 4) {
        struct slm_grammar_builder builder = new_builder();
        slm_node root = SLM_NODE_NEVER;
        slm_error error = {sizeof error, 0, ""};
        status = slm__schema_nodes(&builder, &memory, limit, slm__span_text(schema), &plain, &root, &error);
        assert_true(status == SLM_OK || status == SLM_E_LIMIT);
        slm__grammar_builder_free(&builder);
        assert_true(limit < 1 << 26);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong),   cmocka_unit_test(test_unsupported), cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_hostile), cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

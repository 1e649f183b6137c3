/* SPDX-License-Identifier: MIT */
/* JSON Schema as a grammar: objects, and the keywords that combine schemas. */
#include "tests/unit/schema_fixture.h" /* check_schemas */

static const struct slm_schema_options plain = {.any_order = true};
#define CHECK(cases) check_schemas(cases, sizeof(cases) / sizeof(cases)[0], &plain)

static void test_objects(void **state)
{
    (void)state;
    static const struct schema_case cases[] = {
        {"{'type':'object','properties':{'a':{'type':'integer'},'b':{'type':'string'}},'required':['a']}",
         {"{'a':1}", "{'a':1,'b':'x'}", "{'b':'x','a':1}", "{'c':null,'a':1}"},
         {"{}", "{'b':'x'}", "{'a':'x'}", "{'a':1,'b':1}"}},
        {"{'type':'object','properties':{'a':{}},'additionalProperties':false}", {"{}", "{'a':[1]}"}, {"{'b':1}", "{'a':1,'a':1}"}},
        {"{'type':'object','properties':{'a':{'type':'integer'}},'additionalProperties':{'type':'string'}}",
         {"{'a':1,'b':'x'}", "{'ab':'x'}"},
         {"{'b':1}", "{'a':'x'}"}},
        {"{'type':'object','patternProperties':{'^x':{'type':'integer'},'y$':{'minimum':5}},'additionalProperties':false}",
         {"{}", "{'x1':1}", "{'xy':7}", "{'by':'z'}"},
         {"{'xy':1}", "{'x':'a'}", "{'b':1}", "{'by':1}"}},
        {"{'type':'object','properties':{'xa':{'type':'integer'}},'patternProperties':{'^x':{'minimum':5}}}",
         {"{'xa':5}", "{'xb':'s'}"},
         {"{'xa':4}", "{'xa':'s'}", "{'xb':4}"}},
        {"{'type':'object','propertyNames':{'pattern':'^[a-c]+$'},'properties':{'d':{}}}", {"{}", "{'abc':1}"}, {"{'d':1}", "{'ax':1}"}},
        {"{'type':'object','propertyNames':{'enum':['a','b']}}", {"{'b':1,'a':2}"}, {"{'c':1}"}},
        {"{'type':'object','minProperties':1,'maxProperties':2}", {"{'a':1}", "{'a':1,'b':2}"}, {"{}", "{'a':1,'b':2,'c':3}"}},
        {"{'type':'object','minProperties':2,'required':['a']}", {"{'a':1,'b':2}"}, {"{}", "{'a':1}", "{'b':1,'c':1}"}},
        {"{'type':'object','properties':{'a':false,'b':{}}}", {"{}", "{'b':1}", "{'c':1}"}, {"{'a':1}"}},
        {"{'type':'object','dependentRequired':{'a':['b']}}", {"{}", "{'b':1}", "{'a':1,'b':1}", "{'b':1,'a':1}"}, {"{'a':1}"}},
        {"{'type':'object','dependencies':{'a':['b'],'c':{'required':['d']}}}",
         {"{'a':1,'b':1}", "{'c':1,'d':1}", "{'d':1}"},
         {"{'a':1}", "{'c':1}"}},
        {"{'type':'object','dependentSchemas':{'a':{'properties':{'b':{'type':'integer'}}}}}",
         {"{'b':'x'}", "{'a':1,'b':1}", "{'a':1}"},
         {"{'a':1,'b':'x'}"}},
        {"{'type':'object','properties':{'a':{}},'unevaluatedProperties':false}", {"{'a':1}"}, {"{'b':1}"}},
        {"{'properties':{'a':{'type':'integer'}}}", {"1", "{'a':1}", "[]"}, {"{'a':'x'}"}},
        {"{'type':'object','properties':{'\\u00e9\\n':{'const':1}},'additionalProperties':false}",
         {"{'\xC3\xA9\\n':1}", "{'\\u00e9\\u000a':1}"},
         {"{'e':1}"}},
    };
    CHECK(cases);
}

static void test_order(void **state)
{
    (void)state;
    static const struct slm_schema_options in_order = {.any_order = false};
    static const struct schema_case cases[] = {
        {"{'type':'object','properties':{'b':{},'a':{}},'required':['b']}",
         {"{'b':1,'a':1}", "{'b':1}", "{'b':1,'z':1}"},
         {"{'a':1,'b':1}", "{'z':1,'b':1}"}},
        {"{'allOf':[{'properties':{'b':{}}}],'type':'object','properties':{'a':{}},'additionalProperties':false}",
         {"{'a':1}"},
         {"{'b':1}"}},
        {"{'allOf':[{'type':'object','properties':{'b':{}}}],'properties':{'a':{}}}", {"{'b':1,'a':1}"}, {"{'a':1,'b':1}"}},
    };
    check_schemas(cases, sizeof cases / sizeof cases[0], &in_order);
}

static void test_choices(void **state)
{
    (void)state;
    static const struct schema_case cases[] = {
        {"{'anyOf':[{'type':'integer'},{'type':'string','maxLength':1}]}", {"1", "'a'"}, {"'ab'", "null"}},
        {"{'type':'object','anyOf':[{'required':['a']},{'required':['b']}]}", {"{'a':1}", "{'b':1}", "{'a':1,'b':1}"}, {"{}", "{'c':1}"}},
        {"{'type':'object','oneOf':[{'required':['a']},{'required':['b']}]}", {"{'a':1}", "{'b':1,'c':2}"}, {"{}", "{'a':1,'b':1}"}},
        {"{'oneOf':[{'type':'integer'},{'minimum':2}]}", {"1", "2.5", "'a'"}, {"3", "1.5"}},
        {"{'oneOf':[{'properties':{'k':{'const':'a'},'v':{'type':'integer'}},'required':['k','v']},"
         "{'properties':{'k':{'const':'b'},'v':{'type':'string'}},'required':['k','v']}],'type':'object'}",
         {"{'k':'a','v':1}", "{'v':'x','k':'b'}"},
         {"{'k':'a','v':'x'}", "{'k':'b','v':1}", "{'k':'c','v':1}"}},
        {"{'oneOf':[{'type':'object','properties':{'a':{}},'additionalProperties':false},"
         "{'type':'object','properties':{'a':{},'b':{}},'additionalProperties':false}]}",
         {"{'b':1}", "{'a':1,'b':1}"},
         {"{}", "{'a':1}", "{'c':1}"}},
        {"{'oneOf':[true,false]}", {"1"}, {"x"}},
        {"{'allOf':[{'type':'object','properties':{'a':{'minimum':1}}},{'properties':{'a':{'maximum':3}},'required':['a']}]}",
         {"{'a':2}", "{'a':'x'}"},
         {"{'a':0}", "{'a':4}", "{}"}},
        {"{'allOf':[{'additionalProperties':false,'properties':{'a':{},'b':{}}},{'additionalProperties':false,'properties':{'b':{},'c':{}}}"
         "],"
         "'type':'object'}",
         {"{}", "{'b':1}"},
         {"{'a':1}", "{'c':1}"}},
        {"{'allOf':[{'anyOf':[{'type':'integer'},{'type':'string'}]},{'anyOf':[{'type':'string'},{'type':'null'}]}]}",
         {"'a'"},
         {"1", "null"}},
    };
    CHECK(cases);
}

static void test_negation(void **state)
{
    (void)state;
    static const struct schema_case cases[] = {
        {"{'not':{'type':['string','object']}}", {"1", "null", "[]"}, {"'a'", "{}"}},
        {"{'type':'object','not':{'required':['a']}}", {"{}", "{'b':1}"}, {"{'a':1}", "{'b':1,'a':1}"}},
        {"{'type':'object','not':{'required':['a','b']}}", {"{'a':1}", "{'b':1}", "{}"}, {"{'a':1,'b':1}"}},
        {"{'type':'object','not':{'anyOf':[{'required':['a']},{'required':['b']}]}}", {"{'c':1}"}, {"{'a':1}", "{'b':1}"}},
        {"{'type':'object','not':{'properties':{'a':{'const':1}}}}", {"{'a':2}"}, {"{}", "{'a':1}"}},
        {"{'not':{'not':{'type':'integer'}}}", {"1"}, {"1.5", "'a'"}},
        {"{'type':'object','not':{'minProperties':2}}", {"{}", "{'a':1}"}, {"{'a':1,'b':2}"}},
        {"{'not':{'oneOf':[{'type':'integer'},{'minimum':2}]}}", {"3", "1.5"}, {"1", "2.5", "'a'"}},
        {"{'enum':[1,'a'],'not':{'const':1}}", {"'a'"}, {"1"}},
        {"{'not':{'enum':[{}]},'type':'object'}", {"{'a':1}"}, {"{}"}},
        {"{'type':['array','integer'],'not':{'const':[]}}", {"[1]", "1"}, {"[]"}},
    };
    CHECK(cases);
}

static void test_conditions(void **state)
{
    (void)state;
    static const struct schema_case cases[] = {
        {"{'if':{'type':'integer'},'then':{'minimum':5},'else':{'type':'string'}}", {"5", "'a'"}, {"4", "1.5", "null"}},
        {"{'type':'object','properties':{'k':{'enum':['a','b']}},'required':['k'],"
         "'if':{'properties':{'k':{'const':'a'}}},'then':{'required':['x']},'else':{'required':['y']}}",
         {"{'k':'a','x':1}", "{'y':1,'k':'b'}"},
         {"{'k':'a'}", "{'k':'a','y':1}", "{'k':'b','x':1}", "{'x':1}"}},
        {"{'type':'object','allOf':[{'if':{'required':['a']},'then':{'required':['b']}},{'if':{'required':['b']},'then':{'required':['c']}}"
         "]}",
         {"{}", "{'c':1}", "{'a':1,'b':1,'c':1}"},
         {"{'a':1}", "{'a':1,'b':1}", "{'b':1}"}},
        {"{'then':false}", {"1"}, {"x"}},
        {"{'if':{'type':'string'},'then':{'maxLength':1}}", {"'a'", "1"}, {"'ab'"}},
    };
    CHECK(cases);
}

static void test_unevaluated(void **state)
{
    (void)state;
    static const struct schema_case cases[] = {
        {"{'type':'object','allOf':[{'properties':{'a':{}}}],'properties':{'b':{}},'unevaluatedProperties':false}",
         {"{}", "{'a':1,'b':1}"},
         {"{'c':1}", "{'a':1,'c':1}"}},
        {"{'type':'object','anyOf':[{'properties':{'a':{'type':'integer'}}},{'properties':{'b':{}},'required':['b']}],"
         "'unevaluatedProperties':false}",
         {"{}", "{'a':1}", "{'b':1}", "{'a':1,'b':1}"},
         {"{'a':'x'}", "{'c':1}", "{'a':'x','b':1}"}},
        {"{'type':'object','if':{'required':['a'],'properties':{'a':{}}},'else':{'properties':{'b':{}}},'unevaluatedProperties':false}",
         {"{}", "{'a':1}", "{'b':1}"},
         {"{'a':1,'b':1}", "{'c':1}"}},
        {"{'type':'object','not':{'not':{'properties':{'a':{}}}},'unevaluatedProperties':false}", {"{}"}, {"{'a':1}"}},
        {"{'type':'object','allOf':[{'patternProperties':{'^x':{}}}],'unevaluatedProperties':{'type':'integer'}}",
         {"{'x':'s','y':1}"},
         {"{'y':'s'}"}},
        {"{'type':'object','allOf':[{'additionalProperties':{'type':'integer'}}],'unevaluatedProperties':false}",
         {"{'a':1}"},
         {"{'a':'x'}"}},
        {"{'type':'array','allOf':[{'prefixItems':[{'type':'integer'}]}],'unevaluatedItems':{'type':'string'}}",
         {"[1,'a','b']", "[]"},
         {"['a']", "[1,2]"}},
        {"{'type':'array','anyOf':[{'prefixItems':[true,{'const':1}]},{'prefixItems':[{'const':2}]}],'unevaluatedItems':false}",
         {"[]", "[2]", "[3,1]", "[2,1]"},
         {"[2,3]", "[3,1,1]"}},
        {"{'type':'array','allOf':[{'items':{'type':'integer'}}],'unevaluatedItems':false}", {"[1,2]"}, {"['a']"}},
    };
    CHECK(cases);
}

static void test_references(void **state)
{
    (void)state;
    static const struct schema_case cases[] = {
        {"{'$defs':{'n':{'type':'object','properties':{'next':{'$ref':'#/$defs/n'}},'additionalProperties':false}},'$ref':'#/$defs/n'}",
         {"{}", "{'next':{'next':{}}}"},
         {"{'next':1}", "{'next':{'x':1}}"}},
        {"{'type':'array','items':{'$ref':'#'}}", {"[]", "[[],[[]]]"}, {"[1]", "[[1]]"}},
        {"{'$defs':{'a/b':{'const':1},'c~d':{'const':2},'e f':{'const':3}},'anyOf':[{'$ref':'#/$defs/a~1b'},{'$ref':'#/$defs/c~0d'},"
         "{'$ref':'#/$defs/e%20f'}]}",
         {"1", "2", "3"},
         {"4"}},
        {"{'$id':'http://x.y/root','$defs':{'i':{'$id':'item','type':'integer'},'s':{'$anchor':'str','type':'string'}},"
         "'anyOf':[{'$ref':'item'},{'$ref':'#str'},{'$ref':'http://x.y/root#/$defs/n'}]}",
         {NULL},
         {NULL}},
        {"{'$id':'http://x.y/root','$defs':{'i':{'$id':'item','type':'integer'},'s':{'$anchor':'str','type':'string'}},"
         "'anyOf':[{'$ref':'http://x.y/item'},{'$ref':'root#str'}]}",
         {"1", "'a'"},
         {"null"}},
        {"{'$defs':{'p':{'properties':{'a':{'type':'integer'}}}},'$ref':'#/$defs/p','required':['a'],'type':'object'}",
         {"{'a':1}"},
         {"{}", "{'a':'x'}"}},
        {"{'$schema':'http://json-schema.org/draft-07/schema#','definitions':{'p':{'type':'integer'}},'$ref':'#/definitions/"
         "p','minimum':5}",
         {"1"},
         {"'a'"}},
        {"{'$dynamicRef':'#d','$defs':{'d':{'$dynamicAnchor':'d','type':'string'}}}", {"'a'"}, {"1"}},
        {"{'anyOf':[{'type':'string'},{'type':'object','properties':{'c':{'$ref':'#'}},'required':['c'],'additionalProperties':false}]}",
         {"'a'", "{'c':{'c':'x'}}"},
         {"{'c':{}}", "{}"}},
        {"{'properties':{'a':{'$ref':'#/properties/b'},'b':{'type':'integer'}},'type':'object'}", {"{'a':1}"}, {"{'a':'x'}"}},
    };
    check_schemas(cases, 3, &plain);
    check_schemas(cases + 4, sizeof cases / sizeof cases[0] - 4, &plain);
    refuse_schema(cases[3].schema, SLM_E_BAD_VALUE, "#/anyOf/2/$ref: there is nothing at \"http://x.y/root#/$defs/n\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_objects),     cmocka_unit_test(test_order),      cmocka_unit_test(test_choices),
        cmocka_unit_test(test_negation),    cmocka_unit_test(test_conditions), cmocka_unit_test(test_references),
        cmocka_unit_test(test_unevaluated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

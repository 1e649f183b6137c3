/* SPDX-License-Identifier: MIT */
/* JSON Schema as a grammar: every keyword that speaks of one value, with instances on both sides of it. */
#include "tests/unit/schema_fixture.h" /* check_schemas */

static const struct slm_schema_options plain = {.any_order = true};
#define CHECK(cases) check_schemas(cases, sizeof(cases) / sizeof(cases)[0], &plain)

static void test_types(void **state)
{
    (void)state;
    static const struct schema_case cases[] = {
        {"{}", {"1", "'a'", "null", "true", "[1,'b',{}]", "{'a':{'b':[]}}", "-0.5e-3"}, {"", "01", "[1,]", "{'a'}", "nul", "{'a':1,}"}},
        {"true", {"1", "{}"}, {"tru"}},
        {"{'type':'null'}", {"null"}, {"0", "false", "'null'"}},
        {"{'type':'boolean'}", {"true", "false"}, {"1", "'true'"}},
        {"{'type':'integer'}", {"0", "-7", "1.0", "12345678901234567890123"}, {"1.5", "'1'", "true", "--1", "+1"}},
        {"{'type':'number'}", {"0", "1.5", "-2e10", "1E-5"}, {".5", "1.", "'1'", "NaN"}},
        {"{'type':'string'}", {"''", "'a'", "'\\u00e9\\n'", "'\xC3\xA9'"}, {"'a", "'\\x'", "'\n'", "1", "'\xC3'"}},
        {"{'type':'array'}", {"[]", "[1]", "[[],{}]"}, {"[", "{}", "[1 2]"}},
        {"{'type':'object'}", {"{}", "{'a':1}"}, {"[]", "{'a':1", "{a:1}"}},
        {"{'type':['string','null']}", {"null", "'a'"}, {"1", "[]"}},
        {"{'type':['integer','string'],'minimum':3}", {"3", "'a'"}, {"2"}},
    };
    CHECK(cases);
}

static void test_values(void **state)
{
    (void)state;
    static const struct schema_case cases[] = {
        {"{'const':1}", {"1", "1.0"}, {"2", "'1'", "true", "10"}},
        {"{'const':0}", {"0", "0.0", "-0"}, {"false", "1"}},
        {"{'const':-12.50}", {"-12.50", "-12.5"}, {"12.5", "-12", "-12.05"}},
        {"{'const':1e3}", {"1e3", "1000", "1000.0"}, {"100", "1e4"}},
        {"{'const':0.001}", {"0.001"}, {"0.01", "0.0001", "0"}},
        {"{'const':'a\\\\b'}", {"'a\\\\b'", "'a\\u005cb'"}, {"'ab'", "'a\\b'"}},
        {"{'const':'\\u00e9'}", {"'\xC3\xA9'", "'\\u00e9'", "'\\u00E9'"}, {"'e'"}},
        {"{'const':{'a':[1,{}],'b':null}}", {"{'a':[1,{}],'b':null}", "{'b':null,'a':[1,{}]}"}, {"{'a':[1,{}]}", "{'a':[1],'b':null}"}},
        {"{'enum':['red','green',3,null,[],false]}", {"'red'", "'green'", "3", "null", "[]", "false"}, {"'re'", "true", "[1]", "0"}},
        {"{'enum':['a','b','c'],'not':{'const':'b'}}", {"'a'", "'c'"}, {"'b'"}},
        {"{'enum':[1,2,3,4,'x'],'type':'integer','minimum':3}", {"3", "4"}, {"1", "2", "'x'"}},
        {"{'enum':[{'a':1},{'a':2}],'properties':{'a':{'minimum':2}}}", {"{'a':2}"}, {"{'a':1}"}},
        {"{'enum':[[1,1],[1,2]],'uniqueItems':true}", {"[1,2]"}, {"[1,1]"}},
        {"{'enum':['ab','abc'],'pattern':'c'}", {"'abc'"}, {"'ab'"}},
    };
    CHECK(cases);
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct schema_case cases[] = {
        {"{'type':'number','minimum':1.5,'maximum':10}", {"1.5", "2", "9.99", "10"}, {"1.49", "10.01", "-2", "100"}},
        {"{'type':'integer','minimum':-3,'maximum':3}", {"-3", "0", "3"}, {"-4", "4", "30"}},
        {"{'type':'integer','exclusiveMinimum':0,'exclusiveMaximum':3}", {"1", "2"}, {"0", "3"}},
        {"{'$schema':'http://json-schema.org/draft-04/schema#','minimum':0,'exclusiveMinimum':true}", {"1", "'a'"}, {"0", "-1"}},
        {"{'type':'integer','multipleOf':5}", {"0", "5", "-10", "25"}, {"1", "24"}},
        {"{'type':'number','multipleOf':0.01}", {"0.01", "1.5", "2"}, {"0.001", "1.555"}},
        {"{'allOf':[{'minimum':2},{'maximum':4},{'type':'integer'},{'minimum':3}]}", {"3", "4"}, {"2", "5", "3.5", "'a'"}},
        {"{'type':'integer','not':{'enum':[3,5]}}", {"1", "4", "6", "33"}, {"3", "5", "3.0"}},
        {"{'type':'number','not':{'type':'integer'}}", {"1.5", "0.25"}, {"1", "1.0", "100"}},
        {"{'type':'integer','not':{'multipleOf':2}}", {"1", "33", "-5.0"}, {"2", "30", "30.0", "1.5"}},
        {"{'type':'number','not':{'minimum':3}}", {"2.9", "-5"}, {"3", "4"}},
        {"{'minimum':5}", {"5", "'a'", "[]"}, {"4"}},
    };
    CHECK(cases);
}

static void test_strings(void **state)
{
    (void)state;
    static const struct schema_case cases[] = {
        {"{'type':'string','minLength':2,'maxLength':3}", {"'ab'", "'abc'", "'\\u00e9\\ud83d\\ude00'"}, {"'a'", "'abcd'", "''"}},
        {"{'type':'string','pattern':'^a+$'}", {"'a'", "'aaa'"}, {"''", "'ab'", "1"}},
        {"{'type':'string','pattern':'b'}", {"'b'", "'abc'"}, {"'ac'", "''"}},
        {"{'type':'string','pattern':'^[a-z]*$','minLength':2,'maxLength':4}", {"'ab'", "'abcd'"}, {"'a'", "'abcde'", "'aB'"}},
        {"{'allOf':[{'pattern':'^a'},{'pattern':'z$'}],'type':'string'}", {"'az'", "'abz'"}, {"'a'", "'z'"}},
        {"{'type':'string','not':{'pattern':'x'}}", {"''", "'abc'"}, {"'x'", "'axb'", "'\\u0078'"}},
        {"{'type':'string','format':'date'}", {"'2024-02-29'"}, {"'2023-02-29'", "'2024-1-1'", "'today'"}},
        {"{'type':'string','format':'no-such-format'}", {"'anything'"}, {"1"}},
        {"{'type':'string','format':'ipv4','pattern':'^10\\\\.'}", {"'10.0.0.1'"}, {"'11.0.0.1'", "'10.0.0.256'"}},
        {"{'type':'string','not':{'enum':['a','b']}}", {"''", "'c'", "'ab'"}, {"'a'", "'b'"}},
        {"{'type':'string','anyOf':[{'maxLength':1},{'minLength':3}]}", {"''", "'a'", "'abc'"}, {"'ab'"}},
        {"{'type':'string','oneOf':[{'pattern':'^a'},{'pattern':'b$'}]}", {"'ac'", "'cb'"}, {"'ab'", "'c'"}},
        {"{'type':'string','allOf':[{'anyOf':[{'pattern':'1'},{'pattern':'2'}]},{'anyOf':[{'pattern':'3'},{'maxLength':2}]}]}",
         {"'1'", "'x2'", "'x13'"},
         {"'3'", "'xx2'", "'abc'"}},
    };
    CHECK(cases);
}

static void test_arrays(void **state)
{
    (void)state;
    static const struct schema_case cases[] = {
        {"{'type':'array','items':{'type':'integer'},'minItems':1,'maxItems':3}", {"[1]", "[1,2,3]"}, {"[]", "[1,2,3,4]", "['a']"}},
        {"{'type':'array','prefixItems':[{'type':'integer'},{'type':'string'}],'items':false}",
         {"[]", "[1]", "[1,'a']"},
         {"['a']", "[1,2]", "[1,'a',1]"}},
        {"{'type':'array','prefixItems':[{'const':1}],'minItems':2}", {"[1,2]", "[1,'a',null]"}, {"[1]", "[2,2]"}},
        {"{'type':'array','items':[{'const':1}],'additionalItems':{'const':2}}", {"[]", "[1,2,2]"}, {"[1,1]", "[2]"}},
        {"{'type':'array','contains':{'const':7}}", {"[7]", "[1,7,2]", "[7,7]"}, {"[]", "[1,2]"}},
        {"{'type':'array','contains':{'const':7},'minContains':2,'maxContains':3}", {"[7,7]", "[7,1,7,7]"}, {"[7]", "[7,7,7,7]", "[]"}},
        {"{'type':'array','contains':{'const':7},'minContains':0}", {"[]", "[1]"}, {"{}"}},
        {"{'type':'array','contains':{'type':'string'},'minItems':2,'maxItems':3}",
         {"['a',1]", "[1,2,'a']"},
         {"['a']", "[1,2]", "[1,2,3,'a']"}},
        {"{'type':'array','allOf':[{'contains':{'minimum':5}},{'contains':{'type':'string'}}],'items':{'type':['integer','string']}}",
         {"[5,'a']", "['a',1,7]", "['a']"},
         {"[5]", "[]", "[1,2]", "['a',5,null]"}},
        {"{'type':'array','allOf':[{'contains':{'const':1}},{'contains':{'const':2}}],'maxItems':3}",
         {"[1,2]", "[2,0,1]"},
         {"[1,1]", "[0,0,1,2]", "[2]"}},
        {"{'type':'array','uniqueItems':true,'maxItems':1}", {"[]", "[1]"}, {"[1,2]"}},
        {"{'type':'array','uniqueItems':true,'items':{'enum':['a','b',1]}}",
         {"[]", "['a',1]", "[1,'b','a']"},
         {"['a','a']", "['c']", "[1,1.0]"}},
        {"{'type':'array','uniqueItems':false}", {"[1,1]"}, {"{}"}},
        {"{'type':'array','not':{'contains':{'type':'null'}}}", {"[]", "[1,2]"}, {"[null]", "[1,null]"}},
        {"{'type':'array','not':{'items':{'type':'integer'}}}", {"['a']", "[1,'a',1]"}, {"[]", "[1,2]"}},
        {"{'type':'array','not':{'minItems':2}}", {"[]", "[1]"}, {"[1,2]"}},
        {"{'type':'array','prefixItems':[{'type':'integer'}],'unevaluatedItems':false}", {"[]", "[1]"}, {"[1,2]", "['a']"}},
    };
    CHECK(cases);
}

static void test_space(void **state)
{
    (void)state;
    static const struct slm_schema_options flexible = {.any_order = true, .flexible_space = true};
    static const struct schema_case cases[] = {
        {"{'type':'object','properties':{'a':{'type':'array','items':{'type':'integer'}}},'additionalProperties':false}",
         {"{'a':[1,2]}", "{ 'a' : [ 1 , 2 ] }", "{\n  'a': [\n    1,\n    2\n  ]\n}", "{}", "{ }", "{'a':[ ]}"},
         {"{'a' 1}", "{'a':[1 2]}", "{'a':[1,]}"}},
        {"{'const':{'a':[1,true]}}", {"{'a':[1,true]}", "{ 'a': [1, true] }"}, {"{'a':[1, false]}"}},
        {"{}", {"[ 1 , { 'a' : null } ]"}, {"[ 1 , ]"}},
    };
    static const struct schema_case compact[] = {{"{}", {"[1,{'a':null}]"}, {"[ 1]", "{'a': 1}"}}};
    check_schemas(cases, sizeof cases / sizeof cases[0], &flexible);
    CHECK(compact);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),   cmocka_unit_test(test_values), cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_strings), cmocka_unit_test(test_arrays), cmocka_unit_test(test_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

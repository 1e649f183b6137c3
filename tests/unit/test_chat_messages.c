/* SPDX-License-Identifier: MIT */
/* The rules around a template: what becomes of a request, changes to messages that a template cannot take, the origin of the output. */
#include "tests/unit/template_fixture.h" /* render_chat */

static struct rendering chat(const char *source, const char *request, bool strict)
{
    struct rendering r;
    struct slm_template_options options = default_options();
    options.strict = strict;
    render_chat(&r, slm__span_text(source), slm__span_text(request), slm__span_text("{\"bos_token\":\"<s>\",\"eos_token\":\"</s>\"}"),
                options);
    return r;
}

static void expect_text(const char *source, const char *request, bool strict, const char *expected)
{
    struct rendering r = chat(source, request, strict);
    if (r.status != SLM_OK || !slm__span_is(slm__span(r.text.data, r.text.length), expected)) {
        print_message("status %d %s\n  got %.*s\n  expected %s\n", (int)r.status, r.error.message, (int)r.text.length,
                      (const char *)r.text.data, expected);
    }
    assert_int_equal(r.status, SLM_OK);
    assert_true(slm__span_is(slm__span(r.text.data, r.text.length), expected));
    rendering_free(&r);
}

static void expect_failure(const char *source, const char *request, bool strict, slm_status status, const char *message)
{
    struct rendering r = chat(source, request, strict);
    assert_int_equal(r.status, status);
    assert_int_equal(r.text.length, 0);
    if (strstr(r.error.message, message) == NULL) {
        print_message("message: %s\n", r.error.message);
    }
    assert_non_null(strstr(r.error.message, message));
    rendering_free(&r);
}

#define USER "{\"role\":\"user\",\"content\":\"Hi\"}"
#define CALL(arguments) "{\"type\":\"function\",\"function\":{\"name\":\"weather\",\"arguments\":" arguments "}}"
#define CALLING(arguments) "{\"messages\":[" USER ",{\"role\":\"assistant\",\"tool_calls\":[" CALL(arguments) "]}]}"
#define TEXT_ARGUMENTS "\"{\\\"city\\\": \\\"Rome\\\"}\""

static void test_variables_of_a_request(void **state)
{
    (void)state;
    expect_text("{{ messages }}{{ tools }}{{ documents }}{{ add_generation_prompt }}{{ bos_token }}{{ x is defined }}",
                "{\"messages\":[{\"role\":\"user\",\"content\":null,\"name\":\"n\"}]}", true,
                "[{'role': 'user', 'name': 'n'}]NoneNoneTrue<s>False");
    expect_text("{{ tools }}{{ add_generation_prompt }}{{ bos_token }}{{ x }}{{ documents }}",
                "{\"messages\":[" USER
                "],\"tools\":[],\"add_generation_prompt\":false,\"extra\":{\"bos_token\":\"B\",\"x\":1,\"documents\":[{}]}}",
                true, "[]FalseB1[{}]");
    expect_text("{{ messages }}", "{\"messages\":[{\"role\":\"assistant\",\"reasoning\":\"r\"}]}", true,
                "[{'thinking': 'r', 'role': 'assistant', 'reasoning': 'r', 'reasoning_content': 'r'}]");
    expect_text("{{ messages }}", "{\"messages\":[{\"thinking\":\"t\",\"reasoning_content\":\"c\"}]}", true,
                "[{'thinking': 't', 'reasoning_content': 'c'}]");
}

static void test_requests_that_are_refused(void **state)
{
    (void)state;
    expect_failure("x", "{\"messages\":[]}", true, SLM_E_BAD_VALUE, "messages");
    expect_failure("x", "{}", true, SLM_E_BAD_VALUE, "messages");
    expect_failure("x", "[]", true, SLM_E_BAD_VALUE, "object");
    expect_failure("x", "{\"messages\":[1]}", true, SLM_E_BAD_VALUE, "item 0");
    expect_failure("x", "{\"messages\":[" USER "],\"tools\":[1]}", true, SLM_E_BAD_VALUE, "tools");
    expect_failure("x", "{\"messages\":[" USER "],\"extra\":1}", true, SLM_E_BAD_VALUE, "extra");
    expect_failure("x", "{\"messages\":[" USER "]", true, SLM_E_SYNTAX, "line 1");
    expect_failure("a\n{% if %}", "{\"messages\":[" USER "]}", true, SLM_E_SYNTAX, "line 2, column 7");
    expect_failure("a\n{{ x.y }}", "{\"messages\":[" USER "]}", true, SLM_E_TEMPLATE, "line 2 of the chat template: 'x' is undefined");
    expect_failure("\xFF", "{\"messages\":[" USER "]}", true, SLM_E_ENCODING, "UTF-8");
    struct rendering r = chat("{{ raise_exception('Only this: ' ~ messages[0].role) }}", "{\"messages\":[" USER "]}", false);
    assert_int_equal(r.status, SLM_E_TEMPLATE);
    assert_string_equal(r.error.message, "Only this: user");
    rendering_free(&r);
}

/* Content that is absent beside tool calls. */
static void test_missing_content(void **state)
{
    (void)state;
    static const char plus[] = "{% for m in messages %}[{{ m.role + ':' + m['content'] }}{% for c in m.tool_calls %}{{ c.function.name "
                               "}}{% endfor %}]{% endfor %}";
    static const char none[] = "{% for m in messages %}{% if m['content'] is none %}{{ m.tool_calls[0].function.name }}{% else %}{{ "
                               "m.content }}{% endif %}{% endfor %}";
    expect_failure(plus, CALLING("{}"), true, SLM_E_TEMPLATE, "content");
    expect_text(plus, CALLING("{}"), false, "[user:Hi][assistant:weather]");
    expect_text(none, CALLING("{}"), true, "Hi");
    expect_text(none, CALLING("{}"), false, "Hiweather");
}

/* A call's arguments as JSON text. */
static void test_arguments_as_text(void **state)
{
    (void)state;
    static const char quotes[] = "{% for m in messages %}{% for c in m.tool_calls %}{{ c.function|tojson }}{% endfor %}{% endfor %}";
    static const char items[] = "{% for m in messages %}{% for c in m.tool_calls %}{{ c.function.name }}{% for k, v in "
                                "c.function.arguments|items %} {{ k }}={{ v }}{% endfor %}{% endfor %}{% endfor %}";
    static const char prints[] =
        "{% for m in messages %}{% for c in m.tool_calls %}{{ c.function.name + c.function.arguments }}{% endfor %}{% endfor %}";
    expect_text(quotes, CALLING(TEXT_ARGUMENTS), true, "{\"name\": \"weather\", \"arguments\": \"{\\\"city\\\": \\\"Rome\\\"}\"}");
    expect_text(quotes, CALLING(TEXT_ARGUMENTS), false, "{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\"}}");
    expect_failure(items, CALLING(TEXT_ARGUMENTS), true, SLM_E_TEMPLATE, "mapping");
    expect_text(items, CALLING(TEXT_ARGUMENTS), false, "weather city=Rome");
    /* A template that prints the text gets the text, and text that is no JSON object stays text. */
    expect_text(prints, CALLING(TEXT_ARGUMENTS), false, "weather{\"city\": \"Rome\"}");
    expect_text(prints, CALLING("\"{broken\""), false, "weather{broken");
    expect_text(quotes, CALLING("\"{\\\"broken\""), false, "{\"name\": \"weather\", \"arguments\": \"{\\\"broken\"}");
}

/* Content as a list of text parts. */
static void test_parts_of_text(void **state)
{
    (void)state;
    static const char request[] =
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"One. \"},{\"type\":\"text\",\"text\":\"Two.\"}]}]}";
    static const char image[] =
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\"},{\"type\":\"text\",\"text\":\"Two.\"}]}]}";
    static const char plus[] = "{{ 'u: ' + messages[0].content }}";
    static const char prints[] = "{{ messages[0].content }}";
    static const char drops[] = "{% if messages[0].content is string %}{{ messages[0].content }}{% endif %}.";
    static const char knows[] = "{% for p in messages[0].content %}({{ p.text }}){% endfor %}";
    expect_failure(plus, request, true, SLM_E_TEMPLATE, "concatenate");
    expect_text(plus, request, false, "u: One. Two.");
    expect_text(prints, request, false, "One. Two.");
    expect_text(drops, request, false, "One. Two..");
    expect_text(knows, request, false, "(One. )(Two.)");
    expect_failure(plus, image, false, SLM_E_TEMPLATE, "concatenate");
}

/* Several changes at once, and only those that are needed. */
static void test_changes_together(void **state)
{
    (void)state;
    static const char request[] = "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Hi\"}]},{\"role\":"
                                  "\"assistant\",\"tool_calls\":[" CALL(TEXT_ARGUMENTS) "]}]}";
    static const char source[] = "{% for m in messages %}[{{ m.content + '' }}{% for c in m.tool_calls %}{{ c.function.name }}{{ "
                                 "c.function.arguments.items()|list }}{% endfor %}]{% endfor %}";
    expect_text(source, request, false, "[Hi][weather[('city', 'Rome')]]");
}

static void expect_origin(const char *source, const char *request, const char *expected)
{
    char marked[2000];
    struct rendering r = chat(source, request, true);
    assert_int_equal(r.status, SLM_OK);
    assert_string_equal(marked_pieces(&r, marked, sizeof marked), expected);
    rendering_free(&r);
}

/* <...> is the template's own text. */
static void test_origin_of_the_output(void **state)
{
    (void)state;
    static const char request[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"  a|im|b  "
                                  "\",\"n\":5}],\"tools\":[{\"name\":\"f\\n\"}],\"extra\":{\"x\":\"y\",\"eos_token\":\"E\"}}";
    expect_origin("|{{ bos_token }}{{ messages[0].content }}{{ eos_token }}.{{ x }}", request, "<|<s>>  a|im|b  <E.>y");
    expect_origin("{{ '|' + messages[0].content|trim + '|' }}", request, "<|>a|im|b<|>");
    expect_origin("{{ ('|' ~ messages[0].content ~ '|')[3:6] }}{{ ('|' ~ messages[0].content ~ '|')|upper|replace('IM', 'x') }}", request,
                  "a|i<|>  A|<x>|B  <|>");
    expect_origin("{{ tools|tojson }}", request, "<[{\">name<\": \">f\\n<\"}]>");
    expect_origin("{{ messages[0].content.split('|')|join('#') }}", request, "  a<#>im<#>b  ");
    expect_origin("{{ messages[0].n }}{{ messages[0].n + 1 }}{{ 5 }}{{ messages|length }}", request, "56<51>");
    expect_origin("{% set q %}[{{ messages[0].role }}]{% endset %}{{ q|indent(2, true) }}{% macro f(a) %}({{ a }}){% endmacro %}{{ f(x) }}",
                  request, "<  [user](>y<)>");
    expect_origin("{{ '<|' + messages[1].role + '|>' }}", "{\"messages\":[{\"role\":\"user\"},{\"role\":\"im_end\"}]}", "<<|>im_end<|>>");
    expect_origin("{{ '%s-%s' % (x, 'z') }}{{ x ~ x }}{{ 'a{}b'.format(x) }}", request, "y<-z>yy<a>y<b>");
    expect_origin("{{ [x, 'k'] }}{{ {x: 'k'} }}", request, "<['>y<', 'k']{'>y<': 'k'}>");
    expect_origin("{{ x|e }}{{ '<'|e }}{{ messages[0].content|trim|list|reverse|join }}{{ x * 2 }}", request, "y<&lt;>b|mi|ayy");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_variables_of_a_request), cmocka_unit_test(test_requests_that_are_refused),
        cmocka_unit_test(test_missing_content),        cmocka_unit_test(test_arguments_as_text),
        cmocka_unit_test(test_parts_of_text),          cmocka_unit_test(test_changes_together),
        cmocka_unit_test(test_origin_of_the_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

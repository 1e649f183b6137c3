/* SPDX-License-Identifier: MIT */
/* Templates are untrusted programs: each of these asks for too much of something and has to end in a status, soon, with nothing leaked;
 * and every allocation of a rendering may fail. */
#include "base/clock.h"                  /* slm__clock_ns */
#include "tests/unit/template_fixture.h" /* render_template */

enum { SECONDS_LIMIT = 20 }; /* generous: sanitizers and busy machines */

/* Renders over a few variables and checks status and time. */
static void expect(const char *what, struct slm_span source, slm_status status)
{
    static const char variables[] = "{\"n\":7,\"s\":\"text\",\"l\":[3,1,2],\"d\":{\"a\":1}}";
    struct rendering r;
    uint64_t start = slm__clock_ns();
    render_template(&r, source, slm__span_text(variables), default_options());
    double seconds = (double)(slm__clock_ns() - start) * 1e-9;
    if (r.status != status || seconds > SECONDS_LIMIT) {
        print_message("%s: status %d (%s) after %.2f s\n", what, (int)r.status, r.error.message, seconds);
    }
    assert_int_equal(r.status, status);
    assert_true(seconds <= SECONDS_LIMIT);
    assert_true(status == SLM_OK || (r.text.length == 0 && r.error.message[0] != '\0'));
    rendering_free(&r);
}

static void test_endless_work(void **state)
{
    (void)state;
    static const char *const templates[] = {
        "{% for a in range(100000) %}{% for b in range(100000) %}{% for c in range(100000) %}{% endfor %}{% endfor %}{% endfor %}",
        "{% set ns = namespace(i=0) %}{% for a in range(90000) %}{% for b in [1, 2, 3, 4, 5, 6, 7, 8, 9] * 100 %}{% set ns.i = ns.i + 1 "
        "%}{% endfor %}{% endfor %}",
        "{% set ns = namespace(s='ab') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(s='ab') %}{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(100) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(100) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(100) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l == ns.l }}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(1000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(1000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l|tojson }}",
        "{% set ns = namespace(l=[1], k=[1]) %}{% for i in range(1000) %}{% set ns.l = [ns.l] %}{% set ns.k = [ns.k] %}{% endfor %}{{ ns.l "
        "== ns.k }}",
        "{% set ns = namespace(l={}) %}{% for i in range(1000) %}{% set ns.l = {'a': ns.l} %}{% endfor %}{{ ns.l|tojson(indent=4) }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% macro f(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(1) }}",
        "{% macro f(n) %}{% if n > 0 %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(40) }}",
        "{% macro f(n=f()) %}{% endmacro %}{{ f() }}",
        "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{{ 'a' * 1000000000 }}",
        "{{ 'a' * 9223372036854775807 }}",
        "{{ [1] * 9223372036854775807 }}",
        "{{ 'a'.center(9223372036854775807) }}",
        "{{ 'a'.ljust(999999999999) }}",
        "{{ '%999999999s' % 'a' }}",
        "{{ '{:999999999}'.format('a') }}",
        "{{ l|tojson(indent=999999999) }}",
        "{{ 'a'|indent(999999999, true) }}",
        "{{ [1]|batch(999999999, 0)|list }}",
        "{% for i in range(100000) %}0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
        "01234567890123456789012345678901234567890123456789012345678901234567890123456789{% endfor %}",
        "{% set s = 'a' * 1000000 %}{% for i in range(100000) %}{{ s.replace('a', 'bb')|length }}{% endfor %}",
        "{% set s = 'a' * 1000000 %}{% for i in range(100000) %}{{ s is upper }}{% endfor %}",
        "{% set s = 'a' * 1000000 %}{% for i in range(100000) %}{{ 'b' in s }}{% endfor %}",
        "{% set s = 'a' * 1000000 %}{% for i in range(100000) %}{{ s.split('aaab')|length }}{% endfor %}",
        "{% set s = 'a' * 1000000 %}{% set t = 'a' * 400000 ~ 'b' %}{% for i in range(100000) %}{{ t in s }}{% endfor %}",
        "{% set s = 'a' * 1000000 %}{% set t = 'b' ~ 'a' * 400000 %}{% for i in range(100000) %}{{ t in s }}{{ s.rfind(t) }}{% endfor %}",
        "{% set s = 'a' * 1000000 %}{% set t = 'a' * 1000000 %}{% for i in range(100000) %}{{ s == t }}{% endfor %}",
        "{% set s = 'a' * 1000000 %}{% set t = 'b' * 1000000 ~ 'a' %}{% for i in range(100000) %}{{ s.strip(t) }}{% endfor %}",
        "{% set s = [0] * 1000000 %}{% set t = [0] * 1000000 %}{% for i in range(100000) %}{{ s == t }}{% endfor %}",
        "{% set s = [0] * 1000000 %}{% for i in range(100000) %}{{ 1 in s }}{{ s.count(1) }}{{ s|sum }}{{ s|max }}{% endfor %}",
        "{% set k = 'a' * 1000000 %}{% set d = {k ~ 1: 1, k ~ 2: 2, k ~ 3: 3} %}{% for i in range(100000) %}{{ d[k ~ 'b'] }}{% endfor %}",
        "{% for i in range(100000) %}{{ dict(l|map('string')|map('list')|map('first')|batch(2)|list|first|batch(2)|list) }}{% endfor %}",
    };
    for (size_t i = 0; i < sizeof templates / sizeof templates[0]; i++) {
        expect(templates[i], slm__span_text(templates[i]), SLM_E_LIMIT);
    }
}

/* `count` times `open`, then `middle`, then `count` times `close`. */
static char *nested(const char *open, const char *middle, const char *close, size_t count, size_t *length)
{
    size_t a = strlen(open);
    size_t b = strlen(close);
    char *text = malloc((a + b) * count + strlen(middle) + 1);
    assert_non_null(text);
    char *at = text;
    for (size_t i = 0; i < count; i++, at += a) {
        memcpy(at, open, a);
    }
    memcpy(at, middle, strlen(middle));
    at += strlen(middle);
    for (size_t i = 0; i < count; i++, at += b) {
        memcpy(at, close, b);
    }
    *length = (size_t)(at - text);
    return text;
}

static void expect_nested(const char *before, const char *open, const char *middle, const char *close, const char *after, size_t count,
                          slm_status status)
{
    size_t length = 0;
    char *inner = nested(open, middle, close, count, &length);
    char *text = malloc(strlen(before) + length + strlen(after) + 1);
    assert_non_null(text);
    size_t total = strlen(before);
    memcpy(text, before, total);
    memcpy(text + total, inner, length);
    total += length;
    memcpy(text + total, after, strlen(after));
    total += strlen(after);
    expect(open, slm__span(text, total), status);
    free(inner);
    free(text);
}

static void test_deep_nesting(void **state)
{
    (void)state;
    static const size_t deep = 100000;
    expect_nested("{{ ", "(", "1", ")", " }}", deep, SLM_E_LIMIT);
    expect_nested("{{ ", "[", "1", "]", " }}", deep, SLM_E_LIMIT);
    expect_nested("{{ ", "{1: ", "1", "}", " }}", deep, SLM_E_LIMIT);
    expect_nested("{{ ", "-", "1", "", " }}", deep, SLM_E_LIMIT);
    expect_nested("{{ ", "not ", "1", "", " }}", deep, SLM_E_LIMIT);
    expect_nested("{{ l", "[0]", "", "", " }}", deep, SLM_E_LIMIT);
    expect_nested("{{ l", ".a", "", "", " }}", deep, SLM_E_LIMIT);
    expect_nested("{{ l", "|list", "", "", " }}", deep, SLM_E_LIMIT);
    expect_nested("{{ ", "1 if 1 else ", "1", "", " }}", deep, SLM_E_LIMIT);
    expect_nested("{{ 1", " if 1", "", "", " }}", deep, SLM_E_LIMIT);
    expect_nested("", "{% if 1 %}", "x", "{% endif %}", "", deep, SLM_E_LIMIT);
    expect_nested("", "{% for i in l %}", "x", "{% endfor %}", "", deep, SLM_E_LIMIT);
    expect_nested("", "{% macro f() %}", "x", "{% endmacro %}", "", deep, SLM_E_LIMIT);
    expect_nested("{% for ", "(a, ", "b", ")", " in l %}{% endfor %}", deep, SLM_E_LIMIT);
    expect_nested("{% filter upper", "|upper", "", "", " %}x{% endfilter %}", deep, SLM_E_LIMIT);
    /* What is long but not deep is fine. */
    expect_nested("{{ 1", " + 1", "", "", " }}", 5000, SLM_OK);
    expect_nested("{{ 'a'", " ~ 'b'", "", "", " }}", 5000, SLM_OK);
    expect_nested("{{ 1", " and 1", "", "", " }}", 5000, SLM_OK);
    expect_nested("{% if 0 %}", "{% elif 0 %}", "", "", "{% endif %}", 5000, SLM_OK);
    expect_nested("{{ ", "(", "1", ")", " }}", 60, SLM_OK);
    expect_nested("", "{% if 1 %}", "x", "{% endif %}", "", 60, SLM_OK);
}

static void test_limits_of_options(void **state)
{
    (void)state;
    struct rendering r;
    struct slm_template_options options = default_options();
    options.output_limit = 100;
    render_template(&r, slm__span_text("{% for i in range(50) %}abc{% endfor %}"), slm__span_text("{}"), options);
    assert_int_equal(r.status, SLM_E_LIMIT);
    rendering_free(&r);
    options = default_options();
    options.step_limit = 100;
    render_template(&r, slm__span_text("{% for i in range(500) %}{% endfor %}"), slm__span_text("{}"), options);
    assert_int_equal(r.status, SLM_E_LIMIT);
    rendering_free(&r);
    options = default_options();
    options.memory_limit = 20000;
    render_template(&r, slm__span_text("{{ range(5000)|list }}"), slm__span_text("{}"), options);
    assert_int_equal(r.status, SLM_E_LIMIT);
    rendering_free(&r);
}

/* ---- failing allocations ---- */

struct failing_memory {
    size_t until_failure; /* allocations that still succeed */
    size_t live;
    bool failed;
};

static void *failing_allocate(void *user, uint64_t bytes, uint64_t alignment)
{
    struct failing_memory *memory = user;
    if (memory->until_failure == 0) {
        memory->failed = true;
        memory->until_failure = SIZE_MAX;
        return NULL;
    }
    memory->until_failure--;
    memory->live++;
    struct slm_memory system = slm__memory_default();
    return slm__allocate(&system, (size_t)bytes, (size_t)alignment);
}

static void failing_release(void *user, void *block, uint64_t bytes)
{
    struct failing_memory *memory = user;
    struct slm_memory system = slm__memory_default();
    memory->live -= block != NULL;
    slm__release(&system, block, (size_t)bytes);
}

static const char chat_source[] = "{% macro f(a, b='x') %}<{{ a }}{{ b|upper }}>{% endmacro %}{% set ns = namespace(l=[]) %}{% for m in "
                                  "messages %}{% set ns.l = ns.l + [m.role] %}"
                                  "{{ f(m.content) }}{% if m.tool_calls is defined %}{% for c in m.tool_calls %}{{ c.function.name ~ "
                                  "c.function.arguments|tojson(indent=2) }}"
                                  "{% endfor %}{% endif %}{% endfor %}{{ ns.l|join(',') }}{{ range(300)|list|length }}{{ bos_token }}";
static const char chat_request[] =
    "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\",\"x\":null},{\"role\":\"assistant\",\"tool_calls\":[{\"type\":\"function\","
    "\"function\":"
    "{\"name\":\"f\",\"arguments\":\"{\\\"a\\\": [1, 2.5]}\"}}]},{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"parts\"}]}],"
    "\"extra\":{\"x\":1}}";

static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    size_t failures = 0;
    for (size_t n = 0;; n++) {
        struct failing_memory failing = {n, 0, false};
        struct slm_memory memory = {failing_allocate, failing_release, &failing};
        struct slm_template_options options = default_options();
        struct rendering r;
        rendering_init(&r, &memory);
        options.pieces = &r.pieces;
        r.status = slm__chat_render(&memory, slm__span_text(chat_source), slm__span_text(chat_request),
                                    slm__span_text("{\"bos_token\":\"<s>\"}"), &options, &r.text, &r.error);
        assert_int_equal(r.status, failing.failed ? SLM_E_NO_MEMORY : SLM_OK);
        assert_true(r.status == SLM_OK || r.text.length == 0);
        failures += failing.failed;
        rendering_free(&r);
        assert_int_equal(failing.live, 0);
        if (!failing.failed) {
            break;
        }
    }
    print_message("%zu allocations failed, one at a time\n", failures);
    assert_true(failures > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_endless_work),
        cmocka_unit_test(test_deep_nesting),
        cmocka_unit_test(test_limits_of_options),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

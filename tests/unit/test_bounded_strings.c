/* SPDX-License-Identifier: MIT */
/* Strings of a language with at most so many characters, counted while matching: the same bytes are allowed at every place as with an
 * automaton that counts. */
#include "grammar/ecma_regex.h"         /* slm__regex_compile */
#include "tests/unit/grammar_fixture.h" /* struct match */

enum { WALKS = 60, WALK_BYTES = 60 };

static const char *const patterns[] = {
    "^[a-c]*$",
    "^(ab)*$",
    "^(a|bcd|\\u20AC\\u20AC)*$",
    "x",
    "^.*$",
    "^([\\0-\\x1f\\u00e9]|\"ab|\\u{1F600}{2}z)+$",
    "^(a*b){2,}$",
    "\\/[^]*\\u{10FFFF}?",
};

enum { PATTERNS = sizeof patterns / sizeof patterns[0] };

static void compile(struct match *match, slm_node (*make)(struct slm_grammar_builder *, const struct slm_regular *, uint32_t),
                    const struct slm_regular *words, uint32_t most)
{
    struct slm_grammar_builder builder = new_builder();
    slm_node quote = text_node(&builder, "\"");
    slm_node parts[3] = {quote, make(&builder, words, most), quote};
    open_match(match, &builder, slm__node_sequence(&builder, parts, 3), 1 << 20);
}

static slm_node plain(struct slm_grammar_builder *builder, const struct slm_regular *words, uint32_t most)
{
    (void)most;
    return slm__node_json_lifted(builder, words);
}

/* The same random bytes through both, as long as they are allowed. */
static void walk(struct match *counted, struct match *expected, struct slm_random *random, const char *pattern, uint32_t most)
{
    slm_state a = counted->states.start;
    slm_state b = expected->states.start;
    char text[WALK_BYTES + 1] = "";
    for (size_t i = 0; i < WALK_BYTES; i++) {
        uint8_t choices[256];
        uint32_t count = 0;
        for (unsigned byte = 0; byte < 256; byte++) {
            bool here = slm__byte_set_has(&counted->states.states[a].allowed, (uint8_t)byte);
            bool there = slm__byte_set_has(&expected->states.states[b].allowed, (uint8_t)byte);
            if (here != there) {
                fail_msg("%s, at most %u, after '%s': byte %u is %d, not %d", pattern, most, text, byte, here, there);
            }
            choices[count] = (uint8_t)byte;
            count += here;
        }
        assert_int_equal(counted->states.states[a].complete, expected->states.states[b].complete);
        if (count == 0) {
            break;
        }
        uint32_t quiet = (uint32_t)(slm__random_u64(random) >> 40) % 4; /* escapes are few among the bytes, so prefer them at times */
        uint8_t byte = choices[(uint32_t)(slm__random_u64(random) >> 33) % count];
        byte = quiet == 0 && slm__byte_set_has(&counted->states.states[a].allowed, '\\') ? (uint8_t)'\\' : byte;
        text[i] = (char)byte;
        a = next_state(counted, a, byte);
        b = next_state(expected, b, byte);
        assert_true(a != SLM_STATE_DEAD && b != SLM_STATE_DEAD);
    }
    slm_state end = counted->states.start;
    uint32_t cost = slm__match_cost(&counted->states, end);
    assert_true(cost >= slm__match_cost(&expected->states, expected->states.start));
}

static void same_as_automata(void **state)
{
    (void)state;
    struct slm_memory memory = slm__memory_default();
    struct slm_random random;
    slm__random_seed(&random, 7);
    for (uint32_t i = 0; i < PATTERNS; i++) {
        struct slm_arena arena;
        slm__arena_init(&arena, &memory, 1 << 26);
        struct slm_regular_space space = {&arena, SLM_REGULAR_STATE_LIMIT};
        struct slm_regular words;
        assert_int_equal(slm__regex_compile(&space, slm__span_text(patterns[i]), SLM_REGEX_SEARCH, &words, NULL), SLM_OK);
        for (uint32_t most = 2; most < 10; most++) {
            struct slm_regular cut;
            struct match counted;
            struct match expected;
            assert_int_equal(slm__regular_with_length(&space, &words, 0, most, &cut, NULL), SLM_OK);
            if (slm__regular_is_empty(&cut)) {
                continue;
            }
            compile(&counted, slm__node_json_lifted_most, &words, most);
            compile(&expected, plain, &cut, 0);
            for (int k = 0; k < WALKS; k++) {
                walk(&counted, &expected, &random, patterns[i], most);
            }
            close_match(&counted);
            close_match(&expected);
        }
        slm__arena_free(&arena);
    }
}

static void nothing_is_short_enough(void **state)
{
    (void)state;
    struct slm_memory memory = slm__memory_default();
    struct slm_arena arena;
    slm__arena_init(&arena, &memory, 1 << 26);
    struct slm_regular_space space = {&arena, SLM_REGULAR_STATE_LIMIT};
    struct slm_regular words;
    struct slm_grammar_builder builder = new_builder();
    struct slm_grammar *grammar = NULL;
    slm_error error = {sizeof error, 0, ""};
    assert_int_equal(slm__regex_compile(&space, slm__span_text("^abc+$"), SLM_REGEX_SEARCH, &words, NULL), SLM_OK);
    slm_node root = slm__node_json_lifted_most(&builder, &words, 2);
    assert_int_equal(slm__grammar_compile(&builder, root, &(struct slm_grammar_limits){0}, &memory, &grammar, &error), SLM_E_BAD_VALUE);
    assert_int_equal(slm__node_json_lifted_most(&builder, &words, 70000), SLM_NODE_NEVER);
    assert_int_equal(slm__grammar_builder_failure(&builder, &error), SLM_E_LIMIT);
    slm__grammar_builder_free(&builder);
    slm__arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_as_automata), cmocka_unit_test(nothing_is_short_enough)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

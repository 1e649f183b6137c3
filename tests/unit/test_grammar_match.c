/* SPDX-License-Identifier: MIT */
/* Compiling and matching: random grammars against a matcher that tries everything, strings and objects against lists, limits, failures. */
#include "tests/unit/grammar_fixture.h" /* struct match */

enum { LETTERS = 3, LONGEST = 6 };

/* ---- Random grammars ---- */

static uint32_t below(struct slm_random *random, uint32_t n) { return (uint32_t)(slm__random_u64(random) >> 33) % n; }

static slm_node random_node(struct slm_grammar_builder *builder, struct slm_random *random, const slm_rule *rules, unsigned depth)
{
    slm_node children[3];
    const uint32_t count = 1 + below(random, 3);
    const uint32_t kind = depth == 0 ? below(random, 3) : below(random, 7);
    if (kind == 0) {
        return SLM_NODE_EMPTY;
    }
    if (kind == 1) {
        char text[3] = {(char)('a' + below(random, LETTERS)), (char)('a' + below(random, LETTERS)), 0};
        text[1 + below(random, 2)] = 0;
        return text_node(builder, text);
    }
    if (kind == 2) {
        struct slm_byte_set set = {{0}};
        slm__byte_set_add(&set, (uint8_t)('a' + below(random, LETTERS)));
        slm__byte_set_add(&set, (uint8_t)('a' + below(random, LETTERS)));
        return slm__node_bytes(builder, &set);
    }
    if (kind == 6) { /* a letter before the rule: no left recursion */
        children[0] = text_node(builder, "c");
        children[1] = slm__node_rule(builder, rules[below(random, 2)]);
        return slm__node_sequence(builder, children, 2);
    }
    for (uint32_t i = 0; i < count; i++) {
        children[i] = random_node(builder, random, rules, depth - 1);
    }
    if (kind == 3) {
        return slm__node_sequence(builder, children, count);
    }
    if (kind == 4) {
        return slm__node_choice(builder, children, count);
    }
    const uint32_t min = below(random, 3);
    return slm__node_repeat(builder, children[0], min, below(random, 2) ? SLM_REPEAT_NO_END : min + below(random, 3));
}

static slm_node random_grammar(struct slm_grammar_builder *builder, uint64_t seed, slm_rule rules[2])
{
    struct slm_random random;
    slm__random_seed(&random, seed);
    rules[0] = slm__node_rule_new(builder, slm__span_text("first"));
    rules[1] = slm__node_rule_new(builder, slm__span_text("second"));
    slm__node_rule_define(builder, rules[0], random_node(builder, &random, rules, 3));
    slm__node_rule_define(builder, rules[1], random_node(builder, &random, rules, 2));
    return random_node(builder, &random, rules, 4);
}

/* The places where `node` can end in text[length] from one of the places of `from`: bit i is place i. */
static uint32_t ends(const struct slm_grammar_builder *builder, slm_node node, const char *text, uint32_t length, uint32_t from)
{
    const struct slm_node_record *record = (const struct slm_node_record *)(const void *)builder->nodes.data + node;
    const slm_node *children = (const slm_node *)(const void *)builder->words.data + record->a;
    uint32_t to = 0;
    if (from == 0) {
        return 0;
    }
    switch ((enum slm_node_kind)record->kind) {
    case SLM_NODE_KIND_NEVER: return 0;
    case SLM_NODE_KIND_EMPTY: return from;
    case SLM_NODE_KIND_BYTES:
        for (uint32_t i = 0; i < length; i++) {
            const struct slm_byte_set *set = (const struct slm_byte_set *)(const void *)builder->sets.data + record->a;
            to |= (from >> i & 1) && slm__byte_set_has(set, (uint8_t)text[i]) ? 2u << i : 0;
        }
        return to;
    case SLM_NODE_KIND_TEXT:
        for (uint32_t i = 0; i + record->b <= length; i++) {
            to |= (from >> i & 1) && memcmp(text + i, builder->texts.data + record->a, record->b) == 0 ? 1u << (i + record->b) : 0;
        }
        return to;
    case SLM_NODE_KIND_SEQUENCE:
        for (uint32_t i = 0; i < record->b; i++) {
            from = ends(builder, children[i], text, length, from);
        }
        return from;
    case SLM_NODE_KIND_CHOICE:
        for (uint32_t i = 0; i < record->b; i++) {
            to |= ends(builder, children[i], text, length, from);
        }
        return to;
    case SLM_NODE_KIND_REPEAT:
        to = record->b == 0 ? from : 0;
        for (uint32_t turn = 1; turn <= LONGEST + 3 && (record->c == SLM_REPEAT_NO_END || turn <= record->c); turn++) {
            from = ends(builder, record->a, text, length, from);
            to |= turn >= record->b ? from : 0;
        }
        return to;
    case SLM_NODE_KIND_RULE:
        return ends(builder, ((const struct slm_rule_record *)(const void *)builder->rules.data)[record->a].definition, text, length, from);
    default: fail(); return 0;
    }
}

/* Every text of up to LONGEST letters: the same answer; every state says truly what may follow, is no dead end, and some letter brings the
 * end nearer. */
static uint32_t compare_texts(struct match *match, const struct slm_grammar_builder *oracle, slm_node root, char *text, uint32_t length,
                              slm_state state)
{
    const bool expected = (ends(oracle, root, text, length, 1) >> length & 1) != 0;
    const bool complete = state != SLM_STATE_DEAD && match->states.states[state].complete;
    if (expected != complete) {
        text[length] = 0;
        fail_msg("'%s': %d, not %d", text, complete, expected);
    }
    uint32_t accepted = complete;
    bool goes_on = complete;
    uint32_t nearest = UINT32_MAX;
    for (uint32_t letter = 0; letter < LETTERS && length < LONGEST; letter++) {
        text[length] = (char)('a' + letter);
        slm_state next = state == SLM_STATE_DEAD ? SLM_STATE_DEAD : next_state(match, state, (uint8_t)text[length]);
        goes_on = goes_on || next != SLM_STATE_DEAD;
        const uint32_t cost = next == SLM_STATE_DEAD ? UINT32_MAX : slm__match_cost(&match->states, next);
        nearest = cost < nearest ? cost : nearest;
        accepted += compare_texts(match, oracle, root, text, length + 1, next);
    }
    if (state != SLM_STATE_DEAD && length < LONGEST) {
        assert_true(goes_on);
        assert_true(complete || nearest < slm__match_cost(&match->states, state));
        struct slm_byte_set allowed = match->states.states[state].allowed;
        for (uint32_t byte = 0; byte < 256; byte++) {
            assert_int_equal(slm__byte_set_has(&allowed, (uint8_t)byte), next_state(match, state, (uint8_t)byte) != SLM_STATE_DEAD);
        }
    }
    return accepted;
}

static void random_grammars(void **state)
{
    (void)state;
    uint32_t accepted = 0;
    uint32_t compiled = 0;
    for (uint64_t seed = 0; seed < 3000; seed++) {
        slm_rule rules[2];
        struct slm_grammar_builder builder = new_builder();
        struct slm_grammar_builder oracle = new_builder();
        slm_node root = random_grammar(&builder, seed, rules);
        assert_int_equal(random_grammar(&oracle, seed, rules), root);
        assert_int_equal(oracle.status, SLM_OK);
        struct slm_memory memory = slm__memory_default();
        struct match match;
        slm_error error = {sizeof error, 0, ""};
        slm_status status = slm__grammar_compile(&builder, root, &(struct slm_grammar_limits){0}, &memory, &match.grammar, &error);
        char text[LONGEST + 1];
        if (status == SLM_OK) {
            open_states(&match, 1 << 20);
            accepted += compare_texts(&match, &oracle, root, text, 0, match.states.start);
            close_match(&match);
            compiled++;
        } else {
            assert_int_equal(status, SLM_E_BAD_VALUE);
        }
        slm__grammar_builder_free(&builder);
        slm__grammar_builder_free(&oracle);
    }
    assert_true(compiled > 2000);
    assert_true(accepted > 20000);
}

/* ---- Left recursion, missing rules ---- */

static void refused_grammars(void **state)
{
    (void)state;
    struct slm_memory memory = slm__memory_default();
    struct slm_grammar *grammar = NULL;
    for (int kind = 0; kind < 3; kind++) {
        struct slm_grammar_builder builder = new_builder();
        slm_error error = {sizeof error, 0, ""};
        slm_rule rule = slm__node_rule_new(&builder, slm__span_text("expression"));
        const slm_node maybe = slm__node_repeat(&builder, text_node(&builder, "-"), 0, 1);
        const slm_node left[3] = {maybe, slm__node_rule(&builder, rule), text_node(&builder, "+")};
        const slm_node right[2] = {text_node(&builder, "-"), slm__node_rule(&builder, rule)};
        if (kind > 0) {
            slm__node_rule_define(&builder, rule,
                                  kind == 1 ? slm__node_sequence(&builder, left, 3) : slm__node_sequence(&builder, right, 2));
        }
        slm_status status =
            slm__grammar_compile(&builder, slm__node_rule(&builder, rule), &(struct slm_grammar_limits){0}, &memory, &grammar, &error);
        assert_int_equal(status, kind == 2 ? SLM_E_BAD_VALUE : SLM_E_SYNTAX);
        assert_true(kind == 2 || strstr(error.message, "expression") != NULL);
        slm__grammar_builder_free(&builder);
    }
}

/* ---- Strings ---- */

static void json_strings(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid; /* of 1 to 3 characters */
    } cases[] = {
        {"\"\"", false},
        {"\"a\"", true},
        {"\"abc\"", true},
        {"\"abcd\"", false},
        {"\"\\n\\u00e9\\\"\"", true},
        {"\"\\x\"", false},
        {"\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"", true},
        {"\"\xC3\"", false},
        {"\"\xED\xA0\x80\"", false},
        {"\"\xE0\x80\x80\"", false},
        {"\"\\ud83d\\ude00\"", true},
        {"\"\\ud83d\"", false},
        {"\"\\ude00\"", false},
        {"\"\\ud83d\\n\"", false},
        {"\"\x1F\"", false},
        {"\"\\ud83d\\ude00ab\"", true},
        {"\"\\ud83d\\ude00abc\"", false},
        {"\"\xF4\x90\x80\x80\"", false},
        {"\"\xF0\x90\x80\x80\"", true},
    };
    struct slm_grammar_builder builder = new_builder();
    const slm_node parts[3] = {text_node(&builder, "\""), slm__node_json_chars(&builder, 1, 3), text_node(&builder, "\"")};
    struct match match;
    open_match(&match, &builder, slm__node_sequence(&builder, parts, 3), 1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (accepts(&match, cases[i].text) != cases[i].valid) {
            fail_msg("%s: %d", cases[i].text, !cases[i].valid);
        }
    }
    close_match(&match);
}

static void lifted_strings(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"\"a\"", true},
        {"\"\xC3\xA9\"", true},
        {"\"\\u00e9\"", true},
        {"\"\\u00E9\"", true},
        {"\"\\u0061\"", false},
        {"\"\\\"/\"", true},
        {"\"\\u0022\\/\"", true},
        {"\"\\u0022\\u002f\"", false},
        {"\"\\ud83d\\ude00\"", true},
        {"\"\xF0\x9F\x98\x80\"", true},
        {"\"\\n\"", true},
        {"\"\\u000a\"", true},
        {"\"\\u000b\"", false},
        {"\"b\"", false},
        {"\"\\ud83d\\ude01\"", false},
    };
    const struct slm_span words[] = {{(const uint8_t *)"a", 1},
                                     {(const uint8_t *)"\xC3\xA9", 2},
                                     {(const uint8_t *)"\"/", 2},
                                     {(const uint8_t *)"\xF0\x9F\x98\x80", 4},
                                     {(const uint8_t *)"\n", 1}};
    struct slm_memory memory = slm__memory_default();
    struct slm_arena arena;
    struct slm_regular regular;
    slm_error error = {sizeof error, 0, ""};
    slm__arena_init(&arena, &memory, 1 << 20);
    assert_int_equal(slm__regular_texts(&(struct slm_regular_space){&arena, 1000}, words, 5, &regular, &error), SLM_OK);
    struct slm_grammar_builder builder = new_builder();
    const slm_node parts[3] = {text_node(&builder, "\""), slm__node_json_lifted(&builder, &regular), text_node(&builder, "\"")};
    struct match match;
    open_match(&match, &builder, slm__node_sequence(&builder, parts, 3), 1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (accepts(&match, cases[i].text) != cases[i].valid) {
            fail_msg("%s: %d", cases[i].text, !cases[i].valid);
        }
    }
    close_match(&match);
    slm__arena_free(&arena);
}

/* ---- Objects ---- */

struct object_case {
    const char *text;
    int accepted; /* bit 0: in order, bit 1: in any order */
};

static slm_node digit_object(struct slm_grammar_builder *builder, struct slm_object_shape *shape, bool any_order)
{
    shape->order = any_order ? SLM_OBJECT_ANY_ORDER : SLM_OBJECT_IN_ORDER;
    shape->space = slm__node_repeat(builder, text_node(builder, " "), 0, 1);
    return slm__node_object(builder, shape);
}

static void check_object(struct slm_object_shape *shape, struct slm_object_member *members, uint32_t count, slm_node pattern_value,
                         const struct object_case *cases, size_t case_count)
{
    for (int any = 0; any < 2; any++) {
        struct slm_grammar_builder builder = new_builder();
        struct slm_byte_set digits = {{0}};
        slm__byte_set_add_range(&digits, '0', '9');
        for (uint32_t i = 0; i < count; i++) {
            members[i].value = slm__node_bytes(&builder, &digits);
        }
        struct slm_object_pattern pattern = {NULL, pattern_value != 0 ? text_node(&builder, "x") : SLM_NODE_NEVER};
        shape->members = members;
        shape->member_count = count;
        shape->patterns = &pattern;
        shape->pattern_count = 1;
        struct match match;
        open_match(&match, &builder, digit_object(&builder, shape, any != 0), 1 << 20);
        for (size_t i = 0; i < case_count; i++) {
            if (accepts(&match, cases[i].text) != (cases[i].accepted >> any & 1)) {
                fail_msg("%s, any order %d", cases[i].text, any);
            }
        }
        close_match(&match);
    }
}

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static void objects(void **state)
{
    (void)state;
    struct slm_object_member members[] = {{slm__span_text("a"), 0, true},
                                          {slm__span_text("b"), 0, false},
                                          {slm__span_text("ab\xC3\xA9"), 0, true},
                                          {slm__span_text("c"), 0, false}};
    static const struct object_case closed[] = {{"{\"a\":1,\"ab\xC3\xA9\":2}", 3},
                                                {"{\"a\":1,\"ab\\u00e9\":2}", 3},
                                                {"{ \"a\" : 1 , \"b\" : 2 , \"ab\xC3\xA9\" : 3 , \"c\" : 4 }", 3},
                                                {"{\"ab\xC3\xA9\":1,\"a\":1}", 2},
                                                {"{\"a\":1}", 0},
                                                {"{\"a\":1,\"a\":1,\"ab\xC3\xA9\":2}", 0},
                                                {"{\"a\":1,\"d\":1,\"ab\xC3\xA9\":2}", 0},
                                                {"{\"b\":1,\"a\":1,\"c\":3,\"ab\xC3\xA9\":2}", 2},
                                                {"{}", 0},
                                                {"{\"a\":1,}", 0},
                                                {"{\"a\":x,\"ab\xC3\xA9\":2}", 0}};
    struct slm_object_shape shape = {.max_properties = UINT32_MAX};
    check_object(&shape, members, 4, 0, closed, COUNT_OF(closed));
    static const struct object_case open[] = {{"{\"a\":1,\"ab\xC3\xA9\":2,\"abc\":x}", 3},
                                              {"{\"a\":1,\"abc\":x,\"ab\xC3\xA9\":2}", 2},
                                              {"{\"a\":1,\"ab\xC3\xA9\":2,\"\":x}", 3},
                                              {"{\"a\":1,\"ab\xC3\xA9\":2,\"b\":x}", 0},
                                              {"{\"a\":1,\"ab\xC3\xA9\":2,\"\\u0062\":x}", 0},
                                              {"{\"a\":1,\"ab\xC3\xA9\":2,\"\\u0062z\":x}", 3},
                                              {"{\"a\":1,\"ab\xC3\xA9\":2,\"ab\":x,\"ab\":x}", 3},
                                              {"{\"a\":1,\"ab\xC3\xA9\":2,\"ab\":1}", 0}};
    check_object(&shape, members, 4, 1, open, COUNT_OF(open));
}

static void counted_objects(void **state)
{
    (void)state;
    struct slm_object_member members[] = {
        {slm__span_text("a"), 0, false}, {slm__span_text("b"), 0, false}, {slm__span_text("c"), 0, false}, {slm__span_text("d"), 0, false}};
    static const struct object_case two[] = {
        {"{}", 0},       {"{\"a\":1}", 0},         {"{\"a\":1,\"d\":1}", 3},         {"{\"c\":1,\"d\":1}", 3},
        {"{\"d\":1", 0}, {"{\"d\":1,\"a\":1}", 2}, {"{\"a\":1,\"b\":1,\"c\":1}", 3}, {"{\"a\":1,\"b\":1,\"c\":1,\"d\":1}", 0}};
    struct slm_object_shape shape = {.min_properties = 2, .max_properties = 3};
    check_object(&shape, members, 4, 0, two, COUNT_OF(two));
    /* a needs c, c needs b */
    static const uint32_t c = 2;
    static const uint32_t b = 1;
    const struct slm_object_dependency needs[] = {{0, &c, 1}, {2, &b, 1}};
    static const struct object_case needing[] = {{"{}", 3},
                                                 {"{\"a\":1}", 0},
                                                 {"{\"b\":1}", 3},
                                                 {"{\"c\":1}", 0},
                                                 {"{\"b\":1,\"c\":1}", 3},
                                                 {"{\"a\":1,\"b\":1,\"c\":1}", 3},
                                                 {"{\"a\":1,\"c\":1,\"b\":1}", 2},
                                                 {"{\"d\":1,\"a\":1}", 0},
                                                 {"{\"a\":1,\"b\":1,\"c\":1,\"d\":1}", 3},
                                                 {"{\"a\":1,\"c\":1,\"d\":1}", 0}};
    shape = (struct slm_object_shape){.max_properties = UINT32_MAX, .dependencies = needs, .dependency_count = 2};
    check_object(&shape, members, 4, 0, needing, COUNT_OF(needing));
    static const struct object_case at_most[] = {
        {"{\"a\":1,\"b\":1,\"c\":1}", 0}, {"{\"a\":1", 0}, {"{\"b\":1,\"c\":1}", 3}, {"{\"d\":1,\"c\":1,\"b\":1}", 0}};
    shape.max_properties = 2;
    check_object(&shape, members, 4, 0, at_most, COUNT_OF(at_most));
}

/* A deep match in a cache that is far too small gives the same answers. */
static void small_cache(void **state)
{
    (void)state;
    struct slm_grammar_builder builder = new_builder();
    slm_rule value = slm__node_rule_new(&builder, slm__span_text("value"));
    struct slm_object_member members[40];
    char keys[40][16];
    for (int i = 0; i < 40; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", i);
        members[i] = (struct slm_object_member){slm__span_text(keys[i]), slm__node_rule(&builder, value), false};
    }
    struct slm_object_shape shape = {
        .members = members, .member_count = 40, .max_properties = UINT32_MAX, .order = SLM_OBJECT_ANY_ORDER, .space = SLM_NODE_EMPTY};
    const slm_node string[3] = {text_node(&builder, "\""), slm__node_json_chars(&builder, 0, 10000), text_node(&builder, "\"")};
    const slm_node either[2] = {slm__node_object(&builder, &shape), slm__node_sequence(&builder, string, 3)};
    slm__node_rule_define(&builder, value, slm__node_choice(&builder, either, 2));
    struct match match;
    open_match(&match, &builder, slm__node_rule(&builder, value), 1);
    char *text = malloc(1 << 20);
    size_t length = 0;
    for (int depth = 0; depth < 100; depth++) {
        for (int i = 39; i >= 0; i--) {
            length += (size_t)sprintf(text + length, "%s\"k%d\":%s", i == 39 ? "{" : ",", (i + depth) % 40,
                                      i == 0 ? "" : "\"some text of some length\"");
        }
    }
    length += (size_t)sprintf(text + length, "\"end\"");
    memset(text + length, '}', 100);
    text[length + 100] = 0;
    assert_true(accepts(&match, text));
    text[length + 99] = ',';
    assert_false(accepts(&match, text));
    free(text);
    close_match(&match);
}

/* ---- Failures of memory ---- */

struct meter {
    int left;
};

static void *metered(void *user, uint64_t bytes, uint64_t alignment)
{
    struct meter *meter = user;
    return meter->left-- > 0 ? aligned_alloc((size_t)alignment, (size_t)((bytes + alignment - 1) / alignment * alignment)) : NULL;
}

static void give_back(void *user, void *memory, uint64_t bytes)
{
    (void)user;
    (void)bytes;
    free(memory);
}

static void memory_failures(void **state)
{
    (void)state;
    slm_status status = SLM_E_NO_MEMORY;
    for (int allowed = 0; status != SLM_OK && allowed < 1000; allowed++) {
        struct meter meter = {allowed};
        struct slm_memory memory = {metered, give_back, &meter};
        struct slm_grammar_builder builder;
        struct slm_grammar *grammar = NULL;
        slm_error error = {sizeof error, 0, ""};
        slm_rule rules[2];
        slm__grammar_builder_init(&builder, &memory, 1 << 20);
        slm_node root = random_grammar(&builder, 17, rules);
        status = slm__grammar_compile(&builder, root, &(struct slm_grammar_limits){0}, &memory, &grammar, &error);
        assert_true(status == SLM_OK || status == SLM_E_NO_MEMORY);
        assert_true(status == SLM_OK || error.message[0] != 0);
        slm__grammar_builder_free(&builder);
        slm__grammar_free(grammar);
    }
    assert_int_equal(status, SLM_OK);
    struct slm_grammar_builder builder = new_builder();
    builder.limit = 100000;
    for (uint32_t i = 1; i < 100000 && builder.status == SLM_OK; i++) {
        slm__node_repeat(&builder, text_node(&builder, "a"), i, i + 1);
    }
    assert_int_equal(builder.status, SLM_E_LIMIT);
    slm__grammar_builder_free(&builder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_grammars), cmocka_unit_test(refused_grammars), cmocka_unit_test(json_strings),
        cmocka_unit_test(lifted_strings),  cmocka_unit_test(objects),          cmocka_unit_test(counted_objects),
        cmocka_unit_test(small_cache),     cmocka_unit_test(memory_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

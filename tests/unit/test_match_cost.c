/* SPDX-License-Identifier: MIT */
/*
 * What completing a match costs: at every state that random bytes reach under random schemas, some byte brings the end nearer by one at
 * least. Then following it ends within the cost, and answers fit into the budget that was promised.
 */
#include "tests/unit/schema_fixture.h" /* build_schema, struct match */

enum { SCHEMAS = 1500, WALKS = 6, STEPS = 60, DEPTH = 3, TEXT_BYTES = SCHEMA_LONGEST };

/* ---- Random schemas ---- */

struct writer {
    struct slm_random random;
    char text[TEXT_BYTES];
    size_t length;
};

static uint32_t below(struct writer *writer, uint32_t n) { return (uint32_t)(slm__random_u64(&writer->random) >> 33) % n; }

static void put(struct writer *writer, const char *text)
{
    const size_t length = strlen(text);
    if (writer->length + length < TEXT_BYTES) {
        memcpy(writer->text + writer->length, text, length + 1);
        writer->length += length;
    }
}

static void put_count(struct writer *writer, const char *keyword, uint32_t count)
{
    char text[64];
    snprintf(text, sizeof text, ",\"%s\":%u", keyword, count);
    put(writer, text);
}

static const char *const names[] = {
    "\"a\"",          "\"ab\"", "\"abc\"", "\"b\\\"\\\\/\"", "\"\\u00e9\"", "\"a\\u00e9\"", "\"\\ud83d\\ude00x\"",
    "\"\\u0001\\n\"", "\"\"",   "\"kind\""};
enum { NAMES = sizeof names / sizeof names[0] };

static const char *const patterns[] = {"\"^x\"",
                                       "\"^[a-c]{2,4}$\"",
                                       "\"^(q|\\u00e9xxxxxxxxxxxxxxxxxxxxxxxx)$\"",
                                       "\"^(\\\\n\\\\n|[\\ud83d\\ude00-\\ud83d\\ude10]yyyyyyyyyyyyyyyyyyyyy)$\"",
                                       "\"^\\\\u0001{2,}$\"",
                                       "\"[^\\\\x00-\\\\x7f]\"",
                                       "\"\\\"$\"",
                                       "\"^\\\\d{3}-(\\u20ac|\\\\\\\\)+$\""};
enum { PATTERNS = sizeof patterns / sizeof patterns[0] };

static void put_schema(struct writer *writer, uint32_t depth);

static void put_string(struct writer *writer)
{
    const uint32_t kind = below(writer, 8);
    if (kind == 0) {
        put(writer, "{\"enum\":[\"\\u00e9\\n\",\"aa\",\"a\",\"\\ud83d\\ude00\",null,-12.5]}");
        return;
    }
    put(writer, kind == 1 ? "{\"type\":\"string\",\"format\":\"date\"" : "{\"type\":\"string\"");
    if (kind >= 2 && kind <= 5) {
        put(writer, ",\"pattern\":");
        put(writer, patterns[below(writer, PATTERNS)]);
    }
    if (kind >= 4) {
        const uint32_t least = below(writer, 4);
        put_count(writer, "minLength", least);
        put_count(writer, "maxLength", least + below(writer, 30));
    }
    put(writer, "}");
}

static void put_number(struct writer *writer)
{
    static const char *const numbers[] = {"{\"type\":\"number\"}",
                                          "{\"type\":\"integer\",\"minimum\":-17,\"maximum\":123456}",
                                          "{\"type\":\"number\",\"exclusiveMinimum\":0.125,\"maximum\":1e3}",
                                          "{\"type\":\"integer\",\"multipleOf\":7,\"minimum\":10000}",
                                          "{\"type\":\"number\",\"minimum\":1e20}",
                                          "{\"type\":\"boolean\"}"};
    put(writer, numbers[below(writer, sizeof numbers / sizeof numbers[0])]);
}

static void put_array(struct writer *writer, uint32_t depth)
{
    const uint32_t least = below(writer, 3);
    put(writer, "{\"type\":\"array\",\"items\":");
    put_schema(writer, depth);
    if (below(writer, 2)) {
        put(writer, ",\"prefixItems\":[");
        put_schema(writer, depth);
        put(writer, "]");
    }
    put_count(writer, "minItems", least);
    if (below(writer, 2)) {
        put_count(writer, "maxItems", least + below(writer, 3));
    }
    put(writer, "}");
}

/* A list of some of the first `count` names, beginning anywhere. */
static void put_names(struct writer *writer, uint32_t first, uint32_t count, uint32_t most)
{
    put(writer, "[");
    for (uint32_t i = 0, listed = 0; i < count && listed < most; i++) {
        if (below(writer, 2)) {
            put(writer, listed++ > 0 ? "," : "");
            put(writer, names[(first + i) % NAMES]);
        }
    }
    put(writer, "]");
}

static void put_others(struct writer *writer, uint32_t depth)
{
    const uint32_t kind = below(writer, 6);
    if (kind < 2) {
        put(writer, ",\"additionalProperties\":false");
    } else if (kind < 4) {
        put(writer, ",\"additionalProperties\":");
        put_schema(writer, depth);
    }
    if (below(writer, 3) == 0) {
        put(writer, ",\"patternProperties\":{");
        put(writer, patterns[below(writer, PATTERNS)]);
        put(writer, ":");
        put_schema(writer, depth);
        put(writer, "}");
    }
    if (below(writer, 6) == 0) {
        put(writer, ",\"propertyNames\":{\"minLength\":2,\"maxLength\":5}");
    }
}

static void put_object(struct writer *writer, uint32_t depth)
{
    const uint32_t count = below(writer, 6);
    const uint32_t first = below(writer, NAMES);
    put(writer, "{\"type\":\"object\",\"properties\":{");
    for (uint32_t i = 0; i < count; i++) {
        put(writer, i > 0 ? "," : "");
        put(writer, names[(first + i) % NAMES]);
        put(writer, ":");
        put_schema(writer, depth);
    }
    put(writer, "},\"required\":");
    put_names(writer, first, count, below(writer, 3));
    put_others(writer, depth);
    if (below(writer, 3) == 0) {
        put_count(writer, "minProperties", below(writer, 4));
    }
    if (below(writer, 3) == 0) {
        put_count(writer, "maxProperties", 1 + below(writer, 4));
    }
    if (below(writer, 3) == 0) {
        put(writer, ",\"dependentRequired\":{");
        for (uint32_t i = 0; i < 2 && i < count; i++) {
            put(writer, i > 0 ? "," : "");
            put(writer, names[(first + i) % NAMES]);
            put(writer, ":");
            put_names(writer, first, count, 2);
        }
        put(writer, "}");
    }
    put(writer, "}");
}

static void put_schema(struct writer *writer, uint32_t depth)
{
    const uint32_t kind = below(writer, depth == 0 ? 3 : 9);
    if (depth < DEPTH && below(writer, 12) == 0) {
        put(writer, "{\"$ref\":\"#\"}");
    } else if (kind < 2) {
        put_string(writer);
    } else if (kind == 2) {
        put_number(writer);
    } else if (kind == 3) {
        put_array(writer, depth - 1);
    } else if (kind == 4) {
        put(writer, "{\"anyOf\":[");
        put_schema(writer, depth - 1);
        put(writer, ",");
        put_schema(writer, depth - 1);
        put(writer, "]}");
    } else {
        put_object(writer, depth - 1);
    }
}

/* ---- Walks ---- */

struct walker {
    struct slm_match_states *states;
    struct slm_random random;
    char read[STEPS + 1]; /* for messages: the first bytes */
    size_t length;
    const char *what;
};

static bool allows(const struct slm_match_states *states, slm_state state, uint32_t byte)
{
    return slm__byte_set_has(&states->states[state].allowed, (uint8_t)byte);
}

/* The property. */
static void check_state(const struct walker *walker, slm_state state)
{
    struct slm_match_states *states = walker->states;
    const uint32_t cost = slm__match_cost(states, state);
    uint32_t nearest = UINT32_MAX;
    if (states->states[state].complete) {
        assert_int_equal(cost, 0);
        return;
    }
    for (uint32_t byte = 0; byte < 256; byte++) {
        const slm_state next = allows(states, state, byte) ? slm__match_next(states, state, (uint8_t)byte) : SLM_STATE_DEAD;
        const uint32_t rest = next == SLM_STATE_DEAD ? UINT32_MAX : slm__match_cost(states, next);
        nearest = rest < nearest ? rest : nearest;
    }
    if (cost == 0 || nearest >= cost) {
        fail_msg("cost %u, and %u behind the best byte: %.*s\n%s", cost, nearest, (int)walker->length, walker->read, walker->what);
    }
}

/* Any allowed byte; every other time one of those that JSON is made of, or a backslash, or one outside of ASCII. */
static uint8_t random_byte(struct walker *walker, slm_state state)
{
    static const char *const likely[] = {"\\", "\"}]", "\"{[,:}]\\u0123456789dDcC", "abcx", "nu\\"};
    const uint64_t draw = slm__random_u64(&walker->random);
    const char *set = likely[draw >> 8 & 3];
    uint32_t byte = (uint32_t)(draw >> 40) & 0xFF;
    for (size_t i = 0; (draw & 3) != 0 && i < 2 * strlen(set); i++) {
        const uint8_t candidate = (uint8_t)set[(i + (draw >> 16 & 0xFF)) % strlen(set)];
        if (allows(walker->states, state, candidate)) {
            return candidate;
        }
    }
    while (!allows(walker->states, state, byte)) {
        byte = (byte + 1) & 0xFF;
    }
    return (uint8_t)byte;
}

static bool may_go_on(const struct slm_match_states *states, slm_state state)
{
    return !slm__byte_set_is_empty(&states->states[state].allowed);
}

static uint32_t walk(struct match *match, const char *what, uint64_t seed)
{
    uint32_t checked = 0;
    for (uint64_t i = 0; i < WALKS; i++) {
        struct walker walker = {.states = &match->states, .what = what};
        slm_state state = match->states.start;
        slm__random_seed(&walker.random, WALKS * seed + i);
        check_state(&walker, state);
        while (walker.length < STEPS && may_go_on(&match->states, state)) {
            const uint8_t byte = random_byte(&walker, state);
            walker.read[walker.length++] = (char)byte;
            state = slm__match_next(&match->states, state, byte);
            assert_true(state != SLM_STATE_DEAD && state != SLM_STATE_UNKNOWN);
            check_state(&walker, state);
            checked++;
        }
    }
    return checked;
}

/* The first bytes of a text, each state checked. */
static void check_text(const char *schema, const char *text)
{
    struct match match;
    open_schema(&match, schema, &(struct slm_schema_options){0});
    slm_state state = match.states.start;
    struct walker walker = {.states = &match.states, .what = schema};
    for (; *text != '\0'; text++) {
        if (walker.length < STEPS) {
            walker.read[walker.length++] = *text;
        }
        state = next_state(&match, state, (uint8_t)*text);
        assert_int_not_equal(state, SLM_STATE_DEAD);
        check_state(&walker, state);
    }
    close_match(&match);
}

/* ---- Tests ---- */

static void random_schemas(void **state)
{
    uint32_t compiled = 0, checked = 0;
    (void)state;
    for (uint64_t seed = 0; seed < SCHEMAS; seed++) {
        struct writer writer = {.length = 0};
        struct slm_grammar_builder builder;
        struct match match;
        slm_node root = SLM_NODE_NEVER;
        slm_error error = {sizeof error, 0, ""};
        const struct slm_memory memory = slm__memory_default();
        const struct slm_schema_options options = {.any_order = (seed & 1) != 0, .flexible_space = (seed & 6) == 0};
        slm__random_seed(&writer.random, seed);
        put_schema(&writer, DEPTH);
        const struct slm_grammar_limits limits = {.depth =
                                                      seed % 3 == 0 ? 8 + seed % 16 : 0}; /* a few: texts end where the stack is full */
        if (build_schema(&builder, writer.text, &options, &root, &error) == SLM_OK &&
            slm__grammar_compile(&builder, root, &limits, &memory, &match.grammar, &error) == SLM_OK) {
            open_states(&match, 1 << 23);
            checked += walk(&match, writer.text, seed);
            close_match(&match);
            compiled++;
        }
        slm__grammar_builder_free(&builder);
    }
    printf("%u of %d schemas, %u states\n", compiled, SCHEMAS, checked);
    assert_true(compiled > SCHEMAS / 2 && checked > 20000);
}

static void inside_names(void **state)
{
    (void)state;
    check_text("{'type':'object','additionalProperties':{'type':'object','required':['long','name'],"
               "'properties':{'long':{'type':'string','minLength':9}}}}",
               "{\"some \\u00e9 \\ud83d\\ude00\xC3\xA9\xF0\x9F\x98\x80\":{\"long\":\"123456\\u12341\\ud83d\\ude00\",\"name\":1");
    check_text("{'type':'object','patternProperties':{'^(q|\\u00e9xxxxxxxx)$':{'enum':['value']}},'additionalProperties':false}",
               "{\"\\u00e9xxxxxxxx\":\"value\",\"\xC3\xA9xx");
    check_text("{'type':'object','properties':{'a\\u00e9\\n\\ud83d\\ude00':{'const':'some value'},'b':{'const':1}},'required':['b']}",
               "{\"a\\u00e9\\n\\ud83d\\ude00\":\"some value\",\"b\":1,\"bc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_schemas), cmocka_unit_test(inside_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

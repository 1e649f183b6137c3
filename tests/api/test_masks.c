/* SPDX-License-Identifier: MIT */
/* Masks: at every place of many texts, given and random, the mask is exactly the set of tokens that can be read there, whatever shortcuts
 * it takes and however small the cache is; hostile grammars end in a status, while they are compiled or while they are matched. */
#include "tests/api_fixture.h"

enum { MOST_TOKENS = 512, WALK_TOKENS = 12, WALKS = 3, SMALLEST_CACHE = 1 };

static slm_engine *engine;

/* A tokenizer without weights, which has no token that ends a text; "" is the demonstration model, which has. */
static slm_model *open_tokenizer(const char *name)
{
    char path[512];
    slm_model *model = NULL;
    if (*name == '\0') {
        CHECK_OK(slm_model_open_file(engine, "examples/demo/triage-i8.slm", SLM_NUL_TERMINATED, NULL, &model, &error));
        return model;
    }
    snprintf(path, sizeof path, "%s/tokenizers/%s/tokenizer.json", golden_root(), name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *json = malloc(64 << 20);
    const size_t length = fread(json, 1, 64 << 20, file);
    fclose(file);
    CHECK_OK(slm_model_open_tokenizer(engine, json, length, &model, &error));
    free(json);
    return model;
}

/* ---- Masks against reading every token */

struct mask_case {
    int32_t kind;
    uint32_t flags;
    const char *grammar;
    const char *text; /* of the grammar */
};

static const struct mask_case mask_cases[] = {
    {SLM_GRAMMAR_SCHEMA, 0, "{\"type\":\"string\"}", "\"plain, \\\"quoted\\\" \\u00e9\\ud83d\\ude00 \xC3\xA9\xF0\x9F\x98\x80 \\\\ end\""},
    {SLM_GRAMMAR_SCHEMA, 0, "{\"type\":\"string\",\"minLength\":3,\"maxLength\":12}", "\"a few words\""},
    {SLM_GRAMMAR_SCHEMA, 0, "{\"type\":\"string\",\"maxLength\":40}", "\"                                    1\\n\\n\\u0041\""},
    {SLM_GRAMMAR_SCHEMA, 0, "{\"type\":\"string\",\"pattern\":\"[0-9]{2}-\"}", "\"say 12-ab then \xC3\xA9 and more\""},
    {SLM_GRAMMAR_SCHEMA, 0, "{\"type\":\"string\",\"pattern\":\"^[a-z_]{1,20}$\"}", "\"some_words_here\""},
    {SLM_GRAMMAR_SCHEMA, 0, "{\"type\":\"string\",\"pattern\":\"^.{2,9}$\"}", "\"one two\""},
    {SLM_GRAMMAR_SCHEMA, SLM_GRAMMAR_ANY_ORDER,
     "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},\"names\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
     "\"na\\u00efve\":{\"type\":\"number\"}},\"required\":[\"name\"]}",
     "{\"names\":[\"a\",\"b c\"],\"name\":\"x\",\"na\xC3\xAFve\":-1.5e3,\"nam\":{\"z\":null,\"\\u006eame\":[true]}}"},
    {SLM_GRAMMAR_SCHEMA, SLM_GRAMMAR_SPACES,
     "{\"type\":\"object\",\"properties\":{\"a\":{\"enum\":[\"one\",\"one two\",\"three\"]},\"b\":{\"type\":\"integer\",\"minimum\":10}},"
     "\"additionalProperties\":false}",
     "{ \"a\" : \"one two\", \"b\" : 120 }"},
    {SLM_GRAMMAR_SCHEMA, 0, "{\"patternProperties\":{\"^x-\":{\"type\":\"string\"}},\"additionalProperties\":{\"type\":\"integer\"}}",
     "{\"x-a b\":\"text\",\"other\":12}"},
    {SLM_GRAMMAR_SCHEMA, 0, "{\"anyOf\":[{\"type\":\"string\",\"maxLength\":5},{\"const\":\"longer than that\"},{\"type\":\"null\"}]}",
     "\"longer than that\""},
    {SLM_GRAMMAR_SCHEMA, 0, "{\"type\":\"string\",\"pattern\":\"^([a-z ]|\\u00e9)+$\",\"maxLength\":9}", "\"ab cd \xC3\xA9\""},
    {SLM_GRAMMAR_SCHEMA, 0, "{\"type\":\"string\",\"pattern\":\"end$\",\"maxLength\":14}", "\"to the end\""},
    {SLM_GRAMMAR_SCHEMA, 0, "{\"type\":\"string\",\"pattern\":\"x.*y\",\"maxLength\":400}", "\"an x and a y \xC3\xA9\\n.\""},
    {SLM_GRAMMAR_SCHEMA, 0,
     "{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"minimum\":-3,\"maximum\":120},\"contains\":{\"const\":7},\"maxItems\":4}",
     "[110,-2,7]"},
    {SLM_GRAMMAR_SCHEMA, 0, "{\"type\":\"array\",\"items\":{\"type\":\"number\"},\"maxItems\":3}", "[1,-2.5e3,0]"},
    {SLM_GRAMMAR_SCHEMA, 0, "{\"enum\":[\"the first\",\"the second\",3,null]}", "\"the second\""},
    {SLM_GRAMMAR_SCHEMA, 0, "{\"anyOf\":[{\"type\":\"string\",\"maxLength\":4},{\"type\":\"string\",\"pattern\":\"^the\"}]}",
     "\"the end\""},
    {SLM_GRAMMAR_SCHEMA, 0, "{\"type\":\"string\",\"format\":\"date-time\"}", "\"2024-02-29T23:59:59.5+01:00\""},
    {SLM_GRAMMAR_REGEX, 0, "(\"[^\"]*\" ?)+|\\d{4}-\\d\\d", "\"with quotes\" \"twice\""},
    {SLM_GRAMMAR_REGEX, 0, "[^]*", "\xE2\x82\xAC any\n\xF0\x9F\x98\x80"},
    {SLM_GRAMMAR_GBNF, 0, "root ::= item (\", \" item)*\nitem ::= [a-z]+ | \"(\" root \")\"", "ab, (cd, ef), (g)"},
};

static slm_grammar *compile(const struct mask_case *test)
{
    const slm_grammar_options options = {.struct_size = sizeof options, .flags = test->flags};
    slm_grammar *grammar = NULL;
    CHECK_OK(slm_grammar_compile(engine, test->kind, test->grammar, SLM_NUL_TERMINATED, &options, &grammar, &error));
    return grammar;
}

static slm_matcher *matcher_of(slm_model *model, slm_grammar *grammar, uint64_t cache_bytes)
{
    const slm_matcher_options options = {.struct_size = sizeof options, .cache_bytes = cache_bytes};
    slm_matcher *matcher = NULL;
    CHECK_OK(slm_matcher_create(model, grammar, &options, &matcher, &error));
    return matcher;
}

static int32_t has_bit(const uint8_t *mask, uint32_t token) { return mask[token / 8] >> (token % 8) & 1; }

static slm_matcher_info info_of(const slm_matcher *matcher)
{
    slm_matcher_info info = {.struct_size = sizeof info};
    CHECK_OK(slm_matcher_get_info(matcher, &info, &error));
    return info;
}

/* Every token is read by a copy of the matcher. */
static const uint8_t *check_mask(slm_model *model, const char *grammar, slm_matcher *matcher, slm_matcher *trial)
{
    slm_model_info info = {.struct_size = sizeof info};
    const uint8_t *mask = NULL;
    uint64_t bytes = 0;
    CHECK_OK(slm_model_get_info(model, &info, &error));
    if (slm_matcher_mask(matcher, &mask, &bytes, &error) != SLM_OK) {
        fail_msg("%s behind %d tokens: %s", grammar, (int)info_of(matcher).tokens, error.message);
    }
    assert_true(bytes * 8 >= info.token_count);
    CHECK_OK(slm_matcher_copy(trial, matcher, &error));
    for (uint32_t t = 0; t < info.token_count; t++) {
        const int32_t token = (int32_t)t;
        const int32_t readable = slm_matcher_accept(trial, &token, 1, &error) == SLM_OK;
        if (readable != has_bit(mask, t)) {
            char text[1024];
            uint64_t length = 0;
            slm_token_bytes(model, token, text, sizeof text, &length, &error);
            fail_msg("%s: '%.*s' is %s", grammar, (int)length, text, readable ? "readable, not in the mask" : "in the mask, not readable");
        }
        if (readable) {
            CHECK_OK(slm_matcher_copy(trial, matcher, &error));
        }
    }
    for (uint64_t t = info.token_count; t < bytes * 8; t++) {
        assert_false(has_bit(mask, (uint32_t)t));
    }
    return mask;
}

static void follow_text(slm_model *model, const struct mask_case *test, slm_matcher *matcher, slm_matcher *trial)
{
    int32_t ids[MOST_TOKENS];
    uint64_t count = 0;
    CHECK_OK(slm_tokenize(model, test->text, SLM_NUL_TERMINATED, SLM_TOKENIZE_PLAIN, ids, MOST_TOKENS, &count, &error));
    for (uint64_t i = 0; i < count; i++) {
        check_mask(model, test->grammar, matcher, trial);
        CHECK_OK(slm_matcher_accept(matcher, &ids[i], 1, &error));
    }
    check_mask(model, test->grammar, matcher, trial);
    assert_true(info_of(matcher).complete);
    assert_int_equal(info_of(matcher).tokens, count);
}

/* Some allowed token again and again: whatever it is, something may follow or the text is complete. */
static void walk_at_random(slm_model *model, const struct mask_case *test, slm_matcher *matcher, slm_matcher *trial, uint32_t seed)
{
    slm_model_info info = {.struct_size = sizeof info};
    CHECK_OK(slm_model_get_info(model, &info, &error));
    CHECK_OK(slm_matcher_rewind(matcher, 0, &error));
    for (int i = 0; i < WALK_TOKENS && !info_of(matcher).finished; i++) {
        const uint8_t *mask = check_mask(model, test->grammar, matcher, trial);
        seed = seed * 1664525u + 1013904223u;
        int32_t token = (int32_t)((seed >> 8) % info.token_count);
        for (uint32_t k = 0; k < info.token_count && !has_bit(mask, (uint32_t)token); k++) {
            token = (token + 1) % (int32_t)info.token_count;
        }
        assert_true(has_bit(mask, (uint32_t)token));
        CHECK_OK(slm_matcher_accept(matcher, &token, 1, &error));
    }
}

static void compare_masks(slm_model *model, const struct mask_case *test, uint64_t cache_bytes)
{
    slm_grammar *grammar = compile(test);
    slm_matcher *matcher = matcher_of(model, grammar, cache_bytes);
    slm_matcher *trial = matcher_of(model, grammar, 0);
    follow_text(model, test, matcher, trial);
    for (uint32_t walk = 0; walk < WALKS; walk++) {
        walk_at_random(model, test, matcher, trial, walk);
    }
    CHECK_OK(slm_matcher_destroy(matcher));
    CHECK_OK(slm_matcher_destroy(trial));
    CHECK_OK(slm_grammar_destroy(grammar));
}

static void masks_are_exact(void **state)
{
    (void)state;
    static const char *const names[] = {"own-llama3", "own-gemma", ""};
    for (size_t n = 0; n < 3; n++) {
        slm_model *model = open_tokenizer(names[n]);
        for (size_t i = 0; i < sizeof mask_cases / sizeof mask_cases[0]; i++) {
            compare_masks(model, &mask_cases[i], (i + n) % 2 == 0 ? 0 : SMALLEST_CACHE);
        }
        CHECK_OK(slm_model_close(model));
    }
}

/* Deep nesting while matching: the depth limit closes ways, and a text within it is still completed. */
static void deep_values(void **state)
{
    (void)state;
    slm_model *model = open_tokenizer("own-llama3");
    slm_grammar *grammar = NULL;
    slm_matcher *matcher = NULL;
    const slm_grammar_options options = {.struct_size = sizeof options, .max_depth = 64};
    const slm_matcher_options small = {.struct_size = sizeof small, .cache_bytes = 1};
    CHECK_OK(slm_grammar_compile(engine, SLM_GRAMMAR_SCHEMA, "{\"type\":\"array\",\"items\":{\"$ref\":\"#\"}}", SLM_NUL_TERMINATED,
                                 &options, &grammar, &error));
    CHECK_OK(slm_matcher_create(model, grammar, &small, &matcher, &error));
    int32_t open = 0, shut = 0;
    uint64_t count = 0;
    CHECK_OK(slm_tokenize(model, "[", SLM_NUL_TERMINATED, SLM_TOKENIZE_PLAIN, &open, 1, &count, &error));
    CHECK_OK(slm_tokenize(model, "]", SLM_NUL_TERMINATED, SLM_TOKENIZE_PLAIN, &shut, 1, &count, &error));
    int depth = 0;
    while (slm_matcher_accept(matcher, &open, 1, &error) == SLM_OK) {
        depth++;
        assert_true(depth < 64);
    }
    assert_true(depth > 10);
    slm_matcher_info info = {.struct_size = sizeof info};
    CHECK_OK(slm_matcher_get_info(matcher, &info, &error));
    assert_int_equal(info.shortest, depth);
    for (int i = 0; i < depth; i++) {
        CHECK_OK(slm_matcher_accept(matcher, &shut, 1, &error));
    }
    CHECK_OK(slm_matcher_get_info(matcher, &info, &error));
    assert_int_equal(info.finished, 1);
    slm_matcher_destroy(matcher);
    CHECK_OK(slm_grammar_destroy(grammar));
    CHECK_OK(slm_model_close(model));
}

/* ---- Hostile grammars end in a status */

static char *repeated(const char *begin, const char *middle, int count, const char *end)
{
    char *text = malloc(strlen(begin) + strlen(middle) * (size_t)count + strlen(end) * (size_t)count + 64);
    strcpy(text, begin);
    char *at = text + strlen(text);
    for (int i = 0; i < count; i++) {
        at = strcpy(at, middle) + strlen(middle);
    }
    for (int i = 0; i < count; i++) {
        at = strcpy(at, end) + strlen(end);
    }
    return text;
}

/* A few tokens, any that are allowed; the matcher may give up with SLM_E_LIMIT, and is then where it was. */
static void match_hostile(slm_model *model, slm_grammar *grammar)
{
    slm_matcher *matcher = NULL;
    const slm_matcher_options options = {.struct_size = sizeof options, .cache_bytes = SMALLEST_CACHE};
    slm_status status = slm_matcher_create(model, grammar, &options, &matcher, &error);
    for (uint32_t i = 0; status == SLM_OK && i < WALK_TOKENS && !info_of(matcher).finished; i++) {
        const uint8_t *mask = NULL;
        uint64_t bytes = 0;
        status = slm_matcher_mask(matcher, &mask, &bytes, &error);
        if (status == SLM_OK) {
            int32_t token = (int32_t)(i * 7);
            while (!has_bit(mask, (uint32_t)token)) {
                token = (token + 1) % (int32_t)(bytes * 8);
            }
            status = slm_matcher_accept(matcher, &token, 1, &error);
        }
        assert_int_equal(info_of(matcher).tokens, i + (status == SLM_OK));
    }
    assert_true(status == SLM_OK || status == SLM_E_LIMIT);
    CHECK_OK(slm_matcher_destroy(matcher));
}

static void try_hostile(slm_model *model, int32_t kind, const char *text, uint64_t max_bytes)
{
    const slm_grammar_options options = {.struct_size = sizeof options, .max_bytes = max_bytes};
    slm_grammar *grammar = NULL;
    memset(error.message, 0, sizeof error.message);
    const slm_status status = slm_grammar_compile(engine, kind, text, SLM_NUL_TERMINATED, &options, &grammar, &error);
    assert_int_equal(status == SLM_OK, grammar != NULL);
    if (status == SLM_OK) {
        match_hostile(model, grammar);
    } else {
        assert_true(error.message[0] != 0);
        assert_int_not_equal(status, SLM_E_INTERNAL);
    }
    CHECK_OK(slm_grammar_destroy(grammar));
}

static void hostile_grammars(void **state)
{
    (void)state;
    slm_model *model = open_tokenizer("own-llama3");
    static const char *const texts[] = {"((((a?){1,1000}){1,1000}){1,1000}){1,1000}",
                                        "(a*)*b",
                                        "(a|a|aa)*c",
                                        "(.*a){50}",
                                        "[^a]{0,100000}",
                                        "(x+x+)+y",
                                        "\\p{L}{300}\\d",
                                        "(a{1,100}){1,100}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        try_hostile(model, SLM_GRAMMAR_REGEX, texts[i], 16 << 20);
        try_hostile(model, SLM_GRAMMAR_REGEX, texts[i], 1 << 16);
    }
    static const struct {
        int32_t kind;
        const char *begin, *middle, *end;
    } nested[] = {
        {SLM_GRAMMAR_REGEX, "", "(", ")"},
        {SLM_GRAMMAR_SCHEMA, "", "{\"items\":", "}"},
        {SLM_GRAMMAR_SCHEMA, "", "{\"allOf\":[", "]}"},
        {SLM_GRAMMAR_SCHEMA, "", "{\"not\":", "}"},
        {SLM_GRAMMAR_GBNF, "root ::= ", "(", ")"},
        {SLM_GRAMMAR_GBNF, "root ::= ", "\"a\"?", ""},
        {SLM_GRAMMAR_GBNF, "root ::= \"x\"", " | \"y\" root", ""},
    };
    for (size_t i = 0; i < sizeof nested / sizeof nested[0]; i++) {
        for (int depth = 10; depth <= 100000; depth *= 100) {
            char *text = repeated(nested[i].begin, nested[i].middle, depth, nested[i].end);
            try_hostile(model, nested[i].kind, text, 16 << 20);
            free(text);
        }
    }
    try_hostile(model, SLM_GRAMMAR_GBNF, "root ::= root \"a\" | \"b\"", 0);
    try_hostile(model, SLM_GRAMMAR_GBNF, "root ::= a\na ::= b?\nb ::= a", 0);
    try_hostile(model, SLM_GRAMMAR_SCHEMA, "{\"$ref\":\"#\"}", 0);
    try_hostile(model, SLM_GRAMMAR_SCHEMA, "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"a\"]}", 0);
    try_hostile(model, SLM_GRAMMAR_SCHEMA, "{\"type\":\"string\",\"minLength\":4294967295}", 0);
    try_hostile(model, SLM_GRAMMAR_SCHEMA, "{\"type\":\"array\",\"minItems\":4000000000,\"items\":{\"type\":\"null\"}}", 0);
    try_hostile(model, SLM_GRAMMAR_SCHEMA, "{\"minProperties\":1000000000}", 0);
    CHECK_OK(slm_model_close(model));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_are_exact),
        cmocka_unit_test(deep_values),
        cmocka_unit_test(hostile_grammars),
    };
    if (slm_engine_create(NULL, &engine, &error) != SLM_OK) {
        return 1;
    }
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return slm_engine_destroy(engine) == SLM_OK ? failed : 1;
}

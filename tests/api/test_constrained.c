/* SPDX-License-Identifier: MIT */
/* Sessions under a grammar: every answer is a text of it, however it is sampled and whatever room it has; forks, rewinds, snapshots,
 * batches and guesses with a grammar give what one session alone gives; what fails changes nothing. */
#include "tests/api_fixture.h"
#include "base/json.h" /* slm__json_parse: answers are checked by hand */
#include <math.h>

enum { GRAMMAR_BYTES = 1 << 20, CONTEXT = 256, ANSWER_BYTES = 1024, FIELDS = 6, LANES = 4 };

static slm_engine *engine;
static slm_model *model;
static slm_grammar *triage;

static const char *const prompts[] = {"I want my money back for KX-7719. My lawyer will contact you.", "hello", "Where is my parcel 48213?",
                                      "Please cancel order 77120 - the blue one - and tell me when it is done, thanks a lot"};
enum { PROMPTS = sizeof prompts / sizeof prompts[0] };

/* ---- Whether a text is valid under examples/demo/schema.json, by hand */

static bool is_one_of(const struct slm_json *value, const char *const *names)
{
    bool found = false;
    for (; *names != NULL; names++) {
        found = found || slm__json_is_string(value, *names);
    }
    return found;
}

static bool is_alphanumeric(uint8_t c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

static bool is_order(const struct slm_json *value)
{
    if (value->type != SLM_JSON_STRING) {
        return value->type == SLM_JSON_NULL;
    }
    const size_t length = value->text.length;
    for (size_t i = 0; i < length; i++) {
        const uint8_t c = value->text.data[i];
        if (!is_alphanumeric(c) && (c != '-' || i == 0 || i + 1 == length)) {
            return false;
        }
    }
    return length >= 4 && length <= 8;
}

static bool is_valid(const char *text, uint64_t length)
{
    static const char *const keys[FIELDS] = {"intent", "order", "urgency", "sentiment", "route", "escalate"};
    static const char *const intents[] = {
        "refund",         "track_order",    "cancel_order",     "change_address", "damaged_item", "wrong_item", "invoice",
        "payment_failed", "reset_password", "product_question", "complaint",      "human_agent",  "other",      NULL};
    static const char *const urgencies[] = {"low", "normal", "high", NULL};
    static const char *const sentiments[] = {"positive", "neutral", "negative", "angry", NULL};
    static const char *const routes[] = {"account", "billing", "care", "orders", "returns", "sales", "shipping", NULL};
    struct slm_arena arena;
    const struct slm_memory memory = slm__memory_default();
    const struct slm_json *root = NULL;
    slm__arena_init(&arena, &memory, 1 << 16);
    bool valid = slm__json_parse(&arena, slm__span(text, (size_t)length), &root, NULL) == SLM_OK && root->type == SLM_JSON_OBJECT &&
                 root->count == FIELDS;
    for (int i = 0; i < FIELDS && valid; i++) {
        valid = slm__span_equal(root->keys[i], slm__span(keys[i], strlen(keys[i])));
    }
    valid = valid && is_one_of(&root->items[0], intents) && is_order(&root->items[1]) && is_one_of(&root->items[2], urgencies) &&
            is_one_of(&root->items[3], sentiments) && is_one_of(&root->items[4], routes) &&
            (root->items[5].type == SLM_JSON_TRUE || root->items[5].type == SLM_JSON_FALSE);
    slm__arena_free(&arena);
    return valid;
}

static void test_the_check_itself(void **state)
{
    static const char good[] =
        "{\"intent\":\"other\",\"order\":\"a-1b\",\"urgency\":\"low\",\"sentiment\":\"angry\",\"route\":\"care\",\"escalate\":true}";
    static const char bad[] =
        "{\"intent\":\"other\",\"order\":\"-1bc\",\"urgency\":\"low\",\"sentiment\":\"angry\",\"route\":\"care\",\"escalate\":true}";
    (void)state;
    assert_true(is_valid(good, strlen(good)));
    assert_false(is_valid(good, strlen(good) - 1));
    assert_false(is_valid(bad, strlen(bad)));
}

/* ---- Sessions and answers */

struct answer {
    char text[ANSWER_BYTES];
    uint64_t length;
    int32_t tokens[CONTEXT];
    float logprobs[CONTEXT];
    uint32_t count;
    int32_t stop;
};

static slm_grammar *compile(int32_t kind, const char *text)
{
    slm_grammar *grammar = NULL;
    CHECK_OK(slm_grammar_compile(engine, kind, text, SLM_NUL_TERMINATED, NULL, &grammar, &error));
    return grammar;
}

static slm_session *open_session(slm_pool *pool, const slm_session_options *wanted, slm_grammar *grammar)
{
    slm_session *session = NULL;
    slm_session_options options = *wanted;
    options.struct_size = sizeof options;
    options.context = options.context != 0 ? options.context : CONTEXT;
    options.grammar_bytes = pool == NULL ? GRAMMAR_BYTES : 0;
    CHECK_OK(slm_session_create(model, pool, &options, &session, &error));
    CHECK_OK(slm_session_set_grammar(session, grammar, &error));
    return session;
}

static uint64_t ask(slm_session *session, const char *prompt)
{
    int32_t ids[CONTEXT];
    char request[512];
    uint64_t count = 0;
    const int length = snprintf(request, sizeof request, "{\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}", prompt);
    CHECK_OK(slm_chat_tokenize(model, request, (uint64_t)length, NULL, ids, CONTEXT, &count, &error));
    CHECK_OK(slm_session_append(session, ids, count, NULL, &error));
    return count;
}

static void take(struct answer *answer, const slm_token *token)
{
    assert_true(answer->count < CONTEXT && answer->length + token->text_length <= ANSWER_BYTES);
    memcpy(answer->text + answer->length, token->text, (size_t)token->text_length);
    answer->length += token->text_length;
    answer->tokens[answer->count] = token->token;
    answer->logprobs[answer->count++] = token->allowed_logprob;
    answer->stop = token->stop;
    assert_true(token->allowed_logprob <= 0 && token->allowed_logprob >= token->logprob - 1e-4f && token->logprob > -1e30f);
}

/* The answer from here on; `most` tokens of it (0: all). */
static struct answer answer_of(slm_session *session, uint32_t most)
{
    struct answer answer = {.stop = SLM_STOP_NONE};
    while (answer.stop == SLM_STOP_NONE && (most == 0 || answer.count < most)) {
        slm_token token = {.struct_size = sizeof token};
        CHECK_OK(slm_session_next(session, &token, &error));
        take(&answer, &token);
    }
    return answer;
}

static void same_answers(const struct answer *a, const struct answer *b)
{
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->tokens, b->tokens, a->count * sizeof *a->tokens);
    assert_memory_equal(a->logprobs, b->logprobs, a->count * sizeof *a->logprobs);
    assert_int_equal(a->length, b->length);
    assert_memory_equal(a->text, b->text, a->length);
    assert_int_equal(a->stop, b->stop);
}

static slm_sampling hot(uint64_t seed) { return (slm_sampling){.struct_size = sizeof(slm_sampling), .temperature = 1.5f, .seed = seed}; }

/* ---- Every answer is valid */

static uint32_t samples(void)
{
    const char *wanted = getenv("SLM_SAMPLES");
    return wanted != NULL ? (uint32_t)strtoul(wanted, NULL, 10) : 600;
}

/* Limits from the shortest completion on, by max_tokens and by the capacity; some answers have to be cut short, some end by themselves. */
static void test_answers_are_valid(void **state)
{
    uint32_t tight = 0, free = 0, refused = 0;
    (void)state;
    slm_session *session = open_session(NULL, &(slm_session_options){0}, triage);
    for (uint32_t i = 0; i < samples(); i++) {
        const slm_sampling sampling = hot(i);
        const slm_generate_options options = {.struct_size = sizeof options, .max_tokens = 20 + i % 23};
        slm_generate_result result = {.struct_size = sizeof result};
        char text[ANSWER_BYTES];
        uint64_t length = 0;
        CHECK_OK(slm_session_set_sampling(session, &sampling, &error));
        const char *prompt = prompts[i % PROMPTS];
        const slm_status status = slm_generate(session, prompt, SLM_NUL_TERMINATED, &options, text, sizeof text, &length, &result, &error);
        if (status == SLM_E_LIMIT) {
            assert_true(options.max_tokens < 26);
            refused++;
        } else {
            CHECK_OK(status);
            if (!is_valid(text, length)) {
                fail_msg("seed %u, budget %u: %.*s", i, options.max_tokens, (int)length, text);
            }
            assert_true(result.new_tokens <= options.max_tokens);
            tight += result.new_tokens == options.max_tokens;
            free += result.new_tokens < options.max_tokens;
        }
        CHECK_OK(slm_session_rewind(session, 0, &error));
    }
    printf("%u answers: %u used up their budget, %u ended before, %u budgets were too small\n", samples(), tight, free, refused);
    assert_true(tight > 0 && free > 0 && refused > 0);
    slm_session_destroy(session);
    for (uint32_t room = 26; room < 40; room++) {
        const slm_sampling sampling = hot(room);
        session = open_session(NULL, &(slm_session_options){.sampling = &sampling}, triage);
        const uint64_t prompt = ask(session, prompts[1]);
        slm_session_destroy(session);
        session = open_session(NULL, &(slm_session_options){.sampling = &sampling, .context = (uint32_t)prompt + room}, triage);
        ask(session, prompts[1]);
        const struct answer answer = answer_of(session, 0);
        assert_true(is_valid(answer.text, answer.length));
        slm_session_destroy(session);
    }
}

/* ---- Forks, rewinds, snapshots */

static void test_forks_and_rewinds(void **state)
{
    const slm_pool_options options = {.struct_size = sizeof options, .sessions = 2, .context = CONTEXT, .grammar_bytes = GRAMMAR_BYTES};
    const slm_sampling sampling = {.struct_size = sizeof sampling};
    slm_pool *pool = NULL;
    (void)state;
    CHECK_OK(slm_pool_create(model, &options, &pool, &error));
    slm_session *session = open_session(pool, &(slm_session_options){.sampling = &sampling}, triage);
    const uint64_t prompt = ask(session, prompts[0]);
    const struct answer whole = answer_of(session, 0);
    assert_true(is_valid(whole.text, whole.length));
    for (uint32_t kept = 0; kept <= whole.count; kept++) {
        slm_session *fork = NULL;
        CHECK_OK(slm_session_rewind(session, prompt + kept, &error)); /* back into an answer that was complete */
        if (kept == whole.count) {
            break;
        }
        CHECK_OK(slm_session_fork(session, &fork, &error));
        const struct answer mine = answer_of(session, 0), other = answer_of(fork, 0);
        same_answers(&mine, &other);
        assert_int_equal(mine.count, whole.count - kept);
        assert_memory_equal(mine.tokens, whole.tokens + kept, mine.count * sizeof *mine.tokens);
        assert_memory_equal(mine.logprobs, whole.logprobs + kept, mine.count * sizeof *mine.logprobs);
        slm_session_destroy(fork);
    }
    /* a whole answer, and on: another one begins, of the session and of a fork */
    slm_session *fork = NULL;
    CHECK_OK(slm_session_fork(session, &fork, &error));
    const struct answer second = answer_of(session, 0), copied = answer_of(fork, 0);
    assert_true(is_valid(second.text, second.length));
    same_answers(&second, &copied);
    assert_int_equal(slm_grammar_destroy(triage), SLM_E_BUSY);
    slm_session_destroy(fork);
    slm_session_destroy(session);
    assert_int_equal(slm_pool_destroy(pool), SLM_OK);
}

static void test_snapshots_begin_a_text(void **state)
{
    const slm_sampling sampling = hot(4);
    uint64_t needed = 0;
    (void)state;
    slm_session *session = open_session(NULL, &(slm_session_options){.sampling = &sampling}, triage);
    ask(session, prompts[2]);
    assert_int_equal(slm_session_save(session, NULL, 0, &needed, &error), SLM_E_BUFFER_TOO_SMALL);
    void *bytes = malloc(needed);
    CHECK_OK(slm_session_save(session, bytes, needed, &needed, &error));
    const struct answer first = answer_of(session, 0);
    CHECK_OK(slm_session_restore(session, bytes, needed, &error));
    const struct answer again = answer_of(session, 0);
    same_answers(&first, &again);
    CHECK_OK(slm_session_restore(session, bytes, needed, &error));
    (void)answer_of(session, 5);
    CHECK_OK(slm_session_restore(session, bytes, needed, &error)); /* the match was in the middle */
    const struct answer third = answer_of(session, 0);
    same_answers(&first, &third);
    free(bytes);
    slm_session_destroy(session);
}

/* ---- Batches and guesses */

static void test_batches_with_several_grammars(void **state)
{
    const slm_pool_options options = {.struct_size = sizeof options, .sessions = LANES, .context = CONTEXT, .grammar_bytes = GRAMMAR_BYTES};
    slm_grammar *grammars[LANES] = {triage, compile(SLM_GRAMMAR_REGEX, "(red|green|blue)( [0-9]{2,4})*;"), NULL,
                                    compile(SLM_GRAMMAR_GBNF, "root ::= \"<\" root \">\" | \"()\"")};
    slm_session *lanes[LANES];
    slm_pool *pool = NULL;
    struct answer alone[LANES], together[LANES] = {0};
    (void)state;
    CHECK_OK(slm_pool_create(model, &options, &pool, &error));
    for (uint32_t i = 0; i < LANES; i++) {
        const slm_sampling sampling = hot(70 + i);
        const slm_session_options session_options = {.sampling = &sampling, .max_tokens = 40};
        slm_session *session = open_session(NULL, &session_options, grammars[i]);
        ask(session, prompts[i]);
        alone[i] = answer_of(session, 0);
        slm_session_destroy(session);
        lanes[i] = open_session(pool, &session_options, grammars[i]);
        ask(lanes[i], prompts[i]);
    }
    assert_true(is_valid(alone[0].text, alone[0].length));
    assert_true(alone[1].text[alone[1].length - 1] == ';');
    for (uint32_t left = LANES; left > 0;) {
        slm_token tokens[LANES] = {{.struct_size = sizeof tokens[0]}};
        slm_status statuses[LANES];
        slm_session *running[LANES];
        uint32_t numbers[LANES], count = 0;
        for (uint32_t i = 0; i < LANES; i++) {
            if (together[i].stop == SLM_STOP_NONE) {
                numbers[count] = i;
                running[count++] = lanes[i];
            }
        }
        CHECK_OK(slm_pool_step(pool, running, count, tokens, statuses, &error));
        for (uint32_t i = 0; i < count; i++) {
            take(&together[numbers[i]], &tokens[i]);
            left -= tokens[i].stop != SLM_STOP_NONE;
        }
    }
    for (uint32_t i = 0; i < LANES; i++) {
        same_answers(&alone[i], &together[i]);
        slm_session_destroy(lanes[i]);
    }
    assert_int_equal(slm_pool_destroy(pool), SLM_OK);
    assert_int_equal(slm_grammar_destroy(grammars[1]), SLM_OK);
    assert_int_equal(slm_grammar_destroy(grammars[3]), SLM_OK);
}

/* The prompt holds an answer, so that guesses come true. */
static void test_guesses_change_nothing(void **state)
{
    uint64_t accepted = 0;
    (void)state;
    for (uint32_t i = 0; i < 12; i++) {
        struct answer answers[2];
        slm_sampling sampling = hot(i);
        sampling.temperature = i % 3 == 0 ? 0.0f : 0.8f;
        for (uint32_t guessing = 0; guessing < 2; guessing++) {
            slm_session_info info = {.struct_size = sizeof info};
            slm_session *session =
                open_session(NULL, &(slm_session_options){.sampling = &sampling, .speculate = guessing * 8, .max_tokens = 25 + i}, triage);
            ask(session, "{\\\"intent\\\":\\\"other\\\",\\\"order\\\":null,\\\"urgency\\\":\\\"normal\\\","
                         "\\\"sentiment\\\":\\\"neutral\\\",\\\"route\\\":\\\"care\\\",\\\"escalate\\\":true}");
            answers[guessing] = answer_of(session, 0);
            CHECK_OK(slm_session_get_info(session, &info, &error));
            accepted += info.accepted;
            slm_session_destroy(session);
        }
        same_answers(&answers[0], &answers[1]);
        assert_true(is_valid(answers[0].text, answers[0].length));
    }
    assert_true(accepted > 0);
}

/* ---- Other grammars, and what fails */

static void test_regex_and_rules(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 40; i++) {
        const slm_sampling sampling = hot(i);
        slm_grammar *date = compile(SLM_GRAMMAR_REGEX, "20[0-9]{2}-(0[1-9]|1[0-2])-[0-3][0-9]");
        slm_grammar *nested = compile(SLM_GRAMMAR_GBNF, "root ::= list\nlist ::= \"[\" (list (\",\" list)*)? \"]\"\n");
        slm_session *session = open_session(NULL, &(slm_session_options){.sampling = &sampling, .max_tokens = 10 + i}, date);
        int depth = 0;
        ask(session, prompts[i % PROMPTS]);
        const struct answer day = answer_of(session, 0);
        assert_int_equal(day.length, 10);
        assert_memory_equal(day.text, "20", 2);
        assert_int_equal(day.stop, SLM_STOP_GRAMMAR);
        CHECK_OK(slm_session_set_grammar(session, nested, &error));
        assert_int_equal(slm_grammar_destroy(date), SLM_OK);
        const struct answer list = answer_of(session, 0);
        for (uint64_t at = 0; at < list.length; at++) {
            assert_true(depth > 0 || at == 0);
            depth += list.text[at] == '[' ? 1 : list.text[at] == ']' ? -1 : 0;
        }
        assert_int_equal(depth, 0);
        assert_true(list.stop == SLM_STOP_GRAMMAR && list.count <= 10 + i);
        CHECK_OK(slm_session_set_grammar(session, NULL, &error));
        assert_int_equal(slm_grammar_destroy(nested), SLM_OK);
        slm_session_destroy(session);
    }
}

/* Characters of a pattern that are counted while they come, from a count that no table has. */
static void test_counted_pattern(void **state)
{
    const slm_sampling sampling = hot(5);
    slm_grammar *words = compile(SLM_GRAMMAR_SCHEMA, "{\"type\":\"string\",\"pattern\":\"^[a-z]+( [a-z]+)*$\",\"maxLength\":60000}");
    (void)state;
    slm_session *session = open_session(NULL, &(slm_session_options){.sampling = &sampling, .max_tokens = 30}, words);
    ask(session, prompts[0]);
    const struct answer answer = answer_of(session, 0);
    assert_true(answer.length > 2 && answer.text[0] == '"' && answer.text[answer.length - 1] == '"');
    slm_session_destroy(session);
    assert_int_equal(slm_grammar_destroy(words), SLM_OK);
}

/* Too small a budget: nothing changes, also behind a whole answer, and a larger one goes on from there. */
static void test_budgets_too_small(void **state)
{
    const slm_sampling sampling = hot(3);
    slm_token token = {.struct_size = sizeof token};
    (void)state;
    slm_session *session = open_session(NULL, &(slm_session_options){.sampling = &sampling, .max_tokens = 10}, triage);
    slm_session *other = open_session(NULL, &(slm_session_options){.sampling = &sampling, .max_tokens = 0}, triage);
    const uint64_t prompt = ask(session, prompts[0]);
    ask(other, prompts[0]);
    for (int i = 0; i < 3; i++) {
        slm_session_info info = {.struct_size = sizeof info};
        assert_int_equal(slm_session_next(session, &token, &error), SLM_E_LIMIT);
        assert_non_null(strstr(error.message, "does not fit into the 10 tokens"));
        CHECK_OK(slm_session_get_info(session, &info, &error));
        assert_int_equal(info.tokens, prompt);
    }
    CHECK_OK(slm_session_set_grammar(session, NULL, &error)); /* the generator has not moved */
    CHECK_OK(slm_session_set_grammar(other, NULL, &error));
    const struct answer a = answer_of(session, 10), b = answer_of(other, 10);
    assert_memory_equal(a.tokens, b.tokens, 10 * sizeof *a.tokens);
    slm_session_destroy(other);
    slm_session_destroy(session);
    /* behind a whole answer the context has no room for another: that answer can still be taken back */
    session = open_session(NULL, &(slm_session_options){.context = (uint32_t)prompt + 40}, triage);
    ask(session, prompts[0]);
    const struct answer whole = answer_of(session, 0);
    assert_int_equal(slm_session_next(session, &token, &error), SLM_E_LIMIT);
    CHECK_OK(slm_session_rewind(session, prompt + 7, &error));
    const struct answer rest = answer_of(session, 0);
    assert_int_equal(rest.count, whole.count - 7);
    assert_memory_equal(rest.tokens, whole.tokens + 7, rest.count * sizeof *rest.tokens);
    slm_session_destroy(session);
}

static void test_refused_grammars(void **state)
{
    (void)state;
    slm_session *session = NULL;
    slm_session_options options = {.struct_size = sizeof options, .context = CONTEXT};
    CHECK_OK(slm_session_create(model, NULL, &options, &session, &error));
    assert_int_equal(slm_session_set_grammar(session, triage, &error), SLM_E_ARGUMENT);
    assert_non_null(strstr(error.message, "grammar_bytes 0"));
    assert_int_equal(slm_session_set_grammar(NULL, triage, &error), SLM_E_ARGUMENT);
    slm_session_destroy(session);
    options.grammar_bytes = 4096;
    CHECK_OK(slm_session_create(model, NULL, &options, &session, &error));
    assert_int_equal(slm_session_set_grammar(session, triage, &error), SLM_E_ARGUMENT);
    const char *least = strstr(error.message, "at least ");
    assert_non_null(least);
    options.grammar_bytes = strtoull(least + strlen("at least "), NULL, 10);
    slm_session_destroy(session);
    CHECK_OK(slm_session_create(model, NULL, &options, &session, &error)); /* what the message says is enough to set it */
    CHECK_OK(slm_session_set_grammar(session, triage, &error));
    ask(session, prompts[0]);
    const struct answer small = answer_of(session, 0);
    assert_true(is_valid(small.text, small.length));
    slm_session_destroy(session);
    options.grammar_bytes = (uint64_t)1 << 40;
    assert_int_equal(slm_session_create(model, NULL, &options, &session, &error), SLM_E_ARGUMENT);
    slm_pool *pool = NULL;
    const slm_pool_options pool_options = {.struct_size = sizeof pool_options, .sessions = 1, .context = CONTEXT};
    CHECK_OK(slm_pool_create(model, &pool_options, &pool, &error));
    options.grammar_bytes = GRAMMAR_BYTES;
    assert_int_equal(slm_session_create(model, pool, &options, &session, &error), SLM_E_ARGUMENT);
    assert_int_equal(slm_pool_destroy(pool), SLM_OK);
}

/* Thousands of rules that may all begin the text are more than a match follows at once; the session keeps the grammar that it had, in the
 * middle of an answer. */
static void test_refused_grammar_leaves_the_old(void **state)
{
    enum { RULES = 5000 };
    char *rules = malloc(RULES * 64), *at = rules + sprintf(rules, "root ::= r0");
    (void)state;
    for (int i = 1; i < RULES; i++) {
        at += sprintf(at, " | r%d", i);
    }
    for (int i = 0; i < RULES; i++) {
        at += sprintf(at, "\nr%d ::= \"x\" r%d? \"y%d\"", i, i, i);
    }
    slm_grammar *wide = compile(SLM_GRAMMAR_GBNF, rules);
    slm_session *session = open_session(NULL, &(slm_session_options){0}, triage);
    ask(session, prompts[0]);
    const struct answer begun = answer_of(session, 6);
    assert_int_equal(slm_session_set_grammar(session, wide, &error), SLM_E_LIMIT);
    assert_int_equal(slm_grammar_destroy(wide), SLM_OK);
    const struct answer rest = answer_of(session, 0);
    char text[2 * ANSWER_BYTES];
    memcpy(text, begun.text, begun.length);
    memcpy(text + begun.length, rest.text, rest.length);
    assert_true(is_valid(text, begun.length + rest.length));
    slm_session_destroy(session);
    free(rules);
}

/* ---- Fields */

struct expected_field {
    const char *path, *value;
    double probability, unconstrained;
    uint32_t tokens;
};

static void test_fields_of_an_answer(void **state)
{
    static const char text[] = " {\"a\":[10,\"x\"],\"\\u00e9/~\":{\"b\":{}, \"c\" : null}}";
    static const uint32_t lengths[] = {3, 4, 3, 0, 2, 4}; /* ` {"`  `a":[`  `10,`  ``  `"x`  `"],"` ... */
    static const struct expected_field expected[] = {{"", " ", 0, 0, 0},
                                                     {"/a", "[10,\"x\"]", 0, 0, 0},
                                                     {"/a/0", "10", 0.5, 0.25, 1},
                                                     {"/a/1", "\"x\"", 0.125, 0.015625, 3},
                                                     {"/\303\251~1~0", "{", 0, 0, 0},
                                                     {"/\303\251~1~0/b", "{}", 0, 0, 0},
                                                     {"/\303\251~1~0/c", "null", 0, 0, 0}};
    slm_token tokens[10] = {{.struct_size = sizeof tokens[0]}};
    slm_answer_field fields[8] = {{.struct_size = sizeof fields[0]}};
    char paths[128];
    uint64_t count = 0, path_bytes = 0, sum = 0;
    (void)state;
    for (int i = 0; i < 10; i++) {
        tokens[i].text_length = i < 6 ? lengths[i] : i == 9 ? 0 : i == 8 ? strlen(text) - sum : (strlen(text) - 16) / 3;
        tokens[i].allowed_logprob = -0.6931471806f;
        tokens[i].logprob = 2 * tokens[i].allowed_logprob;
        sum += tokens[i].text_length;
    }
    assert_int_equal(sum, strlen(text));
    assert_int_equal(slm_answer_fields(text, strlen(text), tokens, 10, NULL, 0, &count, NULL, 0, &path_bytes, &error),
                     SLM_E_BUFFER_TOO_SMALL);
    assert_int_equal(count, 7);
    CHECK_OK(slm_answer_fields(text, strlen(text), tokens, 10, fields, 8, &count, paths, path_bytes, &path_bytes, &error));
    for (int i = 0; i < 7; i++) {
        const slm_answer_field *field = &fields[i];
        assert_int_equal(field->path_length, strlen(expected[i].path));
        assert_memory_equal(paths + field->path_begin, expected[i].path, field->path_length);
        if (i > 0) {
            assert_memory_equal(text + field->begin, expected[i].value, strlen(expected[i].value));
        }
        if (expected[i].tokens > 0) {
            assert_int_equal(field->length, strlen(expected[i].value));
            assert_int_equal(field->tokens, expected[i].tokens);
            assert_true(fabs(field->probability - expected[i].probability) < 1e-6);
            assert_true(fabs(field->probability_unconstrained - expected[i].unconstrained) < 1e-6);
        }
    }
    assert_int_equal(fields[0].tokens, 9); /* the last one, without text, stands behind it */
    assert_int_equal(fields[0].begin, 1);
    for (uint64_t cut = 1; cut < strlen(text); cut++) { /* an answer that is not whole; tokens and text that do not fit each other */
        slm_token one = {.struct_size = sizeof one, .text_length = cut};
        assert_int_equal(slm_answer_fields(text, cut, &one, 1, fields, 8, &count, paths, sizeof paths, &path_bytes, &error), SLM_E_SYNTAX);
        assert_int_equal(slm_answer_fields(text, cut + 1, &one, 1, fields, 8, &count, paths, sizeof paths, &path_bytes, &error),
                         SLM_E_ARGUMENT);
    }
    char deep[400];
    memset(deep, '[', 200);
    memset(deep + 200, ']', 200);
    slm_token one = {.struct_size = sizeof one, .text_length = 400};
    assert_int_equal(slm_answer_fields(deep, 400, &one, 1, fields, 8, &count, paths, sizeof paths, &path_bytes, &error), SLM_E_LIMIT);
}

/* Of a real answer: the six values and the whole; a greedy choice is the most probable one, and what the grammar allows only adds to it. */
static void test_fields_of_the_model(void **state)
{
    (void)state;
    for (int p = 0; p < PROMPTS; p++) {
        slm_session *session = open_session(NULL, &(slm_session_options){0}, triage);
        slm_token tokens[CONTEXT] = {{.struct_size = sizeof tokens[0]}};
        slm_answer_field fields[FIELDS + 1] = {{.struct_size = sizeof fields[0]}};
        char text[ANSWER_BYTES], paths[128];
        uint64_t length = 0, n = 0, count = 0, path_bytes = 0;
        ask(session, prompts[p]);
        do {
            tokens[n].struct_size = sizeof tokens[n];
            CHECK_OK(slm_session_next(session, &tokens[n], &error));
            memcpy(text + length, tokens[n].text, (size_t)tokens[n].text_length);
            length += tokens[n].text_length;
        } while (tokens[n++].stop == SLM_STOP_NONE);
        CHECK_OK(slm_answer_fields(text, length, tokens, n, fields, FIELDS + 1, &count, paths, sizeof paths, &path_bytes, &error));
        assert_int_equal(count, FIELDS + 1);
        assert_int_equal(fields[0].length, length);
        for (int i = 1; i <= FIELDS; i++) {
            assert_true(fields[i].probability > 0.1 && fields[i].probability <= 1);
            assert_true(fields[i].probability_unconstrained <= fields[i].probability * 1.0001);
            assert_true(fields[i].tokens > 0 && fields[0].probability <= fields[i].probability);
        }
        slm_session_destroy(session);
    }
}

/* A logit that is no number stops the answer, whether the grammar allows its token or not, and costs nothing. */
static void test_not_finite_logits(void **state)
{
    static const float wrong[] = {INFINITY, NAN};
    (void)state;
    slm_model_info info = {.struct_size = sizeof info};
    CHECK_OK(slm_model_get_info(model, &info, &error));
    slm_session *session = open_session(NULL, &(slm_session_options){0}, triage);
    ask(session, prompts[0]);
    const struct answer want = answer_of(session, 0);
    CHECK_OK(slm_session_destroy(session));
    session = open_session(NULL, &(slm_session_options){0}, triage);
    ask(session, prompts[0]);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const float *logits = NULL;
        slm_token token = {.struct_size = sizeof token};
        CHECK_OK(slm_session_logits(session, &logits, NULL, &error));
        float *forbidden = (float *)(uintptr_t)&logits[info.eos_tokens[0]]; /* an answer cannot begin with its end */
        const float right = *forbidden;
        *forbidden = wrong[i];
        assert_int_equal(slm_session_next(session, &token, &error), SLM_E_NOT_FINITE);
        assert_non_null(strstr(error.message, i == 0 ? "+infinity" : "not a number"));
        *forbidden = right;
    }
    const struct answer got = answer_of(session, 0);
    same_answers(&got, &want);
    CHECK_OK(slm_session_destroy(session));
}

static void test_stepping_allocates_nothing(void **state)
{
    struct counting_allocator counter = {0};
    const slm_engine_options options = counting_options(&counter);
    const slm_model_options read = {.struct_size = sizeof read, .flags = SLM_MODEL_READ};
    slm_engine *counted = NULL;
    slm_engine *const kept_engine = engine;
    slm_model *const kept_model = model;
    (void)state;
    CHECK_OK(slm_engine_create(&options, &counted, &error));
    engine = counted;
    CHECK_OK(slm_model_open_file(engine, "examples/demo/triage-i8.slm", SLM_NUL_TERMINATED, &read, &model, &error));
    slm_grammar *grammar = compile(SLM_GRAMMAR_REGEX, "([a-z]+ ){3,9}end");
    slm_session *session = open_session(NULL, &(slm_session_options){.max_tokens = 60}, grammar);
    ask(session, prompts[0]);
    const uint64_t before = counter.calls;
    (void)answer_of(session, 20);
    CHECK_OK(slm_session_rewind(session, 30, &error));
    (void)answer_of(session, 0);
    assert_int_equal(counter.calls, before);
    slm_session_destroy(session);
    assert_int_equal(slm_grammar_destroy(grammar), SLM_OK);
    assert_int_equal(slm_model_close(model), SLM_OK);
    assert_int_equal(slm_engine_destroy(counted), SLM_OK);
    assert_int_equal(counter.live_blocks, 0);
    engine = kept_engine;
    model = kept_model;
}

static int set_up(void **state)
{
    (void)state;
    const slm_model_options read = {.struct_size = sizeof read, .flags = SLM_MODEL_READ};
    const slm_engine_options options = {.struct_size = sizeof options, .threads = 1};
    CHECK_OK(slm_engine_create(&options, &engine, &error));
    CHECK_OK(slm_model_open_file(engine, "examples/demo/triage-i8.slm", SLM_NUL_TERMINATED, &read, &model, &error));
    char *schema = golden_load("examples/demo/schema.json", NULL);
    assert_non_null(schema);
    triage = compile(SLM_GRAMMAR_SCHEMA, schema);
    free(schema);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(slm_grammar_destroy(triage), SLM_OK);
    assert_int_equal(slm_model_close(model), SLM_OK);
    return slm_engine_destroy(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_check_itself),
        cmocka_unit_test(test_answers_are_valid),
        cmocka_unit_test(test_forks_and_rewinds),
        cmocka_unit_test(test_snapshots_begin_a_text),
        cmocka_unit_test(test_batches_with_several_grammars),
        cmocka_unit_test(test_guesses_change_nothing),
        cmocka_unit_test(test_regex_and_rules),
        cmocka_unit_test(test_counted_pattern),
        cmocka_unit_test(test_budgets_too_small),
        cmocka_unit_test(test_refused_grammars),
        cmocka_unit_test(test_refused_grammar_leaves_the_old),
        cmocka_unit_test(test_fields_of_an_answer),
        cmocka_unit_test(test_fields_of_the_model),
        cmocka_unit_test(test_not_finite_logits),
        cmocka_unit_test(test_stepping_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* SPDX-License-Identifier: MIT */
/* slm_pool_step() over sessions that have nothing in common but the model: other grammars, adapters, samplers, prompts, guesses ahead and
 * numbers of alternatives, that begin and end at other times. Each gets, to the bit, what it gets alone. */
#include "tests/api_fixture.h"

enum { LANES = 12, CONTEXT = 160, MOST = 40, TOP = 4, GRAMMAR_BYTES = 1 << 20 };

static slm_engine *engine;
static slm_model *model;
static slm_adapter *adapters[2];
static slm_grammar *grammars[4]; /* the last: none */

struct lane {
    slm_session *session;
    int32_t tokens[MOST];
    float logprobs[MOST], allowed[MOST];
    slm_token_logprob top[MOST][TOP];
    uint32_t top_counts[MOST];
    char text[1024];
    uint64_t length;
    uint32_t count;
    int32_t stop;
};

static int open_all(void **state)
{
    char target[256];
    (void)state;
    const slm_model_options read = {.struct_size = sizeof read, .flags = SLM_MODEL_READ};
    CHECK_OK(slm_engine_create(NULL, &engine, &error));
    CHECK_OK(slm_convert(engine, "tests/golden/import/lora/base", SLM_NUL_TERMINATED, temporary_path("mixed.slm", target),
                         SLM_NUL_TERMINATED, NULL, NULL, &error));
    CHECK_OK(slm_model_open_file(engine, target, SLM_NUL_TERMINATED, &read, &model, &error));
    unlink(target);
    CHECK_OK(slm_adapter_open(model, "tests/golden/import/lora/a", SLM_NUL_TERMINATED, &adapters[0], &error));
    CHECK_OK(slm_adapter_open(model, "tests/golden/import/lora/b", SLM_NUL_TERMINATED, &adapters[1], &error));
    CHECK_OK(slm_grammar_compile(engine, SLM_GRAMMAR_SCHEMA,
                                 "{\"type\":\"object\",\"properties\":{\"a\":{\"enum\":[\"x\",\"long text\"]},\"b\":{\"type\":\"string\","
                                 "\"pattern\":\"^[a-z ]+$\",\"maxLength\":12}},\"required\":[\"a\",\"b\"],\"additionalProperties\":false}",
                                 SLM_NUL_TERMINATED, NULL, &grammars[0], &error));
    CHECK_OK(slm_grammar_compile(engine, SLM_GRAMMAR_REGEX, "([0-9]{2}-)+end", SLM_NUL_TERMINATED, NULL, &grammars[1], &error));
    CHECK_OK(slm_grammar_compile(engine, SLM_GRAMMAR_GBNF, "root ::= \"(\" root \")\" | word\nword ::= [a-f]+", SLM_NUL_TERMINATED, NULL,
                                 &grammars[2], &error));
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        CHECK_OK(slm_grammar_destroy(grammars[i]));
    }
    CHECK_OK(slm_adapter_close(adapters[0]));
    CHECK_OK(slm_adapter_close(adapters[1]));
    CHECK_OK(slm_model_close(model));
    CHECK_OK(slm_engine_destroy(engine));
    return 0;
}

/* Lane i in a pool, or alone: everything about it follows from i. */
static slm_session *open_lane(slm_pool *pool, uint32_t i)
{
    static const char *const stops[] = {"e", "-7"};
    static const float weights[] = {0.5f, -0.75f};
    const slm_logit_bias bias[] = {{.token = 70, .bias = 2.5f}, {.token = 71, .bias = -4.0f}};
    const slm_string stop = {stops[i / 4 % 2], SLM_NUL_TERMINATED};
    const slm_sampling samplings[] = {
        {.struct_size = sizeof(slm_sampling)},
        {.struct_size = sizeof(slm_sampling), .temperature = 1.5f, .seed = i},
        {.struct_size = sizeof(slm_sampling), .temperature = 0.8f, .top_k = 20, .repetition_penalty = 1.3f, .seed = 7},
        {.struct_size = sizeof(slm_sampling), .temperature = 2.0f, .top_p = 0.9f, .min_p = 0.01f, .bias = bias, .bias_count = 2, .seed = i},
        {.struct_size = sizeof(slm_sampling), .frequency_penalty = 0.4f, .presence_penalty = 0.2f},
    };
    const slm_session_options options = {.struct_size = sizeof options,
                                         .flags = i % 6 == 5 ? SLM_SESSION_IGNORE_EOS : 0,
                                         .context = CONTEXT,
                                         .max_tokens = 20 + i,
                                         .sampling = &samplings[i % 5],
                                         .stop = &stop,
                                         .stop_count = i % 4 == 3 ? 1 : 0,
                                         .top_logprobs = i % 3 == 0 ? 0 : TOP - i % 2,
                                         .speculate = i % 2 == 0 ? 4 : 0,
                                         .adapter_rank = pool == NULL ? 16 : 0,
                                         .grammar_bytes = pool == NULL ? GRAMMAR_BYTES : 0};
    slm_session *session = NULL;
    int32_t ids[CONTEXT];
    uint64_t count = 0;
    char prompt[200];
    CHECK_OK(slm_session_create(model, pool, &options, &session, &error));
    CHECK_OK(slm_session_set_adapters(session, adapters + (i % 4 == 2), weights, i % 4 == 3 ? 2 : i % 4 == 0 ? 0 : 1, &error));
    CHECK_OK(slm_session_set_grammar(session, grammars[i % 4], &error));
    snprintf(prompt, sizeof prompt, "%.*s: what is the answer %u of them?", (int)(i * 7 % 50),
             "again and again and again and again and again", i);
    CHECK_OK(slm_tokenize(model, prompt, SLM_NUL_TERMINATED, SLM_TOKENIZE_ADD_SPECIAL, ids, CONTEXT, &count, &error));
    CHECK_OK(slm_session_append(session, ids, count, NULL, &error));
    return session;
}

static void take(struct lane *lane, const slm_token *token)
{
    assert_true(lane->count < MOST);
    lane->tokens[lane->count] = token->token;
    lane->logprobs[lane->count] = token->logprob;
    lane->allowed[lane->count] = token->allowed_logprob;
    lane->top_counts[lane->count] = token->top_count;
    assert_true(token->top_count <= TOP && lane->length + token->text_length <= sizeof lane->text);
    memset(lane->top[lane->count], 0, sizeof lane->top[0]);
    for (uint32_t k = 0; k < token->top_count; k++) {
        lane->top[lane->count][k] = token->top[k];
    }
    memcpy(lane->text + lane->length, token->text, token->text_length);
    lane->length += token->text_length;
    lane->count++;
    lane->stop = token->stop;
}

static void run_alone(struct lane *lane, uint32_t i)
{
    memset(lane, 0, sizeof *lane);
    lane->session = open_lane(NULL, i);
    while (lane->stop == SLM_STOP_NONE) {
        slm_token token = {.struct_size = sizeof token};
        CHECK_OK(slm_session_next(lane->session, &token, &error));
        take(lane, &token);
    }
    CHECK_OK(slm_session_destroy(lane->session));
}

/* All lanes in one pool; lane i comes in at step i / 3, and goes when it stops. */
static void run_together(struct lane lanes[LANES])
{
    const slm_pool_options options = {.struct_size = sizeof options,
                                      .sessions = LANES,
                                      .context = CONTEXT,
                                      .batch = 32,
                                      .adapter_rank = 16,
                                      .speculate = 4,
                                      .prefixes = 2,
                                      .grammar_bytes = GRAMMAR_BYTES};
    slm_pool *pool = NULL;
    uint32_t opened = 0, done = 0, widest = 0;
    memset(lanes, 0, LANES * sizeof *lanes);
    CHECK_OK(slm_pool_create(model, &options, &pool, &error));
    for (uint32_t step = 0; done < LANES; step++) {
        slm_session *sessions[LANES];
        slm_token tokens[LANES];
        slm_status statuses[LANES];
        uint32_t which[LANES], count = 0;
        for (; opened < LANES && opened <= 3 * step; opened++) {
            lanes[opened].session = open_lane(pool, opened);
        }
        for (uint32_t i = 0; i < opened; i++) {
            if (lanes[i].stop == SLM_STOP_NONE) {
                which[count] = i;
                tokens[count] = (slm_token){.struct_size = sizeof tokens[0]};
                sessions[count++] = lanes[i].session;
            }
        }
        widest = count > widest ? count : widest;
        CHECK_OK(slm_pool_step(pool, sessions, count, tokens, statuses, &error));
        for (uint32_t k = 0; k < count; k++) {
            struct lane *lane = &lanes[which[k]];
            assert_int_equal(statuses[k], SLM_OK);
            take(lane, &tokens[k]);
            if (lane->stop != SLM_STOP_NONE) {
                CHECK_OK(slm_session_destroy(lane->session));
                done++;
            }
        }
    }
    assert_true(widest > LANES / 2);
    CHECK_OK(slm_pool_destroy(pool));
}

static void each_gets_what_it_gets_alone(void **state)
{
    (void)state;
    static struct lane together[LANES], alone;
    uint32_t stops[16] = {0};
    run_together(together);
    for (uint32_t i = 0; i < LANES; i++) {
        run_alone(&alone, i);
        if (alone.count != together[i].count || memcmp(alone.tokens, together[i].tokens, sizeof alone.tokens) != 0) {
            fail_msg("lane %u: '%.*s' together, '%.*s' alone", i, (int)together[i].length, together[i].text, (int)alone.length, alone.text);
        }
        assert_memory_equal(alone.logprobs, together[i].logprobs, sizeof alone.logprobs);
        assert_memory_equal(alone.allowed, together[i].allowed, sizeof alone.allowed);
        assert_memory_equal(alone.top, together[i].top, sizeof alone.top);
        assert_memory_equal(alone.top_counts, together[i].top_counts, sizeof alone.top_counts);
        assert_memory_equal(alone.text, together[i].text, sizeof alone.text);
        assert_int_equal(alone.stop, together[i].stop);
        assert_int_equal(alone.top_counts[0], i % 3 == 0 ? 0 : TOP - i % 2);
        stops[alone.stop]++;
    }
    assert_true(stops[SLM_STOP_GRAMMAR] + stops[SLM_STOP_EOS] > 0 && stops[SLM_STOP_LENGTH] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_gets_what_it_gets_alone)};
    return cmocka_run_group_tests(tests, open_all, close_all);
}

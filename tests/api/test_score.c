/* SPDX-License-Identifier: MIT */
/* slm_score: every number has the bits of feeding the labels by hand, whatever the pool, the batch and the company; tokenization alone and
 * jointly, ends, priors, lengths; every way to fail. */
#include "tests/api_fixture.h"
#include "sample/logprobs.h"         /* slm__logprob */
#include "tests/unit/alone_passes.h" /* alone */
#include <math.h>

enum { LABELS = 9 };
static const char context_text[] = "<|im_start|>user\nI want my money back for KX-7719.<|im_end|>\n<|im_start|>assistant\n{\"intent\":\"";
static const char *const words[LABELS] = {
    "refund",   "complaint", "r",       "refund",      "cancel_subscription_and_everything_else_that_there_is",
    "re\"fund", "x y z",     "a b c d", "order status"};

static slm_engine *engine;
static slm_model *model;
static slm_model_info info = {.struct_size = sizeof info};
static slm_input context, labels[LABELS];
static slm_label_score scores[LABELS];

static slm_pool *make_keeping_pool(uint32_t sessions, uint32_t context_tokens, uint32_t batch, uint64_t kv_tokens, uint32_t prefixes)
{
    const slm_pool_options options = {.struct_size = sizeof options,
                                      .sessions = sessions,
                                      .context = context_tokens,
                                      .batch = batch,
                                      .kv_tokens = kv_tokens,
                                      .prefixes = prefixes};
    slm_pool *pool = NULL;
    CHECK_OK(slm_pool_create(model, &options, &pool, &error));
    return pool;
}

static slm_pool *make_pool(uint32_t sessions, uint32_t context_tokens, uint32_t batch, uint64_t kv_tokens)
{
    return make_keeping_pool(sessions, context_tokens, batch, kv_tokens, 0);
}

static int open_model(void **state)
{
    char target[256];
    const slm_model_options read = {.struct_size = sizeof read, .flags = SLM_MODEL_READ};
    (void)state;
    CHECK_OK(slm_engine_create(NULL, &engine, &error));
    CHECK_OK(slm_convert(engine, "examples/demo/hf", SLM_NUL_TERMINATED, temporary_path("score.slm", target), SLM_NUL_TERMINATED, NULL,
                         NULL, &error));
    CHECK_OK(slm_model_open_file(engine, target, SLM_NUL_TERMINATED, &read, &model, &error));
    unlink(target);
    CHECK_OK(slm_model_get_info(model, &info, &error));
    context = (slm_input){.text = context_text, .text_length = SLM_NUL_TERMINATED};
    for (int i = 0; i < LABELS; i++) {
        labels[i] = (slm_input){.text = words[i], .text_length = SLM_NUL_TERMINATED};
    }
    scores[0].struct_size = sizeof scores[0];
    return 0;
}

static int close_model(void **state)
{
    (void)state;
    return slm_model_close(model) != SLM_OK || slm_engine_destroy(engine) != SLM_OK;
}

static double end_by_hand(const float *logits)
{
    double sum = 0, best = -INFINITY;
    for (uint32_t i = 0; i < info.eos_count; i++) {
        const double one = (double)slm__logprob(alone(), logits, info.vocab_size, slm__logits_top(alone(), logits, info.vocab_size).max,
                                                info.eos_tokens[i]);
        sum += exp(one);
        best = one;
    }
    return info.eos_count == 1 ? best : log(sum);
}

/* The label's tokens, one append for each. */
static double by_hand(const int32_t *before, uint64_t before_count, const int32_t *ids, uint64_t count, int end)
{
    slm_session *session = NULL;
    const float *logits = NULL;
    double sum = 0;
    CHECK_OK(slm_session_create(model, NULL, NULL, &session, &error));
    CHECK_OK(slm_session_append(session, before, before_count, NULL, &error));
    for (uint64_t i = 0; i < count + (end ? 1u : 0u); i++) {
        CHECK_OK(slm_session_logits(session, &logits, NULL, &error));
        sum += i < count
                   ? (double)slm__logprob(alone(), logits, info.vocab_size, slm__logits_top(alone(), logits, info.vocab_size).max, ids[i])
                   : end_by_hand(logits);
        if (i < count) {
            CHECK_OK(slm_session_append(session, ids + i, 1, NULL, &error));
        }
    }
    slm_session_destroy(session);
    return sum;
}

static uint64_t tokenize(const char *text, uint32_t flags, int32_t *ids)
{
    uint64_t count = 0;
    CHECK_OK(slm_tokenize(model, text, SLM_NUL_TERMINATED, flags, ids, 256, &count, &error));
    return count;
}

static void scores_equal_feeding_by_hand(void **state)
{
    static const struct {
        uint32_t sessions, batch;
    } pools[] = {{2, 3}, {3, 512}, {20, 512}, {20, 7}};
    int32_t before[256], ids[256];
    const uint64_t before_count = tokenize(context_text, SLM_TOKENIZE_ADD_SPECIAL, before);
    (void)state;
    for (uint32_t flags = 0; flags <= SLM_SCORE_EOS; flags += SLM_SCORE_EOS) {
        const slm_score_options options = {.struct_size = sizeof options, .flags = flags};
        double expected[LABELS], sum = 0;
        for (int i = 0; i < LABELS; i++) {
            const uint64_t count = tokenize(words[i], 0, ids);
            expected[i] = by_hand(before, before_count, ids, count, flags != 0);
            sum += exp(expected[i]);
        }
        for (size_t p = 0; p < sizeof pools / sizeof pools[0]; p++) {
            slm_pool *pool = make_pool(pools[p].sessions, 128, pools[p].batch, 0);
            CHECK_OK(slm_score(pool, &context, labels, LABELS, &options, scores, &error));
            for (int i = 0; i < LABELS; i++) {
                assert_int_equal(scores[i].tokens, tokenize(words[i], 0, ids));
                assert_true(scores[i].logprob == expected[i] && scores[i].score == expected[i] && scores[i].prior == 0);
                assert_true(fabs(scores[i].probability - exp(expected[i]) / sum) < 1e-12);
            }
            assert_true(scores[0].logprob == scores[3].logprob && scores[0].probability == scores[3].probability);
            CHECK_OK(slm_pool_destroy(pool)); /* no session is left */
        }
    }
}

static void one_label_is_certain(void **state)
{
    slm_pool *pool = make_pool(2, 128, 0, 0);
    (void)state;
    CHECK_OK(slm_score(pool, &context, labels, 1, NULL, scores, &error));
    assert_true(scores[0].probability == 1.0 && scores[0].logprob < 0);
    CHECK_OK(slm_score(pool, &context, NULL, 0, NULL, NULL, &error));
    CHECK_OK(slm_pool_destroy(pool));
}

static void single_tokens_need_one_session(void **state)
{
    static const int32_t single[] = {70, 71, 72};
    const slm_input three[] = {{.ids = single, .id_count = 1}, {.ids = single + 1, .id_count = 1}, {.ids = single + 2, .id_count = 1}};
    slm_pool *pool = make_pool(1, 128, 0, 0);
    (void)state;
    CHECK_OK(slm_score(pool, &context, three, 3, NULL, scores, &error));
    assert_true(fabs(scores[0].probability + scores[1].probability + scores[2].probability - 1) < 1e-12);
    assert_int_equal(slm_score(pool, &context, labels, LABELS, NULL, scores, &error), SLM_E_POOL_FULL);
    assert_non_null(strstr(error.message, "second free session"));
    CHECK_OK(slm_score(pool, &context, three, 3, NULL, scores, &error));
    CHECK_OK(slm_pool_destroy(pool));
}

static void priors_and_lengths(void **state)
{
    static const char empty[] = "<|im_start|>user\nN/A<|im_end|>\n<|im_start|>assistant\n{\"intent\":\"";
    const slm_input prior = {.text = empty, .text_length = SLM_NUL_TERMINATED};
    slm_score_options options = {.struct_size = sizeof options};
    slm_label_score plain[LABELS] = {{.struct_size = sizeof plain[0]}}, without[LABELS] = {{.struct_size = sizeof without[0]}};
    slm_pool *pool = make_pool(4, 128, 0, 0);
    (void)state;
    CHECK_OK(slm_score(pool, &context, labels, LABELS, &options, plain, &error));
    CHECK_OK(slm_score(pool, &prior, labels, LABELS, &options, without, &error));
    options.prior = &prior;
    CHECK_OK(slm_score(pool, &context, labels, LABELS, &options, scores, &error));
    for (int i = 0; i < LABELS; i++) {
        assert_true(scores[i].logprob == plain[i].logprob && scores[i].prior == without[i].logprob);
        assert_true(scores[i].score == scores[i].logprob - scores[i].prior);
    }
    options.flags = SLM_SCORE_LENGTH;
    CHECK_OK(slm_score(pool, &context, labels, LABELS, &options, scores, &error));
    for (int i = 0; i < LABELS; i++) {
        assert_true(scores[i].score == (plain[i].logprob - without[i].logprob) / scores[i].tokens);
    }
    options = (slm_score_options){.struct_size = sizeof options, .flags = SLM_SCORE_LENGTH | SLM_SCORE_EOS};
    const slm_input nothing = {.text = "", .text_length = 0};
    CHECK_OK(slm_score(pool, &context, &nothing, 1, &options, scores, &error)); /* only the end: one token */
    assert_true(scores[0].tokens == 0 && scores[0].score == scores[0].logprob && scores[0].logprob < 0);
    CHECK_OK(slm_pool_destroy(pool));
}

/* What the texts share is the context: the sum is that of the rest of the tokens of the whole text. */
static void joint_tokenization(void **state)
{
    static const char *const endings[] = {"ney back", "ney", "on"};
    static const char beginning[] = "I want my mo";
    const slm_score_options options = {.struct_size = sizeof options, .flags = SLM_SCORE_JOINT};
    const slm_input start = {.text = beginning, .text_length = SLM_NUL_TERMINATED};
    slm_input ends[3];
    int32_t whole[3][256], base[256];
    uint64_t counts[3], shared = tokenize(beginning, SLM_TOKENIZE_ADD_SPECIAL, base);
    (void)state;
    for (int i = 0; i < 3; i++) {
        char text[128];
        snprintf(text, sizeof text, "%s%s", beginning, endings[i]);
        counts[i] = tokenize(text, SLM_TOKENIZE_ADD_SPECIAL, whole[i]);
        ends[i] = (slm_input){.text = endings[i], .text_length = SLM_NUL_TERMINATED};
        uint64_t same = 0;
        while (same < shared && same + 1 < counts[i] && whole[i][same] == base[same]) {
            same++;
        }
        shared = same;
    }
    assert_true(shared > 0 && shared < tokenize(beginning, SLM_TOKENIZE_ADD_SPECIAL, base)); /* a token ends beyond the cut */
    slm_pool *pool = make_pool(4, 128, 0, 0);
    CHECK_OK(slm_score(pool, &start, ends, 3, &options, scores, &error));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(scores[i].tokens, counts[i] - shared);
        assert_true(scores[i].logprob == by_hand(whole[i], shared, whole[i] + shared, counts[i] - shared, 0));
    }
    ends[1] = (slm_input){.ids = base, .id_count = 1};
    assert_int_equal(slm_score(pool, &start, ends, 3, &options, scores, &error), SLM_E_ARGUMENT);
    assert_non_null(strstr(error.message, "label 1: SLM_SCORE_JOINT needs texts"));
    CHECK_OK(slm_pool_destroy(pool));
}

/* Rows of one prompt: what their contexts begin with alike is computed once, and no number changes. */
static void contexts_share_what_they_begin_with(void **state)
{
    (void)state;
    char texts[3][400];
    slm_label_score kept[LABELS];
    slm_pool *keeping = make_keeping_pool(4, 200, 16, 0, 1), *plain = make_pool(4, 200, 16, 0);
    for (int t = 0; t < 3; t++) {
        snprintf(texts[t], sizeof texts[t], "%s%d%s", "<|im_start|>user\nI want my money back for order ", 100 + t,
                 strchr(context_text, '.'));
        const slm_input row = {.text = texts[t], .text_length = SLM_NUL_TERMINATED};
        kept[0].struct_size = sizeof kept[0];
        CHECK_OK(slm_score(keeping, &row, labels, LABELS, NULL, kept, &error));
        CHECK_OK(slm_score(plain, &row, labels, LABELS, NULL, scores, &error));
        for (int i = 0; i < LABELS; i++) {
            assert_memory_equal(&kept[i].logprob, &scores[i].logprob, sizeof kept[i].logprob);
        }
        slm_session *session = NULL;
        slm_session_info found = {.struct_size = sizeof found};
        int32_t ids[200];
        uint64_t count = 0;
        CHECK_OK(slm_tokenize(model, texts[t], SLM_NUL_TERMINATED, SLM_TOKENIZE_ADD_SPECIAL, ids, 200, &count, &error));
        CHECK_OK(slm_session_create(model, keeping, NULL, &session, &error));
        CHECK_OK(slm_session_append(session, ids, count, NULL, &error));
        CHECK_OK(slm_session_get_info(session, &found, &error));
        assert_int_equal(found.reused, count - 1);
        CHECK_OK(slm_session_destroy(session));
    }
    CHECK_OK(slm_pool_destroy(keeping));
    CHECK_OK(slm_pool_destroy(plain));
}

static void expect_failure(slm_pool *pool, const slm_input *before, const slm_input *label, const slm_score_options *options,
                           slm_status status, const char *said)
{
    const slm_status got = slm_score(pool, before, label, 1, options, scores, &error);
    if (got != status || strstr(error.message, said) == NULL) {
        fail_msg("%s: %s; expected %s with '%s'", slm_status_name(got), error.message, slm_status_name(status), said);
    }
}

static int32_t stop_second(void *user, uint64_t done, uint64_t total, const char *what)
{
    (void)done, (void)what;
    assert_int_equal(total, LABELS);
    return ++*(int *)user > 2;
}

static void what_cannot_be_is_refused(void **state)
{
    static char huge[400000];
    static const int32_t bad[] = {5, -3};
    const slm_input nothing = {.text = "", .text_length = 0}, wrong = {.ids = bad, .id_count = 2}, no_ids = {.ids = bad, .id_count = 0};
    slm_score_options options = {.struct_size = sizeof options};
    slm_pool *pool = make_pool(3, 64, 0, 0);
    int calls = 0;
    (void)state;
    expect_failure(pool, &nothing, labels, NULL, SLM_E_ARGUMENT, "the context has no tokens");
    expect_failure(pool, &no_ids, labels, NULL, SLM_E_ARGUMENT, "the context has no tokens");
    expect_failure(pool, &context, &nothing, NULL, SLM_E_ARGUMENT, "label 0 has no tokens");
    expect_failure(pool, &context, &wrong, NULL, SLM_E_BAD_TOKEN, "label 0: token 1 is -3");
    memset(huge, 'x', sizeof huge - 1);
    const slm_input long_text = {.text = huge, .text_length = SLM_NUL_TERMINATED};
    expect_failure(pool, &long_text, labels, NULL, SLM_E_CONTEXT_FULL, "label 0");
    expect_failure(pool, &context, &long_text, NULL, SLM_E_CONTEXT_FULL, "label 0");
    options.flags = 128;
    expect_failure(pool, &context, labels, &options, SLM_E_ARGUMENT, "flags is 0x80");
    options = (slm_score_options){.struct_size = sizeof options, .prior = &nothing};
    expect_failure(pool, &context, labels, &options, SLM_E_ARGUMENT, "prior: the context has no tokens");
    scores[0].struct_size = 3;
    expect_failure(pool, &context, labels, NULL, SLM_E_STRUCT_SIZE, "struct_size of scores[0] is 3");
    scores[0].struct_size = sizeof scores[0];
    assert_int_equal(slm_score(pool, &context, labels, UINT64_MAX, NULL, scores, &error), SLM_E_ARGUMENT);
    assert_non_null(strstr(error.message, "count is 18446744073709551615"));
    assert_int_equal(slm_score(pool, NULL, labels, 1, NULL, scores, &error), SLM_E_ARGUMENT);
    assert_int_equal(slm_score(pool, &context, NULL, 1, NULL, scores, &error), SLM_E_ARGUMENT);
    assert_int_equal(slm_score(pool, &context, labels, 1, NULL, NULL, &error), SLM_E_ARGUMENT);
    options = (slm_score_options){.struct_size = sizeof options, .progress = stop_second, .progress_user = &calls};
    assert_int_equal(slm_score(pool, &context, labels, LABELS, &options, scores, &error), SLM_E_CANCELLED);
    CHECK_OK(slm_score(pool, &context, labels, LABELS, NULL, scores, &error));
    CHECK_OK(slm_pool_destroy(pool));
    pool = make_pool(3, 128, 0, 64); /* one page: no fork can grow */
    expect_failure(pool, &context, &labels[4], NULL, SLM_E_POOL_FULL, "label 0 needs");
    CHECK_OK(slm_pool_destroy(pool));
}

static void any_allocation_may_fail(void **state)
{
    struct counting_allocator counter = {0};
    const slm_engine_options engine_options = counting_options(&counter);
    const slm_score_options options = {.struct_size = sizeof options, .flags = SLM_SCORE_JOINT, .prior = &context};
    slm_engine *own = NULL;
    slm_model *opened = NULL, *shared = model;
    char target[256];
    (void)state;
    CHECK_OK(slm_engine_create(&engine_options, &own, &error));
    CHECK_OK(slm_convert(own, "examples/demo/hf", SLM_NUL_TERMINATED, temporary_path("own.slm", target), SLM_NUL_TERMINATED, NULL, NULL,
                         &error));
    CHECK_OK(slm_model_open_file(own, target, SLM_NUL_TERMINATED, NULL, &opened, &error));
    model = opened;
    slm_pool *pool = make_pool(3, 128, 0, 0);
    model = shared;
    const uint64_t before = counter.live_blocks;
    slm_status status = SLM_E_NO_MEMORY;
    uint64_t fail = 1;
    for (; status != SLM_OK; fail++) {
        counter.calls = 0;
        counter.fail_at = fail;
        status = slm_score(pool, &context, labels, 3, &options, scores, &error);
        assert_true(status == SLM_OK || status == SLM_E_NO_MEMORY);
        assert_int_equal(counter.live_blocks, before);
    }
    assert_true(fail > 4);
    CHECK_OK(slm_pool_destroy(pool));
    CHECK_OK(slm_model_close(opened));
    CHECK_OK(slm_engine_destroy(own));
    unlink(target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_equal_feeding_by_hand),
        cmocka_unit_test(one_label_is_certain),
        cmocka_unit_test(single_tokens_need_one_session),
        cmocka_unit_test(priors_and_lengths),
        cmocka_unit_test(joint_tokenization),
        cmocka_unit_test(contexts_share_what_they_begin_with),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, open_model, close_model);
}

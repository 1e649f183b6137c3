/* SPDX-License-Identifier: MIT */
/* The promise: the same file and input give the same bits on every tier, thread count, division of the prompt, and batch. */
#include "tests/api_fixture.h"

enum { TOKENS = 150, LONG_TOKENS = 1200, STEPS = 6, SESSIONS = 8 };

static const char *const folders[] = {"qwen3", "llama32-tied"};
static const int32_t types[] = {SLM_TYPE_F32, SLM_TYPE_F16, SLM_TYPE_BF16, SLM_TYPE_I8, SLM_TYPE_I4};

/* Opens the bytes of one conversion with an engine of any kind. */
struct image {
    char *bytes;
    size_t length;
};

static struct image convert_image(const char *folder, int32_t type)
{
    char path[256];
    struct image image = {NULL, 0};
    slm_engine *engine = NULL;
    CHECK_OK(slm_engine_create(NULL, &engine, &error));
    convert_golden(engine, folder, type, temporary_path("image.slm", path));
    char *bytes = golden_load(path, &image.length);
    assert_int_equal(posix_memalign((void **)&image.bytes, 64, image.length), 0);
    memcpy(image.bytes, bytes, image.length);
    free(bytes);
    unlink(path);
    assert_int_equal(slm_engine_destroy(engine), SLM_OK);
    return image;
}

/* One way to compute. */
struct way {
    int32_t isa;
    uint32_t threads, chunk, batch;
    slm_parallel_for_fn *parallel_for;
};

/* Logits of a prompt fed in chunks, then of STEPS greedy steps, as one array. */
static float *run_way(const struct image *image, const struct way *way, uint32_t length, int32_t kv_type, uint64_t *count)
{
    const slm_engine_options engine_options = {
        .struct_size = sizeof engine_options, .threads = way->threads, .isa = way->isa, .parallel_for = way->parallel_for};
    slm_engine *engine = NULL;
    slm_model *model = NULL;
    slm_session *session = NULL;
    slm_model_info info = {.struct_size = sizeof info};
    int32_t ids[LONG_TOKENS];
    CHECK_OK(slm_engine_create(&engine_options, &engine, &error));
    CHECK_OK(slm_model_open_memory(engine, image->bytes, image->length, NULL, &model, &error));
    CHECK_OK(slm_model_get_info(model, &info, &error));
    const slm_session_options options = {
        .struct_size = sizeof options, .flags = SLM_SESSION_IGNORE_EOS, .kv_type = kv_type, .batch = way->batch};
    CHECK_OK(slm_session_create(model, NULL, &options, &session, &error));
    some_tokens(ids, length, info.vocab_size);
    *count = (uint64_t)(length + STEPS) * info.vocab_size;
    float *logits = malloc(*count * sizeof *logits);
    for (uint32_t i = 0; i < length; i += way->chunk) {
        const uint32_t n = i + way->chunk < length ? way->chunk : length - i;
        const slm_append_options out = {
            .struct_size = sizeof out, .logits = logits + (size_t)i * info.vocab_size, .logits_capacity = (uint64_t)n * info.vocab_size};
        CHECK_OK(slm_session_append(session, ids + i, n, &out, &error));
    }
    for (uint32_t i = 0; i < STEPS; i++) {
        slm_token token = {.struct_size = sizeof token};
        const float *row = NULL;
        CHECK_OK(slm_session_next(session, &token, &error));
        CHECK_OK(slm_session_logits(session, &row, NULL, &error));
        memcpy(logits + (size_t)(length + i) * info.vocab_size, row, info.vocab_size * sizeof *row);
    }
    slm_session_destroy(session);
    assert_int_equal(slm_model_close(model), SLM_OK);
    assert_int_equal(slm_engine_destroy(engine), SLM_OK);
    return logits;
}

static void backwards(void *user, uint32_t count, slm_task_fn *task, void *context)
{
    (void)user;
    for (uint32_t i = count; i > 0; i--) {
        task(context, i - 1);
    }
}

static void test_every_way_gives_the_same_bits(void **state)
{
    const struct way reference = {SLM_ISA_SCALAR, 1, TOKENS, 0, NULL};
    const struct way ways[] = {
        {SLM_ISA_SCALAR, 3, 7, 0, NULL},       {SLM_ISA_AVX2, 1, TOKENS, 0, NULL},      {SLM_ISA_AVX2, 2, 7, 0, NULL},
        {SLM_ISA_AVX2, 4, 1, 0, NULL},         {SLM_ISA_AVXVNNI, 2, TOKENS, 0, NULL},   {SLM_ISA_AVX512VNNI, 1, TOKENS, 0, NULL},
        {SLM_ISA_AVX512VNNI, 2, 7, 13, NULL},  {SLM_ISA_AVX512VNNI, 3, 1, 0, NULL},     {SLM_ISA_BEST, 2, TOKENS, 5, NULL},
        {SLM_ISA_BEST, 4, TOKENS, 0, NULL},    {SLM_ISA_BEST, 0, TOKENS, 0, backwards}, {SLM_ISA_NEON, 2, TOKENS, 0, NULL},
        {SLM_ISA_NEON_DOTPROD, 2, 7, 0, NULL}, {SLM_ISA_NEON_I8MM, 2, TOKENS, 0, NULL},
    };
    uint32_t compared = 0;
    (void)state;
    for (size_t f = 0; f < sizeof folders / sizeof folders[0]; f++) {
        for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
            const struct image image = convert_image(folders[f], types[t]);
            for (int32_t kv = SLM_KV_F32; kv <= SLM_KV_I8; kv++) {
                uint64_t count = 0, other = 0;
                float *expected = run_way(&image, &reference, TOKENS, kv, &count);
                for (size_t w = 0; w < sizeof ways / sizeof ways[0]; w++) {
                    slm_engine *probe = NULL;
                    const slm_engine_options options = {.struct_size = sizeof options, .isa = ways[w].isa};
                    if (slm_engine_create(&options, &probe, NULL) != SLM_OK) {
                        continue; /* not a tier of this machine */
                    }
                    slm_engine_destroy(probe);
                    float *got = run_way(&image, &ways[w], TOKENS, kv, &other);
                    if (memcmp(got, expected, count * sizeof *got) != 0) {
                        fail_msg("%s, type %d, kv %d: way %u (tier %d, %u threads, chunk %u) differs", folders[f], types[t], kv,
                                 (unsigned)w, ways[w].isa, ways[w].threads, ways[w].chunk);
                    }
                    free(got);
                    compared++;
                }
                free(expected);
            }
            free(image.bytes);
        }
    }
    printf("%u runs equal scalar, one thread, one piece\n", compared);
}

/* Beyond two segments of attention, where a single row is cut along its keys. */
static void test_long_sequences_give_the_same_bits(void **state)
{
    const struct way reference = {SLM_ISA_SCALAR, 1, LONG_TOKENS, 0, NULL};
    const struct way ways[] = {{SLM_ISA_BEST, 1, 100, 0, NULL},
                               {SLM_ISA_BEST, 4, LONG_TOKENS, 0, NULL},
                               {SLM_ISA_BEST, 3, 1, 0, NULL},
                               {SLM_ISA_BEST, 4, 1, 0, backwards}};
    const struct image image = convert_image("llama32-tied", SLM_TYPE_I8);
    (void)state;
    for (int32_t kv = SLM_KV_F16; kv <= SLM_KV_I8; kv++) {
        uint64_t count = 0, other = 0;
        float *expected = run_way(&image, &reference, LONG_TOKENS, kv, &count);
        for (size_t w = 0; w < sizeof ways / sizeof ways[0]; w++) {
            float *got = run_way(&image, &ways[w], LONG_TOKENS, kv, &other);
            if (memcmp(got, expected, count * sizeof *got) != 0) {
                fail_msg("kv %d: way %u differs", kv, (unsigned)w);
            }
            free(got);
        }
        free(expected);
    }
    free(image.bytes);
}

static void test_batch_gives_the_bits_of_one(void **state)
{
    const struct image image = convert_image(folders[0], SLM_TYPE_I4);
    slm_engine *engine = NULL;
    slm_model *model = NULL;
    slm_pool *pool = NULL;
    slm_session *sessions[SESSIONS] = {NULL}, *alone = NULL;
    slm_token tokens[SESSIONS];
    slm_status statuses[SESSIONS];
    int32_t ids[TOKENS];
    slm_model_info info = {.struct_size = sizeof info};
    const slm_pool_options options = {.struct_size = sizeof options, .sessions = SESSIONS, .context = TOKENS + STEPS};
    const slm_session_options session_options = {.struct_size = sizeof session_options, .flags = SLM_SESSION_IGNORE_EOS};
    (void)state;
    CHECK_OK(slm_engine_create(NULL, &engine, &error));
    CHECK_OK(slm_model_open_memory(engine, image.bytes, image.length, NULL, &model, &error));
    CHECK_OK(slm_model_get_info(model, &info, &error));
    CHECK_OK(slm_pool_create(model, &options, &pool, &error));
    some_tokens(ids, TOKENS, info.vocab_size);
    for (uint32_t i = 0; i < SESSIONS; i++) { /* prompts of different lengths */
        CHECK_OK(slm_session_create(model, pool, &session_options, &sessions[i], &error));
        CHECK_OK(slm_session_append(sessions[i], ids + i, 10 + 17 * i, NULL, &error));
    }
    for (uint32_t s = 0; s < STEPS; s++) {
        memset(tokens, 0, sizeof tokens);
        tokens[0].struct_size = sizeof tokens[0];
        CHECK_OK(slm_pool_step(pool, sessions, SESSIONS, tokens, statuses, &error));
    }
    for (uint32_t i = 0; i < SESSIONS; i++) {
        const float *got = NULL, *expected = NULL;
        int32_t sequence[TOKENS + STEPS];
        uint64_t count = 0;
        CHECK_OK(slm_session_tokens(sessions[i], sequence, TOKENS + STEPS, &count, &error));
        assert_int_equal(count, 10 + 17 * i + STEPS);
        CHECK_OK(slm_session_create(model, NULL, &session_options, &alone, &error));
        CHECK_OK(slm_session_append(alone, sequence, count, NULL, &error));
        CHECK_OK(slm_session_logits(alone, &expected, NULL, &error));
        CHECK_OK(slm_session_logits(sessions[i], &got, NULL, &error));
        assert_memory_equal(got, expected, info.vocab_size * sizeof *got);
        slm_session_destroy(alone);
        slm_session_destroy(sessions[i]);
    }
    assert_int_equal(slm_pool_destroy(pool), SLM_OK);
    assert_int_equal(slm_model_close(model), SLM_OK);
    assert_int_equal(slm_engine_destroy(engine), SLM_OK);
    free(image.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_way_gives_the_same_bits),
        cmocka_unit_test(test_long_sequences_give_the_same_bits),
        cmocka_unit_test(test_batch_gives_the_bits_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

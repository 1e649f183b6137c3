/* SPDX-License-Identifier: MIT */
/* The promise: the same file and input give the same bits on every tier, thread count, division of the prompt, and batch. What the bits
 * are is printed as one number, so that machines can be compared. SLM_WAYS=N: only N of the ways for each model, by turns. */
#include "tests/api_fixture.h"
#include <inttypes.h>
#include <stdbool.h>

enum { TOKENS = 150, LONG_TOKENS = 1200, STEPS = 6, SESSIONS = 8, MOST_WAYS = 32 };

static const char *const folders[] = {"qwen3", "llama32-tied"};
static const int32_t types[] = {SLM_TYPE_F32, SLM_TYPE_F16, SLM_TYPE_BF16, SLM_TYPE_I8, SLM_TYPE_I4};
static const int32_t tiers[] = {SLM_ISA_SCALAR, SLM_ISA_AVX2,         SLM_ISA_AVXVNNI,  SLM_ISA_AVX512VNNI,
                                SLM_ISA_NEON,   SLM_ISA_NEON_DOTPROD, SLM_ISA_NEON_I8MM};
enum { TIERS = sizeof tiers / sizeof tiers[0] };

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

static bool tier_runs_here(int32_t isa)
{
    slm_engine *engine = NULL;
    const slm_engine_options options = {.struct_size = sizeof options, .threads = 1, .isa = isa};
    const slm_status status = slm_engine_create(&options, &engine, NULL);
    slm_engine_destroy(engine);
    return status == SLM_OK;
}

static void backwards(void *user, uint32_t count, slm_task_fn *task, void *context)
{
    (void)user;
    for (uint32_t i = count; i > 0; i--) {
        task(context, i - 1);
    }
}

/* Every tier of this machine with the prompt whole, in sevens and one by one, threads 1 to 4 by turns; the host's loop; small batches. */
static uint32_t list_ways(struct way ways[MOST_WAYS])
{
    static const uint32_t chunks[] = {TOKENS, 7, 1};
    uint32_t count = 0;
    for (uint32_t c = 0; c < 3; c++) {
        for (uint32_t t = 0; t < TIERS; t++) {
            if (tier_runs_here(tiers[t])) {
                ways[count] = (struct way){tiers[t], 1 + count % 4, chunks[c], 0, NULL};
                count++;
            }
        }
    }
    ways[count++] = (struct way){SLM_ISA_BEST, 0, TOKENS, 0, backwards};
    ways[count++] = (struct way){SLM_ISA_BEST, 2, TOKENS, 5, NULL};
    ways[count++] = (struct way){SLM_ISA_BEST, 3, 7, 13, NULL};
    return count;
}

static uint32_t ways_wanted(uint32_t count)
{
    const char *wanted = getenv("SLM_WAYS");
    const uint32_t n = wanted != NULL ? (uint32_t)strtoul(wanted, NULL, 10) : 0;
    return n > 0 && n < count ? n : count;
}

/* FNV-1a, 64 bits */
static uint64_t add_to_hash(uint64_t hash, const float *values, uint64_t count)
{
    const uint8_t *bytes = (const uint8_t *)values;
    for (uint64_t i = 0; i < count * sizeof *values; i++) {
        hash = (hash ^ bytes[i]) * 1099511628211u;
    }
    return hash;
}
static const uint64_t empty_hash = 14695981039346656037u;

static void test_every_way_gives_the_same_bits(void **state)
{
    const struct way reference = {SLM_ISA_SCALAR, 1, TOKENS, 0, NULL};
    struct way ways[MOST_WAYS];
    const uint32_t way_count = list_ways(ways), wanted = ways_wanted(way_count);
    uint32_t compared = 0;
    uint64_t hash = empty_hash;
    (void)state;
    for (size_t f = 0; f < sizeof folders / sizeof folders[0]; f++) {
        for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
            const struct image image = convert_image(folders[f], types[t]);
            for (int32_t kv = SLM_KV_F32; kv <= SLM_KV_I8; kv++) {
                uint64_t count = 0, other = 0;
                float *expected = run_way(&image, &reference, TOKENS, kv, &count);
                hash = add_to_hash(hash, expected, count);
                for (uint32_t i = 0; i < wanted; i++, compared++) {
                    const struct way *way = &ways[compared % way_count];
                    float *got = run_way(&image, way, TOKENS, kv, &other);
                    if (memcmp(got, expected, count * sizeof *got) != 0) {
                        fail_msg("%s, type %d, kv %d differs: tier %d, %u threads, chunk %u, batch %u", folders[f], types[t], kv, way->isa,
                                 way->threads, way->chunk, way->batch);
                    }
                    free(got);
                }
                free(expected);
            }
            free(image.bytes);
        }
    }
    printf("%u runs equal scalar, one thread, one piece\nbits of the prompts: %016" PRIx64 "\n", compared, hash);
}

/* Beyond two segments of attention, where a single row is cut along its keys, and beyond a batch of 512. */
static void test_long_sequences_give_the_same_bits(void **state)
{
    const struct way reference = {SLM_ISA_SCALAR, 1, LONG_TOKENS, 0, NULL};
    const struct way ways[] = {{SLM_ISA_BEST, 4, 512, 0, NULL},
                               {SLM_ISA_BEST, 1, LONG_TOKENS, 0, NULL},
                               {SLM_ISA_BEST, 3, 1, 0, NULL},
                               {SLM_ISA_BEST, 4, 100, 0, backwards}};
    const uint32_t way_count = sizeof ways / sizeof ways[0], wanted = ways_wanted(way_count);
    const struct image image = convert_image("llama32-tied", SLM_TYPE_I8);
    uint32_t compared = 0;
    uint64_t hash = empty_hash;
    (void)state;
    for (int32_t kv = SLM_KV_F16; kv <= SLM_KV_I8; kv++) {
        uint64_t count = 0, other = 0;
        float *expected = run_way(&image, &reference, LONG_TOKENS, kv, &count);
        hash = add_to_hash(hash, expected, count);
        for (uint32_t i = 0; i < wanted; i++, compared++) {
            float *got = run_way(&image, &ways[compared % way_count], LONG_TOKENS, kv, &other);
            if (memcmp(got, expected, count * sizeof *got) != 0) {
                fail_msg("kv %d: way %u differs", kv, compared % way_count);
            }
            free(got);
        }
        free(expected);
    }
    free(image.bytes);
    printf("bits of long prompts: %016" PRIx64 "\n", hash);
}

/* Prompts of different lengths, then steps of all sessions in one batch (or each on its own): the last logits, [SESSIONS][vocab]. */
static float *run_sessions(const struct image *image, const struct way *way, int32_t kv_type, bool together, uint64_t *count)
{
    const slm_engine_options engine_options = {.struct_size = sizeof engine_options, .threads = way->threads, .isa = way->isa};
    const slm_pool_options pool_options = {
        .struct_size = sizeof pool_options, .sessions = SESSIONS, .context = TOKENS + STEPS, .kv_type = kv_type};
    const slm_session_options options = {.struct_size = sizeof options, .flags = SLM_SESSION_IGNORE_EOS};
    slm_engine *engine = NULL;
    slm_model *model = NULL;
    slm_pool *pool = NULL;
    slm_session *sessions[SESSIONS] = {NULL};
    slm_status statuses[SESSIONS];
    int32_t ids[TOKENS];
    slm_model_info info = {.struct_size = sizeof info};
    CHECK_OK(slm_engine_create(&engine_options, &engine, &error));
    CHECK_OK(slm_model_open_memory(engine, image->bytes, image->length, NULL, &model, &error));
    CHECK_OK(slm_model_get_info(model, &info, &error));
    CHECK_OK(slm_pool_create(model, &pool_options, &pool, &error));
    some_tokens(ids, TOKENS, info.vocab_size);
    for (uint32_t i = 0; i < SESSIONS; i++) {
        CHECK_OK(slm_session_create(model, pool, &options, &sessions[i], &error));
        CHECK_OK(slm_session_append(sessions[i], ids + i, 10 + 17 * i, NULL, &error));
    }
    for (uint32_t i = 0; i < STEPS * (together ? 1 : SESSIONS); i++) {
        slm_token tokens[SESSIONS] = {{.struct_size = sizeof(slm_token)}};
        CHECK_OK(slm_pool_step(pool, sessions + (together ? 0 : i % SESSIONS), together ? SESSIONS : 1, tokens, statuses, &error));
    }
    *count = (uint64_t)SESSIONS * info.vocab_size;
    float *logits = malloc(*count * sizeof *logits);
    for (uint32_t i = 0; i < SESSIONS; i++) {
        const float *row = NULL;
        CHECK_OK(slm_session_logits(sessions[i], &row, NULL, &error));
        memcpy(logits + (size_t)i * info.vocab_size, row, info.vocab_size * sizeof *row);
        slm_session_destroy(sessions[i]);
    }
    assert_int_equal(slm_pool_destroy(pool), SLM_OK);
    assert_int_equal(slm_model_close(model), SLM_OK);
    assert_int_equal(slm_engine_destroy(engine), SLM_OK);
    return logits;
}

static void test_batch_gives_the_bits_of_one(void **state)
{
    const struct way reference = {SLM_ISA_SCALAR, 1, 0, 0, NULL};
    uint64_t hash = empty_hash;
    (void)state;
    for (uint32_t t = 0; t < 2; t++) {
        const struct image image = convert_image(folders[0], t == 0 ? SLM_TYPE_I4 : SLM_TYPE_I8);
        const int32_t kv = t == 0 ? SLM_KV_F16 : SLM_KV_I8;
        uint64_t count = 0, other = 0;
        float *expected = run_sessions(&image, &reference, kv, false, &count);
        hash = add_to_hash(hash, expected, count);
        for (uint32_t i = 0; i < TIERS; i++) {
            const struct way way = {tiers[i], 1 + (i + t) % 4, 0, 0, NULL};
            if (tier_runs_here(way.isa)) {
                float *got = run_sessions(&image, &way, kv, true, &other);
                if (memcmp(got, expected, count * sizeof *got) != 0) {
                    fail_msg("a batch differs: tier %d, %u threads, kv %d", way.isa, way.threads, kv);
                }
                free(got);
            }
        }
        free(expected);
        free(image.bytes);
    }
    printf("bits of the batches: %016" PRIx64 "\n", hash);
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

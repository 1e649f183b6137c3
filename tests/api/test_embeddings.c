/* SPDX-License-Identifier: MIT */
/* slm_embed: whole encoders against reference embeddings (ids equal, NMSE <= 1e-10 in f32; bounds of smaller types are what was measured
 * plus 20 %), decoders, batches that equal single texts bit for bit, and every way to fail. */
#include "tests/api_fixture.h"
#include "tests/golden_report.h" /* golden_begin */
#include <math.h>

enum { TEXTS = 6, WIDEST = 4096 };

struct bounds {
    const char *folder;
    double f16, i8, i4; /* NMSE of the embeddings against the reference */
    int32_t pooling, normalize;
};

static const struct bounds encoders[] = {
    {"bert-cls", 2.1e-07, 1.76e-04, 1.51e-02, SLM_POOLING_FIRST, 0},
    {"bert-mean", 1e-10, 2.3e-04, 3.76e-02, SLM_POOLING_MEAN, 1},
    {"xlm-roberta-mean", 1e-10, 1.01e-04, 1.73e-02, SLM_POOLING_MEAN, 1},
};

static slm_engine *engine;

static slm_model *convert_folder(const char *source, int32_t type)
{
    char target[256];
    slm_model *model = NULL;
    const slm_convert_options options = {.struct_size = sizeof options, .type = type, .head_type = type == SLM_TYPE_F32 ? SLM_TYPE_F32 : 0};
    const slm_model_options read = {.struct_size = sizeof read, .flags = SLM_MODEL_READ};
    temporary_path("encoder.slm", target);
    CHECK_OK(slm_convert(engine, source, SLM_NUL_TERMINATED, target, SLM_NUL_TERMINATED, &options, NULL, &error));
    CHECK_OK(slm_model_open_file(engine, target, SLM_NUL_TERMINATED, &read, &model, &error));
    unlink(target);
    return model;
}

static const char *encoder_path(const char *folder, const char *name, char path[512])
{
    snprintf(path, 512, "%s/encoders/%s%s%s", golden_root(), folder, name[0] != 0 ? "/" : "", name);
    return path;
}

static slm_model *encoder_model(const char *folder, int32_t type)
{
    char path[512];
    return convert_folder(encoder_path(folder, "", path), type);
}

static slm_pool *make_pool(slm_model *model, uint32_t sessions, uint32_t context, uint32_t batch)
{
    const slm_pool_options options = {.struct_size = sizeof options, .sessions = sessions, .context = context, .batch = batch};
    slm_pool *pool = NULL;
    CHECK_OK(slm_pool_create(model, &options, &pool, &error));
    return pool;
}

/* The strings of a JSON list that has no escapes. */
static int read_texts(const char *folder, char *json[1], slm_input texts[TEXTS])
{
    char path[512];
    *json = golden_load(encoder_path(folder, "texts.json", path), NULL);
    if (*json == NULL) {
        printf("skipped: %s is absent\n", path);
        return 0;
    }
    char *at = *json;
    for (int i = 0; i < TEXTS; i++) {
        char *begin = strchr(at, '"') + 1, *end = strchr(begin, '"');
        texts[i] = (slm_input){begin, (uint64_t)(end - begin), NULL, 0};
        at = end + 1;
    }
    return 1;
}

static void check_ids(const slm_model *model, const struct golden_file *golden, const slm_input *text, int index)
{
    char name[32];
    int32_t ids[512];
    uint64_t count = 0;
    snprintf(name, sizeof name, "input_ids.%d", index);
    const struct golden_tensor expected = golden_find(golden, name);
    CHECK_OK(slm_tokenize(model, text->text, text->text_length, SLM_TOKENIZE_ADD_SPECIAL, ids, 512, &count, &error));
    assert_int_equal(count, expected.count);
    assert_memory_equal(ids, expected.data, count * sizeof *ids);
}

/* NMSE of all embeddings together. */
static double embeddings_nmse(slm_model *model, const struct golden_file *golden, const slm_input *texts)
{
    static float got[TEXTS * 64], want[TEXTS * 64];
    char name[32];
    slm_model_info info = {.struct_size = sizeof info};
    CHECK_OK(slm_model_get_info(model, &info, &error));
    slm_pool *pool = make_pool(model, 0, 0, 0);
    CHECK_OK(slm_embed(pool, texts, TEXTS, NULL, got, TEXTS * 64, &error));
    for (int i = 0; i < TEXTS; i++) {
        snprintf(name, sizeof name, "embedding.%d", i);
        const struct golden_tensor expected = golden_find(golden, name);
        assert_int_equal(expected.count, info.hidden_size);
        memcpy(want + (size_t)i * info.hidden_size, expected.data, info.hidden_size * sizeof *want);
    }
    CHECK_OK(slm_pool_destroy(pool));
    return golden_nmse(got, want, (uint64_t)TEXTS * info.hidden_size);
}

static void encoders_equal_reference(void **state)
{
    int run = 0;
    (void)state;
    for (size_t i = 0; i < sizeof encoders / sizeof encoders[0]; i++) {
        static const int32_t types[] = {SLM_TYPE_F32, SLM_TYPE_F16, SLM_TYPE_I8, SLM_TYPE_I4};
        const double limits[] = {1e-10, encoders[i].f16, encoders[i].i8, encoders[i].i4};
        struct golden_file golden;
        slm_input texts[TEXTS];
        char path[512], *json = NULL;
        double nmse[4];
        if (!read_texts(encoders[i].folder, &json, texts) ||
            !golden_open(&golden, encoder_path(encoders[i].folder, "golden.safetensors", path))) {
            continue;
        }
        golden_begin("encoder", encoders[i].folder);
        for (int k = 0; k < 4; k++) {
            slm_model *model = encoder_model(encoders[i].folder, types[k]);
            slm_model_info info = {.struct_size = sizeof info};
            CHECK_OK(slm_model_get_info(model, &info, &error));
            assert_true(info.encoder == 1 && info.pooling == encoders[i].pooling && info.normalize == encoders[i].normalize);
            for (int t = 0; t < TEXTS; t++) {
                check_ids(model, &golden, &texts[t], t);
            }
            nmse[k] = embeddings_nmse(model, &golden, texts);
            CHECK_OK(slm_model_close(model));
        }
        printf("%-16s f32 %.1e, f16 %.2e, i8 %.2e, i4 %.2e\n", encoders[i].folder, nmse[0], nmse[1], nmse[2], nmse[3]);
        golden_error(nmse[0]);
        golden_case(nmse[0] <= limits[0]);
        assert_int_equal(golden_end(), 0);
        for (int k = 1; k < 4; k++) {
            assert_true(nmse[k] <= limits[k]);
        }
        free(json);
        golden_close(&golden);
        run++;
    }
    if (run == 0) {
        skip();
    }
}

/* A small encoder and a small decoder of those that are there; NULL: neither. */
static slm_model *some_model(int encoder)
{
    char path[512], *there = golden_load(encoder ? encoder_path("bert-mean", "config.json", path) : "examples/demo/hf/config.json", NULL);
    free(there);
    return there == NULL ? NULL : encoder ? encoder_model("bert-mean", SLM_TYPE_I8) : convert_folder("examples/demo/hf", SLM_TYPE_I8);
}

enum { MANY = 40 };

/* Ids of texts of 1 to 150 tokens. */
static void many_inputs(slm_input inputs[MANY], int32_t *ids)
{
    some_tokens(ids, 6000, 800);
    for (uint32_t i = 0; i < MANY; i++) {
        inputs[i] = (slm_input){.ids = ids + i * 100, .id_count = 1 + (i * 37) % 150};
    }
}

static void batches_equal_single_texts(void **state)
{
    static const struct {
        uint32_t sessions, batch;
    } pools[] = {{1, 0}, {7, 160}, {32, 512}, {MANY, 4096}};
    static int32_t ids[6000];
    slm_input inputs[MANY];
    (void)state;
    many_inputs(inputs, ids);
    for (int encoder = 0; encoder < 2; encoder++) {
        slm_model *model = some_model(encoder);
        slm_model_info info = {.struct_size = sizeof info};
        if (model == NULL) {
            skip();
        }
        CHECK_OK(slm_model_get_info(model, &info, &error));
        const uint64_t size = info.hidden_size;
        float *single = calloc(MANY, size * sizeof *single), *batch = calloc(MANY, size * sizeof *batch);
        for (int32_t pooling = SLM_POOLING_MEAN; pooling <= SLM_POOLING_FIRST; pooling++) {
            const slm_embed_options options = {.struct_size = sizeof options, .pooling = pooling};
            for (size_t p = 0; p < sizeof pools / sizeof pools[0]; p++) {
                slm_pool *pool = make_pool(model, pools[p].sessions, 160, pools[p].batch);
                if (p == 0) {
                    for (uint32_t i = 0; i < MANY; i++) {
                        CHECK_OK(slm_embed(pool, &inputs[i], 1, &options, single + i * size, size, &error));
                    }
                } else {
                    CHECK_OK(slm_embed(pool, inputs, MANY, &options, batch, MANY * size, &error));
                    assert_memory_equal(batch, single, MANY * size * sizeof *batch);
                }
                CHECK_OK(slm_pool_destroy(pool)); /* no session is left behind */
            }
        }
        free(single);
        free(batch);
        CHECK_OK(slm_model_close(model));
    }
}

/* Scalar on one thread against the best tier on three, all weight types. */
static void tiers_and_threads_give_the_same_bits(void **state)
{
    static int32_t ids[6000];
    static const int32_t types[] = {SLM_TYPE_F32, SLM_TYPE_I8, SLM_TYPE_I4};
    slm_input inputs[MANY];
    float got[2][8 * 48];
    slm_engine *shared = engine;
    (void)state;
    many_inputs(inputs, ids);
    slm_model *there = some_model(1);
    if (there == NULL) {
        skip();
    }
    CHECK_OK(slm_model_close(there));
    for (int t = 0; t < 3; t++) {
        for (int fast = 0; fast < 2; fast++) {
            const slm_engine_options options = {
                .struct_size = sizeof options, .threads = fast ? 3 : 1, .isa = fast ? SLM_ISA_BEST : SLM_ISA_SCALAR};
            CHECK_OK(slm_engine_create(&options, &engine, &error));
            slm_model *model = encoder_model("bert-mean", types[t]);
            slm_pool *pool = make_pool(model, fast ? 5 : 1, 160, 0);
            CHECK_OK(slm_embed(pool, inputs, 8, NULL, got[fast], 8 * 48, &error));
            CHECK_OK(slm_pool_destroy(pool));
            CHECK_OK(slm_model_close(model));
            CHECK_OK(slm_engine_destroy(engine));
        }
        assert_memory_equal(got[0], got[1], sizeof got[0]);
    }
    engine = shared;
}

/* The pooled states are those that a session gives out. */
static void a_decoders_embedding_is_of_its_hidden_states(void **state)
{
    static const char text[] = "I want my money back";
    slm_model *model = some_model(0);
    slm_model_info info = {.struct_size = sizeof info};
    int32_t ids[64];
    uint64_t count = 0;
    (void)state;
    CHECK_OK(slm_model_get_info(model, &info, &error));
    CHECK_OK(slm_tokenize(model, text, SLM_NUL_TERMINATED, SLM_TOKENIZE_ADD_SPECIAL, ids, 64, &count, &error));
    const uint64_t size = info.hidden_size;
    float *hidden = calloc(count, size * sizeof *hidden), *got = calloc(size, sizeof *got);
    slm_session *session = NULL;
    const slm_append_options out = {.struct_size = sizeof out, .hidden = hidden, .hidden_capacity = count * size};
    CHECK_OK(slm_session_create(model, NULL, NULL, &session, &error));
    CHECK_OK(slm_session_append(session, ids, count, &out, &error));
    CHECK_OK(slm_session_destroy(session));
    slm_pool *pool = make_pool(model, 2, 64, 3); /* in three passes and more */
    const slm_input input = {.text = text, .text_length = SLM_NUL_TERMINATED};
    slm_embed_options options = {.struct_size = sizeof options, .pooling = SLM_POOLING_LAST, .normalize = SLM_NORMALIZE_NO};
    CHECK_OK(slm_embed(pool, &input, 1, &options, got, size, &error));
    assert_memory_equal(got, hidden + (count - 1) * size, size * sizeof *got);
    options.pooling = SLM_POOLING_FIRST;
    CHECK_OK(slm_embed(pool, &input, 1, &options, got, size, &error));
    assert_memory_equal(got, hidden, size * sizeof *got);
    options.pooling = SLM_POOLING_MEAN;
    CHECK_OK(slm_embed(pool, &input, 1, &options, got, size, &error));
    for (uint64_t d = 0; d < size; d++) {
        double mean = 0;
        for (uint64_t i = 0; i < count; i++) {
            mean += (double)hidden[i * size + d] / (double)count;
        }
        assert_true(fabs(mean - (double)got[d]) <= 1e-5 * (1 + fabs(mean)));
    }
    options.normalize = SLM_NORMALIZE_YES;
    CHECK_OK(slm_embed(pool, &input, 1, &options, got, size, &error));
    double square = 0;
    for (uint64_t d = 0; d < size; d++) {
        square += (double)got[d] * (double)got[d];
    }
    assert_true(fabs(square - 1) < 1e-6);
    free(hidden);
    free(got);
    CHECK_OK(slm_pool_destroy(pool));
    CHECK_OK(slm_model_close(model));
}

static int32_t stop_at_once(void *user, uint64_t done, uint64_t total, const char *what)
{
    (void)done, (void)total, (void)what;
    return ++*(int *)user > 1;
}

static void expect_failure(slm_pool *pool, const slm_input *input, const slm_embed_options *options, slm_status status, const char *said)
{
    float got[512];
    const slm_status status_got = slm_embed(pool, input, 1, options, got, 512, &error);
    if (status_got != status || strstr(error.message, said) == NULL) {
        fail_msg("%s: %s; expected %s with '%s'", slm_status_name(status_got), error.message, slm_status_name(status), said);
    }
}

static void what_cannot_be_is_refused(void **state)
{
    static const int32_t bad[] = {2, 70000, 3}, good[] = {2, 3};
    const slm_input cases[] = {{.text = "x", .text_length = 1, .ids = good, .id_count = 2},
                               {.id_count = 2},
                               {.text_length = 2},
                               {.ids = bad, .id_count = 3},
                               {.ids = good, .id_count = 0}};
    slm_model *model = some_model(1);
    slm_session *session = NULL;
    float got[512];
    int calls = 0;
    (void)state;
    if (model == NULL) {
        skip();
    }
    slm_pool *pool = make_pool(model, 2, 16, 0);
    slm_embed_options options = {.struct_size = sizeof options};
    expect_failure(pool, &cases[0], NULL, SLM_E_ARGUMENT, "input 0: both text and ids");
    expect_failure(pool, &cases[1], NULL, SLM_E_ARGUMENT, "ids is NULL");
    expect_failure(pool, &cases[2], NULL, SLM_E_ARGUMENT, "text is NULL");
    expect_failure(pool, &cases[3], NULL, SLM_E_BAD_TOKEN, "token 1 is 70000");
    expect_failure(pool, &cases[4], NULL, SLM_E_ARGUMENT, "no tokens");
    const slm_input text = {.text = "one two three four five six seven eight nine ten", .text_length = SLM_NUL_TERMINATED};
    expect_failure(pool, &text, NULL, SLM_E_CONTEXT_FULL, "input 0");
    options.flags = SLM_EMBED_TRUNCATE;
    CHECK_OK(slm_embed(pool, &text, 1, &options, got, 512, &error));
    options.flags = 64;
    expect_failure(pool, &text, &options, SLM_E_ARGUMENT, "flags 0x40");
    options = (slm_embed_options){.struct_size = sizeof options, .pooling = 4};
    expect_failure(pool, &text, &options, SLM_E_ARGUMENT, "pooling 4");
    assert_int_equal(slm_embed(pool, cases, 1, NULL, got, 47, &error), SLM_E_BUFFER_TOO_SMALL);
    assert_int_equal(slm_embed(pool, NULL, 1, NULL, got, 512, &error), SLM_E_ARGUMENT);
    assert_int_equal(slm_embed(NULL, cases, 1, NULL, got, 512, &error), SLM_E_ARGUMENT);
    CHECK_OK(slm_embed(pool, NULL, 0, NULL, NULL, 0, &error));
    slm_input several[5];
    for (int i = 0; i < 5; i++) {
        several[i] = (slm_input){.ids = good, .id_count = 2};
    }
    options = (slm_embed_options){.struct_size = sizeof options, .progress = stop_at_once, .progress_user = &calls};
    assert_int_equal(slm_embed(pool, several, 5, &options, got, 512, &error), SLM_E_CANCELLED);
    assert_non_null(strstr(error.message, "2 of 5"));
    CHECK_OK(slm_embed(pool, several, 5, NULL, got, 512, &error));
    assert_int_equal(slm_session_create(model, pool, NULL, &session, &error), SLM_E_UNSUPPORTED);
    assert_non_null(strstr(error.message, "slm_embed"));
    CHECK_OK(slm_pool_destroy(pool));
    CHECK_OK(slm_model_close(model));
}

/* [CLS] and [SEP] stay around what is left. */
static void truncation_keeps_the_special_tokens(void **state)
{
    static const char text[] = "one two three four five six seven eight nine ten";
    int32_t ids[64], cut[8];
    uint64_t count = 0;
    float a[512], b[512];
    slm_model *model = some_model(1);
    (void)state;
    if (model == NULL) {
        skip();
    }
    CHECK_OK(slm_tokenize(model, text, SLM_NUL_TERMINATED, SLM_TOKENIZE_ADD_SPECIAL, ids, 64, &count, &error));
    assert_true(count > 8);
    memcpy(cut, ids, 7 * sizeof *cut);
    cut[7] = ids[count - 1];
    slm_pool *pool = make_pool(model, 1, 8, 0);
    const slm_input whole = {.text = text, .text_length = SLM_NUL_TERMINATED}, given = {.ids = cut, .id_count = 8};
    const slm_embed_options options = {.struct_size = sizeof options, .flags = SLM_EMBED_TRUNCATE};
    CHECK_OK(slm_embed(pool, &whole, 1, &options, a, 512, &error));
    CHECK_OK(slm_embed(pool, &given, 1, NULL, b, 512, &error));
    assert_memory_equal(a, b, 48 * sizeof *a);
    CHECK_OK(slm_pool_destroy(pool));
    CHECK_OK(slm_model_close(model));
}

/* Every allocation of the scratch memory may fail; nothing is left, and the next call works. */
static void any_allocation_may_fail(void **state)
{
    struct counting_allocator counter = {0};
    const slm_engine_options options = counting_options(&counter);
    const slm_input input = {.text = "I want my money back", .text_length = SLM_NUL_TERMINATED};
    slm_engine *own = NULL, *shared = engine;
    float got[512];
    (void)state;
    CHECK_OK(slm_engine_create(&options, &own, &error));
    engine = own;
    slm_model *model = some_model(0);
    engine = shared;
    slm_pool *pool = make_pool(model, 1, 64, 0);
    const uint64_t before = counter.live_blocks;
    slm_status status = SLM_E_NO_MEMORY;
    for (uint64_t fail = 1; status != SLM_OK; fail++) {
        counter.calls = 0;
        counter.fail_at = fail;
        status = slm_embed(pool, &input, 1, NULL, got, 512, &error);
        assert_true(status == SLM_OK || status == SLM_E_NO_MEMORY);
        assert_int_equal(counter.live_blocks, before);
        assert_true(fail < 100);
    }
    CHECK_OK(slm_pool_destroy(pool));
    CHECK_OK(slm_model_close(model));
    CHECK_OK(slm_engine_destroy(own));
}

static int make_engine(void **state)
{
    (void)state;
    return slm_engine_create(NULL, &engine, &error);
}

static int drop_engine(void **state)
{
    (void)state;
    return slm_engine_destroy(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoders_equal_reference),
        cmocka_unit_test(batches_equal_single_texts),
        cmocka_unit_test(tiers_and_threads_give_the_same_bits),
        cmocka_unit_test(a_decoders_embedding_is_of_its_hidden_states),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(truncation_keeps_the_special_tokens),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, make_engine, drop_engine);
}

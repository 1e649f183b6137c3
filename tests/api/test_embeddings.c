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
    {"bert-cls", 1.2e-06, 1.0e-03, 1.2e-01, SLM_POOLING_FIRST, 0},
    {"bert-mean", 1.2e-06, 1.0e-03, 1.2e-01, SLM_POOLING_MEAN, 1},
    {"xlm-roberta-mean", 1.2e-06, 1.0e-03, 1.2e-01, SLM_POOLING_MEAN, 1},
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
    };
    return cmocka_run_group_tests(tests, make_engine, drop_engine);
}

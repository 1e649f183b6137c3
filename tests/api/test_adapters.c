/* SPDX-License-Identifier: MIT */
/* LoRA adapters at run time: reference logits, the same as merged for every linear of every family, several at once with weights, sessions
 * of one batch with different ones bit by bit as alone, tiers and threads, refusals in the words of conversion, states, memory. */
#include "tests/api_fixture.h"
#include "tests/golden_report.h" /* golden_begin */
#include <stdbool.h>
#include <sys/stat.h>

enum { CONTEXT = 128, STEPS = 5, SESSIONS = 6 };

static const char *import_path(const char *name, char path[512])
{
    snprintf(path, 512, "%s/import/%s", golden_root(), name);
    return path;
}

static slm_engine *new_engine(int32_t isa, uint32_t threads)
{
    const slm_engine_options options = {.struct_size = sizeof options, .isa = isa, .threads = threads};
    slm_engine *engine = NULL;
    return slm_engine_create(&options, &engine, &error) == SLM_OK ? engine : NULL;
}

/* A checkpoint with adapters (paths) merged, or none. */
static slm_model *merged(slm_engine *engine, const char *source, int32_t type, const char *const *paths, const float *weights, uint64_t n)
{
    char target[256];
    slm_string list[4];
    slm_model *model = NULL;
    const slm_convert_options options = {
        .struct_size = sizeof options, .type = type, .head_type = type, .adapters = list, .adapter_weights = weights, .adapter_count = n};
    const slm_model_options read = {.struct_size = sizeof read, .flags = SLM_MODEL_READ};
    for (uint64_t i = 0; i < n; i++) {
        list[i] = (slm_string){paths[i], SLM_NUL_TERMINATED};
    }
    CHECK_OK(
        slm_convert(engine, source, SLM_NUL_TERMINATED, temporary_path("merged.slm", target), SLM_NUL_TERMINATED, &options, NULL, &error));
    CHECK_OK(slm_model_open_file(engine, target, SLM_NUL_TERMINATED, &read, &model, &error));
    unlink(target);
    return model;
}

static slm_adapter *open_adapter(slm_model *model, const char *name)
{
    char path[512];
    slm_adapter *adapter = NULL;
    CHECK_OK(slm_adapter_open(model, import_path(name, path), SLM_NUL_TERMINATED, &adapter, &error));
    return adapter;
}

static slm_session *new_session(slm_model *model, slm_adapter *const *adapters, const float *weights, uint32_t count, int32_t kv,
                                uint32_t batch)
{
    slm_session *session = NULL;
    const slm_session_options options = {.struct_size = sizeof options,
                                         .flags = SLM_SESSION_IGNORE_EOS,
                                         .context = CONTEXT,
                                         .kv_type = kv,
                                         .batch = batch,
                                         .adapter_rank = 32};
    CHECK_OK(slm_session_create(model, NULL, &options, &session, &error));
    CHECK_OK(slm_session_set_adapters(session, adapters, weights, count, &error));
    return session;
}

/* [count][vocab], to be freed. */
static float *logits_of(slm_model *model, slm_session *session, const int32_t *ids, uint64_t count, uint64_t chunk)
{
    slm_model_info info = {.struct_size = sizeof info};
    CHECK_OK(slm_model_get_info(model, &info, &error));
    float *logits = malloc(count * info.vocab_size * sizeof *logits);
    for (uint64_t i = 0; i < count; i += chunk) {
        const uint64_t n = count - i < chunk ? count - i : chunk;
        const slm_append_options out = {
            .struct_size = sizeof out, .logits = logits + i * info.vocab_size, .logits_capacity = n * info.vocab_size};
        CHECK_OK(slm_session_append(session, ids + i, n, &out, &error));
    }
    return logits;
}

/* ---- reference logits */

static const struct reference {
    const char *logits, *base, *adapters[2];
    float weights[2];
} references[] = {
    {"logits_a", "lora/base", {"lora/a"}, {1, 0}},
    {"logits_b", "lora/base", {"lora/b"}, {1, 0}},
    {"logits_f-rank-pattern", "lora/base", {"lora/f-rank-pattern"}, {1, 0}},
    {"logits_g-one-layer-f16", "lora/base", {"lora/g-one-layer-f16"}, {1, 0}},
    {"logits_h-regex", "lora/base", {"lora/h-regex"}, {1, 0}},
    {"logits_a", "lora/base", {"lora/a.gguf"}, {1, 0}},
    {"logits_b", "lora/base", {"lora/b.gguf"}, {1, 0}},
    {"logits_b", "lora/base.gguf", {"lora/b.gguf"}, {1, 0}},
    {"logits_b", "lora/base.gguf", {"lora/b"}, {1, 0}},
    {"logits_mix", "lora/base", {"lora/a", "lora/b"}, {0.5f, 0.5f}},
    {"logits_mix", "lora/base", {"lora/b.gguf", "lora/a"}, {0.5f, 0.5f}},
    {"logits_a_minus", "lora/base", {"lora/a"}, {-0.75f, 0}},
    {"logits_base", "lora/base", {NULL}, {0, 0}},
};

static void test_logits_are_those_of_the_reference(void **state)
{
    char path[512];
    struct golden_file golden;
    slm_engine *engine = new_engine(0, 0);
    (void)state;
    if (!golden_open(&golden, import_path("lora/golden.safetensors", path))) {
        slm_engine_destroy(engine);
        print_message("skipped: %s is absent\n", path);
        skip();
    }
    const struct golden_tensor ids = golden_find(&golden, "input_ids");
    golden_begin("adapter", "lora, at run time");
    for (size_t i = 0; i < sizeof references / sizeof references[0]; i++) {
        const struct reference *reference = &references[i];
        slm_adapter *adapters[2] = {NULL, NULL};
        uint32_t count = 0;
        slm_model *model = merged(engine, import_path(reference->base, path), SLM_TYPE_F32, NULL, NULL, 0);
        for (; count < 2 && reference->adapters[count] != NULL; count++) {
            adapters[count] = open_adapter(model, reference->adapters[count]);
        }
        slm_session *session = new_session(model, adapters, reference->weights, count, SLM_KV_F32, 0);
        const struct golden_tensor expected = golden_find(&golden, reference->logits);
        float *got = logits_of(model, session, ids.data, ids.count, ids.count);
        const double nmse = golden_nmse(got, expected.data, expected.count);
        printf("%-24s on %-14s NMSE %.1e\n", reference->logits, reference->base, nmse);
        golden_case(nmse <= 1e-10);
        golden_error(nmse);
        free(got);
        slm_session_destroy(session);
        for (uint32_t a = 0; a < count; a++) {
            assert_int_equal(slm_adapter_close(adapters[a]), SLM_OK);
        }
        assert_int_equal(slm_model_close(model), SLM_OK);
    }
    golden_close(&golden);
    assert_int_equal(golden_end(), 0);
    assert_int_equal(slm_engine_destroy(engine), SLM_OK);
}

/* ---- every linear of every family */

struct written {
    char header[1 << 17];
    size_t length, data; /* bytes */
    float *values;
    uint32_t random;
};

static void add_matrix(struct written *file, const char *module, size_t module_length, const char *half, uint64_t rows, uint64_t cols)
{
    const size_t bytes = (size_t)(rows * cols) * sizeof(float);
    file->length += (size_t)snprintf(
        file->header + file->length, sizeof file->header - file->length,
        "%s\"base_model.model.%.*s.lora_%s.weight\":{\"dtype\":\"F32\",\"shape\":[%u,%u],\"data_offsets\":[%zu,%zu]}",
        file->length > 1 ? "," : "", (int)module_length, module, half, (unsigned)rows, (unsigned)cols, file->data, file->data + bytes);
    assert_true(file->length + 256 < sizeof file->header);
    file->values = realloc(file->values, file->data + bytes);
    for (size_t i = 0; i < rows * cols; i++) {
        file->random = file->random * 1664525u + 1013904223u;
        file->values[file->data / sizeof(float) + i] = ((float)(file->random >> 8) / 8388608.0f - 1.0f) * (half[0] == 'A' ? 0.2f : 0.05f);
    }
    file->data += bytes;
}

/* A pair for every matrix of a checkpoint but its embedding, with ranks that change from one to the next, as a folder in peft's layout. */
static uint32_t write_adapter(const char *checkpoint, const char *folder, bool tied)
{
    char path[600];
    struct golden_file base;
    struct written file = {.header = "{", .length = 1, .random = 7};
    uint32_t count = 0;
    snprintf(path, sizeof path, "%s/model.safetensors", checkpoint);
    assert_true(golden_open(&base, path));
    for (const char *at = base.header; (at = strstr(at, ".weight\":{")) != NULL; at++) {
        const char *name = at, *shape = strstr(at, "\"shape\":["), *end = strchr(at, '}');
        unsigned long rows = 0, cols = 0;
        char *rest = NULL;
        while (name[-1] != '"') {
            name--;
        }
        assert_true(shape != NULL && shape < end);
        rows = strtoul(shape + 9, &rest, 10);
        cols = *rest == ',' ? strtoul(rest + 1, &rest, 10) : 0;
        const size_t length = (size_t)(at - name);
        const bool embedding = length >= 12 && memcmp(at - 12, "embed_tokens", 12) == 0, head = memcmp(name, "lm_head", 7) == 0;
        if (cols > 0 && !embedding && !(head && tied) && memcmp(name, "vision", 6) != 0) {
            const uint32_t rank = 1 + count++ * 5 % 23;
            add_matrix(&file, name, length, "A", rank, cols);
            add_matrix(&file, name, length, "B", rows, rank);
        }
    }
    golden_close(&base);
    file.header[file.length++] = '}';
    const uint64_t header = file.length;
    mkdir(folder, 0700);
    snprintf(path, sizeof path, "%s/adapter_model.safetensors", folder);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    fwrite(&header, 1, 8, out);
    fwrite(file.header, 1, file.length, out);
    fwrite(file.values, 1, file.data, out);
    fclose(out);
    free(file.values);
    snprintf(path, sizeof path, "%s/adapter_config.json", folder);
    out = fopen(path, "wb");
    fprintf(out, "{\"peft_type\":\"LORA\",\"r\":8,\"lora_alpha\":12,\"alpha_pattern\":{\"v_proj\":3},\"bias\":\"none\"}");
    fclose(out);
    return count;
}

static void remove_adapter(const char *folder)
{
    char path[600];
    snprintf(path, sizeof path, "%s/adapter_model.safetensors", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/adapter_config.json", folder);
    unlink(path);
    rmdir(folder);
}

/* Sessions with and without the adapter in one pass: each as alone. */
static void check_mixed(slm_model *model, slm_adapter *adapter, const int32_t *ids)
{
    slm_pool *pool = NULL;
    slm_session *sessions[4];
    slm_token tokens[4] = {{0}};
    slm_status statuses[4];
    slm_model_info info = {.struct_size = sizeof info};
    const slm_pool_options options = {.struct_size = sizeof options, .sessions = 4, .context = CONTEXT, .adapter_rank = 32};
    const slm_session_options one = {.struct_size = sizeof one, .flags = SLM_SESSION_IGNORE_EOS};
    CHECK_OK(slm_model_get_info(model, &info, &error));
    CHECK_OK(slm_pool_create(model, &options, &pool, &error));
    for (uint32_t i = 0; i < 4; i++) {
        CHECK_OK(slm_session_create(model, pool, &one, &sessions[i], &error));
        CHECK_OK(slm_session_set_adapters(sessions[i], &adapter, NULL, i % 3 == 1 ? 1 : 0, &error));
        CHECK_OK(slm_session_append(sessions[i], ids + 3 * i, 20 + i, NULL, &error));
    }
    for (int s = 0; s < 2; s++) {
        tokens[0].struct_size = sizeof tokens[0];
        CHECK_OK(slm_pool_step(pool, sessions, 4, tokens, statuses, &error));
    }
    for (uint32_t i = 0; i < 4; i++) { /* the logits after the first step's tokens: the second step computed them together */
        const float *got = NULL, *expected = NULL;
        int32_t sequence[CONTEXT];
        uint64_t count = 0;
        slm_session *alone = new_session(model, &adapter, NULL, i % 3 == 1 ? 1 : 0, SLM_KV_F16, 0);
        CHECK_OK(slm_session_tokens(sessions[i], sequence, CONTEXT, &count, &error));
        CHECK_OK(slm_session_append(alone, sequence, count, NULL, &error));
        CHECK_OK(slm_session_logits(sessions[i], &got, NULL, &error));
        CHECK_OK(slm_session_logits(alone, &expected, NULL, &error));
        assert_memory_equal(got, expected, info.vocab_size * sizeof *got);
        slm_session_destroy(alone);
        slm_session_destroy(sessions[i]);
    }
    assert_int_equal(slm_pool_destroy(pool), SLM_OK);
}

static void test_every_linear_is_as_merged(void **state)
{
    static const char *const folders[] = {"llama32-tied", "qwen3", "mistral", "gemma3-text", "phi2",    "phi3",          "phi4-mini",
                                          "qwen3-moe",    "olmo2", "granite", "gemma2",      "smollm3", "mistral-small", "qwen2"};
    slm_engine *engine = new_engine(0, 2);
    (void)state;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char source[512], folder[256], config[600];
        int32_t ids[100];
        slm_adapter *adapter = NULL;
        slm_model_info info = {.struct_size = sizeof info};
        slm_adapter_info about = {.struct_size = sizeof about};
        snprintf(source, sizeof source, "%s/models/%s", golden_root(), folders[i]);
        snprintf(config, sizeof config, "%s/config.json", source);
        if (access(config, R_OK) != 0) {
            print_message("skipped: %s is absent\n", source);
            continue;
        }
        slm_model *base = merged(engine, source, SLM_TYPE_F32, NULL, NULL, 0);
        CHECK_OK(slm_model_get_info(base, &info, &error));
        const uint32_t linears = write_adapter(source, temporary_path("lora", folder), info.tied != 0);
        const char *const paths[] = {folder};
        const float weight = -1.5f;
        slm_model *other = merged(engine, source, SLM_TYPE_F32, paths, &weight, 1);
        CHECK_OK(slm_adapter_open(base, folder, SLM_NUL_TERMINATED, &adapter, &error));
        remove_adapter(folder);
        CHECK_OK(slm_adapter_get_info(adapter, &about, &error));
        assert_int_equal(about.linears, linears);
        some_tokens(ids, 100, info.vocab_size);
        slm_session *session = new_session(base, &adapter, &weight, 1, SLM_KV_F32, 0),
                    *plain = new_session(base, NULL, NULL, 0, SLM_KV_F32, 0);
        slm_session *reference = new_session(other, NULL, NULL, 0, SLM_KV_F32, 0);
        float *got = logits_of(base, session, ids, 100, 37), *expected = logits_of(other, reference, ids, 100, 100);
        float *without = logits_of(base, plain, ids, 100, 100);
        const double nmse = golden_nmse(got, expected, (uint64_t)100 * info.vocab_size);
        printf("%-16s %3u linears  NMSE %.1e  (without the adapter %.1e)\n", folders[i], linears, nmse,
               golden_nmse(without, expected, (uint64_t)100 * info.vocab_size));
        assert_true(nmse <= 1e-10);
        assert_true(golden_nmse(without, expected, (uint64_t)100 * info.vocab_size) > 1e-4);
        check_mixed(base, adapter, ids);
        free(got);
        free(expected);
        free(without);
        slm_session_destroy(session);
        slm_session_destroy(plain);
        slm_session_destroy(reference);
        assert_int_equal(slm_adapter_close(adapter), SLM_OK);
        assert_int_equal(slm_model_close(base), SLM_OK);
        assert_int_equal(slm_model_close(other), SLM_OK);
    }
    assert_int_equal(slm_engine_destroy(engine), SLM_OK);
}

/* ---- several at once, and against what conversion merges */

static void test_several_with_weights_are_as_merged(void **state)
{
    static const char *const names[] = {"lora/a", "lora/b", "lora/f-rank-pattern"};
    const float weights[] = {0.7f, -0.4f, 2.0f};
    char base[512], texts[3][512];
    const char *paths[3];
    slm_adapter *adapters[3];
    int32_t ids[90];
    slm_engine *engine = new_engine(0, 0);
    (void)state;
    slm_model *model = merged(engine, import_path("lora/base", base), SLM_TYPE_F32, NULL, NULL, 0);
    for (int i = 0; i < 3; i++) {
        paths[i] = import_path(names[i], texts[i]);
        adapters[i] = open_adapter(model, names[i]);
    }
    slm_model *reference = merged(engine, base, SLM_TYPE_F32, paths, weights, 3);
    some_tokens(ids, 90, 320);
    slm_session *session = new_session(model, adapters, weights, 3, SLM_KV_F32, 0);
    slm_session *other = new_session(reference, NULL, NULL, 0, SLM_KV_F32, 0);
    float *got = logits_of(model, session, ids, 90, 90), *expected = logits_of(reference, other, ids, 90, 90);
    const double nmse = golden_nmse(got, expected, 90 * 320);
    printf("three adapters: NMSE %.1e\n", nmse);
    assert_true(nmse <= 1e-10);
    free(got);
    free(expected);
    slm_session_destroy(session);
    slm_session_destroy(other);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(slm_adapter_close(adapters[i]), SLM_OK);
    }
    assert_int_equal(slm_model_close(model), SLM_OK);
    assert_int_equal(slm_model_close(reference), SLM_OK);
    assert_int_equal(slm_engine_destroy(engine), SLM_OK);
}

/* ---- bits */

static const uint32_t chosen[SESSIONS][2] = {{0, 0}, {1, 0}, {0, 0}, {1, 2},
                                             {1, 0}, {2, 2}}; /* adapter + 1, 0: none; rows of equal
                                                                                                  adapters lie together and apart */
static const float shares[2] = {0.5f, -1.25f};

static uint32_t choose(slm_adapter *const *adapters, uint32_t i, slm_adapter *list[2])
{
    uint32_t count = 0;
    for (int k = 0; k < 2; k++) {
        if (chosen[i][k] != 0) {
            list[count++] = adapters[chosen[i][k] - 1];
        }
    }
    return count;
}

static void test_a_mixed_batch_gives_the_bits_of_each(void **state)
{
    static const int32_t types[] = {SLM_TYPE_F32, SLM_TYPE_I8, SLM_TYPE_I4};
    slm_engine *engine = new_engine(0, 2);
    (void)state;
    for (size_t t = 0; t < 3; t++) {
        char path[512];
        int32_t ids[80];
        slm_pool *pool = NULL;
        slm_session *sessions[SESSIONS] = {NULL};
        slm_token tokens[SESSIONS];
        slm_status statuses[SESSIONS];
        slm_model *model = merged(engine, import_path("lora/base", path), types[t], NULL, NULL, 0);
        slm_adapter *adapters[] = {open_adapter(model, "lora/a"), open_adapter(model, "lora/b")}, *list[2];
        const slm_pool_options options = {.struct_size = sizeof options, .sessions = SESSIONS, .context = CONTEXT, .adapter_rank = 8};
        const slm_session_options one = {.struct_size = sizeof one, .flags = SLM_SESSION_IGNORE_EOS};
        CHECK_OK(slm_pool_create(model, &options, &pool, &error));
        some_tokens(ids, 80, 320);
        for (uint32_t i = 0; i < SESSIONS; i++) {
            CHECK_OK(slm_session_create(model, pool, &one, &sessions[i], &error));
            CHECK_OK(slm_session_set_adapters(sessions[i], list, shares, choose(adapters, i, list), &error));
            CHECK_OK(slm_session_append(sessions[i], ids + i, 9 + 11 * i, NULL, &error));
        }
        for (uint32_t s = 0; s < STEPS; s++) {
            memset(tokens, 0, sizeof tokens);
            tokens[0].struct_size = sizeof tokens[0];
            CHECK_OK(slm_pool_step(pool, sessions, SESSIONS, tokens, statuses, &error));
        }
        for (uint32_t i = 0; i < SESSIONS; i++) {
            const float *got = NULL, *expected = NULL;
            int32_t sequence[CONTEXT];
            uint64_t count = 0;
            CHECK_OK(slm_session_tokens(sessions[i], sequence, CONTEXT, &count, &error));
            const uint32_t n = choose(adapters, i, list);
            slm_session *alone = new_session(model, list, shares, n, SLM_KV_F16, 0);
            CHECK_OK(slm_session_append(alone, sequence, count, NULL, &error));
            CHECK_OK(slm_session_logits(alone, &expected, NULL, &error));
            CHECK_OK(slm_session_logits(sessions[i], &got, NULL, &error));
            assert_memory_equal(got, expected, 320 * sizeof *got);
            slm_session_destroy(alone);
            slm_session_destroy(sessions[i]);
        }
        assert_int_equal(slm_pool_destroy(pool), SLM_OK);
        assert_int_equal(slm_adapter_close(adapters[0]), SLM_OK);
        assert_int_equal(slm_adapter_close(adapters[1]), SLM_OK);
        assert_int_equal(slm_model_close(model), SLM_OK);
    }
    assert_int_equal(slm_engine_destroy(engine), SLM_OK);
}

static float *run_way(int32_t isa, uint32_t threads, uint32_t chunk, uint32_t batch, int32_t type)
{
    char path[512];
    int32_t ids[90];
    slm_engine *engine = new_engine(isa, threads);
    if (engine == NULL) {
        return NULL; /* not a tier of this machine */
    }
    slm_model *model = merged(engine, import_path("lora/base", path), type, NULL, NULL, 0);
    slm_adapter *adapters[] = {open_adapter(model, "lora/b"), open_adapter(model, "lora/g-one-layer-f16")};
    slm_session *session = new_session(model, adapters, shares, 2, SLM_KV_F16, batch);
    some_tokens(ids, 90, 320);
    float *logits = logits_of(model, session, ids, 90, chunk);
    slm_session_destroy(session);
    assert_int_equal(slm_adapter_close(adapters[0]), SLM_OK);
    assert_int_equal(slm_adapter_close(adapters[1]), SLM_OK);
    assert_int_equal(slm_model_close(model), SLM_OK);
    assert_int_equal(slm_engine_destroy(engine), SLM_OK);
    return logits;
}

static void test_every_way_gives_the_same_bits(void **state)
{
    static const struct {
        int32_t isa;
        uint32_t threads, chunk, batch;
    } ways[] = {{SLM_ISA_SCALAR, 3, 7, 0},     {SLM_ISA_AVX2, 1, 90, 0},       {SLM_ISA_AVX2, 4, 1, 0}, {SLM_ISA_AVXVNNI, 2, 90, 0},
                {SLM_ISA_AVX512VNNI, 2, 9, 5}, {SLM_ISA_AVX512VNNI, 3, 90, 0}, {SLM_ISA_NEON, 2, 9, 0}, {SLM_ISA_NEON_I8MM, 2, 90, 0}};
    (void)state;
    for (int32_t type = SLM_TYPE_F32; type <= SLM_TYPE_I8; type += SLM_TYPE_I8 - SLM_TYPE_F32) {
        float *expected = run_way(SLM_ISA_SCALAR, 1, 90, 0, type);
        for (size_t w = 0; w < sizeof ways / sizeof ways[0]; w++) {
            float *got = run_way(ways[w].isa, ways[w].threads, ways[w].chunk, ways[w].batch, type);
            if (got != NULL && memcmp(got, expected, 90 * 320 * sizeof *got) != 0) {
                fail_msg("type %d: way %u differs", type, (unsigned)w);
            }
            free(got);
        }
        free(expected);
    }
}

/* ---- refusals, states */

static void test_refusals_are_those_of_conversion(void **state)
{
    static const char *const names[] = {"c-modules-to-save", "d-embedding", "e-dora", "i-bias", "base", "no-such-adapter"};
    char base[512], path[512], name[64], target[256];
    slm_engine *engine = new_engine(0, 1);
    slm_model *model = merged(engine, import_path("lora/base", base), SLM_TYPE_I8, NULL, NULL, 0);
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        slm_error first = {.struct_size = sizeof first}, second = {.struct_size = sizeof second};
        slm_adapter *adapter = NULL;
        snprintf(name, sizeof name, "lora/%s", names[i]);
        const slm_string list = {import_path(name, path), SLM_NUL_TERMINATED};
        const slm_convert_options options = {.struct_size = sizeof options, .adapters = &list, .adapter_count = 1};
        const slm_status status = slm_convert(engine, base, SLM_NUL_TERMINATED, temporary_path("refused.slm", target), SLM_NUL_TERMINATED,
                                              &options, NULL, &first);
        assert_int_not_equal(status, SLM_OK);
        assert_int_equal(slm_adapter_open(model, path, SLM_NUL_TERMINATED, &adapter, &second), status);
        const char *behind = strstr(first.message, "adapter "); /* conversion names its source before */
        assert_non_null(behind);
        assert_string_equal(second.message, behind);
        print_message("%s\n", second.message);
    }
    assert_int_equal(slm_model_close(model), SLM_OK);
    assert_int_equal(slm_engine_destroy(engine), SLM_OK);
}

static void test_adapters_are_part_of_the_session(void **state)
{
    char path[512];
    int32_t ids[20];
    const float *x = NULL, *y = NULL;
    float kept[320];
    const float bad = 1001.0f;
    slm_session *session = NULL, *fork = NULL, *small = NULL;
    slm_pool *pool = NULL;
    slm_engine *engine = new_engine(0, 1);
    (void)state;
    slm_model *model = merged(engine, import_path("lora/base", path), SLM_TYPE_I8, NULL, NULL, 0), *other = NULL;
    slm_adapter *a = open_adapter(model, "lora/a"), *strange = NULL;
    const slm_pool_options options = {.struct_size = sizeof options, .sessions = 3, .context = 64, .adapter_rank = 8};
    some_tokens(ids, 20, 320);
    CHECK_OK(slm_pool_create(model, &options, &pool, &error));
    CHECK_OK(slm_session_create(model, pool, NULL, &session, &error));
    CHECK_OK(slm_session_append(session, ids, 20, NULL, &error));
    CHECK_OK(slm_session_logits(session, &x, NULL, &error));
    memcpy(kept, x, sizeof kept);
    assert_int_equal(slm_session_set_adapters(session, &a, NULL, 1, &error), SLM_E_STATE);
    CHECK_OK(slm_session_rewind(session, 0, &error));
    assert_int_equal(slm_session_set_adapters(session, &a, &bad, 1, &error), SLM_E_ARGUMENT);
    assert_int_equal(slm_session_set_adapters(session, &a, NULL, 17, &error), SLM_E_ARGUMENT);
    CHECK_OK(slm_session_set_adapters(session, &a, NULL, 1, &error));
    assert_int_equal(slm_adapter_close(a), SLM_E_BUSY);
    CHECK_OK(slm_session_append(session, ids, 19, NULL, &error));
    CHECK_OK(slm_session_fork(session, &fork, &error));
    CHECK_OK(slm_session_append(session, ids + 19, 1, NULL, &error));
    CHECK_OK(slm_session_append(fork, ids + 19, 1, NULL, &error));
    CHECK_OK(slm_session_logits(session, &x, NULL, &error));
    CHECK_OK(slm_session_logits(fork, &y, NULL, &error));
    assert_memory_equal(x, y, sizeof kept);
    assert_memory_not_equal(x, kept, sizeof kept);
    slm_session_destroy(session);
    assert_int_equal(slm_adapter_close(a), SLM_E_BUSY);
    CHECK_OK(slm_session_rewind(fork, 0, &error));
    CHECK_OK(slm_session_set_adapters(fork, NULL, NULL, 0, &error));
    CHECK_OK(slm_session_append(fork, ids, 20, NULL, &error));
    CHECK_OK(slm_session_logits(fork, &y, NULL, &error));
    assert_memory_equal(y, kept, sizeof kept);
    CHECK_OK(slm_session_create(model, NULL, NULL, &small, &error)); /* planned without adapters */
    assert_int_equal(slm_session_set_adapters(small, &a, NULL, 1, &error), SLM_E_ARGUMENT);
    assert_non_null(strstr(error.message, "rank 8"));
    other = merged(engine, path, SLM_TYPE_I8, NULL, NULL, 0);
    strange = open_adapter(other, "lora/a");
    assert_int_equal(slm_session_set_adapters(small, &strange, NULL, 1, &error), SLM_E_ARGUMENT);
    slm_session_destroy(small);
    slm_session_destroy(fork);
    assert_int_equal(slm_pool_destroy(pool), SLM_OK);
    assert_int_equal(slm_model_close(other), SLM_E_BUSY);
    assert_int_equal(slm_adapter_close(strange), SLM_OK);
    assert_int_equal(slm_model_close(other), SLM_OK);
    assert_int_equal(slm_adapter_close(a), SLM_OK);
    assert_int_equal(slm_adapter_close(NULL), SLM_OK);
    assert_int_equal(slm_model_close(model), SLM_OK);
    assert_int_equal(slm_engine_destroy(engine), SLM_OK);
}

static void test_memory_is_planned(void **state)
{
    char path[512];
    int32_t ids[40];
    struct counting_allocator counter = {0};
    const slm_engine_options engine_options = counting_options(&counter);
    slm_engine *engine = NULL;
    slm_adapter *adapter = NULL;
    slm_pool_memory memory = {.struct_size = sizeof memory};
    slm_pool *pool = NULL;
    slm_session *session = NULL;
    slm_adapter_info info = {.struct_size = sizeof info};
    (void)state;
    CHECK_OK(slm_engine_create(&engine_options, &engine, &error));
    slm_model *model = merged(engine, import_path("lora/base", path), SLM_TYPE_I8, NULL, NULL, 0);
    const struct counting_allocator before = counter;
    for (uint64_t fail = 1; adapter == NULL; fail++) { /* each allocation fails once */
        counter.fail_at = counter.calls + fail;
        const slm_status status = slm_adapter_open(model, import_path("lora/b", path), SLM_NUL_TERMINATED, &adapter, &error);
        assert_true(status == SLM_OK || (status == SLM_E_NO_MEMORY && counter.live_bytes == before.live_bytes));
    }
    counter.fail_at = 0;
    CHECK_OK(slm_adapter_get_info(adapter, &info, &error));
    assert_int_equal(counter.live_blocks, before.live_blocks + 1);
    assert_int_equal(counter.live_bytes, before.live_bytes + info.bytes);
    assert_int_equal(info.rank, 4);
    const slm_pool_options options = {.struct_size = sizeof options, .context = 64, .adapter_rank = info.rank};
    const struct counting_allocator opened = counter;
    CHECK_OK(slm_pool_plan(model, &options, &memory, &error));
    CHECK_OK(slm_pool_create(model, &options, &pool, &error));
    assert_int_equal(counter.live_bytes, opened.live_bytes + memory.total_bytes);
    some_tokens(ids, 40, 320);
    CHECK_OK(slm_session_create(model, pool, NULL, &session, &error));
    CHECK_OK(slm_session_set_adapters(session, &adapter, NULL, 1, &error));
    CHECK_OK(slm_session_append(session, ids, 40, NULL, &error));
    slm_token token = {.struct_size = sizeof token};
    CHECK_OK(slm_session_next(session, &token, &error));
    assert_int_equal(counter.calls, opened.calls + 1);
    slm_session_destroy(session);
    assert_int_equal(slm_pool_destroy(pool), SLM_OK);
    assert_int_equal(slm_adapter_close(adapter), SLM_OK);
    assert_int_equal(slm_model_close(model), SLM_OK);
    assert_int_equal(slm_engine_destroy(engine), SLM_OK);
    assert_int_equal(counter.live_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logits_are_those_of_the_reference),  cmocka_unit_test(test_every_linear_is_as_merged),
        cmocka_unit_test(test_several_with_weights_are_as_merged), cmocka_unit_test(test_a_mixed_batch_gives_the_bits_of_each),
        cmocka_unit_test(test_every_way_gives_the_same_bits),      cmocka_unit_test(test_refusals_are_those_of_conversion),
        cmocka_unit_test(test_adapters_are_part_of_the_session),   cmocka_unit_test(test_memory_is_planned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

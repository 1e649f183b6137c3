/* SPDX-License-Identifier: MIT */
/* Saved sessions: what is restored goes on bit for bit; what is cut, damaged or made for another model, cache, adapter or context is
 * refused and changes nothing. */
#include "tests/api_fixture.h"

enum { CONTEXT = 500 };

static slm_engine *engine;

struct snapshot {
    uint8_t *bytes;
    uint64_t length;
};

static struct snapshot save(const slm_session *session)
{
    struct snapshot snapshot = {NULL, 0};
    uint64_t again = 0;
    assert_int_equal(slm_session_save(session, NULL, 0, &snapshot.length, &error), SLM_E_BUFFER_TOO_SMALL);
    snapshot.bytes = malloc(snapshot.length);
    assert_int_equal(slm_session_save(session, snapshot.bytes, snapshot.length - 1, &again, &error), SLM_E_BUFFER_TOO_SMALL);
    CHECK_OK(slm_session_save(session, snapshot.bytes, snapshot.length, &again, &error));
    assert_int_equal(again, snapshot.length);
    return snapshot;
}

static slm_session *new_session(slm_model *model, slm_pool *pool, const slm_sampling *sampling, int32_t kv)
{
    slm_session *session = NULL;
    static const slm_string stops[] = {{"zzz", 3}, {"e", 1}, {"abcab", 5}};
    const slm_session_options options = {.struct_size = sizeof options,
                                         .flags = SLM_SESSION_IGNORE_EOS | SLM_SESSION_SHOW_SPECIAL,
                                         .context = CONTEXT,
                                         .max_tokens = 70,
                                         .kv_type = kv,
                                         .speculate = sampling != NULL && pool == NULL ? 4 : 0,
                                         .adapter_rank = pool == NULL ? 8 : 0,
                                         .sampling = sampling,
                                         .stop = stops,
                                         .stop_count = sampling != NULL ? 3 : 0};
    CHECK_OK(slm_session_create(model, pool, &options, &session, &error));
    return session;
}

static uint32_t length_of(const slm_session *session)
{
    slm_session_info info = {.struct_size = sizeof info};
    CHECK_OK(slm_session_get_info(session, &info, &error));
    return info.tokens;
}

static void compare(slm_session *a, slm_session *b, uint32_t steps)
{
    assert_int_equal(length_of(a), length_of(b));
    for (uint32_t i = 0; i < steps; i++) {
        slm_token x = {.struct_size = sizeof x}, y = {.struct_size = sizeof y};
        CHECK_OK(slm_session_next(a, &x, &error));
        CHECK_OK(slm_session_next(b, &y, &error));
        assert_int_equal(x.token, y.token);
        assert_int_equal(x.stop, y.stop);
        assert_memory_equal(&x.logprob, &y.logprob, sizeof x.logprob);
        assert_int_equal(x.text_length, y.text_length);
        assert_memory_equal(x.text, y.text, x.text_length);
    }
}

static void test_it_goes_on_as_before(void **state)
{
    static const char *const folders[] = {"llama32-tied", "gemma3-text", "mistral"};
    static const slm_logit_bias bias[] = {{10, 2.5f}, {11, -3}};
    const slm_sampling sampling = {.struct_size = sizeof sampling,
                                   .temperature = 0.9f,
                                   .top_k = 50,
                                   .top_p = 0.95f,
                                   .min_p = 0.001f,
                                   .repetition_penalty = 1.1f,
                                   .frequency_penalty = 0.1f,
                                   .presence_penalty = 0.05f,
                                   .penalty_window = 99,
                                   .seed = 77,
                                   .bias = bias,
                                   .bias_count = 2};
    const slm_sampling *samplings[] = {NULL, &sampling};
    (void)state;
    for (size_t f = 0; f < 3; f++) {
        int32_t ids[CONTEXT];
        slm_model *model = golden_model(engine, folders[f], SLM_TYPE_I8);
        some_tokens(ids, CONTEXT, 300);
        for (int32_t kv = SLM_KV_F32; kv <= SLM_KV_I8; kv++) {
            slm_pool *pool = NULL;
            const slm_pool_options options = {.struct_size = sizeof options, .sessions = 2, .context = CONTEXT, .kv_type = kv};
            CHECK_OK(slm_pool_create(model, &options, &pool, &error));
            for (uint32_t length = 0; length <= 420; length += length == 0 ? 1 : length == 1 ? 63 : length == 64 ? 1 : 71) {
                slm_session *a = new_session(model, NULL, samplings[length % 2], kv), *b = new_session(model, pool, NULL, 0);
                CHECK_OK(slm_session_append(b, ids + 9, 200, NULL, &error)); /* replaced by the snapshot */
                CHECK_OK(slm_session_append(a, ids, length, NULL, &error));
                for (uint32_t i = 0; length > 0 && i < length % 7; i++) {
                    slm_token token = {.struct_size = sizeof token};
                    CHECK_OK(slm_session_next(a, &token, &error));
                }
                if (length % 5 == 3 && length > 10) {
                    CHECK_OK(slm_session_rewind(a, length - 6, &error));
                }
                const struct snapshot first = save(a);
                CHECK_OK(slm_session_restore(b, first.bytes, first.length, &error));
                const struct snapshot second = save(b); /* the same but for the session's own context */
                assert_int_equal(second.length, first.length);
                assert_memory_equal(second.bytes, first.bytes, first.length);
                if (length > 0) {
                    compare(a, b, 30);
                    CHECK_OK(slm_session_append(a, ids, 20, NULL, &error));
                    CHECK_OK(slm_session_append(b, ids, 20, NULL, &error));
                    CHECK_OK(slm_session_rewind(a, length_of(a) - 5, &error));
                    CHECK_OK(slm_session_rewind(b, length_of(b) - 5, &error));
                    compare(a, b, 5);
                }
                free(first.bytes);
                free(second.bytes);
                slm_session_destroy(a);
                slm_session_destroy(b);
            }
            assert_int_equal(slm_pool_destroy(pool), SLM_OK);
        }
        assert_int_equal(slm_model_close(model), SLM_OK);
    }
}

/* Where a page is not full, the bytes behind its tokens say nothing of what stood there. */
static void test_the_same_tokens_are_the_same_bytes(void **state)
{
    int32_t ids[160];
    slm_model *model = golden_model(engine, "gemma3-text", SLM_TYPE_I8);
    (void)state;
    some_tokens(ids, 160, 300);
    for (int32_t kv = SLM_KV_F32; kv <= SLM_KV_I8; kv++) {
        for (uint32_t length = 2; length < 140; length += 17) {
            slm_session *a = new_session(model, NULL, NULL, kv), *b = new_session(model, NULL, NULL, kv);
            CHECK_OK(slm_session_append(a, ids, length, NULL, &error));
            CHECK_OK(slm_session_append(b, ids, length + 20, NULL, &error));
            CHECK_OK(slm_session_rewind(b, length, &error));
            const struct snapshot first = save(a), second = save(b);
            assert_int_equal(first.length, second.length);
            assert_memory_equal(first.bytes, second.bytes, first.length);
            free(first.bytes);
            free(second.bytes);
            slm_session_destroy(a);
            slm_session_destroy(b);
        }
    }
    assert_int_equal(slm_model_close(model), SLM_OK);
}

/* Nothing of the text is lost or said twice when each token is a session of its own. */
static void test_every_token_in_a_new_session(void **state)
{
    slm_model *model = golden_model(engine, "gemma3-text", SLM_TYPE_I8);
    const slm_sampling sampling = {.struct_size = sizeof sampling, .temperature = 1.2f, .seed = 3};
    int32_t ids[40];
    (void)state;
    some_tokens(ids, 40, 300);
    slm_session *plain = new_session(model, NULL, &sampling, 0), *moving = new_session(model, NULL, &sampling, 0);
    CHECK_OK(slm_session_append(plain, ids, 40, NULL, &error));
    CHECK_OK(slm_session_append(moving, ids, 40, NULL, &error));
    for (int i = 0; i < 150; i++) {
        const struct snapshot snapshot = save(moving);
        slm_session_destroy(moving);
        moving = new_session(model, NULL, &sampling, 0);
        CHECK_OK(slm_session_restore(moving, snapshot.bytes, snapshot.length, &error));
        free(snapshot.bytes);
        compare(plain, moving, 1);
    }
    slm_session_destroy(plain);
    slm_session_destroy(moving);
    assert_int_equal(slm_model_close(model), SLM_OK);
}

/* Refused; and the session still goes on as its fork. */
static void check_refused(slm_session *session, const uint8_t *bytes, uint64_t length, slm_status expected)
{
    const slm_status status = slm_session_restore(session, bytes, length, &error);
    if (status != expected && !(expected == SLM_OK && status != SLM_OK)) { /* SLM_OK: any refusal */
        fail_msg("%s instead of %s: %s", slm_status_name(status), slm_status_name(expected), status != SLM_OK ? error.message : "");
    }
}

static void seal(uint8_t *bytes, uint64_t length)
{
    uint32_t crc = 0xffffffffu; /* CRC-32C, bit by bit */
    for (uint64_t i = 0; i + 4 < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (0x82f63b78u & (0u - (crc & 1)));
        }
    }
    crc = ~crc;
    for (int i = 0; i < 4; i++) {
        bytes[length - 4 + (uint64_t)i] = (uint8_t)(crc >> (8 * i));
    }
}

static void test_damage_is_refused_and_changes_nothing(void **state)
{
    int32_t ids[100];
    slm_model *model = golden_model(engine, "mistral", SLM_TYPE_I8);
    slm_pool *pool = NULL;
    const slm_pool_options options = {.struct_size = sizeof options, .sessions = 3, .context = 128};
    const slm_sampling sampling = {.struct_size = sizeof sampling, .temperature = 1, .seed = 2};
    slm_session *session = NULL, *fork = NULL, *saved = NULL;
    uint32_t accepted = 0;
    (void)state;
    some_tokens(ids, 100, 300);
    CHECK_OK(slm_pool_create(model, &options, &pool, &error));
    const slm_session_options one = {.struct_size = sizeof one, .flags = SLM_SESSION_IGNORE_EOS, .sampling = &sampling};
    CHECK_OK(slm_session_create(model, pool, &one, &session, &error));
    CHECK_OK(slm_session_create(model, pool, &one, &saved, &error));
    CHECK_OK(slm_session_append(session, ids, 70, NULL, &error));
    CHECK_OK(slm_session_append(saved, ids, 5, NULL, &error));
    CHECK_OK(slm_session_fork(session, &fork, &error));
    struct snapshot s = save(saved);
    for (uint64_t cut = 0; cut < s.length; cut += cut < 400 ? 1 : 997) {
        check_refused(session, s.bytes, cut, SLM_E_TRUNCATED);
    }
    for (uint64_t bit = 0; bit < 8 * s.length; bit += bit < 4000 ? 1 : 8 * 97 + 1) {
        s.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        check_refused(session, s.bytes, s.length, SLM_OK);
        s.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    const uint64_t fields = 400 < s.length ? 400 : s.length; /* past a right checksum, nothing may lead outside */
    for (uint64_t i = 80; i < fields; i++) {
        static const uint8_t values[] = {0, 1, 2, 0x7f, 0x80, 0xff};
        const uint8_t kept = s.bytes[i];
        for (size_t v = 0; v < sizeof values; v++) {
            slm_session *other = NULL;
            slm_token token = {.struct_size = sizeof token};
            s.bytes[i] = values[v];
            seal(s.bytes, s.length);
            slm_session_destroy(saved);
            CHECK_OK(slm_session_create(model, pool, &one, &other, &error));
            saved = other;
            if (slm_session_restore(saved, s.bytes, s.length, &error) == SLM_OK) {
                (void)slm_session_next(saved, &token, &error);
                (void)slm_session_next(saved, &token, &error);
                accepted++;
            } else {
                assert_int_equal(length_of(saved), 0);
            }
        }
        s.bytes[i] = kept;
    }
    printf("%u of %u changes behind a right checksum are sessions too\n", accepted, (unsigned)(fields - 80) * 6);
    seal(s.bytes, s.length);
    slm_session_destroy(saved);
    compare(session, fork, 20);
    CHECK_OK(slm_session_restore(session, s.bytes, s.length, &error));
    assert_int_equal(length_of(session), 5);
    free(s.bytes);
    slm_session_destroy(session);
    slm_session_destroy(fork);
    assert_int_equal(slm_pool_destroy(pool), SLM_OK);
    assert_int_equal(slm_model_close(model), SLM_OK);
}

static void test_what_does_not_fit_is_refused(void **state)
{
    int32_t ids[300];
    char path[512], target[256];
    slm_model *model = golden_model(engine, "llama32-tied", SLM_TYPE_I8), *other = golden_model(engine, "llama32-tied", SLM_TYPE_I4);
    slm_session *a = new_session(model, NULL, NULL, 0), *b = NULL, *c = NULL;
    slm_pool *pool = NULL;
    const slm_pool_options options = {.struct_size = sizeof options, .sessions = 3, .context = CONTEXT, .kv_tokens = 512, .prefixes = 2};
    slm_session_options small = {.struct_size = sizeof small, .context = 199};
    (void)state;
    some_tokens(ids, 300, 300);
    CHECK_OK(slm_session_append(a, ids, 200, NULL, &error));
    const struct snapshot s = save(a);
    b = new_session(other, NULL, NULL, 0);
    check_refused(b, s.bytes, s.length, SLM_E_BAD_VALUE);
    assert_non_null(strstr(error.message, "another model"));
    slm_session_destroy(b);
    b = new_session(model, NULL, NULL, SLM_KV_I8);
    check_refused(b, s.bytes, s.length, SLM_E_BAD_VALUE);
    assert_non_null(strstr(error.message, "kv_type"));
    slm_session_destroy(b);
    CHECK_OK(slm_session_create(model, NULL, &small, &b, &error));
    check_refused(b, s.bytes, s.length, SLM_E_CONTEXT_FULL);
    slm_session_destroy(b);
    /* pages: kept sequences give way, other sessions do not */
    CHECK_OK(slm_pool_create(model, &options, &pool, &error));
    b = new_session(model, pool, NULL, 0);
    c = new_session(model, pool, NULL, 0);
    CHECK_OK(slm_session_append(b, ids, 300, NULL, &error));
    CHECK_OK(slm_session_append(c, ids + 1, 150, NULL, &error));
    check_refused(c, s.bytes, s.length, SLM_E_POOL_FULL);
    assert_int_equal(length_of(c), 150);
    CHECK_OK(slm_session_rewind(b, 0, &error));
    CHECK_OK(slm_session_restore(c, s.bytes, s.length, &error));
    compare(a, c, 10);
    slm_session_destroy(b);
    slm_session_destroy(c);
    assert_int_equal(slm_pool_destroy(pool), SLM_OK);
    slm_session_destroy(a);
    free(s.bytes);
    assert_int_equal(slm_model_close(model), SLM_OK);
    assert_int_equal(slm_model_close(other), SLM_OK);
    /* adapters */
    slm_adapter *adapters[2];
    const float weight = 0.5f;
    const slm_convert_options convert = {.struct_size = sizeof convert};
    const slm_model_options read = {.struct_size = sizeof read, .flags = SLM_MODEL_READ};
    snprintf(path, sizeof path, "%s/import/lora/base", golden_root());
    CHECK_OK(slm_convert(engine, path, SLM_NUL_TERMINATED, temporary_path("base.slm", target), SLM_NUL_TERMINATED, &convert, NULL, &error));
    CHECK_OK(slm_model_open_file(engine, target, SLM_NUL_TERMINATED, &read, &model, &error));
    unlink(target);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/import/lora/%c", golden_root(), "ab"[i]);
        CHECK_OK(slm_adapter_open(model, path, SLM_NUL_TERMINATED, &adapters[i], &error));
    }
    a = new_session(model, NULL, NULL, 0);
    b = new_session(model, NULL, NULL, 0);
    CHECK_OK(slm_session_set_adapters(a, adapters, &weight, 1, &error));
    CHECK_OK(slm_session_append(a, ids, 100, NULL, &error));
    const struct snapshot with = save(a);
    check_refused(b, with.bytes, with.length, SLM_E_BAD_VALUE);
    CHECK_OK(slm_session_set_adapters(b, adapters + 1, &weight, 1, &error));
    check_refused(b, with.bytes, with.length, SLM_E_BAD_VALUE);
    CHECK_OK(slm_session_set_adapters(b, adapters, NULL, 1, &error));
    check_refused(b, with.bytes, with.length, SLM_E_BAD_VALUE);
    assert_non_null(strstr(error.message, "adapters"));
    CHECK_OK(slm_session_set_adapters(b, adapters, &weight, 1, &error));
    CHECK_OK(slm_session_restore(b, with.bytes, with.length, &error));
    compare(a, b, 20);
    free(with.bytes);
    slm_session_destroy(a);
    slm_session_destroy(b);
    assert_int_equal(slm_adapter_close(adapters[0]), SLM_OK);
    assert_int_equal(slm_adapter_close(adapters[1]), SLM_OK);
    assert_int_equal(slm_model_close(model), SLM_OK);
}

/* A session that has seen an image is saved with it, but not at its end, where nothing could be computed again. */
static void test_images(void **state)
{
    char path[512];
    int32_t ids[40];
    uint64_t needed = 0;
    static uint8_t pixels[3 * 20 * 16];
    slm_model_info info = {.struct_size = sizeof info};
    slm_pool *pool = NULL;
    (void)state;
    snprintf(path, sizeof path, "%s/models/gemma3-vision/config.json", golden_root());
    if (access(path, R_OK) != 0) {
        print_message("skipped: %s is absent\n", path);
        skip();
    }
    slm_model *model = golden_model(engine, "gemma3-vision", SLM_TYPE_I8);
    CHECK_OK(slm_model_get_info(model, &info, &error));
    const slm_pool_options options = {.struct_size = sizeof options, .sessions = 3, .context = 256, .prefixes = 4};
    slm_session *sessions[3];
    CHECK_OK(slm_pool_create(model, &options, &pool, &error));
    for (uint32_t i = 0; i < 40; i++) {
        ids[i] = (int32_t)(10 + i);
    }
    for (uint32_t s = 0; s < 3; s++) { /* the same text around different images: only what lies before them is shared */
        slm_session_info about = {.struct_size = sizeof about};
        for (size_t i = 0; i < sizeof pixels; i++) {
            pixels[i] = (uint8_t)(i * (7 + s));
        }
        const slm_image image = {.struct_size = sizeof image, .width = 20, .height = 16, .pixels = pixels, .pixel_bytes = sizeof pixels};
        const slm_session_options one = {.struct_size = sizeof one, .flags = SLM_SESSION_IGNORE_EOS};
        CHECK_OK(slm_session_create(model, pool, &one, &sessions[s], &error));
        CHECK_OK(slm_session_append(sessions[s], ids, 20, NULL, &error));
        CHECK_OK(slm_session_get_info(sessions[s], &about, &error));
        assert_int_equal(about.reused, s == 0 ? 0 : 19);
        CHECK_OK(slm_session_append_image(sessions[s], &image, NULL, &error));
        assert_int_equal(slm_session_save(sessions[s], NULL, 0, &needed, &error), SLM_E_STATE);
        CHECK_OK(slm_session_append(sessions[s], ids + 20, 20, NULL, &error));
        CHECK_OK(slm_session_get_info(sessions[s], &about, &error));
        assert_int_equal(about.reused, 0);
    }
    slm_session *alone = NULL;
    const slm_session_options one = {.struct_size = sizeof one, .flags = SLM_SESSION_IGNORE_EOS, .context = 256};
    const struct snapshot snapshot = save(sessions[1]);
    CHECK_OK(slm_session_create(model, NULL, &one, &alone, &error));
    CHECK_OK(slm_session_restore(alone, snapshot.bytes, snapshot.length, &error));
    compare(sessions[1], alone, 20);
    assert_int_equal(slm_session_rewind(alone, 22, &error), SLM_E_ARGUMENT); /* inside the image */
    CHECK_OK(slm_session_rewind(alone, 0, &error));
    for (uint32_t s = 0; s < 3; s++) {
        slm_session_destroy(sessions[s]);
    }
    slm_session_destroy(alone);
    free(snapshot.bytes);
    assert_int_equal(slm_pool_destroy(pool), SLM_OK);
    assert_int_equal(slm_model_close(model), SLM_OK);
}

static int begin(void **state)
{
    (void)state;
    return slm_engine_create(NULL, &engine, &error);
}

static int end(void **state)
{
    (void)state;
    return slm_engine_destroy(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_goes_on_as_before),         cmocka_unit_test(test_the_same_tokens_are_the_same_bytes),
        cmocka_unit_test(test_every_token_in_a_new_session), cmocka_unit_test(test_damage_is_refused_and_changes_nothing),
        cmocka_unit_test(test_what_does_not_fit_is_refused), cmocka_unit_test(test_images),
    };
    return cmocka_run_group_tests(tests, begin, end);
}

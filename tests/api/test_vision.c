/* SPDX-License-Identifier: MIT */
/* A model that sees against Hugging Face transformers, through slm_session_append_image: logits, hidden states, greedy continuation; the
 * same bits on every tier and thread count, for any division of the text; what is refused; rewinding, forking, cancelling, memory. */
#include "tests/api_fixture.h"
#include "tests/golden_report.h" /* golden_begin, golden_list */
#include <math.h>
#include <stdbool.h>

enum { MOST_TOKENS = 256, MOST_FOLDERS = 200 };

static const char *folder = "gemma3-vision";
static struct golden_file golden;
static bool present;

/* One way to run. */
struct way {
    int32_t isa;
    uint32_t threads, batch;
    uint64_t chunk; /* most tokens of an append */
};

static slm_engine *engine_of(const struct way *way)
{
    const slm_engine_options options = {.struct_size = sizeof options, .isa = way->isa, .threads = way->threads};
    slm_engine *engine = NULL;
    return slm_engine_create(&options, &engine, &error) == SLM_OK ? engine : NULL;
}

static slm_model_info info_of(const slm_model *model)
{
    slm_model_info info = {.struct_size = sizeof info};
    CHECK_OK(slm_model_get_info(model, &info, &error));
    return info;
}

static slm_image golden_image(void)
{
    const struct golden_tensor pixels = golden_find(&golden, "pixel_values");
    const uint32_t size = (uint32_t)sqrt((double)pixels.count / 3);
    return (slm_image){.struct_size = sizeof(slm_image),
                       .format = SLM_IMAGE_VALUES,
                       .width = size,
                       .height = size,
                       .pixels = pixels.data,
                       .pixel_bytes = pixels.count * sizeof(float)};
}

/* Append `ids`, in which runs of image tokens are `image`. logits and hidden may be NULL. */
static void append_all(slm_session *session, const slm_model_info *info, const int32_t *ids, uint64_t count, const slm_image *image,
                       uint64_t chunk, float *logits, float *hidden)
{
    for (uint64_t i = 0; i < count;) {
        const bool sees = ids[i] == info->image_token;
        uint64_t n = sees ? info->image_tokens : 0;
        while (!sees && n < chunk && i + n < count && ids[i + n] != info->image_token) {
            n++;
        }
        const slm_append_options out = {sizeof out,
                                        0,
                                        logits != NULL ? logits + i * info->vocab_size : NULL,
                                        n * info->vocab_size,
                                        hidden != NULL ? hidden + i * info->hidden_size : NULL,
                                        n * info->hidden_size};
        CHECK_OK(sees ? slm_session_append_image(session, image, &out, &error) : slm_session_append(session, ids + i, n, &out, &error));
        i += n;
    }
}

/* Logits and hidden states of input_ids in one block of the heap: [n][vocab], then [n][hidden]. */
static float *run_golden(slm_model *model, int32_t kv_type, const struct way *way, uint64_t *floats)
{
    const struct golden_tensor ids = golden_find(&golden, "input_ids");
    const slm_model_info info = info_of(model);
    const slm_session_options options = {
        .struct_size = sizeof options, .context = (uint32_t)ids.count, .kv_type = kv_type, .batch = way->batch};
    slm_session *session = NULL;
    *floats = ids.count * (info.vocab_size + info.hidden_size);
    float *out = calloc(*floats, sizeof *out);
    const slm_image image = golden_image();
    CHECK_OK(slm_session_create(model, NULL, &options, &session, &error));
    append_all(session, &info, ids.data, ids.count, &image, way->chunk, out, out + ids.count * info.vocab_size);
    CHECK_OK(slm_session_destroy(session));
    return out;
}

static double nmse_of(const float *out)
{
    const struct golden_tensor logits = golden_find(&golden, "logits");
    return golden_nmse(out, logits.data, logits.count);
}

static void compare_f32(void)
{
    static const struct way plain = {0, 0, 0, 1000};
    golden_begin("vision", folder);
    slm_engine *engine = engine_of(&plain);
    slm_model *model = golden_model(engine, folder, SLM_TYPE_F32);
    const slm_model_info info = info_of(model);
    const struct golden_tensor hidden = golden_find(&golden, "hidden"), prompt = golden_find(&golden, "greedy_prompt"),
                               expected = golden_find(&golden, "greedy_ids"), ids = golden_find(&golden, "input_ids");
    uint64_t floats = 0;
    float *out = run_golden(model, SLM_KV_F32, &plain, &floats);
    const double logits_nmse = nmse_of(out), hidden_nmse = golden_nmse(out + ids.count * info.vocab_size, hidden.data, hidden.count);
    printf("%s: logits %.1e, hidden %.1e\n", folder, logits_nmse, hidden_nmse);
    golden_case(logits_nmse <= 1e-10 && hidden_nmse <= 1e-10);
    golden_error(logits_nmse);
    golden_error(hidden_nmse);
    free(out);
    const slm_session_options options = {.struct_size = sizeof options,
                                         .context = (uint32_t)(prompt.count + expected.count),
                                         .flags = SLM_SESSION_IGNORE_EOS,
                                         .kv_type = SLM_KV_F32};
    const slm_image image = golden_image();
    slm_session *session = NULL;
    CHECK_OK(slm_session_create(model, NULL, &options, &session, &error));
    append_all(session, &info, prompt.data, prompt.count, &image, 1000, NULL, NULL);
    bool equal = true;
    for (uint64_t i = 0; i < expected.count && equal; i++) {
        slm_token token = {.struct_size = sizeof token};
        CHECK_OK(slm_session_next(session, &token, &error));
        equal = token.token == ((const int32_t *)expected.data)[i];
    }
    golden_case(equal);
    slm_session_destroy(session);
    assert_int_equal(slm_model_close(model), SLM_OK);
    assert_int_equal(slm_engine_destroy(engine), SLM_OK);
    assert_int_equal(golden_end(), 0);
}

/* Every model with pixel_values in its reference; `golden` and `folder` are what they were afterwards. */
static void f32_equals_reference(void **state)
{
    static struct golden_name names[MOST_FOLDERS];
    const size_t count = golden_list("models", "", names, MOST_FOLDERS);
    const struct golden_file kept = golden;
    const char *const kept_folder = folder;
    unsigned run = 0;
    (void)state;
    for (size_t i = 0; i < count; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/models/%.127s/golden.safetensors", golden_root(), names[i].text);
        if (!golden_open(&golden, path)) {
            continue;
        }
        folder = names[i].text;
        if (golden_find(&golden, "pixel_values").data != NULL) {
            compare_f32();
            run++;
        }
        golden_close(&golden);
    }
    golden = kept;
    folder = kept_folder;
    if (run == 0) {
        skip();
    }
}

/* As measured plus 20 %. */
static void smaller_types_stay_near(void **state)
{
    static const struct {
        int32_t type, kv_type;
        double limit;
    } cases[] = {{SLM_TYPE_F32, SLM_KV_F16, 4.83e-07},
                 {SLM_TYPE_F32, SLM_KV_I8, 4.80e-04},
                 {SLM_TYPE_I8, SLM_KV_F16, 2.94e-03},
                 {SLM_TYPE_I4, SLM_KV_F16, 1.61e-01}};
    static const struct way plain = {0, 0, 0, 1000};
    (void)state;
    if (!present) {
        skip();
    }
    slm_engine *engine = engine_of(&plain);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        slm_model *model = golden_model(engine, folder, cases[i].type);
        uint64_t floats = 0;
        float *out = run_golden(model, cases[i].kv_type, &plain, &floats);
        const double nmse = nmse_of(out);
        printf("type %d, cache %d: NMSE %.2e\n", cases[i].type, cases[i].kv_type, nmse);
        assert_true(nmse <= cases[i].limit);
        free(out);
        assert_int_equal(slm_model_close(model), SLM_OK);
    }
    assert_int_equal(slm_engine_destroy(engine), SLM_OK);
}

static void same_bits_everywhere(void **state)
{
    static const int32_t types[] = {SLM_TYPE_F32, SLM_TYPE_I8, SLM_TYPE_I4};
    static const int32_t tiers[] = {SLM_ISA_SCALAR, SLM_ISA_AVX2,         SLM_ISA_AVXVNNI,  SLM_ISA_AVX512VNNI,
                                    SLM_ISA_NEON,   SLM_ISA_NEON_DOTPROD, SLM_ISA_NEON_I8MM};
    static const struct way scalar = {SLM_ISA_SCALAR, 1, 0, 1000};
    (void)state;
    if (!present) {
        skip();
    }
    for (size_t t = 0; t < 3; t++) {
        slm_engine *engine = engine_of(&scalar);
        slm_model *model = golden_model(engine, folder, types[t]);
        uint64_t floats = 0, other = 0;
        const int32_t kv_type = t == 0 ? SLM_KV_F32 : t == 1 ? SLM_KV_F16 : SLM_KV_I8;
        float *want = run_golden(model, kv_type, &scalar, &floats);
        assert_int_equal(slm_model_close(model), SLM_OK);
        assert_int_equal(slm_engine_destroy(engine), SLM_OK);
        for (uint32_t i = 0; i < 2 * sizeof tiers / sizeof tiers[0]; i++) {
            const struct way way = {tiers[i / 2], i % 2 ? 3 : 1, i % 2 ? 7 : 0, i % 2 ? 1 : 5};
            if ((engine = engine_of(&way)) == NULL) {
                continue; /* another machine's tier */
            }
            model = golden_model(engine, folder, types[t]);
            float *got = run_golden(model, kv_type, &way, &other);
            assert_int_equal(floats, other);
            assert_memory_equal(got, want, floats * sizeof *got);
            free(got);
            assert_int_equal(slm_model_close(model), SLM_OK);
            assert_int_equal(slm_engine_destroy(engine), SLM_OK);
        }
        free(want);
    }
}

/* A fresh session that has the first `count` of the golden ids. */
static slm_session *session_with(slm_model *model, const slm_image *image, uint64_t count)
{
    const struct golden_tensor ids = golden_find(&golden, "input_ids");
    const slm_session_options options = {.struct_size = sizeof options, .context = MOST_TOKENS};
    const slm_model_info info = info_of(model);
    slm_session *session = NULL;
    CHECK_OK(slm_session_create(model, NULL, &options, &session, &error));
    append_all(session, &info, ids.data, count, image, 1000, NULL, NULL);
    return session;
}

static void expect_logits(slm_session *a, slm_session *b)
{
    const float *x = NULL, *y = NULL;
    uint64_t count = 0;
    CHECK_OK(slm_session_logits(a, &x, &count, &error));
    CHECK_OK(slm_session_logits(b, &y, NULL, &error));
    assert_memory_equal(x, y, count * sizeof *x);
}

/* Position of the image in the golden ids. */
static uint64_t image_at(const slm_model_info *info)
{
    const int32_t *ids = golden_find(&golden, "input_ids").data;
    uint64_t at = 0;
    while (ids[at] != info->image_token) {
        at++;
    }
    return at;
}

static uint32_t tokens_of(const slm_session *session)
{
    slm_session_info info = {.struct_size = sizeof info};
    CHECK_OK(slm_session_get_info(session, &info, &error));
    return info.tokens;
}

static void expect_failure(slm_status status, slm_status expected, const char *words)
{
    if (status != expected || strstr(error.message, words) == NULL) {
        fail_msg("status %s, '%s' where %s with '%s' was expected", slm_status_name(status), error.message, slm_status_name(expected),
                 words);
    }
}

static void images_of_bytes(void **state)
{
    static const struct way plain = {0, 0, 0, 1000};
    (void)state;
    if (!present) {
        skip();
    }
    slm_engine *engine = engine_of(&plain);
    slm_model *model = golden_model(engine, folder, SLM_TYPE_F32);
    const slm_model_info info = info_of(model);
    const uint32_t size = info.image_size;
    uint8_t *bytes = malloc((size_t)size * (3 * size + 5) * 4);
    float *values = malloc((size_t)3 * size * size * sizeof *values);
    for (uint32_t y = 0; y < size; y++) {
        for (uint32_t x = 0; x < 3 * size; x++) {
            const uint8_t byte = (uint8_t)((x * 7 + y * 31 + x * y) & 255);
            bytes[(size_t)y * (3 * size + 5) + x] = byte;
            values[((size_t)(x % 3) * size + y) * size + x / 3] = ((float)(byte * (1.0 / 255.0)) - 0.5f) / 0.5f;
        }
    }
    const slm_image rgb = {sizeof rgb, SLM_IMAGE_RGB8, size, size, bytes, (uint64_t)size * (3 * size + 5), 3 * (uint64_t)size + 5};
    const slm_image same = {sizeof same, SLM_IMAGE_VALUES, size, size, values, (uint64_t)3 * size * size * sizeof *values, 0};
    const uint64_t end = image_at(&info) + info.image_tokens;
    slm_session *a = session_with(model, &rgb, end), *b = session_with(model, &same, end);
    expect_logits(a, b);
    CHECK_OK(slm_session_destroy(b));
    const slm_image tall = {sizeof tall, SLM_IMAGE_RGB8, 3, 2 * size + 1, bytes, (uint64_t)9 * (2 * size + 1), 0};
    b = session_with(model, &tall, end);
    const float *x = NULL, *y = NULL;
    CHECK_OK(slm_session_logits(a, &x, NULL, &error));
    CHECK_OK(slm_session_logits(b, &y, NULL, &error));
    assert_memory_not_equal(x, y, info.vocab_size * sizeof *x);
    CHECK_OK(slm_session_destroy(a));
    CHECK_OK(slm_session_destroy(b));
    free(bytes);
    free(values);
    assert_int_equal(slm_model_close(model), SLM_OK);
    assert_int_equal(slm_engine_destroy(engine), SLM_OK);
}

static void refusals_leave_the_session(void **state)
{
    static const struct way plain = {0, 0, 0, 1000};
    static const uint8_t bytes[3 * 4 * 5] = {0};
    (void)state;
    if (!present) {
        skip();
    }
    slm_engine *engine = engine_of(&plain);
    slm_model *model = golden_model(engine, folder, SLM_TYPE_I8);
    const slm_model_info info = info_of(model);
    const slm_image image = golden_image(), good = {sizeof good, SLM_IMAGE_RGB8, 4, 5, bytes, sizeof bytes, 0};
    const struct golden_tensor ids = golden_find(&golden, "input_ids");
    slm_session *session = session_with(model, &image, ids.count), *before = session_with(model, &image, ids.count);
    const struct {
        slm_image image;
        const char *words;
    } wrong[] = {
        {{sizeof good, SLM_IMAGE_RGB8, 0, 5, bytes, sizeof bytes, 0}, "0 x 5 pixels"},
        {{sizeof good, SLM_IMAGE_RGB8, 4, 0, bytes, sizeof bytes, 0}, "4 x 0 pixels"},
        {{sizeof good, SLM_IMAGE_RGB8, 16385, 1, bytes, 3 * 16385, 0}, "16385 x 1 pixels"},
        {{sizeof good, SLM_IMAGE_RGB8, 4, 5, bytes, sizeof bytes - 1, 0}, "59 bytes; 4 x 5 pixels of RGB8 are 60"},
        {{sizeof good, SLM_IMAGE_RGB8, 4, 5, bytes, 80, 0}, "80 bytes; 4 x 5 pixels of RGB8 are 60"},
        {{sizeof good, SLM_IMAGE_RGB8, 4, 5, bytes, sizeof bytes, 11}, "row_bytes is 11"},
        {{sizeof good, SLM_IMAGE_RGB8, 4, 5, bytes, sizeof bytes, 13}, "are 64"},
        {{sizeof good, SLM_IMAGE_VALUES, 4, 5, bytes, sizeof bytes, 0}, "values are 3 x"},
        {{sizeof good, 7, 4, 5, bytes, sizeof bytes, 0}, "format is 7"},
        {{sizeof good, SLM_IMAGE_RGB8, 4, 5, NULL, sizeof bytes, 0}, "pixels is NULL"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        expect_failure(slm_session_append_image(session, &wrong[i].image, NULL, &error), SLM_E_ARGUMENT, wrong[i].words);
    }
    float *values = malloc(image.pixel_bytes);
    memcpy(values, image.pixels, image.pixel_bytes);
    values[5] = NAN;
    slm_image broken = image;
    broken.pixels = values;
    expect_failure(slm_session_append_image(session, &broken, NULL, &error), SLM_E_ARGUMENT, "value 5");
    broken.pixels = (const char *)values + 1;
    expect_failure(slm_session_append_image(session, &broken, NULL, &error), SLM_E_ARGUMENT, "pixels is not aligned to 4 bytes");
    free(values);
    expect_failure(slm_session_append(session, &info.image_token, 1, NULL, &error), SLM_E_BAD_TOKEN, "stands for a part of an image");
    float few[4];
    const slm_append_options small = {sizeof small, 0, few, 4, NULL, 0};
    expect_failure(slm_session_append_image(session, &good, &small, &error), SLM_E_BUFFER_TOO_SMALL, "a buffer is smaller");
    slm_session_cancel(session);
    expect_failure(slm_session_append_image(session, &good, NULL, &error), SLM_E_CANCELLED, "as before");
    while (tokens_of(session) + info.image_tokens <= MOST_TOKENS) {
        CHECK_OK(slm_session_append_image(session, &good, NULL, &error));
    }
    expect_failure(slm_session_append_image(session, &good, NULL, &error), SLM_E_CONTEXT_FULL, "do not fit");
    CHECK_OK(slm_session_rewind(session, ids.count, &error));
    expect_logits(session, before);
    CHECK_OK(slm_session_destroy(session));
    CHECK_OK(slm_session_destroy(before));
    assert_int_equal(slm_model_close(model), SLM_OK);
    assert_int_equal(slm_engine_destroy(engine), SLM_OK);
}

static void rewinding_keeps_images_whole(void **state)
{
    static const struct way plain = {0, 0, 0, 1000};
    (void)state;
    if (!present) {
        skip();
    }
    slm_engine *engine = engine_of(&plain);
    slm_model *model = golden_model(engine, folder, SLM_TYPE_F32);
    const slm_model_info info = info_of(model);
    const slm_image image = golden_image();
    const struct golden_tensor ids = golden_find(&golden, "input_ids");
    const uint64_t begin = image_at(&info), end = begin + info.image_tokens;
    slm_session *session = session_with(model, &image, ids.count), *whole = session_with(model, &image, ids.count);
    slm_token token = {.struct_size = sizeof token};
    expect_failure(slm_session_rewind(session, begin + 1, &error), SLM_E_ARGUMENT, "inside the image of tokens");
    expect_failure(slm_session_rewind(session, end - 1, &error), SLM_E_ARGUMENT, "inside the image of tokens");
    CHECK_OK(slm_session_rewind(session, end, &error));
    expect_failure(slm_session_next(session, &token, &error), SLM_E_STATE, "end of an image");
    const float *logits = NULL;
    expect_failure(slm_session_logits(session, &logits, NULL, &error), SLM_E_STATE, "end of an image");
    slm_session *fork = NULL;
    append_all(session, &info, (const int32_t *)ids.data + end, ids.count - end, &image, 7, NULL, NULL);
    expect_logits(session, whole);
    CHECK_OK(slm_session_rewind(session, begin, &error));
    append_all(session, &info, (const int32_t *)ids.data + begin, ids.count - begin, &image, 7, NULL, NULL);
    expect_logits(session, whole);
    CHECK_OK(slm_session_next(session, &token, &error)); /* a token that is not computed yet comes before the next image */
    CHECK_OK(slm_session_append_image(session, &image, NULL, &error));
    CHECK_OK(slm_session_append(whole, &token.token, 1, NULL, &error));
    CHECK_OK(slm_session_append_image(whole, &image, NULL, &error));
    expect_logits(session, whole);
    expect_failure(slm_session_fork(session, &fork, &error), SLM_E_POOL_FULL, "in use");
    CHECK_OK(slm_session_destroy(session));
    CHECK_OK(slm_session_destroy(whole));
    assert_int_equal(slm_model_close(model), SLM_OK);
    assert_int_equal(slm_engine_destroy(engine), SLM_OK);
}

/* A fork knows where its images are. */
static void forks_share_images(void **state)
{
    static const struct way plain = {0, 0, 0, 1000};
    (void)state;
    if (!present) {
        skip();
    }
    slm_engine *engine = engine_of(&plain);
    slm_model *model = golden_model(engine, folder, SLM_TYPE_F32);
    const slm_model_info info = info_of(model);
    const slm_pool_options options = {.struct_size = sizeof options, .sessions = 2, .context = MOST_TOKENS};
    const slm_image image = golden_image();
    const struct golden_tensor ids = golden_find(&golden, "input_ids");
    slm_pool *pool = NULL;
    slm_session *session = NULL, *fork = NULL;
    CHECK_OK(slm_pool_create(model, &options, &pool, &error));
    CHECK_OK(slm_session_create(model, pool, NULL, &session, &error));
    append_all(session, &info, ids.data, ids.count, &image, 1000, NULL, NULL);
    CHECK_OK(slm_session_fork(session, &fork, &error));
    expect_logits(session, fork);
    expect_failure(slm_session_rewind(fork, image_at(&info) + 3, &error), SLM_E_ARGUMENT, "inside the image");
    CHECK_OK(slm_session_append_image(fork, &image, NULL, &error));
    CHECK_OK(slm_session_append_image(session, &image, NULL, &error));
    expect_logits(session, fork);
    CHECK_OK(slm_session_destroy(session));
    CHECK_OK(slm_session_destroy(fork));
    CHECK_OK(slm_pool_destroy(pool));
    assert_int_equal(slm_model_close(model), SLM_OK);
    assert_int_equal(slm_engine_destroy(engine), SLM_OK);
}

/* The plan has the tower's workspace, running takes nothing more, and a text model has neither tower nor plan for one. */
static void memory_is_planned(void **state)
{
    struct counting_allocator counter = {0};
    const slm_engine_options options = counting_options(&counter);
    slm_engine *engine = NULL;
    char target[256], source[512];
    (void)state;
    if (!present) {
        skip();
    }
    CHECK_OK(slm_engine_create(&options, &engine, &error));
    slm_model *model = golden_model(engine, folder, SLM_TYPE_I8), *text = NULL;
    const slm_convert_options text_only = {.struct_size = sizeof text_only, .flags = SLM_CONVERT_TEXT_ONLY};
    snprintf(source, sizeof source, "%s/models/%s", golden_root(), folder);
    CHECK_OK(
        slm_convert(engine, source, SLM_NUL_TERMINATED, temporary_path("text.slm", target), SLM_NUL_TERMINATED, &text_only, NULL, &error));
    CHECK_OK(slm_model_open_file(engine, target, SLM_NUL_TERMINATED, NULL, &text, &error));
    unlink(target);
    const slm_pool_options pool_options = {.struct_size = sizeof pool_options, .context = MOST_TOKENS, .batch = 8};
    slm_pool_memory with = {.struct_size = sizeof with}, without = {.struct_size = sizeof without};
    CHECK_OK(slm_pool_plan(model, &pool_options, &with, &error));
    CHECK_OK(slm_pool_plan(text, &pool_options, &without, &error));
    assert_true(with.workspace_bytes > without.workspace_bytes);
    assert_int_equal(info_of(text).image_tokens, 0);
    const slm_image image = golden_image();
    const uint64_t before = counter.live_bytes;
    slm_pool *pool = NULL;
    slm_session *session = NULL;
    CHECK_OK(slm_pool_create(model, &pool_options, &pool, &error));
    assert_int_equal(counter.live_bytes - before, with.total_bytes);
    CHECK_OK(slm_session_create(model, pool, NULL, &session, &error));
    const uint64_t calls = counter.calls;
    CHECK_OK(slm_session_append_image(session, &image, NULL, &error));
    assert_int_equal(counter.calls, calls);
    CHECK_OK(slm_session_destroy(session));
    CHECK_OK(slm_pool_destroy(pool));
    CHECK_OK(slm_session_create(text, NULL, NULL, &session, &error));
    expect_failure(slm_session_append_image(session, &image, NULL, &error), SLM_E_UNSUPPORTED, "takes no images");
    CHECK_OK(slm_session_destroy(session));
    assert_int_equal(slm_model_close(text), SLM_OK);
    assert_int_equal(slm_model_close(model), SLM_OK);
    assert_int_equal(slm_engine_destroy(engine), SLM_OK);
    assert_int_equal(counter.live_blocks, 0);
}

static int open_files(void **state)
{
    char path[512];
    (void)state;
    snprintf(path, sizeof path, "%s/models/%s/golden.safetensors", golden_root(), folder);
    present = golden_open(&golden, path) != 0;
    if (!present) {
        printf("skipped: %s is absent\n", path);
    }
    return 0;
}

static int close_files(void **state)
{
    (void)state;
    if (present) {
        golden_close(&golden);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f32_equals_reference),       cmocka_unit_test(smaller_types_stay_near),
        cmocka_unit_test(same_bits_everywhere),       cmocka_unit_test(images_of_bytes),
        cmocka_unit_test(refusals_leave_the_session), cmocka_unit_test(rewinding_keeps_images_whole),
        cmocka_unit_test(forks_share_images),         cmocka_unit_test(memory_is_planned),
    };
    return cmocka_run_group_tests(tests, open_files, close_files);
}

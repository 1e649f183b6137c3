/* SPDX-License-Identifier: MIT */
/*
 * Opening: how long slm_model_open_file() takes on a file that the system has in its cache, how much it allocates, and when the first token
 * is there. The file has random weights (i4) in the shape of a released model, and the tokenizer of a tokenizer.json when one is given; it
 * is written piece by piece to a temporary file, which every end of the program removes.
 * usage: bench_open [TOKENIZER.json [SHAPE]]    TMPDIR: where 0.8 GB for the default shape, llama3.2-1b, have room
 */
#define _POSIX_C_SOURCE 200809L  /* mkstemp, pwrite */
#include "base/file.h"           /* slm__file_load */
#include "bench/measuring.h"     /* expect_ok, median_of */
#include "import/random_model.h" /* slm__random_model_write */
#include "import/tokenizer_json.h"
#include "text/tokenizer.h"       /* slm__tokenizer_open */
#include "text/vocabulary_trie.h" /* slm__vocabulary_build */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPENINGS = 51, ROUNDS = 7, PROMPT = 512 };

static char path[4096];
static slm_error error = {.struct_size = sizeof error};

static void remove_file(void)
{
    if (path[0] != '\0') {
        (void)unlink(path);
    }
}

static void remove_and_stop(int number)
{
    remove_file();
    _exit(128 + number);
}

/* ---- the file */

static slm_status size_file(void *context, uint64_t size, slm_error *failure)
{
    return ftruncate(*(const int *)context, (off_t)size) == 0 ? SLM_OK : slm__fail(failure, SLM_E_FILE_WRITE, "%s: no size", path);
}

static slm_status write_piece(void *context, uint64_t offset, const void *data, size_t length, slm_error *failure)
{
    const char *bytes = data;
    while (length > 0) {
        const ssize_t written = pwrite(*(const int *)context, bytes, length, (off_t)offset);
        if (written <= 0) {
            return slm__fail(failure, SLM_E_FILE_WRITE, "%s cannot be written: is there room? (TMPDIR says where)", path);
        }
        bytes += written;
        offset += (uint64_t)written;
        length -= (size_t)written;
    }
    return SLM_OK;
}

struct tokenizer_sections {
    struct slm_buffer tokenizer, vocabulary;
};

static void read_tokenizer(const struct slm_memory *memory, const char *json_path, struct tokenizer_sections *sections)
{
    struct slm_span json;
    struct slm_tokenizer tokenizer;
    slm__buffer_init(&sections->tokenizer, memory, SIZE_MAX);
    slm__buffer_init(&sections->vocabulary, memory, SIZE_MAX);
    if (json_path == NULL) {
        return;
    }
    expect_ok(slm__file_load(json_path, memory, 1 << 28, &json, &error), &error);
    expect_ok(slm__import_tokenizer_json(memory, json, json_path, 0, &sections->tokenizer, &error), &error);
    slm__release(memory, (void *)(uintptr_t)json.data, json.length);
    expect_ok(slm__tokenizer_open(&tokenizer, slm__span(sections->tokenizer.data, sections->tokenizer.length), &error), &error);
    expect_ok(slm__vocabulary_build(&tokenizer, memory, &sections->vocabulary, &error), &error);
}

static void write_model(const char *shape, const char *json_path)
{
    static struct slm_team_storage storage;
    const struct slm_team_options team = {0};
    const struct slm_memory memory = slm__memory_default();
    const struct slm_log silence = {0};
    const struct slm_import_context context = {&memory, &silence, slm__team_init(&storage, &team)};
    const struct slm_weight_types types = {.body = SLM_WEIGHT_I4, .head = SLM_WEIGHT_I8};
    struct tokenizer_sections sections;
    struct slm_weight_writer writer;
    struct cli_text config = config_of_shape(shape);
    const char *folder = getenv("TMPDIR");
    (void)snprintf(path, sizeof path, "%s/slm-bench-XXXXXX", folder != NULL && folder[0] != '\0' ? folder : "/tmp");
    int file = mkstemp(path);
    if (file < 0) {
        (void)fprintf(stderr, "bench_open: no file can be made in %s\n", path);
        exit(1);
    }
    const struct slm_sink sink = {size_file, write_piece, &file};
    read_tokenizer(&memory, json_path, &sections);
    slm__writer_init(&writer, &memory, &sink);
    slm__writer_tokenizer(&writer, slm__span(sections.tokenizer.data, sections.tokenizer.length));
    slm__writer_vocabulary(&writer, slm__span(sections.vocabulary.data, sections.vocabulary.length));
    expect_ok(slm__random_model_write(&context, slm__span(config.bytes, config.length), &types, 1, &writer, &error), &error);
    slm__writer_free(&writer);
    slm__buffer_free(&sections.tokenizer);
    slm__buffer_free(&sections.vocabulary);
    cli_text_free(&config);
    (void)close(file);
}

/* ---- measuring */

struct allocator {
    uint64_t live, most, calls;
};

static void *count_allocate(void *user, uint64_t bytes, uint64_t alignment)
{
    struct allocator *allocator = user;
    void *block = NULL;
    if (posix_memalign(&block, alignment < sizeof(void *) ? sizeof(void *) : (size_t)alignment, (size_t)bytes) != 0) {
        return NULL;
    }
    allocator->calls++;
    allocator->live += bytes;
    allocator->most = allocator->live > allocator->most ? allocator->live : allocator->most;
    return block;
}

static void count_release(void *user, void *block, uint64_t bytes)
{
    ((struct allocator *)user)->live -= bytes;
    free(block);
}

static slm_model *open_model(slm_engine *engine)
{
    slm_model *model = NULL;
    expect_ok(slm_model_open_file(engine, path, SLM_NUL_TERMINATED, NULL, &model, &error), &error);
    return model;
}

static double measure_opening(slm_engine *engine, struct allocator *allocator)
{
    double times[OPENINGS];
    uint64_t held = 0;
    const uint64_t before = allocator->live;
    const uint64_t calls = allocator->calls;
    allocator->most = before;
    for (int i = 0; i < OPENINGS; i++) {
        const double start = seconds_now();
        slm_model *model = open_model(engine);
        times[i] = seconds_now() - start;
        held = allocator->live - before;
        expect_ok(slm_model_close(model), NULL);
    }
    const double middle = median_of(times, OPENINGS);
    printf("opening            %8.2f ms (median of %d; %.2f to %.2f)\n", middle * 1e3, OPENINGS, times[0] * 1e3, times[OPENINGS - 1] * 1e3);
    printf("allocated by it    %8.1f kB in %.0f calls; at most %.1f kB while opening\n", (double)held / 1e3,
           (double)(allocator->calls - calls) / OPENINGS, (double)(allocator->most - before) / 1e3);
    return middle;
}

/* Seconds of a prompt and the first token behind it. */
static double prefill(slm_session *session, const int32_t *ids)
{
    slm_token token = {.struct_size = sizeof token};
    const double start = seconds_now();
    expect_ok(slm_session_append(session, ids, PROMPT, NULL, &error), &error);
    expect_ok(slm_session_next(session, &token, &error), &error);
    return seconds_now() - start;
}

/* The first token of a model that was just opened, and of the same session once more, when all pages of the file are mapped. */
static void measure_first_token(slm_engine *engine, double opening)
{
    const slm_session_options options = {.struct_size = sizeof options, .flags = SLM_SESSION_IGNORE_EOS, .context = PROMPT + 1};
    double first[ROUNDS], again[ROUNDS], ratios[ROUNDS];
    int32_t ids[PROMPT];
    slm_model_info info = {.struct_size = sizeof info};
    for (int round = 0; round < ROUNDS; round++) {
        slm_session *session = NULL;
        const double start = seconds_now();
        slm_model *model = open_model(engine);
        expect_ok(slm_model_get_info(model, &info, &error), &error);
        random_ids(ids, PROMPT, info.vocab_size);
        expect_ok(slm_session_create(model, NULL, &options, &session, &error), &error);
        (void)prefill(session, ids);
        first[round] = seconds_now() - start;
        expect_ok(slm_session_rewind(session, 0, &error), &error);
        again[round] = prefill(session, ids);
        ratios[round] = first[round] / (opening + again[round]);
        expect_ok(slm_session_destroy(session), NULL);
        expect_ok(slm_model_close(model), NULL);
    }
    const double middle = median_of(ratios, ROUNDS);
    printf("first token        %8.2f ms from before opening, prompt of %d tokens (median of %d)\n", median_of(first, ROUNDS) * 1e3, PROMPT,
           ROUNDS);
    printf("prefill again      %8.2f ms, the same prompt once more\n", median_of(again, ROUNDS) * 1e3);
    printf("first token over opening + prefill again: %.3f (%.3f to %.3f)\n", middle, ratios[0], ratios[ROUNDS - 1]);
}

int main(int argc, char **argv)
{
    const char *shape = argc > 2 ? argv[2] : "llama3.2-1b";
    struct allocator allocator = {0};
    slm_engine *engine = NULL;
    const slm_engine_options options = {
        .struct_size = sizeof options, .allocate = count_allocate, .release = count_release, .memory_user = &allocator};
    const int ends[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        (void)signal(ends[i], remove_and_stop);
    }
    (void)atexit(remove_file);
    write_model(shape, argc > 1 ? argv[1] : NULL);
    expect_ok(slm_engine_create(&options, &engine, &error), &error);
    slm_model *model = open_model(engine);
    slm_model_info info = {.struct_size = sizeof info};
    expect_ok(slm_model_get_info(model, &info, &error), &error);
    printf("%s i4, %s, file of %.1f MB\n", shape, info.has_tokenizer ? argv[1] : "no tokenizer", (double)info.file_bytes / 1e6);
    expect_ok(slm_model_close(model), NULL);
    measure_first_token(engine, measure_opening(engine, &allocator));
    expect_ok(slm_engine_destroy(engine), NULL);
    print_neighbours();
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * What guessing ahead and prefix reuse bring on an extraction task: the demonstration model triages the messages of its evaluation sets,
 * each in a session of its own, once as they are and once behind four examples with their answers. Run in the root of the repository.
 * Answers of all ways are compared: they are the same tokens.
 */
#include "bench/measuring.h" /* expect_ok, seconds_now, random_model */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONTEXT = 512, MOST = 256, EXAMPLES = 4, ANSWER = 80, RUNS = 7 };

struct line {
    char *message, *answer; /* JSON strings with their quotes; answer NULL: none */
};

struct way {
    const char *name;
    uint32_t speculate, prefixes;
};

struct task {
    slm_model *model;
    int32_t *prompts[MOST];
    uint64_t lengths[MOST];
    uint32_t count;
    uint32_t flags;                /* of sessions */
    const slm_sampling *sampling;  /* NULL: greedy */
    int32_t answers[MOST][ANSWER]; /* of the first way */
    uint64_t answer_lengths[MOST];
};

struct result {
    double prefill, decode; /* seconds */
    uint64_t prompt_tokens, reused, answer_tokens, guessed, accepted;
};

static slm_error error = {.struct_size = sizeof error};

/* A copy of the JSON string behind `key`, or NULL. */
static char *string_of(const char *line, const char *key)
{
    const char *begin = strstr(line, key);
    if (begin == NULL) {
        return NULL;
    }
    begin += strlen(key);
    const char *end = begin + 1;
    while (*end != '"') {
        end += *end == '\\' ? 2 : 1;
    }
    const size_t length = (size_t)(end + 1 - begin);
    char *copy = calloc(length + 1, 1);
    if (copy != NULL) {
        memcpy(copy, begin, length);
    }
    return copy;
}

static uint32_t read_lines(const char *path, struct line *lines, uint32_t most)
{
    static char text[1 << 16];
    uint32_t count = 0;
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "bench_reuse: %s cannot be opened; run it in the root of the repository\n", path);
        exit(1);
    }
    while (count < most && fgets(text, sizeof text, file) != NULL) {
        lines[count] = (struct line){string_of(text, "\"message\": "), string_of(text, "\"reference_output\": ")};
        count += lines[count].message != NULL ? 1 : 0;
    }
    (void)fclose(file);
    return count;
}

/* Prompts of all lines behind `examples` of them. */
static void make_prompts(struct task *task, const struct line *lines, uint32_t count, uint32_t examples)
{
    static char request[1 << 16];
    int32_t ids[CONTEXT];
    task->count = 0;
    for (uint32_t i = examples; i < count; i++) {
        uint64_t length = 0;
        int used = snprintf(request, sizeof request, "{\"messages\":[");
        for (uint32_t e = 0; e < examples; e++) {
            used +=
                snprintf(request + used, sizeof request - (size_t)used,
                         "{\"role\":\"user\",\"content\":%s},{\"role\":\"assistant\",\"content\":%s},", lines[e].message, lines[e].answer);
        }
        snprintf(request + used, sizeof request - (size_t)used, "{\"role\":\"user\",\"content\":%s}]}", lines[i].message);
        if (slm_chat_tokenize(task->model, request, SLM_NUL_TERMINATED, NULL, ids, CONTEXT - ANSWER, &length, &error) != SLM_OK) {
            continue; /* too long for the model's context */
        }
        free(task->prompts[task->count]);
        task->prompts[task->count] = calloc(length, sizeof *ids);
        if (task->prompts[task->count] == NULL) {
            exit(1);
        }
        memcpy(task->prompts[task->count], ids, length * sizeof *ids);
        task->lengths[task->count++] = length;
    }
}

/* One message in a session of its own. */
static void answer(struct task *task, slm_pool *pool, const struct way *way, uint32_t index, int is_first, struct result *result)
{
    const slm_session_options options = {
        .struct_size = sizeof options, .flags = task->flags, .max_tokens = ANSWER, .speculate = way->speculate, .sampling = task->sampling};
    slm_session_info info = {.struct_size = sizeof info};
    slm_token token = {.struct_size = sizeof token};
    slm_session *session = NULL;
    uint64_t count = 0;
    expect_ok(slm_session_create(task->model, pool, &options, &session, &error), &error);
    const double start = seconds_now();
    expect_ok(slm_session_append(session, task->prompts[index], task->lengths[index], NULL, &error), &error);
    const double middle = seconds_now();
    for (; token.stop == SLM_STOP_NONE; count++) {
        expect_ok(slm_session_next(session, &token, &error), &error);
        if (is_first) {
            task->answers[index][count] = token.token;
        } else if (count >= task->answer_lengths[index] || task->answers[index][count] != token.token) {
            fprintf(stderr, "bench_reuse: %s: message %u has another answer\n", way->name, index);
            exit(1);
        }
    }
    task->answer_lengths[index] = count;
    result->prefill += middle - start;
    result->decode += seconds_now() - middle;
    expect_ok(slm_session_get_info(session, &info, &error), &error);
    result->prompt_tokens += task->lengths[index];
    result->answer_tokens += count;
    result->reused += info.reused;
    result->guessed += info.guessed;
    result->accepted += info.accepted;
    (void)slm_session_destroy(session);
}

/* All messages, with a pool of their own. */
static struct result run_way(struct task *task, const struct way *way, int is_first)
{
    struct result result = {0};
    slm_pool *pool = NULL;
    const slm_pool_options options = {.struct_size = sizeof options,
                                      .sessions = 1,
                                      .context = CONTEXT,
                                      .kv_tokens = (uint64_t)CONTEXT * (1 + way->prefixes),
                                      .speculate = way->speculate,
                                      .prefixes = way->prefixes};
    expect_ok(slm_pool_create(task->model, &options, &pool, &error), &error);
    for (uint32_t i = 0; i < task->count; i++) {
        answer(task, pool, way, i, is_first, &result);
    }
    (void)slm_pool_destroy(pool);
    return result;
}

static void print_ways(struct task *task, const char *title, int runs)
{
    static const struct way ways[] = {{"plain", 0, 0}, {"guesses of 8", 8, 0}, {"reuse, 8 kept", 0, 8}, {"both", 8, 8}};
    enum { WAYS = sizeof ways / sizeof ways[0] };
    struct result best[WAYS] = {{0}};
    for (int run = 0; run < runs; run++) { /* in turns; the shortest times of each */
        for (int w = 0; w < WAYS; w++) {
            const struct result result = run_way(task, &ways[w], run == 0 && w == 0);
            const struct result before = best[w];
            best[w] = result;
            best[w].prefill = run > 0 && before.prefill < result.prefill ? before.prefill : result.prefill;
            best[w].decode = run > 0 && before.decode < result.decode ? before.decode : result.decode;
        }
    }
    printf("\n%s: %u messages\n", title, task->count);
    printf("%-14s %12s %12s %12s %8s %10s\n", "", "prompt tok/s", "answer tok/s", "messages/s", "shared", "guesses");
    for (int w = 0; w < WAYS; w++) {
        const struct result *r = &best[w];
        printf("%-14s %12.0f %12.0f %12.0f %7.0f%% %4.0f%% true\n", ways[w].name, (double)r->prompt_tokens / r->prefill,
               (double)r->answer_tokens / r->decode, task->count / (r->prefill + r->decode),
               100.0 * (double)r->reused / (double)r->prompt_tokens,
               r->guessed > 0 ? 100.0 * (double)r->accepted / (double)r->guessed : 0.0);
    }
}

/* The most that either can bring where weights come from memory: an answer that repeats one token, prompts that differ at their end. Random
 * weights are as fast as others. */
static void print_most(void)
{
    static const slm_logit_bias always = {7, 1e6f};
    static const slm_sampling sampling = {.struct_size = sizeof sampling, .bias = &always, .bias_count = 1};
    static struct task task = {.count = 3, .flags = SLM_SESSION_IGNORE_EOS, .sampling = &sampling};
    slm_engine *engine = NULL;
    expect_ok(slm_engine_create(NULL, &engine, &error), &error);
    task.model = random_model(engine, "smollm2-135m", SLM_TYPE_I8);
    for (uint32_t i = 0; i < task.count; i++) {
        task.lengths[i] = 200;
        task.prompts[i] = calloc(200, sizeof *task.prompts[i]);
        for (uint32_t k = 0; task.prompts[i] != NULL && k < 200; k++) {
            task.prompts[i][k] = (int32_t)((k * 7919 + (k >= 150 ? i : 0) * 104729) % 49152);
        }
    }
    print_ways(&task, "the most: shape of SmolLM2 135M, i8, answers that repeat themselves", 3);
    for (uint32_t i = 0; i < task.count; i++) {
        free(task.prompts[i]);
    }
    (void)slm_model_close(task.model);
    (void)slm_engine_destroy(engine);
}

int main(int argc, char **argv)
{
    static struct line lines[MOST];
    static struct task task;
    slm_engine *engine = NULL;
    const slm_engine_options options = {.struct_size = sizeof options, .threads = 1};
    const char *model = argc > 1 ? argv[1] : "examples/demo/triage-i8.slm";
    expect_ok(slm_engine_create(&options, &engine, &error), &error);
    expect_ok(slm_model_open_file(engine, model, SLM_NUL_TERMINATED, NULL, &task.model, &error), &error);
    const uint32_t count = read_lines("examples/demo/eval/generated.jsonl", lines, MOST);
    make_prompts(&task, lines, count, 0);
    print_ways(&task, "as they are", RUNS);
    make_prompts(&task, lines, count, EXAMPLES);
    print_ways(&task, "behind four examples", RUNS);
    for (uint32_t i = 0; i < MOST; i++) {
        free(task.prompts[i]);
        free(lines[i].message);
        free(lines[i].answer);
    }
    (void)slm_model_close(task.model);
    (void)slm_engine_destroy(engine);
    print_most();
    print_neighbours();
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * slm bench: how fast this machine is, and how much of that a model uses. The prefill of p tokens and the decoding of n tokens at context
 * C for B sequences are timed several times, each time behind a measurement of the machine (read bandwidth, integer peak), so that a busy
 * neighbour hits both. With a context, steps are taken in turns with those of B sequences without one. Medians are given, of ratios too.
 */
#include "examples/cli/commands.h" /* cli_command_bench */

#include "examples/cli/bench_report.h" /* struct bench_result, bench_report_json */
#include "examples/cli/bench_shapes.h" /* bench_shape_find, bench_shape_config */
#include "examples/cli/cli_json.h"     /* cli_json_add_number */
#include "examples/cli/cli_model.h"    /* cli_model_open */
#include "examples/cli/cli_output.h"   /* cli_fail_library */
#include "examples/cli/cli_prompt.h"   /* struct cli_ids */
#include "examples/cli/cli_terminal.h" /* cli_seconds */

#include <stdbool.h>
#include <stdlib.h>

struct bench_options {
    struct cli_model_options model;
    const char *shape;
    const char *type;
    const char *head_type;
    int64_t prompt;
    int64_t tokens;
    int64_t batch;
    int64_t context;
    int64_t repeat;
    int32_t plan;
    int32_t json;
};

static const struct cli_option bench_rows[] = {
    {"--shape", NULL, "NAME",
     "Random weights in the shape of a released model: smollm2-135m,\nsmollm2-360m, qwen2.5-0.5b, qwen2.5-1.5b, "
     "llama3.2-1b, llama3.2-3b,\nphi4-mini, gemma3-1b, llama3.1-8b.",
     CLI_STRING, offsetof(struct bench_options, shape), 0, 0},
    {"--type", NULL, "TYPE", "With --shape: f32, f16, bf16, i8 or i4; default i8.", CLI_STRING, offsetof(struct bench_options, type), 0, 0},
    {"--head-type", NULL, "TYPE", "With --shape: type of embedding and output head; default i8 for i8 and i4,\nelse as --type.", CLI_STRING,
     offsetof(struct bench_options, head_type), 0, 0},
    {"--prompt", "-p", "P", "Tokens of the prefill; default 512; 0: none.", CLI_INTEGER, offsetof(struct bench_options, prompt), 0, 1e6},
    {"--tokens", "-n", "N", "Tokens to decode; default 64; 0: none.", CLI_INTEGER, offsetof(struct bench_options, tokens), 0, 1e6},
    {"--batch", NULL, "B", "Sequences decoded together; default 1.", CLI_INTEGER, offsetof(struct bench_options, batch), 1, 1024},
    {"--context", NULL, "C",
     "Tokens in each sequence before decoding starts; default 0 (one token).\nElse decoding is compared with sequences without them, in "
     "turns.",
     CLI_INTEGER, offsetof(struct bench_options, context), 0, 1e6},
    {"--repeat", NULL, "R", "Times that each is measured; default 5, fewer when one takes over 5 s.", CLI_INTEGER,
     offsetof(struct bench_options, repeat), 1, 100},
    {"--plan", NULL, NULL,
     "Measure nothing; print the memory that B sequences of C tokens take;\nC is then by default the model's context, at most 4096.",
     CLI_FLAG, offsetof(struct bench_options, plan), 0, 0},
    {"--json", NULL, NULL, "Print one JSON object.", CLI_FLAG, offsetof(struct bench_options, json), 0, 0},
};

static int run_bench(int argc, char **argv);

const struct cli_command cli_command_bench = {
    .name = "bench",
    .summary = "measure the machine and a model's speed on it",
    .arguments = "(-m FILE.slm | --shape NAME) [OPTIONS]",
    .notes = "share of peak: operations of the layers' matrices (2 x weights x tokens) in prefill, against the integer peak of the tier's\n"
             "own instruction mix for this type. share of bandwidth: weights and KV cache read for a step of decoding, against the read\n"
             "bandwidth; not stated (null) when the weights are smaller than four times the last cache. bench/README.md has the method.",
    .groups = {{cli_model_rows, CLI_MODEL_ROWS_KV, offsetof(struct bench_options, model)},
               {bench_rows, sizeof bench_rows / sizeof bench_rows[0], 0}},
    .run = run_bench,
};

enum { REPEATS = 100, PAGE_TOKENS = 128 }; /* what sessions take more than their tokens, whose last page is never full */
#define TIME_LIMIT_SECONDS 5.0

/* Everything that is measured with; made by prepare(). */
struct bench {
    const struct bench_options *options;
    struct cli_model opened;
    slm_pool *pool;
    slm_session **sessions; /* [batch] at the context, then [empties] */
    size_t empties;         /* sessions for steps at context 0, in turns with the others; 0: there is no context to compare */
    slm_token *tokens;      /* [batch] */
    slm_status *statuses;   /* [batch] */
    struct cli_ids ids;     /* random tokens for prompts */
    struct bench_result result;
};

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_doubles);
    return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static int open_model(struct bench *bench)
{
    const struct bench_options *options = bench->options;
    bench->result.shape = options->shape != NULL ? options->shape : options->model.path != NULL ? options->model.path : "demonstration";
    if (options->shape == NULL) {
        return cli_model_open(&bench->opened, "bench", &options->model);
    }
    int code = cli_model_open_engine(&bench->opened, "bench", &options->model);
    if (code >= 0) {
        return code;
    }
    const int64_t longest =
        options->context + options->tokens + 1 > options->prompt ? options->context + options->tokens + 1 : options->prompt;
    const slm_random_options random = {
        .struct_size = sizeof random,
        .type = cli_type_from_name(options->type),
        .head_type = cli_type_from_name(options->head_type),
        .seed = 1,
    };
    struct cli_text config = {0};
    slm_error error = cli_error_empty();
    slm_model *model = NULL;
    bench_shape_config(bench_shape_find(options->shape), (uint32_t)longest, &config);
    const slm_status status =
        config.failed ? SLM_E_NO_MEMORY : slm_model_open_random(bench->opened.engine, config.bytes, config.length, &random, &model, &error);
    cli_text_free(&config);
    return status == SLM_OK ? cli_model_adopt(&bench->opened, model) : cli_fail_library("bench", status, &error);
}

/* A pool for the batch, its sessions, and random prompt ids (never below 3: those are often special). */
static int prepare(struct bench *bench)
{
    const struct bench_options *options = bench->options;
    const size_t batch = (size_t)options->batch;
    const uint64_t decode_context = (uint64_t)(options->context > 0 ? options->context : 1) + (uint64_t)options->tokens + 1;
    const uint64_t context = decode_context > (uint64_t)options->prompt ? decode_context : (uint64_t)options->prompt;
    bench->empties = options->context > 0 && options->tokens > 0 ? batch : 0;
    const slm_pool_options pool = {.struct_size = sizeof pool,
                                   .sessions = (uint32_t)(batch + bench->empties),
                                   .context = (uint32_t)context,
                                   .kv_type = bench->opened.kv_type,
                                   .kv_tokens =
                                       batch * (context + PAGE_TOKENS) + bench->empties * ((uint64_t)options->tokens + PAGE_TOKENS)};
    slm_error error = cli_error_empty();
    bench->sessions = calloc(batch + bench->empties, sizeof(slm_session *));
    bench->tokens = calloc(batch, sizeof *bench->tokens);
    bench->statuses = calloc(batch, sizeof *bench->statuses);
    if (bench->sessions == NULL || bench->tokens == NULL || bench->statuses == NULL || cli_ids_reserve(&bench->ids, context) != 0) {
        return cli_fail_memory("bench");
    }
    uint64_t state = 1;
    for (bench->ids.count = 0; bench->ids.count < context; bench->ids.count++) {
        state = state * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX generator */
        const uint32_t range = bench->opened.info.vocab_size > 6 ? bench->opened.info.vocab_size - 3 : 1;
        int32_t id = (int32_t)(3 % bench->opened.info.vocab_size + (uint32_t)(state >> 33) % range);
        id -= bench->opened.info.image_tokens > 0 && id == bench->opened.info.image_token; /* that one stands for pixels */
        bench->ids.items[bench->ids.count] = id;
    }
    slm_status status = slm_pool_create(bench->opened.model, &pool, &bench->pool, &error);
    const slm_session_options session = {.struct_size = sizeof session, .flags = SLM_SESSION_IGNORE_EOS, .context = (uint32_t)context};
    for (size_t i = 0; i < batch + bench->empties && status == SLM_OK; i++) {
        status = slm_session_create(bench->opened.model, bench->pool, &session, &bench->sessions[i], &error);
    }
    return status == SLM_OK ? -1 : cli_fail_library("bench", status, &error);
}

/* The machine now. */
static slm_status measure_machine(struct bench *bench, slm_error *error)
{
    slm_machine *machine = &bench->result.machine;
    *machine = (slm_machine){.struct_size = sizeof *machine};
    const slm_status status = slm_engine_measure(bench->opened.engine, machine, error);
    const int32_t type = bench->opened.info.body_type;
    bench->result.peak = type == SLM_TYPE_I4   ? machine->int4_peak_ops_per_second
                         : type == SLM_TYPE_I8 ? machine->int8_peak_ops_per_second
                                               : 0;
    return status;
}

/* Bytes of one key or value vector in the cache; i8 has a scale of four bytes for each. */
static double kv_vector_bytes(int32_t kv_type, uint32_t head_dim)
{
    return kv_type == SLM_KV_F32 ? 4.0 * head_dim : kv_type == SLM_KV_I8 ? head_dim + 4.0 : 2.0 * head_dim;
}

/* What ran, and where. A step reads all weights once and the KV entries of every sequence, on average C + n / 2 of them. */
static int fill_result(struct bench *bench)
{
    slm_error error = cli_error_empty();
    struct bench_result *result = &bench->result;
    const slm_model_info *info = &bench->opened.info;
    const double kv_token = 2.0 * info->layers * info->kv_heads * kv_vector_bytes(bench->opened.kv_type, info->head_dim);
    const double context = (double)(bench->options->context > 0 ? bench->options->context : 1) + (double)bench->options->tokens / 2;
    result->info = *info;
    result->batch = bench->options->batch;
    result->context = bench->options->context;
    result->prompt = bench->options->prompt;
    result->tokens = bench->options->tokens;
    result->kv_name = bench->opened.kv_type == SLM_KV_F32 ? "f32" : bench->opened.kv_type == SLM_KV_I8 ? "i8" : "f16";
    result->bytes_per_step = (double)info->bytes_per_token + (double)bench->options->batch * kv_token * context;
    result->last_cache_bytes = cli_last_cache_bytes();
    result->engine = (slm_engine_info){.struct_size = sizeof result->engine};
    slm_status status = slm_engine_get_info(bench->opened.engine, &result->engine, &error);
    if (status == SLM_OK) {
        status = measure_machine(bench, &error); /* stays, where nothing else is measured */
    }
    return status == SLM_OK ? -1 : cli_fail_library("bench", status, &error);
}

/* Prefill on the first session: once to warm up, then measured. */
static int measure_prefill(struct bench *bench)
{
    const uint64_t count = (uint64_t)bench->options->prompt;
    slm_session *session = bench->sessions[0];
    slm_error error = cli_error_empty();
    double rates[REPEATS], shares[REPEATS];
    size_t done = 0;
    double seconds = 0;
    for (int64_t i = -1; count > 0 && i < bench->options->repeat && (done == 0 || seconds < TIME_LIMIT_SECONDS); i++) {
        slm_status status = measure_machine(bench, &error);
        const double start = cli_seconds();
        if (status == SLM_OK) {
            status = slm_session_append(session, bench->ids.items, count, NULL, &error);
        }
        seconds = cli_seconds() - start;
        if (status == SLM_OK) {
            status = slm_session_rewind(session, 0, &error);
        }
        if (status != SLM_OK) {
            return cli_fail_library("bench", status, &error);
        }
        if (i >= 0 || seconds > TIME_LIMIT_SECONDS) {
            rates[done] = (double)count / seconds;
            shares[done] = bench->result.peak > 0 ? rates[done] * (double)bench->opened.info.body_ops_per_token / bench->result.peak : 0;
            done++;
        }
    }
    bench->result.prefill_rate = done > 0 ? median(rates, done) : 0;
    bench->result.prefill_share = done > 0 ? median(shares, done) : 0;
    return -1;
}

/* Bring every session to the same context, each by tokens of its own, so that no KV page is shared. */
static slm_status fill_sessions(struct bench *bench, uint64_t context, slm_error *error)
{
    slm_status status = SLM_OK;
    for (size_t i = 0; i < (size_t)bench->options->batch && status == SLM_OK; i++) {
        bench->ids.items[0] = bench->ids.items[i % bench->ids.count];
        status = slm_session_append(bench->sessions[i], bench->ids.items, context, NULL, error);
    }
    return status;
}

/* One token more for each of the `batch` sessions from `first` on; adds to *seconds. */
static slm_status step_all(struct bench *bench, size_t first, double *seconds, slm_error *error)
{
    const uint32_t batch = (uint32_t)bench->options->batch;
    const double start = cli_seconds();
    for (uint32_t i = 0; i < batch; i++) {
        bench->tokens[i] = (slm_token){.struct_size = sizeof bench->tokens[i]};
    }
    const slm_status status = slm_pool_step(bench->pool, &bench->sessions[first], batch, bench->tokens, bench->statuses, error);
    *seconds += cli_seconds() - start;
    return status;
}

static slm_status step_both(struct bench *bench, double *seconds, double *empty_seconds, slm_error *error)
{
    const slm_status status = step_all(bench, 0, seconds, error);
    return status == SLM_OK && bench->empties > 0 ? step_all(bench, (size_t)bench->options->batch, empty_seconds, error) : status;
}

/* Back to the context, and n + 1 steps, in turns with those of the sessions without one. The first comes from logits that are there already
 * and is not timed, so that the other n cost n forward passes. */
static slm_status decode_round(struct bench *bench, uint64_t context, double *seconds, double *empty_seconds, slm_error *error)
{
    const size_t batch = (size_t)bench->options->batch;
    slm_status status = SLM_OK;
    for (size_t i = 0; i < batch + bench->empties && status == SLM_OK; i++) {
        const uint64_t last = i < batch ? context - 1 : 0;
        status = slm_session_rewind(bench->sessions[i], last, error);
        if (status == SLM_OK) {
            status = slm_session_append(bench->sessions[i], &bench->ids.items[last], 1, NULL, error);
        }
    }
    double untimed = 0;
    status = status == SLM_OK ? step_both(bench, &untimed, &untimed, error) : status;
    *seconds = *empty_seconds = 0;
    for (int64_t step = 0; step < bench->options->tokens && status == SLM_OK; step++) {
        status = step_both(bench, seconds, empty_seconds, error);
    }
    return status;
}

static int measure_decode(struct bench *bench)
{
    const uint64_t context = bench->options->context > 0 ? (uint64_t)bench->options->context : 1;
    const int64_t rounds = bench->options->tokens > 0 ? bench->options->repeat : -1;
    slm_error error = cli_error_empty();
    /* not stated where the last cache serves part of the bytes */
    const bool stated = (double)bench->opened.info.bytes_per_token >= 4.0 * (double)bench->result.last_cache_bytes;
    double rates[REPEATS], shares[REPEATS], ratios[REPEATS];
    size_t done = 0;
    double seconds = 0, empty_seconds = 0;
    slm_status status = rounds > 0 ? fill_sessions(bench, context, &error) : SLM_OK;
    for (int64_t i = -1; status == SLM_OK && i < rounds && (done == 0 || seconds < TIME_LIMIT_SECONDS); i++) {
        status = measure_machine(bench, &error);
        if (status == SLM_OK) {
            status = decode_round(bench, context, &seconds, &empty_seconds, &error);
        }
        if (status == SLM_OK && (i >= 0 || seconds > TIME_LIMIT_SECONDS)) {
            const double steps = (double)bench->options->tokens / seconds;
            rates[done] = steps * (double)bench->options->batch;
            shares[done] = stated ? steps * bench->result.bytes_per_step / bench->result.machine.read_bandwidth_bytes_per_second : 0;
            ratios[done] = empty_seconds / seconds;
            done++;
        }
    }
    bench->result.decode_rate = done > 0 ? median(rates, done) : 0;
    bench->result.decode_share = done > 0 ? median(shares, done) : 0;
    bench->result.decode_over_empty = done > 0 ? median(ratios, done) : 0;
    return status == SLM_OK ? -1 : cli_fail_library("bench", status, &error);
}

/* --plan: slm_pool_plan() for the batch, with room for C tokens in each sequence. */
static int print_plan(struct bench *bench)
{
    const struct bench_options *options = bench->options;
    const uint32_t most = bench->opened.info.max_context;
    const slm_pool_options pool = {.struct_size = sizeof pool,
                                   .sessions = (uint32_t)options->batch,
                                   .context = options->context > 0 ? (uint32_t)options->context
                                              : most < 4096        ? most
                                                                   : 4096,
                                   .kv_type = bench->opened.kv_type};
    slm_error error = cli_error_empty();
    slm_pool_memory memory = {.struct_size = sizeof memory};
    const slm_status status = slm_pool_plan(bench->opened.model, &pool, &memory, &error);
    if (status != SLM_OK) {
        return cli_fail_library("bench", status, &error);
    }
    struct cli_output output = cli_output_stdout();
    (void)cli_put_format(
        &output,
        options->json ? "{\"shape\":\"%s\",\"type\":\"%s\",\"batch\":%u,\"context\":%u,\"file_bytes\":%llu,\"pool_bytes\":%llu,"
                        "\"kv_bytes\":%llu,\"workspace_bytes\":%llu,\"session_bytes\":%llu}\n"
                      : "%s %s: %u x %u tokens: file %llu bytes, pool %llu bytes (KV cache %llu, workspace %llu, sessions %llu)\n",
        bench->result.shape, cli_type_name(bench->opened.info.body_type), pool.sessions, pool.context,
        (unsigned long long)bench->opened.info.file_bytes, (unsigned long long)memory.total_bytes, (unsigned long long)memory.kv_bytes,
        (unsigned long long)memory.workspace_bytes, (unsigned long long)memory.session_bytes);
    return cli_output_finish(&output, "bench");
}

static int measure_all(struct bench *bench)
{
    int code = open_model(bench);
    if (code < 0 && bench->options->plan) {
        return print_plan(bench);
    }
    code = code < 0 ? prepare(bench) : code;
    code = code < 0 ? fill_result(bench) : code;
    code = code < 0 ? measure_prefill(bench) : code;
    code = code < 0 ? measure_decode(bench) : code;
    if (code < 0) {
        struct cli_output output = cli_output_stdout();
        struct cli_text text = {0};
        if (bench->options->json) {
            bench_report_json(&bench->result, &text);
        } else {
            bench_report_text(&bench->result, &text);
        }
        (void)cli_put_text(&output, &text);
        cli_text_free(&text);
        code = cli_output_finish(&output, "bench");
    }
    return code;
}

static int check_options(const struct bench_options *options)
{
    if (options->shape != NULL && options->model.path != NULL) {
        return cli_fail_usage("bench", "give -m or --shape, not both");
    }
    if (options->shape == NULL && (options->type != NULL || options->head_type != NULL)) {
        return cli_fail_usage("bench", "--type and --head-type belong to --shape; a .slm file has its types");
    }
    if (cli_type_from_name(options->type) < 0 || cli_type_from_name(options->head_type) < 0) {
        return cli_fail_usage("bench", "options '--type' and '--head-type' take f32, f16, bf16, i8 or i4");
    }
    if (options->shape != NULL && bench_shape_find(options->shape) == NULL) {
        struct cli_text names = {0};
        bench_shape_list(&names);
        const char *hint = bench_shape_closest(options->shape);
        const int code =
            cli_fail_usage("bench", "there is no shape '%s'%s%s%s; there are: %s", options->shape, hint != NULL ? "; did you mean '" : "",
                           hint != NULL ? hint : "", hint != NULL ? "'?" : "", names.failed ? "" : names.bytes);
        cli_text_free(&names);
        return code;
    }
    return -1;
}

static int run_bench(int argc, char **argv)
{
    struct bench_options options = {.prompt = 512, .tokens = 64, .batch = 1, .repeat = 5};
    struct cli_strings words = {0};
    int code = cli_options_parse(&cli_command_bench, argc, argv, &options, &words);
    if (code < 0 && words.count > 0) {
        code = cli_fail_usage("bench", "no argument is expected, but there is '%s'", words.items[0]);
    }
    code = code < 0 ? check_options(&options) : code;
    if (code < 0) {
        struct bench bench = {.options = &options};
        code = measure_all(&bench);
        for (size_t i = 0; bench.sessions != NULL && i < (size_t)options.batch + bench.empties; i++) {
            (void)slm_session_destroy(bench.sessions[i]);
        }
        (void)slm_pool_destroy(bench.pool);
        cli_model_close(&bench.opened);
        cli_ids_free(&bench.ids);
        free(bench.sessions);
        free(bench.tokens);
        free(bench.statuses);
    }
    cli_strings_free(&words);
    return code;
}

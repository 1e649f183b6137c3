/* SPDX-License-Identifier: MIT */
/* The result of slm bench (see bench_report.h). What was not measured is null, or a dash. */
#include "examples/cli/bench_report.h" /* struct bench_result */

#include "examples/cli/cli_json.h"  /* cli_json_add_string, cli_json_add_number */
#include "examples/cli/cli_model.h" /* cli_type_name */

#include <string.h>

static void add_number(struct cli_text *text, const char *key, double value)
{
    cli_text_format(text, ",\"%s\":", key);
    if (value > 0) {
        cli_json_add_number(text, value);
    } else {
        cli_text_add_string(text, "null");
    }
}

static void add_integer(struct cli_text *text, const char *key, uint64_t value)
{
    cli_text_format(text, ",\"%s\":%llu", key, (unsigned long long)value);
}

static void add_string(struct cli_text *text, const char *key, const char *value)
{
    cli_text_format(text, ",\"%s\":", key);
    cli_json_add_string(text, value, strlen(value));
}

void bench_report_json(const struct bench_result *result, struct cli_text *text)
{
    cli_text_add_string(text, "{\"shape\":");
    cli_json_add_string(text, result->shape, strlen(result->shape));
    add_string(text, "type", cli_type_name(result->info.body_type));
    add_string(text, "head_type", cli_type_name(result->info.head_type));
    add_string(text, "kv", result->kv_name);
    add_string(text, "isa", result->engine.isa_name);
    add_integer(text, "threads", result->engine.threads);
    add_integer(text, "batch", (uint64_t)result->batch);
    add_integer(text, "context", (uint64_t)result->context);
    add_integer(text, "prompt", (uint64_t)result->prompt);
    add_integer(text, "tokens", (uint64_t)result->tokens);
    add_integer(text, "file_bytes", result->info.file_bytes);
    add_number(text, "prefill_tokens_per_second", result->prefill_rate);
    add_number(text, "decode_tokens_per_second", result->decode_rate);
    add_number(text, "decode_over_empty", result->decode_over_empty);
    add_integer(text, "bytes_per_step", (uint64_t)result->bytes_per_step);
    add_integer(text, "ops_per_prefill_token", result->info.body_ops_per_token);
    add_number(text, "read_bandwidth_bytes_per_second", result->machine.read_bandwidth_bytes_per_second);
    add_number(text, "int8_peak_ops_per_second", result->peak > 0 ? result->peak : result->machine.int8_peak_ops_per_second);
    add_number(text, "prefill_share_of_peak", result->prefill_share);
    add_number(text, "decode_share_of_bandwidth", result->decode_share);
    add_string(text, "cpu", result->engine.cpu_name);
    add_string(text, "thread_backend", result->engine.threads_name);
    add_integer(text, "last_cache_bytes", result->last_cache_bytes);
    cli_text_add_string(text, "}\n");
}

static void add_share(struct cli_text *text, double share, const char *of_what)
{
    if (share > 0) {
        cli_text_format(text, ", %.0f %% of the %s", share * 100, of_what);
    }
}

void bench_report_text(const struct bench_result *result, struct cli_text *text)
{
    cli_text_format(text, "machine   %s, %s, %u threads (%s)\n", result->engine.cpu_name[0] != '\0' ? result->engine.cpu_name : "processor",
                    result->engine.isa_name, result->engine.threads, result->engine.threads_name);
    cli_text_format(text, "          reads %.1f GB/s", result->machine.read_bandwidth_bytes_per_second / 1e9);
    if (result->peak > 0) {
        cli_text_format(text, ", integer peak for %s %.0f GOP/s", cli_type_name(result->info.body_type), result->peak / 1e9);
    }
    cli_text_format(text, "\nmodel     %s, %s (head %s), %.1f M parameters, %.1f MB, KV %s\n", result->shape,
                    cli_type_name(result->info.body_type), cli_type_name(result->info.head_type), (double)result->info.parameters / 1e6,
                    (double)result->info.file_bytes / 1e6, result->kv_name);
    if (result->prefill_rate > 0) {
        cli_text_format(text, "prefill   %.1f tokens/s (%lld tokens)", result->prefill_rate, (long long)result->prompt);
        add_share(text, result->prefill_share, "integer peak");
        cli_text_add_string(text, "\n");
    }
    if (result->decode_rate > 0) {
        cli_text_format(text, "decode    %.1f tokens/s (%lld sequence%s, %lld tokens each, context %lld), %.1f MB a step",
                        result->decode_rate, (long long)result->batch, result->batch == 1 ? "" : "s", (long long)result->tokens,
                        (long long)result->context, result->bytes_per_step / 1e6);
        add_share(text, result->decode_share, "read bandwidth");
        add_share(text, result->decode_over_empty, "speed without context");
        cli_text_add_string(text, "\n");
    }
}

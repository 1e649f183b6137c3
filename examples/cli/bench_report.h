/* SPDX-License-Identifier: MIT */
/* What slm bench found, as a table and as JSON. */
#ifndef SLM_BENCH_REPORT_H
#define SLM_BENCH_REPORT_H

#include "examples/cli/cli_text.h" /* struct cli_text */

#include <slm.h>

struct bench_result {
    const char *shape;
    const char *kv_name;
    slm_engine_info engine;
    slm_machine machine; /* as measured last */
    slm_model_info info;
    int64_t batch;
    int64_t context;
    int64_t prompt;
    int64_t tokens;
    double prefill_rate; /* tokens/s; 0: not measured */
    double decode_rate;  /* tokens/s of all sequences; 0: not measured */
    double decode_over_empty; /* decoding at the context against context 0, in speed; 0: there is no context */
    double bytes_per_step;
    double peak;          /* operations/s of the type's instruction mix; 0: the type has no integer mix */
    double prefill_share; /* operations in prefill against the peak; 0: not stated */
    double decode_share;  /* bytes read in decoding against the bandwidth; 0: not stated */
    uint64_t last_cache_bytes;
};

void bench_report_json(const struct bench_result *result, struct cli_text *text);
void bench_report_text(const struct bench_result *result, struct cli_text *text);

#endif

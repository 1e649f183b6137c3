/* SPDX-License-Identifier: MIT */
/* Sizes of released models, so that speed can be measured with random weights and no download. */
#ifndef SLM_BENCH_SHAPES_H
#define SLM_BENCH_SHAPES_H

#include "examples/cli/cli_text.h" /* struct cli_text */

struct bench_shape {
    const char *name;
    const char *model_type; /* as in config.json */
    const char *class_name;
    uint32_t layers;
    uint32_t hidden;
    uint32_t heads;
    uint32_t kv_heads;
    uint32_t head_dim;
    uint32_t intermediate;
    uint32_t vocab;
    int tied;
    double rope_theta;
    double eps;
    uint32_t max_context;
    const char *more; /* further members of config.json, each with a comma in front */
};

/* The shape of that name, or NULL. */
const struct bench_shape *bench_shape_find(const char *name);
/* The name most like `name`, or NULL. */
const char *bench_shape_closest(const char *name);
/* All names, separated by blanks. */
void bench_shape_list(struct cli_text *text);
/* The config.json of a checkpoint of this shape, with room for `context` tokens. */
void bench_shape_config(const struct bench_shape *shape, uint32_t context, struct cli_text *config);

#endif

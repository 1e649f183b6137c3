/* SPDX-License-Identifier: MIT */
/* What the bench programs share: time, medians, neighbours, giving up on an error, the shapes of `slm bench`, token ids. */
#ifndef SLM_BENCH_MEASURING_H
#define SLM_BENCH_MEASURING_H

#include "examples/cli/cli_text.h" /* struct cli_text */

#include <slm.h>

double seconds_now(void);
void pause_seconds(double seconds);
/* Sorts `values`. */
double median_of(double *values, size_t count);
/* Prints how much of the processors' time since the program's start went to other processes (and, of a virtual machine, to other machines):
 * with more than a few percent the numbers above say little. Nothing where /proc/stat is not known. */
void print_neighbours(void);
/* Ends the program with the error's sentence unless status is SLM_OK. `error` may be NULL. */
void expect_ok(slm_status status, const slm_error *error);
/* calloc() that ends the program when there is no memory. */
void *zeroed(size_t bytes);
/* config.json of a shape by its name in `slm bench --shape`; ends the program when there is none. To be freed by cli_text_free(). */
struct cli_text config_of_shape(const char *name);
/* A model of that shape with random weights. */
slm_model *random_model(slm_engine *engine, const char *shape, int32_t type);
/* `count` ids from 3 to below `vocab`, always the same. */
void random_ids(int32_t *ids, uint64_t count, uint32_t vocab);

#endif

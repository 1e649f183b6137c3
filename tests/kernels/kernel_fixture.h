/* SPDX-License-Identifier: MIT */
/* What the kernel checks share: buffers that end at a guard page, reproducible random numbers, weights of every type, bit comparison,
 * the list of tiers to check, timing. */
#ifndef SLM_TESTS_KERNEL_FIXTURE_H
#define SLM_TESTS_KERNEL_FIXTURE_H

#include "kernels/kernels.h" /* struct slm_matrix, struct slm_kernels */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

/* `bytes` zeroed bytes, aligned to `alignment` (a power of two up to 4096), as close before an unreadable page as the alignment lets. */
void *guarded(size_t bytes, size_t alignment);
/* Gives back everything that guarded() made. */
void guarded_release_all(void);

/* Reproducible random numbers. */
struct dice {
    uint64_t state;
};
uint32_t dice_bits(struct dice *dice);
/* Uniform in [-1, 1]. */
float dice_float(struct dice *dice);
void dice_fill(struct dice *dice, float *x, size_t n, float amplitude);

enum weights_kind {
    WEIGHTS_ORDINARY, /* random codes, scales of ordinary size */
    WEIGHTS_EXTREME,  /* every code at an end of its range, scales zero, subnormal, negative, largest */
    WEIGHTS_ANY       /* random bytes: NaN and infinity where they can be */
};
/* Panels of a matrix, in a guarded buffer. Padding is zero unless WEIGHTS_ANY. */
struct slm_matrix random_matrix(struct dice *dice, enum slm_weight_type type, uint32_t rows, uint32_t cols, enum weights_kind kind);
const char *weight_type_name(enum slm_weight_type type);

/* Bit equality, any NaN equal to any other. Returns the first index that differs, n if none. */
size_t first_difference(const float *a, const float *b, size_t n);
/* Sum of squared differences over sum of squares of `want`. */
double normalized_error(const float *got, const double *want, size_t n);

/* The usable tiers above scalar, 0-terminated. */
const enum slm_isa *tiers_to_check(void);
/* A filled table that lives until the next call with the same tier. */
const struct slm_kernels *tier_table(enum slm_isa isa);

double seconds_now(void);
bool asked_for_bench(int argc, char **argv);

#endif

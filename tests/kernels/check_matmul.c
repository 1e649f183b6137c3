/* SPDX-License-Identifier: MIT */
/* matmul of every weight type: each tier against scalar, bit by bit; scalar against a plain f64 product, and against OpenBLAS where it is
 * installed. With --bench: speed in cache and from memory. */
#include "tests/kernels/kernel_fixture.h"
#include "kernels/half_bits.h" /* slm__f32_bits */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef SLM_HAVE_OPENBLAS
#  include <cblas.h>
#endif

static const uint32_t all_cols[] = {1, 31, 32, 33, 64, 80, 172, 256, 576};
static const enum weights_kind all_kinds[] = {WEIGHTS_ORDINARY, WEIGHTS_EXTREME, WEIGHTS_ANY};
enum { COLS = sizeof all_cols / sizeof all_cols[0], ROWS = 40, Y_STRIDE = 56 }; /* 3 panels, 8 floats behind each column of y */

/* x: ordinary values, or all at the ends so that every q is +-127, or with an infinity, a NaN, subnormals and zero groups in it. */
static void fill_inputs(struct dice *dice, float *x, size_t n, enum weights_kind kind)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t bits = dice_bits(dice);
        x[i] = kind == WEIGHTS_EXTREME ? (bits & 0x10000 ? 3.0f : -3.0f) : dice_float(dice) * (float)(1 + bits % 7);
        if (kind == WEIGHTS_ANY && bits % 61 == 0) {
            x[i] = slm__f32_of_bits(bits >> 8 & 1 ? 0x7f800000u : bits >> 9 & 1 ? 0x7fc01234u : 0x00000123u);
        }
    }
}

/* Runs the tier's own pack and matmul on panels [begin, end) and compares y, including what must stay untouched. */
static void check_one(const struct slm_kernels *tier, const struct slm_matrix *w, const float *x, uint32_t columns, uint32_t begin,
                      uint32_t end)
{
    const struct slm_kernels *scalar = tier_table(SLM_TIER_SCALAR);
    const size_t packed_bytes = slm__packed_column_bytes(w->type, w->cols) * columns;
    void *packed = guarded(packed_bytes, 16), *packed_scalar = guarded(packed_bytes, 16);
    const size_t y_length = (size_t)(columns - 1) * Y_STRIDE + (size_t)16 * end; /* the last column ends at the guard page */
    float *y = guarded(y_length * sizeof *y, 4), *y_scalar = guarded(y_length * sizeof *y, 4);
    for (size_t i = 0; i < y_length; i++) {
        y[i] = y_scalar[i] = -7.25f;
    }
    scalar->pack[w->type](x, w->cols, columns, w->cols, packed_scalar);
    tier->pack[w->type](x, w->cols, columns, w->cols, packed);
    scalar->matmul[w->type](w, begin, end, packed_scalar, columns, y_scalar, Y_STRIDE);
    tier->matmul[w->type](w, begin, end, packed, columns, y, Y_STRIDE);
    const size_t at = first_difference(y, y_scalar, y_length);
    if (at < y_length) {
        fail_msg("%s %s: cols %u, columns %u, y[%zu] = %a, scalar %a", slm__isa_name((int32_t)tier->isa), weight_type_name(w->type),
                 w->cols, columns, at, (double)y[at], (double)y_scalar[at]);
    }
    if (columns == 1 && tier->gemv[w->type] != NULL) {
        float *alone = guarded(y_length * sizeof *y, 4);
        memcpy(alone, y, y_length * sizeof *y);
        for (size_t i = (size_t)16 * begin; i < (size_t)16 * end; i++) {
            alone[i] = -7.25f;
        }
        const void *anywhere[] = {NULL, w->data, (const void *)(uintptr_t)64, y + y_length}; /* the last is a guard page */
        for (size_t i = 0; i < sizeof anywhere / sizeof anywhere[0]; i++) {
            tier->gemv[w->type](w, begin, end, packed, alone, anywhere[i]);
            assert_int_equal(first_difference(alone, y, y_length), y_length);
        }
    }
    for (size_t i = 0; i < y_length; i++) {
        const size_t row = i % Y_STRIDE;
        assert_true((row >= (size_t)16 * begin && row < (size_t)16 * end) || y[i] == -7.25f);
    }
}

static void tiers_equal_scalar(void **state)
{
    (void)state;
    struct dice dice = {1};
    for (const enum slm_isa *isa = tiers_to_check(); *isa; isa++) {
        const struct slm_kernels *tier = tier_table(*isa);
        print_message("checking %s\n", slm__isa_name((int32_t)*isa));
        for (uint32_t type = SLM_WEIGHT_F32; type < SLM_WEIGHT_TYPES; type++) {
            for (uint32_t i = 0; i < COLS * 3; i++) {
                const enum weights_kind kind = all_kinds[i / COLS];
                const uint32_t cols = all_cols[i % COLS];
                for (uint32_t columns = 1; columns <= SLM_COLUMNS; columns++) {
                    const struct slm_matrix w = random_matrix(&dice, (enum slm_weight_type)type, ROWS, cols, kind);
                    float *x = guarded((size_t)columns * cols * sizeof *x, 4);
                    fill_inputs(&dice, x, (size_t)columns * cols, kind);
                    check_one(tier, &w, x, columns, 0, 3);
                    check_one(tier, &w, x, columns, 1, 2);
                    guarded_release_all();
                }
            }
        }
    }
}

/* gemm of panels [begin, end) over `columns`, against matmul of the same tier block by block. */
static void check_gemm(const struct slm_kernels *tier, const struct slm_matrix *w, const void *packed, uint32_t columns, uint32_t begin,
                       uint32_t end)
{
    const size_t block = slm__packed_column_bytes(w->type, w->cols) * SLM_COLUMNS;
    const size_t y_length = (size_t)(columns - 1) * Y_STRIDE + (size_t)16 * end;
    float *y = guarded(y_length * sizeof *y, 4), *want = guarded(y_length * sizeof *y, 4);
    for (size_t i = 0; i < y_length; i++) {
        y[i] = want[i] = -7.25f;
    }
    for (uint32_t c = 0; c < columns; c += SLM_COLUMNS) {
        tier->matmul[w->type](w, begin, end, (const uint8_t *)packed + c / SLM_COLUMNS * block, SLM_COLUMNS, want + (size_t)c * Y_STRIDE,
                              Y_STRIDE);
    }
    tier->gemm[w->type](w, begin, end, packed, columns, y, Y_STRIDE);
    const size_t at = first_difference(y, want, y_length);
    if (at < y_length) {
        fail_msg("%s %s: gemm of panels %u to %u, cols %u, columns %u: y[%zu] = %a, matmul %a", slm__isa_name((int32_t)tier->isa),
                 weight_type_name(w->type), begin, end, w->cols, columns, at, (double)y[at], (double)want[at]);
    }
}

static void gemm_is_matmul_block_by_block(void **state)
{
    (void)state;
    static const uint32_t cols[] = {1, 33, 511, 513, 1100}; /* to and beyond the groups that are unpacked at a time */
    struct dice dice = {5};
    for (const enum slm_isa *isa = tiers_to_check(); *isa; isa++) {
        const struct slm_kernels *tier = tier_table(*isa);
        for (uint32_t i = 0; i < 5 * 3 * SLM_WEIGHT_TYPES; i++) {
            const uint32_t type = i % SLM_WEIGHT_TYPES, k = cols[i / SLM_WEIGHT_TYPES % 5], columns = 8 + i / SLM_WEIGHT_TYPES % 4 * 8;
            const enum weights_kind kind = all_kinds[i / SLM_WEIGHT_TYPES / 5];
            if (tier->gemm[type] == NULL) {
                continue;
            }
            const struct slm_matrix w = random_matrix(&dice, (enum slm_weight_type)type, ROWS, k, kind);
            float *x = guarded((size_t)columns * k * sizeof *x, 4);
            const size_t block = slm__packed_column_bytes(w.type, k) * SLM_COLUMNS;
            uint8_t *packed = guarded(block * (columns / SLM_COLUMNS), 16);
            fill_inputs(&dice, x, (size_t)columns * k, kind);
            for (uint32_t c = 0; c < columns; c += SLM_COLUMNS) {
                tier->pack[type](x + (size_t)c * k, k, SLM_COLUMNS, k, packed + c / SLM_COLUMNS * block);
            }
            check_gemm(tier, &w, packed, columns, 0, 3);
            check_gemm(tier, &w, packed, columns, 1, 3);
            check_gemm(tier, &w, packed, columns, 2, 3);
            guarded_release_all();
        }
    }
}

/* The value of w[row][k] by the layout in blocks.h, written apart from the kernels. */
static double weight_value(const struct slm_matrix *w, uint32_t row, uint32_t k)
{
    const uint8_t *panel = w->data + row / 16 * w->panel_bytes;
    const uint32_t r = row % 16, groups = slm__padded_cols(w->cols) / 32, g = k / 32, i = k % 32;
    float value;
    uint16_t half;
    if (w->type == SLM_WEIGHT_F32) {
        memcpy(&value, panel + (size_t)64 * k + (size_t)4 * r, 4);
        return (double)value;
    }
    if (w->type == SLM_WEIGHT_F16 || w->type == SLM_WEIGHT_BF16) {
        memcpy(&half, panel + (size_t)32 * k + (size_t)2 * r, 2);
        return (double)(w->type == SLM_WEIGHT_F16 ? slm__f16_to_f32(half) : slm__bf16_to_f32(half));
    }
    if (w->type == SLM_WEIGHT_I8) {
        memcpy(&half, panel + (size_t)512 * groups + (size_t)32 * g + (size_t)2 * r, 2);
        return (double)slm__f16_to_f32(half) * (int8_t)panel[(size_t)512 * g + i / 4 * 64 + (size_t)4 * r + i % 4];
    }
    const uint32_t byte = panel[(size_t)256 * g + i % 16 / 4 * 64 + (size_t)4 * r + i % 4], q = i < 16 ? byte & 15 : byte >> 4;
    const uint8_t *scales = panel + slm__i4_scales_offset(groups), *zeros = panel + slm__i4_zeros_offset(groups);
    memcpy(&value, panel + slm__i4_rows_offset(groups) + (size_t)4 * r, 4);
    return (double)value * (double)slm__f32_of_bits(((uint32_t)scales[16 * g + r] << 19) + (111u << 23)) * (16.0 * q - zeros[16 * g + r]);
}

/* y = x w^T in f64. */
static void product_f64(const struct slm_matrix *w, const float *x, uint32_t columns, double *y)
{
    for (uint32_t row = 0; row < w->rows; row++) {
        for (uint32_t c = 0; c < columns; c++) {
            double sum = 0;
            for (uint32_t k = 0; k < w->cols; k++) {
                sum += weight_value(w, row, k) * (double)x[(size_t)c * w->cols + k];
            }
            y[(size_t)c * w->rows + row] = sum;
        }
    }
}

static void product_openblas(const struct slm_matrix *w, const float *x, uint32_t columns, double *y)
{
#ifdef SLM_HAVE_OPENBLAS
    float *dense = malloc((size_t)w->rows * w->cols * sizeof *dense), *result = malloc((size_t)w->rows * columns * sizeof *result);
    for (uint32_t i = 0; i < w->rows * w->cols; i++) {
        dense[i] = (float)weight_value(w, i / w->cols, i % w->cols);
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)columns, (int)w->rows, (int)w->cols, 1.0f, x, (int)w->cols, dense,
                (int)w->cols, 0.0f, result, (int)w->rows);
    for (uint32_t i = 0; i < w->rows * columns; i++) {
        y[i] = (double)result[i];
    }
    free(dense);
    free(result);
#else
    product_f64(w, x, columns, y);
#endif
}

/* Error of the scalar kernel against `product`: rounding only for float weights, 8-bit activations for the others. */
static void check_against(void (*product)(const struct slm_matrix *, const float *, uint32_t, double *), const char *name)
{
    enum { N = 64, K = 576, C = 8 };
    struct dice dice = {2};
    static float x[C * K], y[C * N];
    static double want[C * N];
    const struct slm_kernels *scalar = tier_table(SLM_TIER_SCALAR);
    for (uint32_t type = SLM_WEIGHT_F32; type < SLM_WEIGHT_TYPES; type++) {
        const struct slm_matrix w = random_matrix(&dice, (enum slm_weight_type)type, N, K, WEIGHTS_ORDINARY);
        void *packed = guarded(slm__packed_column_bytes(w.type, K) * C, 16);
        dice_fill(&dice, x, C * K, 2.0f);
        scalar->pack[type](x, K, C, K, packed);
        scalar->matmul[type](&w, 0, N / 16, packed, C, y, N);
        product(&w, x, C, want);
        const double error = normalized_error(y, want, C * N), limit = type >= SLM_WEIGHT_I8 ? 5e-4 : 1e-10;
        print_message("%-5s against %s: NMSE %.2e\n", weight_type_name(w.type), name, error);
        assert_true(error <= limit);
    }
    guarded_release_all();
}

static void scalar_near_f64_product(void **state)
{
    (void)state;
    check_against(product_f64, "f64");
}

static void scalar_near_openblas(void **state)
{
    (void)state;
#ifndef SLM_HAVE_OPENBLAS
    print_message("OpenBLAS is not installed: skipped\n");
    skip();
#endif
    check_against(product_openblas, "sgemm");
}

static void gather_is_the_row(void **state)
{
    (void)state;
    struct dice dice = {3};
    const struct slm_kernels *scalar = tier_table(SLM_TIER_SCALAR);
    for (uint32_t type = SLM_WEIGHT_F32; type < SLM_WEIGHT_TYPES; type++) {
        for (uint32_t i = 0; i < COLS; i++) {
            const struct slm_matrix w = random_matrix(&dice, (enum slm_weight_type)type, ROWS, all_cols[i], WEIGHTS_ORDINARY);
            float *out = guarded(w.cols * sizeof *out, 4), *other = guarded(w.cols * sizeof *out, 4);
            for (uint32_t row = 0; row < ROWS; row += 13) {
                scalar->gather[type](&w, row, out);
                for (uint32_t k = 0; k < w.cols; k++) {
                    assert_true(fabs((double)out[k] - weight_value(&w, row, k)) <= 0x1p-22 * fabs(weight_value(&w, row, k)));
                }
                for (const enum slm_isa *isa = tiers_to_check(); *isa; isa++) {
                    tier_table(*isa)->gather[type](&w, row, other);
                    assert_true(first_difference(out, other, w.cols) == w.cols);
                }
            }
            guarded_release_all();
        }
    }
}

static double peak_ops(const struct slm_kernels *tier, enum slm_weight_type type)
{
    double best = 0;
    uint32_t sink;
    for (int repeat = 0; repeat < 20; repeat++) {
        const double begin = seconds_now();
        const uint64_t ops = tier->peak(type == SLM_WEIGHT_I4, 1000000, &sink);
        best = fmax(best, (double)ops / (seconds_now() - begin));
    }
    return best;
}

/* Best time of a few runs over all panels. */
static double best_seconds(const struct slm_kernels *tier, const struct slm_matrix *w, const void *packed, uint32_t columns, float *y,
                           int runs)
{
    double best = 1e9;
    for (int run = 0; run < runs; run++) {
        const double begin = seconds_now();
        if (columns == 1 && tier->gemv[w->type] != NULL) {
            tier->gemv[w->type](w, 0, w->rows / 16, packed, y, w->data);
        } else {
            tier->matmul[w->type](w, 0, w->rows / 16, packed, columns, y, w->rows);
        }
        best = fmin(best, seconds_now() - begin);
    }
    return best;
}

/* The loop order of a long prompt: slabs of 8 panels, over each of which all column blocks of 512 token rows pass. */
static void bench_slabs(const struct slm_kernels *tier, enum slm_weight_type type, uint32_t cols, double peak)
{
    enum { PANELS = 32, SLAB = 8, TOKENS = 512 };
    struct dice dice = {19};
    const struct slm_matrix w = random_matrix(&dice, type, PANELS * 16, cols, WEIGHTS_ORDINARY);
    const size_t block = slm__packed_column_bytes(type, cols) * SLM_COLUMNS;
    float *x = guarded((size_t)cols * SLM_COLUMNS * sizeof *x, 64), *y = guarded((size_t)w.rows * TOKENS * sizeof *y, 64);
    uint8_t *packed = guarded(block * (TOKENS / SLM_COLUMNS), 64);
    dice_fill(&dice, x, (size_t)cols * SLM_COLUMNS, 1.0f);
    for (uint32_t i = 0; i < TOKENS / SLM_COLUMNS; i++) {
        tier->pack[type](x, cols, SLM_COLUMNS, cols, packed + i * block);
    }
    double best = 1e9;
    for (int run = 0; run < 8; run++) {
        const double begin = seconds_now();
        for (uint32_t p = 0; p < PANELS; p += SLAB) {
            if (tier->gemm[type] != NULL) {
                tier->gemm[type](&w, p, p + SLAB, packed, TOKENS, y, w.rows);
            }
            for (uint32_t i = 0; i < TOKENS / SLM_COLUMNS && tier->gemm[type] == NULL; i++) {
                tier->matmul[type](&w, p, p + SLAB, packed + i * block, SLM_COLUMNS, y + (size_t)i * SLM_COLUMNS * w.rows, w.rows);
            }
        }
        best = fmin(best, seconds_now() - begin);
    }
    const double speed = 2.0 * w.rows * cols * TOKENS / best;
    printf("%s %s slabs, 512 rows, K %u: %.0f GOP/s, %.0f %% of %.0f\n", slm__isa_name((int32_t)tier->isa), weight_type_name(type), cols,
           speed / 1e9, 100 * speed / peak, peak / 1e9);
}

static void bench_type(const struct slm_kernels *tier, enum slm_weight_type type)
{
    enum { N = 1024, K = 2048, BIG = 16384 };
    struct dice dice = {4};
    const struct slm_matrix w = random_matrix(&dice, type, N, K, WEIGHTS_ORDINARY),
                            big = random_matrix(&dice, type, BIG, 8192, WEIGHTS_ORDINARY);
    float *x = guarded((size_t)8192 * SLM_COLUMNS * sizeof *x, 64), *y = guarded((size_t)BIG * SLM_COLUMNS * sizeof *y, 64);
    void *packed = guarded(slm__packed_column_bytes(type, 8192) * SLM_COLUMNS, 64);
    const double peak = type >= SLM_WEIGHT_I8 ? peak_ops(tier, type) : 0;
    dice_fill(&dice, x, (size_t)8192 * SLM_COLUMNS, 1.0f);
    for (uint32_t columns = 1; columns <= SLM_COLUMNS; columns++) {
        tier->pack[type](x, K, columns, K, packed);
        const double speed = 2.0 * N * K * columns / best_seconds(tier, &w, packed, columns, y, 20);
        printf("%s %s 1024 x 2048, columns %u: %.0f GOP/s", slm__isa_name((int32_t)tier->isa), weight_type_name(type), columns,
               speed / 1e9);
        printf(peak > 0 ? ", %.0f %% of %.0f\n" : "\n", 100 * speed / peak, peak / 1e9);
    }
    const size_t bytes = (size_t)big.panel_bytes * (BIG / 16);
    double read = 1e9;
    for (int run = 0; run < 4; run++) {
        const double begin = seconds_now();
        *(volatile uint32_t *)packed = tier->read(big.data, bytes / 256 * 256);
        read = fmin(read, seconds_now() - begin);
    }
    for (uint32_t columns = 1; columns <= SLM_COLUMNS; columns *= 2) {
        tier->pack[type](x, 8192, columns, 8192, packed);
        const double seconds = best_seconds(tier, &big, packed, columns, y, 4);
        printf("%s %s from memory (%zu MB), columns %u: %.1f GB/s, %.0f %% of %.1f\n", slm__isa_name((int32_t)tier->isa),
               weight_type_name(type), bytes >> 20, columns, (double)bytes / seconds / 1e9, 100 * read / seconds,
               (double)bytes / read / 1e9);
    }
    if (peak > 0) {
        bench_slabs(tier, type, 2048, peak);
        bench_slabs(tier, type, 8192, peak);
    }
    guarded_release_all();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiers_equal_scalar),      cmocka_unit_test(gemm_is_matmul_block_by_block),
        cmocka_unit_test(scalar_near_f64_product), cmocka_unit_test(scalar_near_openblas),
        cmocka_unit_test(gather_is_the_row),
    };
    for (const enum slm_isa *isa = tiers_to_check(); asked_for_bench(argc, argv) && *isa; isa++) {
        for (uint32_t type = SLM_WEIGHT_F32; type < SLM_WEIGHT_TYPES; type++) {
            bench_type(tier_table(*isa), (enum slm_weight_type)type);
        }
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

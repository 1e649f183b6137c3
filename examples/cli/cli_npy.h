/* SPDX-License-Identifier: MIT */
/* A NumPy file (format 1.0) with one f32 matrix, written row by row. */
#ifndef SLM_CLI_NPY_H
#define SLM_CLI_NPY_H

#include "examples/cli/cli_whole_file.h" /* struct cli_whole_file */

#include <stdint.h>

struct cli_npy {
    struct cli_whole_file whole;
    uint64_t rows;
    uint32_t columns;
};

/* Each: 0, or -1. */
int cli_npy_create(struct cli_npy *npy, const char *path, uint32_t columns);
int cli_npy_put_row(struct cli_npy *npy, const float *values);
/* Write the number of rows and complete the file; without `keep`, or when that fails, nothing is left behind. */
int cli_npy_finish(struct cli_npy *npy, int keep);

#endif

/* SPDX-License-Identifier: MIT */
/* The little of the safetensors format that `slm logits` needs: read one tensor, write f32 matrices row by row. */
#ifndef SLM_CLI_SAFETENSORS_H
#define SLM_CLI_SAFETENSORS_H

#include "examples/cli/cli_whole_file.h" /* struct cli_whole_file */

#include <stddef.h>
#include <stdint.h>

/* Read the tensor called `name`: dtype "I32", [n], or "F32" of any shape. *values is freed by the caller. -1 to go on, or
 * the exit code after a message. */
int cli_safetensors_read(const char *command, const char *path, const char *name, const char *dtype, void **values, size_t *count);

enum { CLI_SAFETENSORS_MATRICES = 4 };

/* A file of f32 matrices [rows, columns] being written; any part of any matrix at any time. */
struct cli_safetensors_writer {
    struct cli_whole_file whole;
    uint64_t start[CLI_SAFETENSORS_MATRICES]; /* byte position of each matrix */
    uint64_t columns[CLI_SAFETENSORS_MATRICES];
};

int cli_safetensors_create(struct cli_safetensors_writer *writer, const char *path, const char *const *names, const uint64_t *columns,
                           size_t count, uint64_t rows, char *message, size_t capacity);
/* Write `rows` rows of matrix number `matrix` from row `first` on. */
int cli_safetensors_put_rows(struct cli_safetensors_writer *writer, size_t matrix, uint64_t first, uint64_t rows, const float *values,
                             char *message, size_t capacity);
/* Complete the file: 0, or -1 and nothing is left behind. */
int cli_safetensors_finish(struct cli_safetensors_writer *writer, char *message, size_t capacity);
/* Give up and remove what was written. */
void cli_safetensors_abandon(struct cli_safetensors_writer *writer);

#endif

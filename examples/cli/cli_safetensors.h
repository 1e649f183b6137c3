/* SPDX-License-Identifier: MIT */
/* The little of the safetensors format that `slm logits` needs: read one tensor, write f32 matrices row by row. */
#ifndef SLM_CLI_SAFETENSORS_H
#define SLM_CLI_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Read the tensor called `name`: dtype "I32", [n], or "F32" of any shape. *values is freed by the caller. 0, or -1 with a sentence in
 * `message`. */
int cli_safetensors_read(const char *path, const char *name, const char *dtype, void **values, size_t *count, char *message,
                         size_t capacity);

enum { CLI_SAFETENSORS_MATRICES = 4, CLI_SAFETENSORS_PATH = 4096 };

/* Are these two names of one ordinary file? `other` may be NULL. */
int cli_same_file(const char *path, const char *other);

/* A file of f32 matrices [rows, columns] being written; any part of any matrix at any time. It is written beside `path` under a
 * name that no other process uses and renamed at the end, unless `path` is no ordinary file. */
struct cli_safetensors_writer {
    FILE *file;
    char path[CLI_SAFETENSORS_PATH];
    char temporary[CLI_SAFETENSORS_PATH];     /* equal to path: written in place */
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

/* SPDX-License-Identifier: MIT */
/* Reads the safetensors files of reference vectors, independently of the library's own reader. Files are trusted: made by our scripts. */
#ifndef SLM_TESTS_GOLDEN_TENSORS_H
#define SLM_TESTS_GOLDEN_TENSORS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct golden_file {
    char *header; /* JSON, NUL-terminated */
    uint8_t *data;
};

struct golden_tensor {
    const void *data; /* f32 or i32; NULL: not in the file */
    uint64_t count;
};

static inline const char *golden_root(void)
{
    const char *root = getenv("SLM_GOLDEN");
    return root != NULL && root[0] != 0 ? root : "tests/golden";
}

/* A whole file, or NULL; *length may be NULL. The result has a NUL behind it. */
static inline char *golden_load(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    if (file == NULL) {
        return NULL;
    }
    fseek(file, 0, SEEK_END);
    const long size = ftell(file);
    rewind(file);
    if (size >= 0 && (text = malloc((size_t)size + 1)) != NULL && fread(text, 1, (size_t)size, file) == (size_t)size) {
        text[size] = 0;
        if (length != NULL) {
            *length = (size_t)size;
        }
    }
    fclose(file);
    return text;
}

static inline int golden_open(struct golden_file *golden, const char *path)
{
    size_t length = 0;
    uint8_t *bytes = (uint8_t *)golden_load(path, &length);
    uint64_t header = 0;
    *golden = (struct golden_file){NULL, NULL};
    if (bytes == NULL || length < 8) {
        free(bytes);
        return 0;
    }
    memcpy(&header, bytes, 8);
    golden->header = malloc((size_t)header + 1);
    memcpy(golden->header, bytes + 8, (size_t)header);
    golden->header[header] = 0;
    golden->data = malloc(length - 8 - (size_t)header + 64);
    memcpy(golden->data, bytes + 8 + header, length - 8 - (size_t)header);
    free(bytes);
    return 1;
}

static inline void golden_close(struct golden_file *golden)
{
    free(golden->header);
    free(golden->data);
}

static inline struct golden_tensor golden_find(const struct golden_file *golden, const char *name)
{
    char key[192];
    struct golden_tensor tensor = {NULL, 0};
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *entry = strstr(golden->header, key);
    const char *offsets = entry != NULL ? strstr(entry, "\"data_offsets\":[") : NULL;
    if (offsets != NULL) {
        char *end = NULL;
        const unsigned long long from = strtoull(offsets + 16, &end, 10), to = strtoull(end + 1, NULL, 10);
        tensor.data = golden->data + from;
        tensor.count = (to - from) / 4;
    }
    return tensor;
}

/* sum (x - reference)^2 / sum reference^2 */
static inline double golden_nmse(const float *x, const float *reference, uint64_t count)
{
    double error = 0, energy = 0;
    for (uint64_t i = 0; i < count; i++) {
        const double d = (double)x[i] - (double)reference[i];
        error += d * d;
        energy += (double)reference[i] * (double)reference[i];
    }
    return error / energy;
}

#endif

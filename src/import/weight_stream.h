/* SPDX-License-Identifier: MIT */
/* Target after target: read rows, encode panels on all threads, write them in order. Holds one batch of panels, never a whole tensor. */
#ifndef SLM_IMPORT_WEIGHT_STREAM_H
#define SLM_IMPORT_WEIGHT_STREAM_H

#include "format/weight_writer.h"   /* struct slm_weight_writer */
#include "import/checkpoint.h"      /* struct slm_checkpoint */
#include "import/import_progress.h" /* struct slm_import_progress */

struct slm_weight_types {
    enum slm_weight_type body, head;
};

/* Relative rms errors of the encoded matrices, medians. */
struct slm_weight_errors {
    double body, head;
};

/* The next finer type, for matrices that lose most: f16 for i8, i8 for i4. */
enum slm_weight_type slm__finer_type(enum slm_weight_type type);
/* The type in which a target is written. */
enum slm_weight_type slm__target_type(const struct slm_target *target, const struct slm_weight_types *types);

/* A vector as the file stores it: little-endian f32, zeros up to a multiple of 16 values. */
void slm__floats_to_bytes(const float *values, uint32_t count, uint8_t *bytes);

/* Declare all targets with the writer; ids[i] is the number of targets[i]. */
slm_status slm__weights_declare(const struct slm_checkpoint *checkpoint, const struct slm_weight_types *types,
                                struct slm_weight_writer *writer, uint32_t *ids, slm_error *error);
/* Write them, after slm__writer_begin(). */
slm_status slm__weights_stream(struct slm_checkpoint *checkpoint, const struct slm_weight_types *types, struct slm_weight_writer *writer,
                               const uint32_t *ids, struct slm_import_progress *progress, struct slm_weight_errors *errors,
                               slm_error *error);

#endif

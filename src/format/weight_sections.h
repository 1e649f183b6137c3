/* SPDX-License-Identifier: MIT */
/* What the pieces of the reader and the writer share: the checks of the two tables, names, and the size of a tensor. */
#ifndef SLM_FORMAT_WEIGHT_SECTIONS_H
#define SLM_FORMAT_WEIGHT_SECTIONS_H

#include "base/span.h"          /* struct slm_span */
#include "base/status.h"        /* slm_status, slm_error */
#include "format/weight_file.h" /* struct slm_weight_file */

/* Check a whole section; file->metadata or file->directory is set before, the count is set by the check. */
slm_status slm__metadata_check(struct slm_weight_file *file, slm_error *error);
/* One value of metadata, as reader and writer accept it. */
slm_status slm__metadata_check_value(struct slm_span key, uint32_t type, struct slm_span value, slm_error *error);
slm_status slm__directory_check(struct slm_weight_file *file, slm_error *error);

/* Compare the stored checksum of section `index`. */
slm_status slm__section_checksum(const struct slm_weight_file *file, uint32_t index, slm_error *error);

/* 1 to 255 bytes of '!' to '~'. */
bool slm__name_valid(struct slm_span name);
/* Bytes of a tensor with its padding; 0 when kind, type and shape do not go together. */
uint64_t slm__tensor_bytes(uint32_t kind, uint32_t type, uint32_t rows, uint32_t cols);
/* All zero? */
bool slm__all_zero(const uint8_t *data, uint64_t length);

/* Record `index` of a table: its address, and the span it names at `at` (offset, length). */
const uint8_t *slm__table_record(struct slm_span table, uint32_t index, uint32_t record_bytes);
struct slm_span slm__table_span(struct slm_span table, const uint8_t *record, uint32_t offset_at, uint32_t length_at);
/* Index of `name` among `count` sorted records whose name lies at `offset_at`, `length_at`; `count` when absent. */
uint32_t slm__table_find(struct slm_span table, uint32_t count, uint32_t record_bytes, uint32_t offset_at, uint32_t length_at,
                         struct slm_span name);
/* Check the head of a table of at most `limit` records and read its count. `what` names the section. */
slm_status slm__table_check(struct slm_span table, uint32_t record_bytes, uint32_t limit, const char *what, uint32_t *count,
                            slm_error *error);

#endif

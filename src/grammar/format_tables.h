/* SPDX-License-Identifier: MIT */
/* Automata of the formats whose patterns take longer to compile than a schema should, stored in the library. */
#ifndef SLM_GRAMMAR_FORMAT_TABLES_H
#define SLM_GRAMMAR_FORMAT_TABLES_H

#include "grammar/regular.h" /* struct slm_regular */

/*
 * Bytes of a table: states (2, little-endian), classes (1); for runs of bytes with one class up to byte 255: last byte, class; for each
 * state but the dead one: number of runs << 1 | accepting (1), then each run: first class, last class, target (2).
 * Written by tests/unit/test_string_formats --write, which also checks that they are what the patterns give.
 */
struct slm_format_table {
    const char *name;
    const uint8_t *data;
};

extern const struct slm_format_table slm__format_tables[]; /* ends with a NULL name */

/* *found: there was a table of that name, and *result lives in the arena. */
slm_status slm__format_table_load(struct slm_arena *arena, struct slm_span name, bool *found, struct slm_regular *result, slm_error *error);
/* The language of a format from its pattern, whether there is a table or not. */
slm_status slm__format_compile(const struct slm_regular_space *space, struct slm_span name, struct slm_regular *result, slm_error *error);

#endif

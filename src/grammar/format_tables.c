/* SPDX-License-Identifier: MIT */
/* Unpacking stored automata. */
#include "grammar/format_tables.h"

static uint32_t read_u16(const uint8_t *data) { return data[0] | (uint32_t)data[1] << 8; }

slm_status slm__format_table_load(struct slm_arena *arena, struct slm_span name, bool *found, struct slm_regular *result, slm_error *error)
{
    const struct slm_format_table *table = slm__format_tables;
    while (table->name != NULL && !slm__span_is(name, table->name)) {
        table++;
    }
    *found = table->name != NULL;
    if (!*found) {
        return SLM_OK;
    }
    const uint8_t *data = table->data;
    uint32_t states = read_u16(data);
    uint32_t classes = data[2];
    uint32_t *next = slm__arena_take(arena, (size_t)states * classes * sizeof *next);
    uint8_t *accepting = slm__arena_take(arena, states);
    if (next == NULL || accepting == NULL) {
        return slm__arena_failure(arena, error);
    }
    *result = (struct slm_regular){.state_count = states, .class_count = classes, .start = 1, .next = next, .accepting = accepting};
    data += 3;
    for (uint32_t byte = 0; byte < 256; data += 2) {
        for (; byte <= data[0]; byte++) {
            result->byte_class[byte] = data[1];
        }
    }
    for (uint32_t state = 1; state < states; state++) {
        uint32_t runs = *data >> 1;
        accepting[state] = *data++ & 1;
        for (; runs > 0; runs--, data += 4) {
            for (uint32_t c = data[0]; c <= data[1]; c++) {
                next[(size_t)state * classes + c] = read_u16(data + 2);
            }
        }
    }
    return SLM_OK;
}

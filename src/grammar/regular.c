/* SPDX-License-Identifier: MIT */
/* The simplest languages, and what can be read off a finished table. */
#include "grammar/regular.h"
#include "base/utf8.h"           /* slm__utf8_valid_prefix */
#include "grammar/state_table.h" /* struct slm_state_table */

slm_status slm__regular_never(const struct slm_regular_space *space, struct slm_regular *result, slm_error *error)
{
    return slm__regular_texts(space, NULL, 0, result, error);
}

slm_status slm__regular_text(const struct slm_regular_space *space, struct slm_span text, struct slm_regular *result, slm_error *error)
{
    return slm__regular_texts(space, &text, 1, result, error);
}

/* Classes: every byte that occurs is one of its own, the others are class 0. Returns their number. */
static slm_status byte_classes(const struct slm_span *texts, uint32_t count, uint8_t byte_class[256], uint32_t *classes, slm_error *error)
{
    bool used[256] = {false};
    for (uint32_t i = 0; i < count; i++) {
        size_t valid = slm__utf8_valid_prefix(texts[i]);
        if (valid != texts[i].length) {
            return slm__fail(error, SLM_E_ENCODING, "byte %zu of a text is not valid UTF-8", valid);
        }
        for (size_t k = 0; k < texts[i].length; k++) {
            used[texts[i].data[k]] = true;
        }
    }
    *classes = 1;
    for (uint32_t byte = 0; byte < 256; byte++) {
        byte_class[byte] = used[byte] ? (uint8_t)(*classes)++ : 0;
    }
    return SLM_OK;
}

/* The tree of the texts. */
static slm_status texts_table(struct slm_state_table *table, const struct slm_span *texts, uint32_t count, const uint8_t byte_class[256],
                              slm_error *error)
{
    table->start = 1;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t state = 1;
        for (size_t k = 0; k < texts[i].length; k++) {
            uint32_t *to = &table->next[(size_t)state * table->class_count + byte_class[texts[i].data[k]]];
            if (*to == SLM_REGULAR_DEAD) {
                *to = table->state_count;
                state = table->state_count;
                if (!slm__table_reach(table, state)) {
                    return slm__arena_failure(table->arena, error);
                }
            } else {
                state = *to;
            }
        }
        table->accepting[state] = 1;
    }
    return SLM_OK;
}

slm_status slm__regular_texts(const struct slm_regular_space *space, const struct slm_span *texts, uint32_t count,
                              struct slm_regular *result, slm_error *error)
{
    uint8_t byte_class[256];
    uint32_t classes = 0;
    SLM_TRY(byte_classes(texts, count, byte_class, &classes, error));
    struct slm_arena scratch;
    slm__arena_init(&scratch, &space->arena->memory, space->arena->limit);
    struct slm_state_table table;
    slm_status status = SLM_OK;
    if (!slm__table_init(&table, &scratch, classes) || !slm__table_reach(&table, 1)) {
        status = slm__arena_failure(&scratch, error);
    }
    status = status == SLM_OK ? texts_table(&table, texts, count, byte_class, error) : status;
    status = status == SLM_OK ? slm__table_finish(&table, byte_class, space, result, error) : status;
    slm__arena_free(&scratch);
    return status;
}

/* Classes and states of well-formed UTF-8 (table 3-7 of the Unicode standard). */
enum utf8_class { ASCII, LOW, MIDDLE, HIGH, LEAD_2, LEAD_E0, LEAD_3, LEAD_ED, LEAD_F0, LEAD_4, LEAD_F4, INVALID, UTF8_CLASSES };
enum utf8_state { DEAD, START, LAST, LAST_TWO, LAST_THREE, AFTER_E0, AFTER_ED, AFTER_F0, AFTER_F4, UTF8_STATES };

static uint8_t utf8_class(uint32_t byte)
{
    static const uint8_t firsts[] = {0x00, 0x80, 0x90, 0xA0, 0xC0, 0xC2, 0xE0, 0xE1, 0xED, 0xEE, 0xF0, 0xF1, 0xF4, 0xF5};
    static const uint8_t classes[] = {ASCII,  LOW,     MIDDLE, HIGH,    INVALID, LEAD_2,  LEAD_E0,
                                      LEAD_3, LEAD_ED, LEAD_3, LEAD_F0, LEAD_4,  LEAD_F4, INVALID};
    uint32_t i = sizeof firsts - 1;
    while (byte < firsts[i]) {
        i--;
    }
    return classes[i];
}

slm_status slm__regular_any(const struct slm_regular_space *space, struct slm_regular *result, slm_error *error)
{
    static const uint32_t next[UTF8_STATES][UTF8_CLASSES] = {
        [START] = {[ASCII] = START,
                   [LEAD_2] = LAST,
                   [LEAD_E0] = AFTER_E0,
                   [LEAD_3] = LAST_TWO,
                   [LEAD_ED] = AFTER_ED,
                   [LEAD_F0] = AFTER_F0,
                   [LEAD_4] = LAST_THREE,
                   [LEAD_F4] = AFTER_F4},
        [LAST] = {[LOW] = START, [MIDDLE] = START, [HIGH] = START},
        [LAST_TWO] = {[LOW] = LAST, [MIDDLE] = LAST, [HIGH] = LAST},
        [LAST_THREE] = {[LOW] = LAST_TWO, [MIDDLE] = LAST_TWO, [HIGH] = LAST_TWO},
        [AFTER_E0] = {[HIGH] = LAST},
        [AFTER_ED] = {[LOW] = LAST, [MIDDLE] = LAST},
        [AFTER_F0] = {[MIDDLE] = LAST_TWO, [HIGH] = LAST_TWO},
        [AFTER_F4] = {[LOW] = LAST_TWO},
    };
    uint8_t byte_class[256];
    for (uint32_t byte = 0; byte < 256; byte++) {
        byte_class[byte] = utf8_class(byte);
    }
    struct slm_arena scratch;
    slm__arena_init(&scratch, &space->arena->memory, space->arena->limit);
    struct slm_state_table table;
    slm_status status = SLM_OK;
    if (slm__table_init(&table, &scratch, UTF8_CLASSES) && slm__table_reach(&table, UTF8_STATES - 1)) {
        memcpy(table.next, next, sizeof next);
        table.accepting[START] = 1;
        table.start = START;
        status = slm__table_finish(&table, byte_class, space, result, error);
    } else {
        status = slm__arena_failure(&scratch, error);
    }
    slm__arena_free(&scratch);
    return status;
}

bool slm__regular_accepts(const struct slm_regular *a, struct slm_span text)
{
    uint32_t state = a->start;
    for (size_t i = 0; i < text.length && state != SLM_REGULAR_DEAD; i++) {
        state = a->next[(size_t)state * a->class_count + a->byte_class[text.data[i]]];
    }
    return a->accepting[state];
}

bool slm__regular_equal(const struct slm_regular *a, const struct slm_regular *b)
{
    return a->state_count == b->state_count && a->class_count == b->class_count && a->start == b->start &&
           memcmp(a->byte_class, b->byte_class, sizeof a->byte_class) == 0 && memcmp(a->accepting, b->accepting, a->state_count) == 0 &&
           memcmp(a->next, b->next, (size_t)a->state_count * a->class_count * sizeof *a->next) == 0;
}

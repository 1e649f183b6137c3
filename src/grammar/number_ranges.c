/* SPDX-License-Identifier: MIT */
/*
 * Syntax, bounds and steps are tables that are walked side by side; a number is taken if all of them take it. Behind a minus sign bounds
 * mean something else, so there are two walks, which meet in one start.
 */
#include "grammar/number_ranges.h"
#include "grammar/number_automata.h" /* struct slm_decimal, slm__number_compared, slm__number_multiples */
#include "grammar/sequence_set.h"    /* struct slm_sequence_set */

enum { BOUNDS = 4, MULTIPLES = 16, PARTS = 2 + BOUNDS + MULTIPLES };
enum { POSITIVE, NEGATIVE, START, SIDES = 2 };

/* A lower or upper bound, and whether the bound itself is out. */
struct bound {
    struct slm_decimal value;
    bool upper;
    bool exclusive;
};

/* What a number has to fulfil: to be accepted by one of two tables (the second may hold nothing). */
struct part {
    struct slm_state_table first;
    struct slm_state_table second;
};

struct builder {
    struct slm_arena *scratch;
    const struct slm_number_range *range;
    struct bound bounds[BOUNDS];
    uint32_t bound_count;
    struct part *parts[SIDES][PARTS];
    uint32_t part_count[SIDES];
    bool nothing[SIDES];          /* no number of this sign */
    struct slm_sequence_set keys; /* side, then two states for each part; number + 1 is the state */
    struct slm_state_table table;
    uint32_t state_limit;
    slm_error *error;
};

static slm_status add_bound(struct builder *b, struct slm_span text, bool upper, bool exclusive)
{
    if (text.length == 0) {
        return SLM_OK;
    }
    struct bound *bound = &b->bounds[b->bound_count++];
    *bound = (struct bound){.upper = upper, .exclusive = exclusive};
    return slm__decimal_read(b->scratch, text, &bound->value, b->error);
}

static slm_status new_part(struct builder *b, struct part **part)
{
    *part = slm__arena_take(b->scratch, sizeof **part);
    return *part == NULL ? slm__arena_failure(b->scratch, b->error) : SLM_OK;
}

static slm_status add_compared(struct builder *b, uint32_t side, const struct slm_decimal *value, unsigned wanted)
{
    struct part *part = NULL;
    SLM_TRY(new_part(b, &part));
    b->parts[side][b->part_count[side]++] = part;
    return slm__number_compared(b->scratch, value, wanted, &part->first, &part->second, b->error);
}

/* What the bounds ask of the magnitudes of one sign. A bound that lies on the other side of zero allows all of them or none. */
static slm_status add_bounds(struct builder *b, uint32_t side)
{
    static const struct slm_decimal zero = {0};
    bool minus = side == NEGATIVE;
    for (uint32_t i = 0; i < b->bound_count; i++) {
        const struct bound *bound = &b->bounds[i];
        bool from_below = bound->upper == minus; /* magnitudes have to be at least that of the bound */
        bool at_zero = bound->value.count == 0;
        bool same_side = at_zero || bound->value.negative == minus;
        if (!from_below && (!same_side || (at_zero && (bound->exclusive || (minus && b->range->integer))))) {
            b->nothing[side] = true; /* also of integers that may only be -0 */
            return SLM_OK;
        }
        if (same_side && (!from_below || !at_zero || bound->exclusive)) {
            unsigned wanted = (bound->exclusive ? 0 : SLM_EQUAL) | (from_below ? SLM_GREATER : SLM_LESS);
            SLM_TRY(add_compared(b, side, &bound->value, wanted));
        }
    }
    return minus && b->range->integer ? add_compared(b, side, &zero, SLM_GREATER) : SLM_OK;
}

static slm_status add_multiples(struct builder *b)
{
    for (uint32_t i = 0; i < b->range->multiple_count; i++) {
        struct slm_decimal step;
        struct part *part = NULL;
        struct slm_span text = b->range->multiples[i];
        SLM_TRY(slm__decimal_read(b->scratch, text, &step, b->error));
        if (step.negative || step.count == 0) {
            return slm__fail(b->error, SLM_E_BAD_VALUE, "multipleOf is %.*s, but has to be above 0", SLM_SPAN_ARGS(text));
        }
        if (b->range->integer && slm__decimal_divides_one(&step)) {
            continue;
        }
        if (b->part_count[POSITIVE] > MULTIPLES) {
            return slm__fail(b->error, SLM_E_LIMIT, "more than %d values of multipleOf for one number", MULTIPLES);
        }
        SLM_TRY(new_part(b, &part));
        slm_status status = slm__number_multiples(b->scratch, &step, b->state_limit, &part->first, b->error);
        if (status != SLM_OK) {
            return slm__fail_in(b->error, status, "multipleOf %.*s", SLM_SPAN_ARGS(text));
        }
        for (uint32_t side = 0; side < SIDES; side++) {
            b->parts[side][b->part_count[side]++] = part;
        }
    }
    return SLM_OK;
}

/* The state of a key; DEAD if one of its parts can accept nothing more. */
static slm_status key_state(struct builder *b, const uint32_t *key, uint32_t *state)
{
    uint32_t side = key[0];
    uint32_t parts = side == START ? 0 : b->part_count[side];
    bool accepting = side != START;
    *state = SLM_REGULAR_DEAD;
    for (uint32_t i = 0; i < parts; i++) {
        const struct part *part = b->parts[side][i];
        uint32_t p = key[2 * i + 1];
        uint32_t q = key[2 * i + 2];
        if (p == SLM_REGULAR_DEAD && q == SLM_REGULAR_DEAD) {
            return SLM_OK;
        }
        accepting = accepting && (part->first.accepting[p] || (q != SLM_REGULAR_DEAD && part->second.accepting[q]));
    }
    uint32_t number = slm__sequence_add(&b->keys, key, 2 * parts + 1);
    if (number == UINT32_MAX) {
        return slm__sequence_failure(&b->keys, "states", b->error);
    }
    *state = number + 1;
    if (!slm__table_reach(&b->table, *state)) {
        return slm__arena_failure(b->scratch, b->error);
    }
    b->table.accepting[*state] = accepting;
    return SLM_OK;
}

static void start_key(const struct builder *b, uint32_t side, uint32_t *key)
{
    key[0] = side;
    for (uint32_t i = 0; i < b->part_count[side]; i++) {
        key[2 * i + 1] = b->parts[side][i]->first.start;
        key[2 * i + 2] = b->parts[side][i]->second.start;
    }
}

/* The key behind one more byte of class c. */
static void step_key(const struct builder *b, const uint32_t *key, uint32_t c, uint32_t *to)
{
    to[0] = key[0];
    for (uint32_t i = 0; i < b->part_count[key[0]]; i++) {
        const struct part *part = b->parts[key[0]][i];
        uint32_t q = key[2 * i + 2];
        to[2 * i + 1] = part->first.next[(size_t)key[2 * i + 1] * SLM_NUMBER_CLASSES + c];
        to[2 * i + 2] = q == SLM_REGULAR_DEAD ? q : part->second.next[(size_t)q * SLM_NUMBER_CLASSES + c];
    }
}

/* Where a minus sign leads: to magnitudes of which nothing else is asked, the same ones. */
static uint32_t side_of_minus(const struct builder *b)
{
    const bool same = !b->nothing[POSITIVE] && !b->nothing[NEGATIVE] && b->part_count[POSITIVE] == b->part_count[NEGATIVE] &&
                      memcmp(b->parts[POSITIVE], b->parts[NEGATIVE], b->part_count[POSITIVE] * sizeof b->parts[POSITIVE][0]) == 0;
    return same ? POSITIVE : NEGATIVE;
}

static slm_status explore(struct builder *b)
{
    uint32_t key[2 * PARTS + 1] = {START};
    uint32_t to[2 * PARTS + 1];
    slm__sequence_init(&b->keys, b->scratch, b->state_limit);
    if (!slm__table_init(&b->table, b->scratch, SLM_NUMBER_CLASSES)) {
        return slm__arena_failure(b->scratch, b->error);
    }
    SLM_TRY(key_state(b, key, &b->table.start));
    for (uint32_t state = 1; state < b->table.state_count; state++) {
        uint32_t length = 0;
        const uint32_t *known = slm__sequence_get(&b->keys, state - 1, &length);
        memcpy(key, known, length * sizeof *known);
        if (key[0] == START) {
            start_key(b, POSITIVE, key);
        }
        for (uint32_t c = 0; c < SLM_NUMBER_OTHER; c++) {
            uint32_t target = SLM_REGULAR_DEAD;
            bool sign = state == b->table.start && c == SLM_NUMBER_MINUS;
            if (sign) {
                start_key(b, side_of_minus(b), to);
            } else {
                step_key(b, key, c, to);
            }
            if (!b->nothing[to[0]]) {
                SLM_TRY(key_state(b, to, &target));
            }
            b->table.next[(size_t)state * SLM_NUMBER_CLASSES + c] = target;
        }
    }
    return SLM_OK;
}

static slm_status build(struct builder *b, const struct slm_regular_space *space, struct slm_regular *result)
{
    const struct slm_number_range *range = b->range;
    enum slm_number_syntax syntax = !range->integer ? SLM_NUMBER_ANY : range->plain_only ? SLM_NUMBER_PLAIN_INTEGER : SLM_NUMBER_INTEGER;
    struct part *part = NULL;
    uint8_t byte_class[256];
    SLM_TRY(new_part(b, &part));
    SLM_TRY(slm__number_syntax(b->scratch, syntax, &part->first, b->error));
    b->parts[POSITIVE][b->part_count[POSITIVE]++] = part;
    b->parts[NEGATIVE][b->part_count[NEGATIVE]++] = part;
    SLM_TRY(add_multiples(b));
    SLM_TRY(add_bound(b, range->minimum, false, false));
    SLM_TRY(add_bound(b, range->maximum, true, false));
    SLM_TRY(add_bound(b, range->exclusive_minimum, false, true));
    SLM_TRY(add_bound(b, range->exclusive_maximum, true, true));
    SLM_TRY(add_bounds(b, POSITIVE));
    SLM_TRY(add_bounds(b, NEGATIVE));
    SLM_TRY(explore(b));
    slm__number_classes(byte_class);
    return slm__table_finish(&b->table, byte_class, space, result, b->error);
}

slm_status slm__number_language(const struct slm_regular_space *space, const struct slm_number_range *range, struct slm_regular *result,
                                slm_error *error)
{
    struct slm_arena scratch;
    slm__arena_init(&scratch, &space->arena->memory, space->arena->limit);
    struct builder b = {.scratch = &scratch, .range = range, .state_limit = space->state_limit, .error = error};
    slm_status status = build(&b, space, result);
    slm__arena_free(&scratch);
    return status;
}

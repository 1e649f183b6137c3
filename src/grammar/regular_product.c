/* SPDX-License-Identifier: MIT */
/* Two automata walked side by side: union, intersection, difference, concatenation; a language beside a counter of code points. */
#include "grammar/regular.h"
#include "grammar/sequence_set.h" /* struct slm_sequence_set */
#include "grammar/state_table.h"  /* struct slm_state_table */

/* Classes of bytes that neither automaton tells apart: of_a, of_b are the class there. */
struct joint_classes {
    uint32_t count;
    uint8_t byte_class[256];
    uint8_t of_a[256];
    uint8_t of_b[256];
};

static void join_classes(struct joint_classes *joint, const struct slm_regular *a, const struct slm_regular *b)
{
    joint->count = 0;
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint8_t ca = a->byte_class[byte];
        uint8_t cb = b->byte_class[byte];
        uint32_t c = 0;
        while (c < joint->count && (joint->of_a[c] != ca || joint->of_b[c] != cb)) {
            c++;
        }
        if (c == joint->count) {
            joint->of_a[c] = ca;
            joint->of_b[c] = cb;
            joint->count++;
        }
        joint->byte_class[byte] = (uint8_t)c;
    }
}

static inline uint32_t step(const struct slm_regular *a, uint32_t state, uint32_t class)
{
    return a->next[(size_t)state * a->class_count + class];
}

/* Nothing is accepted from the pair (p, q). */
static bool is_dead(enum slm_regular_combination how, uint32_t p, uint32_t q)
{
    switch (how) {
    case SLM_REGULAR_UNION: return p == SLM_REGULAR_DEAD && q == SLM_REGULAR_DEAD;
    case SLM_REGULAR_INTERSECTION: return p == SLM_REGULAR_DEAD || q == SLM_REGULAR_DEAD;
    default: return p == SLM_REGULAR_DEAD;
    }
}

static bool is_accepting(enum slm_regular_combination how, bool p, bool q)
{
    switch (how) {
    case SLM_REGULAR_UNION: return p || q;
    case SLM_REGULAR_INTERSECTION: return p && q;
    default: return p && !q;
    }
}

struct product {
    const struct slm_regular *a;
    const struct slm_regular *b;
    enum slm_regular_combination how;
    struct joint_classes joint;
    struct slm_sequence_set pairs; /* number + 1 is the state */
    struct slm_state_table table;
};

static slm_status pair_state(struct product *product, uint32_t p, uint32_t q, uint32_t *state, slm_error *error)
{
    *state = SLM_REGULAR_DEAD;
    if (is_dead(product->how, p, q)) {
        return SLM_OK;
    }
    /* After the dead state of b alone, a difference or union is a alone, whatever b was: one name for it is enough. */
    uint32_t pair[2] = {p, q};
    uint32_t number = slm__sequence_add(&product->pairs, pair, 2);
    if (number == UINT32_MAX) {
        return slm__sequence_failure(&product->pairs, "states", error);
    }
    *state = number + 1;
    if (*state == product->table.state_count) {
        if (!slm__table_reach(&product->table, *state)) {
            return slm__arena_failure(product->table.arena, error);
        }
        product->table.accepting[*state] = is_accepting(product->how, product->a->accepting[p], product->b->accepting[q]);
    }
    return SLM_OK;
}

/* All pairs that are reached. */
static slm_status explore(struct product *product, slm_error *error)
{
    struct slm_state_table *table = &product->table;
    SLM_TRY(pair_state(product, product->a->start, product->b->start, &table->start, error));
    for (uint32_t state = 1; state < table->state_count; state++) {
        uint32_t length = 0;
        const uint32_t *pair = slm__sequence_get(&product->pairs, state - 1, &length);
        uint32_t p = pair[0];
        uint32_t q = pair[1];
        for (uint32_t c = 0; c < product->joint.count; c++) {
            uint32_t to = 0;
            SLM_TRY(
                pair_state(product, step(product->a, p, product->joint.of_a[c]), step(product->b, q, product->joint.of_b[c]), &to, error));
            table->next[(size_t)state * table->class_count + c] = to;
        }
    }
    return SLM_OK;
}

slm_status slm__regular_combine(const struct slm_regular_space *space, enum slm_regular_combination how, const struct slm_regular *a,
                                const struct slm_regular *b, struct slm_regular *result, slm_error *error)
{
    struct slm_arena scratch;
    slm__arena_init(&scratch, &space->arena->memory, space->arena->limit);
    struct product product = {.a = a, .b = b, .how = how};
    join_classes(&product.joint, a, b);
    slm__sequence_init(&product.pairs, &scratch, space->state_limit);
    slm_status status =
        slm__table_init(&product.table, &scratch, product.joint.count) ? explore(&product, error) : slm__arena_failure(&scratch, error);
    if (status == SLM_OK) {
        status = slm__table_finish(&product.table, product.joint.byte_class, space, result, error);
    }
    slm__arena_free(&scratch);
    return status;
}

slm_status slm__regular_complement(const struct slm_regular_space *space, const struct slm_regular *a, struct slm_regular *result,
                                   slm_error *error)
{
    struct slm_arena scratch;
    slm__arena_init(&scratch, &space->arena->memory, space->arena->limit);
    struct slm_regular_space inner = {&scratch, space->state_limit};
    struct slm_regular any;
    slm_status status = slm__regular_any(&inner, &any, error);
    status = status == SLM_OK ? slm__regular_combine(space, SLM_REGULAR_DIFFERENCE, &any, a, result, error) : status;
    slm__arena_free(&scratch);
    return status;
}

/* A state of a concatenation: one of a (or dead), and a set of states of b, ascending, one behind the other. */
struct concatenation {
    const struct slm_regular *a;
    const struct slm_regular *b;
    struct joint_classes joint;
    struct slm_sequence_set keys;
    struct slm_state_table table;
    uint32_t *key;         /* [1 + states of b] the one at hand */
    uint32_t *successor;   /* likewise */
    uint8_t *in_successor; /* [states of b] */
};

/* The state of `successor`, made of p and the marked states of b; unmarks them. */
static slm_status concatenation_state(struct concatenation *c, uint32_t p, uint32_t *state, slm_error *error)
{
    if (c->a->accepting[p]) {
        c->in_successor[c->b->start] = 1;
    }
    uint32_t length = 0;
    bool accepting = false;
    c->successor[length++] = p;
    for (uint32_t q = 1; q < c->b->state_count; q++) {
        if (c->in_successor[q]) {
            c->successor[length++] = q;
            accepting = accepting || c->b->accepting[q];
            c->in_successor[q] = 0;
        }
    }
    *state = SLM_REGULAR_DEAD;
    if (p == SLM_REGULAR_DEAD && length == 1) {
        return SLM_OK;
    }
    uint32_t number = slm__sequence_add(&c->keys, c->successor, length);
    if (number == UINT32_MAX) {
        return slm__sequence_failure(&c->keys, "states", error);
    }
    *state = number + 1;
    if (*state == c->table.state_count) {
        if (!slm__table_reach(&c->table, *state)) {
            return slm__arena_failure(c->table.arena, error);
        }
        c->table.accepting[*state] = accepting;
    }
    return SLM_OK;
}

static slm_status explore_concatenation(struct concatenation *c, slm_error *error)
{
    SLM_TRY(concatenation_state(c, c->a->start, &c->table.start, error));
    for (uint32_t state = 1; state < c->table.state_count; state++) {
        uint32_t length = 0;
        const uint32_t *key = slm__sequence_get(&c->keys, state - 1, &length);
        memcpy(c->key, key, length * sizeof *key);
        for (uint32_t class = 0; class < c->joint.count; class ++) {
            for (uint32_t i = 1; i < length; i++) {
                c->in_successor[step(c->b, c->key[i], c->joint.of_b[class])] = 1;
            }
            uint32_t to = 0;
            SLM_TRY(concatenation_state(c, step(c->a, c->key[0], c->joint.of_a[class]), &to, error));
            c->table.next[(size_t)state * c->table.class_count + class] = to;
        }
    }
    return SLM_OK;
}

slm_status slm__regular_concatenate(const struct slm_regular_space *space, const struct slm_regular *a, const struct slm_regular *b,
                                    struct slm_regular *result, slm_error *error)
{
    struct slm_arena scratch;
    slm__arena_init(&scratch, &space->arena->memory, space->arena->limit);
    struct concatenation c = {.a = a, .b = b};
    join_classes(&c.joint, a, b);
    slm__sequence_init(&c.keys, &scratch, space->state_limit);
    c.key = slm__arena_take(&scratch, (b->state_count + (size_t)1) * sizeof *c.key);
    c.successor = slm__arena_take(&scratch, (b->state_count + (size_t)1) * sizeof *c.successor);
    c.in_successor = slm__arena_take(&scratch, b->state_count);
    bool ready = c.key != NULL && c.successor != NULL && c.in_successor != NULL && slm__table_init(&c.table, &scratch, c.joint.count);
    slm_status status = ready ? explore_concatenation(&c, error) : slm__arena_failure(&scratch, error);
    status = status == SLM_OK ? slm__table_finish(&c.table, c.joint.byte_class, space, result, error) : status;
    slm__arena_free(&scratch);
    return status;
}

/* An automaton that counts code points up to `max`, or, without an end, up to `min`: the bytes that begin one are class 1. It may take
 * continuation bytes anywhere: beside an automaton of valid UTF-8 that makes no difference. */
static slm_status counter(struct slm_arena *scratch, uint32_t min, uint32_t max, struct slm_regular *result, slm_error *error)
{
    uint32_t top = max == UINT32_MAX ? min : max;
    uint32_t *next = slm__arena_take(scratch, ((size_t)top + 2) * 2 * sizeof *next);
    uint8_t *accepting = slm__arena_take(scratch, (size_t)top + 2);
    if (next == NULL || accepting == NULL) {
        return slm__arena_failure(scratch, error);
    }
    for (uint32_t n = 0; n <= top; n++) {
        uint32_t more = n < top ? n + 2 : max == UINT32_MAX ? n + 1 : SLM_REGULAR_DEAD;
        next[2 * ((size_t)n + 1)] = n + 1;
        next[2 * ((size_t)n + 1) + 1] = more;
        accepting[n + 1] = n >= min;
    }
    *result = (struct slm_regular){.state_count = top + 2, .class_count = 2, .start = 1, .next = next, .accepting = accepting};
    for (uint32_t byte = 0; byte < 256; byte++) {
        result->byte_class[byte] = byte < 0x80 || byte >= 0xC0;
    }
    return SLM_OK;
}

slm_status slm__regular_with_length(const struct slm_regular_space *space, const struct slm_regular *a, uint32_t min, uint32_t max,
                                    struct slm_regular *result, slm_error *error)
{
    uint32_t shortest = 0;
    uint32_t longest = 0;
    SLM_TRY(slm__regular_lengths(space, a, &shortest, &longest, error));
    if (min <= shortest && longest <= max) {
        *result = *a;
        return SLM_OK;
    }
    if (min > max || longest < min || max < shortest) {
        return slm__regular_never(space, result, error);
    }
    max = longest <= max ? UINT32_MAX : max;
    uint32_t top = max == UINT32_MAX ? min : max;
    if (top >= space->state_limit) {
        return slm__fail(error, SLM_E_LIMIT, "counting to %u characters needs more than the limit of %u states", top, space->state_limit);
    }
    struct slm_arena scratch;
    slm__arena_init(&scratch, &space->arena->memory, space->arena->limit);
    struct slm_regular count;
    slm_status status = counter(&scratch, min, max, &count, error);
    status = status == SLM_OK ? slm__regular_combine(space, SLM_REGULAR_INTERSECTION, a, &count, result, error) : status;
    slm__arena_free(&scratch);
    return status;
}

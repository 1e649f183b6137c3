/* SPDX-License-Identifier: MIT */
/*
 * Minimizing: A. Valmari, "Fast brief practical DFA minimization" (2012): the partition of states and the partition of transitions
 * refine each other; O(m log n) for the m transitions that do not lead to the dead state.
 */
#include "grammar/state_table.h"
#include "grammar/sequence_set.h" /* slm__arena_grow */

bool slm__table_init(struct slm_state_table *table, struct slm_arena *arena, uint32_t class_count)
{
    *table = (struct slm_state_table){.arena = arena, .class_count = class_count};
    return slm__table_reach(table, SLM_REGULAR_DEAD);
}

bool slm__table_reach(struct slm_state_table *table, uint32_t state)
{
    if (state >= table->capacity) {
        uint32_t rows = table->capacity;
        uint32_t flags = table->capacity;
        if (!slm__arena_grow(table->arena, &table->next, &rows, (uint64_t)state + 1, table->class_count * sizeof *table->next) ||
            !slm__arena_grow(table->arena, &table->accepting, &flags, (uint64_t)state + 1, 1)) {
            return false;
        }
        table->capacity = rows < flags ? rows : flags;
    }
    table->state_count = state >= table->state_count ? state + 1 : table->state_count;
    return true;
}

/* A partition of elements 0..n-1 into sets that can be split by marking. */
struct partition {
    uint32_t count;    /* of sets */
    uint32_t *members; /* elements, those of a set side by side */
    uint32_t *place;   /* of each element in members */
    uint32_t *set;     /* of each element */
    uint32_t *first;   /* of each set in members */
    uint32_t *past;
    uint32_t *marked; /* number of marked members of each set; they stand first */
    uint32_t *touched;
    uint32_t touched_count;
};

static bool partition_init(struct partition *p, struct slm_arena *arena, uint32_t n)
{
    uint32_t *block = slm__arena_take(arena, 7 * ((size_t)n + 1) * sizeof *block);
    if (block == NULL) {
        return false;
    }
    size_t step = (size_t)n + 1;
    *p = (struct partition){.count = n > 0,
                            .members = block,
                            .place = block + step,
                            .set = block + 2 * step,
                            .first = block + 3 * step,
                            .past = block + 4 * step,
                            .marked = block + 5 * step,
                            .touched = block + 6 * step};
    for (uint32_t i = 0; i < n; i++) {
        p->members[i] = p->place[i] = i;
    }
    p->past[0] = n;
    return true;
}

static void mark(struct partition *p, uint32_t element)
{
    uint32_t set = p->set[element];
    uint32_t from = p->place[element];
    uint32_t to = p->first[set] + p->marked[set];
    if (from < to) {
        return; /* marked already */
    }
    p->members[from] = p->members[to];
    p->place[p->members[from]] = from;
    p->members[to] = element;
    p->place[element] = to;
    if (p->marked[set]++ == 0) {
        p->touched[p->touched_count++] = set;
    }
}

/* The smaller half of every touched set becomes a set of its own. */
static void split(struct partition *p)
{
    while (p->touched_count > 0) {
        uint32_t set = p->touched[--p->touched_count];
        uint32_t middle = p->first[set] + p->marked[set];
        if (middle == p->past[set]) {
            p->marked[set] = 0;
            continue;
        }
        uint32_t fresh = p->count++;
        if (p->marked[set] <= p->past[set] - middle) {
            p->first[fresh] = p->first[set];
            p->past[fresh] = p->first[set] = middle;
        } else {
            p->past[fresh] = p->past[set];
            p->first[fresh] = p->past[set] = middle;
        }
        for (uint32_t i = p->first[fresh]; i < p->past[fresh]; i++) {
            p->set[p->members[i]] = fresh;
        }
        p->marked[set] = p->marked[fresh] = 0;
    }
}

/* The transitions between live states, ordered by class, and for each state those that lead to it. */
struct transitions {
    uint32_t count;
    uint32_t *tail;
    uint32_t *head;
    uint32_t *class_end;      /* [class] end of its transitions */
    uint32_t *incoming;       /* transitions by head */
    uint32_t *incoming_start; /* [state + 1] */
};

static bool collect(struct transitions *t, const struct slm_state_table *table)
{
    size_t cells = (size_t)table->state_count * table->class_count;
    size_t live = 0;
    for (size_t i = 0; i < cells; i++) {
        live += table->next[i] != SLM_REGULAR_DEAD;
    }
    uint32_t *block = slm__arena_take(table->arena, (3 * live + table->class_count + table->state_count + 2) * sizeof *block);
    if (block == NULL || live > UINT32_MAX / 2) {
        return false;
    }
    *t = (struct transitions){.tail = block,
                              .head = block + live,
                              .incoming = block + 2 * live,
                              .class_end = block + 3 * live,
                              .incoming_start = block + 3 * live + table->class_count};
    for (uint32_t c = 0; c < table->class_count; c++) {
        for (uint32_t s = 1; s < table->state_count; s++) {
            uint32_t to = table->next[(size_t)s * table->class_count + c];
            if (to != SLM_REGULAR_DEAD) {
                t->tail[t->count] = s;
                t->head[t->count++] = to;
                t->incoming_start[to + 1]++;
            }
        }
        t->class_end[c] = t->count;
    }
    for (uint32_t s = 0; s < table->state_count; s++) {
        t->incoming_start[s + 1] += t->incoming_start[s];
    }
    for (uint32_t i = t->count; i-- > 0;) {
        t->incoming[--t->incoming_start[t->head[i] + 1]] = i; /* leaves incoming_start[s + 1] at the start of s */
    }
    t->incoming_start++;
    t->incoming_start[table->state_count] = t->count;
    return true;
}

/* Transitions to states from which nothing can be accepted become dead. */
static bool cut_dead_ends(struct slm_state_table *table, struct transitions *t)
{
    uint32_t *queue = slm__arena_take(table->arena, table->state_count * sizeof *queue);
    uint8_t *alive = slm__arena_take(table->arena, table->state_count);
    if (queue == NULL || alive == NULL) {
        return false;
    }
    uint32_t count = 0;
    for (uint32_t s = 1; s < table->state_count; s++) {
        if (table->accepting[s]) {
            alive[s] = 1;
            queue[count++] = s;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = t->incoming_start[queue[i]]; k < t->incoming_start[queue[i] + 1]; k++) {
            uint32_t from = t->tail[t->incoming[k]];
            if (!alive[from]) {
                alive[from] = 1;
                queue[count++] = from;
            }
        }
    }
    table->start = alive[table->start] ? table->start : SLM_REGULAR_DEAD;
    if (count + 1 == table->state_count) {
        return true;
    }
    size_t cells = (size_t)table->state_count * table->class_count;
    for (size_t i = 0; i < cells; i++) {
        table->next[i] = alive[table->next[i]] && alive[i / table->class_count] ? table->next[i] : SLM_REGULAR_DEAD;
    }
    return collect(t, table);
}

static void refine(struct partition *blocks, struct partition *cords, const struct transitions *t)
{
    uint32_t b = 1;
    for (uint32_t c = 0; c < cords->count; c++) {
        for (uint32_t i = cords->first[c]; i < cords->past[c]; i++) {
            mark(blocks, t->tail[cords->members[i]]);
        }
        split(blocks);
        for (; b < blocks->count; b++) {
            for (uint32_t i = blocks->first[b]; i < blocks->past[b]; i++) {
                uint32_t state = blocks->members[i];
                for (uint32_t k = t->incoming_start[state]; k < t->incoming_start[state + 1]; k++) {
                    mark(cords, t->incoming[k]);
                }
            }
            split(cords);
        }
    }
}

/* The transitions of each class as one set. */
static void cords_by_class(struct partition *cords, const struct transitions *t, uint32_t class_count)
{
    cords->count = 0;
    uint32_t start = 0;
    for (uint32_t c = 0; c < class_count; c++) {
        if (t->class_end[c] > start) {
            cords->first[cords->count] = start;
            cords->past[cords->count] = t->class_end[c];
            for (uint32_t i = start; i < t->class_end[c]; i++) {
                cords->set[i] = cords->count;
            }
            cords->count++;
            start = t->class_end[c];
        }
    }
}

/* One state for each block that is reached from the start, in the order of reaching. */
static bool quotient(struct slm_state_table *table, const struct partition *blocks)
{
    uint32_t k = table->class_count;
    uint32_t *number = slm__arena_take(table->arena, blocks->count * sizeof *number);
    uint32_t *order = slm__arena_take(table->arena, (blocks->count + (size_t)1) * sizeof *order);
    struct slm_state_table small;
    if (number == NULL || order == NULL || !slm__table_init(&small, table->arena, k)) {
        return false;
    }
    if (table->start != SLM_REGULAR_DEAD) {
        number[blocks->set[table->start]] = 1;
        order[1] = table->start;
        small.start = 1;
        if (!slm__table_reach(&small, 1)) {
            return false;
        }
    }
    for (uint32_t s = 1; s < small.state_count; s++) {
        small.accepting[s] = table->accepting[order[s]];
        for (uint32_t c = 0; c < k; c++) {
            uint32_t to = table->next[(size_t)order[s] * k + c];
            if (to == SLM_REGULAR_DEAD) {
                continue;
            }
            uint32_t *target = &number[blocks->set[to]];
            if (*target == 0) {
                *target = small.state_count;
                order[*target] = to;
                if (!slm__table_reach(&small, *target)) {
                    return false;
                }
            }
            small.next[(size_t)s * k + c] = *target;
        }
    }
    *table = small;
    return true;
}

slm_status slm__table_minimize(struct slm_state_table *table, slm_error *error)
{
    struct transitions t;
    struct partition blocks;
    struct partition cords;
    if (!collect(&t, table) || !cut_dead_ends(table, &t) || !partition_init(&blocks, table->arena, table->state_count) ||
        !partition_init(&cords, table->arena, t.count)) {
        return slm__arena_failure(table->arena, error);
    }
    for (uint32_t s = 0; s < table->state_count; s++) {
        if (table->accepting[s]) {
            mark(&blocks, s);
        }
    }
    split(&blocks);
    cords_by_class(&cords, &t, table->class_count);
    refine(&blocks, &cords, &t);
    return quotient(table, &blocks) ? SLM_OK : slm__arena_failure(table->arena, error);
}

/* Number the classes of bytes anew so that classes with equal columns are one; *merged[old class] is the new one. */
static bool merge_classes(const struct slm_state_table *table, const uint8_t byte_class[256], uint8_t merged[256], uint8_t first[256],
                          uint32_t *class_count)
{
    struct slm_sequence_set columns;
    slm__sequence_init(&columns, table->arena, 256);
    uint32_t *column = slm__arena_take(table->arena, table->state_count * sizeof *column);
    bool seen[256] = {false};
    for (uint32_t byte = 0; column != NULL && byte < 256; byte++) {
        uint32_t c = byte_class[byte];
        if (seen[c]) {
            continue;
        }
        seen[c] = true;
        for (uint32_t s = 0; s < table->state_count; s++) {
            column[s] = table->next[(size_t)s * table->class_count + c];
        }
        uint32_t before = columns.count;
        uint32_t number = slm__sequence_add(&columns, column, table->state_count);
        if (number == UINT32_MAX) {
            return false;
        }
        merged[c] = (uint8_t)number;
        if (columns.count > before) {
            first[number] = (uint8_t)c;
        }
    }
    *class_count = columns.count;
    return column != NULL;
}

/* States in breadth-first order, classes in the order of their first byte. */
static slm_status write_result(const struct slm_state_table *table, const uint8_t byte_class[256], const uint8_t merged[256],
                               const uint8_t first[256], uint32_t class_count, struct slm_arena *arena, struct slm_regular *result,
                               slm_error *error)
{
    uint32_t *next = slm__arena_take(arena, (size_t)table->state_count * class_count * sizeof *next);
    uint8_t *accepting = slm__arena_take(arena, table->state_count);
    if (next == NULL || accepting == NULL) {
        return slm__arena_failure(arena, error);
    }
    uint32_t *number = slm__arena_take(table->arena, table->state_count * sizeof *number);
    uint32_t *order = slm__arena_take(table->arena, table->state_count * sizeof *order);
    if (number == NULL || order == NULL) {
        return slm__arena_failure(table->arena, error);
    }
    uint32_t count = 1;
    if (table->start != SLM_REGULAR_DEAD) {
        number[table->start] = 1;
        order[count++] = table->start;
    }
    for (uint32_t s = 1; s < count; s++) {
        accepting[s] = table->accepting[order[s]];
        for (uint32_t c = 0; c < class_count; c++) {
            uint32_t to = table->next[(size_t)order[s] * table->class_count + first[c]];
            if (to != SLM_REGULAR_DEAD && number[to] == 0) {
                number[to] = count;
                order[count++] = to;
            }
            next[(size_t)s * class_count + c] = number[to];
        }
    }
    *result =
        (struct slm_regular){.state_count = count, .class_count = class_count, .start = count > 1, .next = next, .accepting = accepting};
    for (uint32_t byte = 0; byte < 256; byte++) {
        result->byte_class[byte] = merged[byte_class[byte]];
    }
    return SLM_OK;
}

slm_status slm__table_write(const struct slm_state_table *table, const uint8_t byte_class[256], const struct slm_regular_space *space,
                            struct slm_regular *result, slm_error *error)
{
    uint8_t merged[256] = {0};
    uint8_t first[256] = {0};
    uint32_t class_count = 0;
    if (!merge_classes(table, byte_class, merged, first, &class_count)) {
        return slm__arena_failure(table->arena, error);
    }
    if (table->state_count > space->state_limit) {
        return slm__fail(error, SLM_E_LIMIT, "the language needs %u states, the limit is %u", table->state_count, space->state_limit);
    }
    return write_result(table, byte_class, merged, first, class_count, space->arena, result, error);
}

slm_status slm__table_finish(struct slm_state_table *table, const uint8_t byte_class[256], const struct slm_regular_space *space,
                             struct slm_regular *result, slm_error *error)
{
    SLM_TRY(slm__table_minimize(table, error));
    return slm__table_write(table, byte_class, space, result, error);
}

/* SPDX-License-Identifier: MIT */
/*
 * Subset construction over classes of code points. A state is a set of threads: a step that waits for a character, and what a
 * look-ahead that was passed on the way still asks of the rest of the text (obligations: states of that look's own machine, which is
 * built in the same way, as far as it is needed). Machines of look-behinds run beside from the start of the text; their states belong
 * to the state. So assertions are exact wherever they stand, and every state is one of finitely many.
 */
#include "grammar/regex_machine.h"
#include "grammar/state_table.h" /* struct slm_state_table */

enum { DEAD = SLM_REGULAR_DEAD, SATISFIED = 1, FIRST_STATE = 2, OBLIGATION_LIMIT = 32, SEEN_LIMIT = 1 << 14, MASK_BITS = 64 };

/* The machine of the pattern, or of a look. State: 0 dead, 1 matched whatever follows, FIRST_STATE + number of its key. */
struct machine {
    uint32_t start; /* step */
    bool behind;
    struct slm_sequence_set keys; /* states of the look-behinds, (of a look-behind: does it end here,) threads */
    struct slm_state_table table;
    uint8_t *expanded; /* [state] its transitions are known */
    uint32_t expanded_capacity;
    uint32_t *vector;  /* states of the look-behinds at the place at hand */
    uint64_t *threads; /* obligation << 32 | step, of the state at hand */
    uint32_t thread_count;
    uint32_t thread_capacity;
    uint32_t *words; /* a key being written */
    uint32_t word_capacity;
    uint32_t *key; /* of the state being expanded */
    uint32_t key_capacity;
    bool satisfied;
    bool matched;    /* look-behind: it ends at this place */
    uint64_t *stack; /* obligation << 32 | step << 1 | at the end */
    uint32_t stack_count;
    uint32_t stack_capacity;
    uint32_t *stamps; /* [2 * step + at the end] visited without obligations */
    uint32_t stamp;
    uint64_t *seen; /* visited with obligations, as on the stack */
    uint32_t seen_count;
    uint32_t seen_capacity;
};

struct runner {
    struct slm_arena *scratch;
    const struct slm_regex_program *program;
    struct slm_code_partition partition;
    struct machine *machines; /* [looks + 1], the pattern's is the last */
    uint32_t behind_count;
    uint32_t *behinds;                   /* [behind_count] the look */
    uint32_t *slot;                      /* [look] its place in the vectors */
    struct slm_sequence_set obligations; /* look, state, look, state ... ascending; 0 is none */
    uint32_t state_limit;
    slm_error *error;
};

static slm_status out_of_memory(struct runner *r) { return slm__arena_failure(r->scratch, r->error); }

static slm_status machine_init(struct runner *r, struct machine *m, uint32_t start, bool behind)
{
    *m = (struct machine){.start = start, .behind = behind};
    slm__sequence_init(&m->keys, r->scratch, r->state_limit);
    uint32_t classes = r->partition.class_count;
    m->vector = slm__arena_take(r->scratch, (r->behind_count + (size_t)1) * sizeof *m->vector);
    m->stamps = slm__arena_take(r->scratch, 2 * (size_t)r->program->step_count * sizeof *m->stamps);
    if (m->vector == NULL || m->stamps == NULL || !slm__table_init(&m->table, r->scratch, classes) ||
        !slm__table_reach(&m->table, SATISFIED) || !slm__arena_grow(r->scratch, &m->expanded, &m->expanded_capacity, FIRST_STATE, 1)) {
        return out_of_memory(r);
    }
    m->expanded[DEAD] = m->expanded[SATISFIED] = 1;
    m->table.accepting[SATISFIED] = 1;
    for (uint32_t c = 0; c < classes; c++) {
        m->table.next[classes + c] = SATISFIED;
    }
    return SLM_OK;
}

static slm_status step_machine(struct runner *r, struct machine *m, uint32_t state, uint32_t class, uint32_t *to);
static slm_status start_machine(struct runner *r, struct machine *m, const uint32_t *vector, bool at_start, uint32_t *state);

/* An obligation from `count` pairs (look << 32 | state), in any order, possibly twice. */
static slm_status make_obligation(struct runner *r, uint64_t *pairs, uint32_t count, uint32_t *obligation)
{
    uint32_t words[2 * OBLIGATION_LIMIT];
    uint32_t length = 0;
    slm__sort_u64(pairs, count);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && pairs[i] == pairs[i - 1]) {
            continue;
        }
        if (length == 2 * OBLIGATION_LIMIT) {
            return slm__fail(r->error, SLM_E_LIMIT, "the pattern's look-aheads overlap more than %d times", OBLIGATION_LIMIT);
        }
        words[length++] = (uint32_t)(pairs[i] >> 32);
        words[length++] = (uint32_t)pairs[i];
    }
    *obligation = slm__sequence_add(&r->obligations, words, length);
    return *obligation == UINT32_MAX ? slm__sequence_failure(&r->obligations, "combinations of look-aheads", r->error) : SLM_OK;
}

/* The pairs of an obligation; room for one more is left. */
static uint32_t obligation_pairs(const struct runner *r, uint32_t obligation, uint64_t pairs[OBLIGATION_LIMIT + 1])
{
    uint32_t length = 0;
    const uint32_t *words = slm__sequence_get(&r->obligations, obligation, &length);
    for (uint32_t i = 0; i < length; i += 2) {
        pairs[i / 2] = (uint64_t)words[i] << 32 | words[i + 1];
    }
    return length / 2;
}

/* What `obligation` asks after one more character; *alive false: it cannot be met any more. */
static slm_status step_obligation(struct runner *r, uint32_t *obligation, uint32_t class, bool *alive)
{
    *alive = true;
    if (*obligation == 0) {
        return SLM_OK;
    }
    uint64_t pairs[OBLIGATION_LIMIT + 1];
    uint32_t count = obligation_pairs(r, *obligation, pairs);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t look = (uint32_t)(pairs[i] >> 32);
        uint32_t to = 0;
        SLM_TRY(step_machine(r, &r->machines[look], (uint32_t)pairs[i], class, &to));
        bool negative = r->program->looks[look].negative;
        if (to == (negative ? SATISFIED : DEAD)) {
            *alive = false;
            return SLM_OK;
        }
        if (to != (negative ? DEAD : SATISFIED)) {
            pairs[kept++] = (uint64_t)look << 32 | to;
        }
    }
    return make_obligation(r, pairs, kept, obligation);
}

/* Is `obligation` met when the text ends here? */
static bool met_at_end(const struct runner *r, uint32_t obligation)
{
    uint64_t pairs[OBLIGATION_LIMIT + 1];
    uint32_t count = obligation_pairs(r, obligation, pairs);
    bool met = true;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t look = (uint32_t)(pairs[i] >> 32);
        met = met && r->machines[look].table.accepting[(uint32_t)pairs[i]] != r->program->looks[look].negative;
    }
    return met;
}

static slm_status push(struct runner *r, struct machine *m, uint32_t step, uint32_t obligation, bool at_end)
{
    if (!slm__arena_grow(r->scratch, &m->stack, &m->stack_capacity, (uint64_t)m->stack_count + 1, sizeof *m->stack)) {
        return out_of_memory(r);
    }
    m->stack[m->stack_count++] = (uint64_t)obligation << 32 | step << 1 | at_end;
    return SLM_OK;
}

/* Mark a place as visited; *fresh: it was not before. */
static slm_status visit(struct runner *r, struct machine *m, uint64_t place, bool *fresh)
{
    if (place >> 32 == 0) {
        uint32_t *stamp = &m->stamps[(uint32_t)place];
        *fresh = *stamp != m->stamp;
        *stamp = m->stamp;
        return SLM_OK;
    }
    *fresh = true;
    for (uint32_t i = 0; i < m->seen_count; i++) {
        *fresh = *fresh && m->seen[i] != place;
    }
    if (m->seen_count >= SEEN_LIMIT) {
        return slm__fail(r->error, SLM_E_LIMIT, "the pattern's look-aheads overlap in more than %d ways", SEEN_LIMIT);
    }
    if (*fresh && !slm__arena_grow(r->scratch, &m->seen, &m->seen_capacity, (uint64_t)m->seen_count + 1, sizeof *m->seen)) {
        return out_of_memory(r);
    }
    if (*fresh) {
        m->seen[m->seen_count++] = place;
    }
    return SLM_OK;
}

static slm_status add_thread(struct runner *r, struct machine *m, uint32_t step, uint32_t obligation)
{
    if (!slm__arena_grow(r->scratch, &m->threads, &m->thread_capacity, (uint64_t)m->thread_count + 1, sizeof *m->threads)) {
        return out_of_memory(r);
    }
    m->threads[m->thread_count++] = (uint64_t)obligation << 32 | step;
    return SLM_OK;
}

/* Pass a look, if that is possible, with what it asks of the rest of the text. */
static slm_status pass_look(struct runner *r, struct machine *m, uint32_t step, uint32_t obligation, bool at_end, bool at_start)
{
    uint32_t number = r->program->steps[step].x;
    const struct slm_regex_look *look = &r->program->looks[number];
    struct machine *inner = &r->machines[number];
    if (look->behind) {
        bool holds = inner->table.accepting[m->vector[r->slot[number]]];
        return holds != look->negative ? push(r, m, step + 1, obligation, at_end) : SLM_OK;
    }
    uint32_t state = 0;
    SLM_TRY(start_machine(r, inner, m->vector, at_start, &state));
    bool certain = at_end || state == SATISFIED || state == DEAD;
    if (certain) {
        return inner->table.accepting[state] != look->negative ? push(r, m, step + 1, obligation, at_end) : SLM_OK;
    }
    uint64_t pairs[OBLIGATION_LIMIT + 1];
    uint32_t count = obligation_pairs(r, obligation, pairs);
    pairs[count++] = (uint64_t)number << 32 | state;
    SLM_TRY(make_obligation(r, pairs, count, &obligation));
    return push(r, m, step + 1, obligation, at_end);
}

/* A match: whatever follows, or only if the text ends here. The thread of the latter stands on a step behind the last one. */
static slm_status reach_match(struct runner *r, struct machine *m, uint32_t step, uint32_t obligation, bool at_end)
{
    if (m->behind) {
        m->matched = true;
        return SLM_OK;
    }
    if (!at_end && obligation == 0) {
        m->satisfied = true;
        return SLM_OK;
    }
    return add_thread(r, m, at_end ? r->program->step_count : step, obligation);
}

/* Add all threads that are reached from `step` without reading. */
static slm_status close_over(struct runner *r, struct machine *m, uint32_t first, uint32_t owed, bool at_start)
{
    SLM_TRY(push(r, m, first, owed, false));
    while (m->stack_count > 0) {
        uint64_t place = m->stack[--m->stack_count];
        uint32_t obligation = (uint32_t)(place >> 32);
        uint32_t step = (uint32_t)place >> 1;
        bool at_end = place & 1;
        const struct slm_regex_step *s = &r->program->steps[step];
        bool fresh = false;
        SLM_TRY(visit(r, m, place, &fresh));
        if (!fresh) {
            continue;
        }
        switch (s->operation) {
        case SLM_STEP_SET:
            if (!at_end) {
                SLM_TRY(add_thread(r, m, step, obligation));
            }
            break;
        case SLM_STEP_SPLIT:
            SLM_TRY(push(r, m, s->y, obligation, at_end));
            SLM_TRY(push(r, m, s->x, obligation, at_end));
            break;
        case SLM_STEP_JUMP: SLM_TRY(push(r, m, s->x, obligation, at_end)); break;
        case SLM_STEP_START:
            if (at_start) {
                SLM_TRY(push(r, m, step + 1, obligation, at_end));
            }
            break;
        case SLM_STEP_END: SLM_TRY(push(r, m, step + 1, obligation, true)); break;
        case SLM_STEP_LOOK: SLM_TRY(pass_look(r, m, step, obligation, at_end, at_start)); break;
        default: SLM_TRY(reach_match(r, m, step, obligation, at_end)); break;
        }
    }
    return SLM_OK;
}

static void begin_state(struct machine *m)
{
    m->thread_count = m->seen_count = 0;
    m->satisfied = m->matched = false;
    if (++m->stamp == 0) {
        m->stamp = 1; /* after 2^32 states; the limit is far below */
    }
}

/* Does the text match when it ends at the threads at hand? */
static bool accepts(const struct runner *r, const struct machine *m)
{
    bool accepting = m->matched;
    for (uint32_t i = 0; i < m->thread_count && !accepting; i++) {
        uint32_t step = (uint32_t)m->threads[i];
        bool match = step == r->program->step_count || r->program->steps[step].operation == SLM_STEP_MATCH;
        accepting = match && met_at_end(r, (uint32_t)(m->threads[i] >> 32));
    }
    return accepting;
}

/* The state of the threads at hand. */
static slm_status end_state(struct runner *r, struct machine *m, uint32_t *state)
{
    *state = m->satisfied ? SATISFIED : DEAD;
    if (m->satisfied || (m->thread_count == 0 && !m->behind)) {
        return SLM_OK;
    }
    if (!slm__arena_grow(r->scratch, &m->words, &m->word_capacity, 2 * (uint64_t)m->thread_count + r->behind_count + 1, sizeof *m->words)) {
        return out_of_memory(r);
    }
    uint32_t length = 0;
    slm__sort_u64(m->threads, m->thread_count);
    if (m->behind) {
        m->words[length++] = m->matched;
    }
    for (uint32_t i = 0; i < r->behind_count && !m->behind; i++) {
        m->words[length++] = m->vector[i];
    }
    for (uint32_t i = 0; i < m->thread_count; i++) {
        m->words[length++] = (uint32_t)m->threads[i];
        if (r->program->look_count > 0) {
            m->words[length++] = (uint32_t)(m->threads[i] >> 32);
        }
    }
    uint32_t number = slm__sequence_add(&m->keys, m->words, length);
    if (number == UINT32_MAX) {
        return slm__sequence_failure(&m->keys, "states", r->error);
    }
    *state = FIRST_STATE + number;
    if (*state == m->table.state_count) {
        if (!slm__table_reach(&m->table, *state) ||
            !slm__arena_grow(r->scratch, &m->expanded, &m->expanded_capacity, (uint64_t)*state + 1, 1)) {
            return out_of_memory(r);
        }
        m->table.accepting[*state] = accepts(r, m);
    }
    return SLM_OK;
}

static slm_status start_machine(struct runner *r, struct machine *m, const uint32_t *vector, bool at_start, uint32_t *state)
{
    begin_state(m);
    if (r->behind_count > 0 && m->vector != vector) {
        memcpy(m->vector, vector, r->behind_count * sizeof *vector);
    }
    SLM_TRY(close_over(r, m, m->start, 0, at_start));
    return end_state(r, m, state);
}

static inline bool reads(const struct runner *r, uint32_t step, uint32_t class)
{
    return r->partition.members[(size_t)r->program->steps[step].x * r->partition.class_count + class];
}

/* The successor of the state with `key` for one class. */
static slm_status successor(struct runner *r, struct machine *m, const uint32_t *key, uint32_t length, uint32_t class, uint32_t *to)
{
    uint32_t head = m->behind ? 1 : r->behind_count;
    uint32_t width = r->program->look_count > 0 ? 2 : 1;
    begin_state(m);
    for (uint32_t i = 0; i < r->behind_count && !m->behind; i++) {
        SLM_TRY(step_machine(r, &r->machines[r->behinds[i]], key[i], class, &m->vector[i]));
    }
    for (uint32_t i = head; i < length && !m->satisfied; i += width) {
        uint32_t step = key[i];
        uint32_t obligation = width > 1 ? key[i + 1] : 0;
        if (step == r->program->step_count) {
            continue;
        }
        bool match = r->program->steps[step].operation == SLM_STEP_MATCH;
        bool alive = match || reads(r, step, class);
        if (alive) {
            SLM_TRY(step_obligation(r, &obligation, class, &alive));
        }
        if (alive) {
            SLM_TRY(close_over(r, m, match ? step : step + 1, obligation, false));
        }
    }
    return end_state(r, m, to);
}

/* Which threads of a key without assertions read a character of the class. */
static uint64_t reading_mask(const struct runner *r, const uint32_t *key, uint32_t length, uint32_t class)
{
    uint64_t mask = 0;
    for (uint32_t i = 0; i < length; i++) {
        bool read = key[i] < r->program->step_count && reads(r, key[i], class);
        mask |= (uint64_t)read << i;
    }
    return mask;
}

/* All transitions of a state. Classes that the same threads read lead to the same state. */
static slm_status expand_state(struct runner *r, struct machine *m, uint32_t state)
{
    uint32_t length = 0;
    uint32_t classes = m->table.class_count;
    const uint32_t *known = slm__sequence_get(&m->keys, state - FIRST_STATE, &length);
    if (!slm__arena_grow(r->scratch, &m->key, &m->key_capacity, length, sizeof *m->key)) {
        return out_of_memory(r);
    }
    uint32_t *key = m->key;
    if (length > 0) {
        memcpy(key, known, length * sizeof *key);
    }
    bool plain = r->program->look_count == 0 && length <= MASK_BITS;
    uint64_t masks[MASK_BITS];
    uint32_t targets[MASK_BITS];
    uint32_t count = 0;
    for (uint32_t c = 0; c < classes; c++) {
        uint64_t mask = plain ? reading_mask(r, key, length, c) : 1;
        uint32_t to = DEAD;
        uint32_t i = 0;
        while (i < count && masks[i] != mask) {
            i++;
        }
        if (plain && i < count) {
            to = targets[i];
        } else if (mask != 0) {
            SLM_TRY(successor(r, m, key, length, c, &to));
        }
        if (plain && i == count && count < MASK_BITS) {
            masks[count] = mask;
            targets[count++] = to;
        }
        m->table.next[(size_t)state * classes + c] = to;
    }
    m->expanded[state] = 1;
    return SLM_OK;
}

static slm_status step_machine(struct runner *r, struct machine *m, uint32_t state, uint32_t class, uint32_t *to)
{
    if (!m->expanded[state]) {
        SLM_TRY(expand_state(r, m, state));
    }
    *to = m->table.next[(size_t)state * m->table.class_count + class];
    return SLM_OK;
}

/* Machines of all looks and of the pattern, and the states of the look-behinds at the start of the text. */
static slm_status prepare(struct runner *r)
{
    const struct slm_regex_program *p = r->program;
    uint32_t looks = p->look_count;
    r->machines = slm__arena_take(r->scratch, (looks + (size_t)1) * sizeof *r->machines);
    r->behinds = slm__arena_take(r->scratch, (looks + (size_t)1) * sizeof *r->behinds);
    r->slot = slm__arena_take(r->scratch, (looks + (size_t)1) * sizeof *r->slot);
    slm__sequence_init(&r->obligations, r->scratch, r->state_limit);
    if (r->machines == NULL || r->behinds == NULL || r->slot == NULL || slm__sequence_add(&r->obligations, NULL, 0) != 0) {
        return out_of_memory(r);
    }
    for (uint32_t i = 0; i < looks; i++) {
        if (p->looks[i].behind) {
            r->slot[i] = r->behind_count;
            r->behinds[r->behind_count++] = i;
        }
    }
    for (uint32_t i = 0; i < looks; i++) {
        SLM_TRY(machine_init(r, &r->machines[i], p->looks[i].start, p->looks[i].behind));
    }
    struct machine *pattern = &r->machines[looks];
    SLM_TRY(machine_init(r, pattern, 0, false));
    for (uint32_t i = 0; i < r->behind_count; i++) {
        struct machine *behind = &r->machines[r->behinds[i]];
        SLM_TRY(start_machine(r, behind, behind->vector, true, &pattern->vector[i]));
    }
    return start_machine(r, pattern, pattern->vector, true, &pattern->table.start);
}

/* The classes of characters that the pattern's sets make. */
static slm_status divide(struct runner *r)
{
    const struct slm_sequence_set *known = &r->program->sets;
    struct slm_code_set *sets = slm__arena_take(r->scratch, known->count * sizeof *sets);
    if (sets == NULL) {
        return out_of_memory(r);
    }
    for (uint32_t i = 0; i < known->count; i++) {
        uint32_t length = 0;
        const uint32_t *words = slm__sequence_get(known, i, &length);
        struct slm_code_range *ranges = slm__arena_take(r->scratch, length * sizeof *words);
        if (ranges == NULL) {
            return out_of_memory(r);
        }
        if (length > 0) {
            memcpy(ranges, words, length * sizeof *words);
        }
        sets[i] = (struct slm_code_set){ranges, length / 2};
    }
    return slm__partition_build(r->scratch, sets, known->count, &r->partition, r->error);
}

slm_status slm__regex_machine(const struct slm_regular_space *space, struct slm_arena *scratch, const struct slm_regex *regex, bool whole,
                              struct slm_regular *result, slm_error *error)
{
    struct slm_regex_program program;
    SLM_TRY(slm__regex_program(&program, scratch, space->state_limit, regex, whole, error));
    struct runner r = {.scratch = scratch, .program = &program, .state_limit = space->state_limit, .error = error};
    SLM_TRY(divide(&r));
    SLM_TRY(prepare(&r));
    struct machine *pattern = &r.machines[program.look_count];
    for (uint32_t state = FIRST_STATE; state < pattern->table.state_count; state++) {
        SLM_TRY(expand_state(&r, pattern, state));
    }
    SLM_TRY(slm__table_minimize(&pattern->table, error));
    return slm__partition_to_bytes(space, &r.partition, &pattern->table, result, error);
}

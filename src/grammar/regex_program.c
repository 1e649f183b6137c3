/* SPDX-License-Identifier: MIT */
/* The tree of a pattern written out as steps: counted repetitions become copies, looks stand beside the way that asks for them. */
#include "grammar/regex_machine.h" /* struct slm_regex_program */

enum { STEPS_PER_STATE = 4, LOOK_LIMIT = 64, LOOK_DEPTH = 8 };

struct writer {
    struct slm_regex_program *program;
    uint32_t look_depth;
    bool in_behind;
    slm_error *error;
};

static slm_status put(struct writer *w, uint32_t operation, uint32_t x, uint32_t y)
{
    struct slm_regex_program *p = w->program;
    if (p->step_count >= p->step_limit) {
        return slm__fail(w->error, SLM_E_LIMIT, "the pattern written out is longer than the limit of %u steps", p->step_limit);
    }
    if (!slm__arena_grow(p->arena, &p->steps, &p->step_capacity, (uint64_t)p->step_count + 1, sizeof *p->steps)) {
        return slm__arena_failure(p->arena, w->error);
    }
    p->steps[p->step_count++] = (struct slm_regex_step){operation, x, y};
    return SLM_OK;
}

static slm_status write_set(struct writer *w, struct slm_code_set set)
{
    _Static_assert(sizeof(struct slm_code_range) == 2 * sizeof(uint32_t), "ranges are pairs of words");
    if (set.count > UINT32_MAX / 4) {
        return slm__fail(w->error, SLM_E_LIMIT, "a class has too many ranges");
    }
    uint32_t words[2];
    const uint32_t *ranges = words;
    if (set.count > 0) {
        ranges = &set.ranges[0].first;
    }
    uint32_t number = slm__sequence_add(&w->program->sets, ranges, 2 * set.count);
    if (number == UINT32_MAX) {
        return slm__sequence_failure(&w->program->sets, "different sets of characters", w->error);
    }
    return put(w, SLM_STEP_SET, number, 0);
}

static const struct slm_code_range every_character[] = {{0, SLM_SURROGATE_FIRST - 1}, {SLM_SURROGATE_LAST + 1, SLM_CODE_LAST}};

/* Any characters: L: split(L + 1, L + 3); any; jump L. */
static slm_status write_anything(struct writer *w)
{
    struct slm_code_set any = {every_character, 2};
    uint32_t first = w->program->step_count;
    SLM_TRY(put(w, SLM_STEP_SPLIT, first + 1, first + 3));
    SLM_TRY(write_set(w, any));
    return put(w, SLM_STEP_JUMP, first, 0);
}

static slm_status write_node(struct writer *w, const struct slm_regex *node);

/* split(first, rest): first child; jump end; rest: split ... The jumps are chained through x until the end is known. */
static slm_status write_choice(struct writer *w, const struct slm_regex *node)
{
    uint32_t jumps = UINT32_MAX;
    for (uint32_t i = 0; i < node->count; i++) {
        uint32_t split = w->program->step_count;
        bool last = i + 1 == node->count;
        if (!last) {
            SLM_TRY(put(w, SLM_STEP_SPLIT, split + 1, 0));
        }
        SLM_TRY(write_node(w, node->children[i]));
        if (!last) {
            uint32_t jump = w->program->step_count;
            SLM_TRY(put(w, SLM_STEP_JUMP, jumps, 0));
            w->program->steps[split].y = jump + 1;
            jumps = jump;
        }
    }
    while (jumps != UINT32_MAX) {
        uint32_t before = w->program->steps[jumps].x;
        w->program->steps[jumps].x = w->program->step_count;
        jumps = before;
    }
    return SLM_OK;
}

/* x{n,}: n copies, the last one in a loop; without one: L: split(x, end); x; jump L. */
static slm_status write_endless(struct writer *w, const struct slm_regex *node)
{
    uint32_t first = w->program->step_count;
    for (uint32_t i = 0; i < node->min; i++) {
        first = w->program->step_count;
        SLM_TRY(write_node(w, node->children[0]));
        if (w->program->step_count == first) {
            return SLM_OK; /* nothing, however often */
        }
    }
    if (node->min > 0) {
        return put(w, SLM_STEP_SPLIT, first, w->program->step_count + 1);
    }
    SLM_TRY(put(w, SLM_STEP_SPLIT, first + 1, 0));
    SLM_TRY(write_node(w, node->children[0]));
    SLM_TRY(put(w, SLM_STEP_JUMP, first, 0));
    w->program->steps[first].y = w->program->step_count;
    return SLM_OK;
}

/* x{n,m}: n copies, then split(x, end) x split(x, end) x ... with the splits chained through y until the end is known. */
static slm_status write_repeat(struct writer *w, const struct slm_regex *node)
{
    if (node->max == UINT32_MAX) {
        return write_endless(w, node);
    }
    uint32_t splits = UINT32_MAX;
    for (uint32_t i = 0; i < node->max; i++) {
        uint32_t first = w->program->step_count;
        if (i >= node->min) {
            SLM_TRY(put(w, SLM_STEP_SPLIT, first + 1, splits));
            splits = first++;
        }
        SLM_TRY(write_node(w, node->children[0]));
        if (w->program->step_count == first) {
            break;
        }
    }
    while (splits != UINT32_MAX) {
        uint32_t before = w->program->steps[splits].y;
        w->program->steps[splits].y = w->program->step_count;
        splits = before;
    }
    return SLM_OK;
}

/* jump behind; (anything, if it looks back;) body; match; look. */
static slm_status write_look(struct writer *w, const struct slm_regex *node)
{
    struct slm_regex_program *p = w->program;
    if (w->in_behind) {
        return slm__fail(w->error, SLM_E_UNSUPPORTED, "an assertion inside of a look-behind is not supported");
    }
    for (uint32_t i = 0; i < p->look_count; i++) {
        const struct slm_regex_look *known = &p->looks[i];
        if (known->body == node->children[0] && known->behind == node->behind && known->negative == node->negative) {
            return put(w, SLM_STEP_LOOK, i, 0);
        }
    }
    if (p->look_count >= LOOK_LIMIT || w->look_depth >= LOOK_DEPTH) {
        return slm__fail(w->error, SLM_E_LIMIT, "the pattern has more than %d look-arounds or nests them deeper than %d", LOOK_LIMIT,
                         LOOK_DEPTH);
    }
    if (!slm__arena_grow(p->arena, &p->looks, &p->look_capacity, (uint64_t)p->look_count + 1, sizeof *p->looks)) {
        return slm__arena_failure(p->arena, w->error);
    }
    uint32_t number = p->look_count++;
    uint32_t jump = p->step_count;
    SLM_TRY(put(w, SLM_STEP_JUMP, 0, 0));
    p->looks[number] =
        (struct slm_regex_look){.body = node->children[0], .start = p->step_count, .negative = node->negative, .behind = node->behind};
    if (node->behind) {
        SLM_TRY(write_anything(w));
    }
    w->look_depth++;
    w->in_behind = node->behind;
    SLM_TRY(write_node(w, node->children[0]));
    w->in_behind = false;
    w->look_depth--;
    SLM_TRY(put(w, SLM_STEP_MATCH, 0, 0));
    p->steps[jump].x = p->step_count;
    return put(w, SLM_STEP_LOOK, number, 0);
}

/* Recursion as deep as groups are nested, which the parser limits. */
static slm_status write_node(struct writer *w, const struct slm_regex *node)
{
    switch (node->kind) {
    case SLM_REGEX_SET: return write_set(w, node->set);
    case SLM_REGEX_SEQUENCE:
        for (uint32_t i = 0; i < node->count; i++) {
            SLM_TRY(write_node(w, node->children[i]));
        }
        return SLM_OK;
    case SLM_REGEX_CHOICE: return write_choice(w, node);
    case SLM_REGEX_REPEAT: return write_repeat(w, node);
    case SLM_REGEX_START: return put(w, SLM_STEP_START, 0, 0);
    case SLM_REGEX_END:
        if (w->in_behind) {
            return slm__fail(w->error, SLM_E_UNSUPPORTED, "an assertion inside of a look-behind is not supported");
        }
        return put(w, SLM_STEP_END, 0, 0);
    case SLM_REGEX_LOOK: return write_look(w, node);
    default: return SLM_OK;
    }
}

/* Can the pattern match at the start of the text only? */
static bool is_anchored(const struct slm_regex *node)
{
    switch (node->kind) {
    case SLM_REGEX_START: return true;
    case SLM_REGEX_SEQUENCE: return is_anchored(node->children[0]);
    case SLM_REGEX_REPEAT: return node->min > 0 && is_anchored(node->children[0]);
    case SLM_REGEX_CHOICE:
        for (uint32_t i = 0; i < node->count; i++) {
            if (!is_anchored(node->children[i])) {
                return false;
            }
        }
        return true;
    default: return false;
    }
}

slm_status slm__regex_program(struct slm_regex_program *program, struct slm_arena *scratch, uint32_t state_limit,
                              const struct slm_regex *regex, bool whole, slm_error *error)
{
    uint64_t limit = (uint64_t)STEPS_PER_STATE * state_limit;
    *program = (struct slm_regex_program){.arena = scratch, .step_limit = limit > UINT32_MAX / 8 ? UINT32_MAX / 8 : (uint32_t)limit};
    slm__sequence_init(&program->sets, scratch, SLM_PARTITION_SETS);
    struct writer w = {.program = program, .error = error};
    if (!whole && !is_anchored(regex)) {
        SLM_TRY(write_anything(&w));
    }
    SLM_TRY(write_node(&w, regex));
    if (whole) {
        SLM_TRY(put(&w, SLM_STEP_END, 0, 0));
    }
    return put(&w, SLM_STEP_MATCH, 0, 0);
}

/* SPDX-License-Identifier: MIT */
/* Goals: sets of literals, numbered. */
#include "grammar/schema_goals.h"
#include "grammar/schema_evaluate.h" /* slm__json_value_type */

enum { FIRST_SLOTS = 512 };

/* A literal that every value satisfies (1), none does (0), or neither is plain to see (-1). */
static int plain_truth(const struct slm_schema_work *work, slm_literal literal)
{
    const struct slm_schema_location *location = &work->document.locations[literal / 2];
    bool negative = literal & 1;
    if (location->json->type == SLM_JSON_FALSE) {
        return negative;
    }
    if (location->json->type == SLM_JSON_TRUE || location->present == 0) {
        return !negative;
    }
    return -1;
}

static uint32_t hash_of(const slm_literal *literals, uint32_t count)
{
    uint64_t hash = count;
    for (uint32_t i = 0; i < count; i++) {
        hash = (hash ^ literals[i]) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 29;
    }
    return (uint32_t)(hash ^ hash >> 32);
}

static uint32_t slot_of(const struct slm_schema_work *work, const slm_literal *literals, uint32_t count)
{
    uint32_t slot = hash_of(literals, count) & work->goal_slot_mask;
    for (; work->goal_slots[slot] != 0; slot = (slot + 1) & work->goal_slot_mask) {
        const struct slm_goal_record *goal = &work->goals[work->goal_slots[slot] - 1];
        if (goal->count == count && memcmp(goal->literals, literals, count * sizeof *literals) == 0) {
            break;
        }
    }
    return slot;
}

static slm_status grow_slots(struct slm_schema_work *work)
{
    uint32_t slots = work->goal_slots == NULL ? FIRST_SLOTS : 2 * (work->goal_slot_mask + 1);
    SLM_TRY(slm__schema_take(work, slots * sizeof(uint32_t), &work->goal_slots));
    work->goal_slot_mask = slots - 1;
    for (uint32_t i = SLM_GOAL_NEVER + 1; i < work->goal_count; i++) {
        work->goal_slots[slot_of(work, work->goals[i].literals, work->goals[i].count)] = i + 1;
    }
    return SLM_OK;
}

static slm_status add_goal(struct slm_schema_work *work, const slm_literal *literals, uint32_t count, slm_goal *goal)
{
    SLM_TRY(slm__schema_room(work, &work->goals, work->goal_count, &work->goal_capacity, sizeof *work->goals));
    *goal = work->goal_count++;
    work->goals[*goal] = (struct slm_goal_record){.literals = literals, .count = count};
    return SLM_OK;
}

/* ANY and NEVER are the first two. */
static slm_status add_constants(struct slm_schema_work *work)
{
    slm_goal goal = 0;
    SLM_TRY(add_goal(work, NULL, 0, &goal));
    SLM_TRY(add_goal(work, NULL, 0, &goal));
    uint8_t all = (1u << SLM_VALUE_TYPES) - 1;
    work->goals[SLM_GOAL_NEVER].expanded = all;
    work->goals[SLM_GOAL_NEVER].tested = all;
    work->goals[SLM_GOAL_NEVER].empty = all;
    return SLM_OK;
}

/* Ascending, each once, without those that always hold; *never: no value satisfies them. Returns their number. */
static uint32_t tidy(const struct slm_schema_work *work, slm_literal *literals, uint32_t count, bool *never)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        int truth = plain_truth(work, literals[i]);
        *never = *never || truth == 0;
        uint32_t at = kept;
        while (at > 0 && literals[at - 1] > literals[i]) {
            at--;
        }
        if (truth > 0 || (at > 0 && literals[at - 1] == literals[i])) {
            continue;
        }
        slm_literal literal = literals[i];
        memmove(literals + at + 1, literals + at, (kept - at) * sizeof *literals);
        literals[at] = literal;
        kept++;
    }
    for (uint32_t i = 1; i < kept; i++) {
        *never = *never || (literals[i] == literals[i - 1] + 1 && (literals[i] & 1)); /* a location and its opposite */
    }
    return kept;
}

slm_status slm__goal_of(struct slm_schema_work *work, const slm_literal *literals, uint32_t count, slm_goal *goal)
{
    if (work->goal_count == 0) {
        SLM_TRY(add_constants(work));
    }
    if (work->goal_slots == NULL || work->goal_count > work->goal_slot_mask / 2) {
        SLM_TRY(grow_slots(work));
    }
    SLM_TRY(slm__schema_spend(work, 1 + (uint64_t)count * (count > 16 ? count / 16 : 1)));
    slm_literal few[32];
    slm_literal *sorted = few;
    if (count > sizeof few / sizeof few[0]) {
        SLM_TRY(slm__schema_take(work, count * sizeof *sorted, &sorted));
    }
    if (count > 0) {
        memcpy(sorted, literals, count * sizeof *sorted);
    }
    bool never = false;
    count = tidy(work, sorted, count, &never);
    if (never || count == 0) {
        *goal = never ? SLM_GOAL_NEVER : SLM_GOAL_ANY;
        return SLM_OK;
    }
    uint32_t slot = slot_of(work, sorted, count);
    if (work->goal_slots[slot] != 0) {
        *goal = work->goal_slots[slot] - 1;
        return SLM_OK;
    }
    slm_literal *kept = NULL;
    SLM_TRY(slm__schema_take(work, count * sizeof *kept, &kept));
    memcpy(kept, sorted, count * sizeof *kept);
    SLM_TRY(add_goal(work, kept, count, goal));
    work->goal_slots[slot] = *goal + 1;
    return SLM_OK;
}

slm_status slm__literals_add(struct slm_schema_work *work, struct slm_literals *literals, slm_literal literal)
{
    SLM_TRY(slm__schema_room(work, &literals->list, literals->count, &literals->capacity, sizeof *literals->list));
    literals->list[literals->count++] = literal;
    return SLM_OK;
}

slm_status slm__literals_add_schema(struct slm_schema_work *work, struct slm_literals *literals, const struct slm_json *schema)
{
    uint32_t location = 0;
    SLM_TRY(slm__schema_at(work, schema, &location));
    return slm__literals_add(work, literals, slm__literal(location, false));
}

slm_status slm__literals_goal(struct slm_schema_work *work, const struct slm_literals *literals, slm_goal *goal)
{
    *goal = SLM_GOAL_NEVER;
    return literals->never ? SLM_OK : slm__goal_of(work, literals->list, literals->count, goal);
}

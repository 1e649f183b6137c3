/* SPDX-License-Identifier: MIT */
/*
 * Arrays as nodes. Plain ones are nested options and one repetition. `contains` counts matching items in a table of (items so far, matches
 * so far); different items are a table over subsets, possible when the items are few given values.
 */
#include "grammar/schema_evaluate.h" /* slm__json_equal */
#include "grammar/schema_nodes.h"    /* slm__goal_node, slm__comma_node */
#include "grammar/schema_records.h"  /* struct slm_schema_array */

enum { MOST_CELLS = 4096, MOST_UNIQUE = 8, MOST_MARKS = 4 };

slm_node slm__bracket_node(struct slm_schema_work *work, slm_node inside)
{
    slm_node parts[5] = {slm__node_text(work->builder, slm__span("[", 1)), work->space_node, inside, work->space_node,
                         slm__node_text(work->builder, slm__span("]", 1))};
    if (inside == SLM_NODE_EMPTY) {
        parts[3] = SLM_NODE_EMPTY;
    }
    return slm__node_sequence(work->builder, parts, 5);
}

slm_node slm__comma_node(struct slm_schema_work *work, slm_node node)
{
    slm_node parts[4] = {work->space_node, slm__node_text(work->builder, slm__span(",", 1)), work->space_node, node};
    return slm__node_sequence(work->builder, parts, 4);
}

static slm_goal goal_at(const struct slm_schema_array *array, uint32_t index)
{
    return index < array->prefix_count ? array->prefix[index] : array->rest;
}

static uint32_t at_least_zero(uint32_t a, uint32_t b) { return a > b ? a - b : 0; }

static uint32_t left(uint32_t max, uint32_t used) { return max == UINT32_MAX ? SLM_REPEAT_NO_END : at_least_zero(max, used); }

/* The array without '[' and ']'. From the last item of the prefix to the first. */
static slm_status plain_items(struct slm_schema_work *work, const struct slm_schema_array *array, slm_node *node)
{
    slm_node rest = SLM_NODE_NEVER;
    uint32_t fixed = array->prefix_count > 0 ? array->prefix_count : 1;
    *node = SLM_NODE_EMPTY;
    if (array->max > array->prefix_count) {
        SLM_TRY(slm__goal_node(work, array->rest, &rest));
    }
    if (array->max > fixed) {
        *node = slm__node_repeat(work->builder, slm__comma_node(work, rest), at_least_zero(array->min, fixed), left(array->max, fixed));
    }
    for (uint32_t i = fixed < array->max ? fixed : array->max; i-- > 0;) {
        slm_node item = rest;
        if (i < array->prefix_count) {
            SLM_TRY(slm__goal_node(work, array->prefix[i], &item));
        }
        *node = slm__pair_node(work->builder, i == 0 ? item : slm__comma_node(work, item), *node);
        *node = array->min > i ? *node : slm__either_node(work->builder, SLM_NODE_EMPTY, *node);
    }
    return SLM_OK;
}

/* Item `index` that satisfies what the `contains` in the bits of `set` ask for; `opposite`: the first one fails. */
static slm_status item_with(struct slm_schema_work *work, const struct slm_schema_array *array, uint32_t index, uint32_t set, bool opposite,
                            slm_node *node)
{
    const struct slm_goal_record goal = work->goals[goal_at(array, index)];
    *node = SLM_NODE_NEVER;
    if (goal_at(array, index) == SLM_GOAL_NEVER) {
        return SLM_OK;
    }
    slm_literal *literals = NULL;
    slm_goal both = SLM_GOAL_ANY;
    uint32_t count = goal.count;
    SLM_TRY(slm__schema_take(work, (goal.count + array->contains_count) * sizeof *literals, &literals));
    if (count > 0) {
        memcpy(literals, goal.literals, count * sizeof *literals);
    }
    for (uint32_t i = 0; i < array->contains_count; i++) {
        if ((set >> i & 1) != 0) {
            literals[count++] = array->contains[i].literal ^ opposite;
        }
    }
    SLM_TRY(slm__goal_of(work, literals, count, &both));
    return slm__goal_node(work, both, node);
}

/* What follows `index` items of which `matches` matched; the cells of `index` + 1 are known. The last row repeats itself. */
static slm_status cell(struct slm_schema_work *work, const struct slm_schema_array *array, uint32_t index, uint32_t matches, bool last,
                       const slm_node *below, slm_node *node)
{
    const struct slm_schema_contains *contains = &array->contains[0];
    bool counted = index >= contains->from;
    bool full = contains->most == UINT32_MAX && matches >= contains->least;
    slm_node with = SLM_NODE_NEVER;
    slm_node without = SLM_NODE_NEVER;
    if (index < array->max && counted && !full && matches < contains->most) {
        SLM_TRY(item_with(work, array, index, 1, false, &with));
    }
    if (index < array->max && counted && contains->most != UINT32_MAX) {
        SLM_TRY(item_with(work, array, index, 1, true, &without));
    } else if (index < array->max) {
        SLM_TRY(slm__goal_node(work, goal_at(array, index), &without));
    }
    if (index > 0) {
        with = slm__comma_node(work, with);
        without = slm__comma_node(work, without);
    }
    slm_node end = index >= array->min && matches >= contains->least ? SLM_NODE_EMPTY : SLM_NODE_NEVER;
    if (with != SLM_NODE_NEVER) {
        end = slm__either_node(work->builder, end, slm__pair_node(work->builder, with, below[matches + 1]));
    }
    if (last) {
        slm_node repeated = array->max == UINT32_MAX ? slm__node_repeat(work->builder, without, 0, SLM_REPEAT_NO_END) : SLM_NODE_EMPTY;
        *node = slm__pair_node(work->builder, repeated, end);
    } else {
        *node = slm__either_node(work->builder, end, slm__pair_node(work->builder, without, below[matches]));
    }
    return SLM_OK;
}

/* Several `contains` that each ask for one item at least: `found` are those that have theirs. */
static slm_status marked_cell(struct slm_schema_work *work, const struct slm_schema_array *array, uint32_t index, uint32_t found, bool last,
                              const slm_node *below, slm_node *node)
{
    uint32_t all = (1u << array->contains_count) - 1;
    slm_node plain = SLM_NODE_NEVER;
    slm_node end = index >= array->min && found == all ? SLM_NODE_EMPTY : SLM_NODE_NEVER;
    for (uint32_t set = 1; set <= all && index < array->max; set++) {
        bool possible = (set & found) == 0;
        for (uint32_t i = 0; i < array->contains_count; i++) {
            possible = possible && ((set >> i & 1) == 0 || index >= array->contains[i].from);
        }
        slm_node item = SLM_NODE_NEVER;
        if (possible) {
            SLM_TRY(item_with(work, array, index, set, false, &item));
            item = index > 0 ? slm__comma_node(work, item) : item;
            end = slm__either_node(work->builder, end, slm__pair_node(work->builder, item, below[found | set]));
        }
    }
    if (index < array->max) {
        SLM_TRY(slm__goal_node(work, goal_at(array, index), &plain));
        plain = index > 0 ? slm__comma_node(work, plain) : plain;
    }
    if (last) {
        slm_node repeated = array->max == UINT32_MAX ? slm__node_repeat(work->builder, plain, 0, SLM_REPEAT_NO_END) : SLM_NODE_EMPTY;
        *node = slm__pair_node(work->builder, repeated, end);
    } else {
        *node = slm__either_node(work->builder, end, slm__pair_node(work->builder, plain, below[found]));
    }
    return SLM_OK;
}

/* May the array be read as marks: at least one item for each of a few `contains`? */
static bool has_marks(const struct slm_schema_array *array)
{
    bool marks = array->contains_count > 1 && array->contains_count <= MOST_MARKS;
    for (uint32_t i = 0; marks && i < array->contains_count; i++) {
        marks = array->contains[i].least == 1 && array->contains[i].most == UINT32_MAX;
    }
    return marks;
}

/* Rows that differ from each other: behind the last one all items are alike. */
static uint64_t row_count(const struct slm_schema_array *array)
{
    uint64_t rows = array->max;
    if (array->max == UINT32_MAX) {
        rows = array->min > array->prefix_count ? array->min : array->prefix_count;
        for (uint32_t i = 0; i < array->contains_count; i++) {
            rows = array->contains[i].from > rows ? array->contains[i].from : rows;
        }
    }
    return rows == 0 ? 1 : rows; /* the first item has no comma */
}

static slm_status counted_items(struct slm_schema_work *work, const struct slm_schema_array *array, slm_node *node)
{
    const struct slm_schema_contains *contains = &array->contains[0];
    bool marks = has_marks(array);
    uint64_t rows = row_count(array);
    uint64_t columns = contains->most == UINT32_MAX ? contains->least : contains->most;
    columns = array->max != UINT32_MAX && columns > array->max ? array->max : columns;
    columns = marks ? (1u << array->contains_count) - 1 : columns;
    if ((array->contains_count > 1 && !marks) || rows * (columns + 1) > MOST_CELLS) {
        return slm__fail(work->error, SLM_E_UNSUPPORTED, "%s: \"contains\" cannot be enforced here: too many counts to keep apart",
                         slm__schema_path(&work->document, work->document.locations[contains->location].json).text);
    }
    slm_node *below = NULL;
    slm_node *row = NULL;
    SLM_TRY(slm__schema_take(work, (size_t)(columns + 2) * sizeof *below, &below)); /* one column more stays NEVER */
    SLM_TRY(slm__schema_take(work, (size_t)(columns + 2) * sizeof *row, &row));
    for (uint64_t index = rows + 1; index-- > 0;) {
        for (uint64_t column = columns + 1; column-- > 0;) {
            bool last = index == rows;
            SLM_TRY((marks ? marked_cell : cell)(work, array, (uint32_t)index, (uint32_t)column, last, last ? row : below, &row[column]));
        }
        memcpy(below, row, (size_t)(columns + 1) * sizeof *row);
    }
    *node = below[0];
    return SLM_OK;
}

/* The values that satisfy a goal, when they are few; else *count is UINT32_MAX. */
static slm_status few_values(struct slm_schema_work *work, slm_goal goal, const struct slm_json **values, uint32_t *count)
{
    *count = goal == SLM_GOAL_ANY ? UINT32_MAX : 0;
    for (unsigned type = 0; type < SLM_VALUE_TYPES && *count != UINT32_MAX; type++) {
        struct slm_forms forms = {NULL, 0};
        SLM_TRY(slm__goal_forms(work, goal, (enum slm_schema_type)type, &forms));
        for (uint32_t i = 0; i < forms.count && *count != UINT32_MAX; i++) {
            const struct slm_form *form = &forms.forms[i];
            if (!form->finite || form->value_count > MOST_UNIQUE - *count) {
                *count = UINT32_MAX;
                break;
            }
            for (uint32_t k = 0; k < form->value_count; k++) {
                bool known = false;
                for (uint32_t old = 0; old < *count; old++) {
                    known = known || slm__json_equal(values[old], form->values[k]);
                }
                values[*count] = form->values[k];
                *count += !known;
            }
        }
    }
    return SLM_OK;
}

/* Subsets of the values from full to empty: what may follow when these are used up. */
static slm_status subset_items(struct slm_schema_work *work, const struct slm_schema_array *array, const struct slm_json **values,
                               uint32_t count, slm_node *node)
{
    slm_node items[MOST_UNIQUE];
    slm_node follow[1 << MOST_UNIQUE];
    for (uint32_t i = 0; i < count; i++) {
        SLM_TRY(slm__values_node(work, &values[i], 1, &items[i]));
    }
    for (uint32_t used = 1u << count; used-- > 0;) {
        uint32_t size = (uint32_t)__builtin_popcount(used);
        slm_node choices[MOST_UNIQUE + 1];
        uint32_t choice_count = 0;
        if (size >= array->min && size <= array->max) {
            choices[choice_count++] = SLM_NODE_EMPTY;
        }
        for (uint32_t i = 0; i < count && size < array->max; i++) {
            if ((used >> i & 1) == 0) {
                slm_node item = used == 0 ? items[i] : slm__comma_node(work, items[i]);
                choices[choice_count++] = slm__pair_node(work->builder, item, follow[used | 1u << i]);
            }
        }
        follow[used] = slm__node_choice(work->builder, choices, choice_count);
    }
    *node = follow[0];
    return SLM_OK;
}

static slm_status unique_items(struct slm_schema_work *work, const struct slm_schema_array *array, slm_node *node)
{
    const struct slm_json *values[MOST_UNIQUE];
    uint32_t count = UINT32_MAX;
    if (array->prefix_count == 0) {
        SLM_TRY(few_values(work, array->rest, values, &count));
    }
    if (count <= MOST_UNIQUE) {
        return subset_items(work, array, values, count, node);
    }
    SLM_TRY(slm__schema_unsupported(work, array->unique - 1, SLM_KEYWORD_UNIQUE_ITEMS, "the items are not few given values"));
    return plain_items(work, array, node);
}

slm_status slm__array_node(struct slm_schema_work *work, const struct slm_form *form, slm_node *node)
{
    struct slm_schema_array array;
    SLM_TRY(slm__schema_array_of(work, form, &array));
    slm_node inside = SLM_NODE_NEVER;
    if (array.empty) {
        *node = SLM_NODE_NEVER;
        return SLM_OK;
    }
    bool unique = array.unique != 0 && array.max > 1;
    if (array.contains_count > 0) {
        if (unique) {
            SLM_TRY(slm__schema_unsupported(work, array.unique - 1, SLM_KEYWORD_UNIQUE_ITEMS, "beside contains"));
        }
        SLM_TRY(counted_items(work, &array, &inside));
    } else {
        SLM_TRY(unique ? unique_items(work, &array, &inside) : plain_items(work, &array, &inside));
    }
    *node = slm__bracket_node(work, inside);
    return SLM_OK;
}

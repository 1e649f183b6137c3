/* SPDX-License-Identifier: MIT */
/* Numbers and strings as nodes. */
#include "grammar/ecma_regex.h"     /* slm__regex_compile */
#include "grammar/number_order.h"   /* slm__number_order */
#include "grammar/schema_nodes.h"   /* slm__quoted_node */
#include "grammar/schema_records.h" /* struct slm_schema_number, struct slm_schema_string */

enum { MOST_EXCLUDED = 64, MOST_RANGES = 256 };

/* Texts of numbers that are no integers, whatever their value: a fraction that is not zero, and no positive exponent. */
static const char fraction_pattern[] = "-?(0|[1-9][0-9]*)\\.[0-9]*[1-9][0-9]*([eE]-[0-9]+)?";

static slm_status range_node(struct slm_schema_work *work, const struct slm_schema_number *number, const struct slm_number_range *range,
                             slm_node *node)
{
    struct slm_regular words;
    struct slm_number_range plain = *range;
    plain.plain_only = plain.plain_only || number->not_multiple_count > 0;
    SLM_TRY(slm__number_language(&work->space, &plain, &words, work->error));
    for (uint32_t i = 0; i < number->not_multiple_count; i++) { /* integers written as digits only, so the difference is exact */
        struct slm_number_range grid = {.integer = true, .plain_only = true, .multiples = &number->not_multiples[i], .multiple_count = 1};
        struct slm_regular excluded;
        struct slm_regular rest;
        SLM_TRY(slm__number_language(&work->space, &grid, &excluded, work->error));
        SLM_TRY(slm__regular_combine(&work->space, SLM_REGULAR_DIFFERENCE, &words, &excluded, &rest, work->error));
        words = rest;
    }
    if (number->not_multiple_count > 0) { /* a fraction of zeros changes no value */
        struct slm_regular zeros;
        struct slm_regular both;
        SLM_TRY(slm__regex_compile(&work->space, slm__span_text("(?:\\.0+)?"), SLM_REGEX_WHOLE, &zeros, work->error));
        SLM_TRY(slm__regular_concatenate(&work->space, &words, &zeros, &both, work->error));
        words = both;
    }
    if (number->fraction) {
        struct slm_regular fractions;
        struct slm_regular rest;
        SLM_TRY(slm__regex_compile(&work->space, slm__span_text(fraction_pattern), SLM_REGEX_WHOLE, &fractions, work->error));
        SLM_TRY(slm__regular_combine(&work->space, SLM_REGULAR_INTERSECTION, &words, &fractions, &rest, work->error));
        words = rest;
    }
    *node = slm__regular_is_empty(&words) ? SLM_NODE_NEVER : slm__node_automaton(work->builder, &words);
    return SLM_OK;
}

static bool same_range(const struct slm_number_range *a, const struct slm_number_range *b)
{
    return a->integer == b->integer && a->multiple_count == 0 && b->multiple_count == 0 && slm__span_equal(a->minimum, b->minimum) &&
           slm__span_equal(a->maximum, b->maximum) && slm__span_equal(a->exclusive_minimum, b->exclusive_minimum) &&
           slm__span_equal(a->exclusive_maximum, b->exclusive_maximum);
}

/* The same few ranges are asked for again and again. */
static slm_status known_range_node(struct slm_schema_work *work, const struct slm_schema_number *number, slm_node *node)
{
    if (number->not_multiple_count > 0 || number->fraction) {
        return range_node(work, number, &number->range, node);
    }
    for (uint32_t i = 0; i < work->range_count; i++) {
        if (same_range(&work->ranges[i].range, &number->range)) {
            *node = work->ranges[i].node;
            return SLM_OK;
        }
    }
    SLM_TRY(range_node(work, number, &number->range, node));
    if (work->range_count < MOST_RANGES) {
        SLM_TRY(slm__schema_room(work, &work->ranges, work->range_count, &work->range_capacity, sizeof *work->ranges));
        work->ranges[work->range_count++] = (struct slm_schema_range){number->range, *node};
    }
    return SLM_OK;
}

/* Ascending by value. */
static void sort_numbers(struct slm_span *numbers, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct slm_span number = numbers[i];
        uint32_t at = i;
        for (; at > 0 && slm__number_order(numbers[at - 1], number) > 0; at--) {
            numbers[at] = numbers[at - 1];
        }
        numbers[at] = number;
    }
}

/* The larger of a lower bound and a value, the smaller of an upper bound and a value. */
static struct slm_span tighter(struct slm_span bound, struct slm_span value, int sign)
{
    return bound.length == 0 || sign * slm__number_order(value, bound) > 0 ? value : bound;
}

/* Between the excluded values: one range less than, between, and greater than them. */
static slm_status ranges_node(struct slm_schema_work *work, const struct slm_schema_number *number, slm_node *node)
{
    struct slm_span excluded[MOST_EXCLUDED];
    slm_node ranges[MOST_EXCLUDED + 1];
    memcpy(excluded, number->excluded, number->excluded_count * sizeof *excluded);
    sort_numbers(excluded, number->excluded_count);
    for (uint32_t i = 0; i <= number->excluded_count; i++) {
        struct slm_number_range range = number->range;
        if (i > 0) {
            range.exclusive_minimum = tighter(range.exclusive_minimum, excluded[i - 1], 1);
        }
        if (i < number->excluded_count) {
            range.exclusive_maximum = tighter(range.exclusive_maximum, excluded[i], -1);
        }
        SLM_TRY(range_node(work, number, &range, &ranges[i]));
    }
    *node = slm__node_choice(work->builder, ranges, number->excluded_count + 1);
    return SLM_OK;
}

static uint32_t any_location(const struct slm_form *form) { return form->atom_count == 0 ? 0 : form->atoms[0].location; }

slm_status slm__number_node(struct slm_schema_work *work, const struct slm_form *form, slm_node *node)
{
    struct slm_schema_number number;
    SLM_TRY(slm__schema_number_of(work, form, &number));
    if (number.empty) {
        *node = SLM_NODE_NEVER;
        return SLM_OK;
    }
    if (number.not_multiple_count > 0 && !number.range.integer) {
        number.not_multiple_count = 0;
        SLM_TRY(slm__schema_unsupported(work, any_location(form), SLM_KEYWORD_NOT, "numbers beside a grid are not regular"));
    }
    if (number.excluded_count > MOST_EXCLUDED) {
        return slm__fail(work->error, SLM_E_LIMIT, "%s: more than %d numbers are excluded",
                         slm__schema_path(&work->document, work->document.locations[any_location(form)].json).text, MOST_EXCLUDED);
    }
    return number.excluded_count == 0 ? known_range_node(work, &number, node) : ranges_node(work, &number, node);
}

slm_status slm__number_is_empty(struct slm_schema_work *work, const struct slm_form *form, bool *empty)
{
    struct slm_schema_number number;
    slm_node node = SLM_NODE_EMPTY;
    SLM_TRY(slm__schema_number_of(work, form, &number));
    const struct slm_number_range *range = &number.range;
    bool below = range->maximum.length > 0 || range->exclusive_maximum.length > 0;
    bool above = range->minimum.length > 0 || range->exclusive_minimum.length > 0;
    if (!number.empty && above && below && (range->integer || range->multiple_count > 0) && number.not_multiple_count == 0) {
        SLM_TRY(known_range_node(work, &number, &node));
    }
    *empty = number.empty || node == SLM_NODE_NEVER;
    return SLM_OK;
}

slm_status slm__any_number_node(struct slm_schema_work *work, slm_node *node)
{
    if (work->any_number == SLM_NODE_NEVER) {
        const struct slm_form all = {.atom_count = 0};
        SLM_TRY(slm__number_node(work, &all, &work->any_number));
    }
    *node = work->any_number;
    return SLM_OK;
}

slm_status slm__string_node(struct slm_schema_work *work, const struct slm_form *form, slm_node *node)
{
    struct slm_schema_string string;
    SLM_TRY(slm__schema_string_of(work, form, &string));
    if (string.empty) {
        *node = SLM_NODE_NEVER;
        return SLM_OK;
    }
    SLM_TRY(slm__schema_check_opposites(work, form));
    slm_node inside = string.words == NULL ? slm__node_json_chars(work->builder, string.min, string.max)
                                           : slm__node_json_lifted_most(work->builder, string.words, string.max);
    *node = slm__quoted_node(work->builder, inside);
    return SLM_OK;
}

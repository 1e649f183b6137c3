/* SPDX-License-Identifier: MIT */
/* Numbers without sign and negative ones are put together apart: a bound means something else for each of them. */
#include "grammar/number_ranges.h"
#include "grammar/ecma_regex.h"      /* slm__regex_compile */
#include "grammar/number_automata.h" /* struct slm_decimal, slm__numbers_compared, slm__number_multiples */

/* A lower or upper bound, and whether the bound itself is out. */
struct bound {
    struct slm_decimal value;
    bool upper;
    bool exclusive;
};

enum { BOUNDS = 4 };

struct builder {
    struct slm_regular_space space; /* of intermediate automata */
    const struct slm_number_range *range;
    struct bound bounds[BOUNDS];
    uint32_t bound_count;
    slm_error *error;
};

static slm_status add_bound(struct builder *b, struct slm_span text, bool upper, bool exclusive)
{
    if (text.length == 0) {
        return SLM_OK;
    }
    struct bound *bound = &b->bounds[b->bound_count++];
    *bound = (struct bound){.upper = upper, .exclusive = exclusive};
    return slm__decimal_read(b->space.arena, text, &bound->value, b->error);
}

/* Keep of `language` what is related to the magnitude of `value` as wanted. */
static slm_status keep(struct builder *b, struct slm_regular *language, const struct slm_decimal *value, unsigned wanted)
{
    struct slm_regular compared;
    SLM_TRY(slm__numbers_compared(&b->space, value, wanted, &compared, b->error));
    return slm__regular_combine(&b->space, SLM_REGULAR_INTERSECTION, language, &compared, language, b->error);
}

/* What bounds leave of the magnitudes of numbers that are not negative, or of those behind a minus sign. A bound that lies on the other
 * side of zero allows all of them or none. */
static slm_status apply_bounds(struct builder *b, bool minus, struct slm_regular *language)
{
    static const struct slm_decimal zero = {0};
    for (uint32_t i = 0; i < b->bound_count && !slm__regular_is_empty(language); i++) {
        const struct bound *bound = &b->bounds[i];
        bool from_below = bound->upper == minus; /* magnitudes have to be at least that of the bound */
        bool same_side = bound->value.count == 0 || bound->value.negative == minus;
        unsigned equal = bound->exclusive ? 0 : SLM_EQUAL;
        if (same_side && (!from_below || bound->value.count > 0 || bound->exclusive)) {
            SLM_TRY(keep(b, language, &bound->value, equal | (from_below ? SLM_GREATER : SLM_LESS)));
        } else if (!same_side && !from_below) {
            SLM_TRY(keep(b, language, &zero, 0));
        }
    }
    return SLM_OK;
}

static slm_status apply_multiples(struct builder *b, struct slm_regular *language)
{
    for (uint32_t i = 0; i < b->range->multiple_count; i++) {
        struct slm_decimal step;
        struct slm_regular multiples;
        struct slm_span text = b->range->multiples[i];
        SLM_TRY(slm__decimal_read(b->space.arena, text, &step, b->error));
        if (step.negative || step.count == 0) {
            return slm__fail(b->error, SLM_E_BAD_VALUE, "multipleOf is %.*s, but has to be above 0", SLM_SPAN_ARGS(text));
        }
        if (b->range->integer && slm__decimal_divides_one(&step)) {
            continue;
        }
        slm_status status = slm__number_multiples(&b->space, &step, &multiples, b->error);
        if (status != SLM_OK) {
            return slm__fail_in(b->error, status, "multipleOf %.*s", SLM_SPAN_ARGS(text));
        }
        SLM_TRY(slm__regular_combine(&b->space, SLM_REGULAR_INTERSECTION, language, &multiples, language, b->error));
    }
    return SLM_OK;
}

static slm_status build(struct builder *b, const struct slm_regular_space *space, struct slm_regular *result)
{
    const struct slm_number_range *range = b->range;
    const char *syntax = !range->integer     ? "(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
                         : range->plain_only ? "0|[1-9][0-9]*"
                                             : "(?:0|[1-9][0-9]*)(?:\\.0+)?(?:[eE]\\+?[0-9]+)?";
    static const struct slm_decimal zero = {0};
    struct slm_regular positive;
    struct slm_regular negative;
    struct slm_regular minus;
    SLM_TRY(add_bound(b, range->minimum, false, false));
    SLM_TRY(add_bound(b, range->maximum, true, false));
    SLM_TRY(add_bound(b, range->exclusive_minimum, false, true));
    SLM_TRY(add_bound(b, range->exclusive_maximum, true, true));
    SLM_TRY(slm__regex_compile(&b->space, slm__span_text(syntax), SLM_REGEX_WHOLE, &positive, b->error));
    SLM_TRY(apply_multiples(b, &positive));
    negative = positive;
    SLM_TRY(apply_bounds(b, false, &positive));
    SLM_TRY(apply_bounds(b, true, &negative));
    if (range->integer && !slm__regular_is_empty(&negative)) {
        SLM_TRY(keep(b, &negative, &zero, SLM_GREATER)); /* no "-0" */
    }
    if (slm__regular_is_empty(&negative)) {
        return slm__regular_combine(space, SLM_REGULAR_UNION, &positive, &positive, result, b->error);
    }
    SLM_TRY(slm__regular_text(&b->space, slm__span_text("-"), &minus, b->error));
    SLM_TRY(slm__regular_concatenate(&b->space, &minus, &negative, &negative, b->error));
    return slm__regular_combine(space, SLM_REGULAR_UNION, &positive, &negative, result, b->error);
}

slm_status slm__number_language(const struct slm_regular_space *space, const struct slm_number_range *range, struct slm_regular *result,
                                slm_error *error)
{
    struct slm_arena scratch;
    slm__arena_init(&scratch, &space->arena->memory, space->arena->limit);
    struct builder b = {.space = {&scratch, space->state_limit}, .range = range, .error = error};
    slm_status status = build(&b, space, result);
    slm__arena_free(&scratch);
    return status;
}

slm_status slm__number_compare(struct slm_arena *arena, struct slm_span a, struct slm_span b, int *order, slm_error *error)
{
    struct slm_decimal first;
    struct slm_decimal second;
    SLM_TRY(slm__decimal_read(arena, a, &first, error));
    SLM_TRY(slm__decimal_read(arena, b, &second, error));
    if (first.negative != second.negative) {
        *order = first.negative ? -1 : 1;
    } else {
        *order = slm__decimal_compare(&first, &second) * (first.negative ? -1 : 1);
    }
    return SLM_OK;
}

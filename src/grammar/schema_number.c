/* SPDX-License-Identifier: MIT */
/* Numbers: the tightest bounds of all atoms, the grids they lie on, the values and grids that are excluded. */
#include "grammar/number_order.h"   /* slm__number_order */
#include "grammar/schema_records.h" /* struct slm_schema_number */

static slm_status add_span(struct slm_schema_work *work, struct slm_span text, const struct slm_span **list, uint32_t *count)
{
    if ((*count & (*count - 1)) == 0) { /* full at 0, 1, 2, 4, 8 ... */
        struct slm_span *wider = NULL;
        SLM_TRY(slm__schema_take(work, (*count == 0 ? 1 : 2 * (size_t)*count) * sizeof *wider, &wider));
        if (*count > 0) {
            memcpy(wider, *list, *count * sizeof *wider);
        }
        *list = wider;
    }
    struct slm_span *last = NULL;
    memcpy(&last, list, sizeof last);
    last[(*count)++] = text;
    return SLM_OK;
}

/* The larger (sign 1) or smaller (sign -1) of two bounds. */
static void tighten(struct slm_span *bound, struct slm_span text, int sign)
{
    if (bound->length == 0 || sign * slm__number_order(text, *bound) > 0) {
        *bound = text;
    }
}

/* value >= text, or > text; with `below`: <=, <. */
static void bound_by(struct slm_number_range *range, struct slm_span text, bool below, bool exclusive)
{
    struct slm_span *lower = exclusive ? &range->exclusive_minimum : &range->minimum;
    struct slm_span *upper = exclusive ? &range->exclusive_maximum : &range->maximum;
    tighten(below ? upper : lower, text, below ? -1 : 1);
}

static slm_status read_bound(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword, bool fails,
                             struct slm_schema_number *number)
{
    const struct slm_schema_location *at = &work->document.locations[location];
    const struct slm_json *value = slm__schema_get(at, keyword);
    bool below = keyword == SLM_KEYWORD_MAXIMUM || keyword == SLM_KEYWORD_EXCLUSIVE_MAXIMUM;
    bool exclusive = keyword == SLM_KEYWORD_EXCLUSIVE_MINIMUM || keyword == SLM_KEYWORD_EXCLUSIVE_MAXIMUM;
    if (exclusive && (value->type == SLM_JSON_TRUE || value->type == SLM_JSON_FALSE)) {
        return SLM_OK; /* draft 4: says how minimum or maximum is meant */
    }
    if (value->type != SLM_JSON_NUMBER) {
        return slm__schema_malformed(work, location, keyword, "a number");
    }
    exclusive = exclusive || slm__json_is_true(slm__schema_get(at, below ? SLM_KEYWORD_EXCLUSIVE_MAXIMUM : SLM_KEYWORD_EXCLUSIVE_MINIMUM));
    bound_by(&number->range, value->text, below != fails, exclusive != fails);
    return SLM_OK;
}

static slm_status read_multiple(struct slm_schema_work *work, uint32_t location, bool fails, struct slm_schema_number *number)
{
    const struct slm_json *value = slm__schema_get(&work->document.locations[location], SLM_KEYWORD_MULTIPLE_OF);
    if (value->type != SLM_JSON_NUMBER || slm__number_order(value->text, slm__span_text("0")) <= 0) {
        return slm__schema_malformed(work, location, SLM_KEYWORD_MULTIPLE_OF, "a number above 0");
    }
    if (!fails) {
        return add_span(work, value->text, &number->range.multiples, &number->range.multiple_count);
    }
    if (slm__number_order(value->text, slm__span_text("1")) == 0) {
        number->fraction = true;
        return SLM_OK;
    }
    return add_span(work, value->text, &number->not_multiples, &number->not_multiple_count);
}

static slm_status exclude(struct slm_schema_work *work, const struct slm_json *value, struct slm_schema_number *number)
{
    return value->type == SLM_JSON_NUMBER ? add_span(work, value->text, &number->excluded, &number->excluded_count) : SLM_OK;
}

static slm_status read_failure(struct slm_schema_work *work, const struct slm_atom *atom, struct slm_schema_number *number)
{
    enum slm_keyword keyword = (enum slm_keyword)atom->keyword;
    const struct slm_json *value = slm__schema_get(&work->document.locations[atom->location], keyword);
    switch (keyword) {
    case SLM_KEYWORD_TYPE: number->fraction = true; return SLM_OK;
    case SLM_KEYWORD_CONST: return exclude(work, value, number);
    case SLM_KEYWORD_ENUM:
        for (uint32_t i = 0; i < value->count; i++) {
            SLM_TRY(exclude(work, &value->items[i], number));
        }
        return SLM_OK;
    case SLM_KEYWORD_MULTIPLE_OF: return read_multiple(work, atom->location, true, number);
    default: return read_bound(work, atom->location, keyword, true, number);
    }
}

static slm_status read_keywords(struct slm_schema_work *work, uint32_t location, struct slm_schema_number *number)
{
    const struct slm_schema_location at = work->document.locations[location];
    uint32_t types = 0;
    SLM_TRY(slm__schema_types(work, location, &types));
    number->range.integer = number->range.integer || (types >> SLM_VALUE_NUMBER & 1) == 0;
    for (uint32_t keyword = SLM_KEYWORD_MINIMUM; keyword <= SLM_KEYWORD_EXCLUSIVE_MAXIMUM; keyword++) {
        if (slm__schema_has(&at, (enum slm_keyword)keyword)) {
            SLM_TRY(read_bound(work, location, (enum slm_keyword)keyword, false, number));
        }
    }
    return slm__schema_has(&at, SLM_KEYWORD_MULTIPLE_OF) ? read_multiple(work, location, false, number) : SLM_OK;
}

static bool present(struct slm_span text) { return text.length > 0; }

/* No number between the bounds? */
static bool bounds_cross(const struct slm_number_range *range)
{
    struct slm_span low[2] = {range->minimum, range->exclusive_minimum};
    struct slm_span high[2] = {range->maximum, range->exclusive_maximum};
    for (int i = 0; i < 4; i++) {
        if (present(low[i & 1]) && present(high[i >> 1])) {
            int order = slm__number_order(low[i & 1], high[i >> 1]);
            if (order > 0 || (order == 0 && i != 0)) {
                return true;
            }
        }
    }
    return false;
}

slm_status slm__schema_number_of(struct slm_schema_work *work, const struct slm_form *form, struct slm_schema_number *number)
{
    *number = (struct slm_schema_number){.empty = false};
    for (uint32_t i = 0; i < form->atom_count; i++) {
        const struct slm_atom *atom = &form->atoms[i];
        if (atom->kind == SLM_ATOM_KEYWORDS) {
            SLM_TRY(read_keywords(work, atom->location, number));
        } else if (atom->kind == SLM_ATOM_FAILS) {
            SLM_TRY(read_failure(work, atom, number));
        }
    }
    number->empty = bounds_cross(&number->range) || (number->range.integer && number->fraction);
    return SLM_OK;
}

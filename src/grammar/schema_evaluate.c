/* SPDX-License-Identifier: MIT */
/* A validator for the few values that a schema names itself. Recursion goes down the value and along references; both are counted. */
#include "grammar/schema_evaluate.h"
#include "grammar/number_order.h"  /* slm__number_order, slm__number_is_integer */
#include "grammar/number_ranges.h" /* slm__number_language */

enum { DEEPEST = 400 };

static slm_status accepts_at(struct slm_schema_work *work, uint32_t location, const struct slm_json *value, bool *accepts);

bool slm__json_equal(const struct slm_json *a, const struct slm_json *b)
{
    if (a->type != b->type || a->count != b->count) {
        return false;
    }
    switch (a->type) {
    case SLM_JSON_NUMBER: return slm__number_order(a->text, b->text) == 0;
    case SLM_JSON_STRING: return slm__span_equal(a->text, b->text);
    case SLM_JSON_ARRAY:
        for (uint32_t i = 0; i < a->count; i++) {
            if (!slm__json_equal(&a->items[i], &b->items[i])) {
                return false;
            }
        }
        return true;
    case SLM_JSON_OBJECT:
        for (uint32_t i = 0; i < a->count; i++) {
            const struct slm_json *other = slm__schema_member(b, a->keys[i]);
            if (other == NULL || !slm__json_equal(&a->items[i], other)) {
                return false;
            }
        }
        return true;
    default: return true;
    }
}

enum slm_schema_type slm__json_value_type(const struct slm_json *value)
{
    switch (value->type) {
    case SLM_JSON_NULL: return SLM_VALUE_NULL;
    case SLM_JSON_FALSE:
    case SLM_JSON_TRUE: return SLM_VALUE_BOOLEAN;
    case SLM_JSON_NUMBER: return SLM_VALUE_NUMBER;
    case SLM_JSON_STRING: return SLM_VALUE_STRING;
    case SLM_JSON_ARRAY: return SLM_VALUE_ARRAY;
    default: return SLM_VALUE_OBJECT;
    }
}

static slm_status accepts_schema(struct slm_schema_work *work, const struct slm_json *schema, const struct slm_json *value, bool *accepts)
{
    uint32_t location = 0;
    SLM_TRY(slm__schema_at(work, schema, &location));
    return accepts_at(work, location, value, accepts);
}

/* How many schemas of a list accept the value. */
static slm_status count_accepting(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword, const struct slm_json *value,
                                  uint32_t *accepting, uint32_t *all)
{
    const struct slm_json *list = slm__schema_get(&work->document.locations[location], keyword);
    *accepting = 0;
    *all = list->count;
    for (uint32_t i = 0; i < list->count; i++) {
        bool accepts = false;
        SLM_TRY(accepts_schema(work, &list->items[i], value, &accepts));
        *accepting += accepts;
    }
    return SLM_OK;
}

/* Exactly: is the number a multiple? Asked of the language of its single value. */
static slm_status is_multiple(struct slm_schema_work *work, struct slm_span number, const struct slm_span *step, bool *multiple)
{
    struct slm_number_range range = {.minimum = number, .maximum = number, .multiples = step, .multiple_count = 1};
    struct slm_regular words;
    SLM_TRY(slm__number_language(&work->space, &range, &words, work->error));
    *multiple = !slm__regular_is_empty(&words);
    return SLM_OK;
}

static slm_status type_accepts(struct slm_schema_work *work, uint32_t location, const struct slm_json *value, bool *accepts)
{
    uint32_t types = 0;
    SLM_TRY(slm__schema_types(work, location, &types));
    *accepts = (types >> slm__json_value_type(value) & 1) != 0;
    if (!*accepts && value->type == SLM_JSON_NUMBER && (types >> SLM_VALUE_INTEGER & 1) != 0) {
        *accepts = slm__number_is_integer(value->text);
    }
    return SLM_OK;
}

static slm_status bound_accepts(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword, const struct slm_json *value,
                                bool *accepts)
{
    const struct slm_schema_location *at = &work->document.locations[location];
    const struct slm_json *bound = slm__schema_get(at, keyword);
    bool lower = keyword == SLM_KEYWORD_MINIMUM || keyword == SLM_KEYWORD_EXCLUSIVE_MINIMUM;
    bool exclusive = keyword == SLM_KEYWORD_EXCLUSIVE_MINIMUM || keyword == SLM_KEYWORD_EXCLUSIVE_MAXIMUM;
    if (exclusive && (bound->type == SLM_JSON_TRUE || bound->type == SLM_JSON_FALSE)) {
        return SLM_OK; /* draft 4: says how minimum is meant */
    }
    exclusive = exclusive || slm__json_is_true(slm__schema_get(at, lower ? SLM_KEYWORD_EXCLUSIVE_MINIMUM : SLM_KEYWORD_EXCLUSIVE_MAXIMUM));
    if (bound->type != SLM_JSON_NUMBER) {
        return slm__schema_malformed(work, location, keyword, "a number");
    }
    int order = slm__number_order(value->text, bound->text);
    *accepts = lower ? order > 0 || (order == 0 && !exclusive) : order < 0 || (order == 0 && !exclusive);
    return SLM_OK;
}

static uint32_t code_points(struct slm_span text)
{
    uint32_t count = 0;
    for (size_t i = 0; i < text.length; i++) {
        count += (text.data[i] & 0xC0) != 0x80;
    }
    return count;
}

static slm_status length_accepts(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword, uint32_t length, bool minimum,
                                 bool *accepts)
{
    uint32_t count = 0;
    SLM_TRY(slm__schema_count(work, location, keyword, &count));
    *accepts = minimum ? length >= count : length <= count;
    return SLM_OK;
}

static slm_status number_keyword(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword, const struct slm_json *value,
                                 bool *accepts)
{
    if (keyword != SLM_KEYWORD_MULTIPLE_OF) {
        return bound_accepts(work, location, keyword, value, accepts);
    }
    const struct slm_json *multiple = slm__schema_get(&work->document.locations[location], keyword);
    if (multiple->type != SLM_JSON_NUMBER) {
        return slm__schema_malformed(work, location, keyword, "a number above 0");
    }
    return is_multiple(work, value->text, &multiple->text, accepts);
}

static slm_status string_keyword(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword, struct slm_span text,
                                 bool *accepts)
{
    if (keyword == SLM_KEYWORD_MIN_LENGTH || keyword == SLM_KEYWORD_MAX_LENGTH) {
        return length_accepts(work, location, keyword, code_points(text), keyword == SLM_KEYWORD_MIN_LENGTH, accepts);
    }
    const struct slm_regular *words = NULL;
    SLM_TRY(slm__schema_language(work, location, keyword, &words));
    *accepts = words == NULL || slm__regular_accepts(words, text);
    return SLM_OK;
}

/* The schema of item `index` by the keywords of one location, or NULL. */
static const struct slm_json *item_schema(const struct slm_schema_location *at, uint32_t index)
{
    const struct slm_json *items = slm__schema_get(at, SLM_KEYWORD_ITEMS);
    const struct slm_json *prefix = slm__schema_get(at, SLM_KEYWORD_PREFIX_ITEMS);
    const struct slm_json *rest = items;
    if (items != NULL && items->type == SLM_JSON_ARRAY) { /* before draft 2020-12 */
        prefix = items;
        rest = slm__schema_get(at, SLM_KEYWORD_ADDITIONAL_ITEMS);
    }
    return prefix != NULL && prefix->type == SLM_JSON_ARRAY && index < prefix->count ? &prefix->items[index] : rest;
}

static slm_status items_accept(struct slm_schema_work *work, uint32_t location, const struct slm_json *value, bool *accepts)
{
    for (uint32_t i = 0; *accepts && i < value->count; i++) {
        const struct slm_json *schema = item_schema(&work->document.locations[location], i);
        if (schema != NULL) {
            SLM_TRY(accepts_schema(work, schema, &value->items[i], accepts));
        }
    }
    return SLM_OK;
}

static slm_status contains_accepts(struct slm_schema_work *work, uint32_t location, const struct slm_json *value, bool *accepts)
{
    const struct slm_schema_location *at = &work->document.locations[location];
    const struct slm_json *schema = slm__schema_get(at, SLM_KEYWORD_CONTAINS);
    bool has_min = slm__schema_has(at, SLM_KEYWORD_MIN_CONTAINS);
    bool has_max = slm__schema_has(at, SLM_KEYWORD_MAX_CONTAINS);
    uint32_t least = 1;
    uint32_t most = UINT32_MAX;
    if (has_min) {
        SLM_TRY(slm__schema_count(work, location, SLM_KEYWORD_MIN_CONTAINS, &least));
    }
    if (has_max) {
        SLM_TRY(slm__schema_count(work, location, SLM_KEYWORD_MAX_CONTAINS, &most));
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < value->count; i++) {
        bool one = false;
        SLM_TRY(accepts_schema(work, schema, &value->items[i], &one));
        count += one;
    }
    *accepts = count >= least && count <= most;
    return SLM_OK;
}

static slm_status unique_accepts(struct slm_schema_work *work, const struct slm_json *value, bool *accepts)
{
    SLM_TRY(slm__schema_spend(work, (uint64_t)value->count * value->count / 8));
    for (uint32_t i = 1; *accepts && i < value->count; i++) {
        for (uint32_t k = 0; *accepts && k < i; k++) {
            *accepts = !slm__json_equal(&value->items[i], &value->items[k]);
        }
    }
    return SLM_OK;
}

static slm_status array_keyword(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword, const struct slm_json *value,
                                bool *accepts)
{
    switch (keyword) {
    case SLM_KEYWORD_PREFIX_ITEMS:
    case SLM_KEYWORD_ITEMS: return items_accept(work, location, value, accepts);
    case SLM_KEYWORD_MIN_ITEMS:
    case SLM_KEYWORD_MAX_ITEMS: return length_accepts(work, location, keyword, value->count, keyword == SLM_KEYWORD_MIN_ITEMS, accepts);
    case SLM_KEYWORD_CONTAINS: return contains_accepts(work, location, value, accepts);
    case SLM_KEYWORD_UNIQUE_ITEMS:
        return slm__json_is_true(slm__schema_get(&work->document.locations[location], keyword)) ? unique_accepts(work, value, accepts)
                                                                                                : SLM_OK;
    case SLM_KEYWORD_UNEVALUATED_ITEMS:
        return value->count == 0 ? SLM_OK : slm__schema_unsupported(work, location, keyword, "beside enum or const");
    default: return SLM_OK;
    }
}

/* properties, patternProperties and additionalProperties of one location, for one member. */
static slm_status member_accepts(struct slm_schema_work *work, uint32_t location, struct slm_span key, const struct slm_json *value,
                                 bool *accepts)
{
    const struct slm_json *properties = slm__schema_get(&work->document.locations[location], SLM_KEYWORD_PROPERTIES);
    const struct slm_json *patterns = slm__schema_get(&work->document.locations[location], SLM_KEYWORD_PATTERN_PROPERTIES);
    const struct slm_json *rest = slm__schema_get(&work->document.locations[location], SLM_KEYWORD_ADDITIONAL_PROPERTIES);
    const struct slm_json *named = properties == NULL ? NULL : slm__schema_member(properties, key);
    bool known = named != NULL;
    if (known) {
        SLM_TRY(accepts_schema(work, named, value, accepts));
    }
    for (uint32_t i = 0; patterns != NULL && *accepts && i < patterns->count; i++) {
        const struct slm_regular *words = NULL;
        SLM_TRY(slm__schema_pattern(work, &patterns->items[i], patterns->keys[i], &words));
        if (slm__regular_accepts(words, key)) {
            known = true;
            SLM_TRY(accepts_schema(work, &patterns->items[i], value, accepts));
        }
    }
    return known || rest == NULL || !*accepts ? SLM_OK : accepts_schema(work, rest, value, accepts);
}

static slm_status members_accept(struct slm_schema_work *work, uint32_t location, const struct slm_json *value, bool *accepts)
{
    for (uint32_t i = 0; *accepts && i < value->count; i++) {
        SLM_TRY(member_accepts(work, location, value->keys[i], &value->items[i], accepts));
    }
    return SLM_OK;
}

static slm_status names_accept(struct slm_schema_work *work, uint32_t location, const struct slm_json *value, bool *accepts)
{
    const struct slm_json *schema = slm__schema_get(&work->document.locations[location], SLM_KEYWORD_PROPERTY_NAMES);
    for (uint32_t i = 0; *accepts && i < value->count; i++) {
        struct slm_json name = {.type = SLM_JSON_STRING, .text = value->keys[i]};
        SLM_TRY(accepts_schema(work, schema, &name, accepts));
    }
    return SLM_OK;
}

/* Has the object every name of a list? */
static bool has_all(const struct slm_json *value, const struct slm_json *names)
{
    for (uint32_t i = 0; i < names->count; i++) {
        if (names->items[i].type == SLM_JSON_STRING && slm__schema_member(value, names->items[i].text) == NULL) {
            return false;
        }
    }
    return true;
}

static slm_status dependencies_accept(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword,
                                      const struct slm_json *value, bool *accepts)
{
    const struct slm_json *map = slm__schema_get(&work->document.locations[location], keyword);
    for (uint32_t i = 0; *accepts && i < map->count; i++) {
        const struct slm_json *needed = &map->items[i];
        if (slm__schema_member(value, map->keys[i]) == NULL) {
            continue;
        }
        if (needed->type == SLM_JSON_ARRAY) {
            *accepts = has_all(value, needed);
        } else if (needed->type == SLM_JSON_STRING) {
            *accepts = slm__schema_member(value, needed->text) != NULL;
        } else {
            SLM_TRY(accepts_schema(work, needed, value, accepts));
        }
    }
    return SLM_OK;
}

static slm_status object_keyword(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword, const struct slm_json *value,
                                 bool *accepts)
{
    const struct slm_json *wanted = slm__schema_get(&work->document.locations[location], keyword);
    uint64_t before = work->document.locations[location].present & (SLM_KEYWORD_BIT(keyword) - 1);
    uint64_t all = SLM_KEYWORD_BIT(SLM_KEYWORD_PROPERTIES) | SLM_KEYWORD_BIT(SLM_KEYWORD_PATTERN_PROPERTIES);
    switch (keyword) {
    case SLM_KEYWORD_PROPERTIES:
    case SLM_KEYWORD_PATTERN_PROPERTIES:
    case SLM_KEYWORD_ADDITIONAL_PROPERTIES: /* the three are looked at together, once */
        return (before & all) != 0 ? SLM_OK : members_accept(work, location, value, accepts);
    case SLM_KEYWORD_PROPERTY_NAMES: return names_accept(work, location, value, accepts);
    case SLM_KEYWORD_MIN_PROPERTIES:
    case SLM_KEYWORD_MAX_PROPERTIES:
        return length_accepts(work, location, keyword, value->count, keyword == SLM_KEYWORD_MIN_PROPERTIES, accepts);
    case SLM_KEYWORD_REQUIRED: *accepts = wanted->type != SLM_JSON_ARRAY || has_all(value, wanted); return SLM_OK;
    case SLM_KEYWORD_DEPENDENT_SCHEMAS:
    case SLM_KEYWORD_DEPENDENT_REQUIRED:
    case SLM_KEYWORD_DEPENDENCIES: return dependencies_accept(work, location, keyword, value, accepts);
    case SLM_KEYWORD_UNEVALUATED_PROPERTIES:
        return value->count == 0 ? SLM_OK : slm__schema_unsupported(work, location, keyword, "beside enum or const");
    default: return SLM_OK;
    }
}

static slm_status value_in_list(struct slm_schema_work *work, uint32_t location, const struct slm_json *value, bool *accepts)
{
    const struct slm_json *list = slm__schema_get(&work->document.locations[location], SLM_KEYWORD_ENUM);
    if (work->known_enum == location + 1) {
        return SLM_OK;
    }
    SLM_TRY(slm__schema_spend(work, list->count / 16));
    for (uint32_t i = 0; i < list->count; i++) {
        if (slm__json_equal(&list->items[i], value)) {
            return SLM_OK;
        }
    }
    *accepts = false;
    return SLM_OK;
}

static slm_status condition_accepts(struct slm_schema_work *work, uint32_t location, const struct slm_json *value, bool *accepts)
{
    const struct slm_schema_location *at = &work->document.locations[location];
    const struct slm_json *then = slm__schema_get(at, SLM_KEYWORD_THEN);
    const struct slm_json *otherwise = slm__schema_get(at, SLM_KEYWORD_ELSE);
    bool holds = false;
    SLM_TRY(accepts_schema(work, slm__schema_get(at, SLM_KEYWORD_IF), value, &holds));
    const struct slm_json *next = holds ? then : otherwise;
    return next == NULL ? SLM_OK : accepts_schema(work, next, value, accepts);
}

static slm_status applicator_accepts(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword,
                                     const struct slm_json *value, bool *accepts)
{
    uint32_t target = 0;
    uint32_t accepting = 0;
    uint32_t all = 0;
    switch (keyword) {
    case SLM_KEYWORD_REF:
    case SLM_KEYWORD_DYNAMIC_REF:
    case SLM_KEYWORD_RECURSIVE_REF:
        SLM_TRY(slm__schema_follow(&work->document, location, keyword, &target, work->error));
        return accepts_at(work, target, value, accepts);
    case SLM_KEYWORD_ALL_OF:
    case SLM_KEYWORD_ANY_OF:
    case SLM_KEYWORD_ONE_OF:
        SLM_TRY(count_accepting(work, location, keyword, value, &accepting, &all));
        *accepts = keyword == SLM_KEYWORD_ALL_OF ? accepting == all : keyword == SLM_KEYWORD_ANY_OF ? accepting > 0 : accepting == 1;
        return SLM_OK;
    case SLM_KEYWORD_NOT:
        SLM_TRY(accepts_schema(work, slm__schema_get(&work->document.locations[location], keyword), value, accepts));
        *accepts = !*accepts;
        return SLM_OK;
    case SLM_KEYWORD_IF: return condition_accepts(work, location, value, accepts);
    default: return SLM_OK;
    }
}

static slm_status keyword_accepts(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword, const struct slm_json *value,
                                  bool *accepts)
{
    const struct slm_json *wanted = slm__schema_get(&work->document.locations[location], keyword);
    switch (keyword) {
    case SLM_KEYWORD_TYPE: return type_accepts(work, location, value, accepts);
    case SLM_KEYWORD_ENUM: return value_in_list(work, location, value, accepts);
    case SLM_KEYWORD_CONST: *accepts = slm__json_equal(wanted, value); return SLM_OK;
    case SLM_KEYWORD_MINIMUM:
    case SLM_KEYWORD_MAXIMUM:
    case SLM_KEYWORD_EXCLUSIVE_MINIMUM:
    case SLM_KEYWORD_EXCLUSIVE_MAXIMUM:
    case SLM_KEYWORD_MULTIPLE_OF: return value->type == SLM_JSON_NUMBER ? number_keyword(work, location, keyword, value, accepts) : SLM_OK;
    case SLM_KEYWORD_MIN_LENGTH:
    case SLM_KEYWORD_MAX_LENGTH:
    case SLM_KEYWORD_PATTERN:
    case SLM_KEYWORD_FORMAT: return value->type == SLM_JSON_STRING ? string_keyword(work, location, keyword, value->text, accepts) : SLM_OK;
    default: break;
    }
    if (keyword < SLM_KEYWORD_DEPENDENT_SCHEMAS) {
        return applicator_accepts(work, location, keyword, value, accepts);
    }
    if (value->type == SLM_JSON_ARRAY) {
        return array_keyword(work, location, keyword, value, accepts);
    }
    return value->type == SLM_JSON_OBJECT ? object_keyword(work, location, keyword, value, accepts) : SLM_OK;
}

static slm_status evaluate(struct slm_schema_work *work, uint32_t location, const struct slm_json *value, bool *accepts)
{
    SLM_TRY(slm__schema_spend(work, 1));
    *accepts = work->document.locations[location].json->type != SLM_JSON_FALSE;
    if (work->depth >= DEEPEST) {
        return slm__fail(work->error, SLM_E_LIMIT, "%s: the references lead deeper than %d levels",
                         slm__schema_path(&work->document, work->document.locations[location].json).text, DEEPEST);
    }
    work->depth++;
    slm_status status = SLM_OK;
    for (uint32_t i = 0; status == SLM_OK && *accepts && i < work->document.locations[location].keyword_count; i++) {
        status = keyword_accepts(work, location, (enum slm_keyword)work->document.locations[location].order[i], value, accepts);
    }
    work->depth--;
    return status;
}

/* null, false and true are asked about everywhere: the verdict is kept. */
static slm_status accepts_at(struct slm_schema_work *work, uint32_t location, const struct slm_json *value, bool *accepts)
{
    size_t constant = (size_t)(value - work->constants);
    if (value < work->constants || value >= work->constants + 3) {
        return evaluate(work, location, value, accepts);
    }
    uint8_t verdicts = work->document.locations[location].verdicts;
    if ((verdicts >> constant & 1) != 0) {
        *accepts = (verdicts >> (4 + constant) & 1) != 0;
        return SLM_OK;
    }
    SLM_TRY(evaluate(work, location, value, accepts));
    work->document.locations[location].verdicts |= (uint8_t)((1u | (unsigned)*accepts << 4) << constant);
    return SLM_OK;
}

slm_status slm__literal_accepts(struct slm_schema_work *work, slm_literal literal, const struct slm_json *value, bool *accepts)
{
    SLM_TRY(accepts_at(work, literal / 2, value, accepts));
    *accepts = *accepts != (literal & 1);
    return SLM_OK;
}

slm_status slm__goal_accepts(struct slm_schema_work *work, slm_goal goal, const struct slm_json *value, bool *accepts)
{
    *accepts = goal != SLM_GOAL_NEVER;
    for (uint32_t i = 0; *accepts && i < work->goals[goal].count; i++) {
        SLM_TRY(slm__literal_accepts(work, work->goals[goal].literals[i], value, accepts));
    }
    return SLM_OK;
}

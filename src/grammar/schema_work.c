/* SPDX-License-Identifier: MIT */
/* What all parts of the schema compiler use: limits, memory, complaints, the simple keywords. */
#include "grammar/schema_goals.h" /* struct slm_schema_work */

slm_status slm__schema_spend(struct slm_schema_work *work, uint64_t steps)
{
    if (work->steps < steps) {
        work->steps = 0;
        return slm__fail(work->error, SLM_E_LIMIT,
                         "the schema combines too many alternatives: more steps are needed than the limit allows");
    }
    work->steps -= steps;
    return SLM_OK;
}

slm_status slm__schema_room(struct slm_schema_work *work, void *items, uint32_t count, uint32_t *capacity, size_t size)
{
    if (count < *capacity) {
        return SLM_OK;
    }
    if (*capacity > UINT32_MAX / 4) {
        return slm__fail(work->error, SLM_E_LIMIT, "the schema is too large");
    }
    uint32_t wider = *capacity == 0 ? 8 : 2 * *capacity;
    void *old = NULL;
    void *moved = NULL;
    memcpy(&old, items, sizeof old);
    SLM_TRY(slm__schema_take(work, wider * size, &moved));
    if (count > 0) {
        memcpy(moved, old, count * size);
    }
    memcpy(items, &moved, sizeof moved);
    *capacity = wider;
    return SLM_OK;
}

slm_status slm__schema_take(struct slm_schema_work *work, size_t bytes, void *result)
{
    void *block = slm__arena_take(work->arena, bytes);
    if (block == NULL) {
        return slm__arena_failure(work->arena, work->error);
    }
    memcpy(result, &block, sizeof block);
    return SLM_OK;
}

/* Where a message points to: the value of the keyword, or the location when it has none. */
static struct slm_schema_path path_of(const struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword)
{
    const struct slm_schema_location *at = &work->document.locations[location];
    const struct slm_json *value = slm__schema_get(at, keyword);
    return slm__schema_path(&work->document, value == NULL ? at->json : value);
}

slm_status slm__schema_unsupported(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword, const char *why)
{
    struct slm_schema_path path = path_of(work, location, keyword);
    if (!work->options.ignore_rest) {
        return slm__fail(work->error, SLM_E_UNSUPPORTED, "%s: \"%s\" cannot be enforced here: %s", path.text, slm__keyword_name(keyword),
                         why);
    }
    if (work->options.warnings != NULL) {
        slm__buffer_append_format(work->options.warnings, "%s: ", path.text);
        slm__buffer_append_format(work->options.warnings, "\"%s\" is not enforced: %s\n", slm__keyword_name(keyword), why);
    }
    return SLM_OK;
}

slm_status slm__schema_malformed(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword, const char *wanted)
{
    return slm__fail(work->error, SLM_E_BAD_VALUE, "%s: \"%s\" has to be %s", path_of(work, location, keyword).text,
                     slm__keyword_name(keyword), wanted);
}

slm_status slm__schema_at(struct slm_schema_work *work, const struct slm_json *json, uint32_t *location)
{
    return slm__schema_locate(&work->document, json, location, work->error);
}

static bool add_type(struct slm_span name, uint32_t *types)
{
    static const char *const names[] = {"null", "boolean", "number", "string", "array", "object", "integer"};
    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (slm__span_is(name, names[i])) {
            *types |= i == SLM_VALUE_NUMBER ? 1u << SLM_VALUE_NUMBER | 1u << SLM_VALUE_INTEGER : 1u << i;
            return true;
        }
    }
    bool any = slm__span_is(name, "any"); /* draft 3 */
    *types |= any ? (1u << (SLM_VALUE_INTEGER + 1)) - 1 : 0;
    return any;
}

slm_status slm__schema_types(struct slm_schema_work *work, uint32_t location, uint32_t *types)
{
    const struct slm_json *type = slm__schema_get(&work->document.locations[location], SLM_KEYWORD_TYPE);
    *types = type == NULL ? (1u << (SLM_VALUE_INTEGER + 1)) - 1 : 0;
    if (type == NULL) {
        return SLM_OK;
    }
    bool fine = type->type == SLM_JSON_STRING ? add_type(type->text, types) : type->type == SLM_JSON_ARRAY;
    for (uint32_t i = 0; fine && type->type == SLM_JSON_ARRAY && i < type->count; i++) {
        fine = type->items[i].type == SLM_JSON_STRING && add_type(type->items[i].text, types);
    }
    if (!fine) {
        return slm__schema_malformed(work, location, SLM_KEYWORD_TYPE,
                                     "null, boolean, integer, number, string, array, object, or a list of these");
    }
    return SLM_OK;
}

slm_status slm__schema_count(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword, uint32_t *count)
{
    const struct slm_json *value = slm__schema_get(&work->document.locations[location], keyword);
    int64_t number = 0;
    bool fits = slm__json_i64(value, &number);
    double wide = 0;
    if (!fits && slm__json_f64(value, &wide) && wide > 9e18) {
        number = INT64_MAX;
        fits = true;
    }
    if (!fits || number < 0) {
        return slm__schema_malformed(work, location, keyword, "an integer, at least 0");
    }
    *count = number > UINT32_MAX - 1 ? UINT32_MAX - 1 : (uint32_t)number;
    return SLM_OK;
}

const struct slm_json *slm__schema_only_required(const struct slm_json *schema)
{
    const struct slm_json *required = slm__json_get(schema, "required");
    uint32_t others = 0;
    for (uint32_t i = 0; schema->type == SLM_JSON_OBJECT && i < schema->count; i++) {
        enum slm_keyword keyword = slm__keyword_find(schema->keys[i]);
        others += keyword != SLM_KEYWORD_COUNT && keyword != SLM_KEYWORD_REQUIRED;
    }
    for (uint32_t i = 0; required != NULL && i < required->count; i++) {
        others += required->items[i].type != SLM_JSON_STRING;
    }
    return required == NULL || required->type != SLM_JSON_ARRAY || others > 0 ? NULL : required;
}

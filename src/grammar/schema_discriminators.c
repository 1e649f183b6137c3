/* SPDX-License-Identifier: MIT */
/* Found by looking at enum and const where they stand; everything less plain is left to the forms. */
#include "grammar/schema_discriminators.h"
#include "grammar/schema_evaluate.h" /* slm__json_equal */

enum { MOST_HOPS = 8, MOST_PAIRS = 1024 };

/* The values of `enum` or `const` of a schema, through references. */
static slm_status values_of(struct slm_schema_work *work, uint32_t location, struct slm_discriminator *found)
{
    found->count = 0;
    for (uint32_t hops = 0; hops < MOST_HOPS && found->count == 0; hops++) {
        const struct slm_schema_location *at = &work->document.locations[location];
        const struct slm_json *list = slm__schema_get(at, SLM_KEYWORD_ENUM);
        const struct slm_json *single = slm__schema_get(at, SLM_KEYWORD_CONST);
        if (single != NULL || list != NULL) {
            found->values = single != NULL ? single : list->items;
            found->count = single != NULL ? 1 : list->count;
        }
        if (!slm__schema_has(at, SLM_KEYWORD_REF)) {
            break;
        }
        SLM_TRY(slm__schema_follow(&work->document, location, SLM_KEYWORD_REF, &location, work->error));
    }
    return SLM_OK;
}

static slm_status add_members(struct slm_schema_work *work, uint32_t location, struct slm_discriminators *found)
{
    const struct slm_json *required = slm__schema_get(&work->document.locations[location], SLM_KEYWORD_REQUIRED);
    const struct slm_json *properties = slm__schema_get(&work->document.locations[location], SLM_KEYWORD_PROPERTIES);
    for (uint32_t i = 0; required != NULL && properties != NULL && i < required->count && found->count < SLM_DISCRIMINATORS_MAX; i++) {
        const struct slm_json *schema = slm__schema_member(properties, required->items[i].text);
        struct slm_discriminator *next = &found->list[found->count];
        uint32_t member = 0;
        if (schema != NULL && schema->type == SLM_JSON_OBJECT) {
            SLM_TRY(slm__schema_at(work, schema, &member));
            *next = (struct slm_discriminator){.key = required->items[i].text};
            SLM_TRY(values_of(work, member, next));
            found->count += next->count > 0;
        }
    }
    return SLM_OK;
}

slm_status slm__discriminators_of(struct slm_schema_work *work, uint32_t location, struct slm_discriminators *found)
{
    found->count = 0;
    found->list[0] = (struct slm_discriminator){.whole = true};
    SLM_TRY(values_of(work, location, &found->list[0]));
    found->count += found->list[0].count > 0;
    for (uint32_t hops = 0; hops < MOST_HOPS; hops++) {
        SLM_TRY(add_members(work, location, found));
        if (!slm__schema_has(&work->document.locations[location], SLM_KEYWORD_REF)) {
            break;
        }
        SLM_TRY(slm__schema_follow(&work->document, location, SLM_KEYWORD_REF, &location, work->error));
    }
    return SLM_OK;
}

static bool differ(const struct slm_discriminator *a, const struct slm_discriminator *b)
{
    if ((uint64_t)a->count * b->count > MOST_PAIRS) {
        return false;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        for (uint32_t k = 0; k < b->count; k++) {
            if (slm__json_equal(&a->values[i], &b->values[k])) {
                return false;
            }
        }
    }
    return true;
}

bool slm__discriminators_differ(const struct slm_discriminators *a, const struct slm_discriminators *b, enum slm_schema_type type)
{
    for (uint32_t i = 0; i < a->count; i++) {
        for (uint32_t k = 0; k < b->count; k++) {
            const struct slm_discriminator *first = &a->list[i];
            const struct slm_discriminator *second = &b->list[k];
            bool same = first->whole == second->whole && (first->whole || slm__span_equal(first->key, second->key));
            if (same && (first->whole || type == SLM_VALUE_OBJECT) && differ(first, second)) {
                return true;
            }
        }
    }
    return false;
}

/* SPDX-License-Identifier: MIT */
/* Languages of patterns, formats and their combinations. Each is made once: the same pattern stands at many places of a schema. */
#include "grammar/ecma_regex.h"     /* slm__regex_compile */
#include "grammar/schema_goals.h"   /* struct slm_schema_work */
#include "grammar/string_formats.h" /* slm__format_find, slm__format_language */

enum { MOST_REMEMBERED = 1000 }; /* later ones are made anew */

slm_status slm__schema_keep(struct slm_schema_work *work, const struct slm_regular *made, const struct slm_regular **words)
{
    struct slm_regular *kept = NULL;
    SLM_TRY(slm__schema_take(work, sizeof *kept, &kept));
    *kept = *made;
    *words = kept;
    return SLM_OK;
}

/* *words: the language made the same way before, or NULL. */
static void find(const struct slm_schema_work *work, const struct slm_schema_language *wanted, const struct slm_regular **words)
{
    *words = NULL;
    for (uint32_t i = 0; i < work->language_count; i++) {
        const struct slm_schema_language *known = &work->languages[i];
        if (known->kind == wanted->kind && known->a == wanted->a && known->b == wanted->b && known->first == wanted->first &&
            known->second == wanted->second && slm__span_equal(known->text, wanted->text)) {
            *words = known->words;
            return;
        }
    }
}

static slm_status remember(struct slm_schema_work *work, const struct slm_schema_language *how, const struct slm_regular *made,
                           const struct slm_regular **words)
{
    SLM_TRY(slm__schema_keep(work, made, words));
    if (work->language_count >= MOST_REMEMBERED) {
        return SLM_OK;
    }
    SLM_TRY(slm__schema_room(work, &work->languages, work->language_count, &work->language_capacity, sizeof *work->languages));
    work->languages[work->language_count] = *how;
    work->languages[work->language_count++].words = *words;
    return SLM_OK;
}

slm_status slm__schema_pattern(struct slm_schema_work *work, const struct slm_json *at, struct slm_span pattern,
                               const struct slm_regular **words)
{
    const struct slm_schema_language how = {.kind = SLM_LANGUAGE_PATTERN, .text = pattern};
    struct slm_regular made;
    find(work, &how, words);
    if (*words != NULL) {
        return SLM_OK;
    }
    slm_status status = slm__regex_compile(&work->space, pattern, SLM_REGEX_SEARCH, &made, work->error);
    if (status != SLM_OK) {
        return slm__fail_in(work->error, status, "%s: the pattern", slm__schema_path(&work->document, at).text);
    }
    return remember(work, &how, &made, words);
}

static slm_status format_language(struct slm_schema_work *work, uint32_t location, struct slm_span name, const struct slm_regular **words)
{
    const struct slm_schema_language how = {.kind = SLM_LANGUAGE_FORMAT, .text = name};
    struct slm_regular made;
    find(work, &how, words);
    if (*words != NULL) {
        return SLM_OK;
    }
    switch (slm__format_find(name)) {
    case SLM_FORMAT_ENFORCED: break;
    case SLM_FORMAT_UNSUPPORTED: return slm__schema_unsupported(work, location, SLM_KEYWORD_FORMAT, "this format is not regular");
    default: return SLM_OK; /* only an annotation */
    }
    SLM_TRY(slm__format_language(&work->space, name, &made, work->error));
    return remember(work, &how, &made, words);
}

slm_status slm__schema_language(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword, const struct slm_regular **words)
{
    const struct slm_json *value = slm__schema_get(&work->document.locations[location], keyword);
    *words = NULL;
    if (value->type != SLM_JSON_STRING) {
        return slm__schema_malformed(work, location, keyword, "a string");
    }
    if (keyword == SLM_KEYWORD_FORMAT) {
        return format_language(work, location, value->text, words);
    }
    slm_status status = slm__schema_pattern(work, value, value->text, words);
    if (status == SLM_E_UNSUPPORTED && work->options.ignore_rest) {
        return slm__schema_unsupported(work, location, keyword, "the pattern is not a regular language");
    }
    return status;
}

slm_status slm__schema_combine(struct slm_schema_work *work, enum slm_regular_combination how, const struct slm_regular *a,
                               const struct slm_regular *b, const struct slm_regular **words)
{
    const struct slm_schema_language language = {.kind = SLM_LANGUAGE_COMBINATION, .a = a, .b = b, .first = how};
    struct slm_regular made;
    find(work, &language, words);
    if (*words != NULL) {
        return SLM_OK;
    }
    if (b == NULL) {
        SLM_TRY(slm__regular_complement(&work->space, a, &made, work->error));
    } else {
        SLM_TRY(slm__regular_combine(&work->space, how, a, b, &made, work->error));
    }
    return remember(work, &language, &made, words);
}

slm_status slm__schema_measure(struct slm_schema_work *work, const struct slm_regular *a, uint32_t min, uint32_t max,
                               const struct slm_regular **words)
{
    const struct slm_schema_language how = {.kind = SLM_LANGUAGE_LENGTH, .a = a, .first = min, .second = max};
    struct slm_regular made;
    struct slm_regular any;
    find(work, &how, words);
    if (*words != NULL) {
        return SLM_OK;
    }
    if (a == NULL) {
        SLM_TRY(slm__regular_any(&work->space, &any, work->error));
    }
    SLM_TRY(slm__regular_with_length(&work->space, a == NULL ? &any : a, min, max, &made, work->error));
    return remember(work, &how, &made, words);
}

/* SPDX-License-Identifier: MIT */
/* Strings: lengths, and the intersection of the languages of patterns, formats and their opposites. */
#include "grammar/schema_records.h"

static slm_status keep(struct slm_schema_work *work, const struct slm_regular *made, const struct slm_regular **words)
{
    struct slm_regular *kept = NULL;
    SLM_TRY(slm__schema_take(work, sizeof *kept, &kept));
    *kept = *made;
    *words = kept;
    return SLM_OK;
}

/* The string has to be a word of `words` (NULL: any), or, when it `fails`, no word of it. */
static slm_status restrict_to(struct slm_schema_work *work, const struct slm_regular *words, bool fails, struct slm_schema_string *string)
{
    if (words == NULL) {
        return SLM_OK;
    }
    struct slm_regular made;
    if (string->words == NULL && !fails) {
        string->words = words;
        return SLM_OK;
    }
    if (string->words == NULL) {
        SLM_TRY(slm__regular_complement(&work->space, words, &made, work->error));
    } else {
        enum slm_regular_combination how = fails ? SLM_REGULAR_DIFFERENCE : SLM_REGULAR_INTERSECTION;
        SLM_TRY(slm__regular_combine(&work->space, how, string->words, words, &made, work->error));
    }
    return keep(work, &made, &string->words);
}

static void at_least(struct slm_schema_string *string, uint32_t count) { string->min = count > string->min ? count : string->min; }

static void at_most(struct slm_schema_string *string, uint32_t count) { string->max = count < string->max ? count : string->max; }

static slm_status read_keyword(struct slm_schema_work *work, uint32_t location, enum slm_keyword keyword, bool fails,
                               struct slm_schema_string *string)
{
    uint32_t count = 0;
    if (keyword == SLM_KEYWORD_PATTERN || keyword == SLM_KEYWORD_FORMAT) {
        const struct slm_regular *words = NULL;
        SLM_TRY(slm__schema_language(work, location, keyword, &words));
        return restrict_to(work, words, fails, string);
    }
    SLM_TRY(slm__schema_count(work, location, keyword, &count));
    if (keyword == SLM_KEYWORD_MIN_LENGTH) {
        string->empty = string->empty || (fails && count == 0);
        fails ? at_most(string, count - 1) : at_least(string, count);
    } else {
        fails ? at_least(string, count + 1) : at_most(string, count);
    }
    return SLM_OK;
}

/* None of the strings among the values of an enum or const. */
static slm_status exclude(struct slm_schema_work *work, const struct slm_json *values, uint32_t count, struct slm_schema_string *string)
{
    struct slm_span *texts = NULL;
    uint32_t used = 0;
    SLM_TRY(slm__schema_take(work, count * sizeof *texts, &texts));
    for (uint32_t i = 0; i < count; i++) {
        if (values[i].type == SLM_JSON_STRING) {
            texts[used++] = values[i].text;
        }
    }
    if (used == 0) {
        return SLM_OK;
    }
    struct slm_regular words;
    SLM_TRY(slm__regular_texts(&work->space, texts, used, &words, work->error));
    return restrict_to(work, &words, true, string);
}

static slm_status read_failure(struct slm_schema_work *work, const struct slm_atom *atom, struct slm_schema_string *string)
{
    enum slm_keyword keyword = (enum slm_keyword)atom->keyword;
    const struct slm_json *value = slm__schema_get(&work->document.locations[atom->location], keyword);
    if (keyword == SLM_KEYWORD_ENUM || keyword == SLM_KEYWORD_CONST) {
        bool list = keyword == SLM_KEYWORD_ENUM;
        return exclude(work, list ? value->items : value, list ? value->count : 1, string);
    }
    return read_keyword(work, atom->location, keyword, true, string);
}

static slm_status read_atom(struct slm_schema_work *work, const struct slm_atom *atom, struct slm_schema_string *string)
{
    if (atom->kind == SLM_ATOM_FAILS) {
        return read_failure(work, atom, string);
    }
    const struct slm_schema_location at = work->document.locations[atom->location];
    for (uint32_t keyword = SLM_KEYWORD_MIN_LENGTH; atom->kind == SLM_ATOM_KEYWORDS && keyword <= SLM_KEYWORD_FORMAT; keyword++) {
        if (slm__schema_has(&at, (enum slm_keyword)keyword)) {
            SLM_TRY(read_keyword(work, atom->location, (enum slm_keyword)keyword, false, string));
        }
    }
    return SLM_OK;
}

/* Lengths become part of the language, unless all of its words have them anyway. */
static slm_status measure(struct slm_schema_work *work, struct slm_schema_string *string)
{
    uint32_t shortest = 0;
    uint32_t longest = 0;
    SLM_TRY(slm__regular_lengths(&work->space, string->words, &shortest, &longest, work->error));
    if (shortest >= string->min && longest <= string->max) {
        return SLM_OK;
    }
    struct slm_regular made;
    SLM_TRY(slm__regular_with_length(&work->space, string->words, string->min, string->max, &made, work->error));
    return keep(work, &made, &string->words);
}

slm_status slm__schema_string_of(struct slm_schema_work *work, const struct slm_form *form, struct slm_schema_string *string)
{
    *string = (struct slm_schema_string){.max = UINT32_MAX};
    for (uint32_t i = 0; i < form->atom_count; i++) {
        SLM_TRY(read_atom(work, &form->atoms[i], string));
    }
    string->empty = string->empty || string->min > string->max;
    if (!string->empty && string->words != NULL) {
        SLM_TRY(measure(work, string));
        string->empty = slm__regular_is_empty(string->words);
    }
    return SLM_OK;
}

/* Strings of one form, united with those in *words. */
static slm_status unite_form(struct slm_schema_work *work, const struct slm_form *form, const struct slm_regular **words, bool *all)
{
    struct slm_regular made;
    struct slm_schema_string string = {.empty = false};
    if (form->finite) {
        struct slm_span *texts = NULL;
        SLM_TRY(slm__schema_take(work, form->value_count * sizeof *texts, &texts));
        for (uint32_t i = 0; i < form->value_count; i++) {
            texts[i] = form->values[i]->text;
        }
        SLM_TRY(slm__regular_texts(&work->space, texts, form->value_count, &made, work->error));
    } else {
        SLM_TRY(slm__schema_string_of(work, form, &string));
        *all = *all || (!string.empty && string.words == NULL && string.min == 0 && string.max == UINT32_MAX);
        if (string.empty || *all) {
            return SLM_OK;
        }
        if (string.words != NULL) {
            made = *string.words;
        } else {
            struct slm_regular any;
            SLM_TRY(slm__regular_any(&work->space, &any, work->error));
            SLM_TRY(slm__regular_with_length(&work->space, &any, string.min, string.max, &made, work->error));
        }
    }
    if (*words != NULL) {
        struct slm_regular both;
        SLM_TRY(slm__regular_combine(&work->space, SLM_REGULAR_UNION, *words, &made, &both, work->error));
        made = both;
    }
    return keep(work, &made, words);
}

slm_status slm__schema_strings_of_goal(struct slm_schema_work *work, slm_goal goal, const struct slm_regular **words)
{
    struct slm_forms forms = {NULL, 0};
    bool all = goal == SLM_GOAL_ANY;
    *words = NULL;
    if (!all) {
        SLM_TRY(slm__goal_forms(work, goal, SLM_VALUE_STRING, &forms));
    }
    for (uint32_t i = 0; i < forms.count && !all; i++) {
        SLM_TRY(unite_form(work, &forms.forms[i], words, &all));
    }
    if (all) {
        *words = NULL;
        return SLM_OK;
    }
    if (*words == NULL) {
        struct slm_regular never;
        SLM_TRY(slm__regular_never(&work->space, &never, work->error));
        return keep(work, &never, words);
    }
    return SLM_OK;
}

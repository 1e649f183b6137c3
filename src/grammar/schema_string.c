/* SPDX-License-Identifier: MIT */
/* Strings: lengths, and the intersection of the languages of patterns, formats and their opposites. */
#include "grammar/schema_records.h"
#include "grammar/string_formats.h" /* slm__format_is_whole */

/* The string has to be a word of `words` (NULL: any), or, when it `fails`, no word of it. */
static slm_status restrict_to(struct slm_schema_work *work, const struct slm_regular *words, bool fails, struct slm_schema_string *string)
{
    if (words == NULL) {
        return SLM_OK;
    }
    if (string->words == NULL) {
        string->words = words;
        return fails ? slm__schema_combine(work, SLM_REGULAR_DIFFERENCE, words, NULL, &string->words) : SLM_OK;
    }
    return slm__schema_combine(work, fails ? SLM_REGULAR_DIFFERENCE : SLM_REGULAR_INTERSECTION, string->words, words, &string->words);
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
    const struct slm_regular *kept = NULL;
    SLM_TRY(slm__regular_texts(&work->space, texts, used, &words, work->error));
    SLM_TRY(slm__schema_keep(work, &words, &kept));
    return restrict_to(work, kept, true, string);
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
    if (atom->kind == SLM_ATOM_WORDS) {
        return restrict_to(work, atom->words, false, string);
    }
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

/* The fewest characters become part of the language; the most are counted while matching, unless all words are short enough. */
static slm_status measure(struct slm_schema_work *work, struct slm_schema_string *string)
{
    uint32_t shortest = 0;
    uint32_t longest = 0;
    SLM_TRY(slm__regular_lengths(&work->space, string->words, &shortest, &longest, work->error));
    if (shortest < string->min) {
        SLM_TRY(slm__schema_measure(work, string->words, string->min, UINT32_MAX, &string->words));
        SLM_TRY(slm__regular_lengths(&work->space, string->words, &shortest, &longest, work->error));
    }
    string->empty = slm__regular_is_empty(string->words) || shortest > string->max;
    string->max = longest > string->max ? string->max : UINT32_MAX;
    bool countable = string->max <= UINT16_MAX && string->words->state_count <= UINT16_MAX;
    if (!string->empty && string->max != UINT32_MAX && !countable) {
        SLM_TRY(slm__schema_measure(work, string->words, 0, string->max, &string->words));
        string->max = UINT32_MAX;
    }
    return SLM_OK;
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
    }
    return SLM_OK;
}

slm_status slm__schema_check_opposites(struct slm_schema_work *work, const struct slm_form *form)
{
    for (uint32_t i = 0; i < form->atom_count; i++) {
        const struct slm_atom *atom = &form->atoms[i];
        if (atom->kind == SLM_ATOM_FAILS && atom->keyword == SLM_KEYWORD_FORMAT &&
            !slm__format_is_whole(slm__schema_get(&work->document.locations[atom->location], SLM_KEYWORD_FORMAT)->text)) {
            SLM_TRY(slm__schema_unsupported(work, atom->location, SLM_KEYWORD_FORMAT, "the opposite of a format that is enforced in part"));
        }
    }
    return SLM_OK;
}

/* The words of one form; NULL: none; *all: every string. */
static slm_status words_of_form(struct slm_schema_work *work, const struct slm_form *form, const struct slm_regular **words, bool *all)
{
    struct slm_regular made;
    struct slm_schema_string string = {.empty = false};
    *words = NULL;
    if (form->finite) {
        struct slm_span *texts = NULL;
        SLM_TRY(slm__schema_take(work, form->value_count * sizeof *texts, &texts));
        for (uint32_t i = 0; i < form->value_count; i++) {
            texts[i] = form->values[i]->text;
        }
        SLM_TRY(slm__regular_texts(&work->space, texts, form->value_count, &made, work->error));
        return slm__schema_keep(work, &made, words);
    }
    SLM_TRY(slm__schema_string_of(work, form, &string));
    if (!string.empty) {
        SLM_TRY(slm__schema_check_opposites(work, form));
    }
    *all = *all || (!string.empty && string.words == NULL && string.min == 0 && string.max == UINT32_MAX);
    if (string.empty || *all) {
        return SLM_OK;
    }
    if (string.words != NULL && string.max == UINT32_MAX) {
        *words = string.words;
        return SLM_OK;
    }
    return slm__schema_measure(work, string.words, string.words == NULL ? string.min : 0, string.max, words);
}

static slm_status unite(struct slm_schema_work *work, const struct slm_regular *more, const struct slm_regular **words)
{
    if (*words == NULL || more == NULL) {
        *words = more == NULL ? *words : more;
        return SLM_OK;
    }
    return slm__schema_combine(work, SLM_REGULAR_UNION, *words, more, words);
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
        const struct slm_regular *more = NULL;
        SLM_TRY(words_of_form(work, &forms.forms[i], &more, &all));
        SLM_TRY(unite(work, more, words));
    }
    if (all) {
        *words = NULL;
        return SLM_OK;
    }
    if (*words == NULL) {
        struct slm_regular never;
        SLM_TRY(slm__regular_never(&work->space, &never, work->error));
        return slm__schema_keep(work, &never, words);
    }
    return SLM_OK;
}

/* The words of a conjunction (NULL: none; *all: every string): its literals as a goal, its other atoms as a form. */
static slm_status words_of_way(struct slm_schema_work *work, const struct slm_way *way, const struct slm_regular **words, bool *all)
{
    slm_literal *literals = NULL;
    struct slm_atom *atoms = NULL;
    uint32_t literal_count = 0;
    struct slm_form form = {.finite = false};
    SLM_TRY(slm__schema_take(work, way->count * sizeof *literals, &literals));
    SLM_TRY(slm__schema_take(work, (way->count + 1) * sizeof *atoms, &atoms));
    for (uint32_t i = 0; i < way->count; i++) {
        if (way->items[i].kind == SLM_ATOM_LITERAL) {
            literals[literal_count++] = way->items[i].literal;
        } else {
            atoms[form.atom_count++] = way->items[i];
        }
    }
    slm_goal goal = SLM_GOAL_ANY;
    const struct slm_regular *of_goal = NULL;
    SLM_TRY(slm__goal_of(work, literals, literal_count, &goal));
    SLM_TRY(slm__schema_strings_of_goal(work, goal, &of_goal));
    if (of_goal != NULL) {
        atoms[form.atom_count++] = (struct slm_atom){.kind = SLM_ATOM_WORDS, .words = of_goal};
    }
    form.atoms = atoms;
    return words_of_form(work, &form, words, all);
}

slm_status slm__schema_strings_of_ways(struct slm_schema_work *work, const struct slm_ways *ways, struct slm_atom *atom)
{
    const struct slm_regular *words = NULL;
    bool all = false;
    for (uint32_t i = 0; i < ways->count && !all; i++) {
        const struct slm_regular *more = NULL;
        SLM_TRY(words_of_way(work, &ways->ways[i], &more, &all));
        SLM_TRY(unite(work, more, &words));
    }
    struct slm_regular made;
    if (all) {
        SLM_TRY(slm__regular_any(&work->space, &made, work->error));
        SLM_TRY(slm__schema_keep(work, &made, &words));
    } else if (words == NULL) {
        SLM_TRY(slm__regular_never(&work->space, &made, work->error));
        SLM_TRY(slm__schema_keep(work, &made, &words));
    }
    *atom = (struct slm_atom){.kind = SLM_ATOM_WORDS, .words = words};
    return SLM_OK;
}

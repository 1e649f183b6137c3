/* SPDX-License-Identifier: MIT */
/* The parser of patterns, and the way from a pattern to its language. */
#include "grammar/ecma_regex.h"
#include "base/utf8.h"             /* slm__utf8_valid_prefix */
#include "grammar/regex_machine.h" /* slm__regex_machine */
#include "grammar/regex_syntax.h"  /* struct slm_regex, struct slm_regex_reader */
#include "grammar/repeat_counts.h" /* slm__repeat_join */
#include "grammar/sequence_set.h"  /* slm__arena_grow */

enum { DEPTH_LIMIT = 200 };

struct list {
    const struct slm_regex **items;
    uint32_t count;
    uint32_t capacity;
};

static slm_status push(struct slm_regex_reader *reader, struct list *list, const struct slm_regex *item)
{
    if (!slm__arena_grow(reader->arena, &list->items, &list->capacity, (uint64_t)list->count + 1, sizeof *list->items)) {
        return slm__arena_failure(reader->arena, reader->error);
    }
    list->items[list->count++] = item;
    return SLM_OK;
}

static slm_status make(struct slm_regex_reader *reader, struct slm_regex value, const struct slm_regex **node)
{
    struct slm_regex *copy = slm__arena_take(reader->arena, sizeof *copy);
    if (copy == NULL) {
        return slm__arena_failure(reader->arena, reader->error);
    }
    *copy = value;
    *node = copy;
    return SLM_OK;
}

/* A sequence or choice; of one member that member. */
static slm_status make_list(struct slm_regex_reader *reader, enum slm_regex_kind kind, const struct list *list,
                            const struct slm_regex **node)
{
    if (list->count == 1) {
        *node = list->items[0];
        return SLM_OK;
    }
    struct slm_regex value = {.kind = list->count == 0 ? SLM_REGEX_EMPTY : kind, .count = list->count, .children = list->items};
    return make(reader, value, node);
}

static slm_status make_one(struct slm_regex_reader *reader, struct slm_regex value, const struct slm_regex *child,
                           const struct slm_regex **node)
{
    struct list list = {0};
    SLM_TRY(push(reader, &list, child));
    value.children = list.items;
    value.count = 1;
    return make(reader, value, node);
}

static slm_status make_character(struct slm_regex_reader *reader, uint32_t code, const struct slm_regex **node)
{
    struct slm_regex value = {.kind = SLM_REGEX_SET};
    struct slm_code_range *range = slm__arena_take(reader->arena, sizeof *range);
    if (range == NULL) {
        return slm__arena_failure(reader->arena, reader->error);
    }
    *range = (struct slm_code_range){code, code};
    value.set.ranges = range;
    value.set.count = code < SLM_SURROGATE_FIRST || code > SLM_SURROGATE_LAST; /* a lone surrogate is in no text */
    return make(reader, value, node);
}

/* \b, \B: on one side of the place a word character, on the other none (\B: likewise on both sides). */
static slm_status make_boundary(struct slm_regex_reader *reader, bool negative, const struct slm_regex **node)
{
    struct slm_regex value = {.kind = SLM_REGEX_SET, .set = slm__codes_word()};
    if (reader->word == NULL) {
        SLM_TRY(make(reader, value, &reader->word));
    }
    struct list choice = {0};
    for (int word_before = 0; word_before < 2; word_before++) {
        struct list both = {0};
        for (int behind = 1; behind >= 0; behind--) {
            bool is_word = behind != 0 ? word_before != 0 : (word_before != 0) == negative;
            struct slm_regex look = {.kind = SLM_REGEX_LOOK, .negative = !is_word, .behind = behind != 0};
            const struct slm_regex *side = NULL;
            SLM_TRY(make_one(reader, look, reader->word, &side));
            SLM_TRY(push(reader, &both, side));
        }
        const struct slm_regex *sequence = NULL;
        SLM_TRY(make_list(reader, SLM_REGEX_SEQUENCE, &both, &sequence));
        SLM_TRY(push(reader, &choice, sequence));
    }
    return make_list(reader, SLM_REGEX_CHOICE, &choice, node);
}

static slm_status parse_choice(struct slm_regex_reader *reader, const struct slm_regex **node);

/* What stands behind an opening parenthesis, up to the closing one. */
static slm_status parse_group(struct slm_regex_reader *reader, const struct slm_regex **node, bool *look)
{
    size_t start = reader->position - 1;
    struct slm_regex value = {.kind = SLM_REGEX_LOOK};
    *look = false;
    if (slm__regex_skip(reader, "?")) {
        value.behind = slm__regex_skip(reader, "<=") || slm__regex_skip(reader, "<!");
        value.negative = value.behind && reader->text.data[reader->position - 1] == '!';
        if (value.behind || slm__regex_skip(reader, "=")) {
            *look = true;
        } else if (slm__regex_skip(reader, "!")) {
            *look = value.negative = true;
        } else if (slm__regex_skip(reader, "<")) {
            uint32_t code = 0;
            while ((code = slm__regex_take(reader)) != '>') {
                if (code == UINT32_MAX || code == ')' || code == '(') {
                    return slm__regex_fail(reader, SLM_E_SYNTAX, start, "the group's name has no closing angle bracket");
                }
            }
        } else if (!slm__regex_skip(reader, ":")) {
            return slm__regex_fail(reader, SLM_E_UNSUPPORTED, start,
                                   "this kind of group is not supported (supported: (?: (?= (?! (?<= (?<! (?<name>)");
        }
    }
    if (++reader->depth > DEPTH_LIMIT) {
        return slm__regex_fail(reader, SLM_E_LIMIT, start, "groups are nested deeper than the limit of 200");
    }
    const struct slm_regex *body = NULL;
    SLM_TRY(parse_choice(reader, &body));
    reader->depth--;
    if (!slm__regex_skip(reader, ")")) {
        return slm__regex_fail(reader, SLM_E_SYNTAX, start, "the group has no closing parenthesis");
    }
    *node = body;
    return *look ? make_one(reader, value, body, node) : SLM_OK;
}

/* Digits as a number, held at UINT32_MAX - 1; false when there are none. */
static bool parse_count(struct slm_regex_reader *reader, uint32_t *value)
{
    uint64_t number = 0;
    size_t start = reader->position;
    for (uint32_t code = slm__regex_peek(reader); code >= '0' && code <= '9'; code = slm__regex_peek(reader)) {
        number = 10 * number + (code - '0');
        number = number < UINT32_MAX ? number : UINT32_MAX - 1;
        reader->position++;
    }
    *value = (uint32_t)number;
    return reader->position > start;
}

/* {n}, {n,}, {n,m}; false, position unchanged, when it is none: then the brace is a character. */
static bool parse_braces(struct slm_regex_reader *reader, uint32_t *min, uint32_t *max)
{
    size_t start = reader->position;
    bool ok = slm__regex_skip(reader, "{") && parse_count(reader, min);
    *max = *min;
    if (ok && slm__regex_skip(reader, ",") && !parse_count(reader, max)) {
        *max = UINT32_MAX;
    }
    ok = ok && slm__regex_skip(reader, "}");
    reader->position = ok ? reader->position : start;
    return ok;
}

/* An atom. *look: it is an assertion, which cannot be repeated. */
static slm_status parse_atom(struct slm_regex_reader *reader, const struct slm_regex **node, bool *look)
{
    size_t start = reader->position;
    uint32_t code = slm__regex_take(reader);
    struct slm_regex value = {.kind = SLM_REGEX_SET};
    struct slm_regex_escape escape;
    *look = false;
    switch (code) {
    case '(': return parse_group(reader, node, look);
    case '[': SLM_TRY(slm__regex_class(reader, &value.set)); return make(reader, value, node);
    case '*':
    case '+':
    case '?': return slm__regex_fail(reader, SLM_E_SYNTAX, start, "there is nothing to repeat");
    case '^':
    case '$':
        *look = true;
        value.kind = code == '^' ? SLM_REGEX_START : SLM_REGEX_END;
        return make(reader, value, node);
    case '.': {
        struct slm_code_collector codes;
        slm__codes_init(&codes, reader->arena);
        slm__codes_add_set(&codes, slm__codes_line_ends());
        if (!slm__codes_finish(&codes, true, &value.set)) {
            return slm__arena_failure(reader->arena, reader->error);
        }
        return make(reader, value, node);
    }
    case '{': {
        uint32_t min = 0;
        uint32_t max = 0;
        reader->position = start;
        if (parse_braces(reader, &min, &max)) {
            return slm__regex_fail(reader, SLM_E_SYNTAX, start, "there is nothing to repeat");
        }
        reader->position = start + 1;
        return make_character(reader, code, node);
    }
    case '\\':
        if (slm__regex_skip(reader, "b") || slm__regex_skip(reader, "B")) {
            *look = true;
            return make_boundary(reader, reader->text.data[reader->position - 1] == 'B', node);
        }
        SLM_TRY(slm__regex_escape(reader, false, &escape));
        value.set = escape.set;
        return escape.is_set ? make(reader, value, node) : make_character(reader, escape.code, node);
    default: return make_character(reader, code, node);
    }
}

/* *found: a quantifier, lazy or not, was there. */
static slm_status parse_quantifier(struct slm_regex_reader *reader, bool *found, uint32_t *min, uint32_t *max)
{
    size_t start = reader->position;
    *found = true;
    *min = 0;
    *max = UINT32_MAX;
    if (slm__regex_skip(reader, "+")) {
        *min = 1;
    } else if (slm__regex_skip(reader, "?")) {
        *max = 1;
    } else if (!slm__regex_skip(reader, "*")) {
        *found = parse_braces(reader, min, max);
    }
    if (*found && *min > *max) {
        return slm__regex_fail(reader, SLM_E_SYNTAX, start, "the numbers of the quantifier are out of order");
    }
    (void)(*found && slm__regex_skip(reader, "?"));
    return SLM_OK;
}

static slm_status parse_sequence(struct slm_regex_reader *reader, const struct slm_regex **node)
{
    struct list list = {0};
    for (uint32_t code = slm__regex_peek(reader); code != UINT32_MAX && code != '|' && code != ')'; code = slm__regex_peek(reader)) {
        const struct slm_regex *atom = NULL;
        struct slm_regex value = {.kind = SLM_REGEX_REPEAT};
        bool look = false;
        bool repeated = false;
        SLM_TRY(parse_atom(reader, &atom, &look));
        size_t start = reader->position;
        SLM_TRY(parse_quantifier(reader, &repeated, &value.min, &value.max));
        if (repeated && look) {
            return slm__regex_fail(reader, SLM_E_SYNTAX, start, "an assertion cannot be repeated");
        }
        if (repeated && !(value.min == 1 && value.max == 1)) {
            struct slm_repeat_counts counts = {value.min, value.max};
            if (atom->kind == SLM_REGEX_REPEAT && slm__repeat_join((struct slm_repeat_counts){atom->min, atom->max}, counts, &counts)) {
                value.min = counts.min;
                value.max = counts.max;
                atom = atom->children[0];
            }
            SLM_TRY(make_one(reader, value, atom, &atom));
        }
        SLM_TRY(push(reader, &list, atom));
    }
    return make_list(reader, SLM_REGEX_SEQUENCE, &list, node);
}

static slm_status parse_choice(struct slm_regex_reader *reader, const struct slm_regex **node)
{
    struct list list = {0};
    do {
        const struct slm_regex *sequence = NULL;
        SLM_TRY(parse_sequence(reader, &sequence));
        SLM_TRY(push(reader, &list, sequence));
    } while (slm__regex_skip(reader, "|"));
    return make_list(reader, SLM_REGEX_CHOICE, &list, node);
}

static slm_status parse_pattern(struct slm_arena *arena, struct slm_span pattern, const struct slm_regex **regex, slm_error *error)
{
    struct slm_regex_reader reader = {.arena = arena, .text = pattern, .error = error};
    size_t valid = slm__utf8_valid_prefix(pattern);
    if (valid != pattern.length) {
        return slm__fail(error, SLM_E_ENCODING, "byte %zu of the pattern is not valid UTF-8", valid);
    }
    SLM_TRY(parse_choice(&reader, regex));
    if (reader.position < pattern.length) {
        return slm__regex_fail(&reader, SLM_E_SYNTAX, reader.position, "this parenthesis closes nothing");
    }
    return SLM_OK;
}

slm_status slm__regex_compile(const struct slm_regular_space *space, struct slm_span pattern, enum slm_regex_match match,
                              struct slm_regular *result, slm_error *error)
{
    struct slm_arena scratch;
    const struct slm_regex *regex = NULL;
    slm__arena_init(&scratch, &space->arena->memory, space->arena->limit);
    slm_status status = parse_pattern(&scratch, pattern, &regex, error);
    status = status == SLM_OK ? slm__regex_machine(space, &scratch, regex, match == SLM_REGEX_WHOLE, result, error) : status;
    slm__arena_free(&scratch);
    return status;
}

/* SPDX-License-Identifier: MIT */
/* Values of enum and const as texts: numbers in their usual spellings, strings raw or escaped, members in the order that is wanted. */
#include "grammar/schema_nodes.h"

enum { LONGEST_PLAIN = 40 };

static slm_status value_node(struct slm_schema_work *work, const struct slm_json *value, slm_node *node);

slm_node slm__quoted_node(struct slm_grammar_builder *builder, slm_node inside)
{
    slm_node quote = slm__node_text(builder, slm__span("\"", 1));
    slm_node parts[3] = {quote, inside, quote};
    return slm__node_sequence(builder, parts, 3);
}

/* Is the text the same in JSON, whoever writes it? */
static bool is_plain(struct slm_span text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < 0x20 || text.data[i] >= 0x7F || text.data[i] == '"' || text.data[i] == '\\') {
            return false;
        }
    }
    return true;
}

static slm_status string_value(struct slm_schema_work *work, struct slm_span text, slm_node *node)
{
    slm_node inside = SLM_NODE_NEVER;
    if (is_plain(text)) {
        inside = slm__node_text(work->builder, text);
    } else {
        struct slm_regular words;
        SLM_TRY(slm__regular_text(&work->space, text, &words, work->error));
        inside = slm__node_json_lifted(work->builder, &words);
    }
    *node = slm__quoted_node(work->builder, inside);
    return SLM_OK;
}

/* A number without exponent: digits, and where its point stands. */
struct plain {
    char digits[LONGEST_PLAIN];
    int32_t count;
    int32_t point; /* digits before it; may be negative or beyond the digits */
    bool negative;
};

/* false: longer than anyone writes. */
static bool take_apart(struct slm_span text, struct plain *plain)
{
    *plain = (struct plain){.negative = text.data[0] == '-'};
    bool fraction = false;
    size_t i = plain->negative;
    for (; i < text.length && (text.data[i] | 0x20) != 'e'; i++) {
        if (text.data[i] == '.') {
            fraction = true;
            continue;
        }
        if (plain->count > 0 || text.data[i] != '0') {
            if (plain->count == LONGEST_PLAIN) {
                return false;
            }
            plain->digits[plain->count++] = (char)text.data[i];
        }
        plain->point += !fraction - (fraction && plain->count == 0) - (!fraction && plain->count == 0);
    }
    int32_t exponent = 0;
    bool below = i + 1 < text.length && text.data[i + 1] == '-';
    for (i++; i < text.length; i++) {
        bool digit = text.data[i] >= '0' && text.data[i] <= '9';
        exponent = digit && exponent < 100000 ? 10 * exponent + (text.data[i] - '0') : exponent;
    }
    plain->point += below ? -exponent : exponent;
    while (plain->count > 0 && plain->digits[plain->count - 1] == '0') {
        plain->count--;
    }
    plain->point = plain->count == 0 ? 1 : plain->point;
    return plain->point >= -LONGEST_PLAIN && plain->point <= LONGEST_PLAIN;
}

/* Without exponent; integers also get ".0" when that is asked for. */
static slm_node plain_node(struct slm_grammar_builder *builder, const struct plain *plain, bool with_fraction)
{
    char text[3 * LONGEST_PLAIN];
    size_t length = 0;
    if (plain->negative) {
        text[length++] = '-';
    }
    if (plain->point <= 0) {
        text[length++] = '0';
    }
    for (int32_t i = plain->point < 0 ? plain->point : 0; i < plain->point || i < plain->count; i++) {
        if (i == plain->point || (i < 0 && i == plain->point)) {
            text[length++] = '.';
        }
        text[length++] = i < 0 || i >= plain->count ? '0' : plain->digits[i];
    }
    if (plain->count == 0) {
        length = plain->negative;
        text[length++] = '0';
    }
    if (with_fraction) {
        text[length++] = '.';
        text[length++] = '0';
    }
    return slm__node_text(builder, slm__span(text, length));
}

static slm_node number_value(struct slm_grammar_builder *builder, struct slm_span text)
{
    slm_node spellings[6] = {slm__node_text(builder, text)};
    uint32_t count = 1;
    struct plain plain;
    if (take_apart(text, &plain)) {
        bool zero = plain.count == 0;
        for (int sign = 0; sign < (zero ? 2 : 1); sign++) {
            plain.negative = zero ? sign == 1 : plain.negative;
            spellings[count++] = plain_node(builder, &plain, false);
            if (zero || plain.count <= plain.point) {
                spellings[count++] = plain_node(builder, &plain, true);
            }
        }
    }
    return slm__node_choice(builder, spellings, count);
}

static slm_status array_value(struct slm_schema_work *work, const struct slm_json *value, slm_node *node)
{
    slm_node inside = SLM_NODE_EMPTY;
    for (uint32_t i = 0; i < value->count; i++) {
        slm_node item = SLM_NODE_NEVER;
        SLM_TRY(value_node(work, &value->items[i], &item));
        inside = slm__pair_node(work->builder, inside, i == 0 ? item : slm__comma_node(work, item));
    }
    *node = slm__bracket_node(work, inside);
    return SLM_OK;
}

static slm_status object_value(struct slm_schema_work *work, const struct slm_json *value, slm_node *node)
{
    struct slm_object_member *members = NULL;
    SLM_TRY(slm__schema_take(work, value->count * sizeof *members, &members));
    struct slm_object_shape shape = {.members = members,
                                     .max_properties = UINT32_MAX,
                                     .space = work->space_node,
                                     .order = work->options.any_order ? SLM_OBJECT_ANY_ORDER : SLM_OBJECT_IN_ORDER};
    for (uint32_t i = 0; i < value->count; i++) {
        if (value->duplicate_keys && slm__schema_member(value, value->keys[i]) != &value->items[i]) {
            continue;
        }
        slm_node member = SLM_NODE_NEVER;
        SLM_TRY(value_node(work, &value->items[i], &member));
        members[shape.member_count++] = (struct slm_object_member){value->keys[i], member, true};
    }
    *node = slm__node_object(work->builder, &shape);
    return SLM_OK;
}

/* The nesting is bounded by the JSON reader. */
static slm_status value_node(struct slm_schema_work *work, const struct slm_json *value, slm_node *node)
{
    switch (value->type) {
    case SLM_JSON_NULL: *node = slm__node_text(work->builder, slm__span_text("null")); return SLM_OK;
    case SLM_JSON_FALSE: *node = slm__node_text(work->builder, slm__span_text("false")); return SLM_OK;
    case SLM_JSON_TRUE: *node = slm__node_text(work->builder, slm__span_text("true")); return SLM_OK;
    case SLM_JSON_NUMBER: *node = number_value(work->builder, value->text); return SLM_OK;
    case SLM_JSON_STRING: return string_value(work, value->text, node);
    case SLM_JSON_ARRAY: return array_value(work, value, node);
    default: return object_value(work, value, node);
    }
}

slm_status slm__values_node(struct slm_schema_work *work, const struct slm_json *const *values, uint32_t count, slm_node *node)
{
    slm_node *choices = NULL;
    struct slm_span *texts = NULL;
    uint32_t choice_count = 0;
    uint32_t text_count = 0;
    SLM_TRY(slm__schema_take(work, (count + 1) * sizeof *choices, &choices));
    SLM_TRY(slm__schema_take(work, count * sizeof *texts, &texts));
    for (uint32_t i = 0; i < count; i++) {
        if (values[i]->type == SLM_JSON_STRING && !is_plain(values[i]->text)) {
            texts[text_count++] = values[i]->text;
        } else {
            SLM_TRY(value_node(work, values[i], &choices[choice_count++]));
        }
    }
    if (text_count > 0) { /* strings of several spellings are one automaton */
        struct slm_regular words;
        SLM_TRY(slm__regular_texts(&work->space, texts, text_count, &words, work->error));
        choices[choice_count++] = slm__quoted_node(work->builder, slm__node_json_lifted(work->builder, &words));
    }
    *node = slm__node_choice(work->builder, choices, choice_count);
    return SLM_OK;
}

/* SPDX-License-Identifier: MIT */
/* One pass over the text; a rule that is named before its definition is made then, and all of them are checked at the end. */
#include "grammar/gbnf.h"
#include "base/utf8.h"              /* slm__utf8_decode, slm__utf8_encode */
#include "grammar/code_partition.h" /* slm__code_language */
#include "grammar/sequence_set.h"   /* struct slm_sequence_set, slm__arena_grow */

enum { DEPTH_LIMIT = 200, CLASS_STATES = 1000, NAME_LIMIT = 200 };

struct rule {
    slm_rule rule;
    size_t first_use; /* byte of the text */
    bool defined;
};

struct parser {
    struct slm_grammar_builder *builder;
    struct slm_arena arena;
    struct slm_span text;
    size_t position;
    uint32_t depth;
    struct slm_sequence_set names; /* a word for each byte; the number is the index in rules */
    struct rule *rules;
    uint32_t rule_capacity;
    slm_error *error;
};

struct list {
    slm_node *nodes;
    uint32_t count;
    uint32_t capacity;
};

static slm_status fail_at(const struct parser *p, size_t position, slm_status status, const char *what)
{
    size_t line = 1;
    size_t column = 1;
    for (size_t i = 0; i < position; i++) {
        bool end = p->text.data[i] == '\n';
        line += end;
        column = end ? 1 : column + ((p->text.data[i] & 0xC0) != 0x80);
    }
    return slm__fail(p->error, status, "line %zu, column %zu: %s", line, column, what);
}

static slm_status expect(const struct parser *p, const char *what) { return fail_at(p, p->position, SLM_E_SYNTAX, what); }

static slm_status out_of_memory(const struct parser *p) { return slm__arena_failure(&p->arena, p->error); }

static int peek(const struct parser *p) { return p->position < p->text.length ? p->text.data[p->position] : -1; }

static bool skip(struct parser *p, const char *text)
{
    size_t length = strlen(text);
    if (p->text.length - p->position < length || memcmp(p->text.data + p->position, text, length) != 0) {
        return false;
    }
    p->position += length;
    return true;
}

static bool is_name_byte(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* Blanks and comments; line ends too where a rule cannot end. */
static void skip_space(struct parser *p, bool lines)
{
    for (int c = peek(p); c == ' ' || c == '\t' || c == '#' || (lines && (c == '\n' || c == '\r')); c = peek(p)) {
        if (c != '#') {
            p->position++;
            continue;
        }
        while (peek(p) >= 0 && peek(p) != '\n') {
            p->position++;
        }
    }
}

/* Is there a | after line ends? Then the rule goes on there. */
static bool goes_on(struct parser *p)
{
    size_t start = p->position;
    skip_space(p, true);
    if (peek(p) == '|') {
        return true;
    }
    p->position = start;
    return false;
}

/* The rule with the name at the position. */
static slm_status read_name(struct parser *p, uint32_t *number)
{
    uint32_t words[NAME_LIMIT];
    uint32_t length = 0;
    size_t start = p->position;
    for (; is_name_byte(peek(p)); p->position++) {
        if (length == NAME_LIMIT) {
            return fail_at(p, start, SLM_E_LIMIT, "a name is longer than 200 bytes");
        }
        words[length++] = (uint32_t)peek(p);
    }
    if (length == 0) {
        return expect(p, "the name of a rule is expected");
    }
    uint32_t before = p->names.count;
    *number = slm__sequence_add(&p->names, words, length);
    if (*number == UINT32_MAX || !slm__arena_grow(&p->arena, &p->rules, &p->rule_capacity, (uint64_t)p->names.count, sizeof *p->rules)) {
        return out_of_memory(p);
    }
    if (p->names.count > before) {
        struct slm_span name = slm__span(p->text.data + start, length);
        p->rules[*number] = (struct rule){.rule = slm__node_rule_new(p->builder, name), .first_use = start};
    }
    return SLM_OK;
}

static slm_status append(struct parser *p, struct list *list, slm_node node)
{
    if (!slm__arena_grow(&p->arena, &list->nodes, &list->capacity, (uint64_t)list->count + 1, sizeof *list->nodes)) {
        return out_of_memory(p);
    }
    list->nodes[list->count++] = node;
    return SLM_OK;
}

/* A character of a text or class, with its escape. */
static slm_status read_character(struct parser *p, uint32_t *code)
{
    static const char signs[] = "nrt\\\"[]-^";
    static const char values[] = "\n\r\t\\\"[]-^";
    static const char kinds[] = "xuU";
    static const size_t digits[] = {2, 4, 8};
    size_t start = p->position;
    struct slm_utf8 c = slm__utf8_decode(p->text.data + p->position, p->text.length - p->position);
    p->position += c.length;
    *code = c.code;
    if (c.code != '\\') {
        return SLM_OK;
    }
    int letter = peek(p);
    const char *sign = letter > 0 ? strchr(signs, letter) : NULL;
    const char *kind = letter > 0 ? strchr(kinds, letter) : NULL;
    p->position += letter >= 0;
    if (sign != NULL) {
        *code = (uint32_t)values[sign - signs];
        return SLM_OK;
    }
    uint64_t value = 0;
    for (size_t i = 0; kind != NULL && i < digits[kind - kinds]; i++, p->position++) {
        int digit = peek(p);
        int lower = digit | 0x20;
        if (digit >= '0' && digit <= '9') {
            value = value << 4 | (unsigned)(digit - '0');
        } else if (digit > 0 && lower >= 'a' && lower <= 'f') {
            value = value << 4 | (unsigned)(lower - 'a' + 10);
        } else {
            return fail_at(p, start, SLM_E_SYNTAX, "the escape has too few hexadecimal digits");
        }
    }
    *code = (uint32_t)value;
    bool valid = value <= SLM_CODE_LAST && !(value >= SLM_SURROGATE_FIRST && value <= SLM_SURROGATE_LAST);
    return kind != NULL && valid
               ? SLM_OK
               : fail_at(p, start, SLM_E_SYNTAX, kind == NULL ? "there is no such escape" : "there is no such code point");
}

/* "text"; the position is behind the opening quote. */
static slm_status read_text(struct parser *p, slm_node *node)
{
    size_t start = p->position - 1;
    uint8_t *bytes = NULL;
    uint32_t capacity = 0;
    uint32_t length = 0;
    while (!skip(p, "\"")) {
        uint32_t code = 0;
        if (peek(p) < 0 || peek(p) == '\n') {
            return fail_at(p, start, SLM_E_SYNTAX, "the text has no closing quote");
        }
        SLM_TRY(read_character(p, &code));
        if (!slm__arena_grow(&p->arena, &bytes, &capacity, (uint64_t)length + 4, 1)) {
            return out_of_memory(p);
        }
        length += slm__utf8_encode(code, bytes + length);
    }
    *node = slm__node_text(p->builder, slm__span(bytes, length));
    return SLM_OK;
}

static slm_status set_node(struct parser *p, struct slm_code_set set, slm_node *node)
{
    if (set.count == 0 || set.ranges[set.count - 1].last < 0x80) {
        struct slm_byte_set bytes = {{0}};
        for (uint32_t i = 0; i < set.count; i++) {
            slm__byte_set_add_range(&bytes, (uint8_t)set.ranges[i].first, (uint8_t)set.ranges[i].last);
        }
        *node = slm__node_bytes(p->builder, &bytes);
        return SLM_OK;
    }
    struct slm_regular_space space = {&p->arena, CLASS_STATES};
    struct slm_regular words;
    SLM_TRY(slm__code_language(&space, set, &words, p->error));
    *node = slm__node_automaton(p->builder, &words);
    return SLM_OK;
}

/* [class]; the position is behind the opening bracket. */
static slm_status read_class(struct parser *p, slm_node *node)
{
    size_t start = p->position - 1;
    struct slm_code_collector codes;
    struct slm_code_set set;
    bool complement = skip(p, "^");
    slm__codes_init(&codes, &p->arena);
    while (!skip(p, "]")) {
        uint32_t first = 0;
        size_t place = p->position;
        if (peek(p) < 0 || peek(p) == '\n') {
            return fail_at(p, start, SLM_E_SYNTAX, "the class has no closing bracket");
        }
        SLM_TRY(read_character(p, &first));
        uint32_t last = first;
        bool range = peek(p) == '-' && p->position + 1 < p->text.length && p->text.data[p->position + 1] != ']';
        if (range) {
            p->position++;
            SLM_TRY(read_character(p, &last));
        }
        if (last < first) {
            return fail_at(p, place, SLM_E_SYNTAX, "the range of the class is out of order");
        }
        slm__codes_add(&codes, first, last);
    }
    if (!slm__codes_finish(&codes, complement, &set)) {
        return out_of_memory(p);
    }
    return set_node(p, set, node);
}

static slm_status read_any(struct parser *p, slm_node *node)
{
    struct slm_code_collector codes;
    struct slm_code_set set;
    slm__codes_init(&codes, &p->arena);
    return slm__codes_finish(&codes, true, &set) ? set_node(p, set, node) : out_of_memory(p);
}

/* Digits as a number below 2^32 - 1; false when there are none or too many. */
static bool read_count(struct parser *p, uint32_t *count)
{
    uint64_t value = 0;
    size_t start = p->position;
    for (; peek(p) >= '0' && peek(p) <= '9' && value < UINT32_MAX; p->position++) {
        value = 10 * value + (uint64_t)(peek(p) - '0');
    }
    *count = (uint32_t)value;
    return p->position > start && value < UINT32_MAX;
}

/* * + ? {m} {m,} {m,n} behind an element, as many as stand there. */
static slm_status read_repeats(struct parser *p, bool nested, slm_node *node)
{
    for (;; skip_space(p, nested)) {
        uint32_t min = 0;
        uint32_t max = SLM_REPEAT_NO_END;
        size_t start = p->position;
        if (skip(p, "+")) {
            min = 1;
        } else if (skip(p, "?")) {
            max = 1;
        } else if (skip(p, "{")) {
            skip_space(p, nested);
            bool ok = read_count(p, &min);
            max = min;
            skip_space(p, nested);
            if (ok && skip(p, ",")) {
                skip_space(p, nested);
                max = SLM_REPEAT_NO_END;
                ok = peek(p) == '}' || read_count(p, &max);
                skip_space(p, nested);
            }
            if (!ok || !skip(p, "}") || max < min) {
                return fail_at(p, start, SLM_E_SYNTAX, "a repetition is {m}, {m,} or {m,n} with m <= n");
            }
        } else if (!skip(p, "*")) {
            return SLM_OK;
        }
        *node = slm__node_repeat(p->builder, *node, min, max);
    }
}

static slm_status read_choice(struct parser *p, bool nested, slm_node *node);

static slm_status read_group(struct parser *p, slm_node *node)
{
    size_t start = p->position - 1;
    if (++p->depth > DEPTH_LIMIT) {
        return fail_at(p, start, SLM_E_LIMIT, "groups are nested deeper than the limit of 200");
    }
    SLM_TRY(read_choice(p, true, node));
    p->depth--;
    return skip(p, ")") ? SLM_OK : fail_at(p, start, SLM_E_SYNTAX, "the group has no closing parenthesis");
}

/* Elements up to the end of the alternative. */
static slm_status read_sequence(struct parser *p, bool nested, slm_node *node)
{
    struct list list = {0};
    for (skip_space(p, nested);; skip_space(p, nested)) {
        slm_node element = SLM_NODE_NEVER;
        if (skip(p, "\"")) {
            SLM_TRY(read_text(p, &element));
        } else if (skip(p, "[")) {
            SLM_TRY(read_class(p, &element));
        } else if (skip(p, "(")) {
            SLM_TRY(read_group(p, &element));
        } else if (skip(p, ".")) {
            SLM_TRY(read_any(p, &element));
        } else if (is_name_byte(peek(p))) {
            uint32_t number = 0;
            SLM_TRY(read_name(p, &number));
            element = slm__node_rule(p->builder, p->rules[number].rule);
        } else if (peek(p) >= 0 && strchr("|)\n\r", peek(p)) == NULL) {
            return expect(p, "this is no part of a rule (a text, class, name, group or repetition is expected)");
        } else {
            *node = slm__node_sequence(p->builder, list.nodes, list.count);
            return SLM_OK;
        }
        skip_space(p, nested);
        SLM_TRY(read_repeats(p, nested, &element));
        SLM_TRY(append(p, &list, element));
    }
}

static slm_status read_choice(struct parser *p, bool nested, slm_node *node)
{
    struct list list = {0};
    do {
        slm_node sequence = SLM_NODE_NEVER;
        skip_space(p, true);
        SLM_TRY(read_sequence(p, nested, &sequence));
        SLM_TRY(append(p, &list, sequence));
    } while ((nested || goes_on(p)) && skip(p, "|"));
    *node = slm__node_choice(p->builder, list.nodes, list.count);
    return SLM_OK;
}

/* name ::= alternatives, and the end of its line. */
static slm_status read_rule(struct parser *p)
{
    size_t start = p->position;
    uint32_t number = 0;
    slm_node node = SLM_NODE_NEVER;
    SLM_TRY(read_name(p, &number));
    if (p->rules[number].defined) {
        return fail_at(p, start, SLM_E_SYNTAX, "the rule is defined a second time");
    }
    p->rules[number].defined = true;
    skip_space(p, false);
    if (!skip(p, "::=")) {
        return expect(p, "::= is expected behind the name of a rule");
    }
    SLM_TRY(read_choice(p, false, &node));
    if (peek(p) >= 0 && peek(p) != '\n' && peek(p) != '\r') {
        return expect(p, "this parenthesis closes nothing");
    }
    slm__node_rule_define(p->builder, p->rules[number].rule, node);
    return SLM_OK;
}

static slm_status read_grammar(struct parser *p, slm_node *root)
{
    static const uint32_t root_words[] = {'r', 'o', 'o', 't'};
    size_t valid = slm__utf8_valid_prefix(p->text);
    if (valid != p->text.length) {
        return fail_at(p, valid, SLM_E_ENCODING, "the grammar is not valid UTF-8");
    }
    for (skip_space(p, true); peek(p) >= 0; skip_space(p, true)) {
        SLM_TRY(read_rule(p));
    }
    uint32_t count = p->names.count;
    for (uint32_t i = 0; i < count; i++) {
        if (!p->rules[i].defined) {
            return fail_at(p, p->rules[i].first_use, SLM_E_SYNTAX, "this rule is not defined anywhere");
        }
    }
    uint32_t number = slm__sequence_add(&p->names, root_words, 4);
    if (number == UINT32_MAX) {
        return out_of_memory(p);
    }
    if (number == count) {
        return slm__fail(p->error, SLM_E_SYNTAX, "the grammar has no rule named root");
    }
    *root = slm__node_rule(p->builder, p->rules[number].rule);
    return slm__grammar_builder_failure(p->builder, p->error);
}

slm_status slm__gbnf_parse(struct slm_grammar_builder *builder, struct slm_span text, slm_node *root, slm_error *error)
{
    struct parser p = {.builder = builder, .text = text, .error = error};
    slm__arena_init(&p.arena, &builder->memory, builder->limit);
    slm__sequence_init(&p.names, &p.arena, UINT32_MAX - 1);
    slm_status status = read_grammar(&p, root);
    slm__arena_free(&p.arena);
    return status;
}

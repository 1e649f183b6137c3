/* SPDX-License-Identifier: MIT */
/* The parser of statements, and the token stream under both halves of the parser. */
#include "text/template_parser.h" /* struct slm_tparser */

#include <stdarg.h>
#include <stdio.h> /* vsnprintf */

slm_status slm__tp_fail(const struct slm_tparser *p, const char *format, ...)
{
    char text[300];
    va_list list;
    va_start(list, format);
    int length = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return slm__fail(p->machine->error, SLM_E_SYNTAX, "chat template, line %u, column %u: %s", (unsigned)p->token->line,
                     (unsigned)p->token->column, length < 0 ? "syntax error" : text);
}

slm_status slm__tp_fail_token(const struct slm_tparser *p, const char *expected)
{
    static const char *const ends[] = {
        [SLM_TT_END] = "the end of the template",
        [SLM_TT_DATA] = "text",
        [SLM_TT_PRINT_BEGIN] = "{{",
        [SLM_TT_PRINT_END] = "}}",
        [SLM_TT_BLOCK_BEGIN] = "{%",
        [SLM_TT_BLOCK_END] = "%}",
    };
    if (p->token->type <= SLM_TT_BLOCK_END) {
        return slm__tp_fail(p, "expected %s, got %s", expected, ends[p->token->type]);
    }
    return slm__tp_fail(p, "expected %s, got '%.*s'", expected, SLM_SPAN_ARGS(p->token->text));
}

slm_status slm__tp_enter(struct slm_tparser *p)
{
    /* Two levels for each pair of brackets: an expression and its operand. */
    if (p->depth >= 2 * SLM_T_SYNTAX_DEPTH) {
        return slm__fail(p->machine->error, SLM_E_LIMIT, "chat template, line %u: nested deeper than %d", (unsigned)p->token->line,
                         (int)SLM_T_SYNTAX_DEPTH);
    }
    p->depth++;
    return SLM_OK;
}

bool slm__tp_is(const struct slm_tparser *p, const char *operation)
{
    return p->token->type == SLM_TT_OPERATOR && slm__span_is(p->token->text, operation);
}

bool slm__tp_is_name(const struct slm_tparser *p, const char *name)
{
    return p->token->type == SLM_TT_NAME && slm__span_is(p->token->text, name);
}

bool slm__tp_skip(struct slm_tparser *p, const char *operation)
{
    bool is = slm__tp_is(p, operation);
    p->token += is;
    return is;
}

bool slm__tp_skip_name(struct slm_tparser *p, const char *name)
{
    bool is = slm__tp_is_name(p, name);
    p->token += is;
    return is;
}

slm_status slm__tp_expect(struct slm_tparser *p, const char *operation)
{
    return slm__tp_skip(p, operation) ? SLM_OK : slm__tp_fail_token(p, operation);
}

slm_status slm__tp_expect_name(struct slm_tparser *p, struct slm_span *name)
{
    if (p->token->type != SLM_TT_NAME) {
        return slm__tp_fail_token(p, "a name");
    }
    *name = p->token->text;
    p->token++;
    return SLM_OK;
}

static slm_status expect_block_end(struct slm_tparser *p)
{
    if (p->token->type != SLM_TT_BLOCK_END) {
        return slm__tp_fail_token(p, "%}");
    }
    p->token++;
    return SLM_OK;
}

/* Statements up to a tag whose name is in `ends` (words separated by blanks; "": the end of the template); the stream then stands on
 * that name. */
static slm_status parse_body(struct slm_tparser *p, const char *ends, const struct slm_tnode **body);

/* A body of its own between %} and `end`, which is skipped up to its %}. */
static slm_status parse_block(struct slm_tparser *p, const char *end, const struct slm_tnode **body)
{
    SLM_TRY(expect_block_end(p));
    SLM_TRY(parse_body(p, end, body));
    p->token++;
    return SLM_OK;
}

static bool word_in(struct slm_span word, const char *words)
{
    while (*words != '\0') {
        size_t length = strcspn(words, " ");
        if (slm__span_equal(word, slm__span(words, length))) {
            return true;
        }
        words += length;
        words += strspn(words, " ");
    }
    return false;
}

/* Behind "if". */
static slm_status parse_if(struct slm_tparser *p, struct slm_tnode *node)
{
    uint32_t capacity = 0;
    struct slm_tbranch *branches = NULL;
    bool soft = p->soft;
    bool is_else = false;
    node->kind = SLM_TN_IF;
    for (;;) {
        if (node->count == capacity) {
            capacity = capacity == 0 ? 4 : capacity * 2;
            struct slm_tbranch *grown = slm__tm_take_items(p->machine, capacity, sizeof *grown);
            if (grown == NULL) {
                return slm__tm_no_memory(p->machine);
            }
            if (node->count > 0) {
                memcpy(grown, branches, node->count * sizeof *grown);
            }
            branches = grown;
        }
        struct slm_tbranch *branch = &branches[node->count++];
        if (!is_else) {
            SLM_TRY(slm__tp_tuple(p, false, &branch->test));
        }
        p->soft = true;
        SLM_TRY(expect_block_end(p));
        SLM_TRY(parse_body(p, is_else ? "endif" : "elif else endif", &branch->body));
        if (slm__tp_skip_name(p, "endif")) {
            break;
        }
        is_else = slm__tp_is_name(p, "else");
        p->token++;
    }
    p->soft = soft;
    node->branches = branches;
    return SLM_OK;
}

/* Behind "for". */
static slm_status parse_for(struct slm_tparser *p, struct slm_tnode *node)
{
    bool soft = p->soft;
    node->kind = SLM_TN_FOR;
    SLM_TRY(slm__tp_target(p, false, &node->target));
    if (!slm__tp_skip_name(p, "in")) {
        return slm__tp_fail_token(p, "in");
    }
    SLM_TRY(slm__tp_tuple(p, false, &node->value));
    if (slm__tp_skip_name(p, "if")) {
        SLM_TRY(slm__tp_expression(p, &node->test));
    }
    node->recursive = slm__tp_skip_name(p, "recursive");
    SLM_TRY(expect_block_end(p));
    p->soft = false;
    p->loops++;
    SLM_TRY(parse_body(p, "endfor else", &node->body));
    p->loops--;
    if (slm__tp_skip_name(p, "else")) {
        SLM_TRY(expect_block_end(p));
        SLM_TRY(parse_body(p, "endfor", &node->otherwise));
    }
    p->soft = soft;
    p->token++;
    return SLM_OK;
}

/* Behind "set". */
static slm_status parse_set(struct slm_tparser *p, struct slm_tnode *node)
{
    node->kind = SLM_TN_SET;
    SLM_TRY(slm__tp_target(p, true, &node->target));
    if (slm__tp_skip(p, "=")) {
        return slm__tp_tuple(p, true, &node->value);
    }
    node->kind = SLM_TN_SET_BLOCK;
    if (slm__tp_skip(p, "|")) {
        SLM_TRY(slm__tp_filters(p, NULL, &node->value));
    }
    return parse_block(p, "endset", &node->body);
}

/* "(a, b=1)" of a macro or of a call block. */
static slm_status parse_parameters(struct slm_tparser *p, struct slm_tmacro_syntax *macro)
{
    size_t capacity = 0;
    struct slm_tparameter *parameters = NULL;
    SLM_TRY(slm__tp_expect(p, "("));
    while (!slm__tp_is(p, ")")) {
        if (macro->count > 0) {
            SLM_TRY(slm__tp_expect(p, ","));
        }
        if (macro->count == capacity) {
            capacity = capacity == 0 ? 4 : capacity * 2;
            struct slm_tparameter *grown = slm__tm_take_items(p->machine, capacity, sizeof *grown);
            if (grown == NULL) {
                return slm__tm_no_memory(p->machine);
            }
            if (macro->count > 0) {
                memcpy(grown, parameters, macro->count * sizeof *grown);
            }
            parameters = grown;
        }
        struct slm_tparameter *parameter = &parameters[macro->count];
        SLM_TRY(slm__tp_expect_name(p, &parameter->name));
        if (slm__tp_skip(p, "=")) {
            SLM_TRY(slm__tp_expression(p, &parameter->otherwise));
        } else if (macro->count > 0 && parameters[macro->count - 1].otherwise != NULL) {
            return slm__tp_fail(p, "a parameter without default follows one with a default");
        }
        macro->count++;
    }
    macro->parameters = parameters;
    return slm__tp_expect(p, ")");
}

/* The body of a macro or call block: parameters are known, break and continue of outer loops do not reach into it. */
static slm_status parse_macro_body(struct slm_tparser *p, struct slm_tmacro_syntax *macro, const char *end)
{
    struct slm_tmacro_syntax *outer = p->in_macro;
    unsigned loops = p->loops;
    bool soft = p->soft;
    p->in_macro = macro;
    p->loops = 0;
    p->soft = false;
    SLM_TRY(parse_block(p, end, &macro->body));
    p->in_macro = outer;
    p->loops = loops;
    p->soft = soft;
    return SLM_OK;
}

static slm_status new_macro(struct slm_tparser *p, struct slm_tnode *node, struct slm_tmacro_syntax **macro)
{
    *macro = slm__tm_take(p->machine, sizeof **macro);
    if (*macro == NULL) {
        return slm__tm_no_memory(p->machine);
    }
    node->macro = *macro;
    return SLM_OK;
}

/* Behind "macro". */
static slm_status parse_macro(struct slm_tparser *p, struct slm_tnode *node)
{
    struct slm_tmacro_syntax *macro = NULL;
    node->kind = SLM_TN_MACRO;
    SLM_TRY(new_macro(p, node, &macro));
    SLM_TRY(slm__tp_expect_name(p, &macro->name));
    SLM_TRY(parse_parameters(p, macro));
    return parse_macro_body(p, macro, "endmacro");
}

/* Behind "call". */
static slm_status parse_call_block(struct slm_tparser *p, struct slm_tnode *node)
{
    struct slm_tmacro_syntax *macro = NULL;
    node->kind = SLM_TN_CALL_BLOCK;
    SLM_TRY(new_macro(p, node, &macro));
    macro->name = slm__span_text("caller");
    if (slm__tp_is(p, "(")) {
        SLM_TRY(parse_parameters(p, macro));
    }
    SLM_TRY(slm__tp_call(p, &node->value));
    if (node->value->kind != SLM_TE_CALL) {
        return slm__tp_fail(p, "a call block needs a call");
    }
    return parse_macro_body(p, macro, "endcall");
}

/* Behind "with". */
static slm_status parse_with(struct slm_tparser *p, struct slm_tnode *node)
{
    enum { MOST = 32 };
    const struct slm_texpr **targets = slm__tm_take_items(p->machine, 2 * MOST, sizeof *targets);
    if (targets == NULL) {
        return slm__tm_no_memory(p->machine);
    }
    node->kind = SLM_TN_WITH;
    node->targets = targets;
    while (p->token->type != SLM_TT_BLOCK_END) {
        if (node->count > 0) {
            SLM_TRY(slm__tp_expect(p, ","));
        }
        if (node->count == MOST) {
            return slm__tp_fail(p, "a with block of more than %d variables", (int)MOST);
        }
        const struct slm_texpr **pair = &targets[2 * node->count++];
        struct slm_texpr *target = slm__tm_take(p->machine, sizeof *target);
        if (target == NULL) {
            return slm__tm_no_memory(p->machine);
        }
        target->kind = SLM_TE_NAME;
        target->line = p->token->line;
        SLM_TRY(slm__tp_expect_name(p, &target->name));
        pair[0] = target;
        SLM_TRY(slm__tp_expect(p, "="));
        SLM_TRY(slm__tp_expression(p, &pair[1]));
    }
    return parse_block(p, "endwith", &node->body);
}

/* Behind "block": without inheritance its body stands where it is written. */
static slm_status parse_named_block(struct slm_tparser *p, struct slm_tnode *node)
{
    struct slm_span name = slm__span(NULL, 0);
    node->kind = SLM_TN_SCOPE;
    SLM_TRY(slm__tp_expect_name(p, &name));
    SLM_TRY(parse_block(p, "endblock", &node->body));
    if (p->token->type == SLM_TT_NAME && slm__span_equal(p->token->text, name)) {
        p->token++;
    }
    return SLM_OK;
}

/* Behind "generation": marks the assistant's text, prints its body. */
static slm_status parse_generation(struct slm_tparser *p, struct slm_tnode *node)
{
    unsigned loops = p->loops;
    node->kind = SLM_TN_SCOPE;
    p->loops = 0;
    SLM_TRY(parse_block(p, "endgeneration", &node->body));
    p->loops = loops;
    return SLM_OK;
}

/* Behind "filter". */
static slm_status parse_filter_block(struct slm_tparser *p, struct slm_tnode *node)
{
    node->kind = SLM_TN_FILTER;
    SLM_TRY(slm__tp_filters(p, NULL, &node->value));
    return parse_block(p, "endfilter", &node->body);
}

static slm_status parse_jump(struct slm_tparser *p, struct slm_tnode *node)
{
    node->kind = slm__span_is(p->token[-1].text, "break") ? SLM_TN_BREAK : SLM_TN_CONTINUE;
    return p->loops > 0 ? SLM_OK : slm__tp_fail(p, "break and continue belong into a loop");
}

/* At a name behind "{%". */
static slm_status parse_statement(struct slm_tparser *p, struct slm_tnode *node)
{
    static const struct {
        const char *name;
        slm_status (*parse)(struct slm_tparser *p, struct slm_tnode *node);
    } statements[] = {
        {"if", parse_if},
        {"for", parse_for},
        {"set", parse_set},
        {"macro", parse_macro},
        {"with", parse_with},
        {"call", parse_call_block},
        {"block", parse_named_block},
        {"generation", parse_generation},
        {"break", parse_jump},
        {"continue", parse_jump},
        {"filter", parse_filter_block},
    };
    node->line = p->token->line;
    if (p->token->type != SLM_TT_NAME) {
        return slm__tp_fail_token(p, "the name of a tag");
    }
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        if (slm__tp_skip_name(p, statements[i].name)) {
            SLM_TRY(slm__tp_enter(p));
            SLM_TRY(statements[i].parse(p, node));
            p->depth--;
            return expect_block_end(p);
        }
    }
    return slm__tp_fail(p, "unknown tag '%.*s'", SLM_SPAN_ARGS(p->token->text));
}

static slm_status parse_print(struct slm_tparser *p, struct slm_tnode *node)
{
    node->kind = SLM_TN_PRINT;
    node->line = p->token->line;
    SLM_TRY(slm__tp_tuple(p, true, &node->value));
    if (p->token->type != SLM_TT_PRINT_END) {
        return slm__tp_fail_token(p, "}}");
    }
    p->token++;
    return SLM_OK;
}

static slm_status parse_text(struct slm_tparser *p, struct slm_tnode *node)
{
    node->kind = SLM_TN_TEXT;
    node->line = p->token->line;
    SLM_TRY(slm__ts_make(p->machine, p->token->text, true, &node->text));
    p->token++;
    return SLM_OK;
}

static slm_status parse_body(struct slm_tparser *p, const char *ends, const struct slm_tnode **body)
{
    const struct slm_tnode **tail = body;
    *body = NULL;
    for (;;) {
        if (p->token->type == SLM_TT_END) {
            return ends[0] == '\0' ? SLM_OK : slm__tp_fail(p, "the template ends inside of a block, expected %s", ends);
        }
        bool is_block = p->token->type == SLM_TT_BLOCK_BEGIN;
        bool is_print = p->token->type == SLM_TT_PRINT_BEGIN;
        p->token += is_block || is_print;
        if (is_block && p->token->type == SLM_TT_NAME && word_in(p->token->text, ends)) {
            return SLM_OK;
        }
        struct slm_tnode *node = slm__tm_take(p->machine, sizeof *node);
        if (node == NULL) {
            return slm__tm_no_memory(p->machine);
        }
        SLM_TRY(is_block ? parse_statement(p, node) : is_print ? parse_print(p, node) : parse_text(p, node));
        *tail = node;
        tail = &node->next;
    }
}

slm_status slm__template_parse(struct slm_tmachine *m, struct slm_span source, const struct slm_tnode **body)
{
    struct slm_tparser parser;
    size_t count = 0;
    memset(&parser, 0, sizeof parser);
    parser.machine = m;
    SLM_TRY(slm__template_lex(m, source, &parser.token, &count));
    return parse_body(&parser, "", body);
}

/* SPDX-License-Identifier: MIT */
/* Grammars: from a schema, a regular expression or a grammar text to one immutable object. */
#include "api/handles.h"
#include "grammar/ecma_regex.h"      /* slm__regex_compile */
#include "grammar/gbnf.h"            /* slm__gbnf_parse */
#include "grammar/grammar_compile.h" /* slm__grammar_compile */
#include "grammar/schema_nodes.h"    /* slm__schema_nodes */
#include "runtime/session.h"         /* struct slm_session, slm__constraint_set */
#include <stddef.h>

static const uint64_t USUAL_BYTES = (uint64_t)64 << 20;
enum { WARNINGS_LIMIT = 1 << 16 };

/* ---- From text to nodes */

static slm_status regex_nodes(struct slm_grammar_builder *builder, struct slm_span text, slm_node *root, slm_error *error)
{
    struct slm_arena arena;
    struct slm_regular words;
    slm__arena_init(&arena, &builder->memory, builder->limit);
    const struct slm_regular_space space = {&arena, SLM_REGULAR_STATE_LIMIT};
    const slm_status status = slm__regex_compile(&space, text, SLM_REGEX_WHOLE, &words, error);
    if (status == SLM_OK) {
        *root = slm__node_automaton(builder, &words);
    }
    slm__arena_free(&arena);
    return status;
}

/* Each line of warnings to the log. */
static void log_warnings(const struct slm_log *log, const struct slm_buffer *warnings)
{
    for (size_t start = 0; start < warnings->length;) {
        size_t end = start;
        while (end < warnings->length && warnings->data[end] != '\n') {
            end++;
        }
        slm__log(log, SLM_LOG_WARNING, "%.*s", SLM_SPAN_ARGS(slm__span(warnings->data + start, end - start)));
        start = end + 1;
    }
}

static slm_status schema_nodes(struct slm_grammar_builder *builder, const struct slm_log *log, const slm_grammar_options *options,
                               struct slm_span text, slm_node *root, slm_error *error)
{
    struct slm_buffer warnings;
    slm__buffer_init(&warnings, &builder->memory, WARNINGS_LIMIT);
    const struct slm_schema_options schema = {
        .any_order = (options->flags & SLM_GRAMMAR_ANY_ORDER) != 0,
        .flexible_space = (options->flags & SLM_GRAMMAR_SPACES) != 0,
        .ignore_rest = (options->flags & SLM_GRAMMAR_LENIENT) != 0,
        .warnings = &warnings,
    };
    const slm_status status = slm__schema_nodes(builder, &builder->memory, builder->limit, text, &schema, root, error);
    log_warnings(log, &warnings);
    slm__buffer_free(&warnings);
    return status;
}

static slm_status build(struct slm_engine *engine, int32_t kind, struct slm_span text, const slm_grammar_options *options,
                        struct slm_grammar **grammar, slm_error *error)
{
    const uint64_t limit = options->max_bytes != 0 ? options->max_bytes : USUAL_BYTES;
    const struct slm_grammar_limits limits = {(size_t)limit, options->max_depth};
    struct slm_grammar_builder builder;
    slm_node root = SLM_NODE_NEVER;
    slm__grammar_builder_init(&builder, &engine->memory, (size_t)limit);
    slm_status status = kind == SLM_GRAMMAR_REGEX  ? regex_nodes(&builder, text, &root, error)
                        : kind == SLM_GRAMMAR_GBNF ? slm__gbnf_parse(&builder, text, &root, error)
                                                   : schema_nodes(&builder, &engine->log, options, text, &root, error);
    if (status == SLM_OK) {
        status = slm__grammar_compile(&builder, root, &limits, &engine->memory, grammar, error);
    }
    slm__grammar_builder_free(&builder);
    return status;
}

slm_status slm_grammar_compile(slm_engine *engine, int32_t kind, const char *text, uint64_t length, const slm_grammar_options *options,
                               slm_grammar **grammar, slm_error *error)
{
    SLM_REQUIRE_PART(GRAMMAR, "grammars", error);
    slm_grammar_options known;
    struct slm_span span;
    SLM_TRY(slm__require(engine, "engine", error));
    SLM_TRY(slm__require(grammar, "grammar", error));
    SLM_TRY(slm__text_in(text, length, "text", &span, error));
    SLM_TRY(slm__options_in(&known, sizeof known, options, error));
    SLM_TRY(slm__require_zero(known.reserved, "grammar options: reserved", error));
    if (kind < SLM_GRAMMAR_SCHEMA || kind > SLM_GRAMMAR_GBNF) {
        return slm__fail(error, SLM_E_ARGUMENT, "kind is %d; %d to %d are possible", kind, SLM_GRAMMAR_SCHEMA, SLM_GRAMMAR_GBNF);
    }
    if ((known.flags & ~(uint32_t)(SLM_GRAMMAR_SPACES | SLM_GRAMMAR_ANY_ORDER | SLM_GRAMMAR_LENIENT)) != 0) {
        return slm__fail(error, SLM_E_ARGUMENT, "flags is 0x%x, unknown bits are set", known.flags);
    }
    if (known.max_depth > SLM_GRAMMAR_DEPTH_MAX) {
        return slm__fail(error, SLM_E_ARGUMENT, "max_depth is %u; %d are possible", known.max_depth, SLM_GRAMMAR_DEPTH_MAX);
    }
    return build(engine, kind, span, &known, grammar, error);
}

slm_status slm_grammar_get_info(const slm_grammar *grammar, slm_grammar_info *info, slm_error *error)
{
    SLM_REQUIRE_PART(GRAMMAR, "grammars", error);
    SLM_TRY(slm__require(grammar, "grammar", error));
    SLM_TRY(slm__require(info, "info", error));
    const slm_grammar_info known = {
        .struct_size = sizeof known, .nodes = grammar->node_count, .bytes = grammar->bytes, .shortest = grammar->cost[grammar->root]};
    return slm__struct_out(info, &known, sizeof known, error);
}

slm_status slm_grammar_destroy(slm_grammar *grammar)
{
    if (grammar != NULL && atomic_load(&grammar->users) != 0) {
        return SLM_E_BUSY;
    }
    if (SLM_WITH_GRAMMAR) {
        slm__grammar_free(grammar);
    }
    return SLM_OK;
}

/* The handle that the runtime's view is a part of. */
static slm_model *model_of(const slm_session *session)
{
    return (slm_model *)((uintptr_t)session->pool->model - offsetof(slm_model, runtime));
}

slm_status slm_session_set_grammar(slm_session *session, slm_grammar *grammar, slm_error *error)
{
    const struct slm_vocabulary *vocabulary = NULL;
    SLM_TRY(slm__require(session, "session", error));
    if (grammar != NULL) {
        SLM_REQUIRE_PART(GRAMMAR, "grammars", error);
        SLM_TRY(slm__model_vocabulary(model_of(session), &vocabulary, error));
    }
    return slm__constraint_set(session, grammar, vocabulary, error);
}

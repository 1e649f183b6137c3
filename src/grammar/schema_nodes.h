/* SPDX-License-Identifier: MIT */
/* JSON Schema as nodes of a grammar. */
#ifndef SLM_GRAMMAR_SCHEMA_NODES_H
#define SLM_GRAMMAR_SCHEMA_NODES_H

#include "grammar/grammar_nodes.h" /* slm_node, struct slm_grammar_builder */
#include "grammar/schema_goals.h"  /* struct slm_schema_options, struct slm_schema_work */

/* The JSON texts that satisfy a schema (`text`, JSON itself) as a node of `builder`. At most `limit` bytes of working memory, given back.
 * Errors: those of JSON; SLM_E_BAD_VALUE (a keyword's value is wrong, a reference leads nowhere), SLM_E_UNSUPPORTED (what cannot be
 * enforced; a reference out of the text), SLM_E_SYNTAX (a pattern), SLM_E_LIMIT, SLM_E_NO_MEMORY. Messages begin with the place in the
 * schema, a JSON pointer: "#/properties/a: ...". A schema that nothing satisfies is no error here: *root is a node that matches nothing,
 * at once or after compiling. */
slm_status slm__schema_nodes(struct slm_grammar_builder *builder, const struct slm_memory *memory, size_t limit, struct slm_span text,
                             const struct slm_schema_options *options, slm_node *root, slm_error *error);

/* ---- The parts of it ---- */

/* The texts of values that satisfy a goal. */
slm_status slm__goal_node(struct slm_schema_work *work, slm_goal goal, slm_node *node);
/* The texts of exactly these values. */
slm_status slm__values_node(struct slm_schema_work *work, const struct slm_json *const *values, uint32_t count, slm_node *node);
slm_status slm__number_node(struct slm_schema_work *work, const struct slm_form *form, slm_node *node);
slm_status slm__number_is_empty(struct slm_schema_work *work, const struct slm_form *form, bool *empty);
slm_status slm__string_node(struct slm_schema_work *work, const struct slm_form *form, slm_node *node);
slm_status slm__array_node(struct slm_schema_work *work, const struct slm_form *form, slm_node *node);
slm_status slm__object_node(struct slm_schema_work *work, const struct slm_form *form, slm_node *node);
/* '[' node ']' with white space inside. */
slm_node slm__bracket_node(struct slm_schema_work *work, slm_node inside);
/* ',' node, with white space around the comma. */
slm_node slm__comma_node(struct slm_schema_work *work, slm_node node);
static inline slm_node slm__pair_node(struct slm_grammar_builder *builder, slm_node a, slm_node b)
{
    slm_node both[2] = {a, b};
    return slm__node_sequence(builder, both, 2);
}
static inline slm_node slm__either_node(struct slm_grammar_builder *builder, slm_node a, slm_node b)
{
    slm_node both[2] = {a, b};
    return slm__node_choice(builder, both, 2);
}
/* The decoded text between quotes. */
slm_node slm__quoted_node(struct slm_grammar_builder *builder, slm_node inside);
/* All numbers. */
slm_status slm__any_number_node(struct slm_schema_work *work, slm_node *node);

#endif

/* SPDX-License-Identifier: MIT */
/* Context-free grammars as texts in the notation of llama.cpp (GBNF), to nodes. */
#ifndef SLM_GRAMMAR_GBNF_H
#define SLM_GRAMMAR_GBNF_H

#include "grammar/grammar_nodes.h" /* struct slm_grammar_builder, slm_node */

/*
 * rules: name ::= alternative | alternative ...   names: letters, digits, - and _; the grammar begins at "root"
 * an alternative is a list of: "text", [class] or [^class], . (any character), name, ( alternatives ), each with * + ? {m} {m,} {m,n}
 * A rule ends with its line, except within parentheses, behind ::= and around |. Comments: # to the end of the line.
 * Escapes in texts and classes: \n \r \t \\ \" \[ \] \- \^ \xHH \uHHHH \UHHHHHHHH (code points).
 *
 * *root is the node of "root"; left recursion is found when the grammar is compiled. Errors: SLM_E_SYNTAX "line L, column C: ...",
 * SLM_E_ENCODING, SLM_E_LIMIT (nesting), those of the builder. Working memory: at most the builder's limit, given back.
 */
slm_status slm__gbnf_parse(struct slm_grammar_builder *builder, struct slm_span text, slm_node *root, slm_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/* From nodes to a grammar that can be matched. */
#ifndef SLM_GRAMMAR_GRAMMAR_COMPILE_H
#define SLM_GRAMMAR_GRAMMAR_COMPILE_H

#include "grammar/grammar_nodes.h"   /* struct slm_grammar_builder */
#include "grammar/grammar_program.h" /* struct slm_grammar */

struct slm_grammar_limits {
    size_t bytes;   /* of the grammar; 0: no limit beside memory */
    uint32_t depth; /* frames of a stack while matching: nesting of rules, objects, sequences; 0: SLM_GRAMMAR_DEPTH */
};

enum { SLM_GRAMMAR_DEPTH = 1024, SLM_GRAMMAR_DEPTH_MAX = 65536 };

/* Compile what `root` stands for. The builder's nodes may be changed and are of no further use; it is freed by its owner.
 * Errors: those of the builder; SLM_E_BAD_VALUE (no string at all is in the grammar), SLM_E_SYNTAX (a rule without definition, left
 * recursion), SLM_E_LIMIT, SLM_E_NO_MEMORY. */
slm_status slm__grammar_compile(struct slm_grammar_builder *builder, slm_node root, const struct slm_grammar_limits *limits,
                                const struct slm_memory *memory, struct slm_grammar **grammar, slm_error *error);
void slm__grammar_free(struct slm_grammar *grammar); /* NULL is fine */

/* ---- Steps of the compiler ---- */

/* nullable[node], in `memory` of the caller, for all nodes that the builder holds. */
slm_status slm__grammar_nullable(const struct slm_grammar_builder *builder, uint8_t *nullable, slm_error *error);
/* SLM_E_SYNTAX names the rule that reaches itself before a byte is read. */
slm_status slm__grammar_refuse_left_recursion(const struct slm_grammar_builder *builder, const uint8_t *nullable, slm_error *error);
/* Repetitions of what may be empty repeat what is not empty afterwards: the same strings, and no turn without a byte. */
slm_status slm__grammar_repeat_nonempty(struct slm_grammar_builder *builder, const uint8_t *nullable, slm_error *error);
/* Add SLM_STATE_FREE, and the same for slices, to the flags of an automaton's states. `levels` is scratch: a
 * word for each. */
void slm__automaton_free_states(const struct slm_program_automaton *automaton, uint8_t *flags, uint32_t *levels);
/* cost and depth of all nodes of a program whose other parts are complete. */
slm_status slm__grammar_weigh(const struct slm_grammar *grammar, uint32_t *cost, uint32_t *depth, slm_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/* From the tree of a pattern to its automaton. */
#ifndef SLM_GRAMMAR_REGEX_MACHINE_H
#define SLM_GRAMMAR_REGEX_MACHINE_H

#include "grammar/code_partition.h" /* struct slm_code_partition */
#include "grammar/regex_syntax.h"   /* struct slm_regex */
#include "grammar/sequence_set.h"   /* struct slm_sequence_set */

/* A pattern as steps of a nondeterministic machine; without a target of its own, a step leads to the next one. */
enum slm_regex_operation {
    SLM_STEP_SET,   /* read a character of set x */
    SLM_STEP_SPLIT, /* go to x or to y */
    SLM_STEP_JUMP,  /* go to x */
    SLM_STEP_START, /* pass at the start of the text */
    SLM_STEP_END,   /* pass at its end */
    SLM_STEP_LOOK,  /* pass if look x holds */
    SLM_STEP_MATCH
};

struct slm_regex_step {
    uint32_t operation;
    uint32_t x;
    uint32_t y;
};

struct slm_regex_look {
    const struct slm_regex *body;
    uint32_t start; /* its first step */
    bool negative;
    bool behind;
};

struct slm_regex_program {
    struct slm_arena *arena;
    struct slm_regex_step *steps;
    uint32_t step_count;
    uint32_t step_capacity;
    uint32_t step_limit;
    struct slm_regex_look *looks;
    uint32_t look_count;
    uint32_t look_capacity;
    struct slm_sequence_set sets; /* each a sequence of first, last, first, last ... */
};

/* The pattern itself begins at step 0. Everything in `scratch`. whole: the pattern has to match from the start to the end of the text. */
slm_status slm__regex_program(struct slm_regex_program *program, struct slm_arena *scratch, uint32_t state_limit,
                              const struct slm_regex *regex, bool whole, slm_error *error);

slm_status slm__regex_machine(const struct slm_regular_space *space, struct slm_arena *scratch, const struct slm_regex *regex, bool whole,
                              struct slm_regular *result, slm_error *error);

#endif

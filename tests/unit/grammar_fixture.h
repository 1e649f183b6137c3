/* SPDX-License-Identifier: MIT */
/* A grammar under test: built, compiled, with the states of a match in plain memory. */
#ifndef SLM_TESTS_GRAMMAR_FIXTURE_H
#define SLM_TESTS_GRAMMAR_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"             /* struct slm_random */
#include "grammar/grammar_compile.h" /* slm__grammar_compile */
#include "grammar/match_states.h"    /* struct slm_match_states */

struct match {
    struct slm_grammar *grammar;
    struct slm_match_states states;
    void *block;
};

static inline struct slm_grammar_builder new_builder(void)
{
    struct slm_grammar_builder builder;
    struct slm_memory memory = slm__memory_default();
    slm__grammar_builder_init(&builder, &memory, 1 << 26);
    return builder;
}

static inline slm_node text_node(struct slm_grammar_builder *builder, const char *text)
{
    return slm__node_text(builder, slm__span_text(text));
}

static inline void open_states(struct match *match, uint64_t bytes)
{
    struct slm_match_sizes sizes = slm__match_sizes(match->grammar, bytes);
    struct slm_carver carver = {NULL, 0};
    slm__match_carve(&carver, &sizes, &match->states);
    match->block = aligned_alloc(64, (size_t)((carver.used + 63) / 64 * 64));
    carver = (struct slm_carver){match->block, 0};
    slm__match_carve(&carver, &sizes, &match->states);
    slm_error error = {sizeof error, 0, ""};
    assert_int_equal(slm__match_begin(&match->states, match->grammar, &error), SLM_OK);
}

/* Compile, free the builder, open states. */
static inline void open_match(struct match *match, struct slm_grammar_builder *builder, slm_node root, uint64_t bytes)
{
    struct slm_memory memory = slm__memory_default();
    slm_error error = {sizeof error, 0, ""};
    slm_status status = slm__grammar_compile(builder, root, &(struct slm_grammar_limits){0}, &memory, &match->grammar, &error);
    if (status != SLM_OK) {
        fail_msg("%s", error.message);
    }
    slm__grammar_builder_free(builder);
    open_states(match, bytes);
}

static inline void close_match(struct match *match)
{
    free(match->block);
    slm__grammar_free(match->grammar);
}

/* The next state, with a compaction where it is needed. */
static inline slm_state next_state(struct match *match, slm_state state, uint8_t byte)
{
    slm_state next = slm__match_next(&match->states, state, byte);
    if (next == SLM_STATE_UNKNOWN) {
        assert_true(match->states.full);
        assert_true(slm__match_compact(&match->states, &state, 1));
        next = slm__match_next(&match->states, state, byte);
        assert_int_not_equal(next, SLM_STATE_UNKNOWN);
    }
    return next;
}

static inline bool accepts(struct match *match, const char *text)
{
    slm_state state = match->states.start;
    for (const char *p = text; *p != '\0' && state != SLM_STATE_DEAD; p++) {
        state = next_state(match, state, (uint8_t)*p);
    }
    return state != SLM_STATE_DEAD && match->states.states[state].complete;
}

#endif

/* SPDX-License-Identifier: MIT */
/* A compiled grammar: one block, read-only, shared by any number of threads. All indices in it are valid. */
#ifndef SLM_GRAMMAR_GRAMMAR_PROGRAM_H
#define SLM_GRAMMAR_GRAMMAR_PROGRAM_H

#include "base/memory.h" /* struct slm_memory */
#include <stdatomic.h>
#include "grammar/grammar_nodes.h" /* node records */
#include "grammar/string_list.h"   /* struct slm_string_list */

/* No completion, or more bytes than anybody counts. */
#define SLM_COST_NONE UINT32_MAX
enum { SLM_COST_MAX = 1 << 30 };

enum { SLM_OBJECT_COUNTED_MAX = 1024 }; /* members of an object that is not free */

enum {
    SLM_STATE_ACCEPTS = 1,
    SLM_STATE_GOES_ON = 2,
    SLM_STATE_FREE = 4,       /* whatever plain characters follow, they may: those that JSON need not escape, but for U+2028 and U+2029 */
    SLM_STATE_FREE_SLICES = 3 /* first bit of those behind which any token of a slice may follow (text/vocabulary_trie.h) */
};

struct slm_program_automaton {
    uint32_t state_count;
    uint32_t class_count;
    uint32_t start;
    const uint8_t *classes;          /* [256] */
    const uint32_t *next;            /* [state][class] */
    const uint8_t *flags;            /* [state]: SLM_STATE_...; 8 << slice */
    const struct slm_byte_set *sets; /* [class] */
    const uint32_t *cost;            /* [state]: bytes to the nearest accepting one, characters as JSON spells them */
    const uint32_t *least;           /* [state]: code points to the nearest one, where a node bounds them; or NULL */
};

struct slm_program_object {
    struct slm_string_list keys;             /* of the members; tag: member */
    const struct slm_member_record *members; /* in order */
    const struct slm_pattern_record *patterns;
    const uint32_t *pending_cost;  /* [member_count + 1]: of the required members from here on, without needs */
    const uint32_t *next_required; /* [member_count + 1]: first required member from here on, or member_count */
    uint32_t member_count;
    uint32_t pattern_count;
    uint32_t min_properties;
    uint32_t max_properties;
    uint32_t required_count;
    slm_node space;
    bool any_order;
    bool has_needs;
    bool keeps_set; /* of members seen; otherwise the number of the next member is enough */
    bool is_free;   /* no member's turn depends on counts or needs */
};

struct slm_grammar {
    struct slm_memory memory;
    size_t bytes;      /* of the block */
    atomic_uint users; /* matchers and sessions */
    const struct slm_node_record *nodes;
    const slm_node *words;
    const uint8_t *texts;
    const struct slm_byte_set *sets;
    const slm_node *rules; /* definitions */
    const struct slm_program_automaton *automata;
    const struct slm_program_object *objects;
    const struct slm_string_list *lists;
    const uint32_t *cost;  /* [node]: fewest bytes, or COST_NONE */
    const uint32_t *depth; /* [node]: frames that its cheapest texts need below it */
    uint32_t node_count;
    slm_node root;
    uint32_t depth_limit; /* frames of one stack */
};

static inline uint32_t slm__cost_add(uint32_t a, uint32_t b)
{
    if (a == SLM_COST_NONE || b == SLM_COST_NONE) {
        return SLM_COST_NONE;
    }
    return a + b < SLM_COST_MAX ? a + b : SLM_COST_MAX;
}

static inline uint32_t slm__cost_times(uint32_t cost, uint32_t count)
{
    if (cost == SLM_COST_NONE) {
        return count == 0 ? 0 : SLM_COST_NONE;
    }
    const uint64_t product = (uint64_t)cost * count;
    return product < SLM_COST_MAX ? (uint32_t)product : SLM_COST_MAX;
}

/* Bytes of `count` bytes of decoded text inside a JSON string, at most. */
static inline uint32_t slm__json_spelled_length(const uint8_t *text, uint32_t count)
{
    uint32_t length = 0;
    for (uint32_t i = 0; i < count; i++) {
        length += text[i] == '"' || text[i] == '\\' ? 2 : text[i] < 0x20 ? 6 : 1;
    }
    return length;
}

static inline uint32_t slm__automaton_next(const struct slm_program_automaton *automaton, uint32_t state, uint8_t byte)
{
    return automaton->next[(size_t)state * automaton->class_count + automaton->classes[byte]];
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What a grammar is made of. JSON Schema, regular expressions and grammar texts are turned into these nodes, and grammar_compile.h makes
 * one flat object of them. A node stands for a set of byte strings and never changes; equal nodes are one node: sharing costs nothing.
 *
 * Failures (memory, limit, a wrong argument) are remembered like those of a slm_buffer: the call gives SLM_NODE_NEVER, later calls too, and
 * slm__grammar_builder_failure() tells the first one at the end. Arguments are copied in.
 */
#ifndef SLM_GRAMMAR_GRAMMAR_NODES_H
#define SLM_GRAMMAR_GRAMMAR_NODES_H

#include "base/buffer.h"         /* struct slm_buffer */
#include "base/format_check.h"   /* SLM_FORMAT */
#include "grammar/byte_set.h"    /* struct slm_byte_set */
#include "grammar/regular.h"     /* struct slm_regular */
#include "grammar/string_list.h" /* struct slm_listed_string */

typedef uint32_t slm_node;
typedef uint32_t slm_rule;

enum { SLM_NODE_NEVER = 0 /* no string at all */, SLM_NODE_EMPTY = 1 /* the empty string only */ };
enum { SLM_NODES_MAX = 1 << 24, SLM_NODE_CHILDREN_MAX = 1 << 20 };

#define SLM_REPEAT_NO_END UINT32_MAX

enum slm_node_kind {
    SLM_NODE_KIND_NEVER,
    SLM_NODE_KIND_EMPTY,
    SLM_NODE_KIND_BYTES,     /* a: set */
    SLM_NODE_KIND_TEXT,      /* a: first byte in `texts`, b: length >= 1 */
    SLM_NODE_KIND_SEQUENCE,  /* a: first child in `words`, b: children >= 2 */
    SLM_NODE_KIND_CHOICE,    /* the same */
    SLM_NODE_KIND_REPEAT,    /* a: child, b: min, c: max */
    SLM_NODE_KIND_RULE,      /* a: rule */
    SLM_NODE_KIND_AUTOMATON, /* a: automaton */
    SLM_NODE_KIND_CHARS,     /* b: min, c: max */
    SLM_NODE_KIND_LIFTED,    /* a: automaton, c: most code points, or SLM_REPEAT_NO_END */
    SLM_NODE_KIND_OBJECT,    /* a: object */
    SLM_NODE_KIND_TEXTS      /* a: list; a choice of texts, made by the compiler */
};

struct slm_node_record {
    uint32_t kind; /* enum slm_node_kind */
    uint32_t a;
    uint32_t b;
    uint32_t c;
};

struct slm_grammar_builder {
    struct slm_memory memory;
    size_t limit; /* bytes of all buffers together */
    slm_status status;
    char reason[160];           /* of the first failure */
    struct slm_buffer nodes;    /* struct slm_node_record */
    struct slm_buffer words;    /* uint32_t: lists of children */
    struct slm_buffer texts;    /* bytes: texts, keys, names of rules */
    struct slm_buffer sets;     /* struct slm_byte_set */
    struct slm_buffer rules;    /* struct slm_rule_record */
    struct slm_buffer automata; /* struct slm_automaton_record */
    struct slm_buffer objects;  /* struct slm_object_record */
    struct slm_buffer members;  /* struct slm_member_record */
    struct slm_buffer patterns; /* struct slm_pattern_record */
    struct slm_buffer strings;  /* struct slm_listed_string: keys of objects, and texts of choices */
    struct slm_buffer lists;    /* uint32_t: first of `strings`, count; made by the compiler */
    struct slm_buffer list;     /* uint32_t: the children of a node under construction */
    struct slm_buffer joined;   /* bytes: texts side by side */
    uint32_t *slots;            /* nodes and automata by content; 0: free */
    uint32_t slot_count;        /* power of two */
    uint32_t slots_used;
};

/* Takes no memory yet. `limit` bounds what the builder holds. */
void slm__grammar_builder_init(struct slm_grammar_builder *builder, const struct slm_memory *memory, size_t limit);
void slm__grammar_builder_free(struct slm_grammar_builder *builder);
/* SLM_OK, or the first failure with its sentence. */
slm_status slm__grammar_builder_failure(const struct slm_grammar_builder *builder, slm_error *error);

/* Remember a failure, unless there was one; SLM_NODE_NEVER. */
slm_node slm__grammar_builder_fail(struct slm_grammar_builder *builder, slm_status status, const char *format, ...) SLM_FORMAT(3, 4);

/* One byte of a set. */
slm_node slm__node_bytes(struct slm_grammar_builder *builder, const struct slm_byte_set *set);
/* Exactly these bytes. */
slm_node slm__node_text(struct slm_grammar_builder *builder, struct slm_span text);
/* One after the other; any one of them. Empty lists are EMPTY and NEVER. NEVER and EMPTY are simplified away, texts side by side are
 * joined. A choice of many texts is cheap: they are kept as a prefix tree. */
slm_node slm__node_sequence(struct slm_grammar_builder *builder, const slm_node *nodes, uint32_t count);
slm_node slm__node_choice(struct slm_grammar_builder *builder, const slm_node *nodes, uint32_t count);
/* min to max times, counted while matching: a large count costs nothing. max SLM_REPEAT_NO_END: any number. */
slm_node slm__node_repeat(struct slm_grammar_builder *builder, slm_node node, uint32_t min, uint32_t max);

/* Recursion: a rule may be used before it is defined, and is defined once. `name` is for messages. A rule that reaches itself before a byte
 * is read (left recursion) is refused when the grammar is compiled. */
slm_rule slm__node_rule_new(struct slm_grammar_builder *builder, struct slm_span name);
void slm__node_rule_define(struct slm_grammar_builder *builder, slm_rule rule, slm_node node);
slm_node slm__node_rule(struct slm_grammar_builder *builder, slm_rule rule);

/* The words of an automaton, byte by byte. */
slm_node slm__node_automaton(struct slm_grammar_builder *builder, const struct slm_regular *words);
/* The inside of a JSON string, without its quotes: min to max code points, characters and escapes of any spelling, surrogates in pairs
 * only, never invalid UTF-8. The fastest node of all: masks inside it are prepared with the vocabulary. */
slm_node slm__node_json_chars(struct slm_grammar_builder *builder, uint32_t min, uint32_t max);
/* The inside of a JSON string whose decoded text is a word of the automaton. Characters that need no escape are raw, those beyond ASCII
 * also \uXXXX; quote, backslash and control characters in any escaped spelling; the slash raw or escaped. */
slm_node slm__node_json_lifted(struct slm_grammar_builder *builder, const struct slm_regular *words);
/* ... of at most `most` code points, counted while matching. Automaton states and `most` have to be below 65536: SLM_E_LIMIT. */
slm_node slm__node_json_lifted_most(struct slm_grammar_builder *builder, const struct slm_regular *words, uint32_t most);

struct slm_object_member {
    struct slm_span key; /* decoded, UTF-8 */
    slm_node value;      /* NEVER: the member must not occur; NEVER and required: the object is NEVER */
    bool required;
};

/* Members of other names. The keys of all patterns of an object must be disjoint, and none may hold a member's key (NEVER members too);
 * only where `keys` is NULL (any string) the engine subtracts the members itself. An object with `keys` NULL has one pattern only. */
struct slm_object_pattern {
    const struct slm_regular *keys; /* of decoded keys */
    slm_node value;
};

/* If member `member` occurs, those of `needed` have to. */
struct slm_object_dependency {
    uint32_t member;
    const uint32_t *needed;
    uint32_t needed_count;
};

enum slm_object_order {
    SLM_OBJECT_IN_ORDER, /* members in their order, those of patterns behind them */
    SLM_OBJECT_ANY_ORDER
};

struct slm_object_shape {
    const struct slm_object_member *members; /* keys differ */
    const struct slm_object_pattern *patterns;
    const struct slm_object_dependency *dependencies;
    uint32_t member_count;
    uint32_t pattern_count;
    uint32_t dependency_count;
    uint32_t min_properties;
    uint32_t max_properties; /* UINT32_MAX: no end */
    enum slm_object_order order;
    slm_node space; /* white space around names and values; EMPTY: none */
};

/* '{' members '}'. Every member at most once. The names of pattern members are not compared: one may come again, and counts again.
 * With dependencies, min_properties is more than the required members by one at most. */
slm_node slm__node_object(struct slm_grammar_builder *builder, const struct slm_object_shape *shape);

/* ---- Read by the compiler of this folder ---- */

struct slm_rule_record {
    slm_node definition; /* UINT32_MAX: none yet */
    uint32_t name;       /* in `texts` */
    uint32_t name_length;
    uint32_t node; /* its reference, or 0 */
};

struct slm_automaton_record {
    uint32_t state_count;
    uint32_t class_count;
    uint32_t start;
    uint32_t hash;
    uint32_t classes;   /* 256 bytes in `texts` */
    uint32_t accepting; /* bytes in `texts` */
    uint32_t next;      /* [state][class] in `words` */
    uint32_t bounded;   /* 1: some node bounds the length of its words */
};

struct slm_member_record {
    uint32_t key; /* in `texts` */
    uint32_t key_length;
    slm_node value;
    uint32_t required; /* 0 or 1 */
    uint32_t needs;    /* first in `words`: members that have to occur with this one */
    uint32_t needs_count;
};

struct slm_pattern_record {
    uint32_t automaton; /* UINT32_MAX: any string but the members */
    slm_node value;
};

struct slm_object_record {
    uint32_t members; /* first in `members` */
    uint32_t keys;    /* first in `strings`: one for each member */
    uint32_t member_count;
    uint32_t patterns;
    uint32_t pattern_count;
    uint32_t min_properties;
    uint32_t max_properties;
    uint32_t any_order;
    slm_node space;
};

#endif

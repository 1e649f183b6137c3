/* SPDX-License-Identifier: MIT */
/*
 * Masks. The tries are walked with a state for each byte. Where a string of JSON is open, the tokens that stay inside it are known already,
 * and those that close it are found by what they hold behind the quote.
 */
#include "grammar/token_mask.h"
#include "grammar/object_match.h" /* enum slm_object_place */

static void set_bit(uint8_t *mask, uint32_t token) { mask[token / 8] |= (uint8_t)(1u << (token % 8)); }

/* ---- Walking ---- */

/* A walk over one trie: path[base] is the state in front of its first bytes. */
struct walk {
    struct slm_token_matcher *matcher;
    enum slm_vocabulary_trie trie;
    uint32_t base;
    uint32_t fewest; /* of CLOSING: characters in front of the quote */
    uint32_t most;
    uint32_t slices; /* bit for each that is allowed as a whole */
    uint8_t *mask;
    slm_error *error;
};

/* *next behind one more byte of the path's state `at`; when the cache is full, all but the path is forgotten. */
static slm_status step_path(const struct walk *walk, uint32_t at, uint8_t byte, slm_state *next)
{
    struct slm_token_matcher *matcher = walk->matcher;
    *next = slm__match_step(&matcher->states, matcher->path[at], byte);
    if (*next == SLM_STATE_UNKNOWN) {
        SLM_TRY(slm__matcher_make_room(matcher, matcher->path, at + 1, walk->error));
        *next = slm__match_step(&matcher->states, matcher->path[at], byte);
    }
    return *next == SLM_STATE_UNKNOWN ? slm__matcher_fail_full(walk->error) : SLM_OK;
}

static void allow_group(const struct walk *walk, uint32_t group)
{
    const struct slm_vocabulary *vocabulary = walk->matcher->vocabulary;
    for (uint32_t i = vocabulary->groups[group]; i < vocabulary->groups[group + 1]; i++) {
        const uint32_t characters = slm__listed_characters(vocabulary->closing[i]);
        if (characters >= walk->fewest && characters <= walk->most) {
            set_bit(walk->mask, slm__listed_token(vocabulary->closing[i]));
        }
    }
}

static slm_status walk_subtree(const struct walk *walk, uint32_t first)
{
    const struct slm_trie_node *nodes = walk->matcher->vocabulary->nodes[walk->trie];
    const uint32_t end = first + slm__trie_size(nodes[first]);
    const slm_state *rows = walk->matcher->states.rows;
    slm_state *path = walk->matcher->path + walk->base;
    for (uint32_t i = first; i < end;) {
        const struct slm_trie_node node = nodes[i];
        const uint32_t depth = slm__trie_depth(node);
        slm_state next = rows[(size_t)path[depth - 1] * 256 + slm__trie_byte(node)];
        if (next == SLM_STATE_UNKNOWN) {
            SLM_TRY(step_path(walk, walk->base + depth - 1, slm__trie_byte(node), &next));
        }
        if (next == SLM_STATE_DEAD) {
            i += slm__trie_size(node);
            continue;
        }
        path[depth] = next;
        const uint32_t token = slm__trie_token(node);
        if (token != SLM_VOCABULARY_NO_TOKEN) {
            if (walk->trie == SLM_VOCABULARY_CLOSING) {
                allow_group(walk, token);
            } else {
                set_bit(walk->mask, token);
            }
        }
        i++;
    }
    return SLM_OK;
}

static slm_status walk_trie(const struct walk *walk)
{
    const struct slm_token_matcher *matcher = walk->matcher;
    const struct slm_byte_set allowed = matcher->states.states[matcher->path[walk->base]].allowed;
    const uint32_t *roots = matcher->vocabulary->roots[walk->trie];
    for (unsigned word = 0; word < 4; word++) {
        for (uint64_t bits = allowed.words[word]; bits != 0; bits &= bits - 1) {
            const unsigned byte = 64 * word + (unsigned)__builtin_ctzll(bits);
            if (roots[byte] != 0) {
                SLM_TRY(walk_subtree(walk, roots[byte] - 1));
            }
        }
    }
    return SLM_OK;
}

static slm_status walk_tries(struct walk *walk, enum slm_vocabulary_trie first)
{
    walk->base = 0;
    for (int trie = (int)first; trie <= (int)SLM_VOCABULARY_OTHERS; trie++) {
        walk->trie = (enum slm_vocabulary_trie)trie;
        if ((walk->slices >> trie & 1) == 0) {
            SLM_TRY(walk_trie(walk));
        }
    }
    return SLM_OK;
}

/* ---- What is known without a walk ---- */

/* A place between two characters of a JSON string. */
struct string_place {
    const struct slm_configuration *place; /* NULL: none */
    uint32_t fewest;                       /* characters that have to come yet, and most that can */
    uint32_t most;
    bool escapes; /* characters may be spelled in any way */
    bool exact;   /* inside the string nothing else is possible, and behind it only the quote */
};

static bool is_quote(const struct slm_grammar *grammar, slm_node node, uint32_t at)
{
    const struct slm_node_record *record = &grammar->nodes[node];
    return record->kind == SLM_NODE_KIND_TEXT && grammar->texts[record->a + at] == '"';
}

/* What comes behind is the closing quote. */
static bool closes_with_quote(const struct slm_match_states *states, uint32_t frame)
{
    const struct slm_grammar *grammar = states->grammar;
    const struct slm_frame *record = &states->frames[frame];
    const struct slm_node_record *node = &grammar->nodes[record->node];
    return frame != 0 && node->kind == SLM_NODE_KIND_SEQUENCE && is_quote(grammar, grammar->words[node->a + record->a], 0);
}

/* The automaton that reads the text of a string or name at `place`, or NULL. */
static const struct slm_program_automaton *lifted_at(const struct slm_match_states *states, const struct slm_configuration *place)
{
    const struct slm_grammar *grammar = states->grammar;
    const struct slm_node_record *node = &grammar->nodes[place->node];
    if (node->kind == SLM_NODE_KIND_LIFTED && place->a == 0) {
        return &grammar->automata[node->a];
    }
    if (node->kind == SLM_NODE_KIND_OBJECT && place->a == SLM_OBJECT_IN_PATTERN) {
        return &grammar->automata[grammar->objects[node->a].patterns[states->frames[place->frame].b].automaton];
    }
    return NULL;
}

/* Flags of the state at `place` that hold for whole tokens: where a number of characters is left, it has to be enough for them and for the
 * way from any state to an accepting one. */
static unsigned freedom_at(const struct slm_node_record *node, const struct slm_program_automaton *automaton,
                           const struct slm_configuration *place)
{
    const bool counted = node->kind == SLM_NODE_KIND_LIFTED && node->c != SLM_REPEAT_NO_END;
    const struct slm_counted_place at = counted ? slm__counted_place(place->b) : (struct slm_counted_place){place->b, UINT32_MAX};
    const unsigned flags = automaton->flags[at.state];
    return at.left >= SLM_VOCABULARY_CHARACTERS_MAX + automaton->state_count ? flags
           : at.left >= SLM_VOCABULARY_LEVELS + automaton->state_count       ? flags & ~(unsigned)SLM_STATE_FREE
                                                                             : 0;
}

static struct string_place find_string(const struct slm_match_states *states, const struct slm_state_record *record)
{
    struct string_place best = {NULL, 0, 0, false, false};
    for (uint32_t i = 0; i < record->count; i++) {
        const struct slm_configuration *place = &states->configurations[record->first + i];
        const struct slm_node_record *node = &states->grammar->nodes[place->node];
        const struct slm_program_automaton *automaton = lifted_at(states, place);
        struct string_place found = {place, 0, 0, automaton == NULL, false};
        if (node->kind == SLM_NODE_KIND_CHARS && place->a == 0) {
            found.fewest = place->b < node->b ? node->b - place->b : 0;
            found.most = node->c == SLM_REPEAT_NO_END ? UINT32_MAX : node->c - place->b;
            found.exact = closes_with_quote(states, place->frame);
        } else if (node->kind == SLM_NODE_KIND_OBJECT && place->a == SLM_OBJECT_IN_ANY) {
            found.most = UINT32_MAX;
            found.exact = place->b == SLM_LIST_LOST;
        } else if (automaton != NULL && (freedom_at(node, automaton, place) & SLM_STATE_FREE) != 0) {
            found.most = UINT32_MAX;
        }
        best = found.most > best.most || (found.most == best.most && found.exact) ? found : best;
    }
    for (uint32_t i = 0; i < record->count; i++) {
        const struct slm_configuration *place = &states->configurations[record->first + i];
        best.exact = best.exact && (place == best.place || is_quote(states->grammar, place->node, place->b));
    }
    return best;
}

/* Tokens of a list that need at most `most` characters. */
static void allow_list(const uint32_t *list, uint32_t count, uint32_t most, uint8_t *mask)
{
    for (uint32_t i = 0; i < count && slm__listed_characters(list[i]) <= most; i++) {
        set_bit(mask, slm__listed_token(list[i]));
    }
}

/* Tokens that close the string, by what may follow behind its quote. */
static slm_status allow_closing(struct walk *walk, const struct string_place *string)
{
    struct slm_token_matcher *matcher = walk->matcher;
    const struct slm_configuration place = *string->place;
    const bool name = matcher->grammar->nodes[place.node].kind == SLM_NODE_KIND_OBJECT;
    slm_state before = name ? matcher->current : slm__match_behind(&matcher->states, place.frame);
    if (before == SLM_STATE_UNKNOWN) {
        SLM_TRY(slm__matcher_make_room(matcher, matcher->path, 1, walk->error)); /* the place's frame has moved with its state */
        const struct slm_state_record *record = &matcher->states.states[matcher->current];
        before = slm__match_behind(&matcher->states, find_string(&matcher->states, record).place->frame);
        if (before == SLM_STATE_UNKNOWN) {
            return slm__matcher_fail_full(walk->error);
        }
    }
    matcher->path[1] = before;
    SLM_TRY(step_path(walk, 1, '"', &matcher->path[2]));
    if (matcher->path[2] == SLM_STATE_DEAD) {
        return SLM_OK;
    }
    walk->trie = SLM_VOCABULARY_CLOSING;
    walk->base = 2;
    walk->fewest = string->fewest;
    walk->most = string->most;
    allow_group(walk, 0);
    return walk_trie(walk);
}

static slm_status allow_string(struct walk *walk, const struct string_place *string)
{
    const struct slm_vocabulary *vocabulary = walk->matcher->vocabulary;
    memcpy(walk->mask, slm__vocabulary_level(vocabulary, string->most), vocabulary->mask_bytes);
    allow_list(vocabulary->longs, vocabulary->long_count, string->most, walk->mask);
    if (string->escapes) {
        allow_list(vocabulary->escaped, vocabulary->escaped_count, string->most, walk->mask);
    }
    if (!string->exact) { /* no end of characters, and something else beside them */
        return walk_tries(walk, string->escapes ? SLM_VOCABULARY_OTHERS : SLM_VOCABULARY_ESCAPED);
    }
    return allow_closing(walk, string);
}

/* Sets of tokens: `mask` with those of `more`; a multiple of 64 bytes. */
static void unite(uint8_t *mask, const uint8_t *more, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i += sizeof(uint64_t)) {
        slm__store_u64(mask + i, slm__load_u64(mask + i) | slm__load_u64(more + i));
    }
}

/* The slices of which every token is allowed: they are put into the mask. */
static void allow_slices(struct walk *walk, const struct slm_state_record *record)
{
    const struct slm_match_states *states = &walk->matcher->states;
    const struct slm_vocabulary *vocabulary = walk->matcher->vocabulary;
    for (uint32_t i = 0; i < record->count; i++) {
        const struct slm_configuration *place = &states->configurations[record->first + i];
        const struct slm_program_automaton *automaton = lifted_at(states, place);
        if (automaton != NULL) {
            walk->slices |= freedom_at(&states->grammar->nodes[place->node], automaton, place) >> SLM_STATE_FREE_SLICES;
        }
    }
    memset(walk->mask, 0, vocabulary->mask_bytes);
    for (int slice = 0; slice < SLM_VOCABULARY_SLICES; slice++) {
        if ((walk->slices >> slice & 1) != 0) {
            unite(walk->mask, vocabulary->slices + (size_t)slice * vocabulary->mask_bytes, vocabulary->mask_bytes);
        }
    }
}

static slm_status compute(struct slm_token_matcher *matcher, uint8_t *mask, slm_error *error)
{
    const struct slm_vocabulary *vocabulary = matcher->vocabulary;
    const struct string_place string = find_string(&matcher->states, &matcher->states.states[matcher->current]);
    struct walk walk = {.matcher = matcher, .mask = mask, .error = error};
    matcher->path[0] = matcher->current;
    if (string.place != NULL && (string.exact || string.most == UINT32_MAX)) {
        SLM_TRY(allow_string(&walk, &string));
    } else {
        allow_slices(&walk, &matcher->states.states[matcher->current]);
        SLM_TRY(walk_tries(&walk, SLM_VOCABULARY_LOWER));
    }
    for (uint32_t i = 0; i < vocabulary->alias_count; i++) {
        const struct slm_token_alias alias = vocabulary->aliases[i];
        if (mask[alias.as / 8] >> (alias.as % 8) & 1) {
            set_bit(mask, alias.token);
        }
    }
    for (uint32_t i = 0; i < matcher->end_count; i++) { /* their text, if they have any, stands nowhere */
        const uint32_t end = (uint32_t)matcher->ends[i];
        mask[end / 8] &= (uint8_t) ~(1u << (end % 8));
        if (slm__matcher_complete(matcher)) {
            set_bit(mask, end);
        }
    }
    return SLM_OK;
}

/* ---- The cache of masks ---- */

/* A slot that was not used since the hand passed it last. */
static uint32_t take_slot(struct slm_token_matcher *matcher)
{
    for (;;) {
        const uint32_t slot = matcher->hand;
        matcher->hand = (slot + 1) % matcher->slot_count;
        if (!matcher->slots[slot].used) {
            if (matcher->slots[slot].state != SLM_STATE_DEAD) {
                matcher->states.states[matcher->slots[slot].state].mask = 0;
            }
            matcher->slots[slot] = (struct slm_mask_slot){SLM_STATE_DEAD, false};
            return slot;
        }
        matcher->slots[slot].used = false;
    }
}

static bool is_empty(const uint8_t *mask, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++) {
        if (mask[i] != 0) {
            return false;
        }
    }
    return true;
}

slm_status slm__matcher_mask(struct slm_token_matcher *matcher, const uint8_t **mask, slm_error *error)
{
    const uint32_t mask_bytes = matcher->vocabulary->mask_bytes;
    uint32_t slot = matcher->states.states[matcher->current].mask;
    if (slot == 0) {
        slot = take_slot(matcher) + 1;
        uint8_t *fresh = matcher->masks + (size_t)(slot - 1) * mask_bytes;
        SLM_TRY(compute(matcher, fresh, error));
        if (!slm__matcher_complete(matcher) && is_empty(fresh, mask_bytes)) {
            return slm__fail(error, SLM_E_BAD_VALUE, "the vocabulary has no token for what the grammar asks for next");
        }
        matcher->states.states[matcher->current].mask = slot;
        matcher->slots[slot - 1].state = matcher->current;
    }
    matcher->slots[slot - 1].used = true;
    *mask = matcher->masks + (size_t)(slot - 1) * mask_bytes;
    return SLM_OK;
}

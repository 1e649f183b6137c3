/* SPDX-License-Identifier: MIT */
/*
 * Masks. The tries are walked with a state for each byte; where a string of JSON is open, the tokens that stay inside it are known already,
 * and only the others are walked.
 */
#include "grammar/token_mask.h"
#include "grammar/object_match.h" /* enum slm_object_place */

/* ---- What is known without a walk ---- */

/* Bytes with which a token can stay inside a string. */
static bool meets_content(const struct slm_byte_set *set)
{
    struct slm_byte_set rest = *set;
    rest.words[0] &= ~(UINT64_C(0xFFFFFFFF) | UINT64_C(1) << '"');
    return !slm__byte_set_is_empty(&rest);
}

/* How many characters may follow at `place` between two characters of a string; 0: it is no such place. */
static uint32_t characters_left(const struct slm_grammar *grammar, const struct slm_configuration *place)
{
    const struct slm_node_record *node = &grammar->nodes[place->node];
    if (node->kind == SLM_NODE_KIND_CHARS && place->a == 0) {
        return node->c == SLM_REPEAT_NO_END ? UINT32_MAX : node->c - place->b;
    }
    return node->kind == SLM_NODE_KIND_OBJECT && place->a == SLM_OBJECT_IN_ANY ? UINT32_MAX : 0;
}

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

/* The content tokens of a state, as far as they are known; *exact: these are all. */
static const uint8_t *known_content(const struct slm_token_matcher *matcher, slm_state state, bool *exact)
{
    const struct slm_match_states *states = &matcher->states;
    const struct slm_state_record *record = &states->states[state];
    uint32_t left = 0;
    const struct slm_configuration *best = NULL;
    *exact = !meets_content(&record->allowed);
    for (uint32_t i = 0; i < record->count; i++) {
        const struct slm_configuration *place = &states->configurations[record->first + i];
        const uint32_t characters = characters_left(matcher->grammar, place);
        if (characters > left) {
            left = characters;
            best = place;
        }
    }
    if (best == NULL) {
        return NULL;
    }
    const uint8_t *level = slm__vocabulary_level(matcher->vocabulary, left, exact);
    if (*exact && left < matcher->vocabulary->longest) { /* tokens that are too long may yet fit something else here, or behind it */
        *exact = closes_with_quote(states, best->frame);
        for (uint32_t i = 0; i < record->count && *exact; i++) {
            const struct slm_configuration *place = &states->configurations[record->first + i];
            *exact = place == best || is_quote(matcher->grammar, place->node, place->b);
        }
    }
    return level;
}

/* ---- Walking ---- */

/* Keep the states of the walk and forget the others. */
static slm_status forget(struct slm_token_matcher *matcher, uint32_t depth, slm_error *error)
{
    SLM_TRY(slm__matcher_make_room(matcher, matcher->path, depth, error));
    matcher->current = matcher->path[0];
    return SLM_OK;
}

static slm_status walk_subtree(struct slm_token_matcher *matcher, const struct slm_trie_node *nodes, uint32_t first, uint8_t *mask,
                               slm_error *error)
{
    const uint32_t end = first + slm__trie_size(nodes[first]);
    slm_state *path = matcher->path;
    const slm_state *rows = matcher->states.rows;
    for (uint32_t i = first; i < end;) {
        const struct slm_trie_node node = nodes[i];
        const uint32_t depth = slm__trie_depth(node);
        slm_state next = rows[(size_t)path[depth - 1] * 256 + slm__trie_byte(node)];
        if (next == SLM_STATE_UNKNOWN) {
            next = slm__match_step(&matcher->states, path[depth - 1], slm__trie_byte(node));
            if (next == SLM_STATE_UNKNOWN) {
                SLM_TRY(forget(matcher, depth, error));
                next = slm__match_step(&matcher->states, path[depth - 1], slm__trie_byte(node));
            }
            if (next == SLM_STATE_UNKNOWN) {
                return slm__fail(error, SLM_E_LIMIT, "the states of the grammar do not fit into the cache that was planned for them");
            }
        }
        if (next == SLM_STATE_DEAD) {
            i += slm__trie_size(node);
            continue;
        }
        path[depth] = next;
        const uint32_t token = slm__trie_token(node);
        if (token != SLM_VOCABULARY_NO_TOKEN) {
            mask[token / 8] |= (uint8_t)(1u << (token % 8));
        }
        i++;
    }
    return SLM_OK;
}

static slm_status walk(struct slm_token_matcher *matcher, enum slm_vocabulary_trie trie, uint8_t *mask, slm_error *error)
{
    const struct slm_byte_set allowed = matcher->states.states[matcher->current].allowed;
    const uint32_t *roots = matcher->vocabulary->roots[trie];
    matcher->path[0] = matcher->current;
    for (unsigned word = 0; word < 4; word++) {
        for (uint64_t bits = allowed.words[word]; bits != 0; bits &= bits - 1) {
            const unsigned byte = 64 * word + (unsigned)__builtin_ctzll(bits);
            if (roots[byte] != 0) {
                SLM_TRY(walk_subtree(matcher, matcher->vocabulary->nodes[trie], roots[byte] - 1, mask, error));
            }
        }
    }
    return SLM_OK;
}

static void set_bit(uint8_t *mask, uint32_t token) { mask[token / 8] |= (uint8_t)(1u << (token % 8)); }

static slm_status compute(struct slm_token_matcher *matcher, uint8_t *mask, slm_error *error)
{
    bool exact;
    const uint8_t *content = known_content(matcher, matcher->current, &exact);
    if (content != NULL) {
        memcpy(mask, content, matcher->vocabulary->mask_bytes);
    } else {
        memset(mask, 0, matcher->vocabulary->mask_bytes);
    }
    if (!exact) {
        SLM_TRY(walk(matcher, SLM_VOCABULARY_CONTENT, mask, error));
    }
    SLM_TRY(walk(matcher, SLM_VOCABULARY_OTHERS, mask, error));
    for (uint32_t i = 0; i < matcher->vocabulary->alias_count; i++) {
        const struct slm_token_alias alias = matcher->vocabulary->aliases[i];
        if (mask[alias.as / 8] >> (alias.as % 8) & 1) {
            set_bit(mask, alias.token);
        }
    }
    for (uint32_t i = 0; i < matcher->end_count && slm__matcher_complete(matcher); i++) {
        set_bit(mask, (uint32_t)matcher->ends[i]);
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
        if (is_empty(fresh, mask_bytes)) {
            return slm__fail(error, SLM_E_BAD_VALUE, "the vocabulary has no token for what the grammar asks for next");
        }
        matcher->states.states[matcher->current].mask = slot;
        matcher->slots[slot - 1].state = matcher->current;
    }
    matcher->slots[slot - 1].used = true;
    *mask = matcher->masks + (size_t)(slot - 1) * mask_bytes;
    return SLM_OK;
}

/* SPDX-License-Identifier: MIT */
/* The cache: frames, sets and states found again by content, and compaction. */
#include "grammar/match_states.h"

enum { SET_HEADER = 3 /* next, move, words */, MIN_FRAMES = 2048, MIN_STATES = 128, WORK = 4096 };

struct slm_match_sizes slm__match_sizes(const struct slm_grammar *grammar, uint64_t bytes)
{
    /* for each state: record, row, chain, about six configurations and eight frames with chain and move */
    const uint64_t state_bytes = sizeof(struct slm_state_record) + 256 * sizeof(slm_state) + 6 * sizeof(struct slm_configuration) +
                                 8 * (sizeof(struct slm_frame) + 4) + 32;
    uint64_t states = bytes / state_bytes;
    states = states < MIN_STATES ? MIN_STATES : states > SLM_STATES_MAX - 2 ? SLM_STATES_MAX - 2 : states;
    uint32_t largest_set = 0;
    for (slm_node node = 0; node < grammar->node_count; node++) {
        if (grammar->nodes[node].kind == SLM_NODE_KIND_OBJECT && grammar->objects[grammar->nodes[node].a].keeps_set) {
            const uint32_t words = (grammar->objects[grammar->nodes[node].a].member_count + 31) / 32;
            largest_set = words > largest_set ? words : largest_set;
        }
    }
    struct slm_match_sizes sizes = {.states = (uint32_t)states + 2, .work = WORK};
    sizes.configurations = (uint32_t)states * 6 + 2 * WORK;
    sizes.frames = (uint32_t)states * 8 + MIN_FRAMES + 2 * grammar->depth_limit;
    sizes.set_words = largest_set == 0 ? 16 : ((uint32_t)states + 256) * (largest_set + SET_HEADER);
    return sizes;
}

void slm__match_carve(struct slm_carver *carver, const struct slm_match_sizes *sizes, struct slm_match_states *states)
{
    uint32_t heads = 64;
    while (heads < sizes->states) {
        heads *= 2;
    }
    *states = (struct slm_match_states){.sizes = *sizes, .heads = heads};
    states->states = slm__carve(carver, (uint64_t)sizes->states * sizeof *states->states);
    states->rows = slm__carve(carver, (uint64_t)sizes->states * 256 * sizeof *states->rows);
    states->state_heads = slm__carve(carver, heads * sizeof(uint32_t));
    states->configurations = slm__carve(carver, (uint64_t)sizes->configurations * sizeof *states->configurations);
    states->frames = slm__carve(carver, (uint64_t)sizes->frames * sizeof *states->frames);
    states->frame_heads = slm__carve(carver, heads * sizeof(uint32_t));
    states->frame_moves = slm__carve(carver, (uint64_t)sizes->frames * sizeof(uint32_t));
    states->sets = slm__carve(carver, (uint64_t)sizes->set_words * sizeof(uint32_t));
    states->set_heads = slm__carve(carver, heads * sizeof(uint32_t));
    states->work = slm__carve(carver, (uint64_t)sizes->work * sizeof *states->work);
    states->found = slm__carve(carver, (uint64_t)sizes->work * sizeof *states->found);
}

uint32_t slm__match_hash(const uint32_t *words, uint32_t count)
{
    uint64_t hash = count;
    for (uint32_t i = 0; i < count; i++) {
        hash = (hash ^ words[i]) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 32;
    }
    return (uint32_t)hash;
}

void slm__match_new_row(struct slm_match_states *states, slm_state state)
{
    slm_state *row = states->rows + (size_t)state * 256;
    const struct slm_byte_set allowed = states->states[state].allowed;
    for (unsigned word = 0; word < 4; word++) {
        for (unsigned bit = 0; bit < 64; bit++) {
            row[64 * word + bit] = (slm_state)(0 - (allowed.words[word] >> bit & 1)); /* UNKNOWN or DEAD */
        }
    }
}

/* ---- Frames ---- */

static uint32_t hash_frame(const struct slm_frame *frame)
{
    const uint32_t words[5] = {frame->node, frame->parent, frame->a, frame->b, frame->c};
    return slm__match_hash(words, 5);
}

static void chain_frame(struct slm_match_states *states, uint32_t frame)
{
    uint32_t *head = &states->frame_heads[hash_frame(&states->frames[frame]) & (states->heads - 1)];
    states->frames[frame].next = *head;
    *head = frame;
}

uint32_t slm__match_frame(struct slm_match_states *states, const struct slm_frame *frame)
{
    for (uint32_t i = states->frame_heads[hash_frame(frame) & (states->heads - 1)]; i != 0; i = states->frames[i].next) {
        const struct slm_frame *other = &states->frames[i];
        if (other->node == frame->node && other->parent == frame->parent && other->a == frame->a && other->b == frame->b &&
            other->c == frame->c) {
            return i;
        }
    }
    if (states->frame_count == states->sizes.frames) {
        states->full = true;
        return UINT32_MAX;
    }
    const uint32_t made = states->frame_count++;
    states->frames[made] = *frame;
    states->frames[made].depth = states->frames[frame->parent].depth + 1;
    chain_frame(states, made);
    return made;
}

/* ---- Sets of members; a set is the place of its header, 0 the empty one ---- */

static void chain_set(struct slm_match_states *states, uint32_t set)
{
    uint32_t *record = states->sets + set;
    uint32_t *head = &states->set_heads[slm__match_hash(record + SET_HEADER, record[2]) & (states->heads - 1)];
    record[0] = *head;
    *head = set;
}

/* The set with the bits of `from` (NULL: none), and one more member unless that is UINT32_MAX. */
static uint32_t intern_set(struct slm_match_states *states, const uint32_t *from, uint32_t words, uint32_t member)
{
    if (words + SET_HEADER > states->sizes.set_words - states->set_count) {
        states->full = true;
        return UINT32_MAX;
    }
    uint32_t *record = states->sets + states->set_count; /* made at the end, and kept if it is new */
    uint32_t *bits = record + SET_HEADER;
    record[1] = 0;
    record[2] = words;
    for (uint32_t i = 0; i < words; i++) {
        bits[i] = (from != NULL ? from[i] : 0) | (member / 32 == i && member != UINT32_MAX ? 1u << (member % 32) : 0);
    }
    for (uint32_t i = states->set_heads[slm__match_hash(bits, words) & (states->heads - 1)]; i != 0; i = states->sets[i]) {
        if (states->sets[i + 2] == words && memcmp(states->sets + i + SET_HEADER, bits, words * sizeof *bits) == 0) {
            return i;
        }
    }
    const uint32_t made = states->set_count;
    states->set_count += words + SET_HEADER;
    chain_set(states, made);
    return made;
}

uint32_t slm__match_set_with(struct slm_match_states *states, uint32_t set, uint32_t words, uint32_t member)
{
    return intern_set(states, set == 0 ? NULL : states->sets + set + SET_HEADER, words, member);
}

bool slm__match_set_has(const struct slm_match_states *states, uint32_t set, uint32_t member)
{
    return set != 0 && (states->sets[set + SET_HEADER + member / 32] >> (member % 32) & 1) != 0;
}

/* ---- States of another match ---- */

static bool frame_keeps_set(const struct slm_match_states *states, const struct slm_frame *frame)
{
    const struct slm_node_record *record = &states->grammar->nodes[frame->node];
    return record->kind == SLM_NODE_KIND_OBJECT && states->grammar->objects[record->a].keeps_set && frame->a != 0;
}

/* The same frame here, from the bottom of its stack up. */
static uint32_t copy_frame(struct slm_match_states *states, const struct slm_match_states *from, uint32_t frame)
{
    uint32_t copy = 0;
    for (uint32_t depth = 1; depth <= from->frames[frame].depth && copy != UINT32_MAX; depth++) {
        uint32_t f = frame;
        while (from->frames[f].depth > depth) {
            f = from->frames[f].parent;
        }
        struct slm_frame changed = from->frames[f];
        changed.parent = copy;
        if (frame_keeps_set(from, &from->frames[f])) {
            const uint32_t *set = from->sets + changed.a;
            changed.a = intern_set(states, set + SET_HEADER, set[2], UINT32_MAX);
        }
        copy = changed.a == UINT32_MAX && states->full ? UINT32_MAX : slm__match_frame(states, &changed);
    }
    return copy;
}

slm_state slm__match_copy(struct slm_match_states *states, const struct slm_match_states *from, slm_state state)
{
    const struct slm_state_record *record = &from->states[state];
    slm__match_open(states);
    for (uint32_t i = 0; i < record->count; i++) {
        struct slm_configuration place = from->configurations[record->first + i];
        place.frame = copy_frame(states, from, place.frame);
        slm__match_found(states, place);
    }
    return slm__match_intern(states, record->complete);
}

/* ---- Compaction ---- */

static void mark_frames(struct slm_match_states *states, slm_state state)
{
    const struct slm_state_record *record = &states->states[state];
    for (uint32_t i = 0; i < record->count; i++) {
        for (uint32_t f = states->configurations[record->first + i].frame; f != 0 && states->frame_moves[f] == 0;
             f = states->frames[f].parent) {
            states->frame_moves[f] = 1;
            if (frame_keeps_set(states, &states->frames[f])) {
                states->sets[states->frames[f].a + 1] = 1;
            }
        }
    }
}

static void move_sets(struct slm_match_states *states)
{
    uint32_t used = 1;
    for (uint32_t set = 1; set < states->set_count; set += states->sets[set + 2] + SET_HEADER) {
        if (states->sets[set + 1] != 0) {
            states->sets[set + 1] = used;
            used += states->sets[set + 2] + SET_HEADER;
        }
    }
    for (uint32_t f = 1; f < states->frame_count; f++) {
        if (states->frame_moves[f] != 0 && frame_keeps_set(states, &states->frames[f])) {
            states->frames[f].a = states->sets[states->frames[f].a + 1];
        }
    }
    memset(states->set_heads, 0, states->heads * sizeof(uint32_t));
    for (uint32_t set = 1; set < states->set_count;) {
        const uint32_t words = states->sets[set + 2] + SET_HEADER;
        const uint32_t to = states->sets[set + 1];
        if (to != 0) {
            memmove(states->sets + to, states->sets + set, words * sizeof(uint32_t));
            states->sets[to + 1] = 0;
            chain_set(states, to);
        }
        set += words;
    }
    states->set_count = used;
}

/* A frame is always behind its parent, so one sweep moves all. */
static void move_frames(struct slm_match_states *states)
{
    uint32_t used = 1;
    memset(states->frame_heads, 0, states->heads * sizeof(uint32_t));
    for (uint32_t f = 1; f < states->frame_count; f++) {
        if (states->frame_moves[f] != 0) {
            states->frame_moves[f] = used;
            states->frames[used] = states->frames[f];
            states->frames[used].parent = states->frame_moves[states->frames[used].parent];
            chain_frame(states, used);
            used++;
        }
    }
    states->frame_count = used;
}

static void chain_state(struct slm_match_states *states, slm_state state)
{
    const struct slm_state_record *record = &states->states[state];
    const uint32_t *words = (const uint32_t *)(const void *)(states->configurations + record->first);
    uint32_t *head = &states->state_heads[slm__match_hash(words, 4 * record->count) & (states->heads - 1)];
    states->states[state].next = *head;
    *head = state;
}

/* Rows of moved states begin anew: what they point to is gone. */
static void move_states(struct slm_match_states *states, slm_state *living, uint32_t count)
{
    uint32_t used = 1;
    uint32_t configurations = 0;
    memset(states->state_heads, 0, states->heads * sizeof(uint32_t));
    for (uint32_t s = 1; s < states->state_count; s++) {
        bool lives = s == states->start;
        for (uint32_t i = 0; i < count; i++) {
            if (living[i] == s) {
                living[i] = (slm_state)used;
                lives = true;
            }
        }
        if (!lives) {
            continue;
        }
        states->start = s == states->start ? (slm_state)used : states->start;
        struct slm_state_record record = states->states[s];
        memmove(states->configurations + configurations, states->configurations + record.first,
                record.count * sizeof *states->configurations);
        record.first = configurations;
        record.mask = 0;
        for (uint32_t i = 0; i < record.count; i++) {
            struct slm_configuration *configuration = &states->configurations[configurations + i];
            configuration->frame = states->frame_moves[configuration->frame];
        }
        configurations += record.count;
        states->states[used] = record;
        slm__match_new_row(states, (slm_state)used);
        chain_state(states, (slm_state)used);
        used++;
    }
    states->state_count = used;
    states->configuration_count = configurations;
}

bool slm__match_compact(struct slm_match_states *states, slm_state *living, uint32_t count)
{
    memset(states->frame_moves, 0, states->frame_count * sizeof(uint32_t));
    mark_frames(states, states->start);
    for (uint32_t i = 0; i < count; i++) {
        mark_frames(states, living[i]);
    }
    move_sets(states);
    move_frames(states);
    move_states(states, living, count);
    states->full = false;
    return states->frame_count < states->sizes.frames / 4 * 3 && states->state_count < states->sizes.states / 4 * 3 &&
           states->configuration_count + states->sizes.work < states->sizes.configurations &&
           states->set_count <= states->sizes.set_words / 4 * 3;
}

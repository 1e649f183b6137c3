/* SPDX-License-Identifier: MIT */
/* Tokens: reading them, what is forced, what is shortest. The masks are in token_mask.c. */
#include "grammar/token_matcher.h"
#include "grammar/token_mask.h" /* slm__mask_compute */

enum { USUAL_CACHE = 2 << 20, SLOTS_MIN = 4, SLOTS_MAX = 64 };

struct layout {
    struct slm_match_sizes sizes;
    uint32_t slots;
};

/* A quarter for masks, the rest for states. */
static struct layout lay_out(const struct slm_grammar *grammar, const struct slm_vocabulary *vocabulary, uint64_t cache_bytes)
{
    const uint64_t bytes = cache_bytes != 0 ? cache_bytes : USUAL_CACHE;
    const uint64_t slots = bytes / 4 / (vocabulary->mask_bytes + 1);
    struct layout layout;
    layout.slots = slots < SLOTS_MIN ? SLOTS_MIN : slots > SLOTS_MAX ? SLOTS_MAX : (uint32_t)slots;
    layout.sizes = slm__match_sizes(grammar, bytes / 4 * 3);
    return layout;
}

static void carve(struct slm_carver *carver, const struct layout *layout, struct slm_token_matcher *matcher)
{
    slm__match_carve(carver, &layout->sizes, &matcher->states);
    matcher->path = slm__carve(carver, (matcher->vocabulary->longest + 4) * sizeof *matcher->path);
    matcher->masks = slm__carve(carver, (uint64_t)layout->slots * matcher->vocabulary->mask_bytes);
    matcher->slots = slm__carve(carver, layout->slots * sizeof *matcher->slots);
    matcher->slot_count = layout->slots;
}

uint64_t slm__matcher_bytes(const struct slm_grammar *grammar, const struct slm_vocabulary *vocabulary, uint64_t cache_bytes)
{
    const struct layout layout = lay_out(grammar, vocabulary, cache_bytes);
    struct slm_token_matcher matcher = {.vocabulary = vocabulary};
    struct slm_carver carver = {NULL, 0};
    carve(&carver, &layout, &matcher);
    return carver.used;
}

slm_status slm__matcher_begin(struct slm_token_matcher *matcher, const struct slm_grammar *grammar, const struct slm_vocabulary *vocabulary,
                              const int32_t *ends, uint32_t end_count, void *block, uint64_t cache_bytes, slm_error *error)
{
    const struct layout layout = lay_out(grammar, vocabulary, cache_bytes);
    struct slm_carver carver = {block, 0};
    *matcher = (struct slm_token_matcher){.grammar = grammar, .vocabulary = vocabulary};
    carve(&carver, &layout, matcher);
    memset(matcher->slots, 0, layout.slots * sizeof *matcher->slots);
    for (uint32_t i = 0; i < end_count && matcher->end_count < SLM_MATCHER_ENDS_MAX; i++) {
        if (ends[i] >= 0 && (uint32_t)ends[i] < vocabulary->token_count) {
            matcher->ends[matcher->end_count++] = ends[i];
        }
    }
    SLM_TRY(slm__match_begin(&matcher->states, grammar, error));
    slm__matcher_restart(matcher);
    return SLM_OK;
}

slm_status slm__matcher_fail_full(slm_error *error)
{
    return slm__fail(error, SLM_E_LIMIT, "the states of the grammar do not fit into the cache that was planned for them");
}

slm_status slm__matcher_make_room(struct slm_token_matcher *matcher, slm_state *living, uint32_t count, slm_error *error)
{
    if (matcher->states.over_limit) {
        return slm__fail(error, SLM_E_LIMIT, "the grammar has too many possibilities at once here (more than %u)",
                         matcher->states.sizes.work);
    }
    memset(matcher->slots, 0, matcher->slot_count * sizeof *matcher->slots);
    const bool enough = slm__match_compact(&matcher->states, living, count);
    matcher->current = living[0];
    return enough ? SLM_OK : slm__matcher_fail_full(error);
}

slm_status slm__matcher_take(struct slm_token_matcher *matcher, const struct slm_token_matcher *from, slm_error *error)
{
    slm_state copy = slm__match_copy(&matcher->states, &from->states, from->current);
    if (copy == SLM_STATE_UNKNOWN) {
        SLM_TRY(slm__matcher_make_room(matcher, &matcher->current, 1, error));
        copy = slm__match_copy(&matcher->states, &from->states, from->current);
    }
    if (copy == SLM_STATE_UNKNOWN) {
        return slm__matcher_fail_full(error);
    }
    matcher->current = copy;
    return SLM_OK;
}

slm_status slm__matcher_step(struct slm_token_matcher *matcher, slm_state *state, uint8_t byte, slm_error *error)
{
    slm_state next = slm__match_next(&matcher->states, *state, byte);
    if (next == SLM_STATE_UNKNOWN) {
        slm_state living[2] = {matcher->current, *state};
        SLM_TRY(slm__matcher_make_room(matcher, living, 2, error));
        next = slm__match_next(&matcher->states, living[1], byte);
        if (next == SLM_STATE_UNKNOWN) {
            return slm__matcher_fail_full(error);
        }
    }
    *state = next;
    return SLM_OK;
}

slm_status slm__matcher_read(struct slm_token_matcher *matcher, struct slm_span bytes, size_t *taken, slm_error *error)
{
    slm_state state = matcher->current;
    *taken = 0;
    while (*taken < bytes.length) {
        SLM_TRY(slm__matcher_step(matcher, &state, bytes.data[*taken], error));
        if (state == SLM_STATE_DEAD) {
            return SLM_OK;
        }
        ++*taken;
    }
    matcher->current = state;
    return SLM_OK;
}

slm_status slm__matcher_forced(struct slm_token_matcher *matcher, uint8_t *bytes, size_t capacity, size_t *count, slm_error *error)
{
    slm_state state = matcher->current;
    for (*count = 0; *count < capacity; ++*count) {
        const struct slm_state_record *record = &matcher->states.states[state];
        const int single = record->complete ? -1 : slm__byte_set_single(&record->allowed);
        if (single < 0) {
            break;
        }
        bytes[*count] = (uint8_t)single;
        SLM_TRY(slm__matcher_step(matcher, &state, (uint8_t)single, error));
    }
    return SLM_OK;
}

/* The next of the allowed bytes to try, which is taken out: signs that close come first, then the others. -1: none is left. */
static int take_candidate(struct slm_byte_set *allowed)
{
    static const uint8_t closing[] = {'"', '}', ']', ',', ':', '0', '\n'};
    for (unsigned i = 0; i < sizeof closing; i++) {
        if (slm__byte_set_has(allowed, closing[i])) {
            allowed->words[closing[i] / 64] &= ~(UINT64_C(1) << (closing[i] % 64));
            return closing[i];
        }
    }
    for (int word = 0; word < 4; word++) {
        const uint64_t bits = allowed->words[word];
        if (bits != 0) {
            allowed->words[word] = bits & (bits - 1);
            return 64 * word + __builtin_ctzll(bits);
        }
    }
    return -1;
}

/* The byte that brings the end nearest; the first that saves a byte is taken, and one that has no rival. */
static slm_status nearest_byte(struct slm_token_matcher *matcher, slm_state *state, uint8_t *byte, slm_error *error)
{
    struct slm_byte_set allowed = matcher->states.states[*state].allowed;
    const bool single = slm__byte_set_single(&allowed) >= 0;
    const uint32_t cost = single ? 0 : slm__match_cost(&matcher->states, *state);
    uint32_t best = UINT32_MAX;
    slm_state best_state = SLM_STATE_DEAD;
    for (int candidate = take_candidate(&allowed); candidate >= 0 && best >= cost; candidate = take_candidate(&allowed)) {
        slm_state next = slm__match_next(&matcher->states, *state, (uint8_t)candidate);
        if (next == SLM_STATE_UNKNOWN) {
            slm_state living[3] = {matcher->current, *state, best_state};
            SLM_TRY(slm__matcher_make_room(matcher, living, best_state == SLM_STATE_DEAD ? 2 : 3, error));
            *state = living[1];
            best_state = living[2];
            next = slm__match_next(&matcher->states, *state, (uint8_t)candidate);
        }
        if (next == SLM_STATE_DEAD || next == SLM_STATE_UNKNOWN) {
            continue;
        }
        const uint32_t next_cost = single ? 0 : slm__match_cost(&matcher->states, next);
        if (next_cost < best) {
            best = next_cost;
            best_state = next;
            *byte = (uint8_t)candidate;
        }
    }
    *state = best_state;
    return SLM_OK;
}

slm_status slm__matcher_completion(struct slm_token_matcher *matcher, uint8_t *bytes, size_t capacity, size_t *count, bool *whole,
                                   slm_error *error)
{
    slm_state state = matcher->current;
    *whole = false;
    for (*count = 0; state != SLM_STATE_DEAD; ++*count) {
        if (matcher->states.states[state].complete) {
            *whole = true;
            return SLM_OK;
        }
        if (*count == capacity) {
            return SLM_OK;
        }
        SLM_TRY(nearest_byte(matcher, &state, &bytes[*count], error));
    }
    return SLM_OK;
}

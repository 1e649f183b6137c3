/* SPDX-License-Identifier: MIT */
/* The words of a language: the shortest one, and how long they are. */
#include "grammar/regular.h"

static inline uint32_t step(const struct slm_regular *a, uint32_t state, uint32_t class)
{
    return a->next[(size_t)state * a->class_count + class];
}

/* firsts[class]: its smallest byte. Classes are numbered by it, so going through the classes is going through the bytes. */
static void first_bytes(const struct slm_regular *a, uint8_t firsts[256])
{
    for (uint32_t byte = 256; byte-- > 0;) {
        firsts[a->byte_class[byte]] = (uint8_t)byte;
    }
}

/* Bytes that begin a code point count one. A class with live transitions holds only such bytes or none of them. */
static inline uint32_t weight(uint8_t byte) { return byte < 0x80 || byte >= 0xC0; }

slm_status slm__regular_shortest(const struct slm_regular_space *space, const struct slm_regular *a, struct slm_span *word,
                                 slm_error *error)
{
    if (slm__regular_is_empty(a)) {
        return slm__fail(error, SLM_E_ARGUMENT, "the language is empty: it has no shortest word");
    }
    struct slm_arena scratch;
    slm__arena_init(&scratch, &space->arena->memory, space->arena->limit);
    uint32_t *queue = slm__arena_take(&scratch, a->state_count * sizeof *queue);
    uint32_t *parent = slm__arena_take(&scratch, a->state_count * sizeof *parent);
    uint8_t *byte = slm__arena_take(&scratch, a->state_count);
    uint8_t firsts[256] = {0};
    first_bytes(a, firsts);
    if (queue == NULL || parent == NULL || byte == NULL) {
        slm_status status = slm__arena_failure(&scratch, error);
        slm__arena_free(&scratch);
        return status;
    }
    uint32_t count = 0;
    uint32_t found = a->start;
    queue[count++] = a->start;
    parent[a->start] = a->start;
    for (uint32_t i = 0; i < count && !a->accepting[found]; i++) {
        for (uint32_t c = 0; c < a->class_count && !a->accepting[found]; c++) {
            uint32_t to = step(a, queue[i], c);
            if (to != SLM_REGULAR_DEAD && parent[to] == 0) {
                parent[to] = queue[i];
                byte[to] = firsts[c];
                queue[count++] = to;
                found = a->accepting[to] ? to : found;
            }
        }
    }
    size_t length = 0;
    for (uint32_t s = found; s != a->start; s = parent[s]) {
        length++;
    }
    uint8_t *text = slm__arena_take(space->arena, length);
    slm_status status = text == NULL ? slm__arena_failure(space->arena, error) : SLM_OK;
    *word = slm__span(text, length);
    for (uint32_t s = found; s != a->start && text != NULL; s = parent[s]) {
        text[--length] = byte[s];
    }
    slm__arena_free(&scratch);
    return status;
}

/* States in an order in which every one comes after those that lead to it; false when there is a cycle. incoming: all 0. */
static bool topological_order(const struct slm_regular *a, uint32_t *incoming, uint32_t *order)
{
    size_t cells = (size_t)a->state_count * a->class_count;
    for (size_t i = a->class_count; i < cells; i++) {
        incoming[a->next[i]]++;
    }
    if (incoming[a->start] > 0) {
        return false;
    }
    uint32_t count = 0;
    order[count++] = a->start;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t c = 0; c < a->class_count; c++) {
            uint32_t to = step(a, order[i], c);
            if (to != SLM_REGULAR_DEAD && --incoming[to] == 0) {
                order[count++] = to;
            }
        }
    }
    return count + 1 == a->state_count;
}

/* Code points on the shortest way from the start to an accepting state, level by level; continuation bytes stay on their level.
 * stack: room for two lists of states. */
static uint32_t shortest_length(const struct slm_regular *a, const uint8_t firsts[256], uint32_t *distance, uint32_t *stack)
{
    uint32_t *later = stack + a->state_count;
    uint32_t count = 1;
    uint32_t later_count = 0;
    memset(distance, 0xFF, a->state_count * sizeof *distance);
    distance[a->start] = 0;
    stack[0] = a->start;
    for (uint32_t level = 0;; level++) {
        while (count > 0) {
            uint32_t state = stack[--count];
            if (a->accepting[state]) {
                return level;
            }
            for (uint32_t c = 0; c < a->class_count; c++) {
                uint32_t to = step(a, state, c);
                if (to == SLM_REGULAR_DEAD) {
                    continue;
                }
                if (weight(firsts[c]) == 0 && distance[to] > level) {
                    distance[to] = level;
                    stack[count++] = to;
                } else if (distance[to] == UINT32_MAX) {
                    distance[to] = level + 1;
                    later[later_count++] = to;
                }
            }
        }
        for (uint32_t i = 0; i < later_count; i++) {
            stack[count] = later[i];
            count += distance[later[i]] == level + 1;
        }
        later_count = 0;
    }
}

static uint32_t longest_length(const struct slm_regular *a, const uint8_t firsts[256], uint32_t *distance, const uint32_t *order)
{
    uint32_t best = 0;
    memset(distance, 0, a->state_count * sizeof *distance);
    for (uint32_t i = 0; i + 1 < a->state_count; i++) {
        uint32_t from = distance[order[i]];
        best = a->accepting[order[i]] && from > best ? from : best;
        for (uint32_t c = 0; c < a->class_count; c++) {
            uint32_t to = step(a, order[i], c);
            uint32_t length = from + weight(firsts[c]);
            distance[to] = length > distance[to] ? length : distance[to];
        }
    }
    return best;
}

slm_status slm__regular_lengths(const struct slm_regular_space *space, const struct slm_regular *a, uint32_t *min, uint32_t *max,
                                slm_error *error)
{
    *min = 1;
    *max = 0;
    if (slm__regular_is_empty(a)) {
        return SLM_OK;
    }
    struct slm_arena scratch;
    slm__arena_init(&scratch, &space->arena->memory, space->arena->limit);
    uint32_t *distance = slm__arena_take(&scratch, a->state_count * sizeof *distance);
    uint32_t *order = slm__arena_take(&scratch, 2 * (size_t)a->state_count * sizeof *order);
    slm_status status = SLM_OK;
    if (distance == NULL || order == NULL) {
        status = slm__arena_failure(&scratch, error);
    } else {
        uint8_t firsts[256] = {0};
        first_bytes(a, firsts);
        *max = topological_order(a, distance, order) ? longest_length(a, firsts, distance, order) : UINT32_MAX;
        *min = shortest_length(a, firsts, distance, order);
    }
    slm__arena_free(&scratch);
    return status;
}

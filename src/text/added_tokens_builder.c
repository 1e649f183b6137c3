/* SPDX-License-Identifier: MIT */
/* A trie from a sorted list: a node is a range of texts with a common beginning; its children are the ranges by the next byte. */
#include "text/added_tokens_builder.h"

#include "text/text_normalizer.h" /* slm__text_normalize */

struct entry {
    struct slm_span text;
    uint32_t added;    /* index in the specification */
    uint32_t priority; /* of two tokens with one text the lower one counts */
};

/* Texts [low, high) share their first `depth` bytes. */
struct range {
    uint32_t low;
    uint32_t high;
    uint32_t depth;
};

static bool entry_less(const struct entry *a, const struct entry *b)
{
    size_t common = a->text.length < b->text.length ? a->text.length : b->text.length;
    int order = memcmp(a->text.data, b->text.data, common);
    if (order != 0) {
        return order < 0;
    }
    return a->text.length != b->text.length ? a->text.length < b->text.length : a->priority < b->priority;
}

/* Heap sort: the order is total, so the result does not depend on the method. */
static void sift_down(struct entry *entries, uint32_t at, uint32_t count)
{
    for (uint32_t child = 2 * at + 1; child < count; at = child, child = 2 * at + 1) {
        if (child + 1 < count && entry_less(&entries[child], &entries[child + 1])) {
            child++;
        }
        if (!entry_less(&entries[at], &entries[child])) {
            return;
        }
        struct entry swapped = entries[at];
        entries[at] = entries[child];
        entries[child] = swapped;
    }
}

static void sort_entries(struct entry *entries, uint32_t count)
{
    for (uint32_t i = count / 2; i-- > 0;) {
        sift_down(entries, i, count);
    }
    for (uint32_t end = count; end > 1; end--) {
        struct entry swapped = entries[0];
        entries[0] = entries[end - 1];
        entries[end - 1] = swapped;
        sift_down(entries, 0, end - 1);
    }
}

slm_status slm__added_searched_text(const struct slm_tokenizer_spec *spec, const struct slm_tokenizer_added *added, struct slm_arena *arena,
                                    struct slm_span *text, slm_error *error)
{
    struct slm_normalizer steps[SLM_TOKENIZER_SPEC_STEPS];
    uint32_t count = 0;
    *text = added->content;
    for (uint32_t i = 0; i < spec->step_count; i++) {
        if (spec->steps[i].stage == SLM_TOKENIZER_NORMALIZER) {
            struct slm_normalizer step = {spec->steps[i].kind, spec->steps[i].value, spec->steps[i].text, spec->steps[i].second};
            steps[count++] = step;
        }
    }
    if ((added->flags & SLM_ADDED_NORMALIZED) == 0) {
        return SLM_OK;
    }
    struct slm_buffer buffers[2];
    slm__buffer_init(&buffers[0], &arena->memory, SIZE_MAX);
    slm__buffer_init(&buffers[1], &arena->memory, SIZE_MAX);
    slm_status status = slm__text_normalize(steps, count, text, buffers, error);
    if (status == SLM_OK && text->length > SLM_TOKENIZER_TOKEN_BYTES_MAX) {
        status = slm__fail(error, SLM_E_LIMIT, "tokenizer: added token %u has %llu bytes when normalized, at most %d are supported",
                           (unsigned)added->id, (unsigned long long)text->length, SLM_TOKENIZER_TOKEN_BYTES_MAX);
    }
    if (status == SLM_OK && !slm__span_equal(*text, added->content)) {
        char *copy = slm__arena_text(arena, *text);
        text->data = (const uint8_t *)copy;
        status = copy == NULL ? slm__arena_failure(arena, error) : SLM_OK;
    } else {
        *text = added->content;
    }
    slm__buffer_free(&buffers[0]);
    slm__buffer_free(&buffers[1]);
    return status;
}

/* Sorted entries of one of the two sets; *bytes is the sum of their lengths. */
static slm_status collect(const struct slm_tokenizer_spec *spec, struct slm_arena *arena, bool normalized, struct entry *entries,
                          uint32_t *count, size_t *bytes, slm_error *error)
{
    *count = 0;
    for (uint32_t i = 0; i < spec->added_count; i++) {
        const struct slm_tokenizer_added *added = &spec->added[i];
        if (((added->flags & SLM_ADDED_NORMALIZED) != 0) != normalized) {
            continue;
        }
        struct entry *entry = &entries[*count];
        entry->added = i;
        entry->priority = (added->flags & SLM_ADDED_SPECIAL) != 0 ? i : spec->added_count + i;
        SLM_TRY(slm__added_searched_text(spec, added, arena, &entry->text, error));
        *bytes += entry->text.length;
        *count += entry->text.length > 0; /* a text of which normalization leaves nothing is never found */
    }
    sort_entries(entries, *count);
    return SLM_OK;
}

/* Make the children of the range `from`: edges of a node, or with `root` the first bytes of a set. */
static void add_children(struct slm_added_trie *trie, struct range *ranges, const struct entry *entries, struct range from, uint32_t *root)
{
    while (from.low < from.high) {
        uint8_t byte = entries[from.low].text.data[from.depth];
        struct range child = {from.low, from.low, from.depth + 1};
        while (child.high < from.high && entries[child.high].text.data[from.depth] == byte) {
            child.high++;
        }
        ranges[trie->node_count] = child;
        if (root != NULL) {
            root[byte] = trie->node_count;
        } else {
            struct slm_added_edge edge = {byte, trie->node_count};
            trie->edges[trie->edge_count++] = edge;
        }
        trie->node_count++;
        from.low = child.high;
    }
}

/* All nodes below the roots, in the order in which they were numbered. */
static void add_nodes(struct slm_added_trie *trie, struct range *ranges, const struct entry *entries, uint32_t first)
{
    for (uint32_t i = first; i < trie->node_count; i++) {
        struct range range = ranges[i];
        struct slm_added_node *node = &trie->nodes[i];
        node->added = SLM_TOKENIZER_NONE;
        if (entries[range.low].text.length == range.depth) {
            node->added = entries[range.low].added;
        }
        while (range.low < range.high && entries[range.low].text.length == range.depth) {
            range.low++;
        }
        node->first_edge = trie->edge_count;
        add_children(trie, ranges, entries, range, NULL);
        node->edge_count = trie->edge_count - node->first_edge;
    }
}

slm_status slm__added_trie_build(const struct slm_tokenizer_spec *spec, struct slm_arena *arena, struct slm_added_trie *trie,
                                 slm_error *error)
{
    memset(trie, 0, sizeof *trie);
    struct entry *entries[2] = {NULL, NULL};
    uint32_t counts[2] = {0, 0};
    size_t bytes = 0;
    for (int set = 0; set < 2; set++) {
        entries[set] = slm__arena_take(arena, spec->added_count * sizeof **entries);
        if (entries[set] == NULL) {
            return slm__arena_failure(arena, error);
        }
        SLM_TRY(collect(spec, arena, set == 1, entries[set], &counts[set], &bytes, error));
    }
    trie->nodes = slm__arena_take(arena, (bytes + 1) * sizeof *trie->nodes);
    trie->edges = slm__arena_take(arena, (bytes + 1) * sizeof *trie->edges);
    struct range *ranges = slm__arena_take(arena, (bytes + 1) * sizeof *ranges);
    if (trie->nodes == NULL || trie->edges == NULL || ranges == NULL) {
        return slm__arena_failure(arena, error);
    }
    trie->nodes[0].added = SLM_TOKENIZER_NONE;
    trie->node_count = 1;
    for (int set = 0; set < 2; set++) {
        uint32_t first = trie->node_count;
        struct range all = {0, counts[set], 0};
        add_children(trie, ranges, entries[set], all, trie->roots[set]);
        add_nodes(trie, ranges, entries[set], first);
    }
    return SLM_OK;
}

/* SPDX-License-Identifier: MIT */
/* The sweep over the ends of all ranges, and the way from code points to UTF-8. */
#include "grammar/code_partition.h"
#include "grammar/sequence_set.h" /* struct slm_sequence_set, slm__sort_u64 */

/* Ends of ranges in ascending order: code << 32 | set; every set flips its membership there. */
static uint64_t *sorted_ends(struct slm_arena *arena, const struct slm_code_set *sets, uint32_t count, uint32_t *end_count)
{
    size_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        total += 2 * (size_t)sets[i].count;
    }
    uint64_t *ends = total > UINT32_MAX / 2 ? NULL : slm__arena_take(arena, total * sizeof *ends);
    if (ends == NULL) {
        return NULL;
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < sets[i].count; k++) {
            ends[n++] = (uint64_t)sets[i].ranges[k].first << 32 | i;
            ends[n++] = ((uint64_t)sets[i].ranges[k].last + 1) << 32 | i;
        }
    }
    slm__sort_u64(ends, n);
    *end_count = n;
    return ends;
}

/* members from the signatures: bit s of signature c says that class c lies in set s. */
static bool fill_members(struct slm_arena *arena, const struct slm_sequence_set *signatures, struct slm_code_partition *partition)
{
    uint8_t *members = slm__arena_take(arena, (size_t)partition->set_count * signatures->count);
    for (uint32_t c = 0; members != NULL && c < signatures->count; c++) {
        uint32_t words = 0;
        const uint32_t *signature = slm__sequence_get(signatures, c, &words);
        for (uint32_t s = 0; s < partition->set_count; s++) {
            members[(size_t)s * signatures->count + c] = signature[s / 32] >> s % 32 & 1;
        }
    }
    partition->members = members;
    return members != NULL;
}

slm_status slm__partition_build(struct slm_arena *arena, const struct slm_code_set *sets, uint32_t count,
                                struct slm_code_partition *partition, slm_error *error)
{
    if (count > SLM_PARTITION_SETS) {
        return slm__fail(error, SLM_E_LIMIT, "%u different sets of characters are needed, the limit is %d", count, SLM_PARTITION_SETS);
    }
    uint32_t end_count = 0;
    uint32_t words = count / 32 + 1;
    uint64_t *ends = sorted_ends(arena, sets, count, &end_count);
    uint32_t *signature = slm__arena_take(arena, words * sizeof *signature);
    uint32_t *firsts = slm__arena_take(arena, ((size_t)end_count + 2) * sizeof *firsts);
    uint32_t *classes = slm__arena_take(arena, ((size_t)end_count + 1) * sizeof *classes);
    if (ends == NULL || signature == NULL || firsts == NULL || classes == NULL) {
        return slm__arena_failure(arena, error);
    }
    struct slm_sequence_set signatures;
    slm__sequence_init(&signatures, arena, UINT32_MAX - 1);
    uint32_t ranges = 0;
    uint32_t first = 0;
    for (uint32_t i = 0; first <= SLM_CODE_LAST;) {
        for (; i < end_count && ends[i] >> 32 == first; i++) {
            uint32_t set = (uint32_t)ends[i];
            signature[set / 32] ^= UINT32_C(1) << set % 32;
        }
        uint32_t class = slm__sequence_add(&signatures, signature, words);
        if (class == UINT32_MAX) {
            return slm__arena_failure(arena, error);
        }
        firsts[ranges] = first;
        classes[ranges++] = class;
        first = i < end_count ? (uint32_t)(ends[i] >> 32) : SLM_CODE_LAST + 1;
    }
    firsts[ranges] = SLM_CODE_LAST + 1;
    *partition = (struct slm_code_partition){
        .class_count = signatures.count, .range_count = ranges, .firsts = firsts, .classes = classes, .set_count = count};
    return fill_members(arena, &signatures, partition) ? SLM_OK : slm__arena_failure(arena, error);
}

/*
 * The tree of UTF-8. A node of height h stands for 64^h code points and has 64 children: at height 1 a class + 1, above a node; 0 where
 * no character is (surrogates, overlong forms, beyond the last). Nodes are numbered from 1; equal ones are one.
 */
enum { FANOUT = 64, LEADS = 128, UNIFORM_CACHE = 3 };

struct utf8_tree {
    const struct slm_code_partition *partition;
    struct slm_sequence_set nodes;        /* [height, 64 children]; number + 1 */
    uint32_t leads[LEADS];                /* the node behind byte 0x80 + i; 0: no lead byte */
    uint32_t range;                       /* near the one that was asked for last */
    uint32_t *uniform[UNIFORM_CACHE + 1]; /* [height][class]: node of a block of one class; 0: not made yet */
};

/* The range that holds a code point; asked for in nearly ascending order. */
static uint32_t range_of(struct utf8_tree *tree, uint32_t code)
{
    const struct slm_code_partition *p = tree->partition;
    uint32_t low = 0;
    uint32_t high = p->range_count;
    if (p->firsts[tree->range] <= code) {
        if (code < p->firsts[tree->range + 1]) {
            return tree->range;
        }
        low = tree->range;
    }
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (p->firsts[middle] <= code) {
            low = middle;
        } else {
            high = middle;
        }
    }
    tree->range = low;
    return low;
}

/* *node for the 64^height code points from `base`; 0 if none of them is a character. */
static bool tree_node(struct utf8_tree *tree, uint32_t height, uint32_t base, uint32_t *node)
{
    uint32_t last = base + (UINT32_C(1) << 6 * height) - 1;
    *node = 0;
    if (base > SLM_CODE_LAST || (base >= SLM_SURROGATE_FIRST && last <= SLM_SURROGATE_LAST)) {
        return true;
    }
    bool whole = last <= SLM_CODE_LAST && (last < SLM_SURROGATE_FIRST || base > SLM_SURROGATE_LAST);
    uint32_t range = range_of(tree, base);
    uint32_t class = tree->partition->classes[range];
    bool uniform = whole && last < tree->partition->firsts[range + 1];
    if (height == 0) {
        *node = class + 1;
        return true;
    }
    if (uniform && tree->uniform[height][class] != 0) {
        *node = tree->uniform[height][class];
        return true;
    }
    uint32_t children[FANOUT + 1] = {height};
    uint32_t step = UINT32_C(1) << 6 * (height - 1);
    for (uint32_t i = 0; i < FANOUT; i++) {
        if (uniform && i > 0) {
            children[i + 1] = children[1];
        } else if (!tree_node(tree, height - 1, base + i * step, &children[i + 1])) {
            return false;
        }
    }
    uint32_t number = slm__sequence_add(&tree->nodes, children, FANOUT + 1);
    *node = number + 1;
    if (uniform && number != UINT32_MAX) {
        tree->uniform[height][class] = *node;
    }
    return number != UINT32_MAX;
}

/* A lead node without the overlong children [0, from). */
static bool trimmed_node(struct utf8_tree *tree, uint32_t height, uint32_t base, uint32_t from, uint32_t *node)
{
    uint32_t children[FANOUT + 1] = {height};
    uint32_t step = UINT32_C(1) << 6 * (height - 1);
    for (uint32_t i = from; i < FANOUT; i++) {
        if (!tree_node(tree, height - 1, base + i * step, &children[i + 1])) {
            return false;
        }
    }
    uint32_t number = slm__sequence_add(&tree->nodes, children, FANOUT + 1);
    *node = number + 1;
    return number != UINT32_MAX;
}

static bool build_tree(struct utf8_tree *tree, struct slm_arena *scratch, const struct slm_code_partition *partition)
{
    tree->partition = partition;
    slm__sequence_init(&tree->nodes, scratch, UINT32_MAX - 2);
    for (uint32_t h = 1; h <= UNIFORM_CACHE; h++) {
        tree->uniform[h] = slm__arena_take(scratch, partition->class_count * sizeof **tree->uniform);
        if (tree->uniform[h] == NULL) {
            return false;
        }
    }
    bool ok = true;
    for (uint32_t lead = 0xC2; lead <= 0xDF && ok; lead++) {
        ok = tree_node(tree, 1, (lead & 0x1F) << 6, &tree->leads[lead - LEADS]);
    }
    ok = ok && trimmed_node(tree, 2, 0, 0x20, &tree->leads[0xE0 - LEADS]);
    for (uint32_t lead = 0xE1; lead <= 0xEF && ok; lead++) {
        ok = tree_node(tree, 2, (lead & 0x0F) << 12, &tree->leads[lead - LEADS]);
    }
    ok = ok && trimmed_node(tree, 3, 0, 0x10, &tree->leads[0xF0 - LEADS]);
    for (uint32_t lead = 0xF1; lead <= 0xF4 && ok; lead++) {
        ok = tree_node(tree, 3, (lead & 0x07) << 18, &tree->leads[lead - LEADS]);
    }
    return ok;
}

/* Classes of bytes that no node tells apart. */
struct byte_classes {
    uint32_t count;
    uint32_t tails; /* the first so many are those of continuation bytes */
    uint8_t of_byte[256];
    uint8_t first[256]; /* a byte of each class */
};

static bool class_bytes(struct byte_classes *classes, const struct utf8_tree *tree, struct slm_arena *scratch)
{
    struct slm_sequence_set columns;
    slm__sequence_init(&columns, scratch, 256);
    uint32_t nodes = tree->nodes.count;
    uint32_t *column = slm__arena_take(scratch, ((size_t)nodes + 2) * sizeof *column);
    for (uint32_t i = 0; column != NULL && i < 256; i++) {
        uint32_t byte = (i + 0x80) % 256; /* continuation bytes first */
        uint32_t length = 2;
        if (byte < 0x80) {
            column[0] = 0;
            column[1] = tree->partition->classes[range_of((struct utf8_tree *)tree, byte)];
        } else if (byte >= 0xC0) {
            column[0] = 1;
            column[1] = tree->leads[byte - LEADS];
        } else {
            length = nodes + 1;
            column[0] = 2;
            for (uint32_t n = 0; n < nodes; n++) {
                uint32_t words = 0;
                column[n + 1] = slm__sequence_get(&tree->nodes, n, &words)[byte - 0x80 + 1];
            }
        }
        uint32_t number = slm__sequence_add(&columns, column, length);
        if (number == UINT32_MAX) {
            return false;
        }
        if (number + 1 == columns.count && classes->count < columns.count) {
            classes->first[number] = (uint8_t)byte;
            classes->count = columns.count;
        }
        classes->of_byte[byte] = (uint8_t)number;
        classes->tails = byte == 0xBF ? columns.count : classes->tails;
    }
    return column != NULL;
}

/* From the table over classes to the one over bytes. */
struct expansion {
    const struct slm_state_table *table;
    struct utf8_tree tree;
    struct byte_classes classes;
    struct slm_sequence_set rows; /* of the states inside characters, over continuation bytes; state: states of `table` + number */
    uint32_t *memo;               /* [node]: its state + 1 for the state at hand; 0: not known */
};

/* The state behind which lie the continuation bytes of `node` when the character was begun in `state`. */
static bool inside_state(struct expansion *x, uint32_t state, uint32_t node, uint32_t *result)
{
    if (node == 0 || x->memo[node] != 0) {
        *result = node == 0 ? SLM_REGULAR_DEAD : x->memo[node] - 1;
        return true;
    }
    uint32_t row[FANOUT];
    uint32_t live = 0;
    uint32_t words = 0;
    for (uint32_t c = 0; c < x->classes.tails; c++) {
        const uint32_t *children = slm__sequence_get(&x->tree.nodes, node - 1, &words);
        uint32_t child = children[x->classes.first[c] - 0x80 + 1];
        row[c] = SLM_REGULAR_DEAD;
        if (children[0] > 1) {
            if (!inside_state(x, state, child, &row[c])) {
                return false;
            }
        } else if (child != 0) {
            row[c] = x->table->next[(size_t)state * x->table->class_count + child - 1];
        }
        live |= row[c];
    }
    *result = SLM_REGULAR_DEAD;
    if (live != 0) {
        uint32_t number = slm__sequence_add(&x->rows, row, x->classes.tails);
        if (number == UINT32_MAX) {
            return false;
        }
        *result = x->table->state_count + number;
    }
    x->memo[node] = *result + 1;
    return true;
}

/* Does any character beyond ASCII lead on from `state`? */
static bool leaves_ascii(const struct expansion *x, const uint8_t *beyond, uint32_t state)
{
    for (uint32_t c = 0; c < x->table->class_count; c++) {
        if (beyond[c] && x->table->next[(size_t)state * x->table->class_count + c] != SLM_REGULAR_DEAD) {
            return true;
        }
    }
    return false;
}

static bool expand(struct expansion *x, const uint8_t *beyond, struct slm_state_table *bytes)
{
    for (uint32_t s = 1; s < x->table->state_count; s++) {
        if (!slm__table_reach(bytes, s)) {
            return false;
        }
        bool wide = leaves_ascii(x, beyond, s);
        memset(x->memo, 0, ((size_t)x->tree.nodes.count + 1) * sizeof *x->memo);
        uint32_t *row = bytes->next + (size_t)s * bytes->class_count;
        bytes->accepting[s] = x->table->accepting[s];
        for (uint32_t c = x->classes.tails; c < x->classes.count; c++) {
            uint32_t byte = x->classes.first[c];
            if (byte < 0x80) {
                uint32_t class = x->tree.partition->classes[range_of(&x->tree, byte)];
                row[c] = x->table->next[(size_t)s * x->table->class_count + class];
            } else if (wide && !inside_state(x, s, x->tree.leads[byte - LEADS], &row[c])) {
                return false;
            }
        }
    }
    for (uint32_t i = 0; i < x->rows.count; i++) {
        uint32_t length = 0;
        uint32_t state = x->table->state_count + i;
        const uint32_t *row = slm__sequence_get(&x->rows, i, &length);
        if (!slm__table_reach(bytes, state)) {
            return false;
        }
        memcpy(bytes->next + (size_t)state * bytes->class_count, row, length * sizeof *row);
    }
    bytes->start = x->table->start;
    return true;
}

slm_status slm__partition_to_bytes(const struct slm_regular_space *space, const struct slm_code_partition *partition,
                                   const struct slm_state_table *table, struct slm_regular *result, slm_error *error)
{
    struct slm_arena *scratch = table->arena;
    struct expansion *x = slm__arena_take(scratch, sizeof *x);
    uint8_t *beyond = slm__arena_take(scratch, partition->class_count); /* classes with characters beyond ASCII */
    struct slm_state_table bytes;
    if (x == NULL || beyond == NULL) {
        return slm__arena_failure(scratch, error);
    }
    for (uint32_t i = 0; i < partition->range_count; i++) {
        beyond[partition->classes[i]] |= partition->firsts[i + 1] > 0x80;
    }
    x->table = table;
    slm__sequence_init(&x->rows, scratch, space->state_limit);
    bool ok = build_tree(&x->tree, scratch, partition) && class_bytes(&x->classes, &x->tree, scratch);
    x->memo = ok ? slm__arena_take(scratch, ((size_t)x->tree.nodes.count + 1) * sizeof *x->memo) : NULL;
    if (x->memo == NULL || !slm__table_init(&bytes, scratch, x->classes.count) || !expand(x, beyond, &bytes)) {
        return x->rows.count >= x->rows.limit ? slm__sequence_failure(&x->rows, "states", error) : slm__arena_failure(scratch, error);
    }
    return slm__table_write(&bytes, x->classes.of_byte, space, result, error);
}

slm_status slm__code_language(const struct slm_regular_space *space, struct slm_code_set set, struct slm_regular *result, slm_error *error)
{
    struct slm_arena scratch;
    struct slm_code_partition partition;
    struct slm_state_table table;
    slm__arena_init(&scratch, &space->arena->memory, space->arena->limit);
    slm_status status = slm__partition_build(&scratch, &set, 1, &partition, error);
    if (status == SLM_OK && slm__table_init(&table, &scratch, partition.class_count) && slm__table_reach(&table, 2)) {
        table.start = set.count > 0;
        table.accepting[2] = 1;
        for (uint32_t c = 0; c < partition.class_count; c++) {
            table.next[partition.class_count + c] = partition.members[c] ? 2 : SLM_REGULAR_DEAD;
        }
        status = slm__table_minimize(&table, error);
        status = status == SLM_OK ? slm__partition_to_bytes(space, &partition, &table, result, error) : status;
    } else if (status == SLM_OK) {
        status = slm__arena_failure(&scratch, error);
    }
    slm__arena_free(&scratch);
    return status;
}

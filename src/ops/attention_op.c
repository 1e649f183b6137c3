/* SPDX-License-Identifier: MIT */
/*
 * Attention. The work is cut into items: up to 8 consecutive rows of one sequence x some neighbouring kv heads, 32 queries in all, so that
 * a tile of keys and values is read once for all queries that share it: prompts take many rows of one head, single rows several heads,
 * whose tiles lie side by side in a page, one stream of memory. An item walks its segments of 512 positions in order; the first is the
 * total, each other a result of its own, merged behind the ones before: the same order in prefill, decode, and however items fall on
 * threads. Where there are few items, the segments themselves are dealt out; whoever ends the last of an item merges them, in the same
 * order.
 */
#include "ops/attention_op.h"
#include "base/parts.h" /* SLM_SMALL */
#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

enum { ITEM_QUERIES = 32, ITEM_ROWS = 8, SEGMENT_TILES = SLM_SEGMENT / SLM_TILE };

/* Builds for size without threads of their own deal out no segments: the loop of a host that brings threads has kv heads for them. */
#if SLM_SMALL && !defined(SLM_THREADS_OPENMP)
enum { DEALS_SEGMENTS = 0 };
#else
enum { DEALS_SEGMENTS = 1 };
#endif

struct attention_job {
    const struct slm_kernels *kernels;
    const struct slm_attention *a;
    const struct slm_attention_row *rows;
    uint32_t row_count;
    uint32_t group;        /* query heads of one kv head */
    uint32_t rows_an_item; /* rows whose queries one item takes */
    uint32_t head_blocks;  /* that the kv heads are cut into; their sizes differ by one at most */
    uint32_t state_floats; /* of one query */
    uint32_t segments;     /* of the longest row, where segments are dealt out */
    atomic_uint *ended;    /* [items] segments that are done */
};

static uint32_t most_queries(uint32_t group) { return group > ITEM_QUERIES ? group : ITEM_QUERIES; }

static uint32_t state_floats(uint32_t head_dim) { return SLM_ATTEND_HEADER + slm__head_stride(head_dim); }

uint64_t slm__op_attention_state_floats(uint32_t heads, uint32_t kv_heads, uint32_t head_dim)
{
    const uint64_t queries = most_queries(heads / kv_heads);
    const uint64_t descriptors = slm__align64(queries * sizeof(struct slm_attend_query)) / sizeof(float);
    const uint64_t codes = slm__align64(queries * slm__query_codes_bytes(head_dim)) / sizeof(float);
    return descriptors + codes + 2 * queries * state_floats(head_dim); /* running total and present segment of each query */
}

uint64_t slm__op_k_offset(enum slm_kv_type type, uint32_t head_dim, uint32_t kv_head)
{
    return kv_head * slm__align64(slm__k_tile_bytes(type, head_dim));
}

uint64_t slm__op_v_offset(enum slm_kv_type type, uint32_t head_dim, uint32_t kv_heads, uint32_t kv_head)
{
    return kv_heads * slm__align64(slm__k_tile_bytes(type, head_dim)) + kv_head * slm__align64(slm__v_tile_bytes(type, head_dim));
}

uint64_t slm__op_kv_layer_bytes(enum slm_kv_type type, uint32_t head_dim, uint32_t kv_heads)
{
    return slm__op_v_offset(type, head_dim, kv_heads, kv_heads);
}

static void clear_states(float *states, uint32_t count, uint32_t floats)
{
    memset(states, 0, (size_t)count * floats * sizeof *states);
    for (uint32_t i = 0; i < count; i++) {
        states[(size_t)i * floats] = -INFINITY;
    }
}

/* First position that a query at `position` sees. */
static uint32_t first_visible(const struct slm_attention *a, uint32_t position)
{
    return a->window == 0 || position < a->window ? 0 : position - a->window + 1;
}

/* What one item works in and on: kv heads [head_begin, head_end) of rows [first, first + row_count). Query heads of one kv head lie side
 * by side in a row's states, rows in a kv head's. */
struct item {
    uint32_t first, row_count, head_begin, head_end;
    float *states;  /* [kv heads][row_count][group][state floats] of the present segment */
    uint8_t *codes; /* [kv heads][row_count][group][code bytes] for i8 */
    struct slm_attend_query *queries;
};

static uint32_t item_queries(const struct attention_job *job, const struct item *item)
{
    return (item->head_end - item->head_begin) * item->row_count * job->group;
}

/* The first query of row i (from the item's first) and kv head `kv_head`. */
static size_t query_place(const struct attention_job *job, const struct item *item, uint32_t kv_head, uint32_t i)
{
    return ((size_t)(kv_head - item->head_begin) * item->row_count + i) * job->group;
}

static const float *query_at(const struct attention_job *job, uint32_t row, uint32_t head)
{
    return job->a->q + (size_t)row * job->a->q_stride + (size_t)head * job->a->head_dim;
}

/* Queries of one kv head that see a key of tile `tile`, into item->queries; returns their number. */
static uint32_t visible_queries(const struct attention_job *job, const struct item *item, uint32_t kv_head, uint32_t tile)
{
    const struct slm_attention *a = job->a;
    const uint32_t base = tile * SLM_TILE;
    uint32_t count = 0;
    for (uint32_t i = 0; i < item->row_count; i++) {
        const struct slm_attention_row *row = &job->rows[item->first + i];
        const uint32_t low = first_visible(a, row->position), high = row->end;
        if (high <= base || low >= base + SLM_TILE) {
            continue;
        }
        const uint32_t begin = low > base ? low - base : 0, end = high - base < SLM_TILE ? high - base : SLM_TILE;
        const size_t place = query_place(job, item, kv_head, i);
        for (uint32_t h = 0; h < job->group; h++) {
            const void *q = a->kv_type == SLM_CACHE_I8 ? (const void *)(item->codes + (place + h) * slm__query_codes_bytes(a->head_dim))
                                                       : query_at(job, item->first + i, kv_head * job->group + h);
            item->queries[count++] = (struct slm_attend_query){q, item->states + (place + h) * job->state_floats, begin, end};
        }
    }
    return count;
}

/* The last tile that one of the item's rows sees. */
static uint32_t last_visible_tile(const struct attention_job *job, const struct item *item)
{
    uint32_t end = 1;
    for (uint32_t i = item->first; i < item->first + item->row_count; i++) {
        end = job->rows[i].end > end ? job->rows[i].end : end;
    }
    return (end - 1) / SLM_TILE;
}

/* The tiles of one kv head in the page of tile `tile`. */
static struct slm_attend_ahead tiles_of(const struct attention_job *job, const struct item *item, uint32_t kv_head, uint32_t tile)
{
    const struct slm_attention *a = job->a;
    const uint8_t *layer = a->pages + job->rows[item->first].table[tile] * a->page_bytes + a->layer_offset;
    return (struct slm_attend_ahead){layer + slm__op_k_offset(a->kv_type, a->head_dim, kv_head),
                                     layer + slm__op_v_offset(a->kv_type, a->head_dim, a->kv_heads, kv_head)};
}

/* Bring tiles [begin, end) of one segment into the item's states, which are cleared before. `last` is the last tile of all. */
static void attend_segment(const struct attention_job *job, const struct item *item, uint32_t begin, uint32_t end, uint32_t last)
{
    const struct slm_attention *a = job->a;
    clear_states(item->states, item_queries(job, item), job->state_floats);
    for (uint32_t tile = begin; tile < end; tile++) {
        for (uint32_t head = item->head_begin; head < item->head_end; head++) {
            const bool more = head + 1 < item->head_end;
            const struct slm_attend_ahead here = tiles_of(job, item, head, tile);
            const struct slm_attend_ahead next = more          ? tiles_of(job, item, head + 1, tile)
                                                 : tile < last ? tiles_of(job, item, item->head_begin, tile + 1)
                                                               : here;
            const uint32_t visible = visible_queries(job, item, head, tile);
            job->kernels->attend[a->kv_type](here.k_tile, here.v_tile, a->head_dim, a->softcap, item->queries, visible,
                                             more || tile < last ? &next : NULL);
        }
    }
}

/* Row and head of query i of an item. */
static uint32_t row_of(const struct attention_job *job, const struct item *item, uint32_t i)
{
    return item->first + i / job->group % item->row_count;
}

static uint32_t head_of(const struct attention_job *job, const struct item *item, uint32_t i)
{
    return (item->head_begin + i / job->group / item->row_count) * job->group + i % job->group;
}

/* Bring segment `segment`, its states in `item`, into the totals of the rows that saw some of it: a row's first is the total. */
static void merge_segment(const struct attention_job *job, const struct item *item, float *totals, uint32_t segment)
{
    for (uint32_t i = 0; i < item_queries(job, item); i++) {
        const struct slm_attention_row *row = &job->rows[row_of(job, item, i)];
        const uint32_t first = first_visible(job->a, row->position) / SLM_SEGMENT;
        const size_t state = (size_t)i * job->state_floats;
        if (row->end <= segment * SLM_SEGMENT || first > segment) {
            continue;
        }
        if (first == segment) {
            memcpy(totals + state, item->states + state, job->state_floats * sizeof *totals);
        } else {
            job->kernels->attend_merge(totals + state, item->states + state, job->a->head_dim);
        }
    }
}

/* Queries and their codes take the front of a thread's scratch; returns what is behind them. */
static float *begin_item(const struct attention_job *job, struct item *item, uint32_t thread)
{
    const struct slm_attention *a = job->a;
    const uint64_t most = most_queries(job->group), code_bytes = slm__query_codes_bytes(a->head_dim);
    uint8_t *scratch = (uint8_t *)(a->states + thread * slm__op_attention_state_floats(a->heads, a->kv_heads, a->head_dim));
    item->queries = (struct slm_attend_query *)(void *)scratch;
    item->codes = scratch + slm__align64(most * sizeof(struct slm_attend_query));
    for (uint32_t i = 0; a->kv_type == SLM_CACHE_I8 && i < item_queries(job, item); i++) {
        job->kernels->quantize_query(query_at(job, row_of(job, item, i), head_of(job, item, i)), a->head_dim, item->codes + i * code_bytes);
    }
    return (float *)(void *)(item->codes + slm__align64(most * code_bytes));
}

static void finish_item(const struct attention_job *job, const struct item *item, const float *totals)
{
    const struct slm_attention *a = job->a;
    for (uint32_t i = 0; i < item_queries(job, item); i++) {
        float *out = a->out + (size_t)row_of(job, item, i) * a->out_stride + (size_t)head_of(job, item, i) * a->head_dim;
        job->kernels->attend_finish(totals + (size_t)i * job->state_floats, a->head_dim, out);
    }
}

static uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }

static void attend_item(const struct attention_job *job, struct item item, uint32_t thread)
{
    float *totals = begin_item(job, &item, thread);
    const uint32_t last = last_visible_tile(job, &item), first = first_visible(job->a, job->rows[item.first].position) / SLM_TILE;
    const size_t floats = (size_t)item_queries(job, &item) * job->state_floats;
    for (uint32_t tile = first; tile <= last;) {
        const uint32_t segment = tile / SEGMENT_TILES, end = smaller((segment + 1) * SEGMENT_TILES, last + 1);
        item.states = tile == first ? totals : totals + floats;
        attend_segment(job, &item, tile, end, last);
        if (tile != first) {
            merge_segment(job, &item, totals, segment);
        }
        tile = end;
    }
    finish_item(job, &item, totals);
}

/* Rows from `first` on that can share an item: same sequence, rising positions, at most `most`. */
static uint32_t item_rows(const struct attention_job *job, uint32_t first, uint32_t most)
{
    const struct slm_attention_row *rows = job->rows + first;
    uint32_t count = 1;
    while (count < most && rows[count].table == rows[0].table && rows[count].position == rows[0].position + count) {
        count++;
    }
    return count;
}

/* Item i: block i % head_blocks of the kv heads, rows [i / head_blocks * rows_an_item, + rows_an_item), which may be of many sequences. */
static struct item item_of(const struct attention_job *job, uint32_t index)
{
    const uint32_t block = index % job->head_blocks, first = index / job->head_blocks * job->rows_an_item, heads = job->a->kv_heads;
    return (struct item){.first = first,
                         .row_count = smaller(job->rows_an_item, job->row_count - first),
                         .head_begin = (uint32_t)((uint64_t)heads * block / job->head_blocks),
                         .head_end = (uint32_t)((uint64_t)heads * (block + 1) / job->head_blocks)};
}

static void attend_items(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct attention_job *job = context;
    for (uint32_t index = begin; index < end; index++) {
        struct item item = item_of(job, index);
        const uint32_t limit = item.first + item.row_count;
        for (; item.first < limit; item.first += item.row_count) {
            item.row_count = item_rows(job, item.first, limit - item.first);
            attend_item(job, item, thread);
        }
    }
}

static uint32_t segments_of(uint32_t positions) { return (positions + SLM_SEGMENT - 1) / SLM_SEGMENT; }

uint64_t slm__op_attention_split_floats(uint32_t threads, uint32_t heads, uint32_t kv_heads, uint32_t head_dim, uint32_t context)
{
    _Static_assert(sizeof(atomic_uint) == sizeof(float), "counters behind the states are planned as floats");
    const uint64_t states = (uint64_t)most_queries(heads / kv_heads) * segments_of(context);
    return !DEALS_SEGMENTS || threads == 1 ? 0 : threads * (states * state_floats(head_dim) + 1);
}

/* The states of segment `segment` of an item. */
static float *split_states(const struct attention_job *job, uint32_t index, uint32_t segment)
{
    const size_t states = (size_t)most_queries(job->group) * job->state_floats;
    return job->a->split_states + ((size_t)index * job->segments + segment) * states;
}

/* The segments [first, last] of item `index` in order, into the first. */
static void merge_item(const struct attention_job *job, uint32_t index, struct item item, uint32_t first, uint32_t last)
{
    float *totals = split_states(job, index, first);
    for (uint32_t s = first + 1; s <= last; s++) {
        item.states = split_states(job, index, s);
        merge_segment(job, &item, totals, s);
    }
    finish_item(job, &item, totals);
}

/* Task t is segment t % segments of item t / segments. */
static void attend_split(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct attention_job *job = context;
    for (uint32_t task = begin; task < end; task++) {
        const uint32_t segment = task % job->segments, index = task / job->segments;
        struct item item = item_of(job, index);
        const uint32_t first = first_visible(job->a, job->rows[item.first].position) / SLM_TILE, last = last_visible_tile(job, &item);
        const uint32_t from = segment * SEGMENT_TILES > first ? segment * SEGMENT_TILES : first;
        const uint32_t to = smaller((segment + 1) * SEGMENT_TILES, last + 1);
        item.states = split_states(job, index, segment);
        if (from < to) {
            begin_item(job, &item, thread);
            attend_segment(job, &item, from, to, last);
        }
        if (atomic_fetch_add_explicit(&job->ended[index], 1, memory_order_acq_rel) == job->segments - 1) {
            merge_item(job, index, item, first / SEGMENT_TILES, last / SEGMENT_TILES);
        }
    }
}

static void run_split(struct slm_team *team, struct attention_job *job, uint32_t items)
{
    job->ended = (atomic_uint *)(void *)split_states(job, items, 0);
    for (uint32_t item = 0; item < items; item++) {
        atomic_init(&job->ended[item], 0);
    }
    slm__team_for(team, items * job->segments, 1, attend_split, job);
}

/* As many rows an item as lie one behind the other somewhere, then as many kv heads as fill it up, but a block for each thread. */
static void cut_items(struct attention_job *job, uint32_t threads)
{
    const uint32_t kv_heads = job->a->kv_heads, queries = most_queries(job->group), most = smaller(queries / job->group, ITEM_ROWS);
    job->rows_an_item = 1;
    for (uint32_t row = 0; row < job->row_count && job->rows_an_item < most;) {
        const uint32_t rows = item_rows(job, row, smaller(most, job->row_count - row));
        job->rows_an_item = rows > job->rows_an_item ? rows : job->rows_an_item;
        row += rows;
    }
    const uint32_t heads = queries / (job->group * job->rows_an_item), blocks = (kv_heads + heads - 1) / heads;
    job->head_blocks = blocks < threads ? smaller(threads, kv_heads) : blocks;
}

void slm__op_attention(struct slm_team *team, const struct slm_kernels *kernels, const struct slm_attention *attention,
                       const struct slm_attention_row *rows, uint32_t row_count)
{
    struct attention_job job = {.kernels = kernels, .a = attention, .rows = rows, .row_count = row_count};
    const uint32_t threads = slm__team_threads(team);
    uint32_t positions = 0;
    job.group = attention->heads / attention->kv_heads;
    job.state_floats = state_floats(attention->head_dim);
    cut_items(&job, threads);
    for (uint32_t i = 0; i < row_count; i++) {
        positions = rows[i].end > positions ? rows[i].end : positions;
    }
    job.segments = segments_of(positions);
    const uint32_t items = (row_count + job.rows_an_item - 1) / job.rows_an_item * job.head_blocks;
    const bool whole = job.rows_an_item == 1 || job.rows_an_item == row_count; /* an item's rows are of one sequence */
    if (DEALS_SEGMENTS && threads > 1 && items <= threads && whole && job.segments > 1) {
        run_split(team, &job, items);
    } else {
        slm__team_for(team, items, 1, attend_items, &job);
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * Attention. The work is cut into items: up to 8 consecutive rows of one sequence x one kv head, so that a tile of keys and values is read
 * once for all queries that share it. An item walks its segments of 512 positions in order; each segment is a result of its own, merged
 * behind the ones before: the same order in prefill, decode, and however items fall on threads. Where there are too few items for the
 * threads (one row, few kv heads), the segments themselves are dealt out; whoever ends the last of a row and kv head merges them, in the
 * same order.
 */
#include "ops/attention_op.h"
#include <math.h>
#include <stdatomic.h>
#include <string.h>

enum { ITEM_QUERIES = 32, ITEMS_PER_THREAD = 2 };

struct attention_job {
    const struct slm_kernels *kernels;
    const struct slm_attention *a;
    const struct slm_attention_row *rows;
    uint32_t row_count;
    uint32_t group;        /* query heads of one kv head */
    uint32_t rows_an_item; /* rows whose queries one item takes */
    uint32_t state_floats; /* of one query */
    uint32_t segments;     /* of the longest row, where segments are dealt out */
    atomic_uint *ended;    /* [rows kv_heads] segments that are done */
};

static uint32_t rows_an_item(uint32_t group)
{
    const uint32_t rows = ITEM_QUERIES / group;
    return rows == 0 ? 1 : rows > 8 ? 8 : rows;
}

static uint32_t state_floats(uint32_t head_dim) { return SLM_ATTEND_HEADER + slm__head_stride(head_dim); }

uint64_t slm__op_attention_state_floats(uint32_t heads, uint32_t kv_heads, uint32_t head_dim)
{
    const uint32_t group = heads / kv_heads;
    const uint64_t queries = (uint64_t)group * rows_an_item(group);
    const uint64_t descriptors = slm__align64(queries * sizeof(struct slm_attend_query)) / sizeof(float);
    return 2 * queries * state_floats(head_dim) + descriptors; /* running total and present segment of each query */
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

/* Queries of rows [first, first + row_count) that see a key of tile `tile`, into `queries`; returns their number. */
static uint32_t visible_queries(const struct attention_job *job, uint32_t kv_head, uint32_t first, uint32_t row_count, uint32_t tile,
                                float *segment_states, struct slm_attend_query *queries)
{
    const struct slm_attention *a = job->a;
    const uint32_t base = tile * SLM_TILE;
    uint32_t count = 0;
    for (uint32_t i = 0; i < row_count; i++) {
        const uint32_t low = first_visible(a, job->rows[first + i].position), high = job->rows[first + i].end;
        if (high <= base || low >= base + SLM_TILE) {
            continue;
        }
        const uint32_t begin = low > base ? low - base : 0, end = high - base < SLM_TILE ? high - base : SLM_TILE;
        const float *q = a->q + (size_t)(first + i) * a->q_stride + (size_t)kv_head * job->group * a->head_dim;
        for (uint32_t h = 0; h < job->group; h++) {
            const size_t state = (size_t)(i * job->group + h) * job->state_floats;
            queries[count++] = (struct slm_attend_query){q + (size_t)h * a->head_dim, segment_states + state, begin, end};
        }
    }
    return count;
}

/* What one item works in and on. */
struct item {
    uint32_t kv_head, first, row_count;
    float *totals, *segments; /* [row_count group][state floats] */
    struct slm_attend_query *queries;
};

/* The last tile that one of the rows [first, first + row_count) sees. */
static uint32_t last_visible_tile(const struct attention_job *job, uint32_t first, uint32_t row_count)
{
    uint32_t end = 1;
    for (uint32_t i = first; i < first + row_count; i++) {
        end = job->rows[i].end > end ? job->rows[i].end : end;
    }
    return (end - 1) / SLM_TILE;
}

/* Bring tiles [begin, end) of one segment into the segment's states. */
static void attend_segment(const struct attention_job *job, const struct item *item, uint32_t begin, uint32_t end)
{
    const struct slm_attention *a = job->a;
    const uint64_t k_offset = a->layer_offset + slm__op_k_offset(a->kv_type, a->head_dim, item->kv_head);
    const uint64_t v_offset = a->layer_offset + slm__op_v_offset(a->kv_type, a->head_dim, a->kv_heads, item->kv_head);
    const uint32_t *table = job->rows[item->first].table, last_tile = last_visible_tile(job, item->first, item->row_count);
    for (uint32_t tile = begin; tile < end; tile++) {
        const uint8_t *page = a->pages + table[tile] * a->page_bytes;
        const uint8_t *next = tile < last_tile ? a->pages + table[tile + 1] * a->page_bytes : page;
        const struct slm_attend_ahead ahead = {next + k_offset, next + v_offset};
        const uint32_t visible = visible_queries(job, item->kv_head, item->first, item->row_count, tile, item->segments, item->queries);
        job->kernels->attend[a->kv_type](page + k_offset, page + v_offset, a->head_dim, a->softcap, item->queries, visible,
                                         tile < last_tile ? &ahead : NULL);
    }
}

/* Merge the segment of positions [begin, end) into the totals of the rows that saw some of it. */
static void merge_segment(const struct attention_job *job, const struct item *item, uint32_t begin, uint32_t end)
{
    for (uint32_t i = 0; i < item->row_count; i++) {
        const struct slm_attention_row *row = &job->rows[item->first + i];
        if (row->end <= begin || first_visible(job->a, row->position) >= end) {
            continue;
        }
        for (uint32_t h = 0; h < job->group; h++) {
            const size_t state = (size_t)(i * job->group + h) * job->state_floats;
            job->kernels->attend_merge(item->totals + state, item->segments + state, job->a->head_dim);
        }
    }
}

static void finish_item(const struct attention_job *job, const struct item *item)
{
    const struct slm_attention *a = job->a;
    for (uint32_t i = 0; i < item->row_count * job->group; i++) {
        const uint32_t row = item->first + i / job->group, head = item->kv_head * job->group + i % job->group;
        float *out = a->out + (size_t)row * a->out_stride + (size_t)head * a->head_dim;
        job->kernels->attend_finish(item->totals + (size_t)i * job->state_floats, a->head_dim, out);
    }
}

static void attend_item(const struct attention_job *job, uint32_t kv_head, uint32_t first, uint32_t row_count, float *scratch)
{
    const struct slm_attention *a = job->a;
    const uint32_t count = row_count * job->group, segment_tiles = SLM_SEGMENT / SLM_TILE;
    const uint32_t last_tile = last_visible_tile(job, first, row_count);
    struct item item = {kv_head, first, row_count, scratch, scratch + (size_t)count * job->state_floats, NULL};
    item.queries = (struct slm_attend_query *)(void *)(item.segments + (size_t)count * job->state_floats);
    clear_states(item.totals, count, job->state_floats);
    for (uint32_t tile = first_visible(a, job->rows[first].position) / SLM_TILE; tile <= last_tile;) {
        const uint32_t segment = tile / segment_tiles;
        const uint32_t end = (segment + 1) * segment_tiles <= last_tile ? (segment + 1) * segment_tiles : last_tile + 1;
        clear_states(item.segments, count, job->state_floats);
        attend_segment(job, &item, tile, end);
        merge_segment(job, &item, segment * SLM_SEGMENT, (segment + 1) * SLM_SEGMENT);
        tile = end;
    }
    finish_item(job, &item);
}

/* Rows from `first` on that can share an item: same sequence, rising positions, at most rows_an_item. */
static uint32_t item_rows(const struct attention_job *job, uint32_t first, uint32_t limit)
{
    uint32_t count = 1;
    while (first + count < limit && count < job->rows_an_item && job->rows[first + count].table == job->rows[first].table &&
           job->rows[first + count].position == job->rows[first].position + count) {
        count++;
    }
    return count;
}

/* Item i: kv head i % kv_heads of the rows [i / kv_heads * rows_an_item, + rows_an_item). */
static void attend_items(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct attention_job *job = context;
    const struct slm_attention *a = job->a;
    float *scratch = a->states + thread * slm__op_attention_state_floats(a->heads, a->kv_heads, a->head_dim);
    for (uint32_t item = begin; item < end; item++) {
        const uint32_t first = item / a->kv_heads * job->rows_an_item;
        const uint32_t limit = first + job->rows_an_item < job->row_count ? first + job->rows_an_item : job->row_count;
        for (uint32_t row = first; row < limit;) {
            const uint32_t rows = item_rows(job, row, limit);
            attend_item(job, item % a->kv_heads, row, rows, scratch);
            row += rows;
        }
    }
}

static uint32_t segments_of(uint32_t positions) { return (positions + SLM_SEGMENT - 1) / SLM_SEGMENT; }

uint64_t slm__op_attention_split_floats(uint32_t threads, uint32_t heads, uint32_t kv_heads, uint32_t head_dim, uint32_t context)
{
    const uint64_t items = (uint64_t)threads * ITEMS_PER_THREAD;
    _Static_assert(sizeof(atomic_uint) == sizeof(float), "counters behind the states are planned as floats");
    return threads == 1 ? 0 : items * ((heads / kv_heads) * (uint64_t)segments_of(context) * state_floats(head_dim) + 1);
}

/* The segments of pair p in order: row p / kv_heads and kv head p % kv_heads. */
static void merge_pair(const struct attention_job *job, uint32_t pair, float *totals)
{
    const struct slm_attention *a = job->a;
    struct item item = {pair % a->kv_heads, pair / a->kv_heads, 1, totals, NULL, NULL};
    clear_states(totals, job->group, job->state_floats);
    for (uint32_t s = 0; s < job->segments; s++) {
        item.segments = a->split_states + ((size_t)pair * job->segments + s) * job->group * job->state_floats;
        merge_segment(job, &item, s * SLM_SEGMENT, (s + 1) * SLM_SEGMENT);
    }
    finish_item(job, &item);
}

/* One segment of one row and kv head: task t is segment t % segments of pair t / segments. */
static void attend_split(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct attention_job *job = context;
    const struct slm_attention *a = job->a;
    const uint32_t segments = job->segments, tiles = SLM_SEGMENT / SLM_TILE;
    float *scratch = a->states + thread * slm__op_attention_state_floats(a->heads, a->kv_heads, a->head_dim);
    for (uint32_t task = begin; task < end; task++) {
        const uint32_t segment = task % segments, pair = task / segments, row = pair / a->kv_heads, position = job->rows[row].position;
        const uint32_t first = first_visible(a, position) / SLM_TILE, last = position / SLM_TILE;
        const uint32_t from = segment * tiles > first ? segment * tiles : first;
        const uint32_t to = (segment + 1) * tiles <= last ? (segment + 1) * tiles : last + 1;
        float *states = a->split_states + (size_t)task * job->group * job->state_floats;
        const struct item item = {pair % a->kv_heads, row, 1, NULL, states, (struct slm_attend_query *)(void *)scratch};
        if (from < to) {
            clear_states(states, job->group, job->state_floats);
            attend_segment(job, &item, from, to);
        }
        if (atomic_fetch_add_explicit(&job->ended[pair], 1, memory_order_acq_rel) == segments - 1) {
            merge_pair(job, pair, scratch);
        }
    }
}

static void run_split(struct slm_team *team, struct attention_job *job, uint32_t pairs)
{
    job->ended = (atomic_uint *)(void *)(job->a->split_states + (size_t)pairs * job->segments * job->group * job->state_floats);
    for (uint32_t pair = 0; pair < pairs; pair++) {
        atomic_init(&job->ended[pair], 0);
    }
    slm__team_for(team, pairs * job->segments, 1, attend_split, job);
}

void slm__op_attention(struct slm_team *team, const struct slm_kernels *kernels, const struct slm_attention *attention,
                       const struct slm_attention_row *rows, uint32_t row_count)
{
    const uint32_t group = attention->heads / attention->kv_heads, threads = slm__team_threads(team);
    struct attention_job job = {kernels, attention, rows, row_count, group, rows_an_item(group), state_floats(attention->head_dim),
                                0,       NULL};
    const uint32_t blocks = (row_count + job.rows_an_item - 1) / job.rows_an_item;
    const uint64_t pairs = (uint64_t)row_count * attention->kv_heads;
    uint32_t positions = 0;
    for (uint32_t i = 0; i < row_count; i++) {
        positions = rows[i].end > positions ? rows[i].end : positions;
    }
    job.segments = segments_of(positions);
    if (threads > 1 && pairs <= (uint64_t)threads * ITEMS_PER_THREAD && job.segments > 1) {
        run_split(team, &job, (uint32_t)pairs);
    } else {
        slm__team_for(team, blocks * attention->kv_heads, 1, attend_items, &job);
    }
}

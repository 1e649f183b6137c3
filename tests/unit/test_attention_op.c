/* SPDX-License-Identifier: MIT */
/* Attention over paged keys and values: what each row sees (causal, windows, groups in both directions, whole texts) against a plain f64
 * softmax, and the same bits for any number of threads, division into calls and tier. */
#include "ops/attention_op.h"
#include "tests/kernels/kernel_fixture.h" /* struct dice, tier_table, first_difference */
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HEADS = 4, KV_HEADS = 2, DIM = 24, MOST = 620, WIDTH = HEADS * DIM };

/* A sequence whose pages lie in reverse order, and its queries. */
struct scene {
    enum slm_kv_type type;
    uint32_t length, window;
    struct slm_attention_row rows[MOST];
    uint32_t table[MOST / SLM_TILE + 1];
    float q[MOST * WIDTH], k[MOST * KV_HEADS * DIM], v[MOST * KV_HEADS * DIM];
    uint8_t *pages;
};

static uint64_t page_bytes(enum slm_kv_type type) { return slm__op_kv_layer_bytes(type, DIM, KV_HEADS); }

/* Every row sees itself and what is before it; then `end` is raised by the caller. Slots behind the length hold NaN bits. */
static struct scene *make_scene(struct dice *dice, enum slm_kv_type type, uint32_t length, uint32_t window)
{
    struct scene *scene = guarded(sizeof *scene, 64);
    const struct slm_kernels *kernels = tier_table(SLM_TIER_SCALAR);
    const uint32_t tiles = (length + SLM_TILE - 1) / SLM_TILE;
    scene->type = type;
    scene->length = length;
    scene->window = window;
    scene->pages = guarded(tiles * page_bytes(type), 64);
    memset(scene->pages, 0xff, tiles * page_bytes(type));
    dice_fill(dice, scene->q, (size_t)length * WIDTH, 1.0f);
    dice_fill(dice, scene->k, (size_t)length * KV_HEADS * DIM, 1.0f);
    dice_fill(dice, scene->v, (size_t)length * KV_HEADS * DIM, 1.0f);
    for (uint32_t t = 0; t < tiles; t++) {
        scene->table[t] = tiles - 1 - t;
    }
    for (uint32_t i = 0; i < length; i++) {
        uint8_t *page = scene->pages + scene->table[i / SLM_TILE] * page_bytes(type);
        scene->rows[i] = (struct slm_attention_row){scene->table, i, i + 1};
        for (uint32_t h = 0; h < KV_HEADS; h++) {
            kernels->store_k[type](scene->k + (size_t)(i * KV_HEADS + h) * DIM, DIM, i % SLM_TILE, page + slm__op_k_offset(type, DIM, h));
            kernels->store_v[type](scene->v + (size_t)(i * KV_HEADS + h) * DIM, DIM, i % SLM_TILE,
                                   page + slm__op_v_offset(type, DIM, KV_HEADS, h));
        }
    }
    return scene;
}

/* Rows [begin, end) see each other. */
static void join_group(struct scene *scene, uint32_t begin, uint32_t end)
{
    for (uint32_t i = begin; i < end; i++) {
        scene->rows[i].end = end;
    }
}

/* All rows, `chunk` at a call. */
struct run {
    struct scene *scene;
    const struct slm_kernels *kernels;
    struct slm_team *team;
    uint32_t chunk;
    float *out, *states, *split;
};

static void attend_chunks(void *context)
{
    const struct run *run = context;
    const struct scene *scene = run->scene;
    for (uint32_t from = 0; from < scene->length; from += run->chunk) {
        const struct slm_attention attention = {.kv_type = scene->type,
                                                .heads = HEADS,
                                                .kv_heads = KV_HEADS,
                                                .head_dim = DIM,
                                                .window = scene->window,
                                                .pages = scene->pages,
                                                .page_bytes = page_bytes(scene->type),
                                                .q = scene->q + (size_t)from * WIDTH,
                                                .q_stride = WIDTH,
                                                .out = run->out + (size_t)from * WIDTH,
                                                .out_stride = WIDTH,
                                                .states = run->states,
                                                .split_states = run->split};
        const uint32_t left = scene->length - from;
        slm__op_attention(run->team, run->kernels, &attention, scene->rows + from, left < run->chunk ? left : run->chunk);
    }
}

/* In one region: opening one for each call takes longer than the call. */
static float *attend(struct scene *scene, const struct slm_kernels *kernels, uint32_t threads, uint32_t chunk)
{
    static struct slm_team_storage storage;
    const struct slm_team_options options = {.threads = threads};
    struct run run = {.scene = scene, .kernels = kernels, .team = slm__team_init(&storage, &options), .chunk = chunk};
    const uint32_t most = slm__team_threads(run.team);
    run.out = guarded((size_t)scene->length * WIDTH * sizeof *run.out, 64);
    run.states = guarded(most * slm__op_attention_state_floats(HEADS, KV_HEADS, DIM) * sizeof *run.states, 64);
    run.split = guarded(slm__op_attention_split_floats(most, HEADS, KV_HEADS, DIM, scene->length) * sizeof *run.split, 64);
    slm__team_run(run.team, attend_chunks, &run);
    return run.out;
}

/* Row i, head h, in f64. */
static void reference(const struct scene *scene, uint32_t i, uint32_t h, double out[DIM])
{
    static double p[MOST];
    const uint32_t end = scene->rows[i].end, kv = h / (HEADS / KV_HEADS);
    const uint32_t begin = scene->window == 0 || i < scene->window ? 0 : i - scene->window + 1;
    double most = -HUGE_VAL, sum = 0;
    for (uint32_t t = begin; t < end; t++) {
        p[t] = 0;
        for (uint32_t d = 0; d < DIM; d++) {
            p[t] += (double)scene->q[(size_t)i * WIDTH + (size_t)h * DIM + d] * (double)scene->k[(size_t)(t * KV_HEADS + kv) * DIM + d];
        }
        most = fmax(most, p[t]);
    }
    memset(out, 0, DIM * sizeof *out);
    for (uint32_t t = begin; t < end; t++) {
        p[t] = exp(p[t] - most);
        sum += p[t];
        for (uint32_t d = 0; d < DIM; d++) {
            out[d] += p[t] * (double)scene->v[(size_t)(t * KV_HEADS + kv) * DIM + d];
        }
    }
    for (uint32_t d = 0; d < DIM; d++) {
        out[d] /= sum;
    }
}

static void expect_reference(struct scene *scene)
{
    const float *got = attend(scene, tier_table(SLM_TIER_SCALAR), 1, scene->length);
    double worst = 0;
    for (uint32_t i = 0; i < scene->length; i++) {
        for (uint32_t h = 0; h < HEADS; h++) {
            double want[DIM];
            reference(scene, i, h, want);
            worst = fmax(worst, normalized_error(got + (size_t)i * WIDTH + (size_t)h * DIM, want, DIM));
        }
    }
    if (!(worst < 1e-10)) {
        fail_msg("%u rows, window %u: NMSE %g", scene->length, scene->window, worst);
    }
}

/* A call may cut a group here, since all keys are there already. */
static void expect_same_bits(struct scene *scene)
{
    static const struct {
        uint32_t threads, chunk;
    } ways[] = {{1, 1}, {1, 3}, {1, MOST}, {2, 1}, {2, 300}, {3, 5}, {4, 61}, {4, MOST}};
    const float *want = attend(scene, tier_table(SLM_TIER_SCALAR), 1, scene->length);
    const size_t n = (size_t)scene->length * WIDTH;
    assert_int_equal(first_difference(attend(scene, tier_table(SLM_TIER_SCALAR), 4, 37), want, n), n);
    for (const enum slm_isa *isa = tiers_to_check(); *isa; isa++) {
        for (uint32_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
            assert_int_equal(first_difference(attend(scene, tier_table(*isa), ways[i].threads, ways[i].chunk), want, n), n);
        }
    }
}

static const uint32_t lengths[] = {1, 5, 63, 64, 65, 200, 513, MOST};
enum { LENGTHS = sizeof lengths / sizeof lengths[0] };

static void causal_rows(void **state)
{
    struct dice dice = {31};
    (void)state;
    for (uint32_t i = 0; i < 2 * LENGTHS; i++) {
        struct scene *scene = make_scene(&dice, SLM_CACHE_F32, lengths[i / 2], i % 2 ? 70 : 0);
        expect_reference(scene);
        expect_same_bits(scene);
        guarded_release_all();
    }
}

/* Every row sees all rows: an encoder. */
static void whole_texts_in_both_directions(void **state)
{
    struct dice dice = {32};
    (void)state;
    for (uint32_t i = 0; i < LENGTHS; i++) {
        struct scene *scene = make_scene(&dice, SLM_CACHE_F32, lengths[i], 0);
        join_group(scene, 0, lengths[i]);
        expect_reference(scene);
        expect_same_bits(scene);
        guarded_release_all();
    }
}

/* Groups inside a causal text, as the tokens of an image are; a window bounds how far back a row sees, not how far ahead. */
static void groups_inside_a_text(void **state)
{
    static const uint32_t groups[][2] = {{5, 21}, {60, 70}, {100, 356}, {500, 530}, {540, 619}};
    struct dice dice = {33};
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        struct scene *scene = make_scene(&dice, SLM_CACHE_F32, MOST, i == 0 ? 0 : i == 1 ? 20 : 300);
        for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
            join_group(scene, groups[g][0], groups[g][1]);
        }
        expect_reference(scene);
        expect_same_bits(scene);
        guarded_release_all();
    }
}

/* Queries are quantized once an item. */
static void int8_keys_and_values(void **state)
{
    struct dice dice = {34};
    (void)state;
    for (uint32_t i = 2; i < LENGTHS; i++) {
        struct scene *scene = make_scene(&dice, SLM_CACHE_I8, lengths[i], i % 2 ? 530 : 0);
        expect_same_bits(scene);
        guarded_release_all();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(causal_rows),
        cmocka_unit_test(whole_texts_in_both_directions),
        cmocka_unit_test(groups_inside_a_text),
        cmocka_unit_test(int8_keys_and_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

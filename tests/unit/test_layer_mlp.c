/* SPDX-License-Identifier: MIT */
/* The feed-forward half of a layer: many rows at once, whose middle is packed as it is made, have the bits of single rows, whose steps
 * follow one another. Every weight type, activations, biases, adapters, widths that fit and one that does not; the workspace is exact. */
#include "model/layers.h"                 /* slm__layer_mlp */
#include "ops/matmul.h"                   /* slm__op_pack */
#include "tests/kernels/kernel_fixture.h" /* struct dice, random_matrix, guarded, tier_table */
#include <string.h>

enum { HIDDEN = 72, HEAD_DIM = 16, MOST = 265, RANK = 3, LISTS = 4 };

/* One layer of random weights, and rows that go through it. */
struct scene {
    struct slm_transformer transformer;
    struct slm_layer layer;
    struct slm_row rows[MOST];
    struct slm_low_rank deltas[LISTS];
    struct slm_low_rank_set sets[LISTS];
    struct slm_adapter_list lists[LISTS];
    float x[MOST * HIDDEN];
    float one[MOST * HIDDEN]; /* the outputs of single rows */
};

struct shape {
    enum slm_weight_type gate_up, down;
    enum slm_activation activation;
    bool gated, biased, adapted;
    uint32_t ffn;
};

static const float *random_vector(struct dice *dice, uint32_t length)
{
    float *vector = guarded(length * sizeof *vector, 4);
    dice_fill(dice, vector, length, 0.5f);
    return vector;
}

/* An adapter of one matrix. */
static void add_adapter(struct scene *scene, struct dice *dice, uint32_t list, const struct slm_matrix *of)
{
    scene->deltas[list] =
        (struct slm_low_rank){.of = of, .a = random_matrix(dice, SLM_WEIGHT_F32, RANK, of->cols, WEIGHTS_ORDINARY), .part_count = 1};
    scene->deltas[list].parts[0] =
        (struct slm_low_rank_part){.b = random_matrix(dice, SLM_WEIGHT_F32, of->rows, RANK, WEIGHTS_ORDINARY), .scale = 0.5};
    scene->sets[list] = (struct slm_low_rank_set){&scene->deltas[list], 1, RANK, list};
    scene->lists[list] = (struct slm_adapter_list){.count = 1, .uses = {{&scene->sets[list], 1.5f}}};
}

static struct scene *make_scene(struct dice *dice, const struct shape *shape)
{
    struct scene *scene = guarded(sizeof *scene, 64);
    struct slm_layer *layer = &scene->layer;
    const uint32_t wide = shape->gated ? 2 * shape->ffn : shape->ffn;
    scene->transformer = (struct slm_transformer){.layer_count = 1,
                                                  .hidden_size = HIDDEN,
                                                  .gated = shape->gated,
                                                  .activation = shape->activation,
                                                  .kv_class_count = 1,
                                                  .layers = layer};
    *layer = (struct slm_layer){.heads = 2, .kv_heads = 1, .head_dim = HEAD_DIM, .ffn_size = shape->ffn, .rope_set = SLM_NO_ROPE};
    layer->qkv = random_matrix(dice, SLM_WEIGHT_I8, 4 * HEAD_DIM, HIDDEN, WEIGHTS_ORDINARY);
    layer->attn_out = random_matrix(dice, SLM_WEIGHT_I8, HIDDEN, 2 * HEAD_DIM, WEIGHTS_ORDINARY);
    layer->mlp.gate_up = random_matrix(dice, shape->gate_up, wide, HIDDEN, WEIGHTS_ORDINARY);
    layer->mlp.down = random_matrix(dice, shape->down, HIDDEN, shape->ffn, WEIGHTS_ORDINARY);
    layer->mlp.gate_up_bias = shape->biased ? random_vector(dice, wide) : NULL;
    add_adapter(scene, dice, 1, &layer->attn_out);
    add_adapter(scene, dice, 2, &layer->mlp.gate_up);
    add_adapter(scene, dice, 3, &layer->mlp.down);
    dice_fill(dice, scene->x, MOST * HIDDEN, 1.0f);
    return scene;
}

struct run {
    const struct scene *scene;
    const struct slm_forward *forward;
    uint32_t first, count;
    float *out;
};

static void run_rows(void *context)
{
    const struct run *run = context;
    const struct slm_workspace *w = run->forward->workspace;
    const struct slm_mlp *mlp = &run->scene->layer.mlp;
    const struct slm_layer_step step = {
        .forward = run->forward, .rows = run->scene->rows + run->first, .count = run->count, .layer = &run->scene->layer};
    for (uint32_t i = 0; i < run->count; i++) {
        memcpy(w->h + (size_t)i * w->h_stride, run->scene->x + (size_t)(run->first + i) * HIDDEN, HIDDEN * sizeof(float));
    }
    slm__op_pack(run->forward->team, run->forward->kernels, &mlp->gate_up, w->h, w->h_stride, run->count, w->packed);
    slm__layer_mlp(&step, mlp);
    for (uint32_t i = 0; i < run->count; i++) {
        memcpy(run->out + (size_t)(run->first + i) * HIDDEN, w->wide + (size_t)i * w->wide_stride, HIDDEN * sizeof(float));
    }
}

/* Rows [0, total) in calls of `count`, in a workspace of exactly that size. */
static void run_all(const struct scene *scene, const struct slm_kernels *kernels, uint32_t threads, uint32_t total, uint32_t count,
                    bool adapted, float *out)
{
    static struct slm_team_storage storage;
    const struct slm_team_options options = {.threads = threads};
    struct slm_workspace workspace;
    struct slm_carver carver = {0};
    struct slm_team *team = slm__team_init(&storage, &options);
    const struct slm_forward forward = {.transformer = &scene->transformer, .kernels = kernels, .team = team, .workspace = &workspace};
    struct run run = {scene, &forward, 0, 0, out};
    for (int pass = 0; pass < 2; pass++) {
        carver = (struct slm_carver){.base = pass == 0 ? NULL : guarded(carver.used, 64)};
        slm__workspace_carve(&workspace, &carver, &scene->transformer, SLM_CACHE_F32, count, MOST, adapted ? RANK : 0,
                             slm__team_threads(team));
    }
    for (; run.first < total; run.first += count) {
        run.count = total - run.first < count ? total - run.first : count;
        slm__team_run(team, run_rows, &run);
    }
}

static void check_shape(struct dice *dice, const struct shape *shape)
{
    static const uint32_t counts[] = {2, 7, 8, 9, 65, MOST};
    static float out[MOST * HIDDEN];
    struct scene *scene = make_scene(dice, shape);
    for (uint32_t i = 0; i < MOST && shape->adapted; i++) { /* at the end none that matters, so that both ways are gone */
        scene->rows[i].adapters = i >= 100 ? &scene->lists[1] : i % 5 == 0 ? NULL : &scene->lists[i / 5 % LISTS];
    }
    run_all(scene, tier_table(SLM_TIER_SCALAR), 1, MOST, 1, shape->adapted, scene->one);
    for (uint32_t n = 0; n < sizeof counts / sizeof counts[0]; n++) {
        for (const enum slm_isa *isa = tiers_to_check(); *isa != 0; isa++) {
            memset(out, 0xff, sizeof out);
            run_all(scene, tier_table(*isa), 1 + n % 3, MOST, counts[n], shape->adapted, out);
            assert_true(first_difference(scene->one, out, MOST * HIDDEN) == MOST * HIDDEN);
        }
    }
    guarded_release_all();
}

static void test_types(void **state)
{
    struct dice dice = {1};
    (void)state;
    for (uint32_t type = SLM_WEIGHT_F32; type < SLM_WEIGHT_TYPES; type++) {
        for (uint32_t down = SLM_WEIGHT_F32; down < SLM_WEIGHT_TYPES; down++) {
            const struct shape shape = {
                (enum slm_weight_type)type, (enum slm_weight_type)down, SLM_ACTIVATION_SILU, true, type == down, false, 160};
            check_shape(&dice, &shape);
        }
    }
}

/* Widths of several groups a run, and one that ends within a group; plain networks; every activation. */
static void test_shapes(void **state)
{
    static const uint32_t widths[] = {32, 100, 2080};
    struct dice dice = {2};
    (void)state;
    for (uint32_t i = 0; i < 3 * SLM_ACTIVATIONS * 2; i++) {
        const struct shape shape = {
            SLM_WEIGHT_I4, SLM_WEIGHT_I8, (enum slm_activation)(i / 3 % SLM_ACTIVATIONS), i / 3 >= SLM_ACTIVATIONS, i % 2 == 0,
            false,         widths[i % 3]};
        check_shape(&dice, &shape);
    }
}

static void test_adapters(void **state)
{
    struct dice dice = {3};
    (void)state;
    for (uint32_t biased = 0; biased < 2; biased++) {
        const struct shape shape = {SLM_WEIGHT_I8, SLM_WEIGHT_I4, SLM_ACTIVATION_GELU_TANH, true, biased == 1, true, 192};
        check_shape(&dice, &shape);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_types), cmocka_unit_test(test_shapes), cmocka_unit_test(test_adapters)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

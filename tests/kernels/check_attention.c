/* SPDX-License-Identifier: MIT */
/* Attention: each tier against scalar over head sizes, ranges, batches of queries and never-written slots; scalar against a plain f64
 * softmax; segments merged against one long pass. */
#include "tests/kernels/kernel_fixture.h"
#include "kernels/half_bits.h" /* slm__f32_to_f16 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_QUERIES = 33, TILES = 3 };

/* One kv head's cache of `tiles` tiles and queries upon it. */
struct scene {
    uint32_t head_dim, tiles, queries;
    enum slm_kv_type type;
    void *k[TILES * 4], *v[TILES * 4];
    float *q[MOST_QUERIES], *state[MOST_QUERIES];
    void *codes[MOST_QUERIES]; /* of q, for i8 */
};

static const uint32_t head_dims[] = {8, 16, 20, 30, 64, 72, 80, 96, 128, 256};
static const enum slm_kv_type kv_types[] = {SLM_CACHE_F32, SLM_CACHE_F16, SLM_CACHE_I8};
static const char *const kv_names[SLM_CACHE_TYPES] = {"none", "f32", "f16", "i8"};
enum { HEADS = sizeof head_dims / sizeof head_dims[0], KV_TYPES = sizeof kv_types / sizeof kv_types[0], LONGEST_HEAD = 256 };

/* Tiles start as NaN bits everywhere, as memory that was never written may be; `length` positions are then stored. */
static struct scene make_scene(struct dice *dice, const struct slm_kernels *tier, uint32_t head_dim, enum slm_kv_type type, uint32_t tiles,
                               uint32_t queries, uint32_t length)
{
    struct scene scene = {head_dim, tiles, queries, type, {0}, {0}, {0}, {0}, {0}};
    for (uint32_t i = 0; i < tiles; i++) {
        scene.k[i] = guarded(slm__k_tile_bytes(type, head_dim), 64);
        scene.v[i] = guarded(slm__v_tile_bytes(type, head_dim), 64);
        memset(scene.k[i], 0xff, slm__k_tile_bytes(type, head_dim));
        memset(scene.v[i], 0xff, slm__v_tile_bytes(type, head_dim));
    }
    for (uint32_t i = 0; i < queries; i++) {
        scene.q[i] = guarded(head_dim * sizeof(float), 4);
        scene.codes[i] = guarded(slm__query_codes_bytes(head_dim), 16);
        scene.state[i] = guarded((SLM_ATTEND_HEADER + slm__head_stride(head_dim)) * sizeof(float), 64);
        dice_fill(dice, scene.q[i], head_dim, 1.0f);
    }
    float *x = guarded(head_dim * sizeof *x, 4);
    for (uint32_t t = 0; t < length; t++) {
        dice_fill(dice, x, head_dim, 2.0f);
        tier->store_k[type](x, head_dim, t % SLM_TILE, scene.k[t / SLM_TILE]);
        dice_fill(dice, x, head_dim, 2.0f);
        tier->store_v[type](x, head_dim, t % SLM_TILE, scene.v[t / SLM_TILE]);
    }
    return scene;
}

static void clear_state(float *state, uint32_t head_dim)
{
    memset(state, 0, (SLM_ATTEND_HEADER + slm__head_stride(head_dim)) * sizeof *state);
    state[0] = -HUGE_VALF;
}

/* Query i sees positions [first[i], last[i]). */
static void attend_all(const struct slm_kernels *tier, struct scene *scene, float softcap, const uint32_t *first, const uint32_t *last)
{
    for (uint32_t i = 0; i < scene->queries; i++) {
        clear_state(scene->state[i], scene->head_dim);
        tier->quantize_query(scene->q[i], scene->head_dim, scene->codes[i]);
    }
    for (uint32_t tile = 0; tile < scene->tiles; tile++) {
        struct slm_attend_query batch[MOST_QUERIES];
        uint32_t count = 0;
        for (uint32_t i = 0; i < scene->queries; i++) {
            const uint32_t base = tile * SLM_TILE, begin = first[i] > base ? first[i] - base : 0;
            const uint32_t end = last[i] > base + SLM_TILE ? SLM_TILE : last[i] > base ? last[i] - base : 0;
            if (begin < end) {
                const void *q = scene->type == SLM_CACHE_I8 ? scene->codes[i] : scene->q[i];
                batch[count++] = (struct slm_attend_query){q, scene->state[i], begin, end};
            }
        }
        const struct slm_attend_ahead ahead = {scene->k[0], (const void *)(uintptr_t)64}; /* any address may be named */
        if (count > 0) {
            tier->attend[scene->type](scene->k[tile], scene->v[tile], scene->head_dim, softcap, batch, count, tile % 2 ? &ahead : NULL);
        }
    }
}

static void expect_states(const struct slm_kernels *tier, struct scene *scene, float softcap, const uint32_t *first, const uint32_t *last)
{
    const uint32_t length = SLM_ATTEND_HEADER + slm__head_stride(scene->head_dim);
    static float want[MOST_QUERIES][SLM_ATTEND_HEADER + LONGEST_HEAD];
    attend_all(tier_table(SLM_TIER_SCALAR), scene, softcap, first, last);
    for (uint32_t i = 0; i < scene->queries; i++) {
        memcpy(want[i], scene->state[i], length * sizeof(float));
    }
    attend_all(tier, scene, softcap, first, last);
    for (uint32_t i = 0; i < scene->queries; i++) {
        const size_t at = first_difference(scene->state[i], want[i], length);
        if (at < length) {
            fail_msg("%s %s head %u, query %u of %u, [%u, %u): state[%zu] = %a, scalar %a", slm__isa_name((int32_t)tier->isa),
                     kv_names[scene->type], scene->head_dim, i, scene->queries, first[i], last[i], at, (double)scene->state[i][at],
                     (double)want[i][at]);
        }
    }
}

static void tiers_equal_scalar(void **state)
{
    (void)state;
    struct dice dice = {13};
    for (const enum slm_isa *isa = tiers_to_check(); *isa; isa++) {
        for (uint32_t round = 0; round < HEADS * KV_TYPES * 40; round++) {
            static const uint32_t batches[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 17, 31, 32, 33};
            const uint32_t length = 1 + dice_bits(&dice) % (TILES * SLM_TILE), queries = batches[round / (HEADS * KV_TYPES) % 15];
            const enum slm_kv_type type = kv_types[round / HEADS % KV_TYPES];
            struct scene scene = make_scene(&dice, tier_table(*isa), head_dims[round % HEADS], type, TILES, queries, length);
            uint32_t first[MOST_QUERIES], last[MOST_QUERIES];
            for (uint32_t i = 0; i < queries; i++) {
                last[i] = round % 7 == 0 ? length : round % 3 ? (length > i ? length - i : 1) : 1 + dice_bits(&dice) % length;
                first[i] = round % 4 ? 0 : dice_bits(&dice) % last[i];
            }
            expect_states(tier_table(*isa), &scene, round % 5 ? 0.0f : 30.0f, first, last);
            guarded_release_all();
        }
    }
}

/* A NaN or infinity in a visible key, value or query makes the same outputs NaN in every tier. */
static void non_finite_inputs_agree(void **state)
{
    (void)state;
    struct dice dice = {14};
    static const float bad[] = {NAN, HUGE_VALF, -HUGE_VALF};
    for (const enum slm_isa *isa = tiers_to_check(); *isa; isa++) {
        for (uint32_t round = 0; round < 36 * KV_TYPES; round++) {
            enum { HEAD = 64 };
            const uint32_t last[4] = {70, 70, 70, 70}, first[4] = {0, 0, 3, 66};
            const enum slm_kv_type type = kv_types[round / 36];
            struct scene scene = make_scene(&dice, tier_table(*isa), HEAD, type, 2, 4, 70);
            float *x = guarded(HEAD * sizeof *x, 4);
            dice_fill(&dice, x, HEAD, 1.0f);
            x[7] = scene.q[1][5] = bad[round / 3 % 3];
            if (round % 3 == 0) {
                tier_table(*isa)->store_k[type](x, HEAD, 5, scene.k[0]);
            } else if (round % 3 == 1) {
                tier_table(*isa)->store_v[type](x, HEAD, 2, scene.v[1]);
            }
            scene.q[1][5] = round % 3 == 2 ? scene.q[1][5] : 0.5f;
            expect_states(tier_table(*isa), &scene, round % 2 ? 0.0f : 20.0f, first, last);
            if (round % 3 == 2 && round / 3 % 3 == 0) {
                assert_true(isnan(scene.state[1][1]) && isnan(scene.state[1][SLM_ATTEND_HEADER]) && !isnan(scene.state[0][1]));
            }
            guarded_release_all();
        }
    }
}

static void stores_equal_scalar(void **state)
{
    (void)state;
    struct dice dice = {15};
    const struct slm_kernels *scalar = tier_table(SLM_TIER_SCALAR);
    for (const enum slm_isa *isa = tiers_to_check(); *isa; isa++) {
        for (uint32_t round = 0; round < HEADS * SLM_TILE * KV_TYPES; round++) {
            const enum slm_kv_type type = kv_types[round % KV_TYPES];
            const uint32_t head_dim = head_dims[round / KV_TYPES % HEADS], slot = round / (KV_TYPES * HEADS) % SLM_TILE;
            const size_t k_bytes = slm__k_tile_bytes(type, head_dim), v_bytes = slm__v_tile_bytes(type, head_dim);
            uint8_t *want = guarded(k_bytes + v_bytes, 64), *k = guarded(k_bytes, 64), *v = guarded(v_bytes, 64);
            float *x = guarded(head_dim * sizeof *x, 4);
            for (uint32_t d = 0; d < head_dim; d++) {
                x[d] = dice_float(&dice) * (d % 9 == 0 ? 70000.0f : d % 5 == 0 ? 0x1p-18f : 1.0f);
                x[d] = round % 11 == 0 ? dice_float(&dice) * 0x1p-99f : x[d]; /* around the smallest that i8 does not make 0 */
                x[d] = round % 37 == 0 && d == head_dim - 1 ? HUGE_VALF : round % 41 == 0 && d == 0 ? NAN : x[d];
            }
            memset(want, 0x5a, k_bytes);
            memset(k, 0x5a, k_bytes);
            scalar->store_k[type](x, head_dim, slot, want);
            tier_table(*isa)->store_k[type](x, head_dim, slot, k);
            assert_memory_equal(k, want, k_bytes);
            memset(want, 0x5a, v_bytes);
            memset(v, 0x5a, v_bytes);
            scalar->store_v[type](x, head_dim, slot, want);
            tier_table(*isa)->store_v[type](x, head_dim, slot, v);
            assert_memory_equal(v, want, v_bytes);
            const size_t code_bytes = slm__query_codes_bytes(head_dim) - 8; /* what is behind the sum is nobody's */
            uint8_t *codes = guarded(code_bytes + 8, 16);
            memset(codes, 0x5a, code_bytes);
            scalar->quantize_query(x, head_dim, want);
            tier_table(*isa)->quantize_query(x, head_dim, codes);
            assert_memory_equal(codes, want, code_bytes);
            guarded_release_all();
        }
    }
}

/* Element i of a tile, which belongs to a token with `scale`. */
static double tile_value(const void *tile, size_t i, enum slm_kv_type type, const uint8_t *scale)
{
    float factor;
    memcpy(&factor, scale, sizeof factor);
    if (type == SLM_CACHE_I8) {
        return (double)factor * ((const int8_t *)tile)[i];
    }
    return (double)(type == SLM_CACHE_F16 ? slm__f16_to_f32(((const uint16_t *)tile)[i]) : ((const float *)tile)[i]);
}

/* Element i of the query as the cache's type uses it. */
static double query_value(const struct scene *scene, uint32_t i)
{
    float amax = 0.0f;
    for (uint32_t d = 0; scene->type == SLM_CACHE_I8 && d < scene->head_dim; d++) {
        amax = fmaxf(amax, fabsf(scene->q[0][d]));
    }
    const double x = (double)scene->q[0][i], step = (double)amax / 127;
    return scene->type == SLM_CACHE_I8 ? step * rint(x / step) : x;
}

/* softmax(q k) v of query 0 over positions [0, length), all in f64. */
static void attention_f64(const struct scene *scene, double softcap, uint32_t length, double *out)
{
    static double p[TILES * 4 * SLM_TILE];
    const uint32_t n = scene->head_dim;
    double most = -HUGE_VAL, sum = 0;
    for (uint32_t t = 0; t < length; t++) {
        p[t] = 0;
        const uint8_t *tile = scene->k[t / SLM_TILE], *scale = tile + slm__k_scales_offset(n) + (size_t)4 * (t % SLM_TILE);
        const size_t panel = t % SLM_TILE / 16, lane = t % 16, quads = slm__head_quads(n);
        for (uint32_t d = 0; d < n; d++) {
            const size_t float_at = (panel * n + d) * 16 + lane, i8_at = ((panel * quads + d / 4) * 16 + lane) * 4 + d % 4;
            const bool i8 = scene->type == SLM_CACHE_I8;
            p[t] += query_value(scene, d) * tile_value(tile, i8 ? i8_at : float_at, scene->type, i8 ? scale : tile);
        }
        p[t] = softcap > 0 ? softcap * tanh(p[t] / softcap) : p[t];
        most = fmax(most, p[t]);
    }
    memset(out, 0, n * sizeof *out);
    for (uint32_t t = 0; t < length; t++) {
        const uint8_t *tile = scene->v[t / SLM_TILE], *scale = tile + slm__v_scales_offset(n) + (size_t)4 * (t % SLM_TILE);
        p[t] = exp(p[t] - most);
        sum += p[t];
        for (uint32_t d = 0; d < n; d++) {
            const size_t at = (size_t)(t % SLM_TILE) * slm__head_stride(n) + d;
            out[d] += p[t] * tile_value(tile, at, scene->type, scene->type == SLM_CACHE_I8 ? scale : tile);
        }
    }
    for (uint32_t d = 0; d < n; d++) {
        out[d] /= sum;
    }
}

static void scalar_near_f64_softmax(void **state)
{
    (void)state;
    struct dice dice = {16};
    const struct slm_kernels *scalar = tier_table(SLM_TIER_SCALAR);
    double worst = 0;
    for (uint32_t round = 0; round < HEADS * KV_TYPES; round++) {
        const uint32_t head_dim = head_dims[round % HEADS], first = 0, last = 1 + round * 25;
        const enum slm_kv_type type = kv_types[round / HEADS];
        const float softcap = round % 2 ? 15.0f : 0.0f;
        struct scene scene = make_scene(&dice, scalar, head_dim, type, TILES * 4, 1, last);
        static float out[LONGEST_HEAD];
        static double want[LONGEST_HEAD];
        attend_all(scalar, &scene, softcap, &first, &last);
        scalar->attend_finish(scene.state[0], head_dim, out);
        attention_f64(&scene, (double)softcap, last, want);
        worst = fmax(worst, normalized_error(out, want, head_dim));
        guarded_release_all();
    }
    print_message("attention against f64: NMSE %.2e\n", worst);
    assert_true(worst < 1e-10);
}

/* Two states over tiles [0, 6) and [6, 12), merged, are the state over all 12 but for rounding; an empty state changes nothing. */
static void merge_joins_segments(void **state)
{
    (void)state;
    enum { HEAD = 80, HALF = 6 * SLM_TILE, ALL = 12 * SLM_TILE };
    struct dice dice = {17};
    const struct slm_kernels *scalar = tier_table(SLM_TIER_SCALAR);
    struct scene scene = make_scene(&dice, scalar, HEAD, SLM_CACHE_F16, 12, 3, ALL);
    memcpy(scene.q[1], scene.q[0], HEAD * sizeof(float));
    memcpy(scene.q[2], scene.q[0], HEAD * sizeof(float));
    const uint32_t first[3] = {0, 0, HALF}, last[3] = {ALL, HALF, ALL}, length = SLM_ATTEND_HEADER + slm__head_stride(HEAD);
    attend_all(scalar, &scene, 0.0f, first, last);
    float *merged = guarded(length * sizeof *merged, 64), *other = guarded(length * sizeof *other, 64),
          *out = guarded(HEAD * sizeof *out, 4);
    float *whole = guarded(HEAD * sizeof *whole, 4);
    memcpy(merged, scene.state[1], length * sizeof *merged);
    scalar->attend_merge(merged, scene.state[2], HEAD);
    scalar->attend_finish(merged, HEAD, out);
    scalar->attend_finish(scene.state[0], HEAD, whole);
    for (uint32_t d = 0; d < HEAD; d++) {
        assert_true(fabsf(out[d] - whole[d]) < 1e-6f);
    }
    for (const enum slm_isa *isa = tiers_to_check(); *isa; isa++) {
        memcpy(other, scene.state[1], length * sizeof *other);
        tier_table(*isa)->attend_merge(other, scene.state[2], HEAD);
        assert_int_equal(first_difference(other, merged, length), length);
        tier_table(*isa)->attend_finish(other, HEAD, whole);
        assert_int_equal(first_difference(whole, out, HEAD), HEAD);
        tier_table(*isa)->attend_finish(other, 9, guarded(9 * sizeof(float), 4));
    }
    clear_state(other, HEAD);
    scalar->attend_merge(other, merged, HEAD);
    assert_int_equal(first_difference(other, merged, length), length);
    clear_state(scene.state[1], HEAD);
    scalar->attend_merge(other, scene.state[1], HEAD);
    assert_int_equal(first_difference(other, merged, length), length);
    guarded_release_all();
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Tiles of a bench: K and V of all, in a shuffled order as pages of a long-running pool are. */
struct bench_tiles {
    uint8_t *memory;
    uint32_t *order;
    size_t tile_bytes, k_bytes;
    uint32_t tiles;
};

/* Seconds a tile, `queries` queries walking over tiles [begin, end) of the order. */
static double walk_tiles(const struct slm_kernels *kernels, enum slm_kv_type type, uint32_t head_dim, const struct bench_tiles *tiles,
                         uint32_t begin, uint32_t end, struct slm_attend_query *queries, uint32_t count)
{
    const double start = seconds_now();
    for (uint32_t i = begin; i < end; i++) {
        const uint8_t *tile = tiles->memory + tiles->order[i] * tiles->tile_bytes;
        const uint8_t *next = tiles->memory + tiles->order[i + 1 < end ? i + 1 : begin] * tiles->tile_bytes;
        const struct slm_attend_ahead ahead = {next, next + tiles->k_bytes};
        kernels->attend[type](tile, tile + tiles->k_bytes, head_dim, 0.0f, queries, count, &ahead);
    }
    return (seconds_now() - start) / (end - begin);
}

static void bench(const struct slm_kernels *kernels, enum slm_kv_type type, uint32_t head_dim, uint32_t count)
{
    enum { BYTES = 96 << 20, RUNS = 31 };
    struct dice dice = {18};
    struct bench_tiles tiles = {.k_bytes = slm__align64(slm__k_tile_bytes(type, head_dim))};
    struct slm_attend_query queries[MOST_QUERIES];
    double cached[RUNS], cold[RUNS], read[RUNS];
    tiles.tile_bytes = tiles.k_bytes + slm__align64(slm__v_tile_bytes(type, head_dim));
    tiles.tiles = (uint32_t)(BYTES / tiles.tile_bytes);
    tiles.memory = guarded(BYTES, 64);
    tiles.order = guarded(tiles.tiles * sizeof *tiles.order, 4);
    float *x = guarded(head_dim * sizeof *x, 4);
    for (uint32_t i = 0; i < tiles.tiles; i++) {
        uint8_t *tile = tiles.memory + i * tiles.tile_bytes;
        for (uint32_t t = 0; t < SLM_TILE && i == 0; t++) {
            dice_fill(&dice, x, head_dim, 1.0f);
            kernels->store_k[type](x, head_dim, t, tile);
            kernels->store_v[type](x, head_dim, t, tile + tiles.k_bytes);
        }
        memcpy(tile, tiles.memory, tiles.tile_bytes);
        const uint32_t j = dice_bits(&dice) % (i + 1);
        tiles.order[i] = tiles.order[j];
        tiles.order[j] = i;
    }
    for (uint32_t i = 0; i < count; i++) {
        float *q = guarded(head_dim * sizeof *q, 64);
        void *codes = guarded(slm__query_codes_bytes(head_dim), 64);
        dice_fill(&dice, q, head_dim, 0.2f);
        kernels->quantize_query(q, head_dim, codes);
        queries[i] = (struct slm_attend_query){type == SLM_CACHE_I8 ? codes : q,
                                               guarded((SLM_ATTEND_HEADER + slm__head_stride(head_dim)) * sizeof(float), 64), 0, SLM_TILE};
        clear_state(queries[i].state, head_dim);
    }
    for (uint32_t run = 0; run < RUNS; run++) {
        const uint32_t some = tiles.tiles / RUNS, first = run * some;
        double begin = seconds_now();
        *(volatile float *)x =
            (float)kernels->read(tiles.memory + first * tiles.tile_bytes / 256 * 256, some * tiles.tile_bytes / 256 * 256);
        read[run] = (seconds_now() - begin) / some;
        cold[(run + 7) % RUNS] = walk_tiles(kernels, type, head_dim, &tiles, first, first + some, queries, count);
        cached[run] = 1;
        for (uint32_t again = 0; again < 200; again++) {
            cached[run] = fmin(cached[run], walk_tiles(kernels, type, head_dim, &tiles, first, first + 2, queries, count));
        }
    }
    qsort(cached, RUNS, sizeof cached[0], by_value);
    qsort(cold, RUNS, sizeof cold[0], by_value);
    qsort(read, RUNS, sizeof read[0], by_value);
    const double seconds = cached[RUNS / 2];
    printf("%s attention %s head %u, %u queries: %.3f us a tile in cache, %.0f GFLOP/s; from memory %.3f us, %.0f %% of %.1f GB/s\n",
           slm__isa_name((int32_t)kernels->isa), kv_names[type], head_dim, count, seconds * 1e6,
           4.0 * SLM_TILE * head_dim * count / seconds / 1e9, cold[RUNS / 2] * 1e6, 100 * read[RUNS / 2] / cold[RUNS / 2],
           (double)tiles.tile_bytes / read[RUNS / 2] / 1e9);
    guarded_release_all();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiers_equal_scalar),      cmocka_unit_test(non_finite_inputs_agree), cmocka_unit_test(stores_equal_scalar),
        cmocka_unit_test(scalar_near_f64_softmax), cmocka_unit_test(merge_joins_segments),
    };
    for (const enum slm_isa *isa = tiers_to_check(); asked_for_bench(argc, argv) && *isa; isa++) {
        static const uint32_t counts[] = {1, 3, 4, 8, 32};
        for (uint32_t i = 0; i < 2 * KV_TYPES * 5; i++) {
            bench(tier_table(*isa), kv_types[i / 2 % KV_TYPES], i % 2 ? 128 : 64, counts[i / (2 * KV_TYPES)]);
        }
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Memory: size arithmetic, the default allocator, arena, carver. */
#include "base/arena.h"  /* struct slm_arena, struct slm_carver */
#include "base/memory.h" /* slm__size_mul ... */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/* Counts what is held; refuses the `fail_at`-th allocation (1: the first; 0: none). */
struct ledger {
    uint64_t held;
    uint64_t blocks;
    int calls;
    int fail_at;
};

static void *ledger_allocate(void *user, uint64_t bytes, uint64_t alignment)
{
    struct ledger *ledger = user;
    if (++ledger->calls == ledger->fail_at) {
        return NULL;
    }
    void *memory = aligned_alloc((size_t)alignment, (size_t)slm__round_up(bytes, alignment));
    memset(memory, 0xAA, (size_t)bytes);
    ledger->held += bytes;
    ledger->blocks++;
    return memory;
}

static void ledger_release(void *user, void *memory, uint64_t bytes)
{
    struct ledger *ledger = user;
    ledger->held -= bytes;
    ledger->blocks--;
    free(memory);
}

static void size_arithmetic(void **state)
{
    (void)state;
    size_t size = 7;
    uint64_t wide = 7;
    assert_true(slm__size_mul(0, SIZE_MAX, &size));
    assert_int_equal(size, 0);
    assert_true(slm__size_mul(SIZE_MAX, 1, &size));
    assert_false(slm__size_mul(SIZE_MAX / 2 + 1, 2, &size));
    assert_true(slm__size_add(SIZE_MAX - 1, 1, &size));
    assert_false(slm__size_add(SIZE_MAX, 1, &size));
    assert_false(slm__u64_mul(UINT64_C(1) << 32, UINT64_C(1) << 32, &wide));
    assert_true(slm__u64_mul(UINT64_C(1) << 32, UINT64_C(1) << 31, &wide));
    assert_true(wide == UINT64_C(1) << 63);
    assert_false(slm__u64_add(UINT64_MAX, 1, &wide));
    assert_true(wide == UINT64_C(1) << 63);
    assert_int_equal(slm__round_up(65, 64), 128);
    assert_int_equal(slm__round_up(64, 64), 64);
}

static void default_allocator_aligns(void **state)
{
    (void)state;
    struct slm_memory memory = slm__memory_default();
    for (size_t alignment = 1; alignment <= 4096; alignment *= 2) {
        void *block = slm__allocate(&memory, 100, alignment);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % alignment, 0);
        memset(block, 1, 100);
        slm__release(&memory, block, 100);
    }
    assert_null(slm__allocate(&memory, 0, 64));
    assert_null(slm__allocate(&memory, SIZE_MAX - 10, 64));
    slm__release(&memory, NULL, 0);
}

static void arena_gives_zeroed_aligned_blocks(void **state)
{
    (void)state;
    struct ledger ledger = {0};
    struct slm_memory memory = {ledger_allocate, ledger_release, &ledger};
    struct slm_arena arena;
    slm__arena_init(&arena, &memory, 64 << 20);
    assert_int_equal(ledger.calls, 0);
    uint8_t *previous = NULL;
    for (size_t i = 0; i < 3000; i++) {
        size_t bytes = i % 97 == 0 ? i * 13 : i % 50;
        uint8_t *block = slm__arena_take(&arena, bytes);
        assert_non_null(block);
        assert_ptr_not_equal(block, previous);
        assert_int_equal((uintptr_t)block % 16, 0);
        for (size_t k = 0; k < bytes; k++) {
            assert_int_equal(block[k], 0);
        }
        memset(block, 0xFF, bytes);
        previous = block;
    }
    assert_true(arena.total == ledger.held);
    char *text = slm__arena_text(&arena, slm__span_text("panel"));
    assert_string_equal(text, "panel");
    assert_string_equal(slm__arena_text(&arena, slm__span(NULL, 0)), "");
    slm__arena_free(&arena);
    assert_int_equal(ledger.held, 0);
    assert_int_equal(ledger.blocks, 0);
    assert_non_null(slm__arena_take(&arena, 10)); /* usable again */
    slm__arena_free(&arena);
    assert_int_equal(ledger.held, 0);
}

static void arena_wastes_little(void **state)
{
    (void)state;
    struct ledger ledger = {0};
    struct slm_memory memory = {ledger_allocate, ledger_release, &ledger};
    struct slm_arena arena;
    slm__arena_init(&arena, &memory, SIZE_MAX);
    for (size_t i = 0; i < 100000; i++) {
        assert_non_null(slm__arena_take(&arena, i % 1000 == 0 ? 100000 : 48));
    }
    size_t used = 99900 * 48 + (size_t)100 * 100000;
    assert_true(arena.total < used + used / 4);
    assert_true(ledger.calls < 1000);
    slm__arena_free(&arena);
}

static void arena_limit_and_exhaustion(void **state)
{
    (void)state;
    struct ledger ledger = {.fail_at = 2};
    struct slm_memory memory = {ledger_allocate, ledger_release, &ledger};
    struct slm_arena arena;
    slm_error error = {sizeof error, 0, ""};
    slm__arena_init(&arena, &memory, 10000);
    assert_non_null(slm__arena_take(&arena, 100));
    assert_null(slm__arena_take(&arena, 5000)); /* the allocator refuses */
    assert_int_equal(slm__arena_failure(&arena, &error), SLM_E_NO_MEMORY);
    assert_non_null(slm__arena_take(&arena, 5000));
    assert_null(slm__arena_take(&arena, 5000)); /* the limit */
    assert_int_equal(slm__arena_failure(&arena, &error), SLM_E_LIMIT);
    assert_non_null(strstr(error.message, "10000"));
    assert_null(slm__arena_take(&arena, SIZE_MAX));
    assert_int_equal(slm__arena_failure(&arena, NULL), SLM_E_LIMIT);
    assert_true(arena.total <= 10000);
    slm__arena_free(&arena);
    slm__arena_init(&arena, &memory, 0);
    assert_null(slm__arena_take(&arena, 0));
    assert_int_equal(ledger.held, 0);
}

static void carver_counts_and_carves_alike(void **state)
{
    (void)state;
    static const uint64_t parts[] = {1, 64, 0, 65, 4096, 3};
    enum { COUNT = sizeof parts / sizeof parts[0] };
    struct slm_carver counter = {NULL, 0};
    for (size_t i = 0; i < COUNT; i++) {
        assert_null(slm__carve(&counter, parts[i]));
    }
    _Alignas(64) static uint8_t block[8192];
    assert_true(counter.used <= sizeof block);
    struct slm_carver carver = {block, 0};
    uint8_t *end = block;
    for (size_t i = 0; i < COUNT; i++) {
        uint8_t *part = slm__carve(&carver, parts[i]);
        assert_true(part >= end);
        assert_int_equal((uintptr_t)part % 64, 0);
        end = part + parts[i];
    }
    assert_true(carver.used == counter.used);
    assert_true((size_t)(end - block) == carver.used);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_arithmetic),
        cmocka_unit_test(default_allocator_aligns),
        cmocka_unit_test(arena_gives_zeroed_aligned_blocks),
        cmocka_unit_test(arena_wastes_little),
        cmocka_unit_test(arena_limit_and_exhaustion),
        cmocka_unit_test(carver_counts_and_carves_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Loops in shares: every item exactly once, whoever takes it; in the order of the items as long as nobody steals; `last` tells the end. */
#include "base/shares.h" /* slm__team_share, slm__share_begin */

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <cmocka.h>

enum { ITEMS = 3000, MOST_THREADS = 100, MOST_CALLS = ITEMS };

struct call {
    uint32_t begin, end, thread;
    bool last;
};

struct count {
    const struct slm_team *team;
    uint32_t grain;
    uint32_t hits[ITEMS]; /* plain: each item belongs to one call, and the end of the loop publishes it */
    atomic_uint busy[MOST_THREADS];
    atomic_uint wrong;
    atomic_uint call_count;
    struct call calls[MOST_CALLS];
};

static void hit(void *context, uint32_t begin, uint32_t end, bool last, uint32_t thread)
{
    struct count *count = context;
    if (thread >= slm__team_threads(count->team) || end <= begin || end - begin > count->grain) {
        atomic_fetch_add(&count->wrong, 1);
        return;
    }
    if (atomic_fetch_add(&count->busy[thread], 1) != 0) {
        atomic_fetch_add(&count->wrong, 1);
    }
    for (uint32_t i = begin; i < end; i++) {
        count->hits[i]++;
    }
    count->calls[atomic_fetch_add(&count->call_count, 1)] = (struct call){begin, end, thread, last};
    atomic_fetch_sub(&count->busy[thread], 1);
}

static struct slm_team *team_of(struct slm_team_storage *storage, uint32_t threads, slm_parallel_for_fn *host)
{
    const struct slm_team_options options = {threads, host, NULL};
    return slm__team_init(storage, &options);
}

/* One loop, with every item once. */
static void share_once(struct slm_team *team, uint32_t items, uint32_t grain, struct count *count)
{
    memset(count, 0, sizeof *count);
    count->team = team;
    count->grain = grain;
    slm__team_share(team, items, grain, hit, count);
    for (uint32_t i = 0; i < ITEMS; i++) {
        if (count->hits[i] != (i < items ? 1u : 0u)) {
            fail_msg("%u items, grain %u: item %u ran %u times", items, grain, i, count->hits[i]);
        }
    }
    assert_int_equal(atomic_load(&count->wrong), 0);
}

struct loops {
    struct slm_team *team;
    struct count *count;
};

static void many_loops(void *context)
{
    const struct loops *loops = context;
    static const uint32_t sizes[] = {0, 1, 2, 3, 63, 64, 65, 1000, ITEMS};
    for (uint32_t round = 0; round < 30; round++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            share_once(loops->team, sizes[i], 1 + round % 7, loops->count);
        }
    }
}

static void every_item_once(void **state)
{
    (void)state;
    static const uint32_t threads[] = {1, 2, 3, 8, 90}; /* 90: more than there are shares */
    static struct count count;
    for (size_t i = 0; i < sizeof threads / sizeof threads[0]; i++) {
        static struct slm_team_storage storage;
        struct loops loops = {team_of(&storage, threads[i], NULL), &count};
        slm__team_run(loops.team, many_loops, &loops);
        many_loops(&loops);
    }
}

static void share_alone(void *context)
{
    struct loops *loops = context;
    assert_int_equal(slm__team_width(loops->team), 1);
    share_once(loops->team, 100, 10, loops->count);
}

/* Who has no help has one share, of whatever team. */
static void no_help_one_share(void **state)
{
    (void)state;
    static struct slm_team_storage storage;
    static struct count count;
    struct loops loops = {team_of(&storage, 4, NULL), &count};
    slm__team_run_alone(loops.team, share_alone, &loops);
    assert_int_equal(atomic_load(&count.call_count), 10);
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(count.calls[i].begin, 10 * i);
    }
}

static void in_order(void *user, uint32_t count, slm_task_fn *task, void *context)
{
    (void)user;
    for (uint32_t i = 0; i < count; i++) {
        task(context, i);
    }
}

static void backwards(void *user, uint32_t count, slm_task_fn *task, void *context)
{
    (void)user;
    for (uint32_t i = count; i-- > 0;) {
        task(context, i);
    }
}

/* One thread has one share: items in their order, and the last call says so. */
static void alone_in_order(void **state)
{
    (void)state;
    static struct slm_team_storage storage;
    static struct count count;
    struct slm_team *team = team_of(&storage, 1, NULL);
    share_once(team, 103, 10, &count);
    assert_int_equal(atomic_load(&count.call_count), 11);
    for (uint32_t i = 0; i < 11; i++) {
        assert_int_equal(count.calls[i].begin, 10 * i);
        assert_int_equal(count.calls[i].last, i == 10);
    }
    assert_int_equal(slm__share_begin(103, slm__team_width(team), 0), 0);
}

/* A host that runs the tasks one after the other: the first finds all shares full, does its own, then halves of the others'. */
static void who_is_done_takes_halves(void **state)
{
    (void)state;
    slm_parallel_for_fn *const hosts[] = {in_order, backwards};
    for (uint32_t i = 0; i < 2; i++) {
        static struct slm_team_storage storage;
        static struct count count;
        struct slm_team *team = team_of(&storage, 2, hosts[i]);
        const uint32_t own = 50 * i; /* where the share of the first task begins */
        share_once(team, 100, 25, &count);
        assert_int_equal(slm__share_begin(100, slm__team_width(team), i), own);
        assert_int_equal(slm__share_begin(100, slm__team_width(team), 2), 0); /* has none */
        assert_int_equal(count.calls[0].thread, i);
        assert_int_equal(count.calls[0].begin, own);
        assert_false(count.calls[0].last);
        assert_int_equal(count.calls[1].begin, own + 25);
        assert_true(count.calls[1].last);
        assert_int_equal(count.calls[2].begin, 50 - own + 25); /* the second half of the other share */
        assert_int_equal(count.calls[2].thread, i);
        assert_false(count.calls[2].last);
        assert_int_equal(count.calls[3].begin, 50 - own + 12); /* of its first half, the second */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_once),
        cmocka_unit_test(alone_in_order),
        cmocka_unit_test(no_help_one_share),
        cmocka_unit_test(who_is_done_takes_halves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

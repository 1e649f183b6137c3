/* SPDX-License-Identifier: MIT */
/* Teams: every item exactly once, thread numbers unique, second callers, hosts of any kind, floating-point control, CPU quota. */
#define _GNU_SOURCE             /* mkdtemp */
#include "base/clock.h"         /* slm__clock_ns */
#include "base/float_control.h" /* slm__float_control_enter */
#include "base/parallel.h"      /* slm__team_run, slm__team_for */
#include "base/thread_system.h" /* slm__cgroup_cpus, slm__thread_probe */

#include <setjmp.h>
#include <stdarg.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

enum { ITEMS = 5000, MOST_THREADS = 64 };

struct count {
    struct slm_team *team;
    uint32_t grain;
    uint32_t hits[ITEMS]; /* plain: each item belongs to one call, and the team's end publishes it */
    atomic_uint busy[MOST_THREADS];
    atomic_uint wrong;
    uint32_t rounds;
    uint64_t sum;
};

static void hit(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    struct count *count = context;
    if (thread >= slm__team_threads(count->team) || end <= begin || end - begin > count->grain || begin % count->grain != 0 ||
        atomic_fetch_add(&count->busy[thread], 1) != 0) {
        atomic_fetch_add(&count->wrong, 1);
    }
    for (uint32_t i = begin; i < end; i++) {
        count->hits[i]++;
    }
    atomic_fetch_sub(&count->busy[thread], 1);
}

static void many_loops(void *context)
{
    struct count *count = context;
    static const uint32_t sizes[] = {1, 2, 63, 64, 65, 1000, ITEMS};
    for (uint32_t round = 0; round < count->rounds; round++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            count->grain = 1 + round % 70;
            slm__team_for(count->team, sizes[i], count->grain, hit, count);
            count->sum += count->hits[0] + count->hits[sizes[i] - 1]; /* written by anyone, read here between loops */
        }
    }
}

static void expect_counts(const struct count *count, uint32_t rounds)
{
    static const uint32_t expected_sizes[] = {1, 2, 63, 64, 65, 1000, ITEMS};
    for (uint32_t i = 0; i < ITEMS; i++) {
        uint32_t expected = 0;
        for (size_t k = 0; k < sizeof expected_sizes / sizeof expected_sizes[0]; k++) {
            expected += i < expected_sizes[k] ? rounds : 0;
        }
        if (count->hits[i] != expected) {
            fail_msg("item %u ran %u times, not %u", i, count->hits[i], expected);
        }
    }
    assert_int_equal(atomic_load(&count->wrong), 0);
}

static struct slm_team *team_of(struct slm_team_storage *storage, uint32_t threads, slm_parallel_for_fn *host)
{
    const struct slm_team_options options = {threads, host, NULL};
    return slm__team_init(storage, &options);
}

static void every_item_once(void **state)
{
    (void)state;
    for (uint32_t threads = 0; threads <= 9; threads += 3) {
        static struct slm_team_storage storage;
        static struct count count;
        memset(&count, 0, sizeof count);
        count.team = team_of(&storage, threads, NULL);
        count.rounds = 20;
        assert_in_range(slm__team_threads(count.team), 1, threads == 0 ? 1024 : threads);
        for (int run = 0; run < 10; run++) {
            slm__team_run(count.team, many_loops, &count);
        }
        many_loops(&count); /* outside a run each loop has a region of its own */
        slm__team_for(count.team, 0, 1, hit, &count);
        expect_counts(&count, 11 * 20);
    }
}

struct alone {
    struct slm_team *team;
    atomic_uint calls;
    atomic_uint elsewhere;
    uintptr_t self;
};

static void look_at_thread(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    struct alone *alone = context;
    (void)begin;
    (void)end;
    atomic_fetch_add(&alone->calls, 1);
    if (thread != 0 || slm__thread_self() != alone->self) {
        atomic_fetch_add(&alone->elsewhere, 1);
    }
}

static void loop_alone(void *context)
{
    struct alone *alone = context;
    slm__team_for(alone->team, 1000, 1, look_at_thread, alone);
}

static void host_with_threads(void *user, uint32_t count, slm_task_fn *task, void *context);

static void small_work_stays_on_its_thread(void **state)
{
    (void)state;
    slm_parallel_for_fn *const hosts[] = {NULL, host_with_threads};
    for (size_t i = 0; i < 2; i++) {
        static struct slm_team_storage storage;
        struct alone alone = {.team = team_of(&storage, 4, hosts[i]), .self = slm__thread_self()};
        slm__team_run_alone(alone.team, loop_alone, &alone);
        assert_int_equal(atomic_load(&alone.calls), 1000);
        assert_int_equal(atomic_load(&alone.elsewhere), 0);
        slm__team_run(alone.team, loop_alone, &alone); /* the team is free again */
        assert_int_equal(atomic_load(&alone.calls), 2000);
    }
}

static struct slm_team_storage shared_storage;

static void *run_many(void *context)
{
    for (int run = 0; run < 20; run++) {
        slm__team_run(((struct count *)context)->team, many_loops, context);
    }
    many_loops(context);
    return NULL;
}

static void two_callers_share_a_team(void **state)
{
    (void)state;
    static struct count counts[3];
    struct slm_team *team = team_of(&shared_storage, 2, NULL);
    pthread_t threads[2];
    memset(counts, 0, sizeof counts);
    for (int i = 0; i < 3; i++) {
        counts[i].team = team;
        counts[i].rounds = 5;
    }
    assert_int_equal(pthread_create(&threads[0], NULL, run_many, &counts[0]), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, run_many, &counts[1]), 0);
    run_many(&counts[2]);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    for (int i = 0; i < 3; i++) {
        expect_counts(&counts[i], 21 * 5);
    }
}

static atomic_uint host_calls;

static void host_in_order(void *user, uint32_t count, slm_task_fn *task, void *context)
{
    (void)user;
    atomic_fetch_add(&host_calls, 1);
    for (uint32_t i = 0; i < count; i++) {
        task(context, i);
    }
}

static void host_backwards(void *user, uint32_t count, slm_task_fn *task, void *context)
{
    (void)user;
    for (uint32_t i = count; i-- > 0;) {
        task(context, i);
    }
}

struct host_task {
    slm_task_fn *task;
    void *context;
    uint32_t index;
};

static void *run_task(void *argument)
{
    const struct host_task *task = argument;
    task->task(task->context, task->index);
    return NULL;
}

static void host_with_threads(void *user, uint32_t count, slm_task_fn *task, void *context)
{
    (void)user;
    pthread_t threads[MOST_THREADS];
    struct host_task tasks[MOST_THREADS];
    for (uint32_t i = 0; i < count; i++) {
        tasks[i] = (struct host_task){task, context, i};
        pthread_create(&threads[i], NULL, run_task, &tasks[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void hosts_of_all_kinds(void **state)
{
    (void)state;
    slm_parallel_for_fn *const hosts[] = {host_in_order, host_backwards, host_with_threads};
    for (size_t i = 0; i < 3; i++) {
        static struct slm_team_storage storage;
        static struct count count;
        memset(&count, 0, sizeof count);
        count.team = team_of(&storage, 4, hosts[i]);
        count.rounds = 3;
        assert_string_equal(slm__team_backend(count.team), "host");
        assert_int_equal(slm__team_threads(count.team), 4);
        slm__team_run(count.team, many_loops, &count);
        many_loops(&count);
        expect_counts(&count, 2 * 3);
    }
    assert_true(atomic_load(&host_calls) > 0);
}

#if defined(__SSE__) || defined(__aarch64__)
static atomic_uint odd_control;

#  if defined(__SSE__)
enum { HOSTS_CONTROL = 0x1F80 | 0x8040 | 0x2000, RIGHT_CONTROL = 0x1F80 }; /* FTZ, DAZ, rounding down */
static uint64_t control_word(void) { return _mm_getcsr() & ~0x3Fu; }       /* without the sticky flags */
#  else
enum { HOSTS_CONTROL = 1 << 24 | 2 << 22, RIGHT_CONTROL = 0 }; /* FZ, rounding down */
static uint64_t control_word(void)
{
    uint64_t word;
    __asm__ volatile("mrs %0, fpcr" : "=r"(word));
    return word;
}
#  endif

static void look_at_control(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    (void)context;
    (void)begin;
    (void)end;
    (void)thread;
    if (control_word() != RIGHT_CONTROL) {
        atomic_fetch_add(&odd_control, 1);
    }
}

static void look_everywhere(void *context)
{
    look_at_control(NULL, 0, 0, 0);
    slm__team_for(context, 1000, 1, look_at_control, NULL);
}

static void float_control_is_set_and_restored(void **state)
{
    (void)state;
    slm_parallel_for_fn *const hosts[] = {NULL, host_in_order};
    for (uint32_t threads = 1; threads <= 2; threads++) {
        for (size_t i = 0; i < 2; i++) {
            static struct slm_team_storage storage;
            struct slm_team *team = team_of(&storage, threads, hosts[i]);
            slm__float_control_leave(HOSTS_CONTROL);
            slm__team_run(team, look_everywhere, team);
            uint64_t after_run = control_word();
            slm__team_for(team, 1000, 1, look_at_control, NULL);
            slm__team_for(team, 1, 1, look_at_control, NULL);
            uint64_t after_loop = control_word();
            slm__float_control_leave(RIGHT_CONTROL);
            assert_int_equal(after_run, HOSTS_CONTROL);
            assert_int_equal(after_loop, HOSTS_CONTROL);
        }
    }
    assert_int_equal(atomic_load(&odd_control), 0);
}
#else
static void float_control_is_set_and_restored(void **state)
{
    (void)state;
    skip();
}
#endif

static void probing_threads(void **state)
{
    (void)state;
    assert_int_equal(slm__thread_probe(0), 0);
    assert_int_equal(slm__thread_probe(3), 3);
    assert_true(slm__thread_self() != 0);
    assert_true(slm__usable_cpus() >= 1);
    assert_true(slm__usable_cpus() <= slm__affinity_cpus());
}

static char tree[] = "/tmp/slm-test-cgroup-XXXXXX";

static void put(const char *name, const char *text)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", tree, name);
    for (char *slash = path + sizeof tree; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static uint32_t quota(const char *self)
{
    char path[300];
    put("self", self);
    snprintf(path, sizeof path, "%s/self", tree);
    return slm__cgroup_cpus(path, tree);
}

static void cpu_quota(void **state)
{
    (void)state;
#ifndef __linux__
    skip();
#endif
    assert_non_null(mkdtemp(tree));
    assert_true(slm__cgroup_cpus("/nowhere/self", tree) == UINT32_MAX);
    assert_true(quota("0::/a/b\n") == UINT32_MAX);
    put("a/b/cpu.max", "max 100000\n");
    assert_true(quota("0::/a/b\n") == UINT32_MAX);
    put("a/b/cpu.max", "250000 100000\n");
    assert_int_equal(quota("0::/a/b\n"), 3);
    put("a/cpu.max", "50000 100000\n"); /* the parent binds too */
    assert_int_equal(quota("0::/a/b\n"), 1);
    assert_true(quota("0::/other\n") == UINT32_MAX);
    put("cpu,cpuacct/x/cpu.cfs_quota_us", "-1\n");
    put("cpu,cpuacct/x/cpu.cfs_period_us", "100000\n");
    assert_true(quota("4:cpu,cpuacct:/x\n3:memory:/a/b\n") == UINT32_MAX);
    put("cpu,cpuacct/x/cpu.cfs_quota_us", "400000\n");
    assert_int_equal(quota("3:memory:/a/b\n4:cpu,cpuacct:/x\n0::/a2\n"), 4);
    put("cpu,cpuacct/cpu.cfs_quota_us", "150000\n"); /* inside a container only the mount's root is visible */
    put("cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    assert_int_equal(quota("4:cpu,cpuacct:/docker/0123\n"), 2);
    put("cpu,cpuacct/cpu.cfs_period_us", "0\n");
    assert_true(quota("4:cpu,cpuacct:/docker/0123\n") == UINT32_MAX);
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", tree);
    assert_int_equal(system(command), 0);
}

static void nothing(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    (void)context;
    (void)begin;
    (void)end;
    (void)thread;
}

static void thousand_loops(void *context)
{
    for (int i = 0; i < 1000; i++) {
        slm__team_for(context, 2, 1, nothing, NULL);
    }
}

static void cost_of_a_loop(void **state)
{
    (void)state;
    static struct slm_team_storage storage;
    struct slm_team *team = team_of(&storage, 2, NULL);
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < 20; i++) {
        uint64_t start = slm__clock_ns();
        slm__team_run(team, thousand_loops, team);
        uint64_t taken = slm__clock_ns() - start;
        best = taken < best ? taken : best;
    }
    print_message("an empty loop on %u threads takes %.0f ns\n", slm__team_threads(team), (double)best / 1000);
    assert_true(best > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_once),
        cmocka_unit_test(small_work_stays_on_its_thread),
        cmocka_unit_test(two_callers_share_a_team),
        cmocka_unit_test(hosts_of_all_kinds),
        cmocka_unit_test(float_control_is_set_and_restored),
        cmocka_unit_test(probing_threads),
        cmocka_unit_test(cpu_quota),
        cmocka_unit_test(cost_of_a_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

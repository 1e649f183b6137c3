/* SPDX-License-Identifier: MIT */
/*
 * Shares are ranges [begin, end), two halves of one atomic word. The owner takes from the front, thieves from the back, both by compare and
 * exchange; a range that is exchanged is still there, whoever had it meanwhile. Only the owner of an empty share fills it: with what it
 * took. Relaxed order is enough: what the items are about is older than the loop, and the end of the loop is the team's.
 */
#include "base/shares.h"
#include <stdatomic.h>

enum { MOST_SHARES = 64 }; /* further threads begin as thieves, and what they took is not taken from them */

struct share {
    _Alignas(64) atomic_ullong range; /* begin << 32 | end */
};

struct shares_job {
    struct share shares[MOST_SHARES];
    uint32_t count;
    uint32_t grain;
    slm_share_work_fn *work;
    void *context;
};

static unsigned long long range_of(uint32_t begin, uint32_t end) { return (unsigned long long)begin << 32 | end; }
static uint32_t begin_of(unsigned long long range) { return (uint32_t)(range >> 32); }
static uint32_t end_of(unsigned long long range) { return (uint32_t)range; }

/* Up to `most` items from the front of a share; *last: all that were left. */
static bool take_front(struct share *share, uint32_t most, uint32_t *begin, uint32_t *end, bool *last)
{
    unsigned long long range = atomic_load_explicit(&share->range, memory_order_relaxed);
    do {
        *begin = begin_of(range);
        *end = end_of(range) - *begin > most ? *begin + most : end_of(range);
    } while (*begin < end_of(range) && !atomic_compare_exchange_weak_explicit(&share->range, &range, range_of(*end, end_of(range)),
                                                                              memory_order_relaxed, memory_order_relaxed));
    *last = *end == end_of(range);
    return *begin < *end;
}

/* The second half of what is left of a share. */
static bool take_half(struct share *share, uint32_t *begin, uint32_t *end)
{
    unsigned long long range = atomic_load_explicit(&share->range, memory_order_relaxed);
    do {
        *end = end_of(range);
        *begin = begin_of(range) + (*end - begin_of(range)) / 2;
    } while (*begin < *end && !atomic_compare_exchange_weak_explicit(&share->range, &range, range_of(begin_of(range), *begin),
                                                                     memory_order_relaxed, memory_order_relaxed));
    return *begin < *end;
}

static void work_through(struct shares_job *job, struct share *share, bool own, uint32_t thread)
{
    uint32_t begin = 0, end = 0;
    bool last = false;
    while (take_front(share, job->grain, &begin, &end, &last)) {
        job->work(job->context, begin, end, own && last, thread);
    }
}

static void work_share(void *context, uint32_t first, uint32_t last, uint32_t thread)
{
    struct shares_job *job = context;
    struct share spare = {range_of(0, 0)}, *own = thread < job->count ? &job->shares[thread] : &spare;
    (void)first;
    (void)last;
    work_through(job, own, true, thread);
    for (uint32_t i = 1; i <= job->count; i++) {
        uint32_t begin = 0, end = 0;
        struct share *other = &job->shares[(thread + i) % job->count];
        while (other != own && take_half(other, &begin, &end)) {
            atomic_store_explicit(&own->range, range_of(begin, end), memory_order_relaxed);
            work_through(job, own, false, thread);
        }
    }
}

static uint32_t share_count(uint32_t items, uint32_t width)
{
    const uint32_t most = width < MOST_SHARES ? width : MOST_SHARES;
    return items < most ? items : most;
}

uint32_t slm__share_begin(uint32_t items, uint32_t width, uint32_t thread)
{
    const uint32_t count = share_count(items, width);
    return thread < count ? (uint32_t)((uint64_t)items * thread / count) : 0;
}

void slm__team_share(struct slm_team *team, uint32_t items, uint32_t grain, slm_share_work_fn *work, void *context)
{
    struct shares_job job;
    const uint32_t width = slm__team_width(team);
    job.count = share_count(items, width);
    job.grain = grain;
    job.work = work;
    job.context = context;
    for (uint32_t i = 0; i < job.count; i++) {
        const uint32_t end = i + 1 < job.count ? slm__share_begin(items, width, i + 1) : items;
        atomic_init(&job.shares[i].range, range_of(slm__share_begin(items, width, i), end));
    }
    slm__team_for(team, job.count, 1, work_share, &job);
}

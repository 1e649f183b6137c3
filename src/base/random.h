/* SPDX-License-Identifier: MIT */
/* Portable generator: splitmix64 seeding xoshiro256** (Blackman, Vigna 2018). Same seed, same numbers, every machine. */
#ifndef SLM_BASE_RANDOM_H
#define SLM_BASE_RANDOM_H

#include <stdint.h>

struct slm_random {
    uint64_t state[4];
};

void slm__random_seed(struct slm_random *random, uint64_t seed);
uint64_t slm__random_u64(struct slm_random *random);
/* Uniform in [0, 1), 53 bits. */
double slm__random_unit(struct slm_random *random);

#endif

/* SPDX-License-Identifier: MIT */
/* xoshiro256** 1.0 with splitmix64 seeding, as their authors publish them (prng.di.unimi.it, public domain). */
#include "base/random.h" /* struct slm_random */

static uint64_t rotate_left(uint64_t value, int count) { return value << count | value >> (64 - count); }

void slm__random_seed(struct slm_random *random, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += 0x9E3779B97F4A7C15u;
        uint64_t z = seed;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
        z = (z ^ z >> 27) * 0x94D049BB133111EBu;
        random->state[i] = z ^ z >> 31;
    }
}

uint64_t slm__random_u64(struct slm_random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

double slm__random_unit(struct slm_random *random) { return (double)(slm__random_u64(random) >> 11) * 0x1p-53; }

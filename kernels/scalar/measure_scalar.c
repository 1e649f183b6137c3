/* SPDX-License-Identifier: MIT */
/* What this tier could do at best: multiply-adds in registers, reading without computing. */
#include "kernels/scalar/scalar_kernels.h" /* slm__peak_scalar, slm__read_scalar */
#include <string.h>

/* Eight integer multiply-adds per iteration; i8 and i4 are the same work here. The sums begin with numbers that the compiler does not know:
 * of zeros it would see that they stay zero, and drop the loop. */
uint64_t slm__peak_scalar(uint32_t which, uint64_t iterations, uint32_t *sink)
{
    uint32_t sum[8], factor = which + 3;
    for (uint32_t j = 0; j < 8; j++) {
        sum[j] = which + j + 1;
    }
    for (uint64_t i = 0; i < iterations; i++) {
        for (uint32_t j = 0; j < 8; j++) {
            sum[j] += factor * (sum[(j + 1) % 8] & 255u);
        }
        factor += sum[0] & 1u;
    }
    *sink = sum[0] ^ sum[1] ^ sum[2] ^ sum[3] ^ sum[4] ^ sum[5] ^ sum[6] ^ sum[7];
    return iterations * 16;
}

uint32_t slm__read_scalar(const void *data, size_t bytes)
{
    uint64_t sum[4] = {0};
    for (size_t i = 0; i < bytes; i += sizeof sum) {
        uint64_t words[4];
        memcpy(words, (const uint8_t *)data + i, sizeof words);
        for (uint32_t j = 0; j < 4; j++) {
            sum[j] ^= words[j];
        }
    }
    const uint64_t all = sum[0] ^ sum[1] ^ sum[2] ^ sum[3];
    return (uint32_t)all ^ (uint32_t)(all >> 32);
}

/* SPDX-License-Identifier: MIT */
/* CRC-32C (Castagnoli, reflected, as in iSCSI, RFC 3720) for corruption; SHA-256 (FIPS 180-4) for provenance. */
#ifndef SLM_BASE_CHECKSUM_H
#define SLM_BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Continue `crc` (0 at the start) over `length` bytes. Portable, by tables of 8 bytes a step. */
uint32_t slm__crc32c(uint32_t crc, const void *data, size_t length);

struct slm_sha256 {
    uint32_t state[8];
    uint64_t length;
    uint8_t block[64];
};
void slm__sha256_init(struct slm_sha256 *hash);
void slm__sha256_update(struct slm_sha256 *hash, const void *data, size_t length);
/* 64 lower-case hexadecimal digits and a NUL. */
void slm__sha256_hex(struct slm_sha256 *hash, char hex[65]);

#endif

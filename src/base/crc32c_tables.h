/* SPDX-License-Identifier: MIT */
/* tables[0][b]: CRC-32C of the byte b; tables[n][b]: of b followed by n zero bytes. Polynomial 0x1EDC6F41, reflected 0x82F63B78. */
#ifndef SLM_BASE_CRC32C_TABLES_H
#define SLM_BASE_CRC32C_TABLES_H

#include <stdint.h>

extern const uint32_t slm__crc32c_tables[8][256];

#endif

/* SPDX-License-Identifier: MIT */
/* Four characters to three bytes; one or two equals signs only at the end. */
#include "import/base64.h"

static int value_of(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool slm__base64_decode(struct slm_span text, uint8_t *bytes, size_t *count)
{
    *count = 0;
    if (text.length % 4 != 0) {
        return false;
    }
    for (size_t i = 0; i < text.length; i += 4) {
        const uint8_t *group = text.data + i;
        unsigned padding = i + 4 < text.length || group[3] != '=' ? 0 : group[2] != '=' ? 1 : 2;
        uint32_t bits = 0;
        for (unsigned k = 0; k < 4; k++) {
            int value = k >= 4 - padding ? 0 : value_of(group[k]);
            if (value < 0) {
                return false;
            }
            bits = bits << 6 | (uint32_t)value;
        }
        for (unsigned k = 0; k < 3 - padding; k++) {
            bytes[(*count)++] = (uint8_t)(bits >> (16 - 8 * k));
        }
    }
    return true;
}

/* SPDX-License-Identifier: MIT */
/* UTF-8 by table 3-7 of the Unicode standard (well-formed byte sequences). */
#include "base/utf8.h" /* struct slm_utf8 */

static struct slm_utf8 invalid(uint32_t length, bool incomplete)
{
    struct slm_utf8 character = {0xFFFD, length, false, incomplete};
    return character;
}

struct slm_utf8 slm__utf8_decode(const uint8_t *bytes, size_t length)
{
    uint8_t lead = bytes[0];
    if (lead < 0x80) {
        struct slm_utf8 character = {lead, 1, true, false};
        return character;
    }
    if (lead < 0xC2 || lead > 0xF4) {
        return invalid(1, false);
    }
    uint32_t count = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    /* The second byte's range excludes overlong forms, surrogates and what lies above U+10FFFF. */
    uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    uint32_t code = lead & (0x7Fu >> count);
    for (uint32_t i = 1; i < count; i++) {
        if (i == length) {
            return invalid(i, true);
        }
        if (bytes[i] < low || bytes[i] > high) {
            return invalid(i, false);
        }
        code = code << 6 | (bytes[i] & 0x3Fu);
        low = 0x80;
        high = 0xBF;
    }
    struct slm_utf8 character = {code, count, true, false};
    return character;
}

unsigned slm__utf8_encode(uint32_t code, uint8_t bytes[4])
{
    static const uint8_t leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    if (code < 0x80) {
        bytes[0] = (uint8_t)code;
        return 1;
    }
    unsigned count = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (unsigned i = count - 1; i > 0; i--) {
        bytes[i] = (uint8_t)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    bytes[0] = (uint8_t)(leads[count] | code);
    return count;
}

size_t slm__utf8_valid_prefix(struct slm_span text)
{
    size_t position = 0;
    while (position < text.length) {
        struct slm_utf8 character = slm__utf8_decode(text.data + position, text.length - position);
        if (!character.valid) {
            break;
        }
        position += character.length;
    }
    return position;
}

size_t slm__utf8_printable(char *text, size_t length, bool cut)
{
    size_t position = 0;
    while (position < length) {
        struct slm_utf8 character = slm__utf8_decode((const uint8_t *)text + position, length - position);
        if (character.incomplete && cut) {
            return position;
        }
        bool control = character.code < 0x20 || (character.code >= 0x7F && character.code < 0xA0);
        if (!character.valid || control) {
            memset(text + position, '?', character.length);
        }
        position += character.length;
    }
    return length;
}

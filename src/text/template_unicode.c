/* SPDX-License-Identifier: MIT */
/* Small tables instead of the whole character database: template text is ASCII but for rare literals, and these functions decide about
 * white space and escapes of what users write, which the ranges below cover completely. Case is complete for the scripts named. */
#include "text/template_unicode.h" /* slm__tu_... */

#include <stddef.h>

bool slm__tu_space(uint32_t code)
{
    if (code < 0x80) {
        return code == ' ' || (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x1F);
    }
    return code == 0x85 || code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 ||
           code == 0x202F || code == 0x205F || code == 0x3000;
}

bool slm__tu_line_end(uint32_t code)
{
    return (code >= 0x0A && code <= 0x0D) || (code >= 0x1C && code <= 0x1E) || code == 0x85 || code == 0x2028 || code == 0x2029;
}

/* Categories Cc, Cf, Cs, Co, Zl, Zp, Zs without the space, and the noncharacters. */
static const uint32_t unprintable_ranges[][2] = {
    {0x0000, 0x001F},   {0x007F, 0x00A0},   {0x00AD, 0x00AD},    {0x0600, 0x0605},   {0x061C, 0x061C},   {0x06DD, 0x06DD},
    {0x070F, 0x070F},   {0x0890, 0x0891},   {0x08E2, 0x08E2},    {0x1680, 0x1680},   {0x180E, 0x180E},   {0x2000, 0x200F},
    {0x2028, 0x202F},   {0x205F, 0x206F},   {0x3000, 0x3000},    {0xD800, 0xF8FF},   {0xFDD0, 0xFDEF},   {0xFEFF, 0xFEFF},
    {0xFFF0, 0xFFFB},   {0xFFFE, 0xFFFF},   {0x110BD, 0x110BD},  {0x110CD, 0x110CD}, {0x13430, 0x1343F}, {0x1BCA0, 0x1BCA3},
    {0x1D173, 0x1D17A}, {0xE0000, 0xE00FF}, {0xE01F0, 0x10FFFF},
};

bool slm__tu_printable(uint32_t code)
{
    for (size_t i = 0; i < sizeof unprintable_ranges / sizeof unprintable_ranges[0]; i++) {
        if (code >= unprintable_ranges[i][0] && code <= unprintable_ranges[i][1]) {
            return false;
        }
    }
    return true;
}

/* Capitals `first`..`last` whose small letter is `distance` further; step 2: capitals and small letters alternate. */
struct case_range {
    uint32_t first;
    uint32_t last;
    uint32_t distance;
    uint32_t step;
};

static const struct case_range case_ranges[] = {
    {'A', 'Z', 32, 1},      {0xC0, 0xD6, 32, 1},    {0xD8, 0xDE, 32, 1},     {0x100, 0x12E, 1, 2},  {0x132, 0x136, 1, 2},
    {0x139, 0x147, 1, 2},   {0x14A, 0x176, 1, 2},   {0x179, 0x17D, 1, 2},    {0x386, 0x386, 38, 1}, {0x388, 0x38A, 37, 1},
    {0x38C, 0x38C, 64, 1},  {0x38E, 0x38F, 63, 1},  {0x391, 0x3A1, 32, 1},   {0x3A3, 0x3AB, 32, 1}, {0x400, 0x40F, 80, 1},
    {0x410, 0x42F, 32, 1},  {0x460, 0x480, 1, 2},   {0x48A, 0x4BE, 1, 2},    {0x4D0, 0x52E, 1, 2},  {0x531, 0x556, 48, 1},
    {0x1E00, 0x1E94, 1, 2}, {0x1EA0, 0x1EFE, 1, 2}, {0xFF21, 0xFF3A, 32, 1},
};

uint32_t slm__tu_lower(uint32_t code)
{
    for (size_t i = 0; i < sizeof case_ranges / sizeof case_ranges[0]; i++) {
        const struct case_range *range = &case_ranges[i];
        if (code >= range->first && code <= range->last && (code - range->first) % range->step == 0) {
            return code + range->distance;
        }
    }
    return code == 0x178 ? 0xFF : code;
}

uint32_t slm__tu_upper(uint32_t code)
{
    for (size_t i = 0; i < sizeof case_ranges / sizeof case_ranges[0]; i++) {
        const struct case_range *range = &case_ranges[i];
        if (code >= range->first + range->distance && code <= range->last + range->distance &&
            (code - range->distance - range->first) % range->step == 0) {
            return code - range->distance;
        }
    }
    return code == 0xFF ? 0x178 : code;
}

bool slm__tu_cased(uint32_t code) { return slm__tu_lower(code) != code || slm__tu_upper(code) != code; }

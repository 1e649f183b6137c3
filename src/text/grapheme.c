/* SPDX-License-Identifier: MIT */
/* The rules of UAX 29 as a walk with a little state: regional indicators pair up, and a picture joins a picture behind a ZWJ. */
#include "text/grapheme.h"

#include "base/utf8.h"         /* slm__utf8_decode */
#include "text/unicode_text.h" /* slm__unicode_text */

/* Where a cluster stands: its last class, whether it began as a picture, whether its last regional indicator is unpaired. */
struct walk {
    uint32_t last;
    uint32_t last_code;
    bool picture; /* a picture and nothing but Extend behind it, or a ZWJ at the end */
    bool unpaired;
};

/* Classes that may stand behind `last` in a Hangul syllable (GB6 to GB8). */
static bool hangul_goes_on(uint32_t last, uint32_t next)
{
    switch (last) {
    case SLM_CLUSTER_L: return next == SLM_CLUSTER_L || next == SLM_CLUSTER_V || next == SLM_CLUSTER_LV || next == SLM_CLUSTER_LVT;
    case SLM_CLUSTER_LV:
    case SLM_CLUSTER_V: return next == SLM_CLUSTER_V || next == SLM_CLUSTER_T;
    case SLM_CLUSTER_LVT:
    case SLM_CLUSTER_T: return next == SLM_CLUSTER_T;
    default: return false;
    }
}

static bool goes_on(const struct walk *walk, uint32_t next, uint32_t code)
{
    if (walk->last == SLM_CLUSTER_CONTROL || next == SLM_CLUSTER_CONTROL) {
        return walk->last_code == '\r' && code == '\n'; /* GB3 to GB5 */
    }
    if (next == SLM_CLUSTER_EXTEND || next == SLM_CLUSTER_ZWJ || next == SLM_CLUSTER_SPACING_MARK || walk->last == SLM_CLUSTER_PREPEND) {
        return true; /* GB9, GB9a, GB9b */
    }
    if (next == SLM_CLUSTER_PICTOGRAPHIC && walk->last == SLM_CLUSTER_ZWJ && walk->picture) {
        return true; /* GB11 */
    }
    return hangul_goes_on(walk->last, next) || (next == SLM_CLUSTER_REGIONAL && walk->last == SLM_CLUSTER_REGIONAL && walk->unpaired);
}

size_t slm__grapheme_end(struct slm_span text, size_t position)
{
    struct walk walk = {0, 0, false, false};
    bool first = true;
    while (position < text.length) {
        struct slm_utf8 c = slm__utf8_decode(text.data + position, text.length - position);
        uint32_t next = slm__unicode_text(c.code) >> SLM_UNICODE_CLUSTER_SHIFT;
        if (!first && !goes_on(&walk, next, c.code)) {
            break;
        }
        bool joins = next == SLM_CLUSTER_EXTEND || (next == SLM_CLUSTER_ZWJ && walk.last != SLM_CLUSTER_ZWJ);
        walk.picture = next == SLM_CLUSTER_PICTOGRAPHIC || (walk.picture && joins);
        walk.unpaired = next == SLM_CLUSTER_REGIONAL && !(walk.unpaired && walk.last == SLM_CLUSTER_REGIONAL);
        walk.last = next;
        walk.last_code = c.code;
        position += c.length;
        first = false;
    }
    return position;
}

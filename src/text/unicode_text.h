/* SPDX-License-Identifier: MIT */
/* What normalizers beyond form C and grapheme clusters need to know about code points. Tables by generate_unicode_text.py; 110 kB. */
#ifndef SLM_TEXT_UNICODE_TEXT_H
#define SLM_TEXT_UNICODE_TEXT_H

#include <stdint.h>

enum slm_unicode_text {
    SLM_UNICODE_BERT_REMOVED = 1, /* control and format characters that BERT's cleaning drops */
    SLM_UNICODE_BERT_SPACE = 2,   /* ... turns into a space */
    SLM_UNICODE_IDEOGRAPH = 4,    /* gets spaces around it */
    SLM_UNICODE_NMT_REMOVED = 8,
    SLM_UNICODE_NMT_SPACE = 16,
    SLM_UNICODE_MARK_9 = 32,            /* \p{M} of Unicode 9 */
    SLM_UNICODE_NONSPACING_8 = 64,      /* \p{Mn} of Unicode 8 */
    SLM_UNICODE_BERT_PUNCTUATION = 128, /* ASCII signs and \p{P} of Unicode 8 */
    SLM_UNICODE_COMPATIBLE = 256,       /* has a compatibility decomposition, itself or in its parts */
    SLM_UNICODE_DECOMPOSES = 512,       /* may change under form D */
    SLM_UNICODE_CLUSTER_SHIFT = 12      /* the upper four bits: enum slm_cluster */
};

/* Grapheme_Cluster_Break; CR and LF are told apart by their codes. */
enum slm_cluster {
    SLM_CLUSTER_OTHER = 0,
    SLM_CLUSTER_CONTROL = 1,
    SLM_CLUSTER_EXTEND = 2,
    SLM_CLUSTER_ZWJ = 3,
    SLM_CLUSTER_PREPEND = 4,
    SLM_CLUSTER_SPACING_MARK = 5,
    SLM_CLUSTER_L = 6,
    SLM_CLUSTER_V = 7,
    SLM_CLUSTER_T = 8,
    SLM_CLUSTER_LV = 9,
    SLM_CLUSTER_LVT = 10,
    SLM_CLUSTER_REGIONAL = 11,
    SLM_CLUSTER_PICTOGRAPHIC = 12
};

extern const uint16_t slm__unicode_text_index[];
extern const uint8_t slm__unicode_text_blocks[];
extern const uint16_t slm__unicode_text_properties[];
extern const uint32_t slm__unicode_compatible_count;
extern const uint32_t slm__unicode_compatible_codes[];   /* ascending */
extern const uint16_t slm__unicode_compatible_offsets[]; /* [count + 1] into the parts */
extern const uint32_t slm__unicode_compatible_parts[];   /* full decompositions */
extern const uint32_t slm__unicode_lower_count;
extern const uint64_t slm__unicode_lower[]; /* code << 32 | lower case, ascending */

/* Bits of enum slm_unicode_text and the cluster class; any 32-bit value is fine. */
static inline uint32_t slm__unicode_text(uint32_t code)
{
    if (code > 0x10FFFF) {
        return 0;
    }
    return slm__unicode_text_properties[slm__unicode_text_blocks[slm__unicode_text_index[code / 128] * 128U + code % 128]];
}

#endif

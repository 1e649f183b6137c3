/* SPDX-License-Identifier: MIT */
/* Numbers and fixed structures of the .slm format; FORMAT.md is the specification. All values little-endian. */
#ifndef SLM_FORMAT_LAYOUT_H
#define SLM_FORMAT_LAYOUT_H

#include <stdint.h>

#define SLM_FORMAT_MAGIC "slm\x1a\r\n\0\x01" /* 8 bytes: name, text-mode detectors, generation */

enum {
    SLM_FORMAT_VERSION = 1,     /* of the writer */
    SLM_FORMAT_READS = 1,       /* highest minimum-reader version this code understands */
    SLM_FORMAT_MAX_SECTIONS = 64,
    SLM_FORMAT_MAX_NAME = 255,  /* bytes of a tensor name or metadata key */
    SLM_FORMAT_ALIGN_SECTION = 64,
    SLM_FORMAT_ALIGN_DATA = 4096
};
#define SLM_FORMAT_MAX_DIMENSION (1u << 24) /* rows or columns of a matrix */
#define SLM_FORMAT_MAX_TENSORS (1u << 20)

/* Section ids. Bit 31 set: optional, skipped by readers that do not know it; clear: mandatory. */
enum {
    SLM_SECTION_METADATA = 1,  /* keys and values: traits, texts, provenance */
    SLM_SECTION_DIRECTORY = 2, /* tensors */
    SLM_SECTION_TOKENIZER = 3, /* src/text/TOKENIZER.md */
    SLM_SECTION_DATA = 4       /* tensor data */
};

/* Value types of metadata. */
enum { SLM_META_U64 = 1, SLM_META_F64 = 2, SLM_META_TEXT = 3, SLM_META_U32_ARRAY = 4, SLM_META_F32_ARRAY = 5 };

/* Tensor kinds. */
enum { SLM_TENSOR_VECTOR = 1 /* f32[rows], contiguous, zero-padded to 16 */, SLM_TENSOR_MATRIX = 2 /* panels, kernels/blocks.h */ };

#endif

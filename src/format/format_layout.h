/* SPDX-License-Identifier: MIT */
/* Numbers and fixed structures of the .slm format; FORMAT.md is the specification. All values little-endian. */
#ifndef SLM_FORMAT_LAYOUT_H
#define SLM_FORMAT_LAYOUT_H

#include <stdint.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#  error "weights are used in place and little-endian; so must the machine be"
#endif

#define SLM_FORMAT_MAGIC "slm\x1a\r\n\0\x01" /* 8 bytes: name, text-mode detectors, generation */

enum {
    SLM_FORMAT_MINIMUM = 1,    /* of files that use nothing newer: slm__writer_needs() raises it */
    SLM_FORMAT_READS = 4,      /* highest minimum-reader version this code understands */
    SLM_FORMAT_VOCABULARY = 4, /* version that describes the section; readers of older ones skip it */
    SLM_FORMAT_MAX_SECTIONS = 64,
    SLM_FORMAT_MAX_NAME = 255, /* bytes of a tensor name or metadata key */
    SLM_FORMAT_ALIGN_SECTION = 64,
    SLM_FORMAT_ALIGN_DATA = 4096
};
#define SLM_FORMAT_MAX_DIMENSION (1u << 24) /* rows or columns of a matrix */
#define SLM_FORMAT_MAX_TENSORS (1u << 20)
#define SLM_FORMAT_MAX_METAS (1u << 16)
#define SLM_FORMAT_MAX_METADATA (1u << 26) /* bytes of the metadata section */

/* The header, 64 bytes, followed by the section table. */
enum {
    SLM_HEADER_MAGIC = 0,
    SLM_HEADER_GENERATION = 7,  /* u8, the last of the magic */
    SLM_HEADER_VERSION = 8,     /* u32 */
    SLM_HEADER_MIN_READER = 12, /* u32 */
    SLM_HEADER_FILE_SIZE = 16,  /* u64 */
    SLM_HEADER_SECTIONS = 24,   /* u32 */
    SLM_HEADER_LENGTH = 28,     /* u32: 64 + 32 per section */
    SLM_HEADER_CRC = 32,        /* u32: of the first SLM_HEADER_LENGTH bytes, these four taken as zero */
    SLM_HEADER_RESERVED = 36,   /* zero to the end */
    SLM_HEADER_BYTES = 64
};

/* An entry of the section table. */
enum {
    SLM_ENTRY_ID = 0,        /* u32 */
    SLM_ENTRY_FLAGS = 4,     /* u32: SLM_SECTION_PAGE */
    SLM_ENTRY_OFFSET = 8,    /* u64, from the start of the file */
    SLM_ENTRY_LENGTH = 16,   /* u64 */
    SLM_ENTRY_CRC = 24,      /* u32; 0 for the data section, whose tensors have their own */
    SLM_ENTRY_RESERVED = 28, /* u32, 0 */
    SLM_ENTRY_BYTES = 32
};

/* Section ids. Bit 31 set: optional, skipped by readers that do not know it; clear: mandatory. */
enum {
    SLM_SECTION_METADATA = 1,  /* keys and values: traits, texts, provenance */
    SLM_SECTION_DIRECTORY = 2, /* tensors */
    SLM_SECTION_TOKENIZER = 3, /* src/text/TOKENIZER.md */
    SLM_SECTION_DATA = 4       /* tensor data */
};
#define SLM_SECTION_OPTIONAL 0x80000000u
#define SLM_SECTION_VOCABULARY 0x80000001u /* tokens as byte tries: src/text/TOKENIZER.md */
#define SLM_SECTION_PAGE 1u                /* flag: begins at a multiple of SLM_FORMAT_ALIGN_DATA instead of SLM_FORMAT_ALIGN_SECTION */

/* Metadata and directory begin with a table head {u32 count, u32 0}; then `count` records; then the bytes they point at. Offsets in
 * records count from the start of the section. */
enum { SLM_TABLE_HEAD = 8 };

/* A metadata record. */
enum {
    SLM_META_KEY_OFFSET = 0,    /* u32, multiple of 8 */
    SLM_META_KEY_LENGTH = 4,    /* u32 */
    SLM_META_TYPE = 8,          /* u32 */
    SLM_META_VALUE_OFFSET = 12, /* u32, multiple of 8 */
    SLM_META_VALUE_LENGTH = 16, /* u32, bytes */
    SLM_META_RESERVED = 20,     /* u32, 0 */
    SLM_META_BYTES = 24
};

/* Value types of metadata. */
enum { SLM_META_U64 = 1, SLM_META_F64 = 2, SLM_META_TEXT = 3, SLM_META_U32_ARRAY = 4, SLM_META_F32_ARRAY = 5 };

/* A directory record. */
enum {
    SLM_TENSOR_NAME_OFFSET = 0, /* u32 */
    SLM_TENSOR_NAME_LENGTH = 4, /* u32 */
    SLM_TENSOR_KIND = 8,        /* u32 */
    SLM_TENSOR_TYPE = 12,       /* u32: enum slm_weight_type of kernels/blocks.h */
    SLM_TENSOR_ROWS = 16,       /* u32 */
    SLM_TENSOR_COLS = 20,       /* u32 */
    SLM_TENSOR_OFFSET = 24,     /* u64, from the start of the data section */
    SLM_TENSOR_LENGTH = 32,     /* u64, bytes with padding */
    SLM_TENSOR_CRC = 40,        /* u32 */
    SLM_TENSOR_RESERVED = 44,   /* u32, 0 */
    SLM_TENSOR_BYTES = 48
};

/* Tensor kinds. */
enum { SLM_TENSOR_VECTOR = 1 /* f32[rows], contiguous, zero-padded to 16 */, SLM_TENSOR_MATRIX = 2 /* panels, kernels/blocks.h */ };

#endif

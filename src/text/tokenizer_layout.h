/* SPDX-License-Identifier: MIT */
/* Byte layout of the tokenizer section of a .slm file, as described in TOKENIZER.md: numbers of tables, fields, kinds, flags.
 * Shared by the builder, which writes it, and by tokenizer_open.c, which checks every byte of it that anything depends on. */
#ifndef SLM_TEXT_TOKENIZER_LAYOUT_H
#define SLM_TEXT_TOKENIZER_LAYOUT_H

#include <stdint.h>

enum {
    SLM_TOKENIZER_MAGIC = 0x4B4F5453, /* "STOK" */
    SLM_TOKENIZER_VERSION = 1,
    SLM_TOKENIZER_HEADER_BYTES = 64,
    SLM_TOKENIZER_ENTRY_BYTES = 32,       /* of the table directory behind the header */
    SLM_TOKENIZER_TABLES_MAX = 64,        /* entries of the directory */
    SLM_TOKENIZER_ALIGNMENT = 64,         /* of the section and of each table */
    SLM_TOKENIZER_TOKEN_BYTES_MAX = 1024, /* length of one token's text */
    SLM_TOKENIZER_TOKENS_MAX = 1 << 24,   /* token ids */
    SLM_TOKENIZER_STEPS_MAX = 16,         /* pipeline steps of one stage */
    SLM_TOKENIZER_EXTRA_IDS_MAX = 64,     /* ids that the post-processor adds on one side */
    SLM_TOKENIZER_PROBES = 64             /* an entry lies in one of so many slots, counted from its home slot */
};

#define SLM_TOKENIZER_NONE UINT32_MAX /* no id, empty slot */

/* Header fields (u32 unless said). */
enum slm_tokenizer_header {
    SLM_TOKENIZER_AT_MAGIC = 0,
    SLM_TOKENIZER_AT_VERSION = 4,
    SLM_TOKENIZER_AT_BYTES = 8, /* u64: of the whole section */
    SLM_TOKENIZER_AT_TABLES = 16,
    SLM_TOKENIZER_AT_TOKENS = 20,
    SLM_TOKENIZER_AT_MODEL = 24,
    SLM_TOKENIZER_AT_MODEL_FLAGS = 28,
    SLM_TOKENIZER_AT_UNKNOWN = 32, /* id or NONE */
    SLM_TOKENIZER_AT_RESERVED = 36 /* zero up to 64 */
};

/* Directory entry: u32 table, u32 flags (1: a reader must know it), u64 offset, u64 bytes, u64 zero. */
enum slm_tokenizer_table {
    SLM_TOKENIZER_STEPS = 1,         /* records of 32 bytes, below */
    SLM_TOKENIZER_TEXTS = 2,         /* bytes that steps and added tokens refer to */
    SLM_TOKENIZER_OFFSETS = 3,       /* u32 [tokens + 1] into BYTES */
    SLM_TOKENIZER_BYTES = 4,         /* texts of all tokens, decoded from the byte alphabet */
    SLM_TOKENIZER_FLAGS = 5,         /* u8 [tokens] */
    SLM_TOKENIZER_HASH = 6,          /* {u32 id, u32 tag} [power of two]: token bytes to id */
    SLM_TOKENIZER_BYTE_IDS = 7,      /* u32 [256]: the token of each single byte, or NONE */
    SLM_TOKENIZER_MERGES = 8,        /* {u32 left, right, rank, result} [power of two] */
    SLM_TOKENIZER_ADDED = 9,         /* records of 32 bytes, below */
    SLM_TOKENIZER_ADDED_ROOTS = 10,  /* u32 [2][256]: child of the root for a first byte, or 0; [0] raw text, [1] normalized text */
    SLM_TOKENIZER_ADDED_NODES = 11,  /* {u32 first edge, u32 edges, u32 added token or NONE, u32 zero}; node 0 is no node */
    SLM_TOKENIZER_ADDED_EDGES = 12,  /* {u32 byte, u32 child} ascending by byte within a node */
    SLM_TOKENIZER_PREFIX = 13,       /* u32 ids that the post-processor puts before */
    SLM_TOKENIZER_SUFFIX = 14,       /* ... and behind */
    SLM_TOKENIZER_SCORES = 15,       /* Unigram: f64 [tokens], infinite where the model has no token */
    SLM_TOKENIZER_TEXT_OFFSETS = 17, /* not byte-level: u32 [tokens + 1] into the next */
    SLM_TOKENIZER_TEXT_BYTES = 18,   /* not byte-level: texts of all tokens as the model finds them */
    SLM_TOKENIZER_FALLBACK = 19,     /* with BYTE_FALLBACK: u32 [256], the token of each byte, or NONE */
    SLM_TOKENIZER_TRIE = 20,         /* Unigram: {u32 base, u32 parent, u32 id or NONE}, a double array over the tokens' texts */
    SLM_TOKENIZER_TABLES_END = 21
};

enum {
    SLM_TOKENIZER_STEP_BYTES = 32, /* u32 stage, kind, flags, value, text offset, text length, second offset, second length */
    SLM_TOKENIZER_HASH_BYTES = 8,
    SLM_TOKENIZER_MERGE_BYTES = 16,
    SLM_TOKENIZER_ADDED_BYTES = 32, /* u32 id, flags, content offset, content length, 4 x zero */
    SLM_TOKENIZER_NODE_BYTES = 16,
    SLM_TOKENIZER_EDGE_BYTES = 8,
    SLM_TOKENIZER_TRIE_BYTES = 12
};

enum slm_tokenizer_model { SLM_TOKENIZER_BPE = 1, SLM_TOKENIZER_UNIGRAM = 2, SLM_TOKENIZER_WORDPIECE = 3 };

enum slm_tokenizer_model_flags {
    SLM_TOKENIZER_IGNORE_MERGES = 1, /* a word that is a token as a whole is that token, whatever the merges say */
    SLM_TOKENIZER_BYTE_FALLBACK = 2, /* characters without a token become byte tokens */
    SLM_TOKENIZER_FUSE_UNKNOWN = 4,  /* neighbouring unknown characters are one unknown token */
    SLM_TOKENIZER_BYTE_LEVEL = 8,    /* the model's symbols are bytes, not characters */
    SLM_TOKENIZER_WORD_STARTS = 16   /* no merge reaches across the start of a U+2581 that follows another character */
};

enum slm_tokenizer_stage {
    SLM_TOKENIZER_NORMALIZER = 1,
    SLM_TOKENIZER_PRETOKENIZER = 2,
    SLM_TOKENIZER_DECODER = 3,
    SLM_TOKENIZER_PARAMETERS = 4, /* of the model; at most one step */
    SLM_TOKENIZER_STAGES_END = 5
};

enum slm_tokenizer_normalizer {
    SLM_NORMALIZER_NFC = 1, /* Unicode normalization form C */
    SLM_NORMALIZER_NFD = 2,
    SLM_NORMALIZER_NFKC = 3,
    SLM_NORMALIZER_NFKD = 4,
    SLM_NORMALIZER_LOWERCASE = 5,
    SLM_NORMALIZER_STRIP_ACCENTS = 6, /* value 0: marks of Unicode 9, 1: non-spacing marks of Unicode 8 */
    SLM_NORMALIZER_STRIP = 7,         /* value: enum slm_strip_sides */
    SLM_NORMALIZER_REPLACE = 8,       /* value: enum slm_replace; the text by the second text */
    SLM_NORMALIZER_PREPEND = 9,       /* the text, unless there is nothing to put it before */
    SLM_NORMALIZER_NMT = 10,          /* control characters dropped or made spaces */
    SLM_NORMALIZER_BERT = 11,         /* value: enum slm_bert_cleaning */
    SLM_NORMALIZER_PRECOMPILED = 12   /* text: SentencePiece's character map */
};

enum slm_strip_sides { SLM_STRIP_LEFT = 1, SLM_STRIP_RIGHT = 2 };
enum slm_replace { SLM_REPLACE_EACH = 0, SLM_REPLACE_RUNS = 1 /* of two or more */ };
enum slm_bert_cleaning { SLM_BERT_CLEAN = 1, SLM_BERT_IDEOGRAPHS = 2 };

enum slm_tokenizer_pretokenizer {
    SLM_PRETOKENIZER_REGEX = 1,       /* value: enum slm_split_pattern; what matches and what lies between are pieces */
    SLM_PRETOKENIZER_DIGITS = 2,      /* value: enum slm_digits */
    SLM_PRETOKENIZER_PUNCTUATION = 3, /* value 0: every sign is a piece, 1: every run of them */
    SLM_PRETOKENIZER_WHITESPACE = 4,  /* white space is dropped */
    SLM_PRETOKENIZER_METASPACE = 5,   /* value: enum slm_metaspace; text: what a space becomes. The last one of a pipeline */
    SLM_PRETOKENIZER_STRING = 6,      /* value: enum slm_string_split; text */
    SLM_PRETOKENIZER_BERT = 7         /* white space is dropped, every sign of punctuation is a piece */
};

enum slm_digits {
    SLM_DIGITS_RUNS = 0,
    SLM_DIGITS_EACH = 1,
    SLM_DIGITS_BYTES = 2, /* added: characters of the byte alphabet are looked at, not those of the text */
    SLM_DIGITS_END = 4
};

enum slm_metaspace {
    SLM_METASPACE_NEVER = 0, /* prepended to no piece, to one at the start of the text, to every piece */
    SLM_METASPACE_FIRST = 1,
    SLM_METASPACE_ALWAYS = 2,
    SLM_METASPACE_SCHEME = 3, /* the bits of the above */
    SLM_METASPACE_SPLIT = 4   /* added: each one begins a piece */
};

enum slm_string_split { SLM_STRING_APART = 0, SLM_STRING_DROPPED = 1, SLM_STRING_WITH_PREVIOUS = 2, SLM_STRING_WITH_NEXT = 3 };

enum slm_tokenizer_decoder {
    SLM_DECODER_BYTE_LEVEL = 1,    /* the tokens' bytes, invalid UTF-8 as U+FFFD */
    SLM_DECODER_BYTE_FALLBACK = 3, /* the tokens' bytes; a run of byte tokens is text, or a U+FFFD for each byte */
    SLM_DECODER_STRIP = 4,         /* behind the one before: the text is taken off the start, at most `value` times */
    SLM_DECODER_METASPACE = 5,     /* the tokens' bytes; value 1: of the first token its text without what `text` is */
    SLM_DECODER_WORDPIECE = 6      /* the tokens' bytes; of the first token its text; value 1: without spaces before signs */
};

enum { SLM_PARAMETERS_WORDPIECE = 1 /* value: characters of the longest word, text: prefix of tokens inside a word */ };

enum { SLM_WORDPIECE_CHARACTERS_MAX = 1000 };

/* Regular expressions that are state machines in pretokenize.c. */
enum slm_split_pattern {
    SLM_SPLIT_GPT2 = 1,   /* ByteLevel with use_regex */
    SLM_SPLIT_LLAMA3 = 2, /* cl100k: numbers of up to three digits */
    SLM_SPLIT_QWEN2 = 3,  /* the same with single digits */
    SLM_SPLIT_TEKKEN = 4,
    SLM_SPLIT_O200K = 5,
    SLM_SPLIT_THREE_DIGITS = 6, /* also on bytes of the byte alphabet */
    SLM_SPLIT_LINE_ENDS = 7,
    SLM_SPLIT_LETTERS = 8, /* 7 to 12: DeepSeek */
    SLM_SPLIT_SIGNS = 9,
    SLM_SPLIT_EAST_ASIAN = 10,
    SLM_SPLIT_CASED_LETTERS = 11,
    SLM_SPLIT_LISTED_SIGNS = 12,
    SLM_SPLIT_END_SPACE = 13,
    SLM_SPLIT_END = 14
};

/* FLAGS of a token. */
enum slm_token_flags {
    SLM_TOKEN_SPECIAL = 1, /* a control token: left out of text when special tokens are skipped */
    SLM_TOKEN_ADDED = 2,   /* found in text before the model sees it */
    SLM_TOKEN_UNUSED = 4,  /* the id has no token */
    SLM_TOKEN_BYTE = 8,    /* stands for its one byte, as part of a run */
    SLM_TOKEN_WHOLE = 16,  /* the merges turn the token's own bytes into this token */
    SLM_TOKEN_KNOWN_FLAGS = 31
};

/* Flags of an added token. */
enum slm_added_flags {
    SLM_ADDED_SPECIAL = 1,
    SLM_ADDED_LSTRIP = 2,      /* takes the white space before it */
    SLM_ADDED_RSTRIP = 4,      /* ... and behind it */
    SLM_ADDED_SINGLE_WORD = 8, /* only where no word character is next to it */
    SLM_ADDED_NORMALIZED = 16, /* searched in normalized text */
    SLM_ADDED_KNOWN_FLAGS = 31
};

#endif

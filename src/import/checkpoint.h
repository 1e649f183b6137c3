/* SPDX-License-Identifier: MIT */
/*
 * A checkpoint ready to be converted, from whichever format: configuration, texts, and for every tensor of the .slm file
 * ("target") the rows of source tensors that make it up. Filled by hf_folder.c or gguf_model.c, then planned, then read row by row.
 */
#ifndef SLM_IMPORT_CHECKPOINT_H
#define SLM_IMPORT_CHECKPOINT_H

#include "base/buffer.h"            /* struct slm_buffer */
#include "base/checksum.h"          /* struct slm_sha256 */
#include "import/family_config.h"   /* struct slm_family_config */
#include "import/hf_config.h"       /* struct slm_generation_defaults */
#include "import/hf_quantization.h" /* struct slm_quantization */
#include "import/import_context.h"  /* struct slm_import_context */
#include "import/tensor_set.h"      /* struct slm_tensor_set */
#include "kernels/blocks.h"         /* enum slm_weight_type */

enum { SLM_SOURCE_NAME_BYTES = 128 };

struct slm_adapter_source;
struct slm_adapter_delta;

struct slm_target_part {
    const struct slm_source_tensor *source; /* NULL: zeros (a bias that one of several stacked matrices lacks) */
    uint32_t first_row;                     /* of the source, seen as a matrix */
    uint32_t rows;
    struct slm_adapter_delta *deltas; /* what adapters add; NULL: nothing */
    uint8_t **transposed; /* the source has this part's columns for rows: all its bytes, while they are held; NULL: it has not */
    uint32_t pairs;       /* not 0: rows of heads of this width lie as pairs (2i, 2i+1) and are put back to halves (i, i + width/2) */
};

struct slm_target {
    char name[48];
    bool vector;     /* f32, cols is 1 */
    bool head_class; /* embedding or output head */
    bool full;       /* always f32 */
    bool vision;     /* of the part that sees */
    bool finer;      /* f16 in place of i8, i8 in place of i4 */
    bool plus_one;   /* the source holds the values less 1 */
    uint32_t rows, cols;
    uint32_t part_count;
    struct slm_target_part parts[SLM_RULE_SOURCES];
};

/* Texts of a checkpoint, in the checkpoint's arena; length 0: absent. */
struct slm_checkpoint_texts {
    struct slm_span name, license, notice, chat_template;
    struct slm_span template_tokens; /* JSON object */
};

struct slm_checkpoint {
    struct slm_import_context context;
    struct slm_arena arena;
    struct slm_tensor_set set;
    const char *format;    /* "huggingface", "gguf" */
    const char *described; /* what states the sizes: "config.json", "the header" */
    bool gguf;
    struct slm_family_config config;
    struct slm_generation_defaults generation;
    struct slm_quantization quantization; /* of a Hugging Face folder */
    struct slm_adapter_source *adapters;  /* merged into the weights; NULL: none */
    struct slm_checkpoint_texts texts;
    const char *pooling_path;     /* folder of the module that pools; NULL: none */
    struct slm_buffer tokenizer;  /* section of the .slm file; length 0: none */
    struct slm_buffer vocabulary; /* its tokens as tries, made when the file is written */
    struct slm_sha256 hash;       /* has seen all files but the weights */
    uint64_t hashed;              /* bytes that it has seen */
    const char *prefix;           /* of tensor names in a composite or encoder: "language_model.", "bert." or ""; NULL: in others */
    const char *inner;            /* what "model." at their beginning reads: "model.language_model." or "model." */
    const char *vision_prefix, *projector_prefix; /* what "vision_tower." and "multi_modal_projector." at their beginning read */
    bool text_only;                               /* leave out the part that sees */
    uint32_t vision_tensors;                      /* left out */
    struct slm_target *targets;
    uint32_t target_count;
};

void slm__checkpoint_init(struct slm_checkpoint *checkpoint, const struct slm_import_context *context);
void slm__checkpoint_free(struct slm_checkpoint *checkpoint);

/* Copy a text into the checkpoint's arena. */
slm_status slm__checkpoint_keep(struct slm_checkpoint *checkpoint, struct slm_span text, struct slm_span *kept, slm_error *error);
/* The JSON object of the special tokens that templates name; an entry whose text has no data is left out. */
slm_status slm__checkpoint_keep_tokens(struct slm_checkpoint *checkpoint, const char *const *names, const struct slm_span *texts,
                                       size_t count, slm_error *error);

/* The source tensor that a rule's pattern names in a layer and expert, and its name; NULL: not there. */
struct slm_source_tensor *slm__checkpoint_find(const struct slm_checkpoint *checkpoint, const char *pattern, uint32_t layer,
                                               uint32_t expert, char name[SLM_SOURCE_NAME_BYTES]);
/* Find, check and account for every tensor. Needs configuration and tensors. */
slm_status slm__checkpoint_plan(struct slm_checkpoint *checkpoint, slm_error *error);

/* Where row `row` of heads' halves lies in heads of this width whose rows are pairs: j * width/2 + i comes from 2i + j. 0: there. */
static inline uint32_t slm__row_of_pairs(uint32_t width, uint32_t row)
{
    const uint32_t half = width / 2, inside = width != 0 ? row % width : 0;
    return width != 0 ? row - inside + 2 * (inside % half) + inside / half : row;
}

/* Bytes of scratch that the readers below need for this target. */
uint64_t slm__target_raw_bytes(const struct slm_target *target);
/* Row `row` of a matrix: cols floats. From any thread, each with its own scratch. */
slm_status slm__target_read_row(const struct slm_checkpoint *checkpoint, const struct slm_target *target, uint32_t row, uint8_t *raw,
                                float *out, slm_error *error);
/* A whole vector: rows floats. */
slm_status slm__target_read_vector(const struct slm_checkpoint *checkpoint, const struct slm_target *target, uint8_t *raw, float *out,
                                   slm_error *error);
/* The row just read, as w = step * (q - zero) for each 32 columns; false when it has no such form. */
bool slm__target_row_steps(const struct slm_target *target, uint32_t row, const uint8_t *raw, float *steps, float *zeros);
/* Whether a conversion of the matrix to this type keeps all codes, as far as its source types tell. */
bool slm__target_keeps_codes(const struct slm_target *target, enum slm_weight_type type);
/* Before reading a matrix's rows, and after: what has to be in memory meanwhile, for formats and adapters that are not read in rows. */
slm_status slm__target_hold(const struct slm_checkpoint *checkpoint, const struct slm_target *target, slm_error *error);
void slm__target_release(const struct slm_checkpoint *checkpoint, const struct slm_target *target);
/* Whether all parts are Q8_0, and then a row's stored blocks. */
bool slm__target_is_q8_0(const struct slm_target *target);
slm_status slm__target_read_blocks(const struct slm_checkpoint *checkpoint, const struct slm_target *target, uint32_t row, uint8_t *raw,
                                   slm_error *error);

#endif

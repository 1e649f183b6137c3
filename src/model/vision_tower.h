/* SPDX-License-Identifier: MIT */
/*
 * The part of a model that sees. An image is cut into square patches; a transformer without positions of its own, in which all patches see
 * each other, runs over them; squares of patches are averaged, normed and projected into the width of the text model: rows that stand
 * where the tokens of the image are.
 */
#ifndef SLM_MODEL_VISION_TOWER_H
#define SLM_MODEL_VISION_TOWER_H

#include "model/forward.h"    /* struct slm_workspace, struct slm_row */
#include "ops/image_resize.h" /* struct slm_image_resize */

struct slm_vision_tower {
    struct slm_transformer body; /* layers and final norm, no embedding, no head, no rotation */
    uint32_t image_size;         /* pixels a side */
    uint32_t patch_size;
    uint32_t side;        /* patches a side */
    uint32_t patches;     /* side^2 */
    uint32_t pool;        /* patches a side of the squares that are averaged */
    uint32_t tokens;      /* (side / pool)^2: rows that an image becomes */
    int32_t image_token;  /* what stands for each of them in a sequence of ids */
    uint32_t text_hidden; /* width of the text model */
    float projector_eps;
    struct slm_matrix patch_embed; /* [hidden, 3 patch_size^2]: channels, rows, columns */
    const float *patch_bias;       /* [hidden] */
    struct slm_matrix positions;   /* [patches, hidden] added to each patch */
    const float *projector_norm;   /* [hidden] */
    struct slm_matrix projector;   /* [text hidden, hidden] */
    const float *pixel_values;     /* [3][256] what each byte of a channel counts */
    struct slm_span marker;        /* what a chat template writes for an image; empty: it knows none */
    struct slm_span before, after; /* what the marker becomes: before, the image's tokens, after */
};

/* Read and check the traits and tensors of the file's tower into `tower`, whose body.layers has room for all layers. */
struct slm_tensor_binder;

slm_status slm__vision_bind(struct slm_vision_tower *tower, const struct slm_transformer *text, struct slm_tensor_binder *binder);

struct slm_vision_workspace {
    struct slm_workspace body;
    struct slm_image_resize resize;
    uint8_t *pages;       /* keys and values of one layer: no layer needs those of another */
    uint32_t *table;      /* page i is tile i */
    struct slm_row *rows; /* [patches] */
    float *patches;       /* [patches][patch stride] */
    float *pooled;        /* [tokens][hidden stride] */
    float *embeddings;    /* [tokens][text stride]: the result */
    void *packed;         /* packed activations of the patches and of the projector */
    uint32_t patch_stride, text_stride;
};

/* Lay a workspace out in `carver` (base NULL: count only), for a team of `threads`. */
void slm__vision_workspace_carve(struct slm_vision_workspace *workspace, struct slm_carver *carver, const struct slm_vision_tower *tower,
                                 uint32_t threads);

/* An image: bytes of any size, or values that are already what the tower takes. */
struct slm_vision_image {
    const uint8_t *rgb; /* [height] rows of 3 width bytes; NULL: values */
    uint64_t row_bytes;
    uint32_t width, height;
    const float *values; /* [3][image_size][image_size] */
};

struct slm_vision_forward {
    const struct slm_vision_tower *tower;
    const struct slm_kernels *kernels;
    struct slm_team *team;
    struct slm_vision_workspace *workspace;
    bool (*cancelled)(const void *context); /* polled once a layer; may be NULL */
    const void *cancel_context;
};

/* Fill workspace->embeddings. false: cancelled. Call it inside slm__team_run(). */
bool slm__vision_forward(const struct slm_vision_forward *forward, const struct slm_vision_image *image);

#endif

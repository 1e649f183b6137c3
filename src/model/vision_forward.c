/* SPDX-License-Identifier: MIT */
/*
 * From an image to rows of the text model:
 *
 *   patch p = pixel values of its square: channel by channel, row by row
 *   x_p = patch_embed patch_p + patch_bias + positions_p;  all layers, every patch seeing all;  h_p = final_norm(x_p)
 *   token t = projector rms_norm(sum of h_p over its square, row by row, times 1 / pool^2)
 */
#include "model/layers.h"       /* slm__forward_layers, slm__each_row, slm__norm_row */
#include "model/vision_tower.h" /* struct slm_vision_forward */
#include "ops/matmul.h"         /* slm__op_matmul */
#include <string.h>

void slm__vision_workspace_carve(struct slm_vision_workspace *w, struct slm_carver *carver, const struct slm_vision_tower *tower,
                                 uint32_t threads)
{
    const uint64_t tiles = (tower->patches + SLM_TILE - 1) / SLM_TILE;
    const uint64_t patch_packed = slm__op_packed_bytes(tower->patch_embed.type, tower->patch_embed.cols, tower->patches);
    const uint64_t token_packed = slm__op_packed_bytes(tower->projector.type, tower->projector.cols, tower->tokens);
    slm__workspace_carve(&w->body, carver, &tower->body, SLM_CACHE_F32, tower->patches, tower->patches, 0, threads);
    slm__image_resize_carve(&w->resize, carver, tower->image_size, threads);
    w->patch_stride = slm__padded_rows(tower->patch_embed.cols);
    w->text_stride = slm__padded_rows(tower->text_hidden);
    w->pages = slm__carve(carver, tiles * slm__kv_page_bytes(&tower->body, 0, SLM_CACHE_F32));
    w->table = slm__carve(carver, tiles * sizeof *w->table);
    w->rows = slm__carve(carver, tower->patches * sizeof *w->rows);
    w->patches = slm__carve(carver, (uint64_t)tower->patches * w->patch_stride * sizeof(float));
    w->pooled = slm__carve(carver, (uint64_t)tower->tokens * w->body.x_stride * sizeof(float));
    w->embeddings = slm__carve(carver, (uint64_t)tower->tokens * w->text_stride * sizeof(float));
    w->packed = slm__carve(carver, patch_packed > token_packed ? patch_packed : token_packed);
    if (w->table == NULL) {
        return;
    }
    for (uint32_t i = 0; i < tiles; i++) {
        w->table[i] = i;
    }
    for (uint32_t i = 0; i < tower->patches; i++) {
        w->rows[i] = (struct slm_row){.position = i, .end = tower->patches, .context = tower->patches, .tables = {w->table}};
    }
}

/* A tower at work on one image. */
struct vision_job {
    struct slm_layer_step step; /* first: slm__each_row() gives its address */
    const struct slm_vision_forward *vision;
    const struct slm_vision_image *image;
};

/* Pixel x, y of all channels goes to its patch. */
static void place_pixel(const struct slm_vision_forward *v, uint32_t x, uint32_t y, const float channels[3])
{
    const uint32_t size = v->tower->patch_size;
    float *patch = v->workspace->patches + (size_t)(y / size * v->tower->side + x / size) * v->workspace->patch_stride;
    for (uint32_t c = 0; c < 3; c++) {
        patch[(c * size + y % size) * size + x % size] = channels[c];
    }
}

/* Rows [begin, end) of the image in the tower's size. */
static void cut_rows(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct vision_job *job = context;
    const struct slm_vision_tower *tower = job->vision->tower;
    const uint32_t size = tower->image_size;
    for (uint32_t y = begin; y < end; y++) {
        const uint8_t *bytes = job->image->rgb != NULL ? slm__image_resize_row(&job->vision->workspace->resize, y, thread) : NULL;
        for (uint32_t x = 0; x < size; x++) {
            float channels[3];
            for (uint32_t c = 0; c < 3; c++) {
                channels[c] = bytes != NULL ? tower->pixel_values[256 * c + bytes[3 * (size_t)x + c]]
                                            : job->image->values[((size_t)c * size + y) * size + x];
            }
            place_pixel(job->vision, x, y, channels);
        }
    }
}

/* Products of the patches become rows of the residual stream. */
static void start_patches(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct vision_job *job = context;
    const struct slm_vision_tower *tower = job->vision->tower;
    const struct slm_kernels *kernels = job->vision->kernels;
    const struct slm_workspace *w = &job->vision->workspace->body;
    const uint32_t hidden = tower->body.hidden_size;
    (void)thread;
    for (uint32_t i = begin; i < end; i++) {
        float *x = w->x + (size_t)i * w->x_stride, *position = w->h + (size_t)i * w->h_stride;
        if (tower->patch_bias != NULL) {
            kernels->add(x, tower->patch_bias, hidden);
        }
        kernels->gather[tower->positions.type](&tower->positions, i, position);
        kernels->add(x, position, hidden);
    }
}

static void norm_patches(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct vision_job *job = context;
    const struct slm_workspace *w = &job->vision->workspace->body;
    const struct slm_transformer *body = &job->vision->tower->body;
    (void)thread;
    for (uint32_t i = begin; i < end; i++) {
        slm__norm_row(job->step.forward, w->x + (size_t)i * w->x_stride, &body->final_norm, body->hidden_size,
                      w->h + (size_t)i * w->h_stride);
    }
}

/* Averages of squares of patches, normed. */
static void pool_tokens(const struct slm_vision_forward *v)
{
    const struct slm_vision_tower *tower = v->tower;
    const struct slm_workspace *w = &v->workspace->body;
    const uint32_t hidden = tower->body.hidden_size, across = tower->side / tower->pool;
    const float share = 1.0f / (float)(tower->pool * tower->pool);
    for (uint32_t t = 0; t < tower->tokens; t++) {
        float *sum = v->workspace->pooled + (size_t)t * w->x_stride;
        memset(sum, 0, hidden * sizeof *sum);
        for (uint32_t i = 0; i < tower->pool * tower->pool; i++) {
            const uint32_t y = t / across * tower->pool + i / tower->pool, x = t % across * tower->pool + i % tower->pool;
            v->kernels->add(sum, w->h + (size_t)(y * tower->side + x) * w->h_stride, hidden);
        }
        v->kernels->scale(sum, sum, share, hidden);
        v->kernels->rms_norm(sum, tower->projector_norm, tower->projector_eps, hidden, sum);
    }
}

bool slm__vision_forward(const struct slm_vision_forward *v, const struct slm_vision_image *image)
{
    const struct slm_vision_tower *tower = v->tower;
    struct slm_vision_workspace *w = v->workspace;
    struct slm_forward forward = {.transformer = &tower->body,
                                  .kernels = v->kernels,
                                  .team = v->team,
                                  .workspace = &w->body,
                                  .pages = {w->pages},
                                  .cancelled = v->cancelled,
                                  .cancel_context = v->cancel_context};
    struct vision_job job = {{.forward = &forward, .rows = w->rows, .count = tower->patches}, v, image};
    if (image->rgb != NULL) {
        slm__image_resize_begin(&w->resize, image->rgb, image->row_bytes, image->width, image->height);
    }
    slm__team_for(v->team, tower->image_size, tower->image_size / 64 + 1, cut_rows, &job);
    slm__op_matmul(v->team, v->kernels, &tower->patch_embed, w->patches, w->patch_stride, tower->patches, w->body.x, w->body.x_stride,
                   w->packed, NULL);
    slm__each_row(&job.step, start_patches);
    if (!slm__forward_layers(&job.step)) {
        return false;
    }
    slm__each_row(&job.step, norm_patches);
    pool_tokens(v);
    slm__op_matmul(v->team, v->kernels, &tower->projector, w->pooled, w->body.x_stride, tower->tokens, w->embeddings, w->text_stride,
                   w->packed, NULL);
    return true;
}

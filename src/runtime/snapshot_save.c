/* SPDX-License-Identifier: MIT */
/* Writing a snapshot: the same code counts its bytes and writes them. */
#include "runtime/snapshot.h"

#include "base/byte_reader.h" /* slm__store_u32, slm__store_u64 */
#include "base/checksum.h"    /* slm__crc32c, struct slm_sha256 */
#include "ops/kv_tile.h"      /* slm__op_kv_clear */
#include <string.h>

struct writer {
    uint8_t *bytes; /* NULL: only count */
    uint64_t used;
};

static void put(struct writer *w, const void *bytes, size_t length)
{
    if (w->bytes != NULL && length > 0) {
        memcpy(w->bytes + w->used, bytes, length);
    }
    w->used += length;
}

static void put_u8(struct writer *w, uint8_t value) { put(w, &value, 1); }

static void put_u32(struct writer *w, uint32_t value)
{
    uint8_t bytes[4];
    slm__store_u32(bytes, value);
    put(w, bytes, sizeof bytes);
}

static void put_u64(struct writer *w, uint64_t value)
{
    uint8_t bytes[8];
    slm__store_u64(bytes, value);
    put(w, bytes, sizeof bytes);
}

static void put_f32(struct writer *w, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_u32(w, bits);
}

void slm__snapshot_model(const struct slm_runtime_model *model, char hex[65])
{
    const struct slm_weight_file *file = model->file;
    struct slm_sha256 hash;
    slm__sha256_init(&hash);
    slm__sha256_update(&hash, file->data, file->size < SLM_WEIGHT_FILE_HEADER ? (size_t)file->size : SLM_WEIGHT_FILE_HEADER);
    slm__sha256_update(&hash, file->metadata.data, file->metadata.length);
    slm__sha256_update(&hash, file->directory.data, file->directory.length);
    slm__sha256_hex(&hash, hex);
}

static void put_sampler(struct writer *w, const struct slm_sampler *sampler)
{
    const float numbers[] = {
        sampler->temperature,       sampler->top_p, sampler->min_p, sampler->penalties.repetition, sampler->penalties.frequency,
        sampler->penalties.presence};
    for (int i = 0; i < 4; i++) {
        put_u64(w, sampler->random.state[i]);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        put_f32(w, numbers[i]);
    }
    put_u32(w, sampler->top_k);
    put_u32(w, sampler->penalty_window);
    put_u32(w, sampler->bias_count);
    for (uint32_t i = 0; i < sampler->bias_count; i++) {
        put_u32(w, (uint32_t)sampler->bias[i].token);
        put_f32(w, sampler->bias[i].bias);
    }
}

static void put_text_state(struct writer *w, const struct slm_session *session)
{
    const struct slm_stop_strings *stop = &session->stop;
    const struct slm_token_stream *stream = &session->stream;
    put_u32(w, stop->count);
    for (uint32_t s = 0; s < stop->count; s++) {
        const uint32_t length = (uint32_t)stop->begin[s + 1] - stop->begin[s];
        put_u32(w, length);
        put(w, stop->strings + stop->begin[s], length);
    }
    put_u32(w, stop->used - stop->given);
    put(w, stop->buffer + stop->given, stop->used - stop->given);
    put(w, stream->held, sizeof stream->held);
    put_u8(w, stream->held_count);
    put_u8(w, stream->each_byte);
    put_u8(w, stream->broken);
    put_u8(w, stream->begun);
    put_u8(w, stream->text_begun);
    put_u8(w, stream->stripped);
}

/* The page of one tile, of which `length` positions are used. */
static void put_page(struct writer *w, const struct slm_session *session, uint32_t kv_class, uint32_t tile, uint32_t length)
{
    const struct slm_pool *pool = session->pool;
    const struct slm_kv_pages *pages = &pool->pages[kv_class];
    put(w, pages->base + session->kv[kv_class].table[tile] * pages->page_bytes, (size_t)pages->page_bytes);
    const struct slm_transformer *t = pool->model->transformer;
    for (uint32_t l = 0; w->bytes != NULL && length < SLM_TILE && l < t->layer_count; l++) {
        if (t->layers[l].kv_class == kv_class) {
            slm__op_kv_clear(pool->shape.kv_type, t->layers[l].head_dim, t->layers[l].kv_heads, length,
                             w->bytes + w->used - pages->page_bytes + pool->workspace.layer_offsets[l]);
        }
    }
}

static void put_head(struct writer *w, const struct slm_session *session, uint64_t total)
{
    char model[65];
    const struct slm_pool *pool = session->pool;
    slm__snapshot_model(pool->model, model);
    put(w, "SLMS", 4);
    put_u32(w, SLM_SNAPSHOT_VERSION);
    put_u64(w, total);
    put(w, model, 64);
    put_u32(w, (uint32_t)pool->shape.kv_type);
    put_u32(w, session->context);
    put_u32(w, session->flags);
    put_u32(w, session->max_tokens);
    put_u32(w, session->answered);
    put_u32(w, session->count);
    for (uint32_t c = 0; c < SLM_KV_CLASSES; c++) {
        put_u32(w, c < pool->model->transformer->kv_class_count ? session->kv[c].low : 0);
    }
}

static void put_session(struct writer *w, const struct slm_session *session, uint64_t total)
{
    const struct slm_transformer *t = session->pool->model->transformer;
    const uint32_t kept = slm__snapshot_kept(session->count);
    put_head(w, session, total);
    put_sampler(w, &session->sampler);
    put_text_state(w, session);
    put_u32(w, session->image_count);
    for (uint32_t i = 0; i < session->image_count; i++) {
        put_u32(w, session->images[i]);
    }
    put_u32(w, session->adapters.count);
    for (uint32_t i = 0; i < session->adapters.count; i++) {
        put_u64(w, session->adapters.uses[i].adapter->identity);
        put_f32(w, session->adapters.uses[i].weight);
    }
    for (uint32_t i = 0; i < session->count; i++) {
        put_u32(w, (uint32_t)session->tokens[i]);
    }
    for (uint32_t c = 0; c < t->kv_class_count; c++) {
        for (uint32_t tile = session->kv[c].low / SLM_TILE; tile < slm__kv_tiles(kept); tile++) {
            const uint32_t left = kept - tile * SLM_TILE;
            put_page(w, session, c, tile, left < SLM_TILE ? left : SLM_TILE);
        }
    }
    if (w->bytes != NULL) {
        slm__store_u32(w->bytes + w->used, slm__crc32c(0, w->bytes, (size_t)w->used));
    }
    w->used += 4;
}

slm_status slm__session_save(const struct slm_session *session, uint8_t *bytes, uint64_t capacity, uint64_t *needed, slm_error *error)
{
    struct writer counter = {NULL, 0};
    const uint32_t last = session->image_count > 0 ? session->images[session->image_count - 1] : 0;
    if (session->image_count > 0 && session->count == last + session->pool->model->transformer->vision->tokens) {
        return slm__fail(error, SLM_E_STATE, "the session ends in an image: append tokens before it is saved");
    }
    put_session(&counter, session, 0);
    *needed = counter.used;
    if (counter.used > capacity) {
        return slm__fail(error, SLM_E_BUFFER_TOO_SMALL, "the snapshot has %llu bytes, the buffer %llu", (unsigned long long)counter.used,
                         (unsigned long long)capacity);
    }
    struct writer w = {bytes, 0};
    put_session(&w, session, counter.used);
    return SLM_OK;
}

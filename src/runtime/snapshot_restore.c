/* SPDX-License-Identifier: MIT */
/* Reading a snapshot: everything is read and checked into a struct beside the session, then taken over at once. */
#include "runtime/snapshot.h"

#include "base/byte_reader.h"      /* struct slm_byte_reader */
#include "base/checksum.h"         /* slm__crc32c */
#include "runtime/prefix_cache.h"  /* slm__prefix_evict */
#include "runtime/session_cache.h" /* slm__session_keep, slm__window_first_tile */
#include <string.h>

struct restored {
    uint32_t context, flags, max_tokens, answered, count;
    uint32_t low[SLM_KV_CLASSES];
    struct slm_sampler sampler;
    struct slm_stop_strings stop;
    struct slm_token_stream stream;
    uint32_t image_count;
    const uint8_t *images; /* [image_count] u32 */
    const uint8_t *tokens; /* [count] i32 */
    const uint8_t *pages;
};

static float read_f32(struct slm_byte_reader *reader)
{
    const uint32_t bits = slm__read_u32(reader);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* ---- the whole */

static slm_status check_whole(const struct slm_session *session, const uint8_t *bytes, uint64_t length, slm_error *error)
{
    char model[65];
    if (length < SLM_SNAPSHOT_HEADER + 64 + 4) {
        return slm__fail(error, SLM_E_TRUNCATED, "the snapshot has %llu bytes, fewer than any can have", (unsigned long long)length);
    }
    if (memcmp(bytes, "SLMS", 4) != 0) {
        return slm__fail(error, SLM_E_BAD_MAGIC, "the bytes are no snapshot of a session: they do not begin with \"SLMS\"");
    }
    if (slm__load_u32(bytes + 4) != SLM_SNAPSHOT_VERSION) {
        return slm__fail(error, SLM_E_VERSION, "the snapshot has version %u, this library reads version %d", slm__load_u32(bytes + 4),
                         SLM_SNAPSHOT_VERSION);
    }
    if (slm__load_u64(bytes + 8) != length) {
        return slm__fail(error, SLM_E_TRUNCATED, "the snapshot says that it has %llu bytes, %llu are given",
                         (unsigned long long)slm__load_u64(bytes + 8), (unsigned long long)length);
    }
    if (length > SIZE_MAX || slm__crc32c(0, bytes, (size_t)length - 4) != slm__load_u32(bytes + length - 4)) {
        return slm__fail(error, SLM_E_CHECKSUM, "the snapshot's checksum does not match: it is damaged");
    }
    slm__snapshot_model(session->pool->model, model);
    if (memcmp(bytes + SLM_SNAPSHOT_HEADER, model, 64) != 0) {
        return slm__fail(error, SLM_E_BAD_VALUE, "the snapshot is of another model");
    }
    return SLM_OK;
}

/* ---- the parts */

static slm_status truncated(slm_error *error) { return slm__fail(error, SLM_E_TRUNCATED, "the snapshot ends inside one of its parts"); }

static slm_status read_sizes(const struct slm_session *session, struct slm_byte_reader *reader, struct restored *to, slm_error *error)
{
    const struct slm_transformer *t = session->pool->model->transformer;
    const uint32_t kv_type = slm__read_u32(reader);
    to->context = slm__read_u32(reader);
    to->flags = slm__read_u32(reader);
    to->max_tokens = slm__read_u32(reader);
    to->answered = slm__read_u32(reader);
    to->count = slm__read_u32(reader);
    if (kv_type != (uint32_t)session->pool->shape.kv_type) {
        return slm__fail(error, SLM_E_BAD_VALUE, "the snapshot's kv_type is %u, the session's %d", kv_type, session->pool->shape.kv_type);
    }
    if (to->count > session->context) {
        return slm__fail(error, SLM_E_CONTEXT_FULL, "the snapshot has %u tokens, the session's context is %u", to->count, session->context);
    }
    if (!slm__transformer_same_rope(t, to->context, session->context)) {
        return slm__fail(error, SLM_E_BAD_VALUE,
                         "the snapshot's context is %u and the session's %u: the model has other rotary frequencies for longer ones",
                         to->context, session->context);
    }
    if ((to->flags & ~(uint32_t)SLM_SESSION_FLAGS) != 0 || to->answered > to->count) {
        return slm__fail(error, SLM_E_BAD_VALUE, "the snapshot's flags are 0x%x, and %u of %u tokens answered", to->flags, to->answered,
                         to->count);
    }
    for (uint32_t c = 0; c < SLM_KV_CLASSES; c++) {
        to->low[c] = slm__read_u32(reader);
        const uint32_t window = c < t->kv_class_count ? t->windows[c] : 0, kept = slm__snapshot_kept(to->count);
        const bool possible =
            to->low[c] == 0 || (window > 0 && to->low[c] % SLM_TILE == 0 && to->low[c] < to->count && window <= to->count - to->low[c]);
        if (!possible || (window > 0 && to->low[c] / SLM_TILE < slm__window_first_tile(window, kept))) {
            return slm__fail(error, SLM_E_BAD_VALUE, "the snapshot keeps keys from position %u of %u", to->low[c], to->count);
        }
    }
    return SLM_OK;
}

static slm_status read_sampler(struct slm_byte_reader *reader, struct slm_sampler *sampler, uint32_t vocab, slm_error *error)
{
    struct slm_random random;
    slm_logit_bias bias[SLM_SAMPLER_BIAS_MAX];
    for (int i = 0; i < 4; i++) {
        random.state[i] = slm__read_u64(reader);
    }
    slm_sampling sampling = {.struct_size = sizeof sampling, .bias = bias};
    sampling.temperature = read_f32(reader);
    sampling.top_p = read_f32(reader);
    sampling.min_p = read_f32(reader);
    sampling.repetition_penalty = read_f32(reader);
    sampling.frequency_penalty = read_f32(reader);
    sampling.presence_penalty = read_f32(reader);
    sampling.top_k = slm__read_u32(reader);
    sampling.penalty_window = slm__read_u32(reader);
    sampling.bias_count = slm__read_u32(reader);
    for (uint64_t i = 0; i < sampling.bias_count && i < SLM_SAMPLER_BIAS_MAX; i++) {
        bias[i].token = (int32_t)slm__read_u32(reader);
        bias[i].bias = read_f32(reader);
    }
    SLM_TRY(reader->failed ? truncated(error) : slm__sampler_init(sampler, &sampling, vocab, error));
    sampler->random = random;
    return SLM_OK;
}

static slm_status read_stop(struct slm_byte_reader *reader, struct slm_stop_strings *stop, slm_error *error)
{
    slm_string list[SLM_STOP_STRINGS_MAX];
    struct slm_span certain = {NULL, 0};
    bool found = false;
    const uint32_t count = slm__read_u32(reader);
    for (uint32_t i = 0; i < count && i < SLM_STOP_STRINGS_MAX; i++) {
        list[i].length = slm__read_u32(reader);
        list[i].text = (const char *)slm__read_bytes(reader, list[i].length);
    }
    const uint32_t held = slm__read_u32(reader);
    const uint8_t *text = slm__read_bytes(reader, held);
    SLM_TRY(reader->failed ? truncated(error) : slm__stop_strings_init(stop, list, count, error));
    if (held > SLM_STOP_STRINGS_BYTES || slm__stop_strings_push(stop, slm__span(text, held), &certain, &found) != SLM_OK || found ||
        certain.length > 0) {
        return slm__fail(error, SLM_E_BAD_VALUE, "the snapshot holds back %u bytes that no stop string begins with", held);
    }
    return SLM_OK;
}

static slm_status read_stream(struct slm_byte_reader *reader, struct slm_token_stream *stream, slm_error *error)
{
    slm__token_stream_init(stream);
    const uint8_t *b = slm__read_bytes(reader, 9);
    if (b == NULL) {
        return truncated(error);
    }
    memcpy(stream->held, b, sizeof stream->held);
    stream->held_count = b[3];
    stream->each_byte = b[4] == 1;
    stream->broken = b[5] == 1;
    stream->begun = b[6] == 1;
    stream->text_begun = b[7] == 1;
    stream->stripped = b[8];
    return b[3] <= SLM_TOKEN_STREAM_HELD && b[4] <= 1 && b[5] <= 1 && b[6] <= 1 && b[7] <= 1
               ? SLM_OK
               : slm__fail(error, SLM_E_BAD_VALUE, "the snapshot's text state is none that can be");
}

/* Images lie one behind the other, and text behind the last. */
static slm_status read_images(const struct slm_session *session, struct slm_byte_reader *reader, struct restored *to, slm_error *error)
{
    const struct slm_vision_tower *vision = session->pool->model->transformer->vision;
    uint64_t free_from = 0;
    to->image_count = slm__read_u32(reader);
    to->images = slm__read_bytes(reader, (uint64_t)to->image_count * 4);
    if (to->images == NULL) {
        return truncated(error);
    }
    for (uint32_t i = 0; i < to->image_count; i++) {
        const uint32_t begin = slm__load_u32(to->images + (size_t)i * 4);
        const uint64_t end = (uint64_t)begin + (vision != NULL ? vision->tokens : 0);
        if (vision == NULL || begin < free_from || end >= to->count) {
            return slm__fail(error, SLM_E_BAD_VALUE, "the snapshot has an image at token %u of %u, where none can be", begin, to->count);
        }
        free_from = end;
    }
    return SLM_OK;
}

/* The session has the adapters that the snapshot was made with. */
static slm_status check_adapters(const struct slm_session *session, struct slm_byte_reader *reader, slm_error *error)
{
    const struct slm_adapter_list *list = &session->adapters;
    const uint32_t count = slm__read_u32(reader);
    bool same = count == list->count;
    for (uint32_t i = 0; i < list->count && same; i++) {
        const uint64_t identity = slm__read_u64(reader);
        same = identity == list->uses[i].adapter->identity && read_f32(reader) == list->uses[i].weight;
    }
    return same ? SLM_OK
                : slm__fail(error, SLM_E_BAD_VALUE,
                            "the snapshot was made with %u adapters, the session has %u, or others, or other weights: set the same first",
                            count, list->count);
}

/* What is left has to be tokens, pages and checksum. */
static slm_status read_rest(const struct slm_session *session, struct slm_byte_reader *reader, struct restored *to, slm_error *error)
{
    const struct slm_transformer *t = session->pool->model->transformer;
    uint64_t bytes = 4;
    to->tokens = slm__read_bytes(reader, (uint64_t)to->count * 4);
    for (uint32_t i = 0; to->tokens != NULL && i < to->count; i++) {
        if (slm__load_u32(to->tokens + (size_t)i * 4) >= t->vocab_size) {
            return slm__fail(error, SLM_E_BAD_TOKEN, "token %u of the snapshot is %u, the vocabulary has ids 0 .. %u", i,
                             slm__load_u32(to->tokens + (size_t)i * 4), t->vocab_size - 1);
        }
    }
    for (uint32_t c = 0; c < t->kv_class_count; c++) {
        const uint32_t tiles = slm__kv_tiles(slm__snapshot_kept(to->count)), first = to->low[c] / SLM_TILE;
        bytes += (tiles > first ? tiles - first : 0) * session->pool->pages[c].page_bytes;
    }
    if (reader->failed || slm__reader_left(reader) != bytes) {
        return truncated(error);
    }
    to->pages = reader->data + reader->position;
    return SLM_OK;
}

static slm_status read_snapshot(const struct slm_session *session, const uint8_t *bytes, uint64_t length, struct restored *to,
                                slm_error *error)
{
    struct slm_byte_reader reader = slm__reader(bytes, length);
    SLM_TRY(check_whole(session, bytes, length, error));
    (void)slm__read_bytes(&reader, SLM_SNAPSHOT_HEADER + 64);
    SLM_TRY(read_sizes(session, &reader, to, error));
    SLM_TRY(read_sampler(&reader, &to->sampler, session->pool->model->transformer->vocab_size, error));
    SLM_TRY(read_stop(&reader, &to->stop, error));
    SLM_TRY(read_stream(&reader, &to->stream, error));
    SLM_TRY(read_images(session, &reader, to, error));
    SLM_TRY(check_adapters(session, &reader, error));
    return read_rest(session, &reader, to, error);
}

/* ---- taking over */

/* Whether there will be pages enough once the session has given up its own; kept prefixes give way. */
static bool enough_pages(const struct slm_session *session, uint32_t kept)
{
    struct slm_pool *pool = session->pool;
    for (uint32_t c = 0; c < pool->model->transformer->kv_class_count; c++) {
        const struct slm_kv_sequence *kv = &session->kv[c];
        while (pool->model->transformer->windows[c] == 0) { /* the plan has room for windows */
            uint32_t own = 0;
            for (uint32_t tile = 0; tile < kv->tiles; tile++) {
                own += kv->table[tile] != SLM_NO_PAGE && pool->pages[c].references[kv->table[tile]] == 1 ? 1 : 0;
            }
            if (pool->pages[c].free_count + own >= slm__kv_tiles(kept)) {
                break;
            }
            if (!slm__prefix_evict(pool)) {
                return false;
            }
        }
    }
    return true;
}

static void take_pages(struct slm_session *session, const struct restored *from)
{
    struct slm_pool *pool = session->pool;
    const uint32_t kept = slm__snapshot_kept(from->count);
    const uint8_t *bytes = from->pages;
    slm__session_keep(session, 0);
    for (uint32_t c = 0; c < pool->model->transformer->kv_class_count; c++) {
        struct slm_kv_sequence *kv = &session->kv[c];
        struct slm_kv_pages *pages = &pool->pages[c];
        for (kv->tiles = 0; kv->tiles < slm__kv_tiles(kept); kv->tiles++) {
            if (kv->tiles < from->low[c] / SLM_TILE) {
                kv->table[kv->tiles] = SLM_NO_PAGE;
                continue;
            }
            const uint32_t page = slm__kv_pages_take(pages);
            memcpy(pages->base + page * pages->page_bytes, bytes, (size_t)pages->page_bytes);
            bytes += pages->page_bytes;
            kv->table[kv->tiles] = page;
        }
        kv->low = from->low[c];
        kv->length = kept;
    }
    session->computed = kept;
}

slm_status slm__session_restore(struct slm_session *session, const uint8_t *bytes, uint64_t length, slm_error *error)
{
    struct restored from;
    SLM_TRY(read_snapshot(session, bytes, length, &from, error));
    if (!enough_pages(session, slm__snapshot_kept(from.count))) {
        return slm__fail(error, SLM_E_POOL_FULL, "the pool has too few free KV pages for the snapshot's %u tokens", from.count);
    }
    take_pages(session, &from);
    for (uint32_t i = 0; i < from.count; i++) {
        session->tokens[i] = (int32_t)slm__load_u32(from.tokens + (size_t)i * 4);
    }
    for (uint32_t i = 0; i < from.image_count; i++) {
        session->images[i] = slm__load_u32(from.images + (size_t)i * 4);
    }
    session->image_count = from.image_count;
    session->count = from.count;
    session->flags = from.flags;
    session->max_tokens = from.max_tokens;
    session->answered = from.answered;
    session->reused = 0;
    session->logits_valid = false;
    session->sampler = from.sampler;
    session->stop = from.stop;
    session->stream = from.stream;
    slm__speculation_init(&session->guesses, session->guesses.most);
    slm__constraint_restart(session);
    return SLM_OK;
}

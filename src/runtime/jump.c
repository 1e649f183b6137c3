/* SPDX-License-Identifier: MIT */
/* What has to follow, in the tokenizer's own tokens. */
#include "runtime/jump.h"
#include "runtime/session.h" /* struct slm_session */
#include <string.h>

enum { JUMP_BYTES = 512 };

/* Memory for tokenizing, from a block and never given back. */
struct scratch {
    uint8_t *base;
    size_t used;
    size_t size;
};

static void *take_scratch(void *user, uint64_t bytes, uint64_t alignment)
{
    struct scratch *scratch = user;
    const uint64_t start = slm__round_up(scratch->used, alignment);
    if (bytes > scratch->size || start > scratch->size - bytes) {
        return NULL;
    }
    scratch->used = (size_t)(start + bytes);
    return scratch->base + start;
}

static void keep_scratch(void *user, void *memory, uint64_t bytes) { (void)user, (void)memory, (void)bytes; }

/* The ids stand for exactly these bytes. */
static bool same_bytes(const struct slm_tokenizer *tokenizer, const int32_t *ids, uint64_t count, struct slm_span bytes)
{
    size_t at = 0;
    for (uint64_t i = 0; i < count; i++) {
        struct slm_span token;
        uint32_t flags;
        if (slm__tokenizer_token_bytes(tokenizer, ids[i], &token, &flags) != SLM_OK || (flags & SLM_TOKEN_SPECIAL) != 0 ||
            token.length > bytes.length - at || memcmp(bytes.data + at, token.data, token.length) != 0) {
            return false;
        }
        at += token.length;
    }
    return at == bytes.length;
}

uint32_t slm__jump_tokens(struct slm_session *session, int32_t ids[SLM_JUMP_TOKENS])
{
    struct slm_token_matcher *matcher = &session->constraint.matcher;
    const struct slm_runtime_model *model = session->pool->model;
    uint8_t bytes[JUMP_BYTES];
    size_t length = 0;
    uint64_t count = 0;
    /* of nobody now: it is sampling's */
    struct scratch scratch = {session->pool->sampler_scratch, 0, slm__sampler_scratch_bytes(model->transformer->vocab_size)};
    const struct slm_memory memory = {take_scratch, keep_scratch, &scratch};
    /* Each byte that has to come is on the shortest way too; so with a token for each byte of that, no jump leaves too few. */
    if (slm__match_cost(&matcher->states, matcher->current) > slm__constraint_left(session) ||
        slm__matcher_forced(matcher, bytes, sizeof bytes, &length, NULL) != SLM_OK || length < 2) {
        return 0;
    }
    const struct slm_span forced = slm__span(bytes, length);
    if (slm__tokenizer_encode(model->tokenizer, &memory, forced, SLM_TOKENIZE_PLAIN, ids, SLM_JUMP_TOKENS, &count, NULL) != SLM_OK ||
        count < 2 || !same_bytes(model->tokenizer, ids, count, forced)) {
        return 0;
    }
    return (uint32_t)count - 1;
}

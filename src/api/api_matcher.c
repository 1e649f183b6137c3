/* SPDX-License-Identifier: MIT */
/* Matchers: a grammar followed token by token, for programs with a loop of their own. */
#include "api/handles.h"
#include "grammar/token_matcher.h" /* struct slm_token_matcher */

enum { USUAL_HISTORY = 4096 };

struct slm_matcher {
    struct slm_model *model;
    struct slm_grammar *grammar;
    struct slm_token_matcher tokens;
    int32_t *history; /* [capacity]: tokens read */
    uint32_t count;
    uint32_t capacity;
    void *block; /* what was allocated; NULL: the caller's */
    uint64_t block_bytes;
};

/* ---- Creating */

static void carve(struct slm_carver *carver, uint64_t matcher_bytes, struct slm_matcher **matcher, void **states, uint32_t history)
{
    *matcher = slm__carve(carver, sizeof **matcher);
    int32_t *tokens = slm__carve(carver, history * sizeof *tokens);
    *states = slm__carve(carver, matcher_bytes);
    if (*matcher != NULL) {
        (*matcher)->history = tokens;
    }
}

static slm_status check(slm_model *model, slm_grammar *grammar, const slm_matcher_options *options, slm_matcher_options *known,
                        const struct slm_vocabulary **vocabulary, slm_error *error)
{
    SLM_TRY(slm__require(model, "model", error));
    SLM_TRY(slm__require(grammar, "grammar", error));
    SLM_TRY(slm__options_in(known, sizeof *known, options, error));
    known->history = known->history != 0 ? known->history : USUAL_HISTORY;
    return slm__model_vocabulary(model, vocabulary, error);
}

slm_status slm_matcher_plan(slm_model *model, slm_grammar *grammar, const slm_matcher_options *options, uint64_t *bytes, slm_error *error)
{
    SLM_REQUIRE_PART(GRAMMAR, "grammars", error);
    slm_matcher_options known;
    const struct slm_vocabulary *vocabulary;
    struct slm_matcher *matcher;
    void *states;
    struct slm_carver carver = {NULL, 0};
    SLM_TRY(slm__require(bytes, "bytes", error));
    SLM_TRY(check(model, grammar, options, &known, &vocabulary, error));
    carve(&carver, slm__matcher_bytes(grammar, vocabulary, known.cache_bytes), &matcher, &states, known.history);
    *bytes = carver.used;
    return SLM_OK;
}

slm_status slm_matcher_create(slm_model *model, slm_grammar *grammar, const slm_matcher_options *options, slm_matcher **result,
                              slm_error *error)
{
    SLM_REQUIRE_PART(GRAMMAR, "grammars", error);
    slm_matcher_options known;
    const struct slm_vocabulary *vocabulary;
    uint64_t bytes = 0;
    SLM_TRY(slm__require(result, "matcher", error));
    SLM_TRY(check(model, grammar, options, &known, &vocabulary, error));
    SLM_TRY(slm_matcher_plan(model, grammar, options, &bytes, error));
    if (known.block != NULL && (known.block_bytes < bytes || (uintptr_t)known.block % 64 != 0)) {
        return slm__fail(error, SLM_E_ARGUMENT, "the block has %llu bytes; this matcher needs %llu at a multiple of 64",
                         (unsigned long long)known.block_bytes, (unsigned long long)bytes);
    }
    void *block = known.block != NULL ? known.block : slm__allocate(&model->engine->memory, (size_t)bytes, 64);
    if (block == NULL) {
        return slm__fail_memory(error, bytes);
    }
    struct slm_carver carver = {block, 0};
    struct slm_matcher *matcher = block;
    void *states;
    *matcher = (struct slm_matcher){.model = model, .grammar = grammar, .capacity = known.history, .block_bytes = bytes};
    matcher->block = known.block == NULL ? block : NULL;
    carve(&carver, slm__matcher_bytes(grammar, vocabulary, known.cache_bytes), &matcher, &states, known.history);
    const slm_status status = slm__matcher_begin(&matcher->tokens, grammar, vocabulary, model->transformer.eos_tokens,
                                                 model->transformer.eos_count, states, known.cache_bytes, error);
    if (status != SLM_OK) {
        slm__release(&model->engine->memory, matcher->block, (size_t)bytes);
        return status;
    }
    atomic_fetch_add(&model->users, 1);
    atomic_fetch_add(&grammar->users, 1);
    *result = matcher;
    return SLM_OK;
}

slm_status slm_matcher_destroy(slm_matcher *matcher)
{
    if (matcher != NULL) {
        struct slm_model *model = matcher->model;
        atomic_fetch_sub(&matcher->grammar->users, 1);
        slm__release(&model->engine->memory, matcher->block, (size_t)matcher->block_bytes);
        atomic_fetch_sub(&model->users, 1);
    }
    return SLM_OK;
}

/* ---- Moving */

/* Read tokens; `ended`: the token before them ended the text. An end token is taken where the match is complete; nothing follows it. */
static slm_status read_tokens(struct slm_matcher *matcher, bool ended, const int32_t *tokens, uint64_t count, slm_error *error)
{
    for (uint64_t i = 0; i < count; i++) {
        struct slm_span bytes;
        uint32_t flags;
        size_t taken = 0;
        if (ended) {
            return slm__fail(error, SLM_E_BAD_TOKEN, "token %d follows one that ended the text", tokens[i]);
        }
        if (slm__matcher_is_end(&matcher->tokens, tokens[i])) {
            if (!slm__matcher_complete(&matcher->tokens)) {
                return slm__fail(error, SLM_E_BAD_TOKEN, "token %d ends the text, which is not complete", tokens[i]);
            }
            ended = true;
            continue;
        }
        if (slm__tokenizer_token_bytes(&matcher->model->tokenizer, tokens[i], &bytes, &flags) != SLM_OK) {
            return slm__fail(error, SLM_E_BAD_TOKEN, "token %d is not in the vocabulary", tokens[i]);
        }
        if ((flags & (SLM_TOKEN_SPECIAL | SLM_TOKEN_UNUSED)) != 0 || bytes.length == 0) {
            return slm__fail(error, SLM_E_BAD_TOKEN, "token %d has no text; the grammar does not allow it", tokens[i]);
        }
        SLM_TRY(slm__matcher_read(&matcher->tokens, bytes, &taken, error));
        if (taken < bytes.length) {
            return slm__fail(error, SLM_E_BAD_TOKEN, "the grammar does not allow token %d here", tokens[i]);
        }
    }
    return SLM_OK;
}

/* The last token ended the text. */
static bool has_ended(const struct slm_matcher *matcher)
{
    return matcher->count > 0 && slm__matcher_is_end(&matcher->tokens, matcher->history[matcher->count - 1]);
}

slm_status slm_matcher_accept(slm_matcher *matcher, const int32_t *tokens, uint64_t count, slm_error *error)
{
    SLM_REQUIRE_PART(GRAMMAR, "grammars", error);
    SLM_TRY(slm__require(matcher, "matcher", error));
    if (count == 0) {
        return SLM_OK;
    }
    SLM_TRY(slm__require(tokens, "tokens", error));
    if (count > matcher->capacity - matcher->count) {
        return slm__fail(error, SLM_E_CONTEXT_FULL, "the matcher holds %u tokens; its history of %u has no room for %llu more",
                         matcher->count, matcher->capacity, (unsigned long long)count);
    }
    const slm_status status = read_tokens(matcher, has_ended(matcher), tokens, count, error);
    if (status != SLM_OK) {
        return slm_matcher_rewind(matcher, matcher->count, NULL) == SLM_OK ? status : SLM_E_INTERNAL;
    }
    memcpy(matcher->history + matcher->count, tokens, (size_t)count * sizeof *tokens);
    matcher->count += (uint32_t)count;
    return SLM_OK;
}

slm_status slm_matcher_rewind(slm_matcher *matcher, uint64_t tokens, slm_error *error)
{
    SLM_REQUIRE_PART(GRAMMAR, "grammars", error);
    SLM_TRY(slm__require(matcher, "matcher", error));
    if (tokens > matcher->count) {
        return slm__fail(error, SLM_E_ARGUMENT, "tokens is %llu; the matcher holds %u", (unsigned long long)tokens, matcher->count);
    }
    slm__matcher_restart(&matcher->tokens);
    SLM_TRY(read_tokens(matcher, false, matcher->history, tokens, error));
    matcher->count = (uint32_t)tokens;
    return SLM_OK;
}

slm_status slm_matcher_copy(slm_matcher *matcher, const slm_matcher *from, slm_error *error)
{
    SLM_REQUIRE_PART(GRAMMAR, "grammars", error);
    SLM_TRY(slm__require(matcher, "matcher", error));
    SLM_TRY(slm__require(from, "from", error));
    if (matcher->grammar != from->grammar || matcher->model != from->model) {
        return slm__fail(error, SLM_E_ARGUMENT, "the matchers are not of one grammar and one model");
    }
    if (matcher->capacity < from->count) {
        return slm__fail(error, SLM_E_ARGUMENT, "the history of %u has no room for the %u tokens of the other matcher", matcher->capacity,
                         from->count);
    }
    SLM_TRY(slm__matcher_take(&matcher->tokens, &from->tokens, error));
    memcpy(matcher->history, from->history, from->count * sizeof *from->history);
    matcher->count = from->count;
    return SLM_OK;
}

/* ---- Asking */

slm_status slm_matcher_mask(slm_matcher *matcher, const uint8_t **mask, uint64_t *bytes, slm_error *error)
{
    SLM_REQUIRE_PART(GRAMMAR, "grammars", error);
    SLM_TRY(slm__require(matcher, "matcher", error));
    SLM_TRY(slm__require(mask, "mask", error));
    SLM_TRY(slm__require(bytes, "bytes", error));
    *bytes = matcher->tokens.vocabulary->mask_bytes;
    return slm__matcher_mask(&matcher->tokens, mask, error);
}

slm_status slm_matcher_forced(slm_matcher *matcher, char *text, uint64_t capacity, uint64_t *needed, slm_error *error)
{
    SLM_REQUIRE_PART(GRAMMAR, "grammars", error);
    uint8_t bytes[4096];
    size_t count = 0;
    SLM_TRY(slm__require(matcher, "matcher", error));
    SLM_TRY(slm__require(needed, "needed", error));
    SLM_TRY(slm__matcher_forced(&matcher->tokens, bytes, sizeof bytes, &count, error));
    return slm__copy_out(slm__span(bytes, count), text, capacity, needed, error);
}

slm_status slm_matcher_get_info(const slm_matcher *matcher, slm_matcher_info *info, slm_error *error)
{
    SLM_REQUIRE_PART(GRAMMAR, "grammars", error);
    SLM_TRY(slm__require(matcher, "matcher", error));
    SLM_TRY(slm__require(info, "info", error));
    const slm_matcher_info known = {.struct_size = sizeof known,
                                    .tokens = matcher->count,
                                    .complete = slm__matcher_complete(&matcher->tokens),
                                    .finished = has_ended(matcher) || slm__matcher_finished(&matcher->tokens),
                                    .shortest = slm__match_cost(&matcher->tokens.states, matcher->tokens.current)};
    return slm__struct_out(info, &known, sizeof known, error);
}

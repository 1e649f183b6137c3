/* SPDX-License-Identifier: MIT */
/* The same pipeline that Hugging Face's conversion of such files writes into a tokenizer.json. */
#include "import/sentencepiece_vocabulary.h"

#include "import/split_merges.h"  /* slm__split_merges */
#include "text/text_vocabulary.h" /* slm__tokenizer_spec_from_texts */

static const char MARK[] = "\xE2\x96\x81"; /* U+2581 */

static slm_status add_step(struct slm_tokenizer_spec *spec, uint32_t stage, uint32_t kind, uint32_t value, const char *text,
                           const char *second, slm_error *error)
{
    if (!slm__tokenizer_spec_step(spec, stage, kind, value)) {
        return slm__fail(error, SLM_E_LIMIT, "the pipeline has more than %d steps", SLM_TOKENIZER_SPEC_STEPS);
    }
    spec->steps[spec->step_count - 1].text = slm__span_text(text);
    spec->steps[spec->step_count - 1].second = slm__span_text(second);
    return SLM_OK;
}

static slm_status add_pipeline(struct slm_tokenizer_spec *spec, bool space_prefix, slm_error *error)
{
    if (space_prefix) {
        SLM_TRY(add_step(spec, SLM_TOKENIZER_NORMALIZER, SLM_NORMALIZER_PREPEND, 0, MARK, "", error));
    }
    SLM_TRY(add_step(spec, SLM_TOKENIZER_NORMALIZER, SLM_NORMALIZER_REPLACE, SLM_REPLACE_EACH, " ", MARK, error));
    SLM_TRY(add_step(spec, SLM_TOKENIZER_DECODER, SLM_DECODER_BYTE_FALLBACK, 0, "", "", error));
    return space_prefix ? add_step(spec, SLM_TOKENIZER_DECODER, SLM_DECODER_STRIP, 1, " ", "", error) : SLM_OK;
}

/* Unknown, control and user-defined pieces that `pieces` does not list itself. */
static slm_status add_added(const struct slm_sentencepiece *pieces, struct slm_arena *arena, struct slm_tokenizer_spec *spec,
                            slm_error *error)
{
    struct slm_tokenizer_added *added = slm__arena_take(arena, ((size_t)pieces->count + pieces->added_count) * sizeof *added);
    uint8_t *listed = slm__arena_take(arena, pieces->count);
    if (added == NULL || listed == NULL) {
        return slm__arena_failure(arena, error);
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < pieces->added_count; i++) {
        listed[pieces->added[i].id] = 1;
        added[count++] = pieces->added[i];
    }
    for (uint32_t id = 0; id < pieces->count; id++) {
        uint8_t type = pieces->types[id];
        bool special = type == SLM_PIECE_UNKNOWN || type == SLM_PIECE_CONTROL;
        spec->unknown = type == SLM_PIECE_UNKNOWN && spec->unknown == SLM_TOKENIZER_NONE ? id : spec->unknown;
        if ((special || type == SLM_PIECE_USER) && listed[id] == 0 && pieces->texts[id].length > 0) {
            struct slm_tokenizer_added entry = {id, special ? (uint32_t)SLM_ADDED_SPECIAL : 0, pieces->texts[id]};
            added[count++] = entry;
        }
    }
    spec->added = added;
    spec->added_count = count;
    return SLM_OK;
}

slm_status slm__tokenizer_spec_from_pieces(const struct slm_sentencepiece *pieces, struct slm_arena *arena, struct slm_tokenizer_spec *spec,
                                           slm_error *error)
{
    struct slm_text_vocabulary vocabulary;
    memset(&vocabulary, 0, sizeof vocabulary);
    struct slm_gpt2_token *tokens = slm__arena_take(arena, (size_t)pieces->count * sizeof *tokens);
    uint8_t *parts = slm__arena_take(arena, pieces->count);
    if (tokens == NULL || parts == NULL) {
        return slm__arena_failure(arena, error);
    }
    for (uint32_t id = 0; id < pieces->count; id++) {
        uint8_t type = pieces->types[id];
        tokens[id].text = pieces->texts[id];
        tokens[id].in_model = tokens[id].text.data != NULL && id < pieces->model_count;
        parts[id] = type == SLM_PIECE_NORMAL || type == SLM_PIECE_USER || type == SLM_PIECE_UNUSED;
        spec->model_flags |= type == SLM_PIECE_BYTE ? SLM_TOKENIZER_BYTE_FALLBACK : 0;
    }
    struct slm_normalizer mark = {SLM_NORMALIZER_REPLACE, SLM_REPLACE_EACH, slm__span_text(MARK), slm__span_text(" ")};
    vocabulary.tokens = tokens;
    vocabulary.token_count = pieces->count;
    vocabulary.replaces[0] = mark;
    vocabulary.replace_count = 1;
    vocabulary.byte_tokens = true;
    spec->model = SLM_TOKENIZER_BPE;
    spec->model_flags |= SLM_TOKENIZER_FUSE_UNKNOWN;
    SLM_TRY(add_added(pieces, arena, spec, error));
    SLM_TRY(add_pipeline(spec, pieces->space_prefix, error));
    SLM_TRY(slm__tokenizer_spec_from_texts(&vocabulary, arena, spec, error));
    struct slm_vocabulary_index index;
    SLM_TRY(slm__vocabulary_index_make(tokens, pieces->count, arena, &index, error));
    return slm__split_merges(&index, pieces->scores, parts, true, arena, spec, error);
}

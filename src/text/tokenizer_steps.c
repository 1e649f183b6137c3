/* SPDX-License-Identifier: MIT */
/* What each kind of step may have as value and texts, and which may stand together. */
#include "text/tokenizer_steps.h"

#include "base/utf8.h" /* slm__utf8_valid_prefix */

enum { SHORT_TEXT = 64 }; /* bytes of a separator, a prefix of tokens */

static const uint8_t *step_at(const struct slm_tokenizer *t, uint64_t index)
{
    return t->tables[SLM_TOKENIZER_STEPS] + index * SLM_TOKENIZER_STEP_BYTES;
}

struct slm_normalizer slm__tokenizer_normalizer(const struct slm_tokenizer *tokenizer, uint32_t index)
{
    const uint8_t *step = step_at(tokenizer, index);
    struct slm_normalizer result = {slm__load_u32(step + 4), slm__load_u32(step + 12), slm__tokenizer_step_text(tokenizer, step, 16),
                                    slm__tokenizer_step_text(tokenizer, step, 24)};
    return result;
}

struct slm_pretokenizer slm__tokenizer_pretokenizer(const struct slm_tokenizer *tokenizer, uint32_t index)
{
    const uint8_t *step = step_at(tokenizer, index);
    struct slm_pretokenizer result = {slm__load_u32(step + 4), slm__load_u32(step + 12), slm__tokenizer_step_text(tokenizer, step, 16)};
    return result;
}

static bool short_text(struct slm_span text)
{
    return text.length > 0 && text.length <= SHORT_TEXT && slm__utf8_valid_prefix(text) == text.length;
}

static bool pretokenizer_known(const struct slm_pretokenizer *step)
{
    switch (step->kind) {
    case SLM_PRETOKENIZER_REGEX:
        return step->value >= SLM_SPLIT_GPT2 && step->value < (SLM_WITH_VARIANTS ? SLM_SPLIT_END : SLM_SPLIT_THREE_DIGITS);
    case SLM_PRETOKENIZER_DIGITS: return step->value < SLM_DIGITS_END;
    case SLM_PRETOKENIZER_PUNCTUATION: return SLM_WITH_VARIANTS && step->value <= 1;
    case SLM_PRETOKENIZER_WHITESPACE:
    case SLM_PRETOKENIZER_BERT: return SLM_WITH_VARIANTS && step->value == 0;
    case SLM_PRETOKENIZER_METASPACE:
        return (step->value & SLM_METASPACE_SCHEME) <= SLM_METASPACE_ALWAYS && step->value <= SLM_METASPACE_SPLIT + SLM_METASPACE_ALWAYS &&
               short_text(step->text);
    case SLM_PRETOKENIZER_STRING: return step->value <= SLM_STRING_WITH_NEXT && short_text(step->text);
    default: return false;
    }
}

/* A first decoder, or Strip behind the one of byte fallback. */
static bool decoder_known(const struct slm_tokenizer *t, uint32_t kind, uint32_t value, struct slm_span text)
{
    bool byte_level = (t->model_flags & SLM_TOKENIZER_BYTE_LEVEL) != 0;
    switch (kind) {
    case SLM_DECODER_BYTE_LEVEL: return byte_level && value == 0;
    case SLM_DECODER_BYTE_FALLBACK: return !byte_level && value == 0;
    case SLM_DECODER_STRIP: return t->decoder == SLM_DECODER_BYTE_FALLBACK && value > 0 && value < 256 && short_text(text);
    case SLM_DECODER_METASPACE: return SLM_WITH_VARIANTS && !byte_level && value <= 1 && short_text(text);
    case SLM_DECODER_WORDPIECE: return SLM_WITH_VARIANTS && !byte_level && value <= 1;
    default: return false;
    }
}

/* Whether the step is known here; decoders and parameters are taken over. */
static bool take_step(struct slm_tokenizer *t, uint32_t index, uint32_t stage)
{
    const uint8_t *step = step_at(t, index);
    uint32_t kind = slm__load_u32(step + 4);
    uint32_t value = slm__load_u32(step + 12);
    struct slm_span text = slm__tokenizer_step_text(t, step, 16);
    if (stage == SLM_TOKENIZER_NORMALIZER) {
        struct slm_normalizer normalizer = slm__tokenizer_normalizer(t, index);
        return slm__normalizer_known(&normalizer);
    }
    if (stage == SLM_TOKENIZER_PRETOKENIZER) {
        struct slm_pretokenizer pretokenizer = slm__tokenizer_pretokenizer(t, index);
        return pretokenizer_known(&pretokenizer);
    }
    if (stage == SLM_TOKENIZER_DECODER) {
        if (!decoder_known(t, kind, value, text)) {
            return false;
        }
        if (kind == SLM_DECODER_STRIP) {
            t->strip_count = value;
            t->strip_text = text;
            return true;
        }
        t->decoder = kind;
        t->decoder_value = value;
        t->decoder_text = text;
        return true;
    }
    t->longest_word = value;
    t->inside = text;
    return t->model == SLM_TOKENIZER_WORDPIECE && kind == SLM_PARAMETERS_WORDPIECE && value > 0 && value <= SLM_WORDPIECE_CHARACTERS_MAX &&
           text.length <= SHORT_TEXT;
}

static slm_status bad(slm_error *error, const char *what)
{
    return slm__fail(error, SLM_E_BAD_VALUE, "tokenizer section: table 'steps': %s", what);
}

static bool text_inside(const struct slm_tokenizer *t, const uint8_t *field)
{
    uint64_t bytes = t->lengths[SLM_TOKENIZER_TEXTS];
    uint32_t offset = slm__load_u32(field);
    return offset <= bytes && slm__load_u32(field + 4) <= bytes - offset;
}

/* Metaspace changes the text that later steps would see. */
static bool metaspace_last(const struct slm_tokenizer *t)
{
    for (uint32_t i = t->normalizer_count; i + 1 < t->step_count; i++) {
        if (slm__load_u32(step_at(t, i) + 4) == SLM_PRETOKENIZER_METASPACE) {
            return false;
        }
    }
    return true;
}

slm_status slm__tokenizer_check_steps(struct slm_tokenizer *tokenizer, slm_error *error)
{
    uint64_t count = tokenizer->lengths[SLM_TOKENIZER_STEPS] / SLM_TOKENIZER_STEP_BYTES;
    uint32_t in_stage[SLM_TOKENIZER_STAGES_END] = {0};
    uint32_t last_stage = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *step = step_at(tokenizer, i);
        uint32_t stage = slm__load_u32(step);
        if (!text_inside(tokenizer, step + 16) || !text_inside(tokenizer, step + 24)) {
            return bad(error, "a text lies outside the texts");
        }
        if (stage == 0 || stage >= SLM_TOKENIZER_STAGES_END || slm__load_u32(step + 8) != 0 || !take_step(tokenizer, i, stage)) {
            return slm__fail(error, SLM_E_UNSUPPORTED, "tokenizer section: step %u of stage %u is of kind %u, value %u: not known here",
                             (unsigned)i, (unsigned)stage, (unsigned)slm__load_u32(step + 4), (unsigned)slm__load_u32(step + 12));
        }
        if (stage < last_stage || ++in_stage[stage] > SLM_TOKENIZER_STEPS_MAX) {
            return bad(error, "stages are out of order, or one has more than 16 steps");
        }
        last_stage = stage;
    }
    if (in_stage[SLM_TOKENIZER_DECODER] != (tokenizer->strip_count > 0 ? 2U : 1U)) {
        return bad(error, "there is not exactly one decoder");
    }
    if (in_stage[SLM_TOKENIZER_PARAMETERS] != (tokenizer->model == SLM_TOKENIZER_WORDPIECE ? 1U : 0U)) {
        return bad(error, "the model has no parameters, or too many");
    }
    tokenizer->normalizer_count = in_stage[SLM_TOKENIZER_NORMALIZER];
    tokenizer->step_count = tokenizer->normalizer_count + in_stage[SLM_TOKENIZER_PRETOKENIZER];
    return metaspace_last(tokenizer) ? SLM_OK : bad(error, "Metaspace is not the last pre-tokenizer");
}

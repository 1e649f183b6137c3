/* SPDX-License-Identifier: MIT */
/*
 * Encoding, stage by stage as the reference does it: added tokens of the raw set are cut out, each piece between them is normalized,
 * added tokens of the normalized set are cut out of it, what is left is split by the pre-tokenizers, and the model turns each of
 * these words into ids. Nothing is stored in between but a normalized piece that differs from its text, and a word with its spaces
 * replaced by Metaspace.
 */
#include "base/utf8.h"            /* slm__utf8_decode, slm__utf8_valid_prefix */
#include "text/added_tokens.h"    /* slm__added_next */
#include "text/bpe_merge.h"       /* slm__bpe_word, slm__tokenizer_find */
#include "text/tokenizer_steps.h" /* slm__tokenizer_normalizer, slm__tokenizer_pretokenizer */
#include "text/unigram.h"         /* slm__unigram_word */
#include "text/wordpiece.h"       /* slm__wordpiece_word */

enum { FIRST_IDS = 256 };

struct encoder {
    const struct slm_tokenizer *tokenizer; /* the caller's, or for a piece with untrusted bytes `guarded` */
    struct slm_tokenizer guarded;          /* set when there are untrusted ranges */
    const struct slm_memory *memory;
    uint32_t flags;
    const struct slm_text_range *untrusted;
    uint64_t untrusted_count;
    struct slm_word_scratch scratch;
    struct slm_buffer normalized[2]; /* the current piece, when normalization changes it */
    struct slm_buffer spaced;        /* the current word, with Metaspace */
    struct slm_normalizer normalizers[SLM_TOKENIZER_STEPS_MAX];
    struct slm_pretokenizer pretokenizers[SLM_TOKENIZER_STEPS_MAX];
    uint32_t pretokenizer_count;
    uint32_t *ids; /* `first` or a block of `capacity` ids */
    size_t count;
    size_t capacity;
    slm_error *error;
    uint32_t first[FIRST_IDS];
};

static void encoder_init(struct encoder *encoder)
{
    const struct slm_tokenizer *t = encoder->tokenizer;
    slm__word_scratch_init(&encoder->scratch, encoder->memory);
    slm__buffer_init(&encoder->normalized[0], encoder->memory, SIZE_MAX);
    slm__buffer_init(&encoder->normalized[1], encoder->memory, SIZE_MAX);
    slm__buffer_init(&encoder->spaced, encoder->memory, SIZE_MAX);
    for (uint32_t i = 0; i < t->normalizer_count; i++) {
        encoder->normalizers[i] = slm__tokenizer_normalizer(t, i);
    }
    encoder->pretokenizer_count = t->step_count - t->normalizer_count;
    for (uint32_t i = 0; i < encoder->pretokenizer_count; i++) {
        encoder->pretokenizers[i] = slm__tokenizer_pretokenizer(t, t->normalizer_count + i);
    }
    if (SLM_WITH_CHAT && encoder->untrusted_count > 0) {
        encoder->guarded = *t;
        encoder->guarded.guarded = true;
    }
    encoder->ids = encoder->first;
    encoder->count = 0;
    encoder->capacity = FIRST_IDS;
}

static void release_ids(struct encoder *encoder)
{
    if (encoder->ids != encoder->first) {
        slm__release(encoder->memory, encoder->ids, encoder->capacity * sizeof *encoder->ids);
    }
}

static void encoder_free(struct encoder *encoder)
{
    slm__word_scratch_free(&encoder->scratch);
    slm__buffer_free(&encoder->normalized[0]);
    slm__buffer_free(&encoder->normalized[1]);
    slm__buffer_free(&encoder->spaced);
    release_ids(encoder);
}

/* Room for `more` further ids. */
static slm_status reserve_ids(struct encoder *encoder, size_t more)
{
    size_t wanted = 0;
    size_t bytes = 0;
    if (more <= encoder->capacity - encoder->count) {
        return SLM_OK;
    }
    if (!slm__size_add(encoder->count, more, &wanted) || !slm__size_mul(wanted, 2, &wanted) ||
        !slm__size_mul(wanted, sizeof *encoder->ids, &bytes)) {
        return slm__fail_memory(encoder->error, UINT64_MAX);
    }
    uint32_t *ids = slm__allocate(encoder->memory, bytes, 64);
    if (ids == NULL) {
        return slm__fail_memory(encoder->error, bytes);
    }
    memcpy(ids, encoder->ids, encoder->count * sizeof *ids);
    release_ids(encoder);
    encoder->ids = ids;
    encoder->capacity = wanted;
    return SLM_OK;
}

static slm_status push_id(struct encoder *encoder, uint32_t id)
{
    if (encoder->count == encoder->capacity) {
        SLM_TRY(reserve_ids(encoder, 1));
    }
    encoder->ids[encoder->count++] = id;
    return SLM_OK;
}

static slm_status push_table(struct encoder *encoder, uint32_t table)
{
    for (uint64_t i = 0; i < encoder->tokenizer->lengths[table] / 4; i++) {
        SLM_TRY(push_id(encoder, slm__tokenizer_u32(encoder->tokenizer, table, i)));
    }
    return SLM_OK;
}

/* The ids of a word that is not a token by itself. */
static slm_status model_word(struct encoder *encoder, struct slm_span word)
{
    const struct slm_tokenizer *t = encoder->tokenizer;
    const uint32_t *ids = NULL;
    size_t count = 0;
    if (SLM_WITH_VARIANTS && t->model == SLM_TOKENIZER_WORDPIECE) {
        SLM_TRY(reserve_ids(encoder, SLM_WORDPIECE_CHARACTERS_MAX));
        encoder->count += slm__wordpiece_word(t, word, encoder->ids + encoder->count);
        return SLM_OK;
    }
    if (SLM_WITH_VARIANTS && t->model == SLM_TOKENIZER_UNIGRAM) {
        SLM_TRY(slm__unigram_word(t, &encoder->scratch, word, &ids, &count, encoder->error));
    } else {
        SLM_TRY(slm__bpe_word(t, &encoder->scratch, word, &ids, &count, encoder->error));
    }
    if (count == 0) {
        return SLM_OK;
    }
    SLM_TRY(reserve_ids(encoder, count));
    memcpy(encoder->ids + encoder->count, ids, count * sizeof *ids);
    encoder->count += count;
    return SLM_OK;
}

/* A word: at once when it is a token that the model would give. */
static slm_status encode_word(struct encoder *encoder, struct slm_span word)
{
    const struct slm_tokenizer *t = encoder->tokenizer;
    if (word.length <= t->longest_token) {
        uint32_t id = slm__tokenizer_find(t, word);
        if (id != SLM_TOKENIZER_NONE &&
            ((t->model_flags & SLM_TOKENIZER_IGNORE_MERGES) != 0 || (t->tables[SLM_TOKENIZER_FLAGS][id] & SLM_TOKEN_WHOLE) != 0)) {
            return push_id(encoder, id);
        }
    }
    return model_word(encoder, word);
}

/* End of the run of text from `position` on that no merge leaves: the next U+2581 behind another character, or the end. */
static size_t run_end(struct slm_span text, size_t position)
{
    static const uint8_t mark[3] = {0xE2, 0x96, 0x81};
    bool after_mark = true;
    while (position < text.length) {
        bool is_mark = text.data[position] == mark[0] && text.length - position >= 3 && memcmp(text.data + position, mark, 3) == 0;
        if (is_mark && !after_mark) {
            return position;
        }
        after_mark = is_mark;
        position += is_mark ? 3 : 1;
    }
    return position;
}

/* What the pre-tokenizers leave is a word, which may fall into runs. */
static slm_status encode_runs(struct encoder *encoder, struct slm_span word)
{
    if ((encoder->tokenizer->model_flags & SLM_TOKENIZER_WORD_STARTS) == 0) {
        return encode_word(encoder, word);
    }
    for (size_t position = 0; position < word.length;) {
        size_t end = run_end(word, position);
        SLM_TRY(encode_word(encoder, slm__span(word.data + position, end - position)));
        position = end;
    }
    return SLM_OK;
}

/* Spaces become the step's text, which may also be put in front, and may begin a word each. */
static slm_status encode_metaspace(struct encoder *encoder, const struct slm_pretokenizer *step, struct slm_span text, bool first)
{
    struct slm_buffer *out = &encoder->spaced;
    struct slm_normalizer spaces = {SLM_NORMALIZER_REPLACE, SLM_REPLACE_EACH, slm__span_text(" "), step->text};
    uint32_t scheme = step->value & SLM_METASPACE_SCHEME;
    bool has_mark = text.length >= step->text.length && memcmp(text.data, step->text.data, step->text.length) == 0;
    out->length = 0;
    if ((scheme == SLM_METASPACE_ALWAYS || (scheme == SLM_METASPACE_FIRST && first)) && text.data[0] != ' ' && !has_mark) {
        slm__buffer_append(out, step->text.data, step->text.length);
    }
    slm__text_replace(&spaces, text, out);
    if (out->status != SLM_OK) {
        return slm__buffer_failure(out, encoder->error);
    }
    struct slm_span all = slm__span(out->data, out->length);
    struct slm_pretokenizer split = {SLM_PRETOKENIZER_STRING, SLM_STRING_WITH_NEXT, step->text};
    if ((step->value & SLM_METASPACE_SPLIT) == 0) {
        return encode_runs(encoder, all);
    }
    for (size_t position = 0; position < all.length;) {
        bool dropped = false;
        size_t end = slm__pretokenize_next(&split, all, position, &dropped);
        SLM_TRY(encode_runs(encoder, slm__span(all.data + position, end - position)));
        position = end;
    }
    return SLM_OK;
}

/* Split by pre-tokenizer `step` and those behind it; they are at most SLM_TOKENIZER_STEPS_MAX, so is the depth. `first`: the text
 * begins where the whole text does. */
static slm_status encode_split(struct encoder *encoder, uint32_t step, struct slm_span text, bool first)
{
    if (step == encoder->pretokenizer_count) {
        return encode_runs(encoder, text);
    }
    const struct slm_pretokenizer *pretokenizer = &encoder->pretokenizers[step];
    if (pretokenizer->kind == SLM_PRETOKENIZER_METASPACE) {
        return encode_metaspace(encoder, pretokenizer, text, first);
    }
    for (size_t position = 0; position < text.length;) {
        bool dropped = false;
        size_t end = slm__pretokenize_next(pretokenizer, text, position, &dropped);
        if (!dropped) {
            SLM_TRY(encode_split(encoder, step + 1, slm__span(text.data + position, end - position), first && position == 0));
        }
        position = end;
    }
    return SLM_OK;
}

/* Does [start, end) of the whole text hold untrusted bytes? */
static bool holds_untrusted(const struct encoder *encoder, uint64_t start, uint64_t end)
{
    uint64_t low = 0;
    if (!SLM_WITH_CHAT) {
        return false;
    }
    for (uint64_t high = encoder->untrusted_count; low < high;) { /* to the first range that ends behind `start` */
        const uint64_t middle = low + (high - low) / 2;
        if (encoder->untrusted[middle].end > start) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low < encoder->untrusted_count && encoder->untrusted[low].start < end;
}

/* Ordinary text between added tokens; it begins `origin` bytes into the whole text. */
static slm_status encode_piece(struct encoder *encoder, struct slm_span text, uint64_t origin, bool untrusted)
{
    const struct slm_tokenizer *t = encoder->tokenizer;
    struct slm_added_walk walk = {0};
    walk.tokenizer = t;
    walk.text = text;
    walk.normalized = true;
    walk.plain = (encoder->flags & SLM_TOKENIZE_PLAIN) != 0;
    walk.untrusted = encoder->untrusted;
    walk.untrusted_count = encoder->untrusted_count;
    walk.origin = origin;
    SLM_TRY(slm__text_normalize(encoder->normalizers, t->normalizer_count, &walk.text, encoder->normalized, encoder->error));
    walk.plain |= untrusted && !slm__span_equal(text, walk.text);
    struct slm_added_piece piece;
    while (slm__added_next(&walk, &piece)) {
        if (piece.id != SLM_TOKENIZER_NONE) {
            SLM_TRY(push_id(encoder, piece.id));
        } else {
            struct slm_span words = slm__span(walk.text.data + piece.start, piece.end - piece.start);
            SLM_TRY(encode_split(encoder, 0, words, origin == 0 && piece.start == 0));
        }
    }
    return SLM_OK;
}

/* Valid UTF-8 to ids. */
static slm_status encode_text(struct encoder *encoder, struct slm_span text)
{
    const struct slm_tokenizer *tokenizer = encoder->tokenizer;
    bool add_special = (encoder->flags & SLM_TOKENIZE_ADD_SPECIAL) != 0;
    if (add_special) {
        SLM_TRY(push_table(encoder, SLM_TOKENIZER_PREFIX));
    }
    struct slm_added_walk walk = {0};
    walk.tokenizer = tokenizer;
    walk.text = text;
    walk.plain = (encoder->flags & SLM_TOKENIZE_PLAIN) != 0;
    walk.untrusted = encoder->untrusted;
    walk.untrusted_count = encoder->untrusted_count;
    struct slm_added_piece piece;
    while (slm__added_next(&walk, &piece)) {
        if (piece.id != SLM_TOKENIZER_NONE) {
            SLM_TRY(push_id(encoder, piece.id));
        } else {
            bool untrusted = holds_untrusted(encoder, piece.start, piece.end);
            encoder->tokenizer = untrusted ? &encoder->guarded : tokenizer;
            SLM_TRY(encode_piece(encoder, slm__span(text.data + piece.start, piece.end - piece.start), piece.start, untrusted));
            encoder->tokenizer = tokenizer;
        }
    }
    return add_special ? push_table(encoder, SLM_TOKENIZER_SUFFIX) : SLM_OK;
}

/* Length of the valid start of `text`, 8 ASCII characters at a time where it can. */
static size_t valid_length(struct slm_span text)
{
    size_t position = 0;
    while (position < text.length) {
        if (text.length - position >= 8 && (slm__load_u64(text.data + position) & 0x8080808080808080U) == 0) {
            position += 8;
            continue;
        }
        struct slm_utf8 c = slm__utf8_decode(text.data + position, text.length - position);
        if (!c.valid) {
            break;
        }
        position += c.length;
    }
    return position;
}

/* `text` with U+FFFD for each maximal invalid part. */
static slm_status repair(struct slm_span text, struct slm_buffer *out, slm_error *error)
{
    for (size_t position = 0; position < text.length;) {
        size_t valid = valid_length(slm__span(text.data + position, text.length - position));
        slm__buffer_append(out, text.data + position, valid);
        position += valid;
        if (position < text.length) {
            position += slm__utf8_decode(text.data + position, text.length - position).length;
            slm__buffer_append_text(out, "\xEF\xBF\xBD");
        }
    }
    return out->status == SLM_OK ? SLM_OK : slm__buffer_failure(out, error);
}

static slm_status encode_any(struct encoder *encoder, struct slm_span text)
{
    if (text.length > INT32_MAX) {
        return slm__fail(encoder->error, SLM_E_LIMIT, "a text of %llu bytes, at most %d are supported", (unsigned long long)text.length,
                         INT32_MAX);
    }
    size_t valid = valid_length(text);
    if (valid == text.length) {
        return encode_text(encoder, text);
    }
    if ((encoder->flags & SLM_TOKENIZE_STRICT) != 0 || encoder->untrusted_count > 0) {
        return slm__fail(encoder->error, SLM_E_ENCODING, "the text is not valid UTF-8 at byte %llu (0x%02X)", (unsigned long long)valid,
                         (unsigned)text.data[valid]);
    }
    struct slm_buffer repaired;
    slm__buffer_init(&repaired, encoder->memory, SIZE_MAX);
    slm_status status = repair(text, &repaired, encoder->error);
    if (status == SLM_OK) {
        status = encode_text(encoder, slm__span(repaired.data, repaired.length));
    }
    slm__buffer_free(&repaired);
    return status;
}

slm_status slm__tokenizer_encode_origins(const struct slm_tokenizer *tokenizer, const struct slm_memory *memory, struct slm_span text,
                                         const struct slm_text_range *untrusted, uint64_t untrusted_count, uint32_t flags, int32_t *ids,
                                         uint64_t capacity, uint64_t *count, slm_error *error)
{
    struct encoder encoder;
    encoder.tokenizer = tokenizer;
    encoder.memory = memory;
    encoder.flags = flags;
    encoder.untrusted = untrusted;
    encoder.untrusted_count = untrusted_count;
    encoder.error = error;
    encoder_init(&encoder);
    slm_status status = encode_any(&encoder, text);
    if (status == SLM_OK) {
        *count = encoder.count;
        if (encoder.count > capacity) {
            status = slm__fail(error, SLM_E_BUFFER_TOO_SMALL, "%llu token ids do not fit into %llu", (unsigned long long)encoder.count,
                               (unsigned long long)capacity);
        } else if (encoder.count > 0) {
            memcpy(ids, encoder.ids, encoder.count * sizeof *encoder.ids); /* ids are below 2^24 */
        }
    }
    encoder_free(&encoder);
    return status;
}

slm_status slm__tokenizer_encode(const struct slm_tokenizer *tokenizer, const struct slm_memory *memory, struct slm_span text,
                                 uint32_t flags, int32_t *ids, uint64_t capacity, uint64_t *count, slm_error *error)
{
    return slm__tokenizer_encode_origins(tokenizer, memory, text, NULL, 0, flags, ids, capacity, count, error);
}

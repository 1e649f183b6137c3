/* SPDX-License-Identifier: MIT */
/* Incremental decoding, and with it decoding as a whole, but for runs of byte tokens, which are only then looked at whole. */
#include "text/token_stream.h"

#include "base/utf8.h"              /* slm__utf8_decode, slm__utf8_valid_prefix */
#include "text/wordpiece_cleanup.h" /* slm__wordpiece_cleanup */

enum { REPLACEMENT_BYTES = 3 };

/* As many U+FFFD as bytes can be kept back. */
static const uint8_t replacements[SLM_TOKEN_STREAM_HELD * REPLACEMENT_BYTES] = {0xEF, 0xBF, 0xBD, 0xEF, 0xBF, 0xBD, 0xEF, 0xBF, 0xBD};

void slm__token_stream_init(struct slm_token_stream *stream)
{
    stream->held_count = 0;
    stream->each_byte = false;
    stream->broken = false;
    stream->begun = false;
    stream->text_begun = false;
    stream->stripped = 0;
}

/* Put the certain text of `bytes` into the stream, and keep the rest back. */
static size_t take(struct slm_token_stream *stream, struct slm_span bytes)
{
    size_t written = 0;
    for (size_t position = 0; position < bytes.length;) {
        struct slm_utf8 c = slm__utf8_decode(bytes.data + position, bytes.length - position);
        if (c.incomplete) {
            stream->held_count = (uint8_t)(bytes.length - position);
            memcpy(stream->held, bytes.data + position, stream->held_count);
            break;
        }
        if (c.valid) {
            memcpy(stream->text + written, bytes.data + position, c.length);
            written += c.length;
        } else {
            memcpy(stream->text + written, replacements, REPLACEMENT_BYTES);
            written += REPLACEMENT_BYTES;
        }
        position += c.length;
    }
    return written;
}

static struct slm_span push_bytes(struct slm_token_stream *stream, struct slm_span bytes)
{
    if (bytes.length == 0 || (stream->held_count == 0 && slm__utf8_valid_prefix(bytes) == bytes.length)) {
        return bytes;
    }
    uint8_t joined[SLM_TOKENIZER_TOKEN_BYTES_MAX + SLM_TOKEN_STREAM_HELD];
    size_t held = stream->held_count;
    memcpy(joined, stream->held, held);
    memcpy(joined + held, bytes.data, bytes.length);
    stream->held_count = 0;
    size_t length = take(stream, slm__span(joined, held + bytes.length));
    return slm__span(stream->text, length);
}

/* A byte token in a run of such. */
static struct slm_span push_run_byte(struct slm_token_stream *stream, uint8_t byte)
{
    uint8_t joined[SLM_TOKEN_STREAM_HELD + 1];
    size_t count = stream->held_count;
    memcpy(joined, stream->held, count);
    joined[count++] = byte;
    struct slm_utf8 c = slm__utf8_decode(joined, count);
    stream->held_count = 0;
    if (!stream->broken && c.incomplete) {
        stream->held_count = (uint8_t)count;
        memcpy(stream->held, joined, count);
        return slm__span(stream->text, 0);
    }
    if (!stream->broken && c.valid) {
        memcpy(stream->text, joined, count);
        return slm__span(stream->text, count);
    }
    stream->broken = true;
    for (size_t i = 0; i < count; i++) {
        memcpy(stream->text + REPLACEMENT_BYTES * i, replacements, REPLACEMENT_BYTES);
    }
    return slm__span(stream->text, REPLACEMENT_BYTES * count);
}

/* Take the tokenizer's text off the start of all text. */
static struct slm_span strip(struct slm_token_stream *stream, const struct slm_tokenizer *t, struct slm_span text)
{
    struct slm_span lead = t->strip_text;
    while (!stream->text_begun && text.length > 0) {
        bool leads = stream->stripped < t->strip_count && text.length >= lead.length && memcmp(text.data, lead.data, lead.length) == 0;
        if (leads) {
            text = slm__span(text.data + lead.length, text.length - lead.length);
            stream->stripped++;
        } else {
            stream->text_begun = true;
        }
    }
    return text;
}

static struct slm_span push_fallback(struct slm_token_stream *stream, const struct slm_tokenizer *t, struct slm_span bytes, uint32_t flags)
{
    stream->each_byte = true;
    if ((flags & SLM_TOKEN_BYTE) != 0 && bytes.length == 1) {
        return strip(stream, t, push_run_byte(stream, bytes.data[0]));
    }
    size_t held = (size_t)stream->held_count * REPLACEMENT_BYTES;
    stream->held_count = 0;
    stream->broken = false;
    if (held == 0 && slm__utf8_valid_prefix(bytes) == bytes.length) {
        return strip(stream, t, bytes);
    }
    /* Behind an unfinished character; or bytes of a forged section, which are repaired. */
    uint8_t joined[SLM_TOKENIZER_TOKEN_BYTES_MAX + SLM_TOKEN_STREAM_HELD * REPLACEMENT_BYTES];
    memcpy(joined, replacements, held);
    if (bytes.length > 0) {
        memcpy(joined + held, bytes.data, bytes.length);
    }
    struct slm_span text = slm__span(stream->text, take(stream, slm__span(joined, held + bytes.length)));
    stream->held_count = 0;
    return strip(stream, t, text);
}

/* The first token of a Metaspace or WordPiece decoder: its text without the marks of a space, or cleaned. */
static struct slm_span first_text(struct slm_token_stream *stream, const struct slm_tokenizer *t, struct slm_span text)
{
    struct slm_span mark = t->decoder_text;
    size_t written = 0;
    for (size_t position = 0; position < text.length;) {
        bool drop = t->decoder == SLM_DECODER_METASPACE && text.length - position >= mark.length &&
                    memcmp(text.data + position, mark.data, mark.length) == 0;
        if (drop) {
            position += mark.length;
        } else {
            stream->text[written++] = text.data[position++];
        }
    }
    if (t->decoder == SLM_DECODER_WORDPIECE && t->decoder_value != 0) {
        written = slm__wordpiece_cleanup(stream->text, written);
    }
    return slm__span(stream->text, written);
}

/* A Metaspace or WordPiece decoder: texts of tokens one after another. */
static struct slm_span push_text(struct slm_token_stream *stream, const struct slm_tokenizer *t, uint32_t id)
{
    struct slm_span bytes = slm__tokenizer_bytes(t, id);
    bool first = !stream->begun && (t->decoder == SLM_DECODER_WORDPIECE || t->decoder_value != 0);
    stream->begun = true;
    if (first) {
        uint8_t copy[SLM_TOKENIZER_TOKEN_BYTES_MAX];
        bytes = first_text(stream, t, slm__tokenizer_text(t, id));
        memcpy(copy, stream->text, bytes.length);
        bytes.length = slm__utf8_valid_prefix(bytes) == bytes.length ? bytes.length : take(stream, slm__span(copy, bytes.length));
    } else {
        bytes = push_bytes(stream, bytes);
    }
    stream->held_count = 0; /* texts of tokens are whole characters; those of a forged section are cut */
    return bytes;
}

slm_status slm__token_stream_push(struct slm_token_stream *stream, const struct slm_tokenizer *tokenizer, int32_t id, bool skip_special,
                                  struct slm_span *text)
{
    struct slm_span bytes;
    uint32_t flags = 0;
    SLM_TRY(slm__tokenizer_token_bytes(tokenizer, id, &bytes, &flags));
    *text = slm__span(stream->text, 0);
    if ((skip_special && (flags & SLM_TOKEN_SPECIAL) != 0) || (flags & SLM_TOKEN_UNUSED) != 0) {
        return SLM_OK;
    }
    switch (tokenizer->decoder) {
    case SLM_DECODER_BYTE_LEVEL: *text = push_bytes(stream, bytes); break;
    case SLM_DECODER_BYTE_FALLBACK: *text = push_fallback(stream, tokenizer, bytes, flags); break;
    default:
        if (SLM_WITH_VARIANTS) {
            *text = push_text(stream, tokenizer, (uint32_t)id);
        }
        break;
    }
    return SLM_OK;
}

void slm__token_stream_flush(struct slm_token_stream *stream, struct slm_span *text)
{
    size_t count = stream->each_byte || stream->held_count == 0 ? stream->held_count : 1;
    *text = slm__span(replacements, count * REPLACEMENT_BYTES);
    slm__token_stream_init(stream);
}

/* End of the run of byte tokens that starts at ids[start], a byte token; tokens that give nothing are part of it. */
static uint64_t byte_run(const struct slm_tokenizer *t, const int32_t *ids, uint64_t start, uint64_t n, bool skip_special, bool *valid,
                         slm_status *status)
{
    struct slm_token_stream probe;
    uint64_t end = start;
    slm__token_stream_init(&probe);
    for (; end < n; end++) {
        struct slm_span bytes;
        uint32_t flags = 0;
        *status = slm__tokenizer_token_bytes(t, ids[end], &bytes, &flags);
        if (*status != SLM_OK) {
            return end;
        }
        if ((skip_special && (flags & SLM_TOKEN_SPECIAL) != 0) || (flags & SLM_TOKEN_UNUSED) != 0) {
            continue;
        }
        if ((flags & SLM_TOKEN_BYTE) == 0 || bytes.length != 1) {
            break;
        }
        push_run_byte(&probe, bytes.data[0]);
    }
    *valid = !probe.broken && probe.held_count == 0;
    return end;
}

static bool is_byte_token(const struct slm_tokenizer *t, int32_t id)
{
    return t->decoder == SLM_DECODER_BYTE_FALLBACK && id >= 0 && (uint32_t)id < t->token_count &&
           (t->tables[SLM_TOKENIZER_FLAGS][id] & (SLM_TOKEN_BYTE | SLM_TOKEN_UNUSED)) == SLM_TOKEN_BYTE;
}

slm_status slm__tokenizer_decode(const struct slm_tokenizer *tokenizer, const struct slm_memory *memory, const int32_t *ids, uint64_t n,
                                 uint32_t flags, struct slm_buffer *out, slm_error *error)
{
    (void)memory; /* no decoder needs scratch */
    bool skip_special = (flags & SLM_DETOKENIZE_SKIP_SPECIAL) != 0;
    struct slm_token_stream stream;
    struct slm_span text;
    uint64_t run = 0; /* end of the run of byte tokens that was looked at last */
    slm__token_stream_init(&stream);
    for (uint64_t i = 0; i < n; i++) {
        slm_status status = SLM_OK;
        if (i >= run && is_byte_token(tokenizer, ids[i])) {
            bool valid = true;
            run = byte_run(tokenizer, ids, i, n, skip_special, &valid, &status);
            stream.broken = !valid;
        }
        if (status != SLM_OK || slm__token_stream_push(&stream, tokenizer, ids[i], skip_special, &text) != SLM_OK) {
            uint64_t at = status != SLM_OK ? run : i;
            return slm__fail(error, SLM_E_BAD_TOKEN, "token id %d at position %llu: the vocabulary has %u", (int)ids[at],
                             (unsigned long long)at, (unsigned)tokenizer->token_count);
        }
        slm__buffer_append(out, text.data, text.length);
    }
    slm__token_stream_flush(&stream, &text);
    slm__buffer_append(out, text.data, text.length);
    return out->status == SLM_OK ? SLM_OK : slm__buffer_failure(out, error);
}

/* SPDX-License-Identifier: MIT */
/* Incremental decoding of byte-level tokens, and with it decoding as a whole. */
#include "text/token_stream.h"

#include "base/utf8.h" /* slm__utf8_decode, slm__utf8_valid_prefix */

static const uint8_t replacement[3] = {0xEF, 0xBF, 0xBD};

void slm__token_stream_init(struct slm_token_stream *stream) { stream->held_count = 0; }

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
            memcpy(stream->text + written, replacement, sizeof replacement);
            written += sizeof replacement;
        }
        position += c.length;
    }
    return written;
}

slm_status slm__token_stream_push(struct slm_token_stream *stream, const struct slm_tokenizer *tokenizer, int32_t id, bool skip_special,
                                  struct slm_span *text)
{
    struct slm_span bytes;
    uint32_t flags = 0;
    SLM_TRY(slm__tokenizer_token_bytes(tokenizer, id, &bytes, &flags));
    *text = slm__span(stream->text, 0);
    if ((skip_special && (flags & SLM_TOKEN_SPECIAL) != 0) || bytes.length == 0) {
        return SLM_OK;
    }
    if (stream->held_count == 0 && slm__utf8_valid_prefix(bytes) == bytes.length) {
        *text = bytes;
        return SLM_OK;
    }
    uint8_t joined[SLM_TOKENIZER_TOKEN_BYTES_MAX + SLM_TOKEN_STREAM_HELD];
    size_t held = stream->held_count;
    memcpy(joined, stream->held, held);
    memcpy(joined + held, bytes.data, bytes.length);
    stream->held_count = 0;
    text->length = take(stream, slm__span(joined, held + bytes.length));
    return SLM_OK;
}

void slm__token_stream_flush(struct slm_token_stream *stream, struct slm_span *text)
{
    *text = slm__span(replacement, stream->held_count == 0 ? 0 : sizeof replacement);
    stream->held_count = 0;
}

slm_status slm__tokenizer_decode(const struct slm_tokenizer *tokenizer, const struct slm_memory *memory, const int32_t *ids, uint64_t n,
                                 uint32_t flags, struct slm_buffer *out, slm_error *error)
{
    (void)memory; /* byte-level decoding needs no scratch */
    struct slm_token_stream stream;
    struct slm_span text;
    slm__token_stream_init(&stream);
    for (uint64_t i = 0; i < n; i++) {
        if (slm__token_stream_push(&stream, tokenizer, ids[i], (flags & SLM_DETOKENIZE_SKIP_SPECIAL) != 0, &text) != SLM_OK) {
            return slm__fail(error, SLM_E_BAD_TOKEN, "token id %d at position %llu: the vocabulary has %u", (int)ids[i],
                             (unsigned long long)i, (unsigned)tokenizer->token_count);
        }
        slm__buffer_append(out, text.data, text.length);
    }
    slm__token_stream_flush(&stream, &text);
    slm__buffer_append(out, text.data, text.length);
    return out->status == SLM_OK ? SLM_OK : slm__buffer_failure(out, error);
}

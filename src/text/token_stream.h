/* SPDX-License-Identifier: MIT */
/*
 * Decoding one token at a time. What is shown is certain: complete characters, and U+FFFD for bytes as soon as they are known to be
 * invalid; the bytes of an unfinished character are kept back. The state is a plain value without pointers: assign it to
 * remember a position and to come back to it.
 *
 * One difference to decoding as a whole is unavoidable: with byte fallback the reference looks at a whole run of byte tokens and turns
 * each of its bytes into U+FFFD when any part of the run is invalid. A stream has shown the characters before that part by then.
 */
#ifndef SLM_TEXT_TOKEN_STREAM_H
#define SLM_TEXT_TOKEN_STREAM_H

#include "text/tokenizer.h" /* struct slm_tokenizer */

enum {
    SLM_TOKEN_STREAM_HELD = 3, /* bytes of an unfinished character */
    /* A token's text with what was kept back, each byte as U+FFFD at worst. */
    SLM_TOKEN_STREAM_TEXT = 3 * (SLM_TOKENIZER_TOKEN_BYTES_MAX + SLM_TOKEN_STREAM_HELD)
};

struct slm_token_stream {
    uint8_t held[SLM_TOKEN_STREAM_HELD];
    uint8_t held_count;
    bool each_byte;                      /* byte fallback: what is kept back becomes U+FFFD byte by byte */
    bool broken;                         /* byte fallback: the run of byte tokens has an invalid part, the rest of it is U+FFFD too */
    bool begun;                          /* a token has come */
    bool text_begun;                     /* something has been shown, or nothing more is stripped */
    uint8_t stripped;                    /* how often a text was taken off the start */
    uint8_t text[SLM_TOKEN_STREAM_TEXT]; /* the piece handed out last, when it is not in the section itself */
};

void slm__token_stream_init(struct slm_token_stream *stream);

/* Take token `id`; *text is what became certain, valid until the next call (it lies in the stream or in the section). skip_special:
 * special tokens give nothing. SLM_E_BAD_TOKEN leaves the stream as it was. */
slm_status slm__token_stream_push(struct slm_token_stream *stream, const struct slm_tokenizer *tokenizer, int32_t id, bool skip_special,
                                  struct slm_span *text);

/* The end: *text is what bytes that were kept back become, else empty: one U+FFFD, with byte fallback one for each. The stream is as
 * after init. */
void slm__token_stream_flush(struct slm_token_stream *stream, struct slm_span *text);

#endif

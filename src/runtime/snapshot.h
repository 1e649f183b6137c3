/* SPDX-License-Identifier: MIT */
/*
 * A session as bytes. All numbers are little-endian; the keys and values are tiles of kernels/blocks.h as they lie in the pages, so that a
 * snapshot may move between machines. Version 1, in this order:
 *
 *   bytes 4    "SLMS"
 *   u32        version
 *   u64        bytes of the whole snapshot
 *   bytes 64   SHA-256, in hexadecimal digits, of the model file's header, metadata and directory: its tensors' checksums are in there
 *   u32 x 6    kv type; context of the session; its flags; max_tokens; answered; tokens n
 *   u32 x 2    for each class of layers (0 where there is none): first position that is kept, a multiple of 64
 *   sampler    u64 x 4 generator; f32 x 6 temperature, top_p, min_p, repetition, frequency, presence; u32 x 3 top_k, penalty_window,
 *              biases; for each bias i32 token, f32
 *   stops      u32 strings; for each u32 bytes, and these; u32 bytes of text held back, and these
 *   stream     u8 x 9 held bytes (3), their number, each_byte, broken, begun, text_begun, stripped
 *   images     u32 number; for each u32 first token. Their tokens, of which none is the last, are keys only
 *   adapters   u32 number; for each u64 identity, f32 weight
 *   tokens     i32 x n
 *   keys       for each class of layers, the pages of positions [first, n - 1), the unused end of the last one cleared
 *   u32        CRC-32C of all bytes before
 *
 * The last token's keys and logits are computed again by the first step.
 */
#ifndef SLM_RUNTIME_SNAPSHOT_H
#define SLM_RUNTIME_SNAPSHOT_H

#include "runtime/session.h" /* struct slm_session */

enum { SLM_SNAPSHOT_VERSION = 1, SLM_SNAPSHOT_HEADER = 16 };

/* What every snapshot of the model has at byte 16. */
void slm__snapshot_model(const struct slm_runtime_model *model, char hex[65]);
/* Positions whose keys a snapshot of so many tokens has. */
static inline uint32_t slm__snapshot_kept(uint32_t tokens) { return tokens > 0 ? tokens - 1 : 0; }

/* *needed is the length; SLM_E_BUFFER_TOO_SMALL when capacity is less. */
slm_status slm__session_save(const struct slm_session *session, uint8_t *bytes, uint64_t capacity, uint64_t *needed, slm_error *error);
/* Everything is checked before anything is changed. */
slm_status slm__session_restore(struct slm_session *session, const uint8_t *bytes, uint64_t length, slm_error *error);

#endif

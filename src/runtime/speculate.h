/* SPDX-License-Identifier: MIT */
/*
 * Prompt lookup: guesses for the next tokens, copied from where the session's last tokens stood before. A pass computes the logits behind
 * the guesses too; a guess that the sampler then chooses costs no pass of its own, the others are forgotten. As the sampler sees the same
 * logits and history as without guesses, its choices are the same. Guesses stop for a while where few come true.
 */
#ifndef SLM_RUNTIME_SPECULATE_H
#define SLM_RUNTIME_SPECULATE_H

#include <stdbool.h>
#include <stdint.h>

enum { SLM_SPECULATE_MAX = 64 };

/* Guesses lie behind the session's tokens, at tokens[count], and so on. */
struct slm_speculation {
    float *logits;     /* [most of the pool][vocab]: logits after each guess */
    uint32_t most;     /* guesses of one pass; 0: off */
    uint32_t computed; /* guesses of the last pass */
    uint32_t used;     /* of them chosen since; computed == used: there are none */
    uint32_t length;   /* of the next guess: doubles when all came true, shrinks to what did */
    uint32_t rate;     /* of guesses that came true, running, 0 .. 256 */
    uint32_t pause;    /* tokens to go until the next guess */
    uint32_t penalty;  /* of the next pause */
    uint64_t guessed, accepted;
};

void slm__speculation_init(struct slm_speculation *speculation, uint32_t most);
/* Write at most `room` guesses behind tokens[0 .. count); returns their number. */
uint32_t slm__speculation_guess(struct slm_speculation *speculation, int32_t *tokens, uint32_t count, uint32_t room);
/* What became of the last guesses: `used` of `computed` were chosen. They are forgotten. */
void slm__speculation_settle(struct slm_speculation *speculation);

#endif

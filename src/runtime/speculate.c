/* SPDX-License-Identifier: MIT */
/* Looking for the last tokens in the text before them, and deciding how many guesses are worth a row of the pass each. */
#include "runtime/speculate.h"

enum {
    SHORTEST = 2,     /* tokens that have to agree before a guess */
    LONGEST = 8,      /* and that are looked at */
    FIRST_LENGTH = 4, /* guesses at the beginning, and after a pause */
    RATE_ONE = 256,
    RATE_SHARE = 4,  /* the last guesses weigh 1 / 4 */
    RATE_LEAST = 80, /* below: a pause. A row more costs about a third of a pass where the weights come from memory */
    FIRST_PAUSE = 8,
    LONGEST_PAUSE = 128
};

void slm__speculation_init(struct slm_speculation *s, uint32_t most)
{
    float *logits = s->logits;
    *s = (struct slm_speculation){.logits = logits, .most = most, .length = FIRST_LENGTH, .rate = RATE_ONE / 2, .penalty = FIRST_PAUSE};
}

/* How many of the tokens before `end` agree with those before `count`. */
static uint32_t agreement(const int32_t *tokens, uint32_t end, uint32_t count)
{
    uint32_t n = 0;
    while (n < LONGEST && n < end && tokens[end - 1 - n] == tokens[count - 1 - n]) {
        n++;
    }
    return n;
}

/* Behind which position the text may go on as it did: where most tokens agree, of several the last; 0: nowhere. */
static uint32_t look_up(const int32_t *tokens, uint32_t count)
{
    uint32_t best = SHORTEST - 1, found = 0;
    for (uint32_t end = count - 1; end >= SHORTEST && best < LONGEST; end--) {
        if (tokens[end - 1] == tokens[count - 1]) {
            const uint32_t n = agreement(tokens, end, count);
            if (n > best) {
                best = n;
                found = end;
            }
        }
    }
    return found;
}

uint32_t slm__speculation_guess(struct slm_speculation *s, int32_t *tokens, uint32_t count, uint32_t room)
{
    uint32_t length = s->length < s->most ? s->length : s->most;
    length = length < room ? length : room;
    if (s->pause > 0) {
        s->pause--;
        return 0;
    }
    const uint32_t from = length > 0 && count > SHORTEST ? look_up(tokens, count) : 0;
    if (from == 0) {
        return 0;
    }
    for (uint32_t i = 0; i < length; i++) {
        tokens[count + i] = tokens[from + i]; /* may read guesses just written: a text that repeats itself goes on so */
    }
    return length;
}

void slm__speculation_settle(struct slm_speculation *s)
{
    if (s->computed > 0) {
        s->rate += (RATE_ONE * s->used / s->computed) / RATE_SHARE;
        s->rate -= s->rate / RATE_SHARE;
        if (s->used == s->computed) {
            s->length = 2 * s->length < SLM_SPECULATE_MAX ? 2 * s->length : SLM_SPECULATE_MAX;
            s->penalty = FIRST_PAUSE;
        } else {
            s->length = s->used + 1;
        }
        if (s->rate < RATE_LEAST) {
            s->pause = s->penalty;
            s->penalty = 2 * s->penalty < LONGEST_PAUSE ? 2 * s->penalty : LONGEST_PAUSE;
            s->length = FIRST_LENGTH;
            s->rate = RATE_LEAST; /* the first guesses after it decide */
        }
    }
    s->computed = s->used = 0;
}

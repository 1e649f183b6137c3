/* SPDX-License-Identifier: MIT */
/*
 * The parts that a build may leave out (WITH_GRAMMAR=0, MINIMAL=1 ... of the Makefile), each a constant 0 or 1. Code behind a 0 is still
 * compiled, so that it cannot rot, and then dropped, with all that only it calls: builds without a part are linked by sections.
 *
 *   CONVERT    conversion, inspection, adapters          SNAPSHOTS  saving and restoring sessions
 *   CHAT       templates, answers taken apart            VARIANTS   mixtures of experts; Unigram, WordPiece and precompiled normalisers
 *   GRAMMAR    grammars, schemas, matchers               MEASURE    what the machine can do, and its name
 *   IMAGES     models that see                           MESSAGES   sentences in slm_error; without: the status's text
 *   SCORES     slm_score, slm_embed, encoders;           REUSE      many sessions a step, forks, beginnings
 *              probabilities of an answer's values                  kept, guesses ahead
 */
#ifndef SLM_BASE_PARTS_H
#define SLM_BASE_PARTS_H

#ifndef SLM_WITH_CONVERT
#  define SLM_WITH_CONVERT 1
#endif
#ifndef SLM_WITH_CHAT
#  define SLM_WITH_CHAT 1
#endif
#ifndef SLM_WITH_GRAMMAR
#  define SLM_WITH_GRAMMAR 1
#endif
#ifndef SLM_WITH_IMAGES
#  define SLM_WITH_IMAGES 1
#endif
#ifndef SLM_WITH_SCORES
#  define SLM_WITH_SCORES 1
#endif
#ifndef SLM_WITH_REUSE
#  define SLM_WITH_REUSE 1
#endif
#ifndef SLM_WITH_SNAPSHOTS
#  define SLM_WITH_SNAPSHOTS 1
#endif
#ifndef SLM_WITH_VARIANTS
#  define SLM_WITH_VARIANTS 1
#endif
#ifndef SLM_WITH_MEASURE
#  define SLM_WITH_MEASURE 1
#endif
#ifndef SLM_WITH_MESSAGES
#  define SLM_WITH_MESSAGES 1
#endif

/* SMALL=1: optimised for size. */
#ifndef SLM_SMALL
#  define SLM_SMALL 0
#endif

/* First statement of a call that belongs to a part: "this build of libslm has no grammars (WITH_GRAMMAR=0)" */
#define SLM_REQUIRE_PART(part, what, error)                                                                  \
  do {                                                                                                       \
    if (!SLM_WITH_##part) {                                                                                  \
      return slm__fail(error, SLM_E_UNSUPPORTED, "this build of libslm has no %s (WITH_%s=0)", what, #part); \
    }                                                                                                        \
  } while (0)

#endif

/* SPDX-License-Identifier: MIT */
/* Finding added tokens in a text: leftmost, then longest, with the flags of each (white space around it, single words). */
#ifndef SLM_TEXT_ADDED_TOKENS_H
#define SLM_TEXT_ADDED_TOKENS_H

#include "text/tokenizer.h" /* struct slm_tokenizer, struct slm_text_range */

/* A walk over the pieces of one text: ordinary text and added tokens in turns. */
struct slm_added_walk {
    const struct slm_tokenizer *tokenizer;
    struct slm_span text;
    bool normalized;                        /* which of the two sets is searched */
    bool plain;                             /* all of the text is untrusted: special tokens are ordinary text */
    const struct slm_text_range *untrusted; /* ranges of the text that begins `origin` bytes before `text` */
    uint64_t untrusted_count;
    uint64_t untrusted_next; /* ranges before this one end before all that is still to be searched */
    uint64_t origin;
    size_t search; /* where the search goes on */
    size_t done;   /* all before this is handed out */
    bool pending;  /* a token was found and the text before it handed out first */
    uint32_t pending_id;
    size_t pending_end;
};

struct slm_added_piece {
    uint32_t id; /* of an added token, or SLM_TOKENIZER_NONE: ordinary text */
    size_t start;
    size_t end;
};

/* The next piece; false at the end. Fields up to `origin` are the caller's, the rest starts as zero. */
bool slm__added_next(struct slm_added_walk *walk, struct slm_added_piece *piece);

#endif

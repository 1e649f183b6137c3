/* SPDX-License-Identifier: MIT */
/*
 * Added tokens are found with a trie: a table of 256 first bytes says where a token may begin at all, so text without one is passed
 * at a byte a step. The rules are those of the reference, oddities included: of all tokens that begin at the leftmost place the
 * longest counts; if it is then not accepted (special but not wanted, not a single word) the search goes on behind it; white space
 * that a token takes to its right is still searched, and a token found there counts unless it takes white space to its left.
 */
#include "text/added_tokens.h"

#include "base/utf8.h"            /* slm__utf8_decode */
#include "text/unicode_classes.h" /* slm__unicode */

struct match {
    uint32_t added; /* index of the added token, or NONE */
    size_t end;
};

static uint32_t added_field(const struct slm_tokenizer *t, uint32_t added, uint32_t offset)
{
    return slm__load_u32(t->tables[SLM_TOKENIZER_ADDED] + (size_t)added * SLM_TOKENIZER_ADDED_BYTES + offset);
}

static uint32_t added_flags(const struct slm_tokenizer *t, uint32_t added) { return added_field(t, added, 4); }

/* The child of `node` for `byte`, or 0. */
static uint32_t find_child(const struct slm_tokenizer *t, uint32_t node, uint8_t byte)
{
    const uint8_t *record = t->tables[SLM_TOKENIZER_ADDED_NODES] + (size_t)node * SLM_TOKENIZER_NODE_BYTES;
    const uint8_t *edge = t->tables[SLM_TOKENIZER_ADDED_EDGES] + (size_t)slm__load_u32(record) * SLM_TOKENIZER_EDGE_BYTES;
    for (uint32_t left = slm__load_u32(record + 4); left > 0; left--, edge += SLM_TOKENIZER_EDGE_BYTES) {
        if (slm__load_u32(edge) == byte) {
            return slm__load_u32(edge + 4);
        }
    }
    return 0;
}

/* True if [start, end) of the walk's text touches an untrusted range. */
static bool touches_untrusted(const struct slm_added_walk *walk, size_t start, size_t end)
{
    for (uint64_t i = walk->untrusted_next; SLM_WITH_CHAT && i < walk->untrusted_count; i++) {
        if (walk->untrusted[i].start >= walk->origin + end) {
            return false;
        }
        if (walk->untrusted[i].end > walk->origin + start) {
            return true;
        }
    }
    return false;
}

/* End of the untrusted range that holds `position`, or `position`. */
static size_t untrusted_end(const struct slm_added_walk *walk, size_t position)
{
    for (uint64_t i = walk->untrusted_next; i < walk->untrusted_count && walk->untrusted[i].start <= walk->origin + position; i++) {
        if (walk->untrusted[i].end > walk->origin + position) {
            return (size_t)(walk->untrusted[i].end - walk->origin);
        }
    }
    return position;
}

bool slm__tokenizer_is_control(const struct slm_tokenizer *tokenizer, uint32_t id)
{
    if ((tokenizer->tables[SLM_TOKENIZER_FLAGS][id] & SLM_TOKEN_ADDED) == 0) {
        return false;
    }
    for (uint32_t i = 0; i < tokenizer->added_count; i++) {
        if (added_field(tokenizer, i, 0) == id) {
            return (added_flags(tokenizer, i) & SLM_ADDED_SPECIAL) != 0;
        }
    }
    return false;
}

/* The longest match at `start`, whose first byte leads to `node`; with `trusted_only` among those that may be recognised. */
static struct match longest_match(const struct slm_added_walk *walk, size_t start, uint32_t node, bool trusted_only)
{
    const struct slm_tokenizer *t = walk->tokenizer;
    struct match best = {SLM_TOKENIZER_NONE, start};
    for (size_t at = start + 1; node != 0;) {
        uint32_t added = slm__load_u32(t->tables[SLM_TOKENIZER_ADDED_NODES] + (size_t)node * SLM_TOKENIZER_NODE_BYTES + 8);
        if (added != SLM_TOKENIZER_NONE) {
            bool special = (added_flags(t, added) & SLM_ADDED_SPECIAL) != 0;
            if (!trusted_only || !special || !touches_untrusted(walk, start, at)) {
                best.added = added;
                best.end = at;
            }
        }
        if (at == walk->text.length) {
            break;
        }
        node = find_child(t, node, walk->text.data[at++]);
    }
    return best;
}

/* Decide what the walk does at `start`: an acceptable match, or none and *resume says where to search on. */
static struct match choose_match(const struct slm_added_walk *walk, size_t start, uint32_t node, size_t *resume)
{
    struct match found = longest_match(walk, start, node, false);
    *resume = found.added == SLM_TOKENIZER_NONE ? start + 1 : found.end;
    if (found.added == SLM_TOKENIZER_NONE || (added_flags(walk->tokenizer, found.added) & SLM_ADDED_SPECIAL) == 0) {
        return found;
    }
    struct match none = {SLM_TOKENIZER_NONE, start};
    if (walk->plain) {
        return none;
    }
    if (!SLM_WITH_CHAT || !touches_untrusted(walk, start, found.end)) {
        return found;
    }
    size_t border = untrusted_end(walk, start);
    if (border >= found.end) {
        return none;
    }
    /* Partly the template's own text: what is wholly its own may still be a token, here or behind the border. */
    found = longest_match(walk, start, node, true);
    *resume = found.added != SLM_TOKENIZER_NONE ? found.end : border > start ? border : start + 1;
    return found;
}

/* Start of the character that ends at `end` > 0; *bits are its properties. */
static size_t character_before(struct slm_span text, size_t end, uint32_t *bits)
{
    size_t start = end - 1;
    while (start > 0 && end - start < 4 && (text.data[start] & 0xC0) == 0x80) {
        start--;
    }
    *bits = slm__unicode(slm__utf8_decode(text.data + start, end - start).code);
    return start;
}

static uint32_t bits_behind(struct slm_span text, size_t position, uint32_t *length)
{
    *length = 0;
    if (position >= text.length) {
        return 0;
    }
    struct slm_utf8 c = slm__utf8_decode(text.data + position, text.length - position);
    *length = c.length;
    return slm__unicode(c.code);
}

static bool stands_alone(struct slm_span text, size_t start, size_t end)
{
    uint32_t bits = 0;
    uint32_t length = 0;
    if (start > 0) {
        character_before(text, start, &bits);
    }
    return ((bits | bits_behind(text, end, &length)) & SLM_UNICODE_WORD) == 0;
}

static size_t strip_left(struct slm_span text, size_t start, size_t limit)
{
    while (start > limit) {
        uint32_t bits = 0;
        size_t before = character_before(text, start, &bits);
        if ((bits & SLM_UNICODE_SPACE) == 0 || before < limit) {
            break;
        }
        start = before;
    }
    return start;
}

static size_t strip_right(struct slm_span text, size_t end)
{
    uint32_t length = 0;
    while ((bits_behind(text, end, &length) & SLM_UNICODE_SPACE) != 0) {
        end += length;
    }
    return end;
}

/* Search from walk->search; true if a token was accepted: its id and extent. */
static bool find_token(struct slm_added_walk *walk, uint32_t *id, size_t *start, size_t *end)
{
    const struct slm_tokenizer *t = walk->tokenizer;
    const uint8_t *roots = t->tables[SLM_TOKENIZER_ADDED_ROOTS] + (walk->normalized ? 1024 : 0);
    const uint8_t *data = walk->text.data;
    size_t at = walk->search;
    for (; at < walk->text.length; at++) {
        uint32_t node = slm__load_u32(roots + 4 * (size_t)data[at]);
        if (node == 0) {
            continue;
        }
        while (SLM_WITH_CHAT && walk->untrusted_next < walk->untrusted_count &&
               walk->untrusted[walk->untrusted_next].end <= walk->origin + at) {
            walk->untrusted_next++;
        }
        size_t resume = 0;
        struct match found = choose_match(walk, at, node, &resume);
        uint32_t flags = found.added == SLM_TOKENIZER_NONE ? 0 : added_flags(t, found.added);
        if (found.added == SLM_TOKENIZER_NONE || ((flags & SLM_ADDED_SINGLE_WORD) != 0 && !stands_alone(walk->text, at, found.end))) {
            at = resume - 1;
            continue;
        }
        walk->search = found.end;
        *id = added_field(t, found.added, 0);
        *start = at;
        *end = (flags & SLM_ADDED_RSTRIP) != 0 ? strip_right(walk->text, found.end) : found.end;
        if ((flags & SLM_ADDED_LSTRIP) != 0) {
            *start = at > walk->done ? strip_left(walk->text, at, walk->done) : walk->done;
        }
        if (*start < *end) {
            return true;
        }
        walk->done = *end; /* white space that the token before has taken whole: nothing is left of this one */
        at = found.end - 1;
    }
    walk->search = at;
    return false;
}

bool slm__added_next(struct slm_added_walk *walk, struct slm_added_piece *piece)
{
    if (walk->pending) {
        walk->pending = false;
        piece->id = walk->pending_id;
        piece->start = walk->done;
        piece->end = walk->pending_end;
        walk->done = walk->pending_end;
        return true;
    }
    piece->id = SLM_TOKENIZER_NONE;
    piece->start = walk->done;
    size_t start = 0;
    if (find_token(walk, &walk->pending_id, &start, &walk->pending_end)) {
        if (start > walk->done) {
            walk->pending = true;
            walk->done = start;
            piece->end = start;
            return true;
        }
        piece->id = walk->pending_id;
        piece->start = start;
        piece->end = walk->pending_end;
        walk->done = walk->pending_end;
        return true;
    }
    piece->end = walk->text.length;
    walk->done = walk->text.length;
    return piece->start < piece->end;
}

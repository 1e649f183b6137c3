/* SPDX-License-Identifier: MIT */
/*
 * From the pieces of a rendering to the ranges that hold no control token. The tokenizer keeps special tokens out of untrusted ranges by
 * itself; a view of it, in which the other added tokens that structure a conversation are special too, keeps those out as well.
 */
#include "text/chat_tokenize.h"

enum { FIRST_WORD = 8 }; /* vocabularies with <s> as a control token begin with those */

/* ---- which added tokens are control tokens ---- */

static bool begins_and_ends(struct slm_span text, const char *begin, const char *end)
{
    const struct slm_span first = slm__span_text(begin);
    const struct slm_span last = slm__span_text(end);
    return text.length > first.length + last.length && memcmp(text.data, first.data, first.length) == 0 &&
           memcmp(text.data + text.length - last.length, last.data, last.length) == 0;
}

/* "table", "/b", "h1": tags of HTML are words of some vocabularies. <s> is also what older ones begin and end texts with. */
static bool is_html(struct slm_span name)
{
    static const char *const tags[] = {"a",   "b",     "blockquote", "br", "caption", "code", "div",   "em",  "h1", "h2",   "h3",     "h4",
                                       "h5",  "h6",    "hr",         "i",  "li",      "ol",   "p",     "pre", "s",  "span", "strong", "sub",
                                       "sup", "table", "tbody",      "td", "tfoot",   "th",   "thead", "tr",  "u",  "ul"};
    if (name.data[0] == '/') {
        name = slm__span(name.data + 1, name.length - 1);
    }
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        if (slm__span_is(name, tags[i])) {
            return true;
        }
    }
    return false;
}

/* Is the added token `id`, which is not special, a control token all the same? */
static bool is_marker(struct slm_span text, uint32_t id)
{
    if (id < FIRST_WORD && (slm__span_is(text, "<s>") || slm__span_is(text, "</s>"))) {
        return true;
    }
    return begins_and_ends(text, "[", "]") || (begins_and_ends(text, "<", ">") && !is_html(slm__span(text.data + 1, text.length - 2)));
}

static void mark_controls(const struct slm_tokenizer *tokenizer, uint8_t *records)
{
    for (uint32_t i = 0; i < tokenizer->added_count; i++) {
        uint8_t *record = records + (size_t)i * SLM_TOKENIZER_ADDED_BYTES;
        const uint32_t id = slm__load_u32(record);
        if (is_marker(slm__tokenizer_bytes(tokenizer, id), id)) {
            record[4] |= SLM_ADDED_SPECIAL;
        }
    }
}

/* ---- encoding ---- */

/* Pieces of a rendering -> struct slm_text_range of the untrusted ones, neighbours joined. */
static slm_status find_untrusted(const struct slm_buffer *pieces, struct slm_buffer *ranges, slm_error *error)
{
    struct slm_text_range last = {0, 0};
    for (size_t at = 0; at + sizeof(struct slm_template_piece) <= pieces->length; at += sizeof(struct slm_template_piece)) {
        struct slm_template_piece piece;
        memcpy(&piece, pieces->data + at, sizeof piece);
        if (piece.trusted || piece.length == 0) {
            continue;
        }
        if (last.end != piece.offset && last.end > last.start) {
            slm__buffer_append(ranges, &last, sizeof last);
        }
        if (last.end != piece.offset || last.end == last.start) {
            last.start = piece.offset;
        }
        last.end = piece.offset + piece.length;
    }
    if (last.end > last.start) {
        slm__buffer_append(ranges, &last, sizeof last);
    }
    return ranges->status == SLM_OK ? SLM_OK : slm__buffer_failure(ranges, error);
}

/* Encode into a block for `capacity` ids and append them to `ids`; *count is their number, also when it exceeds the capacity. */
static slm_status encode_block(const struct slm_tokenizer *tokenizer, struct slm_span text, const struct slm_buffer *ranges,
                               uint64_t capacity, uint64_t *count, struct slm_buffer *ids, slm_error *error)
{
    const struct slm_text_range *untrusted = (const struct slm_text_range *)(const void *)ranges->data;
    const uint64_t ranges_count = ranges->length / sizeof *untrusted;
    size_t bytes = 0;
    if (capacity > SIZE_MAX || !slm__size_mul((size_t)capacity, sizeof(int32_t), &bytes)) {
        return slm__fail_memory(error, UINT64_MAX);
    }
    int32_t *block = slm__allocate(&ids->memory, bytes, 64);
    if (block == NULL) {
        return slm__fail_memory(error, bytes);
    }
    slm_status status =
        slm__tokenizer_encode_origins(tokenizer, &ids->memory, text, untrusted, ranges_count, 0, block, capacity, count, error);
    if (status == SLM_OK && !slm__buffer_append(ids, block, (size_t)*count * sizeof *block)) {
        status = slm__buffer_failure(ids, error);
    }
    slm__release(&ids->memory, block, bytes);
    return status;
}

/* A first guess of the number of ids saves most second passes. */
static slm_status append_ids(const struct slm_tokenizer *tokenizer, struct slm_span text, const struct slm_buffer *ranges,
                             struct slm_buffer *ids, slm_error *error)
{
    const uint64_t guess = text.length / 2 + 64;
    uint64_t count = guess;
    slm_error first = {.struct_size = sizeof first};
    const slm_status status = encode_block(tokenizer, text, ranges, guess, &count, ids, &first);
    if (status == SLM_E_BUFFER_TOO_SMALL) {
        return encode_block(tokenizer, text, ranges, count, &count, ids, error);
    }
    return status == SLM_OK ? SLM_OK : slm__fail(error, status, "%s", first.message);
}

/* Encode a rendering whose untrusted parts are `ranges`. */
static slm_status encode_chat(const struct slm_tokenizer *tokenizer, const struct slm_memory *memory, struct slm_span text,
                              const struct slm_buffer *ranges, struct slm_buffer *ids, slm_error *error)
{
    struct slm_tokenizer view = *tokenizer;
    const size_t bytes = (size_t)tokenizer->added_count * SLM_TOKENIZER_ADDED_BYTES;
    if (bytes == 0 || ranges->length == 0) {
        return append_ids(tokenizer, text, ranges, ids, error);
    }
    uint8_t *records = slm__allocate(memory, bytes, 64);
    if (records == NULL) {
        return slm__fail_memory(error, bytes);
    }
    memcpy(records, tokenizer->tables[SLM_TOKENIZER_ADDED], bytes);
    mark_controls(tokenizer, records);
    view.tables[SLM_TOKENIZER_ADDED] = records;
    const slm_status status = append_ids(&view, text, ranges, ids, error);
    slm__release(memory, records, bytes);
    return status;
}

slm_status slm__chat_tokenize(const struct slm_tokenizer *tokenizer, const struct slm_memory *memory, const struct slm_chat_prompt *prompt,
                              const struct slm_template_options *options, bool reference, struct slm_buffer *ids, slm_error *error)
{
    struct slm_template_options known = *options;
    struct slm_buffer text;
    struct slm_buffer pieces;
    struct slm_buffer ranges;
    slm__buffer_init(&text, memory, SIZE_MAX);
    slm__buffer_init(&pieces, memory, SIZE_MAX);
    slm__buffer_init(&ranges, memory, SIZE_MAX);
    known.pieces = reference ? NULL : &pieces;
    slm_status status = slm__chat_render(memory, prompt->source, prompt->request, prompt->tokens_json, &known, &text, error);
    if (status == SLM_OK) {
        status = find_untrusted(&pieces, &ranges, error);
    }
    if (status == SLM_OK) {
        status = slm__chat_place_images(&prompt->images, &text, &ranges, error);
    }
    if (status == SLM_OK) {
        status = encode_chat(tokenizer, memory, slm__span(text.data, text.length), &ranges, ids, error);
    }
    slm__buffer_free(&text);
    slm__buffer_free(&pieces);
    slm__buffer_free(&ranges);
    return status;
}

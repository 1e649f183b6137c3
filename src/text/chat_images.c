/* SPDX-License-Identifier: MIT */
/* One pass from left to right; ranges move by what was put in before them. */
#include "text/chat_images.h"
#include "text/tokenizer.h" /* struct slm_text_range */

static const size_t PROMPT_LIMIT = (size_t)1 << 30;

/* A copy in progress. */
struct placing {
    const struct slm_chat_images *images;
    struct slm_span text;
    const uint8_t *ranges; /* of the old text */
    size_t range_count, next_range;
    struct slm_buffer *out, *out_ranges;
};

static struct slm_text_range range_at(const struct placing *p, size_t i)
{
    struct slm_text_range range;
    memcpy(&range, p->ranges + i * sizeof range, sizeof range);
    return range;
}

/* Ranges that end at or before `at`, moved to where their text is now: `shift` further. */
static void move_ranges(struct placing *p, size_t at, size_t shift)
{
    for (; p->next_range < p->range_count && range_at(p, p->next_range).end <= at; p->next_range++) {
        struct slm_text_range range = range_at(p, p->next_range);
        range.start += shift;
        range.end += shift;
        slm__buffer_append(p->out_ranges, &range, sizeof range);
    }
}

/* Whether the marker begins at `at` and no untrusted text is in it; ranges before it have been moved. */
static bool is_marker_at(const struct placing *p, size_t at)
{
    const struct slm_span marker = p->images->marker;
    if (p->text.length - at < marker.length || memcmp(p->text.data + at, marker.data, marker.length) != 0) {
        return false;
    }
    for (size_t i = p->next_range; i < p->range_count && range_at(p, i).start < at + marker.length; i++) {
        if (range_at(p, i).end > at) {
            return false;
        }
    }
    return true;
}

static void place_all(struct placing *p)
{
    const struct slm_chat_images *images = p->images;
    size_t done = 0;
    for (size_t at = 0; at < p->text.length && p->out->status == SLM_OK;) {
        if (!is_marker_at(p, at)) {
            at++;
            continue;
        }
        move_ranges(p, at, p->out->length - done);
        slm__buffer_append(p->out, p->text.data + done, at - done);
        slm__buffer_append(p->out, images->before.data, images->before.length);
        for (uint32_t i = 0; i < images->tokens && p->out->status == SLM_OK; i++) {
            slm__buffer_append(p->out, images->token.data, images->token.length);
        }
        slm__buffer_append(p->out, images->after.data, images->after.length);
        at += images->marker.length;
        done = at;
    }
    move_ranges(p, p->text.length, p->out->length - done);
    slm__buffer_append(p->out, p->text.data + done, p->text.length - done);
}

slm_status slm__chat_place_images(const struct slm_chat_images *images, struct slm_buffer *text, struct slm_buffer *ranges,
                                  slm_error *error)
{
    struct slm_buffer out, out_ranges;
    if (images->marker.length == 0) {
        return SLM_OK;
    }
    slm__buffer_init(&out, &text->memory, PROMPT_LIMIT);
    slm__buffer_init(&out_ranges, &text->memory, SIZE_MAX);
    struct placing placing = {.images = images,
                              .text = slm__span(text->data, text->length),
                              .ranges = ranges->data,
                              .range_count = ranges->length / sizeof(struct slm_text_range),
                              .out = &out,
                              .out_ranges = &out_ranges};
    place_all(&placing);
    if (out.status != SLM_OK || out_ranges.status != SLM_OK) {
        const slm_status status = slm__buffer_failure(out.status != SLM_OK ? &out : &out_ranges, error);
        slm__buffer_free(&out);
        slm__buffer_free(&out_ranges);
        return status;
    }
    slm__buffer_free(text);
    slm__buffer_free(ranges);
    *text = out;
    *ranges = out_ranges;
    return SLM_OK;
}

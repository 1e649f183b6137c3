/* SPDX-License-Identifier: MIT */
/* Each step appends its result to a buffer and says whether anything changed: if not, the text stays where it was. */
#include "text/text_normalizer.h"

#include "base/utf8.h"              /* slm__utf8_decode, slm__utf8_encode */
#include "text/precompiled_map.h"   /* slm__precompiled_apply */
#include "text/tokenizer_layout.h"  /* enum slm_tokenizer_normalizer */
#include "text/unicode_classes.h"   /* SLM_UNICODE_SPACE */
#include "text/unicode_normalize.h" /* slm__unicode_normalize */
#include "text/unicode_text.h"      /* slm__unicode_text, slm__unicode_lower */

/* What becomes of one character: up to three others. */
struct mapped {
    bool changed;
    uint32_t count;
    uint32_t codes[3];
};

static struct mapped keep(void)
{
    struct mapped result = {false, 0, {0, 0, 0}};
    return result;
}

static struct mapped become(uint32_t count, uint32_t first, uint32_t second, uint32_t third)
{
    struct mapped result = {true, count, {first, second, third}};
    return result;
}

static struct mapped lower(uint32_t code)
{
    if (code < 0x80) {
        return code >= 'A' && code <= 'Z' ? become(1, code + 32, 0, 0) : keep();
    }
    if (code == 0x130) {
        return become(2, 'i', 0x307, 0); /* the only one that becomes two */
    }
    uint32_t low = 0;
    uint32_t high = slm__unicode_lower_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        uint32_t found = (uint32_t)(slm__unicode_lower[middle] >> 32);
        if (found == code) {
            return become(1, (uint32_t)slm__unicode_lower[middle], 0, 0);
        }
        if (found < code) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return keep();
}

/* Steps that look at one character at a time. */
static struct mapped map_character(uint32_t kind, uint32_t value, uint32_t code)
{
    if (kind == SLM_NORMALIZER_LOWERCASE) {
        return lower(code);
    }
    uint32_t bits = slm__unicode_text(code);
    if (kind == SLM_NORMALIZER_STRIP_ACCENTS) {
        return (bits & (value == 0 ? SLM_UNICODE_MARK_9 : SLM_UNICODE_NONSPACING_8)) != 0 ? become(0, 0, 0, 0) : keep();
    }
    bool nmt = kind == SLM_NORMALIZER_NMT;
    bool clean = nmt || (value & SLM_BERT_CLEAN) != 0;
    if (clean && (bits & (nmt ? SLM_UNICODE_NMT_REMOVED : SLM_UNICODE_BERT_REMOVED)) != 0) {
        return become(0, 0, 0, 0);
    }
    if (clean && (bits & (nmt ? SLM_UNICODE_NMT_SPACE : SLM_UNICODE_BERT_SPACE)) != 0) {
        return code == ' ' ? keep() : become(1, ' ', 0, 0);
    }
    bool apart = !nmt && (value & SLM_BERT_IDEOGRAPHS) != 0 && (bits & SLM_UNICODE_IDEOGRAPH) != 0;
    return apart ? become(3, ' ', code, ' ') : keep();
}

static bool map_text(const struct slm_normalizer *step, struct slm_span text, struct slm_buffer *out)
{
    size_t copied = 0;
    bool changed = false;
    for (size_t position = 0; position < text.length;) {
        struct slm_utf8 c = {text.data[position], 1, true, false};
        if (c.code >= 0x80) {
            c = slm__utf8_decode(text.data + position, text.length - position);
        }
        struct mapped mapped = map_character(step->kind, step->value, c.code);
        if (mapped.changed) {
            slm__buffer_append(out, text.data + copied, position - copied);
            for (uint32_t i = 0; i < mapped.count; i++) {
                uint8_t bytes[4];
                slm__buffer_append(out, bytes, slm__utf8_encode(mapped.codes[i], bytes));
            }
            copied = position + c.length;
            changed = true;
        }
        position += c.length;
    }
    if (changed) {
        slm__buffer_append(out, text.data + copied, text.length - copied);
    }
    return changed;
}

/* Start of the next occurrence of `pattern`, or text.length. */
static size_t find_text(struct slm_span text, size_t position, struct slm_span pattern)
{
    while (position + pattern.length <= text.length) {
        const uint8_t *found = memchr(text.data + position, pattern.data[0], text.length - position - (pattern.length - 1));
        if (found == NULL) {
            break;
        }
        position = (size_t)(found - text.data);
        if (memcmp(found, pattern.data, pattern.length) == 0) {
            return position;
        }
        position++;
    }
    return text.length;
}

static bool stands_at(struct slm_span text, size_t position, struct slm_span pattern)
{
    return text.length - position >= pattern.length && memcmp(text.data + position, pattern.data, pattern.length) == 0;
}

/* Every occurrence, or with SLM_REPLACE_RUNS every run of two or more. */
bool slm__text_replace(const struct slm_normalizer *step, struct slm_span text, struct slm_buffer *out)
{
    bool runs = step->value == SLM_REPLACE_RUNS;
    bool changed = false;
    for (size_t position = 0; position < text.length;) {
        size_t start = find_text(text, position, step->text);
        size_t end = start < text.length ? start + step->text.length : start;
        while (runs && end < text.length && stands_at(text, end, step->text)) {
            end += step->text.length;
        }
        bool replaced = end - start >= step->text.length * (runs ? 2U : 1U);
        struct slm_span with = replaced ? step->second : slm__span(text.data + start, end - start);
        slm__buffer_append(out, text.data + position, start - position);
        slm__buffer_append(out, with.data, with.length);
        changed |= replaced;
        position = end;
    }
    return changed;
}

static bool is_space(struct slm_span text, size_t position, uint32_t *length)
{
    struct slm_utf8 c = slm__utf8_decode(text.data + position, text.length - position);
    *length = c.length;
    return (slm__unicode(c.code) & SLM_UNICODE_SPACE) != 0;
}

static struct slm_span strip(uint32_t sides, struct slm_span text)
{
    uint32_t length = 0;
    size_t start = 0;
    while ((sides & SLM_STRIP_LEFT) != 0 && start < text.length && is_space(text, start, &length)) {
        start += length;
    }
    size_t end = text.length;
    while ((sides & SLM_STRIP_RIGHT) != 0 && end > start) {
        size_t before = end - 1;
        while (before > start && (text.data[before] & 0xC0) == 0x80) {
            before--;
        }
        if (!is_space(slm__span(text.data, end), before, &length)) {
            break;
        }
        end = before;
    }
    return slm__span(text.data + start, end - start);
}

bool slm__normalizer_known(const struct slm_normalizer *step)
{
    switch (step->kind) {
    case SLM_NORMALIZER_NFC: return step->value == 0;
    case SLM_NORMALIZER_NFD:
    case SLM_NORMALIZER_NFKC:
    case SLM_NORMALIZER_NFKD:
    case SLM_NORMALIZER_LOWERCASE:
    case SLM_NORMALIZER_NMT: return SLM_WITH_VARIANTS && step->value == 0;
    case SLM_NORMALIZER_STRIP_ACCENTS: return SLM_WITH_VARIANTS && step->value <= 1;
    case SLM_NORMALIZER_BERT: return SLM_WITH_VARIANTS && step->value <= 3;
    case SLM_NORMALIZER_STRIP: return step->value <= 3;
    case SLM_NORMALIZER_REPLACE:
        return step->value <= SLM_REPLACE_RUNS && step->text.length > 0 && slm__utf8_valid_prefix(step->text) == step->text.length &&
               slm__utf8_valid_prefix(step->second) == step->second.length;
    case SLM_NORMALIZER_PREPEND: return step->value == 0 && slm__utf8_valid_prefix(step->text) == step->text.length;
    case SLM_NORMALIZER_PRECOMPILED: return SLM_WITH_VARIANTS && step->value == 0 && slm__precompiled_valid(step->text);
    default: return false;
    }
}

/* One step; *changed: the result is in `out`, else it is *text. */
static slm_status apply(const struct slm_normalizer *step, struct slm_span *text, struct slm_buffer *out, bool *changed, slm_error *error)
{
    *changed = false;
    switch (step->kind) {
    case SLM_NORMALIZER_NFC:
    case SLM_NORMALIZER_NFD:
    case SLM_NORMALIZER_NFKC:
    case SLM_NORMALIZER_NFKD:
        *changed = !slm__unicode_is_normal((enum slm_unicode_form)step->kind, *text);
        return *changed ? slm__unicode_normalize((enum slm_unicode_form)step->kind, *text, out, error) : SLM_OK;
    case SLM_NORMALIZER_STRIP: *text = strip(step->value, *text); return SLM_OK;
    case SLM_NORMALIZER_REPLACE: *changed = slm__text_replace(step, *text, out); break;
    case SLM_NORMALIZER_PREPEND:
        *changed = text->length > 0;
        if (*changed) {
            slm__buffer_append(out, step->text.data, step->text.length);
            slm__buffer_append(out, text->data, text->length);
        }
        break;
    case SLM_NORMALIZER_PRECOMPILED:
        if (SLM_WITH_VARIANTS) {
            slm__precompiled_apply(step->text, *text, out);
        }
        *changed = true;
        break;
    default: *changed = SLM_WITH_VARIANTS && map_text(step, *text, out); break;
    }
    return out->status == SLM_OK ? SLM_OK : slm__buffer_failure(out, error);
}

slm_status slm__text_normalize(const struct slm_normalizer *steps, uint32_t count, struct slm_span *text, struct slm_buffer buffers[2],
                               slm_error *error)
{
    uint32_t free_buffer = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool changed = false;
        struct slm_buffer *out = &buffers[free_buffer];
        out->length = 0;
        SLM_TRY(apply(&steps[i], text, out, &changed, error));
        if (changed) {
            *text = slm__span(out->data, out->length);
            free_buffer = 1 - free_buffer;
        }
    }
    return SLM_OK;
}

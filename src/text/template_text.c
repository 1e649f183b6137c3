/* SPDX-License-Identifier: MIT */
/* Texts that know the origin of their bytes: the builder, cutting, joining, searching. */
#include "text/template_text.h" /* struct slm_tbuilder */

#include "base/utf8.h"             /* slm__utf8_encode */
#include "text/template_machine.h" /* slm__tm_take, slm__tm_charge */

void slm__ts_begin(struct slm_tbuilder *builder, struct slm_tmachine *machine)
{
    memset(builder, 0, sizeof *builder);
    builder->machine = machine;
}

slm_status slm__ts_reserve(struct slm_tbuilder *builder, size_t more)
{
    struct slm_tmachine *m = builder->machine;
    if (more <= builder->capacity - builder->length) {
        return SLM_OK;
    }
    if (more > m->output_limit || builder->length > m->output_limit - more) {
        return slm__fail(m->error, SLM_E_LIMIT, "line %u of the chat template: a text longer than %zu bytes", (unsigned)m->line,
                         m->output_limit);
    }
    /* The first room is exact: most texts are built in one go. */
    size_t capacity = builder->capacity == 0 ? more : builder->capacity * 2;
    if (capacity < builder->length + more) {
        capacity = builder->length + more;
    }
    if (capacity > m->output_limit) {
        capacity = m->output_limit;
    }
    uint8_t *data = slm__tm_take(m, capacity);
    if (data == NULL) {
        return slm__tm_no_memory(m);
    }
    if (builder->length > 0) {
        memcpy(data, builder->data, builder->length);
    }
    builder->data = data;
    builder->capacity = capacity;
    return SLM_OK;
}

/* Note that the bytes up to builder->length + length have the origin `trusted`. */
static slm_status extend_runs(struct slm_tbuilder *builder, size_t length, bool trusted)
{
    struct slm_trun *last = builder->run_count > 0 ? &builder->runs[builder->run_count - 1] : NULL;
    if (last != NULL && last->trusted == trusted) {
        last->end += length;
        return SLM_OK;
    }
    if (builder->run_count == builder->run_capacity) {
        size_t capacity = builder->run_capacity == 0 ? 4 : builder->run_capacity * 2;
        struct slm_trun *runs = slm__tm_take_items(builder->machine, capacity, sizeof *runs);
        if (runs == NULL) {
            return slm__tm_no_memory(builder->machine);
        }
        if (builder->run_count > 0) {
            memcpy(runs, builder->runs, builder->run_count * sizeof *runs);
        }
        builder->runs = runs;
        builder->run_capacity = capacity;
    }
    builder->runs[builder->run_count].end = builder->length + length;
    builder->runs[builder->run_count].trusted = trusted;
    builder->run_count++;
    return SLM_OK;
}

slm_status slm__ts_add(struct slm_tbuilder *builder, const void *data, size_t length, bool trusted)
{
    if (length == 0) {
        return SLM_OK;
    }
    SLM_TRY(slm__tm_charge(builder->machine, length / 64));
    SLM_TRY(slm__ts_reserve(builder, length));
    SLM_TRY(extend_runs(builder, length, trusted));
    memcpy(builder->data + builder->length, data, length);
    builder->length += length;
    return SLM_OK;
}

slm_status slm__ts_add_literal(struct slm_tbuilder *builder, const char *text) { return slm__ts_add(builder, text, strlen(text), true); }

slm_status slm__ts_add_part(struct slm_tbuilder *builder, const struct slm_tstring *text, size_t from, size_t to)
{
    while (from < to) {
        size_t end = 0;
        bool trusted = slm__ts_origin(text, from, &end);
        if (end > to) {
            end = to;
        }
        SLM_TRY(slm__ts_add(builder, text->data + from, end - from, trusted));
        from = end;
    }
    return SLM_OK;
}

slm_status slm__ts_add_text(struct slm_tbuilder *builder, const struct slm_tstring *text)
{
    return slm__ts_add_part(builder, text, 0, text->length);
}

slm_status slm__ts_add_character(struct slm_tbuilder *builder, uint32_t code, bool trusted)
{
    uint8_t bytes[4];
    unsigned length = slm__utf8_encode(code, bytes);
    return slm__ts_add(builder, bytes, length, trusted);
}

slm_status slm__ts_add_repeated(struct slm_tbuilder *builder, char byte, size_t count, bool trusted)
{
    char block[64];
    memset(block, byte, sizeof block);
    SLM_TRY(slm__ts_reserve(builder, count));
    while (count > 0) {
        size_t part = count < sizeof block ? count : sizeof block;
        SLM_TRY(slm__ts_add(builder, block, part, trusted));
        count -= part;
    }
    return SLM_OK;
}

static size_t count_characters(const uint8_t *data, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        count += (data[i] & 0xC0) != 0x80;
    }
    return count;
}

slm_status slm__ts_end(struct slm_tbuilder *builder, struct slm_tvalue *out)
{
    struct slm_tstring *text = slm__tm_take(builder->machine, sizeof *text);
    if (text == NULL) {
        return slm__tm_no_memory(builder->machine);
    }
    text->data = builder->data != NULL ? builder->data : (const uint8_t *)"";
    text->length = builder->length;
    text->characters = count_characters(text->data, text->length);
    text->trusted = builder->run_count == 0 || builder->runs[0].trusted;
    if (builder->run_count > 1) {
        text->runs = builder->runs;
        text->run_count = builder->run_count;
    }
    memset(out, 0, sizeof *out);
    out->kind = SLM_T_STRING;
    out->as.string = text;
    return SLM_OK;
}

slm_status slm__ts_make(struct slm_tmachine *m, struct slm_span bytes, bool trusted, struct slm_tvalue *out)
{
    struct slm_tstring *text = slm__tm_take(m, sizeof *text);
    if (text == NULL) {
        return slm__tm_no_memory(m);
    }
    SLM_TRY(slm__tm_charge(m, bytes.length / 64));
    text->data = bytes.data != NULL ? bytes.data : (const uint8_t *)"";
    text->length = bytes.length;
    text->characters = count_characters(text->data, text->length);
    text->trusted = trusted;
    memset(out, 0, sizeof *out);
    out->kind = SLM_T_STRING;
    out->as.string = text;
    return SLM_OK;
}

slm_status slm__ts_slice(struct slm_tmachine *m, const struct slm_tstring *text, size_t from, size_t to, struct slm_tvalue *out)
{
    size_t end = 0;
    bool trusted = from >= to || slm__ts_origin(text, from, &end);
    if (from >= to || end >= to) {
        SLM_TRY(slm__ts_make(m, slm__span(text->data + from, from < to ? to - from : 0), trusted, out));
    } else {
        struct slm_tbuilder builder;
        slm__ts_begin(&builder, m);
        SLM_TRY(slm__ts_reserve(&builder, to - from));
        SLM_TRY(slm__ts_add_part(&builder, text, from, to));
        SLM_TRY(slm__ts_end(&builder, out));
    }
    return text->markup ? slm__ts_markup(m, out->as.string, out) : SLM_OK;
}

slm_status slm__ts_markup(struct slm_tmachine *m, const struct slm_tstring *text, struct slm_tvalue *out)
{
    struct slm_tstring *marked = slm__tm_take(m, sizeof *marked);
    if (marked == NULL) {
        return slm__tm_no_memory(m);
    }
    *marked = *text;
    marked->markup = true;
    memset(out, 0, sizeof *out);
    out->kind = SLM_T_STRING;
    out->as.string = marked;
    return SLM_OK;
}

slm_status slm__ts_escape(struct slm_tmachine *m, const struct slm_tstring *text, struct slm_tvalue *out)
{
    static const char letters[] = "&<>'\"";
    static const char *const names[] = {"&amp;", "&lt;", "&gt;", "&#39;", "&#34;"};
    struct slm_tbuilder builder;
    slm__ts_begin(&builder, m);
    size_t plain = 0;
    for (size_t i = 0; i < text->length; i++) {
        const char *hit = text->data[i] != 0 ? strchr(letters, text->data[i]) : NULL;
        if (hit != NULL) {
            size_t end = 0;
            const char *name = names[hit - letters];
            SLM_TRY(slm__ts_add_part(&builder, text, plain, i));
            SLM_TRY(slm__ts_add(&builder, name, strlen(name), slm__ts_origin(text, i, &end)));
            plain = i + 1;
        }
    }
    SLM_TRY(slm__ts_add_part(&builder, text, plain, text->length));
    SLM_TRY(slm__ts_end(&builder, out));
    return slm__ts_markup(m, out->as.string, out);
}

slm_status slm__ts_join(struct slm_tmachine *m, const struct slm_tstring *a, const struct slm_tstring *b, struct slm_tvalue *out)
{
    struct slm_tbuilder builder;
    struct slm_tvalue escaped;
    bool markup = a->markup || b->markup;
    if (markup && !(a->markup && b->markup)) {
        SLM_TRY(slm__ts_escape(m, a->markup ? b : a, &escaped));
        *(a->markup ? &b : &a) = escaped.as.string;
    }
    slm__ts_begin(&builder, m);
    size_t length = 0;
    if (!slm__size_add(a->length, b->length, &length)) {
        length = SIZE_MAX;
    }
    SLM_TRY(slm__ts_reserve(&builder, length));
    SLM_TRY(slm__ts_add_text(&builder, a));
    SLM_TRY(slm__ts_add_text(&builder, b));
    SLM_TRY(slm__ts_end(&builder, out));
    return markup ? slm__ts_markup(m, out->as.string, out) : SLM_OK;
}

bool slm__ts_is(struct slm_tvalue value, const char *text)
{
    return value.kind == SLM_T_STRING && slm__span_is(slm__ts_span(value.as.string), text);
}

bool slm__ts_origin(const struct slm_tstring *text, size_t offset, size_t *end)
{
    if (text->runs == NULL) {
        *end = text->length;
        return text->trusted;
    }
    size_t low = 0;
    size_t high = text->run_count - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (offset < text->runs[middle].end) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    *end = text->runs[low].end;
    return text->runs[low].trusted;
}

size_t slm__ts_offset(const struct slm_tstring *text, size_t index)
{
    if (text->characters == text->length) {
        return index;
    }
    size_t offset = 0;
    while (offset < text->length) {
        if ((text->data[offset] & 0xC0) != 0x80) {
            if (index == 0) {
                return offset;
            }
            index--;
        }
        offset++;
    }
    return offset;
}

size_t slm__ts_character(const struct slm_tstring *text, size_t offset)
{
    return text->characters == text->length ? offset : count_characters(text->data, offset);
}

/* SPDX-License-Identifier: MIT */
/*
 * Text of the chat template language with the origin of every byte, and the builder through which all new text is made. Cutting and
 * copying keep the origin; what a filter or an operator writes itself (quotes, brackets, escapes of a template's text) is trusted.
 */
#ifndef SLM_TEXT_TEMPLATE_TEXT_H
#define SLM_TEXT_TEMPLATE_TEXT_H

#include "text/template_value.h" /* struct slm_tvalue, struct slm_tstring */

/* A growing text; its memory belongs to the machine's arena. */
struct slm_tbuilder {
    struct slm_tmachine *machine;
    uint8_t *data;
    size_t length;
    size_t capacity;
    struct slm_trun *runs;
    size_t run_count;
    size_t run_capacity;
};

void slm__ts_begin(struct slm_tbuilder *builder, struct slm_tmachine *machine);
slm_status slm__ts_reserve(struct slm_tbuilder *builder, size_t more);
slm_status slm__ts_add(struct slm_tbuilder *builder, const void *data, size_t length, bool trusted);
slm_status slm__ts_add_literal(struct slm_tbuilder *builder, const char *text); /* trusted */
/* Bytes [from, to) of a text with their origin. */
slm_status slm__ts_add_part(struct slm_tbuilder *builder, const struct slm_tstring *text, size_t from, size_t to);
slm_status slm__ts_add_text(struct slm_tbuilder *builder, const struct slm_tstring *text);
slm_status slm__ts_add_character(struct slm_tbuilder *builder, uint32_t code, bool trusted);
slm_status slm__ts_add_repeated(struct slm_tbuilder *builder, char byte, size_t count, bool trusted);
/* The text built; the builder is not used afterwards. */
slm_status slm__ts_end(struct slm_tbuilder *builder, struct slm_tvalue *out);

/* A text over bytes that outlive the machine (source, request, arena). */
slm_status slm__ts_make(struct slm_tmachine *m, struct slm_span bytes, bool trusted, struct slm_tvalue *out);
slm_status slm__ts_slice(struct slm_tmachine *m, const struct slm_tstring *text, size_t from, size_t to, struct slm_tvalue *out);
/* The text as markup; given back as it is when it is markup already. */
slm_status slm__ts_markup(struct slm_tmachine *m, const struct slm_tstring *text, struct slm_tvalue *out);
/* The text with & < > ' " escaped for HTML, as markup. */
slm_status slm__ts_escape(struct slm_tmachine *m, const struct slm_tstring *text, struct slm_tvalue *out);
/* a + b. */
slm_status slm__ts_join(struct slm_tmachine *m, const struct slm_tstring *a, const struct slm_tstring *b, struct slm_tvalue *out);

static inline struct slm_span slm__ts_span(const struct slm_tstring *text) { return slm__span(text->data, text->length); }
bool slm__ts_is(struct slm_tvalue value, const char *text);
/* Origin of the byte at `offset`, and where its run ends. */
bool slm__ts_origin(const struct slm_tstring *text, size_t offset, size_t *end);
/* Byte offset of the `index`-th character (index <= characters). */
size_t slm__ts_offset(const struct slm_tstring *text, size_t index);
/* Number of characters in bytes [0, offset). */
size_t slm__ts_character(const struct slm_tstring *text, size_t offset);
/* First place of `needle` in bytes [from, to), or SIZE_MAX; last place. */
size_t slm__ts_find(const struct slm_tstring *text, struct slm_span needle, size_t from, size_t to);
size_t slm__ts_find_last(const struct slm_tstring *text, struct slm_span needle, size_t from, size_t to);

/* str(value) and repr(value) of Python, appended. */
slm_status slm__ts_print(struct slm_tbuilder *builder, struct slm_tvalue value);
slm_status slm__ts_repr(struct slm_tbuilder *builder, struct slm_tvalue value);
/* str(value) as a text; a text is given back as it is. */
slm_status slm__ts_from(struct slm_tmachine *m, struct slm_tvalue value, const struct slm_tstring **text);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Where a call ends. The scanner keeps its place, so that a call that comes byte by byte costs no more than one that comes whole, and it
 * gives up at the first byte that cannot belong to a call: prose behind a marker is shown at once.
 */
#include "text/chat_call.h"

#include <string.h>

enum { HEAD_BYTES = 512 }; /* names, ids, keys */

static bool is_too_long(const struct slm_chat_region *r, uint8_t byte) { return r->at - r->head >= HEAD_BYTES && (byte & 0xC0) != 0x80; }

bool slm__chat_is_space(uint8_t byte) { return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t'; }

enum slm_chat_found slm__chat_literal(struct slm_span text, size_t at, const char *literal)
{
    const size_t length = strlen(literal);
    const size_t there = text.length - at < length ? text.length - at : length;
    if (there > 0 && memcmp(text.data + at, literal, there) != 0) {
        return SLM_CHAT_NO;
    }
    return there == length ? SLM_CHAT_YES : SLM_CHAT_MORE;
}

void slm__chat_region_begin(struct slm_chat_region *region, const struct slm_chat_marker *marker, size_t start, bool json_in_code)
{
    memset(region, 0, sizeof *region);
    region->marker = marker;
    region->start = start;
    region->body = start + strlen(marker->text) - marker->kept;
    region->at = region->body;
    region->head = region->body;
    region->json_in_code = json_in_code;
    region->phase = marker->grammar == SLM_CHAT_NAMED || marker->grammar == SLM_CHAT_XML_BARE ? SLM_CHAT_AT_HEAD : SLM_CHAT_AT_LEAD;
}

/* ---- JSON ---- */

static bool may_be_json(uint8_t byte)
{
    return slm__chat_is_space(byte) || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || byte == 'E' ||
           (byte != 0 && strchr("{}[]:,+-.\"", byte) != NULL);
}

/* One byte of a string; false when no string can hold it. */
static bool string_byte(struct slm_chat_region *r, uint8_t byte)
{
    if (byte < 0x20) {
        return false;
    }
    if (r->escaped) {
        r->escaped = false;
    } else if (byte == '\\') {
        r->escaped = true;
    } else if (byte == '"') {
        r->in_string = false;
    }
    return true;
}

/* Brackets and strings only: what is between them is checked when it is read. */
static enum slm_chat_found scan_json(struct slm_chat_region *r, struct slm_span text)
{
    for (; r->at < text.length; r->at++) {
        const uint8_t byte = text.data[r->at];
        if (r->in_string) {
            if (!string_byte(r, byte)) {
                return SLM_CHAT_NO;
            }
        } else if (!may_be_json(byte)) {
            return SLM_CHAT_NO;
        } else if (byte == '"') {
            r->in_string = true;
        } else if (byte == '{' || byte == '[') {
            if (r->depth++ == SLM_JSON_DEPTH) {
                return SLM_CHAT_NO;
            }
        } else if ((byte == '}' || byte == ']') && --r->depth == 0) {
            r->at++;
            return SLM_CHAT_YES;
        }
    }
    return SLM_CHAT_MORE;
}

size_t slm__chat_json_end(struct slm_span text, size_t at)
{
    struct slm_chat_region region;
    memset(&region, 0, sizeof region);
    region.at = at;
    (void)scan_json(&region, text);
    return region.at;
}

/* ---- the other parts of a region: each gives YES when it is done and the phase has changed ---- */

static void skip_space(struct slm_chat_region *r, struct slm_span text)
{
    while (r->at < text.length && slm__chat_is_space(text.data[r->at])) {
        r->at++;
    }
}

static enum slm_chat_found enter(struct slm_chat_region *r, enum slm_chat_phase phase)
{
    r->phase = phase;
    r->head = r->at;
    return SLM_CHAT_YES;
}

static enum slm_chat_found scan_lead(struct slm_chat_region *r, struct slm_span text)
{
    const enum slm_chat_grammar grammar = r->marker->grammar;
    skip_space(r, text);
    if (r->at == text.length) {
        return SLM_CHAT_MORE;
    }
    const uint8_t byte = text.data[r->at];
    const bool is_object = byte == '{';
    if (grammar == SLM_CHAT_CODE) {
        return enter(r, is_object && r->json_in_code ? SLM_CHAT_AT_JSON : SLM_CHAT_AT_REST);
    }
    if (is_object || (byte == '[' && (grammar == SLM_CHAT_JSON || grammar == SLM_CHAT_BRACKETS))) {
        return enter(r, SLM_CHAT_AT_JSON);
    }
    if (grammar == SLM_CHAT_BRACKETS) {
        return enter(r, SLM_CHAT_AT_HEAD);
    }
    const enum slm_chat_found function = grammar == SLM_CHAT_XML ? slm__chat_literal(text, r->at, "<function=") : SLM_CHAT_NO;
    if (function == SLM_CHAT_YES) {
        r->at += strlen("<function=");
        return enter(r, SLM_CHAT_AT_HEAD);
    }
    return function;
}

/* A name up to '>'; or up to the brace, with what is in brackets. */
static enum slm_chat_found scan_head(struct slm_chat_region *r, struct slm_span text)
{
    const bool brackets = r->marker->grammar == SLM_CHAT_BRACKETS;
    for (; r->at < text.length; r->at++) {
        const uint8_t byte = text.data[r->at];
        if (byte == (brackets ? '{' : '>')) {
            const bool empty = r->at == r->head;
            r->at += !brackets;
            return empty                                  ? SLM_CHAT_NO
                   : brackets                             ? enter(r, SLM_CHAT_AT_JSON)
                   : r->marker->grammar == SLM_CHAT_NAMED ? enter(r, SLM_CHAT_AT_LEAD)
                                                          : enter(r, SLM_CHAT_AT_PARAMETER);
        }
        if (byte <= ' ' || byte == '<' || byte == '"' || byte == '}' || is_too_long(r, byte)) {
            return SLM_CHAT_NO;
        }
    }
    return SLM_CHAT_MORE;
}

static enum slm_chat_found scan_parameter(struct slm_chat_region *r, struct slm_span text)
{
    skip_space(r, text);
    const enum slm_chat_found parameter = slm__chat_literal(text, r->at, "<parameter=");
    const enum slm_chat_found end = slm__chat_literal(text, r->at, "</function>");
    if (parameter == SLM_CHAT_YES) {
        r->at += strlen("<parameter=");
        return enter(r, SLM_CHAT_AT_KEY);
    }
    if (end == SLM_CHAT_YES) {
        r->at += strlen("</function>");
        r->end = r->at;
        return enter(r, SLM_CHAT_AT_TAIL);
    }
    return parameter == SLM_CHAT_MORE || end == SLM_CHAT_MORE ? SLM_CHAT_MORE : SLM_CHAT_NO;
}

static enum slm_chat_found scan_key(struct slm_chat_region *r, struct slm_span text)
{
    for (; r->at < text.length; r->at++) {
        const uint8_t byte = text.data[r->at];
        if (byte == '>') {
            r->at++;
            return enter(r, SLM_CHAT_AT_VALUE);
        }
        if (byte == '\n' || byte == '<' || is_too_long(r, byte)) {
            return SLM_CHAT_NO;
        }
    }
    return SLM_CHAT_MORE;
}

static enum slm_chat_found scan_value(struct slm_chat_region *r, struct slm_span text)
{
    while (r->at < text.length) {
        const uint8_t *found = memchr(text.data + r->at, '<', text.length - r->at);
        r->at = found != NULL ? (size_t)(found - text.data) : text.length;
        if (found == NULL) {
            break;
        }
        const enum slm_chat_found end = slm__chat_literal(text, r->at, "</parameter>");
        if (end == SLM_CHAT_YES) {
            r->at += strlen("</parameter>");
            return enter(r, SLM_CHAT_AT_PARAMETER);
        }
        if (end == SLM_CHAT_MORE) {
            return SLM_CHAT_MORE;
        }
        r->at++;
    }
    return SLM_CHAT_MORE;
}

/* What follows a complete call. With YES and this phase still set, the region is complete. */
static enum slm_chat_found scan_tail(struct slm_chat_region *r, struct slm_span text)
{
    if (r->marker->tail == NULL) {
        return SLM_CHAT_YES;
    }
    skip_space(r, text);
    const enum slm_chat_found tail = slm__chat_literal(text, r->at, r->marker->tail);
    const enum slm_chat_found again = r->marker->grammar == SLM_CHAT_XML ? slm__chat_literal(text, r->at, "<function=") : SLM_CHAT_NO;
    if (tail == SLM_CHAT_YES) {
        r->at += strlen(r->marker->tail);
        r->end = r->at;
        return SLM_CHAT_YES;
    }
    if (again == SLM_CHAT_YES) {
        r->at += strlen("<function=");
        return enter(r, SLM_CHAT_AT_HEAD);
    }
    if (tail == SLM_CHAT_MORE || again == SLM_CHAT_MORE) {
        return SLM_CHAT_MORE;
    }
    return r->marker->tail_required ? SLM_CHAT_NO : SLM_CHAT_YES;
}

/* One phase; *complete says that the region is. */
static enum slm_chat_found scan_phase(struct slm_chat_region *r, struct slm_span text, bool *complete)
{
    enum slm_chat_found found = SLM_CHAT_MORE;
    switch (r->phase) {
    case SLM_CHAT_AT_LEAD: return scan_lead(r, text);
    case SLM_CHAT_AT_HEAD: return scan_head(r, text);
    case SLM_CHAT_AT_PARAMETER: return scan_parameter(r, text);
    case SLM_CHAT_AT_KEY: return scan_key(r, text);
    case SLM_CHAT_AT_VALUE: return scan_value(r, text);
    case SLM_CHAT_AT_JSON:
        found = scan_json(r, text);
        if (found == SLM_CHAT_YES) {
            r->end = r->at;
            r->phase = SLM_CHAT_AT_TAIL;
        }
        return found;
    case SLM_CHAT_AT_TAIL:
        found = scan_tail(r, text);
        *complete = found == SLM_CHAT_YES && r->phase == SLM_CHAT_AT_TAIL;
        return found;
    case SLM_CHAT_AT_REST:
    default: r->at = text.length; return SLM_CHAT_MORE;
    }
}

enum slm_chat_found slm__chat_region_scan(struct slm_chat_region *region, struct slm_span text, bool ended)
{
    bool complete = false;
    enum slm_chat_found found = SLM_CHAT_YES;
    while (found == SLM_CHAT_YES && !complete) {
        found = scan_phase(region, text, &complete);
    }
    if (found != SLM_CHAT_MORE || !ended) {
        return found;
    }
    if (region->phase == SLM_CHAT_AT_REST) {
        region->end = text.length;
        return SLM_CHAT_YES;
    }
    if (region->phase == SLM_CHAT_AT_TAIL) {
        return SLM_CHAT_YES; /* only the end marker is missing: the answer was cut, the call is whole */
    }
    region->at = text.length;
    return SLM_CHAT_NO;
}

/* SPDX-License-Identifier: MIT */
/* Stop strings: one Knuth-Morris-Pratt automaton for each string, and one buffer for what is held back. */
#include "sample/stop_strings.h"

#include "base/utf8.h" /* slm__utf8_valid_prefix */

/* Bytes of a slm_string, counting no further than one more than can be accepted. */
static size_t bounded_length(const slm_string *string)
{
    size_t limit = SLM_STOP_STRINGS_BYTES + 1;
    if (string->length != SLM_NUL_TERMINATED) {
        return string->length < limit ? (size_t)string->length : limit;
    }
    size_t length = 0;
    while (length < limit && string->text[length] != '\0') {
        length++;
    }
    return length;
}

/* Check one string and add its length to *total. */
static slm_status check_string(const slm_string *string, uint64_t index, size_t *total, slm_error *error)
{
    if (string->text == NULL) {
        return slm__fail(error, SLM_E_ARGUMENT, "stop string %llu is NULL", (unsigned long long)index);
    }
    size_t length = bounded_length(string);
    if (length == 0) {
        return slm__fail(error, SLM_E_ARGUMENT, "stop string %llu is empty; at least one byte is needed", (unsigned long long)index);
    }
    *total += length;
    if (*total > SLM_STOP_STRINGS_BYTES) {
        return slm__fail(error, SLM_E_ARGUMENT, "the stop strings up to number %llu are longer than %d bytes together",
                         (unsigned long long)index, SLM_STOP_STRINGS_BYTES);
    }
    size_t valid = slm__utf8_valid_prefix(slm__span(string->text, length));
    if (valid < length) {
        return slm__fail(error, SLM_E_ENCODING, "stop string %llu is not valid UTF-8 at byte %llu", (unsigned long long)index,
                         (unsigned long long)valid);
    }
    return SLM_OK;
}

/* The state after `byte` when the text ended with the first `matched` bytes of `string`; `matched` is less than the string's length. */
static uint16_t next_state(const uint8_t *string, const uint16_t *fallback, uint16_t matched, uint8_t byte)
{
    while (matched > 0 && string[matched] != byte) {
        matched = fallback[matched - 1];
    }
    return string[matched] == byte ? (uint16_t)(matched + 1) : matched;
}

static void build_fallback(const uint8_t *string, size_t length, uint16_t *fallback)
{
    fallback[0] = 0;
    for (size_t i = 1; i < length; i++) {
        fallback[i] = next_state(string, fallback, fallback[i - 1], string[i]);
    }
}

slm_status slm__stop_strings_init(struct slm_stop_strings *stop, const slm_string *list, uint64_t count, slm_error *error)
{
    if (count > SLM_STOP_STRINGS_MAX) {
        return slm__fail(error, SLM_E_ARGUMENT, "%llu stop strings were given; at most %d are supported", (unsigned long long)count,
                         SLM_STOP_STRINGS_MAX);
    }
    if (list == NULL && count > 0) {
        return slm__fail(error, SLM_E_ARGUMENT, "the list of stop strings is NULL, but its count is %llu", (unsigned long long)count);
    }
    size_t total = 0;
    for (uint64_t i = 0; i < count; i++) {
        SLM_TRY(check_string(&list[i], i, &total, error));
    }
    memset(stop, 0, sizeof *stop);
    stop->count = (uint32_t)count;
    for (uint32_t s = 0; s < stop->count; s++) {
        uint16_t begin = stop->begin[s];
        size_t length = bounded_length(&list[s]);
        memcpy(stop->strings + begin, list[s].text, length);
        build_fallback(stop->strings + begin, length, stop->fallback + begin);
        stop->begin[s + 1] = (uint16_t)(begin + length);
    }
    return SLM_OK;
}

/* Move the automata over one byte. Returns the length of the longest stop string that is complete with it, or 0; after a complete one
 * the automata must be reset. */
static uint32_t advance_automata(struct slm_stop_strings *stop, uint8_t byte)
{
    uint32_t complete = 0;
    for (uint32_t s = 0; s < stop->count; s++) {
        uint16_t begin = stop->begin[s];
        uint16_t length = (uint16_t)(stop->begin[s + 1] - begin);
        uint16_t matched = next_state(stop->strings + begin, stop->fallback + begin, stop->matched[s], byte);
        if (matched == length && matched > complete) {
            complete = matched;
        }
        stop->matched[s] = matched;
    }
    return complete;
}

/* Bytes at the end of the text that may be the beginning of a stop string. */
static uint32_t held_bytes(const struct slm_stop_strings *stop)
{
    uint32_t longest = 0;
    for (uint32_t s = 0; s < stop->count; s++) {
        longest = stop->matched[s] > longest ? stop->matched[s] : longest;
    }
    return longest;
}

/* Drop what the last call gave out. */
static void drop_given(struct slm_stop_strings *stop)
{
    stop->used -= stop->given;
    memmove(stop->buffer, stop->buffer + stop->given, stop->used);
    stop->given = 0;
}

slm_status slm__stop_strings_push(struct slm_stop_strings *stop, struct slm_span text, struct slm_span *certain, bool *found)
{
    if (text.length > SLM_STOP_STRINGS_PUSH_BYTES) {
        return SLM_E_INTERNAL;
    }
    drop_given(stop);
    *found = false;
    for (size_t i = 0; i < text.length; i++) {
        stop->buffer[stop->used++] = text.data[i];
        uint32_t complete = advance_automata(stop, text.data[i]);
        if (complete > 0) {
            /* A match of `complete` bytes was held back up to its last byte, so its start is still in the buffer. */
            *certain = slm__span(stop->buffer, stop->used - complete);
            *found = true;
            slm__stop_strings_reset(stop);
            return SLM_OK;
        }
    }
    stop->given = stop->used - held_bytes(stop);
    *certain = slm__span(stop->buffer, stop->given);
    return SLM_OK;
}

struct slm_span slm__stop_strings_flush(struct slm_stop_strings *stop)
{
    struct slm_span rest = slm__span(stop->buffer + stop->given, stop->used - stop->given);
    slm__stop_strings_reset(stop);
    return rest;
}

void slm__stop_strings_reset(struct slm_stop_strings *stop)
{
    stop->used = 0;
    stop->given = 0;
    memset(stop->matched, 0, sizeof stop->matched);
}

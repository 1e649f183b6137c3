/* SPDX-License-Identifier: MIT */
/*
 * Searching in texts in linear time, whatever the needle: templates are untrusted programs, and a search that compares the needle at
 * every place would let two lines of template take hours. Two-Way (Crochemore, Perrin 1991), constant space, in both directions.
 */
#include "text/template_text.h" /* slm__ts_find */

/* Bytes read forwards (step 1) or backwards (step -1). */
struct run_of_bytes {
    const uint8_t *first;
    ptrdiff_t step;
};

static uint8_t byte_at(struct run_of_bytes run, size_t index) { return run.first[(ptrdiff_t)index * run.step]; }

/* Start of the maximal suffix of the needle by the order of bytes or its reverse, minus 1 (so it may wrap), and its period. */
static size_t maximal_suffix(struct run_of_bytes needle, size_t length, bool reversed, size_t *period)
{
    size_t suffix = SIZE_MAX;
    size_t candidate = 0;
    size_t k = 1;
    size_t p = 1;
    while (candidate + k < length) {
        uint8_t a = byte_at(needle, suffix + k);
        uint8_t b = byte_at(needle, candidate + k);
        if (a == b) {
            candidate += k == p ? p : 0;
            k = k == p ? 1 : k + 1;
        } else if ((a > b) != reversed) {
            candidate += k;
            k = 1;
            p = candidate - suffix;
        } else {
            suffix = candidate++;
            k = 1;
            p = 1;
        }
    }
    *period = p;
    return suffix;
}

/* Whether the first `count` bytes repeat at distance `period`. */
static bool repeats_at(struct run_of_bytes needle, size_t count, size_t period)
{
    for (size_t i = 0; i < count; i++) {
        if (byte_at(needle, i) != byte_at(needle, i + period)) {
            return false;
        }
    }
    return true;
}

/* First place of the needle (2 bytes or more) in `length` bytes, or SIZE_MAX. */
static size_t search_two_way(struct run_of_bytes text, size_t length, struct run_of_bytes needle, size_t needle_length)
{
    size_t period = 1;
    size_t other_period = 1;
    size_t cut = maximal_suffix(needle, needle_length, false, &period) + 1; /* the right half starts here */
    size_t other = maximal_suffix(needle, needle_length, true, &other_period) + 1;
    if (other > cut) {
        cut = other;
        period = other_period;
    }
    size_t kept = 0; /* bytes of the needle known to match after a shift by the period */
    if (repeats_at(needle, cut, period)) {
        kept = needle_length - period;
    } else {
        period = (cut > needle_length - cut ? cut : needle_length - cut) + 1;
    }
    size_t known = 0;
    for (size_t at = 0; needle_length <= length && at <= length - needle_length;) {
        size_t k = cut > known ? cut : known;
        while (k < needle_length && byte_at(needle, k) == byte_at(text, at + k)) {
            k++;
        }
        if (k < needle_length) {
            at += k - cut + 1;
            known = 0;
            continue;
        }
        k = cut;
        while (k > known && byte_at(needle, k - 1) == byte_at(text, at + k - 1)) {
            k--;
        }
        if (k <= known) {
            return at;
        }
        at += period;
        known = kept;
    }
    return SIZE_MAX;
}

size_t slm__ts_find(const struct slm_tstring *text, struct slm_span needle, size_t from, size_t to)
{
    if (from > to || needle.length > to - from) {
        return SIZE_MAX;
    }
    if (needle.length == 0) {
        return from;
    }
    /* Most searches end at the first or second place where the first byte fits. */
    for (unsigned tries = 0; tries < 4; tries++) {
        const uint8_t *hit = memchr(text->data + from, needle.data[0], to - from - needle.length + 1);
        if (hit == NULL) {
            return SIZE_MAX;
        }
        from = (size_t)(hit - text->data);
        if (memcmp(hit, needle.data, needle.length) == 0) {
            return from;
        }
        from++;
        if (needle.length > to - from) {
            return SIZE_MAX;
        }
    }
    struct run_of_bytes forwards = {text->data + from, 1};
    struct run_of_bytes pattern = {needle.data, 1};
    size_t place = search_two_way(forwards, to - from, pattern, needle.length);
    return place == SIZE_MAX ? SIZE_MAX : from + place;
}

size_t slm__ts_find_last(const struct slm_tstring *text, struct slm_span needle, size_t from, size_t to)
{
    if (from > to || needle.length > to - from) {
        return SIZE_MAX;
    }
    if (needle.length == 0) {
        return to;
    }
    struct run_of_bytes backwards = {text->data + to - 1, -1};
    struct run_of_bytes pattern = {needle.data + needle.length - 1, -1};
    size_t place = search_two_way(backwards, to - from, pattern, needle.length);
    return place == SIZE_MAX ? SIZE_MAX : to - place - needle.length;
}

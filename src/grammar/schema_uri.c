/* SPDX-License-Identifier: MIT */
/* RFC 3986: a reference is taken apart, completed from its base part by part, dot segments go, and the parts are put together. */
#include "grammar/schema_uri.h"

/* Parts with their delimiters: "https:", "//host", "/path", "?query", "#fragment"; those absent are empty. */
struct uri {
    struct slm_span scheme;
    struct slm_span authority;
    struct slm_span path;
    struct slm_span query;
    struct slm_span fragment;
};

/* Length of the part of `text` before any of the bytes in `stops`. */
static size_t length_before(struct slm_span text, const char *stops)
{
    size_t length = 0;
    while (length < text.length && (text.data[length] == 0 || strchr(stops, text.data[length]) == NULL)) {
        length++;
    }
    return length;
}

/* The first `length` bytes of *text, which keeps the rest. */
static struct slm_span cut(struct slm_span *text, size_t length)
{
    struct slm_span first = {text->data, length};
    text->data = length == 0 ? text->data : text->data + length;
    text->length -= length;
    return first;
}

static bool is_letter(uint8_t byte) { return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z'; }

static struct uri take_apart(struct slm_span text)
{
    struct uri uri = {.fragment = {text.data, 0}};
    size_t colon = length_before(text, ":/?#");
    if (colon > 0 && colon < text.length && text.data[colon] == ':' && is_letter(text.data[0])) {
        uri.scheme = cut(&text, colon + 1);
    }
    if (text.length >= 2 && text.data[0] == '/' && text.data[1] == '/') {
        struct slm_span behind = {text.data + 2, text.length - 2};
        uri.authority = cut(&text, 2 + length_before(behind, "/?#"));
    }
    uri.path = cut(&text, length_before(text, "?#"));
    uri.query = cut(&text, length_before(text, "#"));
    uri.fragment = text;
    return uri;
}

struct output {
    uint8_t *data;
    size_t length;
};

static void put(struct output *output, struct slm_span text)
{
    if (text.length > 0) {
        memcpy(output->data + output->length, text.data, text.length);
        output->length += text.length;
    }
}

/* Append `path` without its "." and ".." segments; the output's path begins at `start`. */
static void put_path(struct output *output, size_t start, struct slm_span path)
{
    while (path.length > 0) {
        struct slm_span rest = {path.data + 1, path.length - 1};
        bool slash = path.data[0] == '/';
        struct slm_span segment = cut(&path, slash ? 1 + length_before(rest, "/") : length_before(path, "/"));
        struct slm_span name = slash ? slm__span(segment.data + 1, segment.length - 1) : segment;
        bool up = slm__span_is(name, "..");
        if (!up && !slm__span_is(name, ".")) {
            put(output, segment);
            continue;
        }
        while (up && output->length > start && output->data[--output->length] != '/') {
        }
        if (path.length == 0) {
            put(output, slm__span("/", 1));
        }
    }
}

slm_status slm__uri_resolve(struct slm_arena *arena, struct slm_span base, struct slm_span reference, struct slm_span *result,
                            slm_error *error)
{
    struct uri from = take_apart(base);
    struct uri to = take_apart(reference);
    struct output output = {slm__arena_take(arena, base.length + reference.length + 2), 0};
    if (output.data == NULL) {
        return slm__arena_failure(arena, error);
    }
    bool whole = to.scheme.length > 0;
    bool host = whole || to.authority.length > 0;
    put(&output, whole ? to.scheme : from.scheme);
    put(&output, host ? to.authority : from.authority);
    size_t start = output.length;
    if (host || to.path.length > 0) {
        if (!host && to.path.data[0] != '/') { /* the last segment of the base's path is replaced */
            struct slm_span folder = from.path;
            while (folder.length > 0 && folder.data[folder.length - 1] != '/') {
                folder.length--;
            }
            if (folder.length == 0 && from.authority.length > 0) {
                folder = slm__span("/", 1);
            }
            uint8_t *merged = slm__arena_take(arena, folder.length + to.path.length + 1);
            if (merged == NULL) {
                return slm__arena_failure(arena, error);
            }
            struct output joined = {merged, 0};
            put(&joined, folder);
            put(&joined, to.path);
            to.path = slm__span(merged, joined.length);
        }
        put_path(&output, start, to.path);
        put(&output, to.query);
    } else {
        put(&output, from.path);
        put(&output, to.query.length > 0 ? to.query : from.query);
    }
    put(&output, to.fragment);
    *result = slm__span(output.data, output.length);
    return SLM_OK;
}

struct slm_span slm__uri_cut_fragment(struct slm_span *uri)
{
    size_t length = length_before(*uri, "#");
    struct slm_span fragment = {uri->data, 0};
    if (length < uri->length) {
        fragment = slm__span(uri->data + length + 1, uri->length - length - 1);
        uri->length = length;
    }
    return fragment;
}

static int hex_digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    uint8_t letter = byte | 0x20;
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

slm_status slm__uri_decode(struct slm_arena *arena, struct slm_span text, struct slm_span *result, slm_error *error)
{
    uint8_t *decoded = slm__arena_take(arena, text.length);
    if (decoded == NULL) {
        return slm__arena_failure(arena, error);
    }
    size_t length = 0;
    for (size_t i = 0; i < text.length; i++) {
        int high = text.data[i] == '%' && text.length - i > 2 ? hex_digit(text.data[i + 1]) : -1;
        int low = high < 0 ? -1 : hex_digit(text.data[i + 2]);
        decoded[length++] = low < 0 ? text.data[i] : (uint8_t)(16 * high + low);
        i += low < 0 ? 0 : 2;
    }
    *result = slm__span(decoded, length);
    return SLM_OK;
}

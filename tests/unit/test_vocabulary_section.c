/* SPDX-License-Identifier: MIT */
/* The vocabulary section as TOKENIZER.md describes it, read by its numbers: every token is where its bytes say, and nothing else is there.
 * Damaged sections give a status or tries that lead nowhere outside of them; the sanitizers watch. */
#define _POSIX_C_SOURCE 200809L           /* posix_memalign */
#include "base/byte_reader.h"             /* slm__load_u32 */
#include "tests/unit/tokenizer_fixture.h" /* load_tokenizer */
#include "text/json_chars.h"              /* slm__json_chars_step */
#include "text/vocabulary_trie.h"         /* slm__vocabulary_build */

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { LOWER, LETTERS, WORD, SPACED, FOREIGN, PLAIN, ESCAPED, OTHERS, CLOSING, NOWHERE, SLICES = PLAIN };
enum { ROOTS, NODES, ALIASES, ESCAPES, LONGS, GROUPS, CLOSINGS, LEVELS, END, LEVEL_COUNT = 25, NO_TOKEN = 0xFFFFFF };

struct section {
    struct slm_span bytes;
    uint32_t tokens, nodes[NOWHERE], aliases, escapes, longs, groups, closings, longest;
    uint64_t at[END + 1];
};

static uint32_t word(const struct section *section, int table, uint64_t index)
{
    return slm__load_u32(section->bytes.data + section->at[table] + 4 * index);
}

static struct section read_section(struct slm_span bytes)
{
    struct section s = {.bytes = bytes};
    uint32_t header[32];
    for (size_t i = 0; i < 32; i++) {
        header[i] = slm__load_u32(bytes.data + 4 * i);
    }
    assert_memory_equal(bytes.data, "VTRI", 4);
    assert_int_equal(header[1], 2);
    assert_int_equal(slm__load_u64(bytes.data + 8), bytes.length);
    assert_int_equal(header[5], LEVEL_COUNT);
    s.tokens = header[4];
    memcpy(s.nodes, header + 6, sizeof s.nodes);
    s.aliases = header[15];
    s.escapes = header[16];
    s.longs = header[17];
    s.groups = header[18];
    s.closings = header[19];
    s.longest = header[20];
    uint64_t nodes = 0;
    for (int trie = LOWER; trie <= CLOSING; trie++) {
        nodes += s.nodes[trie];
    }
    const uint64_t lengths[END] = {9 * 256 * 4,
                                   8 * nodes,
                                   8 * (uint64_t)s.aliases,
                                   4 * (uint64_t)s.escapes,
                                   4 * (uint64_t)s.longs,
                                   4 * ((uint64_t)s.groups + 1),
                                   4 * (uint64_t)s.closings,
                                   (LEVEL_COUNT + SLICES) * (((uint64_t)s.tokens + 511) / 512 * 64)};
    s.at[0] = 128;
    for (int t = 0; t < END; t++) {
        s.at[t + 1] = (s.at[t] + lengths[t] + 63) / 64 * 64;
    }
    assert_int_equal(s.at[END], bytes.length);
    return s;
}

/* Where a token belongs. */
struct place {
    int trie;
    uint32_t characters; /* inside the string */
    size_t quote;        /* of those that close it; else SIZE_MAX */
};

/* Whether all bytes of ASCII are letters or in `more`, and the others allowed. */
static bool made_of(struct slm_span bytes, const char *more, bool beyond)
{
    for (size_t i = 0; i < bytes.length; i++) {
        const uint8_t byte = bytes.data[i];
        const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        if (byte >= 0x80 ? !beyond : !letter && (byte == 0 || strchr(more, byte) == NULL)) {
            return false;
        }
    }
    return true;
}

static int slice_of(struct slm_span bytes)
{
    bool lower = true;
    for (size_t i = 0; i < bytes.length; i++) {
        lower = lower && bytes.data[i] >= 'a' && bytes.data[i] <= 'z';
    }
    return lower                                                                                     ? LOWER
           : made_of(bytes, "", false)                                                               ? LETTERS
           : made_of(bytes, "0123456789_", false)                                                    ? WORD
           : bytes.data[0] == ' ' && made_of(slm__span(bytes.data + 1, bytes.length - 1), "", false) ? SPACED
           : made_of(bytes, " ", true)                                                               ? FOREIGN
                                                                                                     : PLAIN;
}

static struct place place_of(struct slm_span bytes, uint8_t flags)
{
    struct place place = {NOWHERE, 0, SIZE_MAX};
    uint32_t state = 0, code = 0;
    bool plain = true;
    size_t i = 0;
    if ((flags & (SLM_TOKEN_SPECIAL | SLM_TOKEN_UNUSED)) != 0 || bytes.length == 0 || bytes.length > 1023) {
        return place;
    }
    for (; i < bytes.length; i++) {
        const enum slm_json_chars_result result = slm__json_chars_step(&state, bytes.data[i], &code);
        if (result == SLM_JSON_CHARS_REFUSED) {
            break;
        }
        place.characters += result == SLM_JSON_CHARS_DONE;
        plain = plain && bytes.data[i] != '\\' && (result != SLM_JSON_CHARS_DONE || (code != 0x2028 && code != 0x2029));
    }
    place.trie = i < bytes.length ? OTHERS : plain && state == 0 ? PLAIN : ESCAPED;
    place.quote = i < bytes.length && state == 0 && bytes.data[i] == '"' ? i : SIZE_MAX;
    place.characters += state != 0;
    place.trie = place.characters > 254 ? NOWHERE : place.trie == PLAIN && place.characters <= 24 ? slice_of(bytes) : place.trie;
    return place;
}

/* The nodes of one trie in order; each that ends something is marked in `found` (tokens) or compared with its group. */
static void read_trie(const struct section *s, const struct slm_tokenizer *tokenizer, int trie, uint8_t *found)
{
    uint8_t bytes[1024];
    uint64_t first = 0;
    for (int t = 0; t < trie; t++) {
        first += s->nodes[t];
    }
    for (uint32_t i = 0; i < s->nodes[trie]; i++) {
        const uint32_t node = word(s, NODES, 2 * (first + i)), depth = word(s, NODES, 2 * (first + i) + 1) & 1023;
        bytes[depth - 1] = (uint8_t)node;
        if (depth == 1) {
            assert_int_equal(word(s, ROOTS, 256 * (uint64_t)trie + bytes[0]), i + 1);
        }
        if (node >> 8 == NO_TOKEN) {
            continue;
        }
        if (trie != CLOSING) {
            const struct slm_span token = slm__tokenizer_bytes(tokenizer, node >> 8);
            assert_true(token.length == depth && memcmp(token.data, bytes, depth) == 0);
            assert_int_equal(place_of(token, tokenizer->tables[SLM_TOKENIZER_FLAGS][node >> 8]).trie, trie);
            assert_int_equal(found[node >> 8]++, 0);
            continue;
        }
        for (uint32_t k = word(s, GROUPS, node >> 8); k < word(s, GROUPS, (node >> 8) + 1); k++) {
            const struct slm_span token = slm__tokenizer_bytes(tokenizer, word(s, CLOSINGS, k) >> 8);
            const size_t behind = place_of(token, 0).quote + 1;
            assert_true(token.length - behind == depth && memcmp(token.data + behind, bytes, depth) == 0);
        }
    }
}

static void check_lists(const struct section *s, const struct slm_tokenizer *tokenizer)
{
    uint32_t escapes = 0, longs = 0, closings = 0;
    const uint64_t mask_bytes = ((uint64_t)s->tokens + 511) / 512 * 64;
    for (uint32_t t = 0; t < s->tokens; t++) {
        const struct place place = place_of(slm__tokenizer_bytes(tokenizer, t), tokenizer->tables[SLM_TOKENIZER_FLAGS][t]);
        escapes += place.trie == ESCAPED;
        longs += place.trie == PLAIN && place.characters > LEVEL_COUNT - 1;
        closings += place.trie == OTHERS && place.quote != SIZE_MAX;
        for (uint32_t level = 1; level <= LEVEL_COUNT; level++) {
            const uint8_t *mask = s->bytes.data + s->at[LEVELS] + (level - 1) * mask_bytes;
            const bool expected = place.trie <= PLAIN && (place.characters <= level || level == LEVEL_COUNT);
            assert_int_equal(mask[t / 8] >> (t % 8) & 1, expected);
        }
        for (int slice = 0; slice < SLICES; slice++) {
            const uint8_t *mask = s->bytes.data + s->at[LEVELS] + (LEVEL_COUNT + (uint64_t)slice) * mask_bytes;
            assert_int_equal(mask[t / 8] >> (t % 8) & 1, place.trie == slice);
        }
    }
    assert_int_equal(escapes, s->escapes);
    assert_int_equal(longs, s->longs);
    assert_int_equal(closings, s->closings);
    for (uint32_t k = 0; k < s->closings; k++) {
        const struct place place = place_of(slm__tokenizer_bytes(tokenizer, word(s, CLOSINGS, k) >> 8), 0);
        assert_int_equal(word(s, CLOSINGS, k) & 255, place.characters);
        assert_int_equal(place.quote + 1 == slm__tokenizer_bytes(tokenizer, word(s, CLOSINGS, k) >> 8).length, k < word(s, GROUPS, 1));
    }
    for (int table = ESCAPES; table <= LONGS; table++) {
        for (uint32_t k = 0; k < (table == ESCAPES ? s->escapes : s->longs); k++) {
            const uint32_t entry = word(s, table, k), before = k > 0 ? word(s, table, k - 1) : 0;
            assert_int_equal(entry & 255, place_of(slm__tokenizer_bytes(tokenizer, entry >> 8), 0).characters);
            assert_true(k == 0 || (before & 255) < (entry & 255) || ((before & 255) == (entry & 255) && before < entry));
        }
    }
}

static void check_section(const struct slm_tokenizer *tokenizer, struct slm_span bytes)
{
    const struct section s = read_section(bytes);
    uint8_t *found = calloc(s.tokens, 1);
    assert_non_null(found);
    for (int trie = LOWER; trie <= CLOSING; trie++) {
        read_trie(&s, tokenizer, trie, found);
    }
    for (uint32_t k = 0; k < s.aliases; k++) {
        const uint32_t token = word(&s, ALIASES, 2 * (uint64_t)k), as = word(&s, ALIASES, 2 * (uint64_t)k + 1);
        const struct slm_span a = slm__tokenizer_bytes(tokenizer, token), b = slm__tokenizer_bytes(tokenizer, as);
        assert_true(as < token && found[as] == 1 && a.length == b.length && memcmp(a.data, b.data, a.length) == 0);
        assert_int_equal(found[token]++, 0);
    }
    for (uint32_t t = 0; t < s.tokens; t++) {
        const struct slm_span token = slm__tokenizer_bytes(tokenizer, t);
        assert_int_equal(found[t], place_of(token, tokenizer->tables[SLM_TOKENIZER_FLAGS][t]).trie != NOWHERE);
        assert_true(found[t] == 0 || token.length <= s.longest);
    }
    check_lists(&s, tokenizer);
    free(found);
}

static void every_token_is_in_its_place(void **state)
{
    (void)state;
    static const char *const names[] = {"own-llama3", "own-gemma", "own-unigram", "own-wordpiece"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[256];
        struct loaded_tokenizer loaded;
        struct slm_buffer section;
        snprintf(path, sizeof path, "tests/golden/tokenizers/%s/tokenizer.json", names[i]);
        const struct slm_span json = read_path(path);
        assert_non_null(json.data);
        assert_int_equal(load_tokenizer(&loaded, json, names[i], 0), SLM_OK);
        slm__buffer_init(&section, &loaded.memory, SIZE_MAX / 2);
        assert_int_equal(slm__vocabulary_build(&loaded.tokenizer, &loaded.memory, &section, &loaded.error), SLM_OK);
        check_section(&loaded.tokenizer, slm__span(section.data, section.length));
        slm__buffer_free(&section);
        unload_tokenizer(&loaded);
        free_span(json);
    }
}

/* ---- Damage */

/* Tokens of every kind: quotes, escapes, parts of characters, long ones. */
static const char small[] =
    "{\"added_tokens\":[{\"id\":14,\"content\":\"<x>\",\"special\":true}],"
    "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},\"decoder\":{\"type\":\"ByteLevel\"},"
    "\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2,\"aba\":3,\"\\\"\":4,\"\\\",\":5,\"a\\\"\":6,\"\\\\\":7,\"\\\\u\":8,"
    "\"\xC3\xA2\":9,\",\":10,\"\\\",\\\"\":11,\"\xC4\x8A\":12,\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":13},\"merges\":[\"a b\"]}}";

/* All that a reader of the tries may touch. */
static void use(const struct slm_vocabulary *vocabulary)
{
    static const char *const texts[] = {"abab", "\",\"a", "\\u0041", "\xC3\xA2", "", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    uint32_t sum = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int32_t token = -1;
        const size_t length = slm__vocabulary_longest(vocabulary, slm__span_text(texts[i]), &token);
        assert_true(length <= strlen(texts[i]) && (length == 0 || (uint32_t)token < vocabulary->token_count));
    }
    for (int trie = 0; trie < SLM_VOCABULARY_TRIES; trie++) {
        for (uint32_t byte = 0; byte < 256; byte++) {
            const uint32_t root = vocabulary->roots[trie][byte];
            for (uint32_t i = root; root > 0 && i < root + slm__trie_size(vocabulary->nodes[trie][root - 1]); i++) {
                sum += slm__trie_depth(vocabulary->nodes[trie][i - 1]);
            }
        }
    }
    for (uint32_t group = 0; group < vocabulary->group_count; group++) {
        for (uint32_t k = vocabulary->groups[group]; k < vocabulary->groups[group + 1]; k++) {
            assert_true(slm__listed_token(vocabulary->closing[k]) < vocabulary->token_count);
        }
    }
    for (uint32_t level = 1; level <= LEVEL_COUNT; level++) {
        sum += slm__vocabulary_level(vocabulary, level)[vocabulary->mask_bytes - 1];
    }
    assert_true(sum < UINT32_MAX);
}

static slm_status open_copy(const uint8_t *bytes, size_t length, uint32_t tokens)
{
    struct slm_vocabulary vocabulary;
    slm_error error = {sizeof error, 0, ""};
    uint8_t *exact = NULL; /* so that a read behind it is seen */
    assert_int_equal(posix_memalign((void **)&exact, 64, length > 0 ? length : 1), 0);
    memcpy(exact, bytes, length);
    const slm_status status = slm__vocabulary_open(&vocabulary, slm__span(exact, length), tokens, &error);
    if (status == SLM_OK) {
        use(&vocabulary);
    } else {
        assert_non_null(strstr(error.message, "vocabulary section"));
    }
    free(exact);
    return status;
}

static void damaged_sections(void **state)
{
    (void)state;
    static const uint8_t changes[] = {0xFF, 0x01, 0x80, 0x10};
    struct loaded_tokenizer loaded;
    struct slm_buffer section;
    long refused = 0, accepted = 0;
    assert_int_equal(load_tokenizer(&loaded, slm__span_text(small), "small", 0), SLM_OK);
    slm__buffer_init(&section, &loaded.memory, 1 << 20);
    assert_int_equal(slm__vocabulary_build(&loaded.tokenizer, &loaded.memory, &section, &loaded.error), SLM_OK);
    check_section(&loaded.tokenizer, slm__span(section.data, section.length));
    const uint32_t tokens = loaded.tokenizer.token_count;
    assert_int_equal(open_copy(section.data, section.length, tokens), SLM_OK);
    assert_int_equal(open_copy(section.data, section.length, tokens + 1), SLM_E_BAD_VALUE);
    for (size_t length = 0; length < section.length; length++) {
        assert_int_not_equal(open_copy(section.data, length, tokens), SLM_OK);
    }
    for (size_t i = 0; i < section.length; i++) {
        for (size_t k = 0; k < sizeof changes; k++) {
            section.data[i] ^= changes[k];
            *(open_copy(section.data, section.length, tokens) == SLM_OK ? &accepted : &refused) += 1;
            section.data[i] ^= changes[k];
        }
    }
    print_message("%zu bytes: %ld changes refused, %ld accepted\n", section.length, refused, accepted);
    assert_true(refused > 500 && accepted > 500);
    slm__buffer_free(&section);
    unload_tokenizer(&loaded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_token_is_in_its_place), cmocka_unit_test(damaged_sections)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

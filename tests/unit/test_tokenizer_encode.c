/* SPDX-License-Identifier: MIT */
/* Behaviour that the golden cases do not reach: invalid UTF-8, capacities, long words, flags of added tokens, untrusted ranges,
 * the incremental decoder, pipelines named by GGUF. */
#include "tests/unit/tokenizer_fixture.h" /* load_tokenizer */

#include "text/bpe_merge.h"       /* slm__bpe_word */
#include "text/gpt2_vocabulary.h" /* slm__tokenizer_spec_from_gpt2 */
#include "text/token_stream.h"    /* slm__token_stream_push */

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { IDS_MAX = 4096 };

struct fixture {
    struct loaded_tokenizer loaded;
    struct slm_span json;
    int32_t ids[IDS_MAX];
    uint64_t count;
};

static struct fixture f;

static void load_golden(const char *folder)
{
    char path[256];
    snprintf(path, sizeof path, "tokenizers/%s/tokenizer.json", folder);
    f.json = read_golden(path);
    if (f.json.data == NULL) {
        print_message("%s is not in the golden folder\n", path);
        skip();
    }
    assert_int_equal(load_tokenizer(&f.loaded, f.json, path, 0), SLM_OK);
}

static void unload(void)
{
    unload_tokenizer(&f.loaded);
    free_span(f.json);
}

static slm_status encode(struct slm_span text, uint32_t flags)
{
    return slm__tokenizer_encode(&f.loaded.tokenizer, &f.loaded.memory, text, flags, f.ids, IDS_MAX, &f.count, &f.loaded.error);
}

static bool encodes_alike(struct slm_span a, struct slm_span b)
{
    static int32_t first[IDS_MAX];
    assert_int_equal(encode(a, 0), SLM_OK);
    uint64_t count = f.count;
    memcpy(first, f.ids, count * sizeof *first);
    assert_int_equal(encode(b, 0), SLM_OK);
    return count == f.count && memcmp(first, f.ids, count * sizeof *first) == 0;
}

static void invalid_text(void **state)
{
    (void)state;
    load_golden("own-llama3");
    static const char *const pairs[][2] = {
        {"a\377b", "a\357\277\275b"},
        {"\xE4\xBD", "\xEF\xBF\xBD"},                             /* one maximal part */
        {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"}, /* a surrogate: three */
        {"12345678\xC3", "12345678\xEF\xBF\xBD"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        assert_true(encodes_alike(slm__span_text(pairs[i][0]), slm__span_text(pairs[i][1])));
        assert_int_equal(encode(slm__span_text(pairs[i][0]), SLM_TOKENIZE_STRICT), SLM_E_ENCODING);
    }
    encode(slm__span_text("12345678\xC3"), SLM_TOKENIZE_STRICT);
    assert_non_null(strstr(f.loaded.error.message, "byte 8"));
    unload();
}

static void results_that_do_not_fit(void **state)
{
    (void)state;
    load_golden("own-llama3");
    struct slm_span text = slm__span_text("one two three");
    int32_t few[2] = {-7, -7};
    uint64_t count = 0;
    assert_int_equal(encode(text, 0), SLM_OK);
    assert_int_equal(slm__tokenizer_encode(&f.loaded.tokenizer, &f.loaded.memory, text, 0, few, 2, &count, &f.loaded.error),
                     SLM_E_BUFFER_TOO_SMALL);
    assert_int_equal(count, f.count);
    assert_int_equal(few[0], -7);
    assert_int_equal(slm__tokenizer_encode(&f.loaded.tokenizer, &f.loaded.memory, slm__span(NULL, 0), 0, NULL, 0, &count, NULL), SLM_OK);
    assert_int_equal(count, 0);
    struct slm_buffer out;
    slm__buffer_init(&out, &f.loaded.memory, SIZE_MAX);
    int32_t wrong[] = {(int32_t)slm__tokenizer_size(&f.loaded.tokenizer)};
    assert_int_equal(slm__tokenizer_decode(&f.loaded.tokenizer, &f.loaded.memory, wrong, 1, 0, &out, NULL), SLM_E_BAD_TOKEN);
    wrong[0] = -1;
    assert_int_equal(slm__tokenizer_decode(&f.loaded.tokenizer, &f.loaded.memory, wrong, 1, 0, &out, NULL), SLM_E_BAD_TOKEN);
    slm__buffer_free(&out);
    unload();
}

/* The definition, without any speed: join the leftmost pair of lowest rank. */
static size_t merge_plainly(const struct slm_tokenizer_spec *spec, uint32_t *ids, size_t count)
{
    for (;;) {
        uint32_t best = UINT32_MAX;
        size_t at = 0;
        for (size_t i = 0; i + 1 < count; i++) {
            for (uint32_t rank = 0; rank < spec->merge_count && rank < best; rank++) {
                if (spec->merges[rank].left == ids[i] && spec->merges[rank].right == ids[i + 1]) {
                    best = rank;
                    at = i;
                }
            }
        }
        if (best == UINT32_MAX) {
            return count;
        }
        ids[at] = spec->merges[best].result;
        memmove(ids + at + 1, ids + at + 2, (count - at - 2) * sizeof *ids);
        count--;
    }
}

/* Short and long words of a small alphabet against the definition. */
static void words_of_every_length(void **state)
{
    (void)state;
    static const char *const texts[] = {"a", "b", "c", "ab", "bc", "abc", "aa", "aaaa", "ca", "cab", "bca", "aab", "bb"};
    static const char *const merges[][2] = {{"b", "c"},  {"a", "a"},  {"a", "b"},  {"a", "bc"}, {"c", "a"}, {"aa", "aa"},
                                            {"c", "ab"}, {"bc", "a"}, {"aa", "b"}, {"b", "b"},  {"ab", "c"}};
    enum { TOKENS = sizeof texts / sizeof texts[0], MERGES = sizeof merges / sizeof merges[0] };
    struct slm_gpt2_token tokens[TOKENS];
    struct slm_gpt2_merge pairs[MERGES];
    for (size_t i = 0; i < TOKENS; i++) {
        tokens[i].text = slm__span_text(texts[i]);
        tokens[i].in_model = true;
    }
    for (size_t i = 0; i < MERGES; i++) {
        pairs[i].left = slm__span_text(merges[i][0]);
        pairs[i].right = slm__span_text(merges[i][1]);
    }
    struct slm_memory memory = slm__memory_default();
    struct slm_arena arena;
    static struct slm_tokenizer_spec spec;
    struct slm_buffer section;
    struct slm_tokenizer tokenizer;
    slm__arena_init(&arena, &memory, SIZE_MAX);
    slm__tokenizer_spec_init(&spec);
    slm__buffer_init(&section, &memory, SIZE_MAX);
    struct slm_gpt2_vocabulary vocabulary = {tokens, TOKENS, pairs, MERGES};
    assert_int_equal(slm__tokenizer_spec_from_gpt2(&vocabulary, &arena, &spec, NULL), SLM_OK);
    assert_true(slm__tokenizer_spec_pipeline(&spec, slm__span_text("gpt-2")));
    assert_false(slm__tokenizer_spec_pipeline(&spec, slm__span_text("no-such-pipeline")));
    assert_int_equal(slm__tokenizer_build(&spec, &memory, &section, NULL), SLM_OK);
    assert_int_equal(slm__tokenizer_open(&tokenizer, slm__span(section.data, section.length), NULL), SLM_OK);
    struct slm_word_scratch scratch;
    slm__word_scratch_init(&scratch, &memory);
    uint32_t random = 1;
    for (size_t length = 1; length < 150; length++) {
        uint8_t word[150];
        uint32_t expected[150];
        for (size_t i = 0; i < length; i++) {
            random = random * 1664525 + 1013904223;
            expected[i] = (random >> 16) % 3;
            word[i] = (uint8_t)('a' + expected[i]);
        }
        size_t wanted = merge_plainly(&spec, expected, length);
        const uint32_t *ids = NULL;
        size_t count = 0;
        assert_int_equal(slm__bpe_word(&tokenizer, &scratch, slm__span(word, length), &ids, &count, NULL), SLM_OK);
        assert_int_equal(count, wanted);
        assert_memory_equal(ids, expected, wanted * sizeof *ids);
    }
    slm__word_scratch_free(&scratch);
    slm__buffer_free(&section);
    slm__arena_free(&arena);
}

static const char flags_json[] =
    "{\"added_tokens\":["
    "{\"id\":10,\"content\":\"<l>\",\"lstrip\":true,\"special\":true},{\"id\":11,\"content\":\"<r>\",\"rstrip\":true,\"special\":true},"
    "{\"id\":12,\"content\":\"<w>\",\"single_word\":true},{\"id\":13,\"content\":\"<l>b\",\"special\":true},"
    "{\"id\":14,\"content\":\"e\xCC\x81t\",\"normalized\":true,\"special\":true},"
    "{\"id\":16,\"content\":\"\\t\",\"lstrip\":true,\"rstrip\":true},{\"id\":15,\"content\":\"b\xC3\xA9\",\"special\":true}],"
    "\"normalizer\":{\"type\":\"NFC\"},"
    "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},\"decoder\":{\"type\":\"ByteLevel\"},"
    "\"model\":{\"type\":\"BPE\","
    "\"vocab\":{\"a\":0,\"b\":1,\"\xC4\xA0\":2,\"\xC4\x8A\":3,\"<\":4,\">\":5,\"l\":6,\"r\":7,\"w\":8,\"t\":9},\"merges\":[]}}";

/* What `text` encodes to, as "1 2 3". */
static const char *ids_of(const char *text, const struct slm_text_range *untrusted, uint64_t untrusted_count)
{
    static char result[256];
    size_t length = 0;
    assert_int_equal(slm__tokenizer_encode_origins(&f.loaded.tokenizer, &f.loaded.memory, slm__span_text(text), untrusted, untrusted_count,
                                                   0, f.ids, IDS_MAX, &f.count, &f.loaded.error),
                     SLM_OK);
    result[0] = '\0';
    for (uint64_t i = 0; i < f.count && length < sizeof result - 16; i++) {
        length += (size_t)snprintf(result + length, 16, "%s%d", i == 0 ? "" : " ", (int)f.ids[i]);
    }
    return result;
}

static void flags_of_added_tokens(void **state)
{
    (void)state;
    f.json = slm__span(NULL, 0);
    assert_int_equal(load_tokenizer(&f.loaded, slm__span_text(flags_json), "flags", 0), SLM_OK);
    assert_string_equal(ids_of("a \n<l> a", NULL, 0), "0 10 2 0"); /* takes the white space before */
    assert_string_equal(ids_of("a <r> \na", NULL, 0), "0 2 11 0"); /* ... and behind */
    assert_string_equal(ids_of("<r> <l>a", NULL, 0), "11 10 0");   /* the space is taken once */
    assert_string_equal(ids_of("<l>b", NULL, 0), "13");            /* the longest */
    assert_string_equal(ids_of("a <w> a", NULL, 0), "0 2 12 2 0"); /* alone */
    assert_string_equal(ids_of("a<w>", NULL, 0), "0 4 8 5");       /* not alone */
    assert_string_equal(ids_of("<w><w>", NULL, 0), "12 12");       /* signs are no word characters */
    assert_string_equal(ids_of("e\xCC\x81t", NULL, 0), "14");      /* searched in normalized text, itself normalized */
    assert_string_equal(ids_of("\xC3\xA9t", NULL, 0), "14");
    assert_string_equal(ids_of("be\xCC\x81", NULL, 0), "1"); /* not before normalization; bytes without token are dropped */
    assert_string_equal(ids_of("b\xC3\xA9", NULL, 0), "15");
    assert_string_equal(ids_of("\t \t", NULL, 0), "16"); /* what the first has taken gives no second one */
    int32_t changed = 14;
    struct slm_buffer out;
    slm__buffer_init(&out, &f.loaded.memory, SIZE_MAX);
    assert_int_equal(slm__tokenizer_decode(&f.loaded.tokenizer, &f.loaded.memory, &changed, 1, SLM_DETOKENIZE_SKIP_SPECIAL, &out, NULL),
                     SLM_OK);
    assert_true(slm__span_is(slm__span(out.data, out.length), "\xEF\xBF\xBDt")); /* decoded as normalized, by the byte alphabet */
    slm__buffer_free(&out);
    unload_tokenizer(&f.loaded);
}

static void untrusted_text_makes_no_special_token(void **state)
{
    (void)state;
    f.json = slm__span(NULL, 0);
    assert_int_equal(load_tokenizer(&f.loaded, slm__span_text(flags_json), "flags", 0), SLM_OK);
    const struct slm_text_range all = {0, 100};
    const struct slm_text_range middle = {3, 6};
    const struct slm_text_range last = {3, 4};
    const struct slm_text_range first = {0, 2};
    assert_string_equal(ids_of("<l><r>a", &all, 1), "4 6 5 4 7 5 0");
    assert_string_equal(ids_of("<l><l><l>", &middle, 1), "10 4 6 5 10");
    assert_string_equal(ids_of("<l>b", &last, 1), "10 1");     /* the longer token would touch untrusted text */
    assert_string_equal(ids_of("<l<l>", &first, 1), "4 6 10"); /* an untrusted beginning hides nothing */
    assert_string_equal(ids_of("a <w>", &all, 1), "0 2 12");   /* not special */
    assert_string_equal(ids_of("a<l>", NULL, 0), "0 10");
    unload_tokenizer(&f.loaded);
}

/* Random ids: the pieces of the stream together are the decoding of all, and each piece is complete UTF-8. */
static void stream_equals_decoding(void **state)
{
    (void)state;
    load_golden("own-smollm");
    uint32_t random = 7;
    for (int round = 0; round < 200; round++) {
        struct slm_token_stream stream;
        struct slm_buffer pieces;
        struct slm_buffer whole;
        struct slm_span text;
        slm__buffer_init(&pieces, &f.loaded.memory, SIZE_MAX);
        slm__buffer_init(&whole, &f.loaded.memory, SIZE_MAX);
        slm__token_stream_init(&stream);
        for (int i = 0; i < 50; i++) {
            random = random * 1664525 + 1013904223;
            f.ids[i] = (int32_t)((random >> 8) % (round % 2 == 0 ? 400 : slm__tokenizer_size(&f.loaded.tokenizer)));
            assert_int_equal(slm__token_stream_push(&stream, &f.loaded.tokenizer, f.ids[i], round % 3 == 0, &text), SLM_OK);
            slm__buffer_append(&pieces, text.data, text.length);
        }
        slm__token_stream_flush(&stream, &text);
        slm__buffer_append(&pieces, text.data, text.length);
        assert_int_equal(slm__tokenizer_decode(&f.loaded.tokenizer, &f.loaded.memory, f.ids, 50,
                                               round % 3 == 0 ? SLM_DETOKENIZE_SKIP_SPECIAL : 0, &whole, NULL),
                         SLM_OK);
        assert_true(slm__span_equal(slm__span(pieces.data, pieces.length), slm__span(whole.data, whole.length)));
        slm__buffer_free(&pieces);
        slm__buffer_free(&whole);
    }
    unload();
}

/* A million letters without a space, of one kind and of many: only an algorithm below n squared ends. */
static void a_very_long_word(const char *folder)
{
    load_golden(folder);
    enum { LETTERS = 1000000 };
    char *word = malloc(LETTERS);
    int32_t *ids = malloc(LETTERS * sizeof *ids);
    assert_true(word != NULL && ids != NULL);
    for (int kind = 0; kind < 2; kind++) {
        uint64_t count = 0;
        for (size_t i = 0; i < LETTERS; i++) {
            word[i] = (char)(kind == 0 ? 'a' : 'a' + (i * 7 + i / 13) % 26);
        }
        struct slm_span span = slm__span(word, LETTERS);
        assert_int_equal(slm__tokenizer_encode(&f.loaded.tokenizer, &f.loaded.memory, span, 0, ids, LETTERS, &count, NULL), SLM_OK);
        struct slm_buffer out;
        slm__buffer_init(&out, &f.loaded.memory, SIZE_MAX);
        assert_int_equal(slm__tokenizer_decode(&f.loaded.tokenizer, &f.loaded.memory, ids, count, 0, &out, NULL), SLM_OK);
        assert_true(slm__span_equal(slm__span(out.data, out.length), slm__span(word, LETTERS)));
        slm__buffer_free(&out);
    }
    free(word);
    free(ids);
    unload();
}

static void very_long_words(void **state)
{
    (void)state;
    a_very_long_word("own-llama3");
    a_very_long_word("own-gemma");
    a_very_long_word("own-spm-legacy");
    a_very_long_word("own-unigram");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(invalid_text),
        cmocka_unit_test(results_that_do_not_fit),
        cmocka_unit_test(words_of_every_length),
        cmocka_unit_test(flags_of_added_tokens),
        cmocka_unit_test(untrusted_text_makes_no_special_token),
        cmocka_unit_test(stream_equals_decoding),
        cmocka_unit_test(very_long_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Sections that are not what the builder writes: cut at every byte, with every byte changed, with unknown versions and tables. Each
 * gives a status or a tokenizer that works on within its tables; the sanitizers watch. */
#include "tests/unit/tokenizer_fixture.h" /* load_tokenizer */

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char byte_level[] =
    "{\"added_tokens\":[{\"id\":6,\"content\":\"<x>\",\"special\":true},{\"id\":7,\"content\":\"<xy\",\"lstrip\":true},"
    "{\"id\":8,\"content\":\"\xC3\xA9\",\"normalized\":true,\"single_word\":true}],\"normalizer\":{\"type\":\"NFC\"},"
    "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Digits\",\"individual_digits\":true},"
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}]},\"decoder\":{\"type\":\"ByteLevel\"},"
    "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"<x>\"}},{\"Sequence\":{\"id\":\"A\"}}],"
    "\"special_tokens\":{\"<x>\":{\"ids\":[6]}}},\"model\":{\"type\":\"BPE\",\"unk_token\":\"a\",\"fuse_unk\":true,"
    "\"vocab\":{\"a\":0,\"b\":1,\"ab\":2,\"\xC4\xA0\":3,\"aba\":4,\"abab\":5},\"merges\":[\"a b\",\"ab a\",\"ab ab\"]}}";

static const char fallback[] =
    "{\"added_tokens\":[{\"id\":7,\"content\":\"<x>\",\"special\":true},{\"id\":8,\"content\":\"a b\",\"normalized\":true}],"
    "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFKD\"},{\"type\":\"Prepend\",\"prepend\":\"\xE2\x96\x81\"},"
    "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"\xE2\x96\x81\"}]},\"pre_tokenizer\":{\"type\":\"Split\","
    "\"pattern\":{\"String\":\" \"},\"behavior\":\"MergedWithPrevious\"},\"decoder\":{\"type\":\"Sequence\",\"decoders\":["
    "{\"type\":\"Replace\",\"pattern\":{\"String\":\"\xE2\x96\x81\"},\"content\":\" \"},{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"},"
    "{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}]},\"model\":{\"type\":\"BPE\",\"unk_token\":\"b\",\"fuse_unk\":true,"
    "\"byte_fallback\":true,\"vocab\":{\"a\":0,\"b\":1,\"ab\":2,\"\xE2\x96\x81\":3,\"\342\226\201a\":4,\"<0xCC>\":5,\"<0x81>\":6},"
    "\"merges\":[\"a b\",\"\xE2\x96\x81 a\"]}}";

static const char unigram[] =
    "{\"added_tokens\":[{\"id\":7,\"content\":\"<x>\",\"special\":true}],\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":["
    "{\"type\":\"Nmt\"},{\"type\":\"Strip\"},{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"CAAAAAAIAAAAAAAAYgA=\"}]},"
    "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"WhitespaceSplit\"},{\"type\":\"Metaspace\","
    "\"replacement\":\"\xE2\x96\x81\"}]},\"decoder\":{\"type\":\"Metaspace\",\"replacement\":\"\xE2\x96\x81\"},"
    "\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"byte_fallback\":true,\"vocab\":[[\"<unk>\",0],[\"a\",-2.5],[\"ab\",-3],"
    "[\"\xE2\x96\x81\",-2],"
    "[\"\342\226\201ab\",-4],[\"<0xCC>\",-9],[\"<0x81>\",-9]]}}";

static const char wordpiece[] =
    "{\"added_tokens\":[{\"id\":5,\"content\":\"<x>\",\"special\":true,\"lstrip\":true}],\"normalizer\":{\"type\":\"BertNormalizer\"},"
    "\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},\"decoder\":{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":true},"
    "\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"[U]\",\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":100,"
    "\"vocab\":{\"[U]\":0,\"a\":1,\"##b\":2,\"##ab\":3,\"<\":4}}}";

static const char *const documents[] = {byte_level, fallback, unigram, wordpiece};
enum { DOCUMENTS = sizeof documents / sizeof documents[0] };

static const char text[] = "ab aba <x> <xy> e\xCC\x81 12 \xC3\xA9 ababababababababababababababababababababababababa <";

/* Encode and decode with a tokenizer that may be strange. */
static void use(const struct slm_tokenizer *tokenizer)
{
    struct slm_memory memory = slm__memory_default();
    struct slm_buffer out;
    int32_t ids[1000];
    uint64_t count = 0;
    slm_error error = {sizeof error, 0, ""};
    slm_status status =
        slm__tokenizer_encode(tokenizer, &memory, slm__span(text, sizeof text - 1), SLM_TOKENIZE_ADD_SPECIAL, ids, 1000, &count, &error);
    assert_true(status == SLM_OK || status == SLM_E_BUFFER_TOO_SMALL);
    slm__buffer_init(&out, &memory, SIZE_MAX);
    if (status == SLM_OK) {
        assert_int_equal(slm__tokenizer_decode(tokenizer, &memory, ids, count, 0, &out, &error), SLM_OK);
    }
    for (uint32_t id = 0; id < slm__tokenizer_size(tokenizer) && id < 300; id++) {
        int32_t one = (int32_t)id;
        assert_int_equal(slm__tokenizer_decode(tokenizer, &memory, &one, 1, SLM_DETOKENIZE_SKIP_SPECIAL, &out, &error), SLM_OK);
    }
    slm__buffer_free(&out);
}

/* Open a copy of exactly `length` bytes, so that a read behind it is seen. */
static slm_status open_copy(const uint8_t *bytes, size_t length)
{
    struct slm_tokenizer tokenizer;
    slm_error error = {sizeof error, 0, ""};
    uint8_t *copy = malloc(length + 1);
    assert_non_null(copy);
    uint8_t *exact = realloc(copy, length > 0 ? length : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, length);
    slm_status status = slm__tokenizer_open(&tokenizer, slm__span(exact, length), &error);
    if (status == SLM_OK) {
        use(&tokenizer);
    } else {
        assert_int_equal(strncmp(error.message, "tokenizer section: ", 19), 0);
    }
    free(exact);
    return status;
}

static void every_prefix(void **state)
{
    (void)state;
    for (size_t i = 0; i < DOCUMENTS; i++) {
        struct loaded_tokenizer loaded;
        assert_int_equal(load_tokenizer(&loaded, slm__span_text(documents[i]), "small", 0), SLM_OK);
        assert_int_equal(open_copy(loaded.section.data, loaded.section.length), SLM_OK);
        for (size_t length = 0; length < loaded.section.length; length++) {
            assert_int_not_equal(open_copy(loaded.section.data, length), SLM_OK);
        }
        unload_tokenizer(&loaded);
    }
}

static void change_every_byte(const char *document)
{
    static const uint8_t changes[] = {0xFF, 0x01, 0x80};
    struct loaded_tokenizer loaded;
    long refused = 0;
    long accepted = 0;
    assert_int_equal(load_tokenizer(&loaded, slm__span_text(document), "small", 0), SLM_OK);
    for (size_t i = 0; i < loaded.section.length; i++) {
        for (size_t k = 0; k < sizeof changes; k++) {
            loaded.section.data[i] ^= changes[k];
            slm_status status = open_copy(loaded.section.data, loaded.section.length);
            *(status == SLM_OK ? &accepted : &refused) += 1;
            loaded.section.data[i] ^= changes[k];
        }
    }
    print_message("%zu bytes: %ld changes refused, %ld accepted\n", loaded.section.length, refused, accepted);
    assert_true(refused > 1000 && accepted > 1000);
    unload_tokenizer(&loaded);
}

static void every_byte_changed(void **state)
{
    (void)state;
    for (size_t i = 0; i < DOCUMENTS; i++) {
        change_every_byte(documents[i]);
    }
}

/* Many bytes changed at once, in the tables and not in the header, which would be refused anyway. */
static void change_tables(const char *document)
{
    struct loaded_tokenizer loaded;
    uint32_t random = 3;
    assert_int_equal(load_tokenizer(&loaded, slm__span_text(document), "small", 0), SLM_OK);
    uint8_t *copy = malloc(loaded.section.length);
    assert_non_null(copy);
    for (int round = 0; round < 5000; round++) {
        memcpy(copy, loaded.section.data, loaded.section.length);
        for (int i = 0; i < 1 + round % 12; i++) {
            random = random * 1664525 + 1013904223;
            size_t at = 640 + (random >> 8) % (loaded.section.length - 640);
            random = random * 1664525 + 1013904223;
            copy[at] = (uint8_t)((random >> 16) % 12);
        }
        open_copy(copy, loaded.section.length);
    }
    free(copy);
    unload_tokenizer(&loaded);
}

static void random_tables(void **state)
{
    (void)state;
    for (size_t i = 0; i < DOCUMENTS; i++) {
        change_tables(documents[i]);
    }
}

static void versions_and_tables(void **state)
{
    (void)state;
    struct loaded_tokenizer loaded;
    assert_int_equal(load_tokenizer(&loaded, slm__span_text(byte_level), "small", 0), SLM_OK);
    uint8_t *bytes = loaded.section.data;
    uint8_t *first = bytes + SLM_TOKENIZER_HEADER_BYTES;
    bytes[SLM_TOKENIZER_AT_VERSION]++;
    assert_int_equal(open_copy(bytes, loaded.section.length), SLM_E_VERSION);
    bytes[SLM_TOKENIZER_AT_VERSION]--;
    bytes[SLM_TOKENIZER_AT_MODEL] = SLM_TOKENIZER_UNIGRAM;
    assert_int_equal(open_copy(bytes, loaded.section.length), SLM_E_UNSUPPORTED);
    bytes[SLM_TOKENIZER_AT_MODEL] = SLM_TOKENIZER_BPE;
    bytes[0] ^= 1;
    assert_int_equal(open_copy(bytes, loaded.section.length), SLM_E_BAD_MAGIC);
    bytes[0] ^= 1;
    first[0] = 60; /* a table of a later version that a reader must know */
    assert_int_equal(open_copy(bytes, loaded.section.length), SLM_E_UNSUPPORTED);
    first[4] = 0; /* ... need not know: now the table that it replaced is missing */
    assert_int_equal(open_copy(bytes, loaded.section.length), SLM_E_BAD_VALUE);
    unload_tokenizer(&loaded);
}

/* One value of a table replaced by one that leads just outside. */
static void references_that_lead_outside(void **state)
{
    (void)state;
    static const struct {
        uint32_t table;
        uint64_t at; /* byte in the table */
        uint32_t of; /* table whose number of elements is put there; 0: the number of tokens */
        uint32_t element;
    } cases[] = {
        {SLM_TOKENIZER_BYTE_IDS, 4 * 'a', 0, 0},
        {SLM_TOKENIZER_ADDED, 0, 0, 0},
        {SLM_TOKENIZER_ADDED, 8, SLM_TOKENIZER_TEXTS, 1},
        {SLM_TOKENIZER_PREFIX, 0, 0, 0},
        {SLM_TOKENIZER_ADDED_ROOTS, 4 * '<', SLM_TOKENIZER_ADDED_NODES, SLM_TOKENIZER_NODE_BYTES},
        {SLM_TOKENIZER_ADDED_NODES, SLM_TOKENIZER_NODE_BYTES, SLM_TOKENIZER_ADDED_EDGES, SLM_TOKENIZER_EDGE_BYTES},
        {SLM_TOKENIZER_ADDED_NODES, SLM_TOKENIZER_NODE_BYTES + 8, SLM_TOKENIZER_ADDED, SLM_TOKENIZER_ADDED_BYTES},
        {SLM_TOKENIZER_ADDED_EDGES, 4, SLM_TOKENIZER_ADDED_NODES, SLM_TOKENIZER_NODE_BYTES},
        {SLM_TOKENIZER_STEPS, 20, SLM_TOKENIZER_TEXTS, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct loaded_tokenizer loaded;
        assert_int_equal(load_tokenizer(&loaded, slm__span_text(byte_level), "small", 0), SLM_OK);
        uint64_t value = cases[i].of == 0 ? loaded.tokenizer.token_count : loaded.tokenizer.lengths[cases[i].of] / cases[i].element;
        size_t table = (size_t)(loaded.tokenizer.tables[cases[i].table] - loaded.section.data);
        slm__store_u32(loaded.section.data + table + cases[i].at, (uint32_t)value + (cases[i].of == SLM_TOKENIZER_TEXTS));
        if (open_copy(loaded.section.data, loaded.section.length) != SLM_E_BAD_VALUE) {
            fail_msg("table %u byte %u", (unsigned)cases[i].table, (unsigned)cases[i].at);
        }
        unload_tokenizer(&loaded);
    }
    struct loaded_tokenizer loaded;
    assert_int_equal(load_tokenizer(&loaded, slm__span_text(byte_level), "small", 0), SLM_OK);
    size_t edges = (size_t)(loaded.tokenizer.tables[SLM_TOKENIZER_ADDED_EDGES] - loaded.section.data);
    slm__store_u32(loaded.section.data + edges + 4, 1); /* an edge back to where it comes from: a walk in circles */
    assert_int_equal(open_copy(loaded.section.data, loaded.section.length), SLM_E_BAD_VALUE);
    unload_tokenizer(&loaded);
}

static void the_same_input_gives_the_same_bytes(void **state)
{
    (void)state;
    struct loaded_tokenizer first;
    struct loaded_tokenizer second;
    assert_int_equal(load_tokenizer(&first, slm__span_text(byte_level), "small", 0), SLM_OK);
    assert_int_equal(load_tokenizer(&second, slm__span_text(byte_level), "other name", 0), SLM_OK);
    assert_int_equal(first.section.length, second.section.length);
    assert_memory_equal(first.section.data, second.section.data, first.section.length);
    assert_int_equal(first.section.length % 64, 0);
    unload_tokenizer(&first);
    unload_tokenizer(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_prefix),
        cmocka_unit_test(every_byte_changed),
        cmocka_unit_test(random_tables),
        cmocka_unit_test(versions_and_tables),
        cmocka_unit_test(references_that_lead_outside),
        cmocka_unit_test(the_same_input_gives_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

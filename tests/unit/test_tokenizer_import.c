/* SPDX-License-Identifier: MIT */
/* tokenizer.json files that must be refused, with the reason, and odd ones that must be accepted; and a failing allocator. */
#include "tests/unit/tokenizer_fixture.h" /* load_tokenizer */

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* A small byte-level tokenizer with what each test puts in place of %s. */
#define DOCUMENT(added, normalizer, pre, decoder, post, model_type, more, vocab, merges)                                                   \
  "{\"added_tokens\":[" added "],\"normalizer\":" normalizer ",\"pre_tokenizer\":" pre ",\"decoder\":" decoder ",\"post_processor\":" post \
  ",\"model\":{\"type\":\"" model_type "\"" more ",\"vocab\":" vocab ",\"merges\":" merges "}}"
#define BYTE_LEVEL "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":true}"
#define AFTER_BYTE_LEVEL(step) "{\"type\":\"Sequence\",\"pretokenizers\":[" BYTE_LEVEL "," step "]}"
#define VOCAB "{\"a\":0,\"b\":1,\"ab\":2,\"\xC4\xA0\":3}"
#define SIMPLE(normalizer, pre, decoder, post) DOCUMENT("", normalizer, pre, decoder, post, "BPE", "", VOCAB, "[\"a b\"]")
#define MODEL(type, more, vocab, merges) DOCUMENT("", "null", BYTE_LEVEL, BYTE_LEVEL, "null", type, more, vocab, merges)
#define ADDED(tokens) DOCUMENT(tokens, "null", BYTE_LEVEL, BYTE_LEVEL, "null", "BPE", "", VOCAB, "[\"a b\"]")

static void check_refused(const char *json, uint32_t limit, slm_status expected, const char *reason)
{
    struct loaded_tokenizer loaded;
    slm_status status = load_tokenizer(&loaded, slm__span_text(json), "file.json", limit);
    if (status != expected || strstr(loaded.error.message, reason) == NULL || strncmp(loaded.error.message, "file.json: ", 11) != 0) {
        fail_msg("status %d, '%s', expected '%s'", status, loaded.error.message, reason);
    }
    unload_tokenizer(&loaded);
}

static void what_is_not_known_is_named(void **state)
{
    (void)state;
    const slm_status no = SLM_E_UNSUPPORTED;
    check_refused(SIMPLE("{\"type\":\"Reverse\"}", BYTE_LEVEL, BYTE_LEVEL, "null"), 0, no, "normalizer 'Reverse'");
    check_refused(SIMPLE("{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"[a-z]\"},\"content\":\"\"}", BYTE_LEVEL, BYTE_LEVEL, "null"), 0,
                  no, "'[a-z]'");
    check_refused(SIMPLE("null", "null", BYTE_LEVEL, "null"), 0, no, "no 'pre_tokenizer'");
    check_refused(SIMPLE("null", "{\"type\":\"UnicodeScripts\"}", BYTE_LEVEL, "null"), 0, no, "pre_tokenizer 'UnicodeScripts'");
    check_refused(SIMPLE("null", "{\"type\":\"ByteLevel\",\"add_prefix_space\":true}", BYTE_LEVEL, "null"), 0, no, "add_prefix_space");
    check_refused(SIMPLE("null", BYTE_LEVEL, "{\"type\":\"WordPiece\"}", "null"), 0, no, "decoder 'WordPiece'");
    check_refused(SIMPLE("null", BYTE_LEVEL, "null", "null"), 0, no, "no 'decoder'");
    check_refused(SIMPLE("null", BYTE_LEVEL, BYTE_LEVEL, "{\"type\":\"BertProcessing\"}"), 0, no, "post_processor 'BertProcessing'");
    check_refused(SIMPLE("null", AFTER_BYTE_LEVEL("{\"type\":\"Punctuation\"}"), BYTE_LEVEL, "null"), 0, no, "behind ByteLevel");
    check_refused(SIMPLE("null",
                         AFTER_BYTE_LEVEL("{\"type\":\"Split\",\"pattern\":{\"Regex\":\"\\\\s?\\\\p{L}+\"},\"behavior\":\"Isolated\"}"),
                         BYTE_LEVEL, "null"),
                  0, no, "behind ByteLevel");
    check_refused(SIMPLE("null", "null", "{\"type\":\"CTC\"}", "null"), 0, no, "decoder 'CTC'");
    check_refused(SIMPLE("null", "null", "{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}", "null"), 0, no, "behind Fuse");
    check_refused(SIMPLE("{\"type\":\"Strip\"}", "{\"type\":\"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":\"first\"}",
                         "{\"type\":\"Fuse\"}", "null"),
                  0, no, "prepend_scheme 'first'");
    check_refused(
        SIMPLE("null", "{\"type\":\"Split\",\"pattern\":{\"String\":\" \"},\"behavior\":\"Contiguous\"}", "{\"type\":\"Fuse\"}", "null"), 0,
        no, "'Contiguous'");
    check_refused(SIMPLE("null",
                         "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":\"[a-z]+\"},"
                         "\"behavior\":\"Isolated\"}," BYTE_LEVEL "]}",
                         BYTE_LEVEL, "null"),
                  0, no, "'[a-z]+'");
    check_refused(MODEL("WordLevel", "", VOCAB, "[]"), 0, no, "type 'WordLevel'");
    check_refused(MODEL("WordPiece", "", VOCAB, "[]"), 0, no, "no unknown token");
    check_refused(MODEL("WordPiece", ",\"unk_token\":\"a\"", VOCAB, "[]"), 0, no, "with BPE alone");
    check_refused(MODEL("BPE", ",\"byte_fallback\":true", VOCAB, "[]"), 0, no, "'byte_fallback'");
    check_refused(MODEL("BPE", ",\"dropout\":0.5", VOCAB, "[]"), 0, no, "'dropout'");
    check_refused(MODEL("BPE", ",\"end_of_word_suffix\":\"</w>\"", VOCAB, "[]"), 0, no, "'end_of_word_suffix'");
}

static void broken_values_are_named(void **state)
{
    (void)state;
    const slm_status bad = SLM_E_BAD_VALUE;
    check_refused("{}", 0, bad, "no object 'model'");
    check_refused("{", 0, SLM_E_SYNTAX, "line 1");
    check_refused(MODEL("BPE", "", "{}", "[]"), 0, bad, "'vocab'");
    check_refused(MODEL("Unigram", "", VOCAB, "[]"), 0, bad, "'vocab' is no array");
    check_refused(MODEL("Unigram", ",\"unk_id\":0", "[[\"a\"]]", "[]"), 0, bad, "entry 0 of 'vocab'");
    check_refused(MODEL("Unigram", ",\"unk_id\":2", "[[\"a\",0.5]]", "[]"), 0, bad, "'unk_id'");
    check_refused(SIMPLE("{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"AAA\"}", BYTE_LEVEL, BYTE_LEVEL, "null"), 0, bad, "base64");
    check_refused(SIMPLE("{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"/////w==\"}", BYTE_LEVEL, BYTE_LEVEL, "null"), 0, bad,
                  "no character map");
    check_refused(SIMPLE("null", "{\"type\":\"Metaspace\"}", BYTE_LEVEL, "null"), 0, bad, "'replacement'");
    check_refused(MODEL("BPE", "", "{\"a\":0,\"a\":1}", "[]"), 0, bad, "twice");
    check_refused(MODEL("BPE", "", "{\"a\":0,\"b\":0}", "[]"), 0, bad, "same id 0");
    check_refused(MODEL("BPE", "", "{\"a\":1.5}", "[]"), 0, bad, "no 64-bit integer");
    check_refused(MODEL("BPE", "", VOCAB, "[\"ab\"]"), 0, bad, "merge 0");
    check_refused(MODEL("BPE", "", VOCAB, "[[\"a\",\"b\",\"c\"]]"), 0, bad, "merge 0");
    check_refused(MODEL("BPE", "", VOCAB, "{}"), 0, bad, "'merges'");
    check_refused(MODEL("BPE", ",\"unk_token\":\"<unk>\"", VOCAB, "[]"), 0, bad, "'unk_token'");
    check_refused(MODEL("BPE", "", VOCAB, "[]"), 3, bad, "has id 3, which is beyond the model's vocabulary (3 ids");
    check_refused(ADDED("{\"id\":4}"), 0, bad, "has no content");
    check_refused(ADDED("{\"id\":1,\"content\":\"x\"}"), 0, bad, "same id 1");
    check_refused(ADDED("{\"id\":4,\"content\":\"a\"}"), 0, bad, "has id 4, but 0");
    check_refused(ADDED("{\"id\":4,\"content\":\"x\"},{\"id\":4,\"content\":\"x\"}"), 0, bad, "same id 4");
    check_refused(SIMPLE("null", BYTE_LEVEL, BYTE_LEVEL,
                         "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"<s>\"}},{\"Sequence\":{\"id\":\"A\"}}],"
                         "\"special_tokens\":{\"<s>\":{\"ids\":[99]}}}"),
                  0, bad, "'<s>' is not in the vocabulary");
}

static void a_small_document_is_accepted(void **state)
{
    (void)state;
    struct loaded_tokenizer loaded;
    int32_t ids[8];
    uint64_t count = 0;
    assert_int_equal(load_tokenizer(&loaded, slm__span_text(ADDED("{\"id\":9,\"content\":\"<x>\"}")), "file.json", 10), SLM_OK);
    assert_int_equal(slm__tokenizer_size(&loaded.tokenizer), 10);
    assert_int_equal(slm__tokenizer_encode(&loaded.tokenizer, &loaded.memory, slm__span_text("ab a<x>b"), 0, ids, 8, &count, NULL), SLM_OK);
    static const int32_t wanted[] = {2, 3, 0, 9, 1};
    assert_int_equal(count, 5);
    assert_memory_equal(ids, wanted, sizeof wanted);
    unload_tokenizer(&loaded);
}

/* File, status and part of the message for each tokenizer file of import/bad. */
static void bad_files(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        slm_status status;
        const char *reason;
    } cases[] = {
        {"tokenizer-merge-of-unknown-token.json", SLM_E_BAD_VALUE, "is not in the vocabulary"},
        {"tokenizer-merge-result-unknown.json", SLM_E_BAD_VALUE, "its result"},
        {"tokenizer-merge-yields-its-own-part.json", SLM_E_BAD_VALUE, "yields its other part"},
        {"tokenizer-id-twice.json", SLM_E_BAD_VALUE, "have the same id"},
        {"tokenizer-id-out-of-range.json", SLM_E_BAD_VALUE, "has id 2147483648, which is beyond"},
        {"tokenizer-id-negative.json", SLM_E_BAD_VALUE, "negative"},
        {"tokenizer-depth-100000.json", SLM_E_LIMIT, "line 1"},
        {"tokenizer-escape-invalid.json", SLM_E_SYNTAX, "line 1"},
        {"tokenizer-lone-surrogate.json", SLM_E_SYNTAX, "line 1"},
        {"tokenizer-cut.json", SLM_E_SYNTAX, "line 1"},
        {"tokenizer-vocab-is-array.json", SLM_E_BAD_VALUE, "'vocab' is no object"},
        {"tokenizer-regex-invalid.json", SLM_E_UNSUPPORTED, "regular expression '(?i:'s|[^\\p{L}'"},
        {"tokenizer-model-unknown.json", SLM_E_UNSUPPORTED, "type 'BPEZ'"},
    };
    int checked = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[256];
        snprintf(path, sizeof path, "import/bad/%s", cases[i].file);
        struct slm_span json = read_golden(path);
        if (json.data == NULL) {
            continue;
        }
        for (uint32_t limit = 0; limit <= 320; limit += 320) {
            struct loaded_tokenizer loaded;
            slm_status status = load_tokenizer(&loaded, json, cases[i].file, limit);
            if (status != cases[i].status || strstr(loaded.error.message, cases[i].reason) == NULL) {
                fail_msg("%s: status %d, '%s'", cases[i].file, status, loaded.error.message);
            }
            unload_tokenizer(&loaded);
        }
        free_span(json);
        checked++;
    }
    if (checked == 0) {
        print_message("import/bad is not in the golden folder\n");
        skip();
    }
}

static void odd_files(void **state)
{
    (void)state;
    static const char *const files[] = {"import/odd/tokenizer-merges-as-strings.json", "import/odd/tokenizer-surrogate-pair.json",
                                        "import/bad/base/tokenizer.json"};
    int checked = 0;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct slm_span json = read_golden(files[i]);
        if (json.data != NULL) {
            struct loaded_tokenizer loaded;
            slm_status status = load_tokenizer(&loaded, json, files[i], 320);
            assert_string_equal(loaded.error.message, "");
            assert_int_equal(status, SLM_OK);
            unload_tokenizer(&loaded);
            free_span(json);
            checked++;
        }
    }
    if (checked == 0) {
        print_message("import/odd is not in the golden folder\n");
        skip();
    }
}

/* An added token that is found in normalized text only, where it reads otherwise, and that is a piece of the model too. */
static void added_tokens_stay_pieces(void **state)
{
    (void)state;
    static const char entry[] = "\"content\":\"\xC3\xA9\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":";
    struct slm_span json = read_golden("tokenizers/own-spm-legacy/tokenizer.json");
    if (json.data == NULL) {
        print_message("own-spm-legacy is not in the golden folder\n");
        skip();
    }
    uint8_t *at = NULL;
    for (size_t i = 0; at == NULL && i + sizeof entry + 5 < json.length; i++) {
        at = memcmp(json.data + i, entry, sizeof entry - 1) == 0 ? (uint8_t *)(uintptr_t)json.data + i + sizeof entry - 1 : NULL;
    }
    assert_non_null(at);
    memcpy(at, "true ", 5);
    struct loaded_tokenizer loaded;
    int32_t ids[8];
    uint64_t count = 0;
    assert_int_equal(load_tokenizer(&loaded, json, "tokenizer.json", 0), SLM_OK);
    const struct slm_span text = slm__span_text("for\xC3\xA9 \xC3\xA9");
    assert_int_equal(slm__tokenizer_encode(&loaded.tokenizer, &loaded.memory, text, 0, ids, 8, &count, NULL), SLM_OK);
    const int32_t expected[] = {394, 2654, 2654}; /* of the reference: the first one is the piece, the second one the added token */
    assert_int_equal(count, 3);
    assert_memory_equal(ids, expected, sizeof expected);
    unload_tokenizer(&loaded);
    free_span(json);
}

struct failing {
    long left; /* allocations that still succeed */
    long open; /* blocks not given back */
};

static void *failing_allocate(void *user, uint64_t bytes, uint64_t alignment)
{
    struct failing *failing = user;
    void *block = NULL;
    if (failing->left-- > 0) {
        struct slm_memory memory = slm__memory_default();
        block = memory.allocate(memory.user, bytes, alignment);
        failing->open += block != NULL;
    }
    return block;
}

static void failing_release(void *user, void *block, uint64_t bytes)
{
    struct failing *failing = user;
    struct slm_memory memory = slm__memory_default();
    failing->open -= block != NULL;
    memory.release(memory.user, block, bytes);
}

/* Import and encode with only `left` allocations; true if nothing failed. */
static bool survives(long left, struct slm_span json, struct slm_span text)
{
    struct failing failing = {left, 0};
    struct slm_memory memory = {failing_allocate, failing_release, &failing};
    struct slm_buffer section;
    struct slm_tokenizer tokenizer;
    static int32_t ids[20000];
    uint64_t count = 0;
    slm__buffer_init(&section, &memory, SIZE_MAX);
    slm_status status = slm__import_tokenizer_json(&memory, json, "file.json", 0, &section, NULL);
    if (status == SLM_OK) {
        assert_int_equal(slm__tokenizer_open(&tokenizer, slm__span(section.data, section.length), NULL), SLM_OK);
        status = slm__tokenizer_encode(&tokenizer, &memory, text, 0, ids, 20000, &count, NULL);
    }
    if (status == SLM_OK) {
        struct slm_buffer out;
        slm__buffer_init(&out, &memory, SIZE_MAX);
        status = slm__tokenizer_decode(&tokenizer, &memory, ids, count, 0, &out, NULL);
        slm__buffer_free(&out);
    }
    slm__buffer_free(&section);
    assert_int_equal(failing.open, 0);
    assert_true(status == SLM_OK || status == SLM_E_NO_MEMORY);
    return status == SLM_OK;
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    static const char *const documents[] = {
        DOCUMENT("{\"id\":9,\"content\":\"<x>\"},{\"id\":10,\"content\":\"e\xCC\x81\",\"normalized\":true}", "{\"type\":\"NFC\"}",
                 BYTE_LEVEL, BYTE_LEVEL, "null", "BPE", "", VOCAB, "[\"a b\"]"),
        DOCUMENT("{\"id\":9,\"content\":\"a b\",\"normalized\":true}",
                 "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFKD\"},{\"type\":\"Prepend\",\"prepend\":\"_\"}]}",
                 "{\"type\":\"Metaspace\",\"replacement\":\"_\"}",
                 "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":{\"String\":\"_\"},\"content\":\" \"},"
                 "{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"}]}",
                 "null", "BPE", ",\"byte_fallback\":true,\"unk_token\":\"b\"", VOCAB, "[\"a b\"]"),
        DOCUMENT("", "{\"type\":\"BertNormalizer\"}", "{\"type\":\"WhitespaceSplit\"}",
                 "{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":true}", "null", "WordPiece",
                 ",\"unk_token\":\"b\",\"continuing_subword_prefix\":\"##\"", "{\"a\":0,\"b\":1,\"##a\":2}", "[]"),
        DOCUMENT("", "{\"type\":\"Nmt\"}", "{\"type\":\"Metaspace\",\"replacement\":\"_\"}",
                 "{\"type\":\"Metaspace\",\"replacement\":\"_\"}", "null", "Unigram", ",\"unk_id\":0",
                 "[[\"b\",-1.5],[\"a\",-2],[\"aa\",-3],[\"_aa\",-3]]", "[]"),
    };
    char text[4000];
    memset(text, 'a', sizeof text);
    memcpy(text, "e\xCC\x81 \xFF ", 6);
    for (size_t i = 2000; i < sizeof text; i += 2) {
        memcpy(text + i, " a", 2); /* more words than the first block of ids holds, behind one long word */
    }
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        long failures = 0;
        while (!survives(failures, slm__span_text(documents[i]), slm__span(text, sizeof text))) {
            failures++;
            assert_true(failures < 10000);
        }
        print_message("%ld allocations, each failed once\n", failures);
        assert_true(failures > 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_known_is_named),
        cmocka_unit_test(broken_values_are_named),
        cmocka_unit_test(a_small_document_is_accepted),
        cmocka_unit_test(bad_files),
        cmocka_unit_test(odd_files),
        cmocka_unit_test(added_tokens_stay_pieces),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

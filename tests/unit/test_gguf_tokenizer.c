/* SPDX-License-Identifier: MIT */
/*
 * WordPiece and Unigram from GGUF keys: the vocabularies of tokenizer.json files are written as llama.cpp's converter writes them, read
 * back, and have to give the reference's ids and texts. And what such keys are refused for.
 */
#define _POSIX_C_SOURCE 200809L /* mkstemp, fdopen */

#include "tests/unit/tokenizer_cases.h" /* check_file */

#include "import/base64.h"         /* slm__base64_decode */
#include "import/gguf_tokenizer.h" /* slm__gguf_tokenizer_read */

#include <unistd.h>

static const char MARK[] = "\xE2\x96\x81";

/* A GGUF file without tensors that is being written. */
struct writer {
    struct slm_memory memory;
    struct slm_buffer keys;
    uint64_t count;
};

static void put(struct writer *w, const void *bytes, size_t length) { slm__buffer_append(&w->keys, bytes, length); }

static void put_u32(struct writer *w, uint32_t value) { put(w, &value, 4); }

static void put_text(struct writer *w, struct slm_span text)
{
    const uint64_t length = text.length;
    put(w, &length, 8);
    put(w, text.data, text.length);
}

static void put_key(struct writer *w, const char *key, uint32_t type)
{
    put_text(w, slm__span_text(key));
    put_u32(w, type);
    w->count++;
}

static void put_array(struct writer *w, const char *key, uint32_t type, uint64_t count)
{
    put_key(w, key, SLM_GGUF_ARRAY);
    put_u32(w, type);
    put(w, &count, 8);
}

static void put_flag(struct writer *w, const char *key, bool value)
{
    const uint8_t byte = value;
    put_key(w, key, SLM_GGUF_BOOL);
    put(w, &byte, 1);
}

static void put_number(struct writer *w, const char *key, uint32_t value)
{
    put_key(w, key, SLM_GGUF_U32);
    put_u32(w, value);
}

static void put_name(struct writer *w, const char *key, const char *value)
{
    put_key(w, key, SLM_GGUF_STRING);
    put_text(w, slm__span_text(value));
}

static void begin(struct writer *w)
{
    memset(w, 0, sizeof *w);
    w->memory = slm__memory_default();
    slm__buffer_init(&w->keys, &w->memory, SIZE_MAX);
}

/* Write the file, read it back; `loaded` is then as of load_tokenizer. */
static slm_status finish(struct writer *w, uint32_t vocab, struct loaded_tokenizer *loaded)
{
    char path[] = "/tmp/slm-gguf-XXXXXX";
    const uint32_t version = 3;
    const uint64_t tensors = 0;
    const int handle = mkstemp(path);
    FILE *file = fdopen(handle, "wb");
    struct slm_gguf gguf;
    struct slm_tensor_set set;
    struct slm_checkpoint checkpoint;
    assert_non_null(file);
    fwrite("GGUF", 1, 4, file);
    fwrite(&version, 4, 1, file);
    fwrite(&tensors, 8, 1, file);
    fwrite(&w->count, 8, 1, file);
    fwrite(w->keys.data, 1, w->keys.length, file);
    for (int i = 0; i < 32; i++) {
        fputc(0, file);
    }
    assert_int_equal(fclose(file), 0);
    memset(loaded, 0, sizeof *loaded);
    loaded->error.struct_size = sizeof loaded->error;
    loaded->memory = slm__memory_default();
    const struct slm_import_context context = {&loaded->memory, NULL, NULL};
    slm__checkpoint_init(&checkpoint, &context);
    slm__tensor_set_init(&set, &loaded->memory);
    slm_status status = slm__gguf_open(&gguf, &set, &loaded->memory, path, &loaded->error);
    assert_int_equal(status, SLM_OK);
    checkpoint.config.vocab = vocab;
    checkpoint.config.bos = -1;
    uint64_t eos = 0;
    if (slm__gguf_u64(slm__gguf_find(&gguf, "tokenizer.ggml.eos_token_id"), &eos)) {
        checkpoint.config.eos[checkpoint.config.eos_count++] = (uint32_t)eos;
    }
    status = slm__gguf_tokenizer_read(&checkpoint, &gguf, &loaded->error);
    slm__buffer_init(&loaded->section, &loaded->memory, SIZE_MAX);
    if (status == SLM_OK) {
        slm__buffer_append(&loaded->section, checkpoint.tokenizer.data, checkpoint.tokenizer.length);
        status = slm__tokenizer_open(&loaded->tokenizer, slm__span(loaded->section.data, loaded->section.length), &loaded->error);
    }
    slm__checkpoint_free(&checkpoint);
    slm__gguf_free(&gguf);
    slm__tensor_set_free(&set);
    slm__buffer_free(&w->keys);
    unlink(path);
    return status;
}

/* A tokenizer.json taken apart. */
struct source {
    struct slm_span json;
    struct slm_arena arena;
    const struct slm_json *root, *vocab, *added;
};

static bool open_source(struct source *source, const struct slm_memory *memory, const char *folder)
{
    char path[256];
    snprintf(path, sizeof path, "tokenizers/%s/tokenizer.json", folder);
    source->json = read_golden(path);
    if (source->json.data == NULL) {
        print_message("%s: not in this golden folder, skipped\n", folder);
        return false;
    }
    slm__arena_init(&source->arena, memory, SIZE_MAX);
    assert_int_equal(slm__json_parse(&source->arena, source->json, &source->root, NULL), SLM_OK);
    source->vocab = slm__json_get(slm__json_get(source->root, "model"), "vocab");
    source->added = slm__json_get(source->root, "added_tokens");
    return true;
}

static void close_source(struct source *source)
{
    slm__arena_free(&source->arena);
    free_span(source->json);
}

static bool is_special(const struct source *source, struct slm_span text)
{
    for (uint32_t i = 0; i < source->added->count; i++) {
        const struct slm_json *one = &source->added->items[i];
        if (slm__span_equal(slm__json_get(one, "content")->text, text)) {
            return slm__json_is_true(slm__json_get(one, "special"));
        }
    }
    return false;
}

static uint32_t id_of(const struct source *source, const char *text)
{
    int64_t id = -1;
    assert_true(slm__json_i64(slm__json_get(source->vocab, text), &id));
    return (uint32_t)id;
}

/* The texts of a WordPiece vocabulary by id, in GGUF's form; *types likewise. */
static void put_wordpiece(struct writer *w, const struct source *source)
{
    const uint32_t count = source->vocab->count;
    put_array(w, "tokenizer.ggml.tokens", SLM_GGUF_STRING, count);
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1) {
            put_array(w, "tokenizer.ggml.token_type", SLM_GGUF_I32, count);
        }
        for (uint32_t id = 0; id < count; id++) {
            int64_t here = -1;
            assert_true(slm__json_i64(&source->vocab->items[id], &here));
            assert_int_equal(here, id); /* the files list their tokens in order */
            const struct slm_span text = source->vocab->keys[id];
            const bool special = is_special(source, text), inside = text.length > 2 && memcmp(text.data, "##", 2) == 0;
            uint8_t written[1100];
            size_t length = 0;
            if (pass == 1) {
                put_u32(w, special ? 3 : 1);
                continue;
            }
            if (!special && !inside) {
                memcpy(written, MARK, 3);
                length = 3;
            }
            memcpy(written + length, text.data + (inside ? 2 : 0), text.length - (inside ? 2 : 0));
            put_text(w, slm__span(written, length + text.length - (inside ? 2 : 0)));
        }
    }
}

static void check_cases(const struct loaded_tokenizer *loaded, const char *folder)
{
    char name[160];
    snprintf(name, sizeof name, "%s, GGUF keys", folder);
    golden_begin("tokenizer", name);
    const int lines = check_file(loaded, folder, "cases.jsonl") + check_file(loaded, folder, "decode.jsonl");
    print_message("%s: %d lines, %u differences\n", folder, lines, golden_end());
    assert_true(lines > 100);
}

static void wordpiece_as_the_reference(void **state)
{
    (void)state;
    static const char *const folders[] = {"own-wordpiece", "real-bert-bge"};
    int checked = 0;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        struct writer w;
        struct source source;
        struct loaded_tokenizer loaded;
        begin(&w);
        if (!open_source(&source, &w.memory, folders[i])) {
            slm__buffer_free(&w.keys);
            continue;
        }
        put_name(&w, "tokenizer.ggml.model", "bert");
        put_wordpiece(&w, &source);
        put_number(&w, "tokenizer.ggml.unknown_token_id", id_of(&source, "[UNK]"));
        put_number(&w, i == 0 ? "tokenizer.ggml.cls_token_id" : "tokenizer.ggml.bos_token_id", id_of(&source, "[CLS]"));
        put_number(&w, "tokenizer.ggml.seperator_token_id", id_of(&source, "[SEP]"));
        assert_int_equal(finish(&w, source.vocab->count + 3, &loaded), SLM_OK);
        check_cases(&loaded, folders[i]);
        unload_tokenizer(&loaded);
        close_source(&source);
        checked++;
    }
    if (checked == 0) {
        skip();
    }
    assert_int_equal(differences, 0);
}

/* Scores of a Unigram vocabulary and its types. */
static void put_unigram(struct writer *w, const struct source *source, uint32_t unknown)
{
    const uint32_t count = source->vocab->count;
    put_array(w, "tokenizer.ggml.tokens", SLM_GGUF_STRING, count);
    for (uint32_t id = 0; id < count; id++) {
        put_text(w, source->vocab->items[id].items[0].text);
    }
    put_array(w, "tokenizer.ggml.scores", SLM_GGUF_F32, count);
    for (uint32_t id = 0; id < count; id++) {
        double score = 0;
        assert_true(slm__json_f64(&source->vocab->items[id].items[1], &score));
        const float single = (float)score;
        put(w, &single, 4);
    }
    put_array(w, "tokenizer.ggml.token_type", SLM_GGUF_I32, count);
    for (uint32_t id = 0; id < count; id++) {
        put_u32(w, id == unknown ? 2 : is_special(source, source->vocab->items[id].items[0].text) ? 3 : 1);
    }
}

static void put_map(struct writer *w, const struct source *source)
{
    const struct slm_json *first = &slm__json_get(slm__json_get(source->root, "normalizer"), "normalizers")->items[0];
    const struct slm_span text = slm__json_get(first, "precompiled_charsmap")->text;
    uint8_t *bytes = malloc(slm__base64_limit(text.length));
    size_t count = 0;
    assert_non_null(bytes);
    assert_true(slm__base64_decode(text, bytes, &count));
    put_array(w, "tokenizer.ggml.precompiled_charsmap", SLM_GGUF_U8, count);
    put(w, bytes, count);
    free(bytes);
}

static void unigram_as_the_reference(void **state)
{
    (void)state;
    struct writer w;
    struct source source;
    struct loaded_tokenizer loaded;
    begin(&w);
    if (!open_source(&source, &w.memory, "own-unigram-t5")) {
        slm__buffer_free(&w.keys);
        skip();
    }
    put_name(&w, "tokenizer.ggml.model", "t5");
    put_unigram(&w, &source, 2);
    put_map(&w, &source);
    put_flag(&w, "tokenizer.ggml.add_space_prefix", true);
    put_flag(&w, "tokenizer.ggml.remove_extra_whitespaces", true);
    put_number(&w, "tokenizer.ggml.eos_token_id", 1);
    differences = 0;
    assert_int_equal(finish(&w, source.vocab->count, &loaded), SLM_OK);
    check_cases(&loaded, "own-unigram-t5");
    unload_tokenizer(&loaded);
    close_source(&source);
    assert_int_equal(differences, 0);
}

/* Three tokens and a model's name, as small as keys can be. */
static void put_small(struct writer *w, const char *model, bool scored, uint32_t third_type)
{
    static const char *const texts[] = {"<unk>", "\xE2\x96\x81\x61", "b"}; /* the second: U+2581, a */
    begin(w);
    put_name(w, "tokenizer.ggml.model", model);
    put_array(w, "tokenizer.ggml.tokens", SLM_GGUF_STRING, 3);
    for (int i = 0; i < 3; i++) {
        put_text(w, slm__span_text(texts[i]));
    }
    put_array(w, "tokenizer.ggml.token_type", SLM_GGUF_I32, 3);
    put_u32(w, 2);
    put_u32(w, 1);
    put_u32(w, third_type);
    if (scored) {
        const float scores[3] = {0, -1, -2};
        put_array(w, "tokenizer.ggml.scores", SLM_GGUF_F32, 3);
        put(w, scores, sizeof scores);
    }
}

static void expect_refusal(struct writer *w, uint32_t vocab, const char *sentence)
{
    struct loaded_tokenizer loaded;
    assert_int_not_equal(finish(w, vocab, &loaded), SLM_OK);
    if (strstr(loaded.error.message, sentence) == NULL) {
        fail_msg("\"%s\" instead of \"%s\"", loaded.error.message, sentence);
    }
    unload_tokenizer(&loaded);
}

static void small_and_malformed_keys(void **state)
{
    (void)state;
    struct writer w;
    struct loaded_tokenizer loaded;
    int32_t ids[8];
    uint64_t count = 0;
    put_small(&w, "bert", false, 1);
    put_number(&w, "tokenizer.ggml.unknown_token_id", 0);
    put_number(&w, "tokenizer.ggml.cls_token_id", 1);
    put_number(&w, "tokenizer.ggml.seperator_token_id", 2);
    assert_int_equal(finish(&w, 3, &loaded), SLM_OK);
    assert_int_equal(slm__tokenizer_encode(&loaded.tokenizer, &loaded.memory, slm__span_text("abb \xC3\x84 B"), SLM_TOKENIZE_ADD_SPECIAL,
                                           ids, 8, &count, NULL),
                     SLM_OK);
    const int32_t expected[] = {1, 1, 2, 2, 1, 0, 2}; /* an accent is dropped: a; a word of b alone is unknown */
    assert_int_equal(count, 7);
    assert_memory_equal(ids, expected, sizeof expected);
    unload_tokenizer(&loaded);
    put_small(&w, "bert", false, 1);
    expect_refusal(&w, 3, "tokenizer.ggml.unknown_token_id is 100, there are 3 tokens");
    put_small(&w, "t5", false, 1);
    expect_refusal(&w, 3, "tokenizer.ggml.scores is no array");
    put_small(&w, "t5", true, 7);
    expect_refusal(&w, 3, "token 2 has type 7");
    put_small(&w, "t5", true, 1);
    expect_refusal(&w, 2, "has 3 tokens, the embedding has 2 rows");
    put_small(&w, "t5", true, 1);
    put_array(&w, "tokenizer.ggml.precompiled_charsmap", SLM_GGUF_U8, 5);
    put(&w, "\xFF\xFF\xFF\xFFx", 5);
    expect_refusal(&w, 3, "precompiled_charsmap is no character map");
    put_small(&w, "t5", true, 1);
    assert_int_equal(finish(&w, 3, &loaded), SLM_OK);
    assert_int_equal(
        slm__tokenizer_encode(&loaded.tokenizer, &loaded.memory, slm__span_text("ab<unk>q"), SLM_TOKENIZE_PLAIN, ids, 8, &count, NULL),
        SLM_OK);
    assert_int_equal(ids[0], 1);
    assert_int_equal(ids[1], 2);
    unload_tokenizer(&loaded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(wordpiece_as_the_reference), cmocka_unit_test(unigram_as_the_reference),
                                       cmocka_unit_test(small_and_malformed_keys)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

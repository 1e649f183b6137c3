/* SPDX-License-Identifier: MIT */
/* Tokenizers from SentencePiece's tokenizer.model and from tiktoken files against the tokenizer.json of the same vocabulary, and files
 * that must be refused. */
#include "tests/golden_report.h"          /* golden_begin */
#include "tests/unit/tokenizer_fixture.h" /* load_tokenizer, next_line */

#include "import/plain_tokenizer.h" /* slm__import_plain_tokenizer */

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static slm_status load_plain(struct loaded_tokenizer *loaded, struct slm_span file, const char *config, const char *pipeline)
{
    struct slm_plain_tokenizer source = {file, "file", slm__span_text(config), slm__span_text(pipeline), 0, -1};
    memset(loaded, 0, sizeof *loaded);
    loaded->error.struct_size = sizeof loaded->error;
    loaded->memory = slm__memory_default();
    slm__buffer_init(&loaded->section, &loaded->memory, SIZE_MAX);
    SLM_TRY(slm__import_plain_tokenizer(&loaded->memory, &source, &loaded->section, &loaded->error));
    return slm__tokenizer_open(&loaded->tokenizer, slm__span(loaded->section.data, loaded->section.length), &loaded->error);
}

/* Whether a case concerns tokens that only the tokenizer.json has. */
static bool has_others(const struct slm_json *ids, int64_t below)
{
    bool others = false;
    for (uint32_t i = 0; i < ids->count; i++) {
        int64_t id = 0;
        assert_true(slm__json_i64(&ids->items[i], &id));
        others |= id >= below;
    }
    return others;
}

/* All cases of a folder that stay below an id, with the tokenizer made `from` another file; returns how many. */
static int check_cases(const struct loaded_tokenizer *t, const char *folder, const char *from, int64_t below)
{
    char path[256];
    int checked = 0;
    snprintf(path, sizeof path, "%s, %s", folder, from);
    golden_begin("tokenizer", path);
    snprintf(path, sizeof path, "tokenizers/%s/cases.jsonl", folder);
    struct slm_span lines = read_golden(path);
    assert_non_null(lines.data);
    for (size_t position = 0; position < lines.length;) {
        struct slm_arena arena;
        slm__arena_init(&arena, &t->memory, SIZE_MAX);
        const struct slm_json *root = next_line(lines, &position, &arena);
        const struct slm_json *ids = slm__json_get(root, "ids");
        const struct slm_json *text = slm__json_get(root, "text");
        static int32_t got[60000];
        uint64_t count = 0;
        uint32_t flags = slm__json_is_true(slm__json_get(root, "add_special_tokens")) ? SLM_TOKENIZE_ADD_SPECIAL : 0;
        if (!has_others(ids, below)) {
            assert_int_equal(slm__tokenizer_encode(&t->tokenizer, &t->memory, text->text, flags, got, 60000, &count, NULL), SLM_OK);
            bool equal = count == ids->count;
            for (uint32_t i = 0; equal && i < ids->count; i++) {
                int64_t id = 0;
                equal = slm__json_i64(&ids->items[i], &id) && id == got[i];
            }
            if (!equal) {
                fail_msg("%s: other ids for '%.*s'", folder, (int)(text->text.length < 200 ? text->text.length : 200),
                         (const char *)text->text.data);
            }
            golden_case(true);
            checked++;
        }
        slm__arena_free(&arena);
    }
    free_span(lines);
    print_message("%s: %d cases, %u failures\n", folder, checked, golden_end());
    return checked;
}

static void sentencepiece_models(void **state)
{
    (void)state;
    static const struct {
        const char *folder;
        int64_t below;      /* ids of the model */
        const char *config; /* flags that the model does not have, and a piece that is also an added token */
    } models[] = {{"own-spm-legacy", 4000,
                   "{\"added_tokens_decoder\":{\"2\":{\"content\":\"</s>\",\"rstrip\":true},\"2654\":{\"content\":\"\xC3\xA9\"}}}"},
                  {"own-gemma", 5000, ""}};
    int checked = 0;
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        char path[256];
        struct loaded_tokenizer loaded;
        snprintf(path, sizeof path, "tokenizers/%s/tokenizer.model", models[i].folder);
        struct slm_span file = read_golden(path);
        if (file.data == NULL) {
            continue;
        }
        slm_status status = load_plain(&loaded, file, models[i].config, "");
        assert_string_equal(loaded.error.message, "");
        assert_int_equal(status, SLM_OK);
        assert_true(check_cases(&loaded, models[i].folder, "tokenizer.model", models[i].below) > 200);
        checked++;
        unload_tokenizer(&loaded);
        free_span(file);
    }
    if (checked == 0) {
        print_message("there is no tokenizer.model in the golden folder\n");
        skip();
    }
}

/* `bytes` in base64 behind `line`; returns the new end. */
static char *append_base64(char *line, struct slm_span bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.length; i += 3) {
        uint32_t left = (uint32_t)(bytes.length - i);
        uint32_t group =
            (uint32_t)bytes.data[i] << 16 | (left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0) | (left > 2 ? bytes.data[i + 2] : 0);
        *line++ = digits[group >> 18];
        *line++ = digits[group >> 12 & 63];
        *line++ = left > 1 ? digits[group >> 6 & 63] : '=';
        *line++ = left > 2 ? digits[group & 63] : '=';
    }
    return line;
}

/* The ranks of a byte-level tokenizer.json written as a tiktoken file. */
static void tiktoken_files(void **state)
{
    (void)state;
    enum { RANKS = 4012 }; /* of own-llama3 */
    struct slm_span json = read_golden("tokenizers/own-llama3/tokenizer.json");
    if (json.data == NULL) {
        print_message("own-llama3 is not in the golden folder\n");
        skip();
    }
    struct loaded_tokenizer loaded;
    struct loaded_tokenizer plain;
    assert_int_equal(load_tokenizer(&loaded, json, "json", 0), SLM_OK);
    char *file = malloc(RANKS * 128);
    char *end = file;
    assert_non_null(file);
    for (int32_t id = 0; id < RANKS; id++) {
        struct slm_span bytes;
        assert_int_equal(slm__tokenizer_token_bytes(&loaded.tokenizer, id, &bytes, NULL), SLM_OK);
        assert_true(bytes.length < 80);
        end = append_base64(end, bytes);
        end += snprintf(end, 16, " %d%s", (int)id, id % 2 == 0 ? "\n" : "\r\n");
    }
    slm_status status = load_plain(&plain, slm__span(file, (size_t)(end - file)), "", "llama-bpe");
    assert_string_equal(plain.error.message, "");
    assert_int_equal(status, SLM_OK);
    assert_true(check_cases(&plain, "own-llama3", "tiktoken", RANKS) > 200);
    unload_tokenizer(&plain);
    assert_int_equal(load_plain(&plain, slm__span(file, (size_t)(end - file)), "", ""), SLM_E_UNSUPPORTED);
    unload_tokenizer(&plain);
    static const char config[] = "{\"added_tokens_decoder\":{\"4013\":{\"content\":\"<x>\",\"special\":true}},\"add_bos_token\":true}";
    assert_int_equal(load_plain(&plain, slm__span(file, (size_t)(end - file)), config, "llama-bpe"), SLM_OK);
    assert_int_equal(slm__tokenizer_size(&plain.tokenizer), 4014);
    int32_t ids[8];
    uint64_t count = 0;
    assert_int_equal(slm__tokenizer_encode(&plain.tokenizer, &plain.memory, slm__span_text("<x>"), 0, ids, 8, &count, NULL), SLM_OK);
    assert_true(count == 1 && ids[0] == 4013);
    unload_tokenizer(&plain);
    unload_tokenizer(&loaded);
    free(file);
    free_span(json);
}

static void check_refused(struct slm_span file, const char *config, const char *pipeline, slm_status expected, const char *reason)
{
    struct loaded_tokenizer loaded;
    slm_status status = load_plain(&loaded, file, config, pipeline);
    if (status != expected || strstr(loaded.error.message, reason) == NULL || strncmp(loaded.error.message, "file: ", 6) != 0) {
        fail_msg("status %d, '%s', expected '%s'", status, loaded.error.message, reason);
    }
    unload_tokenizer(&loaded);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    static const uint8_t unigram[] = {0x0A, 3, 0x0A, 1, 'a', 0x12, 2, 0x18, 1};
    static const uint8_t spaces[] = {0x0A, 3, 0x0A, 1, 'a', 0x12, 2, 0x18, 2};
    static const uint8_t cut[] = {0x0A, 9, 0x0A, 1, 'a'};
    static const uint8_t type[] = {0x0A, 5, 0x0A, 1, 'a', 0x18, 9, 0x12, 2, 0x18, 2};
    static const uint8_t text[] = {0x0A, 3, 0x0A, 1, 0xFF, 0x12, 2, 0x18, 2};
    check_refused(slm__span(unigram, sizeof unigram), "", "", SLM_E_UNSUPPORTED, "model_type 1");
    check_refused(slm__span(spaces, sizeof spaces), "", "", SLM_E_UNSUPPORTED, "remove_extra_whitespaces");
    check_refused(slm__span(cut, sizeof cut), "", "", SLM_E_BAD_VALUE, "malformed");
    check_refused(slm__span(type, sizeof type), "", "", SLM_E_BAD_VALUE, "type 9");
    check_refused(slm__span(text, sizeof text), "", "", SLM_E_ENCODING, "UTF-8");
    check_refused(slm__span_text(""), "", "", SLM_E_LIMIT, "0 pieces");
    check_refused(slm__span_text("YQ== 0\nYg== x\n"), "", "gpt-2", SLM_E_SYNTAX, "line 2");
    check_refused(slm__span_text("YQ== 0\nYg== 0\n"), "", "gpt-2", SLM_E_BAD_VALUE, "line 2: rank 0 occurs twice");
    check_refused(slm__span_text("YQ== 0\nYg== 2\n"), "", "gpt-2", SLM_E_BAD_VALUE, "rank 2");
    check_refused(slm__span_text("YQ== 0\n"), "{\"added_tokens_decoder\":{\"x\":{\"content\":\"a\"}}}", "gpt-2", SLM_E_BAD_VALUE, "'x'");
    check_refused(slm__span_text("YQ== 0\n"), "{\"added_tokens_decoder\":{\"0\":{\"content\":\"b\"}}}", "gpt-2", SLM_E_BAD_VALUE,
                  "token 0");
    check_refused(slm__span_text("YQ== 0\n"), "{", "gpt-2", SLM_E_SYNTAX, "line 1");
}

/* Every prefix and every changed byte of a small file: a status or a tokenizer, never more. */
static void damaged_files(void **state)
{
    (void)state;
    uint8_t model[] = {0x0A, 12, 0x0A, 3, 0xE2, 0x96, 0x81, 0x15, 0,    0, 0x80, 0xBF, 0x18, 1, 0x0A, 5, 0x0A, 1, 'a',
                       0x18, 2,  0x0A, 4, 0x0A, 2,    0xC3, 0xA9, 0x12, 4, 0x18, 2,    0x48, 1, 0x1A, 2, 0x20, 0};
    struct loaded_tokenizer loaded;
    model[1] = 10;
    for (size_t length = 0; length <= sizeof model; length++) {
        (void)load_plain(&loaded, slm__span(model, length), "", "");
        unload_tokenizer(&loaded);
    }
    for (size_t i = 0; i < sizeof model; i++) {
        for (unsigned change = 1; change < 256; change++) {
            model[i] ^= (uint8_t)change;
            (void)load_plain(&loaded, slm__span(model, sizeof model), "", "");
            unload_tokenizer(&loaded);
            model[i] ^= (uint8_t)change;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentencepiece_models),
        cmocka_unit_test(tiktoken_files),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(damaged_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

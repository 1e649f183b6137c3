/* SPDX-License-Identifier: MIT */
/* Every case of every tokenizer folder: encoding, decoding with and without special tokens, special tokens as plain text,
 * ids that no text encodes to, and what is visible after each token of a stream. */
#include "tests/unit/tokenizer_cases.h" /* check_file */

enum { MOST = 200 };

static bool check_folder(const char *folder)
{
    static const char *const files[] = {"cases.jsonl", "decode.jsonl", "plain.jsonl"};
    char path[256];
    snprintf(path, sizeof path, "tokenizers/%s/tokenizer.json", folder);
    struct slm_span json = read_golden(path);
    if (json.data == NULL) {
        return false;
    }
    golden_begin("tokenizer", folder);
    struct loaded_tokenizer loaded;
    slm_status status = load_tokenizer(&loaded, json, folder, 0);
    if (status != SLM_OK) {
        print_message("%s\n", loaded.error.message);
    }
    assert_int_equal(status, SLM_OK);
    int lines = 0;
    int before = differences;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        lines += check_file(&loaded, folder, files[i]);
    }
    print_message("%s: %d lines, %d differences\n", folder, lines, differences - before);
    unload_tokenizer(&loaded);
    free_span(json);
    (void)golden_end();
    return true;
}

static void all_cases_of_all_tokenizers(void **state)
{
    (void)state;
    static struct golden_name folders[MOST];
    const size_t count = golden_list("tokenizers", "", folders, MOST);
    int checked = 0;
    for (size_t i = 0; i < count; i++) {
        checked += check_folder(folders[i].text);
    }
    if (checked == 0) {
        print_message("no tokenizer folder is there\n");
        skip();
    }
    assert_int_equal(differences, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_cases_of_all_tokenizers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

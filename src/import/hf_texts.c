/* SPDX-License-Identifier: MIT */
/* Texts keep their bytes. A licence that is no UTF-8 is left out with a warning; a chat template that is none is an error. */
#include "import/hf_texts.h"

#include "base/json.h"        /* slm__json_parse */
#include "base/utf8.h"        /* slm__utf8_valid_prefix */
#include "import/hf_folder.h" /* slm__hf_take_file */

static const uint64_t TEXT_LIMIT = (uint64_t)16 << 20;
static const uint64_t TOKENIZER_CONFIG_LIMIT = (uint64_t)64 << 20;
static const size_t TREE_LIMIT = (size_t)1 << 30;

enum { TOKEN_KEYS = 7 };
static const char *const token_keys[TOKEN_KEYS] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                                   "pad_token", "cls_token", "mask_token"};

/* A whole file as text. *kept stays when the folder has none of the names. */
static slm_status read_text(struct slm_checkpoint *checkpoint, const char *folder, const char *const *names, size_t count, bool strict,
                            struct slm_span *kept, slm_error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (!slm__hf_has_file(folder, names[i])) {
            continue;
        }
        struct slm_span text = {NULL, 0};
        SLM_TRY(slm__hf_take_file(checkpoint, folder, names[i], TEXT_LIMIT, &text, error));
        slm_status status = SLM_OK;
        if (slm__utf8_valid_prefix(text) == text.length) {
            status = slm__checkpoint_keep(checkpoint, text, kept, error);
        } else if (strict) {
            status = slm__fail(error, SLM_E_ENCODING, "%s is not valid UTF-8", names[i]);
        } else {
            slm__log(checkpoint->context.log, SLM_LOG_WARNING, "%s is not valid UTF-8 and is left out", names[i]);
        }
        slm__hf_give_file(checkpoint, text);
        return status;
    }
    return SLM_OK;
}

/* ---- tokenizer_config.json, special_tokens_map.json */

/* A special token is a string, or an object whose "content" is one. What the file read first says stands. */
static slm_status read_tokens(struct slm_checkpoint *checkpoint, const struct slm_json *root, struct slm_span tokens[TOKEN_KEYS],
                              slm_error *error)
{
    for (size_t i = 0; i < TOKEN_KEYS; i++) {
        const struct slm_json *token = slm__json_present(root, token_keys[i]);
        if (token != NULL && token->type == SLM_JSON_OBJECT) {
            token = slm__json_present(token, "content");
        }
        if (token != NULL && token->type == SLM_JSON_STRING && tokens[i].data == NULL) {
            SLM_TRY(slm__checkpoint_keep(checkpoint, token->text, &tokens[i], error));
        }
    }
    return SLM_OK;
}

/* A string, or a list of {"name", "template"} of which "default" is meant. */
static slm_status read_template(struct slm_checkpoint *checkpoint, const struct slm_json *root, slm_error *error)
{
    const struct slm_json *chat = slm__json_present(root, "chat_template");
    if (chat != NULL && chat->type == SLM_JSON_ARRAY) {
        const struct slm_json *list = chat;
        chat = NULL;
        for (uint32_t i = 0; i < list->count; i++) {
            if (slm__json_is_string(slm__json_get(&list->items[i], "name"), "default")) {
                chat = slm__json_get(&list->items[i], "template");
            }
        }
    }
    if (chat == NULL || chat->type != SLM_JSON_STRING) {
        return SLM_OK;
    }
    return slm__checkpoint_keep(checkpoint, chat->text, &checkpoint->texts.chat_template, error);
}

static slm_status read_json_file(struct slm_checkpoint *checkpoint, const char *folder, const char *name,
                                 struct slm_span tokens[TOKEN_KEYS], slm_error *error)
{
    if (!slm__hf_has_file(folder, name)) {
        return SLM_OK;
    }
    struct slm_span text = {NULL, 0};
    SLM_TRY(slm__hf_take_file(checkpoint, folder, name, TOKENIZER_CONFIG_LIMIT, &text, error));
    struct slm_arena tree;
    slm__arena_init(&tree, checkpoint->context.memory, TREE_LIMIT);
    const struct slm_json *root = NULL;
    slm_status status = slm__json_parse(&tree, text, &root, error);
    if (status == SLM_OK && root->type != SLM_JSON_OBJECT) {
        status = slm__fail(error, SLM_E_BAD_VALUE, "it is no JSON object");
    }
    if (status == SLM_OK) {
        status = read_tokens(checkpoint, root, tokens, error);
    }
    if (status == SLM_OK) {
        status = read_template(checkpoint, root, error);
    }
    slm__arena_free(&tree);
    slm__hf_give_file(checkpoint, text);
    return status == SLM_OK ? SLM_OK : slm__fail_in(error, status, "%s", name);
}

slm_status slm__hf_texts_read(struct slm_checkpoint *checkpoint, const char *folder, slm_error *error)
{
    static const char *const templates[] = {"chat_template.jinja"};
    static const char *const licenses[] = {"LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "license.txt"};
    static const char *const notices[] = {"NOTICE", "NOTICE.txt", "NOTICE.md", "Notice.txt"};
    struct slm_span tokens[TOKEN_KEYS] = {{NULL, 0}}; /* in the checkpoint's arena */
    struct slm_checkpoint_texts *texts = &checkpoint->texts;
    SLM_TRY(read_json_file(checkpoint, folder, "tokenizer_config.json", tokens, error));
    SLM_TRY(read_json_file(checkpoint, folder, "special_tokens_map.json", tokens, error));
    SLM_TRY(slm__checkpoint_keep_tokens(checkpoint, token_keys, tokens, TOKEN_KEYS, error));
    SLM_TRY(read_text(checkpoint, folder, templates, 1, true, &texts->chat_template, error));
    SLM_TRY(read_text(checkpoint, folder, licenses, sizeof licenses / sizeof licenses[0], false, &texts->license, error));
    return read_text(checkpoint, folder, notices, sizeof notices / sizeof notices[0], false, &texts->notice, error);
}

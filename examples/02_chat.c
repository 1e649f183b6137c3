/* SPDX-License-Identifier: MIT */
/*
 * The pull loop: template, tokens, one token at a time. Each line of standard input is a message; the session is rewound
 * to the shared beginning of all prompts, so that only what differs is computed. usage: 02_chat MODEL.slm
 */
#include <slm.h>
#include <stdio.h>
#include <string.h>

enum { TOKENS = 1024, TEXT = 8192 };

static int fail(const slm_error *error)
{
    (void)fprintf(stderr, "02_chat: %s\n", error->message);
    return 1;
}

/* {"messages":[{"role":"user","content":"..."}]}: the text of a message has to become a JSON string. */
static void write_request(char request[2 * TEXT], const char *message)
{
    char *out = request + snprintf(request, TEXT, "{\"messages\":[{\"role\":\"user\",\"content\":\"");
    for (; *message != '\0' && *message != '\n'; message++) {
        if (*message == '"' || *message == '\\') {
            *out++ = '\\';
        }
        *out++ = (unsigned char)*message < 0x20 ? ' ' : *message;
    }
    memcpy(out, "\"}]}", 5);
}

/* Message to token ids. Special tokens that somebody types are plain text: only the template writes real ones. */
static slm_status make_prompt(slm_model *model, const char *message, int32_t *ids, uint64_t *count, slm_error *error)
{
    char request[2 * TEXT];
    write_request(request, message);
    return slm_chat_tokenize(model, request, SLM_NUL_TERMINATED, NULL, ids, TOKENS, count, error);
}

/* Forget what the session has beyond the beginning that it shares with `ids`, and append the rest. */
static slm_status set_prompt(slm_session *session, const int32_t *ids, uint64_t count, slm_error *error)
{
    static int32_t present[4 * TOKENS];
    uint64_t length = 0;
    uint64_t common = 0;
    slm_status status = slm_session_tokens(session, present, 4 * TOKENS, &length, error);
    while (status == SLM_OK && common < length && common + 1 < count && present[common] == ids[common]) {
        common++;
    }
    if (status == SLM_OK) {
        status = slm_session_rewind(session, common, error);
    }
    return status != SLM_OK ? status : slm_session_append(session, ids + common, count - common, NULL, error);
}

static slm_status print_answer(slm_session *session, slm_error *error)
{
    slm_token token = {.struct_size = sizeof token};
    while (token.stop == SLM_STOP_NONE) {
        const slm_status status = slm_session_next(session, &token, error);
        if (status != SLM_OK) {
            return status;
        }
        (void)fwrite(token.text, 1, (size_t)token.text_length, stdout);
        (void)fflush(stdout);
    }
    (void)putchar('\n');
    return SLM_OK;
}

int main(int argc, char **argv)
{
    slm_engine *engine = NULL;
    slm_model *model = NULL;
    slm_session *session = NULL;
    slm_error error = {.struct_size = sizeof error};
    const slm_session_options options = {.struct_size = sizeof options, .context = 512, .max_tokens = 128};
    char line[TEXT - 256];
    int code = 0;
    if (argc != 2) {
        (void)fprintf(stderr, "usage: 02_chat MODEL.slm < MESSAGES\n");
        return 2;
    }
    if (slm_engine_create(NULL, &engine, &error) != SLM_OK ||
        slm_model_open_file(engine, argv[1], SLM_NUL_TERMINATED, NULL, &model, &error) != SLM_OK ||
        slm_session_create(model, NULL, &options, &session, &error) != SLM_OK) {
        code = fail(&error);
    }
    while (code == 0 && fgets(line, sizeof line, stdin) != NULL) {
        int32_t ids[TOKENS];
        uint64_t count = 0;
        if (make_prompt(model, line, ids, &count, &error) != SLM_OK || set_prompt(session, ids, count, &error) != SLM_OK ||
            print_answer(session, &error) != SLM_OK) {
            code = fail(&error);
        }
    }
    (void)slm_session_destroy(session);
    (void)slm_model_close(model);
    (void)slm_engine_destroy(engine);
    return code;
}

/* SPDX-License-Identifier: MIT */
/* The simple case: open a model, send one prompt, print the answer as it comes. usage: 01_hello MODEL.slm [PROMPT] */
#include <slm.h>
#include <stdio.h>

static int32_t print_text(void *user, const char *text, uint64_t length)
{
    (void)user;
    return fwrite(text, 1, (size_t)length, stdout) == length ? 0 : 1; /* not 0 stops the generation */
}

int main(int argc, char **argv)
{
    const char *prompt = argc > 2 ? argv[2] : "Where is my parcel 48213? It should have been here on Monday.";
    if (argc < 2) {
        (void)fprintf(stderr, "usage: 01_hello MODEL.slm [PROMPT]\n");
        return 2;
    }
    slm_engine *engine = NULL;
    slm_model *model = NULL;
    slm_session *session = NULL;
    slm_error error = {.struct_size = sizeof error};
    const slm_generate_options options = {.struct_size = sizeof options, .max_tokens = 64, .on_text = print_text};
    slm_generate_result result = {.struct_size = sizeof result};

    slm_status status = slm_engine_create(NULL, &engine, &error);
    if (status == SLM_OK) {
        status = slm_model_open_file(engine, argv[1], SLM_NUL_TERMINATED, NULL, &model, &error);
    }
    if (status == SLM_OK) {
        status = slm_session_create(model, NULL, NULL, &session, &error);
    }
    if (status == SLM_OK) {
        status = slm_generate(session, prompt, SLM_NUL_TERMINATED, &options, NULL, 0, NULL, &result, &error);
    }
    if (status == SLM_OK) {
        (void)printf("\n%u tokens in, %u tokens out\n", result.prompt_tokens, result.new_tokens);
    } else {
        (void)fprintf(stderr, "01_hello: %s\n", error.message);
    }
    (void)slm_session_destroy(session);
    (void)slm_model_close(model);
    (void)slm_engine_destroy(engine);
    return status == SLM_OK ? 0 : 1;
}

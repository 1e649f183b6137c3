/* SPDX-License-Identifier: MIT */
/* Texts become ids before anything is computed, so that a bad input costs nothing. Scratch memory is the engine's. */
#include "runtime/input_ids.h"
#include <string.h>

void slm__input_ids_init(struct slm_input_ids *lists, const struct slm_runtime_model *model)
{
    slm__buffer_init(&lists->ids, model->memory, SIZE_MAX);
    slm__buffer_init(&lists->ends, model->memory, SIZE_MAX);
}

void slm__input_ids_free(struct slm_input_ids *lists)
{
    slm__buffer_free(&lists->ids);
    slm__buffer_free(&lists->ends);
}

/* One attempt with room for `room` ids; *count is what it needs. */
static slm_status encode_behind(const struct slm_runtime_model *model, struct slm_span text, uint32_t flags, uint64_t room,
                                struct slm_buffer *ids, uint64_t *count, slm_error *error)
{
    const size_t bytes = (size_t)room * sizeof(int32_t);
    int32_t *block = slm__allocate(model->memory, bytes, 64);
    if (block == NULL) {
        return slm__fail_memory(error, bytes);
    }
    slm_status status = slm__tokenizer_encode(model->tokenizer, model->memory, text, flags, block, room, count, error);
    if (status == SLM_OK && *count > 0 && !slm__buffer_append(ids, block, (size_t)*count * sizeof *block)) {
        status = slm__buffer_failure(ids, error);
    }
    slm__release(model->memory, block, bytes);
    return status;
}

slm_status slm__tokenize_behind(const struct slm_runtime_model *model, struct slm_span text, uint32_t flags, struct slm_buffer *ids,
                                slm_error *error)
{
    uint64_t count = 0;
    if (model->tokenizer == NULL) {
        return slm__fail(error, SLM_E_NO_TOKENIZER, "the model has no tokenizer: give token ids");
    }
    const slm_status status = encode_behind(model, text, flags, text.length / 2 + 64, ids, &count, NULL); /* nearly always enough */
    if (status == SLM_OK || status == SLM_E_NO_MEMORY) {
        return status == SLM_OK ? SLM_OK : slm__fail_memory(error, text.length);
    }
    const uint64_t room = status == SLM_E_BUFFER_TOO_SMALL ? count : text.length / 2 + 64; /* again, for the room or the message */
    return encode_behind(model, text, flags, room, ids, &count, error);
}

static slm_status add_given(struct slm_input_ids *lists, const struct slm_runtime_model *model, const slm_input *input, slm_error *error)
{
    const uint32_t vocab = model->transformer->vocab_size;
    if (input->text != NULL) {
        return slm__fail(error, SLM_E_ARGUMENT, "both text and ids are given");
    }
    for (uint64_t i = 0; i < input->id_count; i++) {
        if (input->ids[i] < 0 || (uint32_t)input->ids[i] >= vocab) {
            return slm__fail(error, SLM_E_BAD_TOKEN, "token %llu is %d, the vocabulary has ids 0 .. %u", (unsigned long long)i,
                             input->ids[i], vocab - 1);
        }
    }
    if (input->id_count > SIZE_MAX / 4 / sizeof(int32_t)) {
        return slm__fail_memory(error, UINT64_MAX);
    }
    return slm__buffer_append(&lists->ids, input->ids, (size_t)input->id_count * sizeof(int32_t)) ? SLM_OK
                                                                                                  : slm__buffer_failure(&lists->ids, error);
}

/* The tokenizer may know more tokens than the model has rows. */
static slm_status check_behind(const struct slm_input_ids *lists, size_t begin, const struct slm_runtime_model *model, slm_error *error)
{
    const int32_t *ids = (const int32_t *)(const void *)(lists->ids.data + begin);
    const size_t count = (lists->ids.length - begin) / sizeof *ids;
    for (size_t i = 0; i < count; i++) {
        if ((uint32_t)ids[i] >= model->transformer->vocab_size) {
            return slm__fail(error, SLM_E_BAD_TOKEN, "the tokenizer gives id %d, the vocabulary has ids 0 .. %u", ids[i],
                             model->transformer->vocab_size - 1);
        }
    }
    return SLM_OK;
}

slm_status slm__input_ids_add(struct slm_input_ids *lists, const struct slm_runtime_model *model, const slm_input *input, uint32_t flags,
                              slm_error *error)
{
    const size_t begin = lists->ids.length;
    if (input->ids != NULL) {
        SLM_TRY(add_given(lists, model, input, error));
    } else {
        const uint64_t length = input->text == NULL                        ? 0
                                : input->text_length == SLM_NUL_TERMINATED ? strlen(input->text)
                                                                           : input->text_length;
        if (input->id_count != 0 || (input->text == NULL && input->text_length != 0) || length > SIZE_MAX / 8) {
            return slm__fail(error, SLM_E_ARGUMENT, "%s",
                             input->id_count != 0  ? "ids is NULL, but id_count is not 0"
                             : input->text == NULL ? "text is NULL, but text_length is not 0"
                                                   : "text_length is more than there can be");
        }
        SLM_TRY(slm__tokenize_behind(model, slm__span(length == 0 ? "" : input->text, (size_t)length), flags, &lists->ids, error));
        SLM_TRY(check_behind(lists, begin, model, error));
    }
    return slm__buffer_append_u64(&lists->ends, lists->ids.length / sizeof(int32_t)) ? SLM_OK : slm__buffer_failure(&lists->ends, error);
}

const int32_t *slm__input_ids_at(const struct slm_input_ids *lists, uint64_t index, uint64_t *count)
{
    const uint64_t *ends = (const uint64_t *)(const void *)lists->ends.data;
    const uint64_t begin = index == 0 ? 0 : ends[index - 1];
    *count = ends[index] - begin;
    return (const int32_t *)(const void *)lists->ids.data + begin;
}

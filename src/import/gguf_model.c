/* SPDX-License-Identifier: MIT */
/* GGUF file or files to checkpoint. Parts of a split model are named NAME-00001-of-0000N.gguf. */
#include "import/gguf_model.h"

#include "import/gguf_config.h"    /* slm__gguf_config_read */
#include "import/gguf_tokenizer.h" /* slm__gguf_tokenizer_read */
#include <inttypes.h>              /* PRIu64 */
#include <stdio.h>                 /* snprintf into a buffer */

enum { SUFFIX_BYTES = 20 }; /* -00001-of-00003.gguf */

/* The path of part `part` (from 1) from that of the first one; false when the first one is not named so. */
static bool part_path(const char *first, uint64_t part, uint64_t count, char path[SLM_PATH_BYTES])
{
    char expected[SUFFIX_BYTES + 24];
    const size_t length = strlen(first);
    snprintf(expected, sizeof expected, "-%05d-of-%05" PRIu64 ".gguf", 1, count);
    if (count > 99999 || length < SUFFIX_BYTES || length >= SLM_PATH_BYTES || strcmp(first + length - SUFFIX_BYTES, expected) != 0) {
        return false;
    }
    snprintf(expected, sizeof expected, "-%05" PRIu64 "-of-%05" PRIu64 ".gguf", part, count);
    memcpy(path, first, length - SUFFIX_BYTES);
    memcpy(path + (length - SUFFIX_BYTES), expected, SUFFIX_BYTES + 1);
    return true;
}

static slm_status check_part(const struct slm_gguf *part, uint64_t number, uint64_t count, slm_error *error)
{
    uint64_t no = UINT64_MAX, of = UINT64_MAX;
    if (!slm__gguf_u64(slm__gguf_find(part, "split.no"), &no) || !slm__gguf_u64(slm__gguf_find(part, "split.count"), &of) || no != number ||
        of != count) {
        return slm__fail(error, SLM_E_BAD_VALUE, "split.no and split.count are not %" PRIu64 " and %" PRIu64, number, count);
    }
    return SLM_OK;
}

static slm_status open_parts(struct slm_checkpoint *checkpoint, const struct slm_gguf *first, const char *path, slm_error *error)
{
    struct slm_tensor_set *set = &checkpoint->set;
    uint64_t count = 0, no = 0, tensors = 0;
    if (slm__gguf_find(first, "split.count") == NULL) {
        return SLM_OK;
    }
    if (!slm__gguf_u64(slm__gguf_find(first, "split.count"), &count) || !slm__gguf_u64(slm__gguf_find(first, "split.no"), &no)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s: split.count or split.no is no unsigned integer", set->files[0].name);
    }
    if (count <= 1) {
        return SLM_OK;
    }
    if (no != 0) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s is part %" PRIu64 " of a split model, give the first part", set->files[0].name,
                         no + 1);
    }
    for (uint64_t part = 1; part < count; part++) {
        char name[SLM_PATH_BYTES];
        struct slm_gguf keys;
        if (!part_path(path, part + 1, count, name)) {
            return slm__fail(error, SLM_E_BAD_VALUE,
                             "%s is one of %" PRIu64 " parts, but its name does not end in -00001-of-%05" PRIu64 ".gguf",
                             set->files[0].name, count, count);
        }
        slm_status status = slm__gguf_open(&keys, set, checkpoint->context.memory, name, error);
        if (status == SLM_OK) {
            status = check_part(&keys, part, count, error);
            status = status == SLM_OK ? SLM_OK : slm__fail_in(error, status, "%s", set->files[part].name);
        }
        slm__gguf_free(&keys);
        SLM_TRY(status);
    }
    if (slm__gguf_u64(slm__gguf_find(first, "split.tensors.count"), &tensors) && tensors != set->tensor_count) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s: split.tensors.count is %" PRIu64 ", the parts have %" PRIu32 " tensors",
                         set->files[0].name, tensors, set->tensor_count);
    }
    return SLM_OK;
}

static slm_status read_model(struct slm_checkpoint *checkpoint, const struct slm_gguf *gguf, slm_error *error)
{
    SLM_TRY(slm__gguf_config_read(gguf, &checkpoint->set, &checkpoint->config, checkpoint->context.log, error));
    SLM_TRY(slm__gguf_tokenizer_read(checkpoint, gguf, error));
    return slm__gguf_texts_read(checkpoint, gguf, error);
}

slm_status slm__gguf_model_open(struct slm_checkpoint *checkpoint, const char *path, slm_error *error)
{
    struct slm_gguf gguf;
    checkpoint->format = "gguf";
    checkpoint->described = "the header";
    checkpoint->gguf = true;
    slm_status status = slm__gguf_open(&gguf, &checkpoint->set, checkpoint->context.memory, path, error);
    if (status == SLM_OK) {
        status = open_parts(checkpoint, &gguf, path, error);
    }
    if (status == SLM_OK) {
        status = read_model(checkpoint, &gguf, error);
        if (status != SLM_OK) {
            slm__fail_in(error, status, "%s", checkpoint->set.files[0].name);
        }
    }
    slm__gguf_free(&gguf);
    return status;
}

/* SPDX-License-Identifier: MIT */
/* A folder is a Hugging Face checkpoint, a file is GGUF; then the plan. Other files are told what they are. */
#include "import/checkpoint_open.h"

#include "base/byte_reader.h"  /* slm__load_u64 */
#include "base/file.h"         /* slm__file_open, slm__path_is_folder */
#include "import/gguf_model.h" /* slm__gguf_model_open */
#include "import/hf_folder.h"  /* slm__hf_folder_open */

bool slm__looks_like_safetensors(const uint8_t start[9], uint64_t file_bytes)
{
    return file_bytes > 8 && start[8] == '{' && slm__load_u64(start) <= file_bytes - 8;
}

static const char *file_name(const char *path)
{
    const char *name = path;
    for (const char *at = path; *at != '\0'; at++) {
        name = *at == '/' || *at == '\\' ? at + 1 : name;
    }
    return name;
}

/* What a file that begins so and is no GGUF file is, and what to give instead; "" when it may be one. */
static const char *other_kind(const uint8_t start[9], uint64_t file_bytes)
{
    static const struct {
        const char *bytes;
        uint8_t count;
        const char *sentence;
    } kinds[] = {
        {"GGUF", 4, ""},
        {"slm\x1A", 4, "is an .slm model already: it needs no conversion"},
        {"PK\x03\x04", 4, "is a PyTorch file (a zip archive): only safetensors and GGUF weights are supported"},
        {"\x80\x02", 2, "is a Python pickle: only safetensors and GGUF weights are supported"},
        {"lmgg", 4, "is a ggml file, older than GGUF: convert it with llama.cpp's tools first"},
        {"fmgg", 4, "is a ggml file, older than GGUF: convert it with llama.cpp's tools first"},
        {"tjgg", 4, "is a ggml file, older than GGUF: convert it with llama.cpp's tools first"},
        {"FUGG", 4, "is a big-endian GGUF file, which is not supported"},
        {"version https://git-lfs", 9, "is a pointer of Git LFS, not the file itself: fetch it (git lfs pull)"},
        {"{", 1, "is JSON: give the checkpoint's folder"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (file_bytes >= kinds[i].count && memcmp(start, kinds[i].bytes, kinds[i].count) == 0) {
            return kinds[i].sentence;
        }
    }
    return slm__looks_like_safetensors(start, file_bytes) ? "holds safetensors weights alone: give the folder with config.json" : "";
}

/* Refuse a file that is known to be something else than GGUF; the GGUF reader has its own words for the others. */
static slm_status check_kind(const char *path, slm_error *error)
{
    uint8_t start[9] = {0};
    struct slm_file file;
    SLM_TRY(slm__file_open(&file, path, error));
    const size_t read = file.size < sizeof start ? (size_t)file.size : sizeof start;
    slm_status status = slm__file_read(&file, 0, start, read, error);
    if (status == SLM_OK) {
        const char *sentence = other_kind(start, file.size);
        if (sentence[0] != '\0') {
            status = slm__fail(error, SLM_E_BAD_MAGIC, "%s %s", file_name(path), sentence);
        }
    }
    slm__file_close(&file);
    return status;
}

slm_status slm__checkpoint_open(struct slm_checkpoint *checkpoint, const char *path, slm_error *error)
{
    if (slm__path_is_folder(path)) {
        SLM_TRY(slm__hf_folder_open(checkpoint, path, error));
    } else {
        SLM_TRY(check_kind(path, error));
        SLM_TRY(slm__gguf_model_open(checkpoint, path, error));
    }
    return slm__checkpoint_plan(checkpoint, error);
}

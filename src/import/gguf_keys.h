/* SPDX-License-Identifier: MIT */
/* Keys of a model in a GGUF file: "ARCHITECTURE.name". A key of another type than expected is refused, never taken for absent. */
#ifndef SLM_IMPORT_GGUF_KEYS_H
#define SLM_IMPORT_GGUF_KEYS_H

#include "import/gguf_reader.h" /* struct slm_gguf */

enum { SLM_GGUF_KEY_BYTES = 96 };

struct slm_gguf_keys {
    const struct slm_gguf *gguf;
    const char *prefix; /* the family's GGUF name */
    slm_error *error;
};

/* The key and its whole name; NULL: not there. */
const struct slm_gguf_key *slm__gguf_keys_find(const struct slm_gguf_keys *keys, const char *name, char key[SLM_GGUF_KEY_BYTES]);
/* An integer from `least` to 2147483647. Absent: *value stays, or is refused when `required`. */
slm_status slm__gguf_keys_size(const struct slm_gguf_keys *keys, const char *name, bool required, uint32_t least, uint32_t *value);
/* A number in least .. most. Absent: *value stays. */
slm_status slm__gguf_keys_real(const struct slm_gguf_keys *keys, const char *name, double least, double most, double *value);

#endif

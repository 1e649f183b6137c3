/* SPDX-License-Identifier: MIT */
/* Frequencies are computed when they are written: at most 256 to a set. */
#include "import/rope_tensors.h"

#include "format/format_layout.h"    /* SLM_TENSOR_VECTOR */
#include "import/rope_frequencies.h" /* slm__rope_frequencies */
#include "import/weight_stream.h"    /* slm__floats_to_bytes */
#include <stdio.h>                   /* snprintf into a buffer */

static slm_status declare_one(const struct slm_family_config *config, struct slm_weight_writer *writer, uint32_t set, const char *what,
                              uint32_t *id, slm_error *error)
{
    char name[32];
    snprintf(name, sizeof name, "rope.%u.%s", (unsigned)set, what);
    return slm__writer_add_tensor(writer, name, SLM_TENSOR_VECTOR, SLM_WEIGHT_F32, config->rotary / 2, 1, id, error);
}

slm_status slm__rope_tensors_declare(const struct slm_family_config *config, struct slm_weight_writer *writer,
                                     struct slm_rope_tensors *tensors, slm_error *error)
{
    for (uint32_t i = 0; i < config->rope_sets; i++) {
        SLM_TRY(declare_one(config, writer, i, "inv_freq", &tensors->ids[2 * i], error));
        if (config->rope[i].switch_length != 0) {
            SLM_TRY(declare_one(config, writer, i, "inv_freq_long", &tensors->ids[2 * i + 1], error));
        }
    }
    return SLM_OK;
}

static slm_status write_one(const struct slm_family_config *config, struct slm_weight_writer *writer, uint32_t set, bool longer,
                            uint32_t id, slm_error *error)
{
    float values[SLM_ROPE_FREQUENCIES];
    uint8_t bytes[SLM_ROPE_FREQUENCIES * 4];
    const uint32_t half = config->rotary / 2;
    slm__rope_frequencies(&config->rope[set], config->rotary, longer, values);
    slm__floats_to_bytes(values, half, bytes);
    return slm__writer_write_tensor(writer, id, bytes, (size_t)slm__padded_rows(half) * 4, error);
}

slm_status slm__rope_tensors_write(const struct slm_family_config *config, struct slm_weight_writer *writer,
                                   const struct slm_rope_tensors *tensors, slm_error *error)
{
    for (uint32_t i = 0; i < config->rope_sets; i++) {
        SLM_TRY(write_one(config, writer, i, false, tensors->ids[2 * i], error));
        if (config->rope[i].switch_length != 0) {
            SLM_TRY(write_one(config, writer, i, true, tensors->ids[2 * i + 1], error));
        }
    }
    return SLM_OK;
}

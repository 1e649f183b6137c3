/* SPDX-License-Identifier: MIT */
/* The table of value types. Sizes are those of the safetensors and GGUF specifications; rows without a decoder only serve to skip over
 * tensors and to refuse them by name. */
#include "import/value_types.h"

#include "import/gguf_dequantize.h" /* slm__decode_... */
#include "import/gguf_steps.h"      /* slm__steps_... */

static const struct slm_value_type value_types[] = {
    {"F32", 0, true, 1, 4, slm__decode_f32, NULL},
    {"F16", 1, true, 1, 2, slm__decode_f16, NULL},
    {"Q4_0", 2, false, 32, 18, slm__decode_q4_0, slm__steps_q4_0},
    {"Q4_1", 3, false, 32, 20, slm__decode_q4_1, slm__steps_q4_1},
    {"Q5_0", 6, false, 32, 22, slm__decode_q5_0, slm__steps_q5_0},
    {"Q5_1", 7, false, 32, 24, slm__decode_q5_1, NULL},
    {"Q8_0", 8, false, 32, 34, slm__decode_q8_0, NULL},
    {"Q8_1", 9, false, 32, 36, NULL, NULL},
    {"Q2_K", 10, false, 256, 84, slm__decode_q2_k, NULL},
    {"Q3_K", 11, false, 256, 110, slm__decode_q3_k, NULL},
    {"Q4_K", 12, false, 256, 144, slm__decode_q4_k, slm__steps_q4_k},
    {"Q5_K", 13, false, 256, 176, slm__decode_q5_k, NULL},
    {"Q6_K", 14, false, 256, 210, slm__decode_q6_k, NULL},
    {"Q8_K", 15, false, 256, 292, NULL, NULL},
    {"IQ2_XXS", 16, false, 256, 66, slm__decode_iq2_xxs, NULL},
    {"IQ2_XS", 17, false, 256, 74, slm__decode_iq2_xs, NULL},
    {"IQ3_XXS", 18, false, 256, 98, slm__decode_iq3_xxs, NULL},
    {"IQ1_S", 19, false, 256, 50, slm__decode_iq1_s, NULL},
    {"IQ4_NL", 20, false, 32, 18, slm__decode_iq4_nl, slm__steps_iq4_nl},
    {"IQ3_S", 21, false, 256, 110, slm__decode_iq3_s, NULL},
    {"IQ2_S", 22, false, 256, 82, slm__decode_iq2_s, NULL},
    {"IQ4_XS", 23, false, 256, 136, slm__decode_iq4_xs, NULL},
    {"I8", 24, true, 1, 1, NULL, NULL},
    {"I16", 25, true, 1, 2, NULL, NULL},
    {"I32", 26, true, 1, 4, NULL, NULL},
    {"I64", 27, true, 1, 8, NULL, NULL},
    {"F64", 28, true, 1, 8, slm__decode_f64, NULL},
    {"IQ1_M", 29, false, 256, 56, slm__decode_iq1_m, NULL},
    {"BF16", 30, true, 1, 2, slm__decode_bf16, NULL},
    {"TQ1_0", 34, false, 256, 54, slm__decode_tq1_0, slm__steps_tq1_0},
    {"TQ2_0", 35, false, 256, 66, slm__decode_tq2_0, slm__steps_tq2_0},
    {"MXFP4", 39, false, 32, 17, slm__decode_mxfp4, NULL},
    {"NVFP4", 40, false, 64, 36, slm__decode_nvfp4, NULL},
    {"BOOL", -1, true, 1, 1, NULL, NULL},
    {"U8", -1, true, 1, 1, NULL, NULL},
    {"U16", -1, true, 1, 2, NULL, NULL},
    {"U32", -1, true, 1, 4, NULL, NULL},
    {"U64", -1, true, 1, 8, NULL, NULL},
    {"C64", -1, true, 1, 8, NULL, NULL},
    {"F8_E4M3", -1, true, 1, 1, NULL, NULL},
    {"F8_E5M2", -1, true, 1, 1, NULL, NULL},
    {"F8_E8M0", -1, true, 1, 1, NULL, NULL},
    {"F8_E4M3FNUZ", -1, true, 1, 1, NULL, NULL},
    {"F8_E5M2FNUZ", -1, true, 1, 1, NULL, NULL},
    {"F6_E2M3", -1, true, 4, 3, NULL, NULL},
    {"F6_E3M2", -1, true, 4, 3, NULL, NULL},
    {"F4", -1, true, 2, 1, NULL, NULL},
};

enum { VALUE_TYPES = sizeof value_types / sizeof value_types[0] };

const struct slm_value_type *slm__value_type_of_dtype(struct slm_span dtype)
{
    for (size_t i = 0; i < VALUE_TYPES; i++) {
        if (value_types[i].safetensors && slm__span_is(dtype, value_types[i].name)) {
            return &value_types[i];
        }
    }
    return NULL;
}

const struct slm_value_type *slm__value_type_of_gguf(uint32_t id)
{
    for (size_t i = 0; i < VALUE_TYPES; i++) {
        if (value_types[i].gguf_id >= 0 && (uint32_t)value_types[i].gguf_id == id) {
            return &value_types[i];
        }
    }
    return NULL;
}

const char *slm__gguf_removed_type(uint32_t id)
{
    switch (id) {
    case 4: return "Q4_2";
    case 5: return "Q4_3";
    case 31: return "Q4_0_4_4";
    case 32: return "Q4_0_4_8";
    case 33: return "Q4_0_8_8";
    case 36: return "IQ4_NL_4_4";
    case 37: return "IQ4_NL_4_8";
    case 38: return "IQ4_NL_8_8";
    default: return NULL;
    }
}

bool slm__value_type_is_float(const struct slm_value_type *type) { return type->decode != NULL && type->block_values == 1; }

bool slm__value_type_is_q8_0(const struct slm_value_type *type) { return type->decode == slm__decode_q8_0; }

/* SPDX-License-Identifier: MIT */
/* How a Hugging Face checkpoint was quantized: GPTQ or AWQ, from config.json or from a file of its own beside it. */
#ifndef SLM_IMPORT_HF_QUANTIZATION_H
#define SLM_IMPORT_HF_QUANTIZATION_H

#include "base/json.h" /* struct slm_json */

enum slm_quantization_method { SLM_QUANTIZED_NOT, SLM_QUANTIZED_GPTQ, SLM_QUANTIZED_AWQ };

struct slm_quantization {
    enum slm_quantization_method method;
    uint32_t bits;       /* 4; GPTQ also 8 */
    uint32_t group_size; /* 0: a row is one group */
    bool zeros_less_one; /* GPTQ, first format: zero points are stored less one */
    bool act_order;      /* as the file says it; what counts are the groups of the tensors */
};

/* "gptq", "awq", "" */
const char *slm__quantization_name(const struct slm_quantization *quantization);

/* `object` is the quantization_config of config.json, or the root of quantize_config.json (unnamed: GPTQ) or quant_config.json (unnamed:
 * AWQ). Refuses by name what is not supported. */
slm_status slm__hf_quantization_read(const struct slm_json *object, enum slm_quantization_method unnamed,
                                     struct slm_quantization *quantization, slm_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/* Keys of quantization_config, as auto-gptq, gptqmodel, autoawq and transformers write them. */
#include "import/hf_quantization.h"

#include <inttypes.h> /* PRId64 */

const char *slm__quantization_name(const struct slm_quantization *quantization)
{
    return quantization->method == SLM_QUANTIZED_GPTQ ? "gptq" : quantization->method == SLM_QUANTIZED_AWQ ? "awq" : "";
}

/* Equal but for the case of ASCII letters. */
static bool is_word(const struct slm_json *value, const char *word)
{
    if (value == NULL || value->type != SLM_JSON_STRING || value->text.length != strlen(word)) {
        return false;
    }
    for (size_t i = 0; i < value->text.length; i++) {
        const uint8_t c = value->text.data[i];
        if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != (uint8_t)word[i]) {
            return false;
        }
    }
    return true;
}

static struct slm_span shown(const struct slm_json *value)
{
    const bool readable = value->type == SLM_JSON_STRING || value->type == SLM_JSON_NUMBER;
    return readable ? value->text
                    : slm__span_text(value->type == SLM_JSON_TRUE    ? "true"
                                     : value->type == SLM_JSON_FALSE ? "false"
                                                                     : "(no text)");
}

/* The first of two keys that is there. */
static const struct slm_json *either(const struct slm_json *object, const char *first, const char *second)
{
    const struct slm_json *value = slm__json_present(object, first);
    return value != NULL ? value : slm__json_present(object, second);
}

static slm_status read_integer(const struct slm_json *object, const char *key, const char *other, int64_t *value, slm_error *error)
{
    const struct slm_json *item = either(object, key, other);
    if (item == NULL) {
        return slm__fail(error, SLM_E_BAD_VALUE, "quantization: %s is missing", key);
    }
    if (!slm__json_i64(item, value)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "quantization: %s is %.*s, expected is an integer", key, SLM_SPAN_ARGS(shown(item)));
    }
    return SLM_OK;
}

static slm_status read_method(const struct slm_json *object, enum slm_quantization_method unnamed, struct slm_quantization *quantization,
                              slm_error *error)
{
    const struct slm_json *method = slm__json_present(object, "quant_method");
    if (method == NULL && unnamed == SLM_QUANTIZED_NOT) {
        return slm__fail(error, SLM_E_BAD_VALUE, "quantization: quant_method is missing");
    }
    quantization->method = method == NULL            ? unnamed
                           : is_word(method, "gptq") ? SLM_QUANTIZED_GPTQ
                           : is_word(method, "awq")  ? SLM_QUANTIZED_AWQ
                                                     : SLM_QUANTIZED_NOT;
    if (quantization->method == SLM_QUANTIZED_NOT) {
        return slm__fail(
            error, SLM_E_UNSUPPORTED,
            "quantization: quant_method %.*s is not supported (gptq and awq are), convert the checkpoint that it was made from",
            SLM_SPAN_ARGS(shown(method)));
    }
    return SLM_OK;
}

static slm_status read_sizes(const struct slm_json *object, struct slm_quantization *quantization, slm_error *error)
{
    const bool gptq = quantization->method == SLM_QUANTIZED_GPTQ;
    int64_t bits, group;
    SLM_TRY(read_integer(object, "bits", "w_bit", &bits, error));
    SLM_TRY(read_integer(object, "group_size", "q_group_size", &group, error));
    if (bits != 4 && !(gptq && bits == 8)) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "quantization: bits %" PRId64 " is not supported for %s (%s)", bits,
                         slm__quantization_name(quantization), gptq ? "4 and 8 are" : "4 is");
    }
    if (group != -1 && (group < 1 || group > INT32_MAX)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "quantization: group_size is %" PRId64 ", expected is -1 or a positive number", group);
    }
    quantization->bits = (uint32_t)bits;
    quantization->group_size = group == -1 ? 0 : (uint32_t)group;
    return SLM_OK;
}

static slm_status read_gptq(const struct slm_json *object, struct slm_quantization *quantization, slm_error *error)
{
    const struct slm_json *format = either(object, "checkpoint_format", "format"), *dynamic = slm__json_present(object, "dynamic");
    const struct slm_json *pack = slm__json_present(object, "pack_dtype");
    quantization->zeros_less_one = format == NULL || is_word(format, "gptq");
    quantization->act_order = slm__json_is_true(slm__json_present(object, "desc_act"));
    if (!quantization->zeros_less_one && !is_word(format, "gptq_v2")) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "quantization: checkpoint_format %.*s is not supported (gptq and gptq_v2 are)",
                         SLM_SPAN_ARGS(shown(format)));
    }
    if (slm__json_is_true(slm__json_present(object, "is_marlin_format"))) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "quantization: is_marlin_format is not supported (gptq and gptq_v2 are)");
    }
    if (dynamic != NULL && (dynamic->type != SLM_JSON_OBJECT || dynamic->count > 0)) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "quantization: dynamic (other settings for some modules) is not supported");
    }
    if (pack != NULL && !is_word(pack, "int32")) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "quantization: pack_dtype %.*s is not supported (int32 is)", SLM_SPAN_ARGS(shown(pack)));
    }
    return SLM_OK;
}

static slm_status read_awq(const struct slm_json *object, slm_error *error)
{
    const struct slm_json *version = either(object, "version", "checkpoint_format");
    if (version != NULL && !is_word(version, "gemm")) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "quantization: version %.*s of awq is not supported (gemm is)",
                         SLM_SPAN_ARGS(shown(version)));
    }
    return SLM_OK;
}

slm_status slm__hf_quantization_read(const struct slm_json *object, enum slm_quantization_method unnamed,
                                     struct slm_quantization *quantization, slm_error *error)
{
    memset(quantization, 0, sizeof *quantization);
    if (object->type != SLM_JSON_OBJECT || object->duplicate_keys) {
        return slm__fail(error, SLM_E_BAD_VALUE, "quantization: it is no JSON object with each key once");
    }
    SLM_TRY(read_method(object, unnamed, quantization, error));
    SLM_TRY(read_sizes(object, quantization, error));
    return quantization->method == SLM_QUANTIZED_GPTQ ? read_gptq(object, quantization, error) : read_awq(object, error);
}

/* SPDX-License-Identifier: MIT */
/* Every number that the runtime multiplies, divides or allocates by is checked here once. */
#include "model/transformer_traits.h"
#include "base/byte_reader.h"   /* slm__load_u32 */
#include "base/span.h"          /* struct slm_span */
#include "model/trait_values.h" /* slm__required_u64 and others */
#include <stddef.h>             /* offsetof */

enum {
    MAX_LAYERS = 1024,
    MAX_HIDDEN = 1 << 20,
    MAX_VOCAB = 1 << 24,
    MAX_CONTEXT = 1 << 24,
    MAX_HEADS = 1024,
    MAX_HEAD_DIM = 1024,
    MAX_FFN = 1 << 22,
    MAX_EXPERTS = 1024
};

/* A per-layer array: one entry for all layers, or one for each. */
struct layer_array {
    struct slm_span bytes;
    uint32_t count;
};

/* An optional array that is left out is 0 for every layer. */
static slm_status layer_array(const struct slm_weight_file *file, const char *key, bool optional, uint32_t layers,
                              struct layer_array *array, slm_error *error)
{
    static const uint8_t zero[4] = {0, 0, 0, 0};
    if (optional && !slm__meta_has(file, key)) {
        *array = (struct layer_array){{zero, sizeof zero}, 1};
        return SLM_OK;
    }
    if (!slm__meta_u32s(file, key, &array->bytes, &array->count)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "the metadata key %s is missing or no array of integers", key);
    }
    if (array->count != 1 && array->count != layers) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s has %u entries where 1 or %u (one a layer) are possible", key, array->count, layers);
    }
    return SLM_OK;
}

static uint32_t array_at(const struct layer_array *array, uint32_t layer)
{
    return slm__load_u32(array->bytes.data + 4 * (size_t)(array->count == 1 ? 0 : layer));
}

static slm_status check_range(const char *key, uint32_t layer, uint32_t value, uint32_t low, uint32_t high, slm_error *error)
{
    if (value >= low && value <= high) {
        return SLM_OK;
    }
    return slm__fail(error, SLM_E_BAD_VALUE, "%s of layer %u is %u, outside %u .. %u", key, layer, value, low, high);
}

/* What the ranges of the arrays do not say. */
static slm_status check_layer(const struct slm_transformer *t, const struct slm_layer *layer, uint32_t index, slm_error *error)
{
    SLM_TRY(check_range("layer.kv_heads", index, layer->kv_heads, 1, layer->heads, error));
    if (t->bidirectional) {
        SLM_TRY(check_range("layer.window", index, layer->window, 0, 0, error));
    }
    if (layer->experts != 0 || layer->experts_used != 0) {
        const uint32_t most = layer->experts < SLM_MAX_EXPERTS_USED ? layer->experts : SLM_MAX_EXPERTS_USED;
        SLM_TRY(check_range("layer.experts_used", index, layer->experts_used, 1, most, error));
    }
    if (layer->heads % layer->kv_heads != 0) {
        return slm__fail(error, SLM_E_BAD_VALUE, "layer %u has %u heads, not a multiple of its %u kv heads", index, layer->heads,
                         layer->kv_heads);
    }
    if (layer->rope_set == SLM_NO_ROPE) {
        return SLM_OK;
    }
    if (layer->rope_set >= t->rope_set_count) {
        return slm__fail(error, SLM_E_BAD_VALUE, "layer %u uses rope set %u of %u", index, layer->rope_set, t->rope_set_count);
    }
    if (t->rope_sets[layer->rope_set].half > layer->head_dim / 2) {
        return slm__fail(error, SLM_E_BAD_VALUE, "rope set %u rotates %u dimensions, the heads of layer %u have %u", layer->rope_set,
                         2 * t->rope_sets[layer->rope_set].half, index, layer->head_dim);
    }
    return SLM_OK;
}

/* The class of layers with this window; a new one while there is room. */
static slm_status class_of_window(struct slm_transformer *t, uint32_t window, uint32_t *kv_class, slm_error *error)
{
    for (uint32_t i = 0; i < t->kv_class_count; i++) {
        if (t->windows[i] == window) {
            *kv_class = i;
            return SLM_OK;
        }
    }
    if (t->kv_class_count == SLM_KV_CLASSES) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "layer.window has more than %d different values", SLM_KV_CLASSES);
    }
    *kv_class = t->kv_class_count;
    t->windows[t->kv_class_count++] = window;
    return SLM_OK;
}

static slm_status read_layers(struct slm_transformer *t, const struct slm_weight_file *file, slm_error *error)
{
    static const struct {
        const char *key;
        size_t offset; /* of the number in struct slm_layer */
        uint32_t low, high;
        bool optional;
    } known[] = {
        {"layer.heads", offsetof(struct slm_layer, heads), 1, MAX_HEADS, false},
        {"layer.kv_heads", offsetof(struct slm_layer, kv_heads), 1, MAX_HEADS, false},
        {"layer.head_dim", offsetof(struct slm_layer, head_dim), 2, MAX_HEAD_DIM, false},
        {"layer.ffn_size", offsetof(struct slm_layer, ffn_size), 1, MAX_FFN, false},
        {"layer.rope_set", offsetof(struct slm_layer, rope_set), 0, UINT32_MAX, false},
        {"layer.window", offsetof(struct slm_layer, window), 0, MAX_CONTEXT, true},
        {"layer.experts", offsetof(struct slm_layer, experts), 0, MAX_EXPERTS, true},
        {"layer.experts_used", offsetof(struct slm_layer, experts_used), 0, UINT32_MAX, true},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct layer_array array;
        SLM_TRY(layer_array(file, known[i].key, known[i].optional, t->layer_count, &array, error));
        for (uint32_t l = 0; l < t->layer_count; l++) {
            const uint32_t value = array_at(&array, l);
            SLM_TRY(check_range(known[i].key, l, value, known[i].low, known[i].high, error));
            memcpy((uint8_t *)&t->layers[l] + known[i].offset, &value, sizeof value);
        }
    }
    for (uint32_t l = 0; l < t->layer_count; l++) {
        SLM_TRY(check_layer(t, &t->layers[l], l, error));
        SLM_TRY(class_of_window(t, t->layers[l].window, &t->layers[l].kv_class, error));
    }
    return SLM_OK;
}

/* longrope: other frequencies for sessions longer than a length. */
static slm_status read_long_frequencies(struct slm_rope_set *set, uint32_t index, const struct slm_weight_file *file, slm_error *error)
{
    char key[] = "rope.0.switch_length", name[] = "rope.0.inv_freq_long";
    struct slm_tensor tensor;
    key[5] = name[5] = (char)('0' + index);
    if (!slm__meta_has(file, key)) {
        return SLM_OK;
    }
    SLM_TRY(slm__required_u64(file, key, 1, MAX_CONTEXT, &set->switch_length, error));
    if (!slm__weight_file_find(file, name, &tensor) || tensor.kind != SLM_TENSOR_VECTOR || tensor.rows != set->half) {
        return slm__fail(error, SLM_E_BAD_VALUE, "the vector %s is missing or has not %u values", name, set->half);
    }
    set->long_frequencies = (const float *)(const void *)tensor.data;
    return SLM_OK;
}

static slm_status read_rope_sets(struct slm_transformer *t, const struct slm_weight_file *file, slm_error *error)
{
    SLM_TRY(slm__required_u64(file, "rope.sets", 0, SLM_MAX_ROPE_SETS, &t->rope_set_count, error));
    for (uint32_t i = 0; i < t->rope_set_count; i++) {
        char key[] = "rope.0.attention_factor", name[] = "rope.0.inv_freq";
        struct slm_tensor tensor;
        key[5] = name[5] = (char)('0' + i);
        SLM_TRY(slm__required_f32(file, key, &t->rope_sets[i].attention_factor, error));
        if (!slm__weight_file_find(file, name, &tensor) || tensor.kind != SLM_TENSOR_VECTOR) {
            return slm__fail(error, SLM_E_BAD_VALUE, "the vector %s is missing", name);
        }
        t->rope_sets[i].half = tensor.rows;
        t->rope_sets[i].inverse_frequencies = (const float *)(const void *)tensor.data;
        SLM_TRY(read_long_frequencies(&t->rope_sets[i], i, file, error));
    }
    return SLM_OK;
}

/* Ids at the ends of the sequence: bos at most one, eos up to SLM_MAX_EOS. */
static slm_status read_token_ids(struct slm_transformer *t, const struct slm_weight_file *file, slm_error *error)
{
    uint64_t bos = 0;
    struct slm_span bytes;
    uint32_t count = 0;
    t->bos_token = -1;
    if (slm__meta_u64(file, "token.bos", &bos)) {
        if (bos >= t->vocab_size) {
            return slm__fail(error, SLM_E_BAD_VALUE, "token.bos is %llu, the vocabulary has %u entries", (unsigned long long)bos,
                             t->vocab_size);
        }
        t->bos_token = (int32_t)bos;
    }
    if (!slm__meta_u32s(file, "token.eos", &bytes, &count)) {
        return SLM_OK;
    }
    if (count > SLM_MAX_EOS) {
        return slm__fail(error, SLM_E_BAD_VALUE, "token.eos has %u entries, at most %d are possible", count, SLM_MAX_EOS);
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t id = slm__load_u32(bytes.data + 4 * (size_t)i);
        if (id >= t->vocab_size) {
            return slm__fail(error, SLM_E_BAD_VALUE, "token.eos holds %u, the vocabulary has %u entries", id, t->vocab_size);
        }
        t->eos_tokens[t->eos_count++] = (int32_t)id;
    }
    return SLM_OK;
}

static bool starts_with(struct slm_span text, const char *prefix)
{
    const size_t length = strlen(prefix);
    return text.length >= length && memcmp(text.data, prefix, length) == 0;
}

/* "rope.N.<part>" with N below the number of sets */
static bool is_rope_key(const struct slm_transformer *t, struct slm_span key, const char *part)
{
    const size_t length = strlen(part);
    return key.length == 7 + length && starts_with(key, "rope.") && key.data[6] == '.' && memcmp(key.data + 7, part, length) == 0 &&
           key.data[5] >= '0' && key.data[5] < '0' + (int)t->rope_set_count;
}

/* Keys below model., layer. and rope. change the arithmetic: those that this version does not know must not be ignored. */
static slm_status refuse_unknown_traits(const struct slm_transformer *t, const struct slm_weight_file *file, slm_error *error)
{
    static const char *const known[] = {"model.layers",
                                        "model.hidden_size",
                                        "model.vocab_size",
                                        "model.max_context",
                                        "model.norm_eps",
                                        "model.tied",
                                        "model.attention_scale",
                                        "model.norm_kind",
                                        "model.block_kind",
                                        "model.bidirectional",
                                        "model.activation",
                                        "model.gated",
                                        "model.attention_softcap",
                                        "model.final_softcap",
                                        "model.embedding_scale",
                                        "model.residual_scale",
                                        "model.logit_scale",
                                        "model.query_beta",
                                        "model.query_length",
                                        "model.renormalize_experts",
                                        "layer.heads",
                                        "layer.kv_heads",
                                        "layer.head_dim",
                                        "layer.ffn_size",
                                        "layer.rope_set",
                                        "layer.window",
                                        "layer.experts",
                                        "layer.experts_used",
                                        "rope.sets"};
    for (uint32_t i = 0; i < file->metadata_count; i++) {
        struct slm_span key, value;
        uint32_t type = 0;
        slm__meta_entry(file, i, &key, &type, &value);
        bool found = is_rope_key(t, key, "attention_factor") || is_rope_key(t, key, "switch_length");
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
            found = found || slm__span_is(key, known[k]);
        }
        if (!found && (starts_with(key, "model.") || starts_with(key, "layer.") || starts_with(key, "rope."))) {
            return slm__fail(error, SLM_E_UNSUPPORTED, "the trait %.*s is unknown to this version; a newer libslm may read the file",
                             SLM_SPAN_ARGS(key));
        }
    }
    return SLM_OK;
}

slm_status slm__transformer_tables(const struct slm_weight_file *file, struct slm_transformer_tables *tables, slm_error *error)
{
    struct layer_array experts;
    *tables = (struct slm_transformer_tables){0};
    if (!slm__meta_has(file, "model.layers")) {
        return SLM_OK;
    }
    SLM_TRY(slm__required_u64(file, "model.layers", 1, MAX_LAYERS, &tables->layers, error));
    SLM_TRY(slm__optional_u64(file, "vision.layers", 1, MAX_LAYERS, &tables->vision_layers, error));
    SLM_TRY(layer_array(file, "layer.experts", true, tables->layers, &experts, error));
    for (uint32_t l = 0; l < tables->layers; l++) {
        SLM_TRY(check_range("layer.experts", l, array_at(&experts, l), 0, MAX_EXPERTS, error));
        if (!SLM_WITH_VARIANTS && array_at(&experts, l) != 0) {
            return slm__fail(error, SLM_E_UNSUPPORTED,
                             "layer %u is a mixture of experts, which this build of libslm leaves out "
                             "(WITH_VARIANTS=0)",
                             l);
        }
        tables->experts += array_at(&experts, l);
    }
    return SLM_OK;
}

/* Integers that are left out where they have their usual value. */
enum { NORM_KIND, BLOCK_KIND, ACTIVATION, GATED, RENORMALIZE, BIDIRECTIONAL, SWITCHES };

static slm_status read_switches(struct slm_transformer *t, const struct slm_weight_file *file, slm_error *error)
{
    static const struct {
        const char *key;
        uint32_t usual, high;
    } known[SWITCHES] = {
        [NORM_KIND] = {"model.norm_kind", SLM_NORM_RMS, SLM_NORM_LAYER},
        [BLOCK_KIND] = {"model.block_kind", SLM_BLOCK_SEQUENTIAL, SLM_BLOCK_POST_NORM},
        [ACTIVATION] = {"model.activation", SLM_ACTIVATION_SILU, SLM_ACTIVATIONS - 1},
        [GATED] = {"model.gated", 1, 1},
        [RENORMALIZE] = {"model.renormalize_experts", 0, 1},
        [BIDIRECTIONAL] = {"model.bidirectional", 0, 1},
    };
    uint32_t head = 0, value[SWITCHES];
    SLM_TRY(slm__required_u64(file, "model.tied", SLM_HEAD_OWN, SLM_HEAD_NONE, &head, error));
    for (int i = 0; i < SWITCHES; i++) {
        value[i] = known[i].usual;
        SLM_TRY(slm__optional_u64(file, known[i].key, 0, known[i].high, &value[i], error));
    }
    if (!SLM_WITH_SCORES && value[BIDIRECTIONAL] != 0) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "the model is an encoder, which this build of libslm leaves out (WITH_SCORES=0)");
    }
    const char *rare = value[NORM_KIND] != SLM_NORM_RMS               ? "layer norms"
                       : value[BLOCK_KIND] != SLM_BLOCK_SEQUENTIAL    ? "layers of another order"
                       : value[ACTIVATION] == SLM_ACTIVATION_GELU_ERF ? "the gelu of erf"
                                                                      : NULL;
    if (!SLM_WITH_VARIANTS && rare != NULL) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "the model has %s, which this build of libslm leaves out (WITH_VARIANTS=0)", rare);
    }
    t->head_kind = (enum slm_head_kind)head;
    t->norm_kind = (enum slm_norm_kind)value[NORM_KIND];
    t->block_kind = (enum slm_block_kind)value[BLOCK_KIND];
    t->activation = (enum slm_activation)value[ACTIVATION];
    t->gated = value[GATED] != 0;
    t->renormalize_experts = value[RENORMALIZE] != 0;
    t->bidirectional = value[BIDIRECTIONAL] != 0;
    return SLM_OK;
}

static slm_status read_factors(struct slm_transformer *t, const struct slm_weight_file *file, slm_error *error)
{
    static const struct {
        const char *key;
        size_t offset; /* of the float in struct slm_transformer */
    } optional[] = {
        {"model.attention_softcap", offsetof(struct slm_transformer, attention_softcap)},
        {"model.final_softcap", offsetof(struct slm_transformer, final_softcap)},
        {"model.embedding_scale", offsetof(struct slm_transformer, embedding_scale)},
        {"model.residual_scale", offsetof(struct slm_transformer, residual_scale)},
        {"model.logit_scale", offsetof(struct slm_transformer, logit_scale)},
        {"model.query_beta", offsetof(struct slm_transformer, query_beta)},
    };
    t->embedding_scale = t->residual_scale = t->logit_scale = 1.0f;
    SLM_TRY(slm__required_f32(file, "model.norm_eps", &t->norm_eps, error));
    SLM_TRY(slm__required_f32(file, "model.attention_scale", &t->attention_scale, error));
    for (size_t i = 0; i < sizeof optional / sizeof optional[0]; i++) {
        SLM_TRY(slm__optional_f32(file, optional[i].key, (float *)(void *)((uint8_t *)t + optional[i].offset), error));
    }
    if (t->attention_softcap < 0.0f || t->final_softcap < 0.0f) {
        return slm__fail(error, SLM_E_BAD_VALUE, "model.%s_softcap is negative", t->attention_softcap < 0.0f ? "attention" : "final");
    }
    return t->query_beta != 0.0f ? slm__required_u64(file, "model.query_length", 1, MAX_CONTEXT, &t->query_length, error) : SLM_OK;
}

slm_status slm__transformer_traits(struct slm_transformer *t, const struct slm_weight_file *file, slm_error *error)
{
    SLM_TRY(slm__required_u64(file, "model.hidden_size", 1, MAX_HIDDEN, &t->hidden_size, error));
    SLM_TRY(slm__required_u64(file, "model.vocab_size", 1, MAX_VOCAB, &t->vocab_size, error));
    SLM_TRY(slm__required_u64(file, "model.max_context", 1, MAX_CONTEXT, &t->max_context, error));
    SLM_TRY(read_switches(t, file, error));
    SLM_TRY(read_factors(t, file, error));
    SLM_TRY(read_rope_sets(t, file, error));
    SLM_TRY(refuse_unknown_traits(t, file, error));
    SLM_TRY(read_layers(t, file, error));
    return read_token_ids(t, file, error);
}

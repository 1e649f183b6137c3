/* SPDX-License-Identifier: MIT */
/* Opening adapters: which pairs of tensors a file has, with which factors. Whether the base has their linears is for adapter_merge.c to
 * say. */
#include "import/adapter.h"

#include "base/decimal.h"              /* slm__decimal_format */
#include "import/adapter_config.h"     /* slm__adapter_config_check, slm__adapter_config_scale */
#include "import/checkpoint.h"         /* struct slm_checkpoint */
#include "import/gguf_reader.h"        /* slm__gguf_open */
#include "import/hf_folder.h"          /* slm__hf_take_file */
#include "import/safetensors_reader.h" /* slm__safetensors_add_file */
#include <float.h>
#include <math.h> /* fabs */

enum { RANK_LIMIT = 1 << 14 };
static const uint64_t CONFIG_LIMIT = (uint64_t)16 << 20;
static const size_t TREE_LIMIT = (size_t)64 << 20;
static const char CONFIG[] = "adapter_config.json";
static const char WEIGHTS[] = "adapter_model.safetensors";

/* What the two layouts call things. */
struct naming {
    const char *prefix, *a, *b;
};
static const struct naming peft_names = {"base_model.model.", ".lora_A.weight", ".lora_B.weight"};
static const struct naming gguf_names = {"", ".weight.lora_a", ".weight.lora_b"};

static const char *file_of(const struct slm_adapter_source *adapter, const struct slm_source_tensor *tensor)
{
    return adapter->set.files[tensor->file].name;
}

static bool ends_with(struct slm_span name, const char *ending)
{
    const size_t length = strlen(ending);
    return name.length > length && memcmp(name.data + (name.length - length), ending, length) == 0;
}

/* Where `text` begins in the name; the name's length: nowhere. */
static size_t find(struct slm_span name, const char *text)
{
    const size_t length = strlen(text);
    for (size_t i = 0; i + length <= name.length; i++) {
        if (memcmp(name.data + i, text, length) == 0) {
            return i;
        }
    }
    return name.length;
}

/* The name without prefix and ending. */
static struct slm_span module_of(struct slm_span name, const struct naming *naming, const char *ending)
{
    const size_t prefix = strlen(naming->prefix);
    name.length -= strlen(ending);
    if (name.length > prefix && memcmp(name.data, naming->prefix, prefix) == 0) {
        name = slm__span(name.data + prefix, name.length - prefix);
    }
    return name;
}

/* ---- tensors to deltas */

static slm_status refuse_tensor(const struct slm_adapter_source *adapter, const struct slm_source_tensor *tensor, slm_error *error)
{
    if (find(tensor->name, ".lora_embedding_") < tensor->name.length) {
        struct slm_span module = slm__span(tensor->name.data, find(tensor->name, ".lora_embedding_"));
        for (size_t dot = find(module, "."); dot < module.length; dot = find(module, ".")) {
            module = slm__span(module.data + dot + 1, module.length - dot - 1);
        }
        return slm__fail(error, SLM_E_UNSUPPORTED, "%s: an adapter of %.*s is not supported", file_of(adapter, tensor),
                         SLM_SPAN_ARGS(module));
    }
    if (find(tensor->name, "lora_magnitude_vector") < tensor->name.length) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "%s: DoRA is not supported", file_of(adapter, tensor));
    }
    return slm__fail(error, SLM_E_UNSUPPORTED, "%s: tensor %.*s is no part of a LoRA adapter of linears", file_of(adapter, tensor),
                     SLM_SPAN_ARGS(tensor->name));
}

static slm_status add_delta(struct slm_checkpoint *checkpoint, struct slm_adapter_source *adapter, const struct slm_source_tensor *tensor,
                            const struct naming *naming, slm_error *error)
{
    const bool is_a = ends_with(tensor->name, naming->a);
    const struct slm_span module = module_of(tensor->name, naming, is_a ? naming->a : naming->b);
    struct slm_adapter_delta *delta = adapter->deltas; /* names are sorted: the other half of a pair is the last one, or missing */
    if (delta == NULL || !slm__span_equal(delta->module, module)) {
        delta = slm__arena_take(&checkpoint->arena, sizeof *delta);
        if (delta == NULL) {
            return slm__arena_failure(&checkpoint->arena, error);
        }
        delta->adapter = adapter;
        delta->module = module;
        delta->listed = adapter->deltas;
        adapter->deltas = delta;
    }
    *(is_a ? &delta->a : &delta->b) = *tensor;
    return SLM_OK;
}

static slm_status check_delta(const struct slm_adapter_source *adapter, struct slm_adapter_delta *delta, slm_error *error)
{
    const struct slm_source_tensor *a = &delta->a, *b = &delta->b, *there = a->type != NULL ? a : b;
    if (a->type == NULL || b->type == NULL) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s: %s of %.*s has no %s", file_of(adapter, there), a->type != NULL ? "lora_A" : "lora_B",
                         SLM_SPAN_ARGS(delta->module), a->type != NULL ? "lora_B" : "lora_A");
    }
    if (!slm__value_type_is_float(a->type) || !slm__value_type_is_float(b->type)) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "%s: lora_A and lora_B of %.*s have types %s and %s, supported are F32, F16, BF16, F64",
                         file_of(adapter, a), SLM_SPAN_ARGS(delta->module), a->type->name, b->type->name);
    }
    if (a->dimensions != 2 || b->dimensions != 2 || a->shape[0] < 1 || a->shape[0] > RANK_LIMIT || a->shape[1] > UINT32_MAX ||
        b->shape[0] > UINT32_MAX || a->bytes == 0 || b->bytes == 0) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s: lora_A or lora_B of %.*s is no matrix of a possible size", file_of(adapter, a),
                         SLM_SPAN_ARGS(delta->module));
    }
    if (a->shape[0] != b->shape[1]) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s: lora_B of %.*s has rank %u, its lora_A rank %u", file_of(adapter, a),
                         SLM_SPAN_ARGS(delta->module), (unsigned)b->shape[1], (unsigned)a->shape[0]);
    }
    delta->rank = (uint32_t)a->shape[0];
    delta->inputs = (uint32_t)a->shape[1];
    delta->outputs = (uint32_t)b->shape[0];
    return SLM_OK;
}

static slm_status find_deltas(struct slm_checkpoint *checkpoint, struct slm_adapter_source *adapter, const struct naming *naming,
                              slm_error *error)
{
    for (uint32_t i = 0; i < adapter->set.tensor_count; i++) {
        const struct slm_source_tensor *tensor = &adapter->set.tensors[i];
        if (!ends_with(tensor->name, naming->a) && !ends_with(tensor->name, naming->b)) {
            return refuse_tensor(adapter, tensor, error);
        }
        SLM_TRY(add_delta(checkpoint, adapter, tensor, naming, error));
    }
    for (struct slm_adapter_delta *delta = adapter->deltas; delta != NULL; delta = delta->listed) {
        SLM_TRY(check_delta(adapter, delta, error));
    }
    return adapter->deltas != NULL ? SLM_OK : slm__fail(error, SLM_E_BAD_VALUE, "%s: there are no tensors", adapter->set.files[0].name);
}

static slm_status check_scale(const struct slm_adapter_source *adapter, const struct slm_adapter_delta *delta, slm_error *error)
{
    return fabs(delta->scale) <= DBL_MAX ? SLM_OK
                                         : slm__fail(error, SLM_E_BAD_VALUE, "%s: the scale of %.*s is not finite",
                                                     adapter->set.files[0].name, SLM_SPAN_ARGS(delta->module));
}

/* ---- peft */

static slm_status read_peft(struct slm_checkpoint *checkpoint, struct slm_adapter_source *adapter, const char *folder,
                            const struct slm_json *root, slm_error *error)
{
    char path[SLM_PATH_BYTES];
    slm_status status = slm__adapter_config_check(root, error);
    if (status != SLM_OK) {
        return slm__fail_in(error, status, CONFIG);
    }
    SLM_TRY(slm__hf_path(folder, WEIGHTS, path, error));
    SLM_TRY(slm__safetensors_add_file(&adapter->set, checkpoint->context.memory, path, error));
    SLM_TRY(find_deltas(checkpoint, adapter, &peft_names, error));
    for (struct slm_adapter_delta *delta = adapter->deltas; delta != NULL; delta = delta->listed) {
        status = slm__adapter_config_scale(root, delta->module, delta->rank, &delta->scale, error);
        if (status != SLM_OK) {
            return slm__fail_in(error, status, CONFIG);
        }
        SLM_TRY(check_scale(adapter, delta, error));
    }
    return SLM_OK;
}

static slm_status open_peft(struct slm_checkpoint *checkpoint, struct slm_adapter_source *adapter, const char *folder, slm_error *error)
{
    if (!slm__hf_has_file(folder, CONFIG) || !slm__hf_has_file(folder, WEIGHTS)) {
        return slm__fail(error, SLM_E_FILE_MISSING, "%s has no %s: it is no LoRA adapter in peft's layout", folder,
                         slm__hf_has_file(folder, CONFIG) ? WEIGHTS : CONFIG);
    }
    struct slm_span text = {NULL, 0};
    SLM_TRY(slm__hf_take_file(checkpoint, folder, CONFIG, CONFIG_LIMIT, &text, error));
    struct slm_arena tree;
    const struct slm_json *root = NULL;
    slm__arena_init(&tree, checkpoint->context.memory, TREE_LIMIT);
    slm_status status = slm__json_parse(&tree, text, &root, error);
    status = status == SLM_OK ? read_peft(checkpoint, adapter, folder, root, error) : slm__fail_in(error, status, CONFIG);
    slm__arena_free(&tree);
    slm__hf_give_file(checkpoint, text);
    return status;
}

/* ---- GGUF */

static slm_status read_gguf(struct slm_checkpoint *checkpoint, struct slm_adapter_source *adapter, const struct slm_gguf *gguf,
                            slm_error *error)
{
    struct slm_span type = {NULL, 0}, kind = {NULL, 0}, architecture = {NULL, 0};
    const char *name = adapter->set.files[0].name, *expected = checkpoint->config.family != NULL ? checkpoint->config.family->gguf : NULL;
    double alpha = 0.0;
    if (!slm__gguf_text(slm__gguf_find(gguf, "general.type"), &type) || !slm__span_is(type, "adapter")) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s: general.type is not \"adapter\"", name);
    }
    if (!slm__gguf_text(slm__gguf_find(gguf, "adapter.type"), &kind) || !slm__span_is(kind, "lora")) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "%s: adapter.type is not \"lora\", others are not supported", name);
    }
    if (!slm__gguf_f64(slm__gguf_find(gguf, "adapter.lora.alpha"), &alpha)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s: adapter.lora.alpha is missing", name);
    }
    (void)slm__gguf_text(slm__gguf_find(gguf, "general.architecture"), &architecture);
    if (expected != NULL && architecture.length > 0 && !slm__span_is(architecture, expected)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s: the adapter is for the architecture %.*s, the model is %s", name,
                         SLM_SPAN_ARGS(architecture), expected);
    }
    const struct slm_family *family = architecture.length > 0 ? slm__family_of_gguf(architecture) : NULL;
    family = family != NULL ? family : checkpoint->config.family;
    adapter->paired = family != NULL && (family->flags & SLM_FAMILY_GGUF_PAIRS) != 0;
    SLM_TRY(find_deltas(checkpoint, adapter, &gguf_names, error));
    for (struct slm_adapter_delta *delta = adapter->deltas; delta != NULL; delta = delta->listed) {
        delta->scale = alpha / (double)delta->rank;
        SLM_TRY(check_scale(adapter, delta, error));
    }
    return SLM_OK;
}

static slm_status open_gguf(struct slm_checkpoint *checkpoint, struct slm_adapter_source *adapter, const char *path, slm_error *error)
{
    struct slm_gguf gguf;
    adapter->gguf = true;
    slm_status status = slm__gguf_open(&gguf, &adapter->set, checkpoint->context.memory, path, error);
    if (status == SLM_OK) {
        status = read_gguf(checkpoint, adapter, &gguf, error);
    }
    slm__gguf_free(&gguf);
    return status;
}

slm_status slm__adapter_open(struct slm_checkpoint *checkpoint, const struct slm_adapter_choice *choice,
                             struct slm_adapter_source **adapter, slm_error *error)
{
    char weight[32];
    struct slm_adapter_source *opened = slm__arena_take(&checkpoint->arena, sizeof *opened), **end = &checkpoint->adapters;
    if (opened == NULL) {
        return slm__arena_failure(&checkpoint->arena, error);
    }
    slm__tensor_set_init(&opened->set, checkpoint->context.memory);
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = *adapter = opened;
    opened->weight = choice->weight;
    slm__sha256_update(&checkpoint->hash, weight, slm__decimal_format(choice->weight, weight));
    return slm__path_is_folder(choice->path) ? open_peft(checkpoint, opened, choice->path, error)
                                             : open_gguf(checkpoint, opened, choice->path, error);
}

void slm__adapters_close(struct slm_adapter_source *first)
{
    for (; first != NULL; first = first->next) {
        slm__tensor_set_free(&first->set);
    }
}

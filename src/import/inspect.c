/* SPDX-License-Identifier: MIT */
/* JSON is appended piece by piece; a full or failed buffer is looked at once, at the end. */
#include "import/inspect.h"

#include "base/file.h"                 /* slm__file_open, slm__path_is_folder */
#include "format/format_layout.h"      /* SLM_FORMAT_MAGIC, SLM_TENSOR_... */
#include "import/checkpoint_open.h"    /* slm__checkpoint_open, slm__looks_like_safetensors */
#include "import/inspect_adapter.h"    /* slm__inspect_adapter */
#include "import/safetensors_reader.h" /* slm__safetensors_add_file */
#include "import/weight_stream.h"      /* slm__target_type */
#include <inttypes.h>                  /* PRIu64 */

static const char *const type_names[SLM_WEIGHT_TYPES] = {"none", "f32", "f16", "bf16", "i8", "i4"};

static const char *const poolings[] = {"none", "mean", "last", "first"};

static const char *type_name(enum slm_weight_type type) { return (unsigned)type < SLM_WEIGHT_TYPES ? type_names[type] : "unknown"; }

slm_status slm__inspect_kind_of(const char *path, enum slm_inspect_kind *kind, slm_error *error)
{
    static const char ending[] = ".safetensors";
    const size_t length = strlen(path), ending_length = sizeof ending - 1;
    *kind = SLM_INSPECT_CHECKPOINT;
    if (slm__path_is_folder(path)) {
        return SLM_OK;
    }
    struct slm_file file;
    SLM_TRY(slm__file_open(&file, path, error));
    uint8_t start[9] = {0};
    const slm_status status = slm__file_read(&file, 0, start, file.size < sizeof start ? (size_t)file.size : sizeof start, error);
    if (memcmp(start, "slm", 3) == 0) {
        *kind = SLM_INSPECT_SLM;
    } else if (slm__looks_like_safetensors(start, file.size) ||
               (length > ending_length && strcmp(path + length - ending_length, ending) == 0)) {
        *kind = SLM_INSPECT_SAFETENSORS;
    }
    slm__file_close(&file);
    return status;
}

/* ---- pieces of JSON */

static void add_key(struct slm_buffer *json, const char *key)
{
    slm__buffer_append_format(json, "%s\"%s\": ", json->length > 0 && json->data[json->length - 1] != '{' ? ", " : "", key);
}

static void add_text(struct slm_buffer *json, const char *key, struct slm_span text)
{
    add_key(json, key);
    slm__buffer_append_json_string(json, text);
}

static void add_number(struct slm_buffer *json, const char *key, uint64_t value)
{
    add_key(json, key);
    slm__buffer_append_format(json, "%" PRIu64, value);
}

static void add_bool(struct slm_buffer *json, const char *key, bool value)
{
    add_key(json, key);
    slm__buffer_append_text(json, value ? "true" : "false");
}

static slm_status finish(const struct slm_buffer *json, slm_error *error)
{
    return json->status == SLM_OK ? SLM_OK : slm__buffer_failure(json, error);
}

/* ---- .slm */

static void add_meta_number(struct slm_buffer *json, const struct slm_weight_file *file, const char *key, const char *shown)
{
    uint64_t value;
    if (slm__meta_u64(file, key, &value)) {
        add_number(json, shown, value);
    }
}

static void add_meta_text(struct slm_buffer *json, const struct slm_weight_file *file, const char *key, const char *shown)
{
    struct slm_span text;
    if (slm__meta_text(file, key, &text)) {
        add_text(json, shown, text);
    }
}

/* One number when all layers agree, else a list. */
static void add_meta_array(struct slm_buffer *json, const struct slm_weight_file *file, const char *key, const char *shown)
{
    struct slm_span bytes;
    uint32_t count;
    if (!slm__meta_u32s(file, key, &bytes, &count) || count == 0) {
        return;
    }
    add_key(json, shown);
    slm__buffer_append_text(json, count > 1 ? "[" : "");
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *b = bytes.data + 4 * (size_t)i;
        const uint32_t value = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
        slm__buffer_append_format(json, "%s%" PRIu32, i > 0 ? ", " : "", value);
    }
    slm__buffer_append_text(json, count > 1 ? "]" : "");
}

static void add_slm_tensors(struct slm_buffer *json, const struct slm_weight_file *file)
{
    add_key(json, "tensors");
    slm__buffer_append_byte(json, '[');
    for (uint32_t i = 0; i < file->tensor_count; i++) {
        struct slm_tensor tensor;
        slm__weight_file_tensor(file, i, &tensor);
        slm__buffer_append_text(json, i > 0 ? ", {" : "{");
        add_text(json, "name", tensor.name);
        add_text(json, "type", slm__span_text(type_name(tensor.type)));
        add_key(json, "shape");
        if (tensor.kind == SLM_TENSOR_VECTOR) {
            slm__buffer_append_format(json, "[%" PRIu32 "]", tensor.rows);
        } else {
            slm__buffer_append_format(json, "[%" PRIu32 ", %" PRIu32 "]", tensor.rows, tensor.cols);
        }
        add_number(json, "bytes", tensor.bytes);
        slm__buffer_append_byte(json, '}');
    }
    slm__buffer_append_byte(json, ']');
}

slm_status slm__inspect_slm(const struct slm_weight_file *file, struct slm_buffer *json, slm_error *error)
{
    struct slm_tensor tensor;
    struct slm_span text;
    slm__buffer_append_byte(json, '{');
    add_text(json, "kind", slm__span_text("slm"));
    add_meta_text(json, file, "general.name", "name");
    add_meta_text(json, file, "general.family", "family");
    add_meta_number(json, file, "general.parameters", "parameters");
    add_number(json, "bytes", file->size);
    add_meta_number(json, file, "model.layers", "layers");
    add_meta_number(json, file, "model.hidden_size", "hidden_size");
    add_meta_array(json, file, "layer.ffn_size", "ffn_size");
    add_meta_array(json, file, "layer.heads", "heads");
    add_meta_array(json, file, "layer.kv_heads", "kv_heads");
    add_meta_array(json, file, "layer.head_dim", "head_dim");
    add_meta_array(json, file, "layer.window", "window");
    add_meta_array(json, file, "layer.experts", "experts");
    add_meta_array(json, file, "layer.experts_used", "experts_used");
    add_meta_number(json, file, "model.vocab_size", "vocab_size");
    add_meta_number(json, file, "model.max_context", "max_context");
    uint64_t number;
    if (slm__meta_u64(file, "model.bidirectional", &number) && number != 0) {
        add_bool(json, "encoder", true);
    }
    if (slm__meta_u64(file, "embedding.pooling", &number) && number < sizeof poolings / sizeof poolings[0]) {
        add_text(json, "pooling", slm__span_text(poolings[number]));
    }
    const bool has_head = slm__weight_file_find(file, "head", &tensor) || slm__weight_file_find(file, "embed", &tensor);
    if (has_head) {
        add_text(json, "head_type", slm__span_text(type_name(tensor.type)));
    }
    if (slm__weight_file_find(file, "layers.0.attn_out", &tensor)) {
        add_text(json, "type", slm__span_text(type_name(tensor.type)));
    }
    add_bool(json, "tied", has_head && !slm__weight_file_find(file, "head", &tensor));
    add_bool(json, "tokenizer", file->tokenizer.length > 0);
    add_bool(json, "chat_template", slm__meta_text(file, "text.chat_template", &text) && text.length > 0);
    add_bool(json, "license", slm__meta_text(file, "text.license", &text) && text.length > 0);
    add_meta_text(json, file, "source.format", "source_format");
    add_meta_text(json, file, "source.sha256", "source_sha256");
    add_meta_text(json, file, "source.tool", "source_tool");
    add_slm_tensors(json, file);
    slm__buffer_append_byte(json, '}');
    return finish(json, error);
}

/* ---- source tensors */

static void add_source_tensors(struct slm_buffer *json, const struct slm_tensor_set *set)
{
    bool first = true;
    add_key(json, "tensors");
    slm__buffer_append_byte(json, '[');
    for (uint32_t i = 0; i < set->tensor_count; i++) {
        const struct slm_source_tensor *tensor = &set->tensors[i];
        if (tensor->packed != NULL) {
            continue; /* its parts are listed */
        }
        slm__buffer_append_text(json, first ? "{" : ", {");
        first = false;
        add_text(json, "name", tensor->name);
        add_text(json, "type", slm__span_text(tensor->type->name));
        add_key(json, "shape");
        for (uint32_t d = 0; d < tensor->dimensions; d++) {
            slm__buffer_append_format(json, "%s%" PRIu64, d > 0 ? ", " : "[", tensor->shape[d]);
        }
        slm__buffer_append_text(json, tensor->dimensions == 0 ? "[]" : "]");
        add_number(json, "bytes", tensor->bytes);
        slm__buffer_append_byte(json, '}');
    }
    slm__buffer_append_byte(json, ']');
}

slm_status slm__inspect_safetensors(const struct slm_import_context *context, const char *path, struct slm_buffer *json, slm_error *error)
{
    struct slm_tensor_set set;
    slm__tensor_set_init(&set, context->memory);
    slm_status status = slm__safetensors_add_file(&set, context->memory, path, error);
    if (status == SLM_OK) {
        slm__buffer_append_byte(json, '{');
        add_text(json, "kind", slm__span_text("safetensors"));
        add_number(json, "bytes", set.files[0].file.size);
        add_source_tensors(json, &set);
        slm__buffer_append_byte(json, '}');
        status = finish(json, error);
    }
    slm__tensor_set_free(&set);
    return status;
}

/* ---- checkpoints */

/* Bytes of tensors after conversion with each body type and its default head type. */
static void add_outcomes(struct slm_buffer *json, const struct slm_checkpoint *checkpoint)
{
    add_key(json, "convert");
    slm__buffer_append_byte(json, '{');
    for (enum slm_weight_type type = SLM_WEIGHT_F32; type < SLM_WEIGHT_TYPES; type++) {
        const struct slm_weight_types types = {type, type == SLM_WEIGHT_I4 ? SLM_WEIGHT_I8 : type};
        uint64_t bytes = 0;
        for (uint32_t i = 0; i < checkpoint->target_count; i++) {
            const struct slm_target *target = &checkpoint->targets[i];
            const uint64_t rows = slm__padded_rows(target->rows);
            bytes += target->vector ? rows * 4 : rows / SLM_PANEL_ROWS * slm__panel_bytes(slm__target_type(target, &types), target->cols);
        }
        add_number(json, type_name(type), bytes);
    }
    slm__buffer_append_byte(json, '}');
}

/* How the source is quantized, and of how many matrices i8 and i4 keep the codes. */
static void add_quantization(struct slm_buffer *json, const struct slm_checkpoint *checkpoint)
{
    const struct slm_quantization *quantization = &checkpoint->quantization;
    uint32_t matrices = 0, kept[2] = {0, 0};
    for (uint32_t i = 0; i < checkpoint->target_count; i++) {
        const struct slm_target *target = &checkpoint->targets[i];
        if (!target->vector && !target->full) {
            matrices++;
            kept[0] += slm__target_keeps_codes(target, SLM_WEIGHT_I8) ? 1 : 0;
            kept[1] += slm__target_keeps_codes(target, SLM_WEIGHT_I4) ? 1 : 0;
        }
    }
    if (quantization->method != SLM_QUANTIZED_NOT) {
        add_text(json, "quantization", slm__span_text(slm__quantization_name(quantization)));
        add_number(json, "quantization_bits", quantization->bits);
        add_number(json, "quantization_group", quantization->group_size);
        add_bool(json, "act_order", quantization->act_order);
    }
    add_number(json, "matrices", matrices);
    add_number(json, "codes_kept_i8", kept[0]);
    add_number(json, "codes_kept_i4", kept[1]);
}

/* What the model has beyond the plain transformer. */
static void add_particulars(struct slm_buffer *json, const struct slm_checkpoint *checkpoint)
{
    static const char *const ropes[] = {"default", "linear", "llama3", "yarn"};
    const struct slm_family_config *config = &checkpoint->config;
    const struct slm_rope_config *rope = &config->rope[0];
    uint32_t windowed = 0, unrotated = 0, sparse = 0;
    for (uint32_t i = 0; i < config->layers; i++) {
        windowed += config->layer[i].windowed;
        unrotated += config->layer[i].rope_set == SLM_LAYER_UNROTATED;
        sparse += config->layer[i].sparse;
    }
    add_text(json, "rope", slm__span_text(config->rope_sets == 0 ? "none" : rope->switch_length != 0 ? "longrope" : ropes[rope->kind]));
    if (config->rope_sets > 0) {
        add_number(json, "rotary_dim", config->rotary);
    }
    if (config->pooling != SLM_POOLING_KIND_NONE) {
        add_text(json, "pooling", slm__span_text(poolings[config->pooling]));
        add_bool(json, "normalize", config->normalize);
    }
    if (unrotated > 0 && config->rope_sets > 0) {
        add_number(json, "unrotated_layers", unrotated);
    }
    if (windowed > 0) {
        add_number(json, "window", config->window);
        add_number(json, "windowed_layers", windowed);
    }
    if (sparse > 0) {
        add_number(json, "experts", config->experts);
        add_number(json, "experts_used", config->experts_used);
        add_number(json, "expert_ffn_size", config->expert_ffn);
        add_number(json, "expert_layers", sparse);
    }
    if (config->vision.family != NULL) {
        add_number(json, "image_size", config->vision.image_size);
        add_number(json, "image_tokens", config->vision.tokens);
    } else if (config->composite) {
        add_bool(json, "text_only", true);
        add_number(json, "left_out_tensors", checkpoint->vision_tensors);
    }
}

static void add_checkpoint(struct slm_buffer *json, const struct slm_checkpoint *checkpoint)
{
    const struct slm_family_config *config = &checkpoint->config;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < checkpoint->set.file_count; i++) {
        bytes += checkpoint->set.files[i].file.size;
    }
    slm__buffer_append_byte(json, '{');
    add_text(json, "kind", slm__span_text(checkpoint->format));
    if (checkpoint->texts.name.length > 0) {
        add_text(json, "name", checkpoint->texts.name);
    }
    add_text(json, "family", slm__span_text(config->family->name));
    add_number(json, "parameters", slm__family_config_parameters(config));
    add_number(json, "bytes", bytes);
    add_number(json, "files", checkpoint->set.file_count);
    add_number(json, "layers", config->layers);
    add_number(json, "hidden_size", config->hidden);
    add_number(json, "ffn_size", config->ffn);
    add_number(json, "heads", config->heads);
    add_number(json, "kv_heads", config->kv_heads);
    add_number(json, "head_dim", config->head_dim);
    add_number(json, "vocab_size", config->vocab);
    add_number(json, "max_context", config->max_context);
    add_bool(json, "tied", (config->traits & SLM_TRAIT_UNTIED) == 0);
    add_particulars(json, checkpoint);
    add_bool(json, "tokenizer", checkpoint->tokenizer.length > 0);
    add_bool(json, "chat_template", checkpoint->texts.chat_template.length > 0);
    add_bool(json, "license", checkpoint->texts.license.length > 0);
    add_quantization(json, checkpoint);
    add_outcomes(json, checkpoint);
    add_source_tensors(json, &checkpoint->set);
    slm__buffer_append_byte(json, '}');
}

slm_status slm__inspect_checkpoint(const struct slm_import_context *context, const char *path, struct slm_buffer *json, slm_error *error)
{
    struct slm_checkpoint checkpoint;
    bool adapter = false;
    SLM_TRY(slm__is_adapter(context, path, &adapter, error));
    if (adapter) {
        return slm__inspect_adapter(context, path, json, error);
    }
    slm__checkpoint_init(&checkpoint, context);
    slm_status status = slm__checkpoint_open(&checkpoint, path, error);
    if (status == SLM_OK) {
        add_checkpoint(json, &checkpoint);
        status = finish(json, error);
    }
    slm__checkpoint_free(&checkpoint);
    return status;
}

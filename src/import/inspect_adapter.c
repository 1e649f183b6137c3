/* SPDX-License-Identifier: MIT */
/* An adapter is opened as for merging, without a base. */
#include "import/inspect_adapter.h"

#include "base/decimal.h"       /* slm__decimal_format */
#include "import/adapter.h"     /* slm__adapter_open */
#include "import/checkpoint.h"  /* struct slm_checkpoint */
#include "import/gguf_reader.h" /* slm__gguf_open */
#include "import/hf_folder.h"   /* slm__hf_has_file */
#include <inttypes.h>           /* PRIu32 */

slm_status slm__is_adapter(const struct slm_import_context *context, const char *path, bool *adapter, slm_error *error)
{
    if (slm__path_is_folder(path)) {
        *adapter = slm__hf_has_file(path, "adapter_config.json") && !slm__hf_has_file(path, "config.json");
        return SLM_OK;
    }
    struct slm_tensor_set set;
    struct slm_gguf gguf;
    struct slm_span type = {NULL, 0};
    slm__tensor_set_init(&set, context->memory);
    const slm_status status = slm__gguf_open(&gguf, &set, context->memory, path, error);
    *adapter = status == SLM_OK && slm__gguf_text(slm__gguf_find(&gguf, "general.type"), &type) && slm__span_is(type, "adapter");
    slm__gguf_free(&gguf);
    slm__tensor_set_free(&set);
    return status == SLM_E_NO_MEMORY ? status : SLM_OK;
}

static void add_adapter(struct slm_buffer *json, const struct slm_adapter_source *adapter)
{
    uint64_t parameters = 0, linears = 0;
    for (const struct slm_adapter_delta *delta = adapter->deltas; delta != NULL; delta = delta->listed) {
        parameters += (uint64_t)delta->rank * delta->inputs + (uint64_t)delta->rank * delta->outputs;
        linears++;
    }
    slm__buffer_append_format(json, "{\"kind\": \"lora adapter\", \"format\": \"%s\", \"bytes\": %" PRIu64 ", ",
                              adapter->gguf ? "gguf" : "peft", adapter->set.files[0].file.size);
    slm__buffer_append_format(json, "\"parameters\": %" PRIu64 ", \"linears\": %" PRIu64 ", \"deltas\": [", parameters, linears);
    for (const struct slm_adapter_delta *delta = adapter->deltas; delta != NULL; delta = delta->listed) {
        char scale[32];
        slm__decimal_format(delta->scale, scale);
        slm__buffer_append_text(json, delta != adapter->deltas ? ", {\"name\": " : "{\"name\": ");
        slm__buffer_append_json_string(json, delta->module);
        slm__buffer_append_format(json, ", \"rank\": %" PRIu32 ", \"scale\": %s, \"shape\": [%" PRIu32 ", %" PRIu32 "]}", delta->rank,
                                  scale, delta->outputs, delta->inputs);
    }
    slm__buffer_append_text(json, "]}");
}

slm_status slm__inspect_adapter(const struct slm_import_context *context, const char *path, struct slm_buffer *json, slm_error *error)
{
    struct slm_checkpoint checkpoint;
    struct slm_adapter_source *adapter = NULL;
    const struct slm_adapter_choice choice = {path, 1.0};
    slm__checkpoint_init(&checkpoint, context);
    slm_status status = slm__adapter_open(&checkpoint, &choice, &adapter, error);
    if (status == SLM_OK) {
        add_adapter(json, adapter);
        status = json->status == SLM_OK ? SLM_OK : slm__buffer_failure(json, error);
    }
    slm__checkpoint_free(&checkpoint);
    return status;
}

/* SPDX-License-Identifier: MIT */
/* Conversion, inspection, models made in memory: options are checked and translated, src/import does the work. In builds with
 * SLM_WITH_CONVERT=0 every call says that it was left out. */
#include "api/handles.h" /* struct slm_engine, slm__options_in */

#if SLM_WITH_CONVERT

#  include "format/sink_memory.h"    /* struct slm_sink_memory */
#  include "import/adapter.h"        /* struct slm_adapter_choice */
#  include "import/convert.h"        /* slm__convert_checkpoint */
#  include "import/inspect.h"        /* slm__inspect_... */
#  include "import/random_model.h"   /* slm__random_model_build */
#  include "import/tokenizer_json.h" /* slm__import_tokenizer_json */

enum { ADAPTERS = 64 };
static const size_t JSON_LIMIT = (size_t)1 << 28;
static const size_t TOKENIZER_LIMIT = (size_t)1 << 29;

static struct slm_import_context context_of(slm_engine *engine)
{
    const struct slm_import_context context = {&engine->memory, &engine->log, engine->team};
    return context;
}

static slm_status check_type(const char *name, int32_t type, enum slm_weight_type *known, slm_error *error)
{
    if (type < SLM_TYPE_DEFAULT || type > SLM_TYPE_I4) {
        return slm__fail(error, SLM_E_ARGUMENT, "%s is %d; SLM_TYPE_F32, F16, BF16, I8, I4 or 0 for the default are possible", name,
                         (int)type);
    }
    *known = (enum slm_weight_type)type;
    return SLM_OK;
}

/* The adapters of the options: one block for the list, one for each path. */
struct adapter_list {
    const struct slm_memory *memory;
    struct slm_adapter_choice choices[ADAPTERS];
    size_t path_bytes[ADAPTERS];
    uint32_t count;
};

static void free_adapters(struct adapter_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        slm__release(list->memory, (void *)(uintptr_t)list->choices[i].path, list->path_bytes[i]);
    }
}

static slm_status take_adapter(struct adapter_list *list, const slm_string *path, double weight, slm_error *error)
{
    char text[SLM_PATH_BYTES];
    if (!(weight >= -1000.0 && weight <= 1000.0)) {
        return slm__fail(error, SLM_E_ARGUMENT, "the weight of adapter %u is not between -1000 and 1000", list->count);
    }
    SLM_TRY(slm__path_in(path->text, path->length, text, error));
    const size_t bytes = strlen(text) + 1;
    char *copy = slm__allocate(list->memory, bytes, 16);
    if (copy == NULL) {
        return slm__fail_memory(error, bytes);
    }
    memcpy(copy, text, bytes);
    list->path_bytes[list->count] = bytes;
    list->choices[list->count++] = (struct slm_adapter_choice){copy, weight};
    return SLM_OK;
}

static slm_status take_adapters(struct adapter_list *list, const slm_convert_options *options, slm_error *error)
{
    if (options->adapter_count > ADAPTERS || (options->adapter_count > 0 && options->adapters == NULL)) {
        return slm__fail(error, SLM_E_ARGUMENT, "adapter_count is more than %d, or adapters is NULL", ADAPTERS);
    }
    for (uint64_t i = 0; i < options->adapter_count; i++) {
        const double weight = options->adapter_weights != NULL ? (double)options->adapter_weights[i] : 1.0;
        SLM_TRY(take_adapter(list, &options->adapters[i], weight, error));
    }
    return SLM_OK;
}

slm_status slm_convert(slm_engine *engine, const char *source, uint64_t source_length, const char *destination, uint64_t destination_length,
                       const slm_convert_options *options, slm_convert_result *result, slm_error *error)
{
    slm_convert_options known;
    char from[SLM_PATH_BYTES], to[SLM_PATH_BYTES];
    SLM_TRY(slm__require(engine, "engine", error));
    SLM_TRY(slm__options_in(&known, sizeof known, options, error));
    SLM_TRY(slm__path_in(source, source_length, from, error));
    SLM_TRY(slm__path_in(destination, destination_length, to, error));
    if ((known.flags & ~(uint32_t)SLM_CONVERT_TEXT_ONLY) != 0) {
        return slm__fail(error, SLM_E_ARGUMENT, "flags is 0x%x, unknown bits are set", known.flags);
    }
    struct slm_convert_settings settings = {
        .progress = known.progress, .progress_user = known.progress_user, .text_only = (known.flags & SLM_CONVERT_TEXT_ONLY) != 0};
    SLM_TRY(check_type("type", known.type, &settings.types.body, error));
    SLM_TRY(check_type("head_type", known.head_type, &settings.types.head, error));
    struct slm_convert_report report = {0};
    const struct slm_import_context context = context_of(engine);
    if (result != NULL) { /* a wrong struct_size is refused before the work; nothing is written yet */
        const uint32_t nothing = 0;
        SLM_TRY(slm__struct_out(result, &nothing, sizeof nothing, error));
    }
    struct adapter_list adapters = {.memory = &engine->memory};
    slm_status status = take_adapters(&adapters, &known, error);
    if (status == SLM_OK) {
        settings.adapters = adapters.choices;
        settings.adapter_count = adapters.count;
        status = slm__convert_checkpoint(&context, from, to, &settings, &report, error);
    }
    free_adapters(&adapters);
    SLM_TRY(status);
    const slm_convert_result filled = {sizeof filled,     report.tensors,     report.source_bytes, report.file_bytes,
                                       report.parameters, report.errors.body, report.errors.head};
    return result != NULL ? slm__struct_out(result, &filled, sizeof filled, error) : SLM_OK;
}

/* A .slm file is described only when it opens. */
static slm_status inspect_slm(slm_engine *engine, const char *path, struct slm_buffer *json, slm_error *error)
{
    slm_model *model = NULL;
    SLM_TRY(slm_model_open_file(engine, path, SLM_NUL_TERMINATED, NULL, &model, error));
    const slm_status status = slm__inspect_slm(&model->file, json, error);
    slm_model_close(model);
    return status;
}

slm_status slm_inspect(slm_engine *engine, const char *path, uint64_t path_length, char *json, uint64_t capacity, uint64_t *needed,
                       slm_error *error)
{
    char name[SLM_PATH_BYTES];
    enum slm_inspect_kind kind;
    SLM_TRY(slm__require(engine, "engine", error));
    SLM_TRY(slm__require(needed, "needed", error));
    SLM_TRY(slm__path_in(path, path_length, name, error));
    SLM_TRY(slm__inspect_kind_of(name, &kind, error));
    const struct slm_import_context context = context_of(engine);
    struct slm_buffer text;
    slm__buffer_init(&text, &engine->memory, JSON_LIMIT);
    slm_status status = SLM_OK;
    switch (kind) {
    case SLM_INSPECT_SLM: status = inspect_slm(engine, name, &text, error); break;
    case SLM_INSPECT_SAFETENSORS: status = slm__inspect_safetensors(&context, name, &text, error); break;
    case SLM_INSPECT_CHECKPOINT: status = slm__inspect_checkpoint(&context, name, &text, error); break;
    }
    if (status == SLM_OK) {
        status = slm__copy_out(slm__span(text.data, text.length), json, capacity, needed, error);
    }
    slm__buffer_free(&text);
    return status;
}

/* A file of nothing but a tokenizer. */
static slm_status write_tokenizer_file(const struct slm_memory *memory, struct slm_span section, struct slm_sink_memory *target,
                                       slm_error *error)
{
    const struct slm_sink sink = slm__sink_memory(target);
    struct slm_weight_writer writer;
    slm__writer_init(&writer, memory, &sink);
    slm__writer_tokenizer(&writer, section);
    slm_status status = slm__writer_meta_text(&writer, "source.format", slm__span_text("tokenizer.json"), error);
    if (status == SLM_OK) {
        status = slm__writer_begin(&writer, error);
    }
    if (status == SLM_OK) {
        status = slm__writer_finish(&writer, error);
    }
    slm__writer_free(&writer);
    return status;
}

slm_status slm_model_open_tokenizer(slm_engine *engine, const char *json, uint64_t length, slm_model **model, slm_error *error)
{
    struct slm_span text;
    SLM_TRY(slm__require(engine, "engine", error));
    SLM_TRY(slm__require(model, "model", error));
    SLM_TRY(slm__text_in(json, length, "json", &text, error));
    struct slm_buffer section;
    struct slm_sink_memory target;
    slm__buffer_init(&section, &engine->memory, TOKENIZER_LIMIT);
    slm__sink_memory_init(&target, &engine->memory, UINT64_MAX);
    slm_status status = slm__import_tokenizer_json(&engine->memory, text, "tokenizer.json", 0, &section, error);
    if (status == SLM_OK) {
        status = write_tokenizer_file(&engine->memory, slm__span(section.data, section.length), &target, error);
    }
    slm__buffer_free(&section);
    if (status != SLM_OK) {
        slm__sink_memory_free(&target);
        return status;
    }
    return slm__model_adopt(engine, slm__span(target.data, (size_t)target.size), model, error);
}

slm_status slm_model_open_random(slm_engine *engine, const char *config_json, uint64_t length, const slm_random_options *options,
                                 slm_model **model, slm_error *error)
{
    slm_random_options known;
    struct slm_span text, image;
    struct slm_weight_types types;
    SLM_TRY(slm__require(engine, "engine", error));
    SLM_TRY(slm__require(model, "model", error));
    SLM_TRY(slm__options_in(&known, sizeof known, options, error));
    SLM_TRY(slm__text_in(config_json, length, "config_json", &text, error));
    SLM_TRY(check_type("type", known.type, &types.body, error));
    SLM_TRY(check_type("head_type", known.head_type, &types.head, error));
    slm__convert_default_types(&types);
    const struct slm_import_context context = context_of(engine);
    SLM_TRY(slm__random_model_build(&context, text, &types, known.seed, &image, error));
    return slm__model_adopt(engine, image, model, error);
}

#else

static slm_status left_out(slm_error *error)
{
    return slm__fail(error, SLM_E_UNSUPPORTED, "this build of libslm has no conversion (WITH_CONVERT=0)");
}

slm_status slm_convert(slm_engine *engine, const char *source, uint64_t source_length, const char *destination, uint64_t destination_length,
                       const slm_convert_options *options, slm_convert_result *result, slm_error *error)
{
    (void)engine, (void)source, (void)source_length, (void)destination, (void)destination_length, (void)options, (void)result;
    return left_out(error);
}

slm_status slm_inspect(slm_engine *engine, const char *path, uint64_t path_length, char *json, uint64_t capacity, uint64_t *needed,
                       slm_error *error)
{
    (void)engine, (void)path, (void)path_length, (void)json, (void)capacity, (void)needed;
    return left_out(error);
}

slm_status slm_model_open_tokenizer(slm_engine *engine, const char *json, uint64_t length, slm_model **model, slm_error *error)
{
    (void)engine, (void)json, (void)length, (void)model;
    return left_out(error);
}

slm_status slm_model_open_random(slm_engine *engine, const char *config_json, uint64_t length, const slm_random_options *options,
                                 slm_model **model, slm_error *error)
{
    (void)engine, (void)config_json, (void)length, (void)options, (void)model;
    return left_out(error);
}

#endif

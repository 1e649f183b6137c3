/* SPDX-License-Identifier: MIT */
/* The steps of a conversion: open and check the source, hash it, declare everything, stream the weights, rename. */
#include "import/convert.h"

#include "base/file.h"              /* struct slm_output */
#include "format/format_layout.h"   /* SLM_FORMAT_MAGIC */
#include "format/sink_file.h"       /* slm__sink_file */
#include "import/checkpoint_open.h" /* slm__checkpoint_open */
#include "import/model_metadata.h"  /* slm__write_traits, slm__write_texts */
#include "import/rope_tensors.h"    /* struct slm_rope_tensors */
#include "import/vision_metadata.h" /* slm__write_vision_traits */
#include "text/vocabulary_trie.h"   /* slm__vocabulary_build */
#include <string.h>

enum { HASH_PIECE = 1 << 20 };

void slm__convert_default_types(struct slm_weight_types *types)
{
    if (types->body == SLM_WEIGHT_NONE) {
        types->body = SLM_WEIGHT_I8;
    }
    if (types->head == SLM_WEIGHT_NONE) {
        types->head = types->body == SLM_WEIGHT_I4 ? SLM_WEIGHT_I8 : types->body;
    }
}

/* ---- provenance */

static slm_status hash_file(struct slm_checkpoint *checkpoint, const struct slm_source_file *file, uint8_t *piece,
                            struct slm_import_progress *progress, slm_error *error)
{
    for (uint64_t offset = 0; offset < file->file.size; offset += HASH_PIECE) {
        const uint64_t left = file->file.size - offset;
        const size_t length = left < HASH_PIECE ? (size_t)left : HASH_PIECE;
        SLM_TRY(slm__file_read(&file->file, offset, piece, length, error));
        slm__sha256_update(&checkpoint->hash, piece, length);
        checkpoint->hashed += length;
        SLM_TRY(slm__import_advance(progress, length, "source hash", error));
    }
    return SLM_OK;
}

static slm_status hash_files(struct slm_checkpoint *checkpoint, const struct slm_tensor_set *set, uint8_t *piece,
                             struct slm_import_progress *progress, slm_error *error)
{
    for (uint32_t i = 0; i < set->file_count; i++) {
        SLM_TRY(hash_file(checkpoint, &set->files[i], piece, progress, error));
    }
    return SLM_OK;
}

/* The weights come last, in the order in which the files were opened, then those of the adapters. */
static slm_status hash_source(struct slm_checkpoint *checkpoint, struct slm_import_progress *progress, char hex[65], slm_error *error)
{
    uint8_t *piece = slm__allocate(checkpoint->context.memory, HASH_PIECE, 64);
    if (piece == NULL) {
        return slm__fail_memory(error, HASH_PIECE);
    }
    slm_status status = hash_files(checkpoint, &checkpoint->set, piece, progress, error);
    for (const struct slm_adapter_source *adapter = checkpoint->adapters; adapter != NULL && status == SLM_OK; adapter = adapter->next) {
        status = hash_files(checkpoint, &adapter->set, piece, progress, error);
    }
    slm__release(checkpoint->context.memory, piece, HASH_PIECE);
    slm__sha256_hex(&checkpoint->hash, hex);
    return status;
}

static uint64_t file_bytes(const struct slm_tensor_set *set)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < set->file_count; i++) {
        total += set->files[i].file.size;
    }
    return total;
}

/* Bytes that the progress will count: weight files read once for the hash, tensors written. */
static uint64_t total_work(const struct slm_checkpoint *checkpoint, const struct slm_weight_types *types)
{
    uint64_t total = file_bytes(&checkpoint->set);
    for (const struct slm_adapter_source *adapter = checkpoint->adapters; adapter != NULL; adapter = adapter->next) {
        total += file_bytes(&adapter->set);
    }
    for (uint32_t i = 0; i < checkpoint->target_count; i++) {
        const struct slm_target *target = &checkpoint->targets[i];
        const uint32_t padded = slm__padded_rows(target->rows);
        total += target->vector ? (uint64_t)padded * 4
                                : slm__panel_bytes(slm__target_type(target, types), target->cols) * (padded / SLM_PANEL_ROWS);
    }
    return total;
}

/* ---- writing */

/* The tokens as tries, for grammars. */
static slm_status list_vocabulary(struct slm_checkpoint *checkpoint, slm_error *error)
{
    struct slm_tokenizer tokenizer;
    if (checkpoint->tokenizer.length == 0) {
        return SLM_OK;
    }
    SLM_TRY(slm__tokenizer_open(&tokenizer, slm__span(checkpoint->tokenizer.data, checkpoint->tokenizer.length), error));
    return slm__vocabulary_build(&tokenizer, checkpoint->context.memory, &checkpoint->vocabulary, error);
}

static slm_status write_model(struct slm_checkpoint *checkpoint, const struct slm_convert_settings *settings,
                              struct slm_weight_writer *writer, struct slm_convert_report *report, slm_error *error)
{
    struct slm_import_progress progress = {settings->progress, settings->progress_user, 0, total_work(checkpoint, &settings->types)};
    char hex[65];
    struct slm_rope_tensors frequencies;
    uint32_t pixels = 0;
    uint32_t *ids = slm__arena_take(&checkpoint->arena, checkpoint->target_count * sizeof *ids);
    if (ids == NULL) {
        return slm__arena_failure(&checkpoint->arena, error);
    }
    SLM_TRY(hash_source(checkpoint, &progress, hex, error));
    SLM_TRY(slm__write_traits(writer, &checkpoint->config, error));
    SLM_TRY(slm__write_vision_traits(writer, checkpoint, error));
    SLM_TRY(slm__write_texts(writer, checkpoint, hex, error));
    slm__writer_tokenizer(writer, slm__span(checkpoint->tokenizer.data, checkpoint->tokenizer.length));
    SLM_TRY(list_vocabulary(checkpoint, error));
    slm__writer_vocabulary(writer, slm__span(checkpoint->vocabulary.data, checkpoint->vocabulary.length));
    SLM_TRY(slm__weights_declare(checkpoint, &settings->types, writer, ids, error));
    SLM_TRY(slm__rope_tensors_declare(&checkpoint->config, writer, &frequencies, error));
    SLM_TRY(slm__pixel_values_declare(&checkpoint->config.vision, writer, &pixels, error));
    SLM_TRY(slm__writer_begin(writer, error));
    SLM_TRY(slm__pixel_values_write(&checkpoint->config.vision, writer, pixels, error));
    SLM_TRY(slm__rope_tensors_write(&checkpoint->config, writer, &frequencies, error));
    SLM_TRY(slm__weights_stream(checkpoint, &settings->types, writer, ids, &progress, &report->errors, error));
    SLM_TRY(slm__writer_finish(writer, error));
    report->tensors = writer->tensor_count;
    report->file_bytes = writer->file_size;
    report->source_bytes = checkpoint->hashed;
    report->parameters = slm__family_config_parameters(&checkpoint->config);
    return SLM_OK;
}

/* An existing file is only replaced if it is empty or an .slm file: a mistyped destination must not cost a checkpoint. */
static slm_status check_destination(const char *destination, slm_error *error)
{
    struct slm_file file;
    uint8_t magic[8] = {0};
    if (!slm__file_exists(destination)) {
        return SLM_OK;
    }
    SLM_TRY(slm__file_open(&file, destination, error));
    const bool replaceable =
        file.size == 0 || (file.size >= sizeof magic && slm__file_read(&file, 0, magic, sizeof magic, NULL) == SLM_OK &&
                           memcmp(magic, SLM_FORMAT_MAGIC, sizeof magic) == 0);
    slm__file_close(&file);
    return replaceable ? SLM_OK
                       : slm__fail(error, SLM_E_FILE_WRITE,
                                   "%s exists and is no .slm file: it is not replaced; remove it or choose another name", destination);
}

static slm_status write_file(struct slm_checkpoint *checkpoint, const char *destination, const struct slm_convert_settings *settings,
                             struct slm_convert_report *report, slm_error *error)
{
    struct slm_output output;
    struct slm_weight_writer writer;
    SLM_TRY(slm__output_create(&output, destination, error));
    const struct slm_sink sink = slm__sink_file(&output);
    slm__writer_init(&writer, checkpoint->context.memory, &sink);
    slm_status status = write_model(checkpoint, settings, &writer, report, error);
    slm__writer_free(&writer);
    if (status == SLM_OK) {
        status = slm__output_commit(&output, error);
    }
    slm__output_abandon(&output);
    return status;
}

slm_status slm__convert_checkpoint(const struct slm_import_context *context, const char *source, const char *destination,
                                   const struct slm_convert_settings *settings, struct slm_convert_report *report, slm_error *error)
{
    struct slm_convert_settings full = *settings;
    struct slm_checkpoint checkpoint;
    slm__convert_default_types(&full.types);
    slm__checkpoint_init(&checkpoint, context);
    checkpoint.text_only = settings->text_only;
    slm_status status = slm__checkpoint_open(&checkpoint, source, error);
    if (status == SLM_OK) {
        status = check_destination(destination, error);
    }
    if (status == SLM_OK) {
        status = slm__adapters_merge(&checkpoint, full.adapters, full.adapter_count, error);
    }
    if (status == SLM_OK) {
        status = write_file(&checkpoint, destination, &full, report, error);
    }
    slm__checkpoint_free(&checkpoint);
    return status;
}

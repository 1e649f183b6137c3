/* SPDX-License-Identifier: MIT */
/*
 * Adapters at run time: src/import opens and checks the files as for merging, src/model says where their matrices belong; here they are
 * brought together in one block of panels. Builds with SLM_WITH_CONVERT=0 cannot open any.
 */
#include "api/handles.h"     /* struct slm_model, slm__path_in */
#include "runtime/session.h" /* struct slm_adapter, slm__session_set_adapters */
#include <string.h>

#if SLM_WITH_CONVERT

#  include "base/decimal.h"         /* slm__decimal_format */
#  include "base/heap_sort.h"       /* slm__heap_sort */
#  include "format/weight_encode.h" /* slm__encode_panel */
#  include "import/adapter_place.h" /* slm__adapter_find_place */
#  include "import/checkpoint.h"    /* struct slm_checkpoint */

/* A pair of the adapter and the rows of the model that it changes. */
struct piece {
    struct slm_adapter_delta *delta;
    const struct slm_matrix *matrix;
    uint32_t first_row, rows;
};

/* ---- where everything belongs */

static slm_status find_piece(const struct slm_model *model, const struct slm_checkpoint *checkpoint, struct slm_adapter_delta *delta,
                             struct piece *piece, slm_error *error)
{
    struct slm_adapter_place named;
    struct slm_low_rank_place place;
    SLM_TRY(slm__adapter_find_place(checkpoint, delta, &named, error));
    if (!slm__low_rank_find_place(&model->transformer, named.target, named.layer, named.expert, &place) || named.part >= place.part_count) {
        return slm__adapter_no_linear(checkpoint, delta, error);
    }
    *piece = (struct piece){delta, place.matrix, 0, place.matrix->rows};
    if (named.has_part && !(named.may_be_all && delta->outputs == place.matrix->rows)) {
        for (uint32_t p = 0; p < named.part; p++) {
            piece->first_row += place.part_rows[p];
        }
        piece->rows = place.part_rows[named.part];
    }
    return slm__adapter_check_size(delta, piece->rows, place.matrix->cols, error);
}

static bool piece_before(const void *items, uint32_t a, uint32_t b)
{
    const struct piece *pieces = items;
    const uintptr_t of_a = (uintptr_t)pieces[a].matrix, of_b = (uintptr_t)pieces[b].matrix;
    return of_a != of_b ? of_a < of_b : pieces[a].first_row < pieces[b].first_row;
}

static void swap_pieces(void *items, uint32_t a, uint32_t b)
{
    struct piece *pieces = items;
    const struct piece kept = pieces[a];
    pieces[a] = pieces[b];
    pieces[b] = kept;
}

/* All pieces by matrix and row; *groups is the number of matrices. */
static slm_status find_pieces(const struct slm_model *model, struct slm_checkpoint *checkpoint, const struct slm_adapter_source *source,
                              struct piece **result, uint32_t *count, uint32_t *groups, slm_error *error)
{
    *count = *groups = 0;
    for (const struct slm_adapter_delta *delta = source->deltas; delta != NULL; delta = delta->listed) {
        ++*count;
    }
    struct piece *pieces = slm__arena_take(&checkpoint->arena, *count * sizeof *pieces);
    if (pieces == NULL) {
        return slm__arena_failure(&checkpoint->arena, error);
    }
    uint32_t found = 0;
    for (struct slm_adapter_delta *delta = source->deltas; delta != NULL; delta = delta->listed) {
        SLM_TRY(find_piece(model, checkpoint, delta, &pieces[found++], error));
    }
    slm__heap_sort(pieces, *count, piece_before, swap_pieces);
    for (uint32_t i = 0; i < *count; i++) {
        const bool same = i > 0 && pieces[i].matrix == pieces[i - 1].matrix;
        if (same && pieces[i].first_row < pieces[i - 1].first_row + pieces[i - 1].rows) {
            return slm__fail(error, SLM_E_BAD_VALUE, "%.*s and %.*s change the same rows", SLM_SPAN_ARGS(pieces[i - 1].delta->module),
                             SLM_SPAN_ARGS(pieces[i].delta->module));
        }
        *groups += same ? 0 : 1;
    }
    *result = pieces;
    return SLM_OK;
}

/* ---- the block */

/* f16 and bf16 stay what they are. */
static enum slm_weight_type type_of(const struct slm_source_tensor *tensor)
{
    return strcmp(tensor->type->name, "F16") == 0    ? SLM_WEIGHT_F16
           : strcmp(tensor->type->name, "BF16") == 0 ? SLM_WEIGHT_BF16
                                                     : SLM_WEIGHT_F32;
}

static struct slm_matrix carve_matrix(struct slm_carver *carver, enum slm_weight_type type, uint32_t rows, uint32_t cols)
{
    const uint64_t panel_bytes = slm__panel_bytes(type, cols);
    const uint8_t *data = slm__carve(carver, panel_bytes * (slm__padded_rows(rows) / SLM_PANEL_ROWS));
    return (struct slm_matrix){data, panel_bytes, rows, cols, type};
}

/* The pieces of one matrix; returns how many they are. */
static uint32_t carve_group(struct slm_carver *carver, const struct piece *pieces, uint32_t left, struct slm_low_rank *delta)
{
    uint32_t count = 0, lanes = 0;
    enum slm_weight_type type = type_of(&pieces[0].delta->a);
    for (; count < left && pieces[count].matrix == pieces[0].matrix; count++) {
        type = type_of(&pieces[count].delta->a) == type ? type : SLM_WEIGHT_F32;
        lanes += pieces[count].delta->rank;
    }
    *delta = (struct slm_low_rank){.of = pieces[0].matrix, .part_count = count};
    delta->a = carve_matrix(carver, type, lanes, pieces[0].matrix->cols);
    lanes = 0;
    for (uint32_t p = 0; p < count; p++) {
        const struct slm_adapter_delta *from = pieces[p].delta;
        delta->parts[p] = (struct slm_low_rank_part){carve_matrix(carver, type_of(&from->b), from->outputs, from->rank),
                                                     pieces[p].first_row, lanes, from->scale};
        lanes += from->rank;
    }
    return count;
}

/* Lay the adapter out; with a NULL base only bytes are counted. */
static void carve_adapter(struct slm_carver *carver, const struct piece *pieces, uint32_t count, uint32_t groups)
{
    struct slm_adapter *adapter = slm__carve(carver, sizeof *adapter);
    struct slm_low_rank *deltas = slm__carve(carver, groups * sizeof *deltas), unused;
    for (uint32_t i = 0, group = 0; i < count; group++) {
        i += carve_group(carver, pieces + i, count - i, deltas != NULL ? &deltas[group] : &unused);
    }
    if (adapter == NULL) {
        return;
    }
    memset(adapter, 0, sizeof *adapter);
    adapter->set.deltas = deltas;
    adapter->set.count = groups;
    adapter->linears = count;
    adapter->bytes = carver->used;
    for (uint32_t i = 0; i < count; i++) {
        const struct slm_adapter_delta *delta = pieces[i].delta;
        adapter->set.rank = delta->rank > adapter->set.rank ? delta->rank : adapter->set.rank;
        adapter->parameters += (uint64_t)delta->rank * ((uint64_t)delta->inputs + delta->outputs);
    }
}

/* ---- values */

static slm_status encode_rows(const struct slm_matrix *matrix, uint32_t panel, const float *const rows[16], const struct piece *piece,
                              slm_error *error)
{
    const uint32_t left = matrix->rows - panel * SLM_PANEL_ROWS, count = left < SLM_PANEL_ROWS ? left : SLM_PANEL_ROWS;
    uint32_t row = 0, col = 0;
    uint8_t *target = (uint8_t *)(uintptr_t)matrix->data + panel * matrix->panel_bytes; /* in the block that is being filled */
    if (slm__encode_panel(matrix->type, rows, count, matrix->cols, target, NULL, NULL, &row, &col) != SLM_OK) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%s: the adapter of %.*s holds a value that is not finite",
                         piece->delta->adapter->set.files[0].name, SLM_SPAN_ARGS(piece->delta->module));
    }
    return SLM_OK;
}

/* The A of all pieces, one below the other. */
static slm_status encode_a(const struct slm_matrix *a, const struct piece *pieces, slm_error *error)
{
    const float *rows[16];
    uint32_t lane = 0, row = 0;
    for (uint32_t panel = 0; panel * SLM_PANEL_ROWS < a->rows; panel++) {
        uint32_t filled = 0;
        const struct piece *first = pieces;
        for (; filled < SLM_PANEL_ROWS && lane < a->rows; lane++, row++) {
            if (row == pieces->delta->rank) {
                pieces++;
                row = 0;
            }
            rows[filled++] = pieces->delta->values + (size_t)row * pieces->delta->inputs;
        }
        SLM_TRY(encode_rows(a, panel, rows, first, error));
    }
    return SLM_OK;
}

static slm_status encode_b(const struct slm_matrix *b, const struct piece *piece, slm_error *error)
{
    const struct slm_adapter_delta *delta = piece->delta;
    const float *values = delta->values + (size_t)delta->rank * delta->inputs, *rows[16];
    for (uint32_t panel = 0; panel * SLM_PANEL_ROWS < b->rows; panel++) {
        for (uint32_t r = 0; r < SLM_PANEL_ROWS && panel * SLM_PANEL_ROWS + r < b->rows; r++) {
            rows[r] = values + (size_t)slm__row_of_pairs(delta->pairs, panel * SLM_PANEL_ROWS + r) * delta->rank;
        }
        SLM_TRY(encode_rows(b, panel, rows, piece, error));
    }
    return SLM_OK;
}

static void hash_matrix(struct slm_sha256 *hash, const struct slm_matrix *matrix)
{
    slm__sha256_update(hash, matrix->data, (size_t)(matrix->panel_bytes * (slm__padded_rows(matrix->rows) / SLM_PANEL_ROWS)));
}

/* Read, encode and hash the pieces of one matrix. */
static slm_status fill_group(const struct slm_low_rank *delta, struct piece *pieces, const struct slm_memory *memory,
                             struct slm_sha256 *hash, slm_error *error)
{
    for (uint32_t p = 0; p < delta->part_count; p++) {
        pieces[p].delta->next = p + 1 < delta->part_count ? pieces[p + 1].delta : NULL;
    }
    slm_status status = slm__adapter_deltas_hold(pieces[0].delta, memory, error);
    status = status == SLM_OK ? encode_a(&delta->a, pieces, error) : status;
    hash_matrix(hash, &delta->a);
    for (uint32_t p = 0; p < delta->part_count && status == SLM_OK; p++) {
        char scale[32];
        status = encode_b(&delta->parts[p].b, &pieces[p], error);
        slm__sha256_update(hash, pieces[p].delta->module.data, pieces[p].delta->module.length);
        slm__sha256_update(hash, scale, slm__decimal_format(delta->parts[p].scale, scale));
        hash_matrix(hash, &delta->parts[p].b);
    }
    slm__adapter_deltas_release(pieces[0].delta, memory);
    return status;
}

static slm_status fill_adapter(struct slm_adapter *adapter, struct piece *pieces, const struct slm_memory *memory, slm_error *error)
{
    struct slm_sha256 hash;
    char hex[65];
    slm__sha256_init(&hash);
    for (uint32_t group = 0, i = 0; group < adapter->set.count; i += adapter->set.deltas[group++].part_count) {
        SLM_TRY(fill_group(&adapter->set.deltas[group], pieces + i, memory, &hash, error));
    }
    slm__sha256_hex(&hash, hex);
    adapter->set.identity = (uint64_t)hash.state[0] << 32 | hash.state[1];
    return SLM_OK;
}

static slm_status build_adapter(const struct slm_model *model, struct slm_checkpoint *checkpoint, const struct slm_adapter_source *source,
                                struct slm_adapter **result, slm_error *error)
{
    const struct slm_memory *memory = &model->engine->memory;
    struct piece *pieces = NULL;
    uint32_t count = 0, groups = 0;
    SLM_TRY(find_pieces(model, checkpoint, source, &pieces, &count, &groups, error));
    struct slm_carver carver = {NULL, 0};
    carve_adapter(&carver, pieces, count, groups);
    const uint64_t bytes = carver.used;
    struct slm_adapter *adapter = bytes <= SIZE_MAX ? slm__allocate(memory, (size_t)bytes, 64) : NULL;
    if (adapter == NULL) {
        return slm__fail_memory(error, bytes);
    }
    carver = (struct slm_carver){(uint8_t *)adapter, 0};
    carve_adapter(&carver, pieces, count, groups);
    const slm_status status = fill_adapter(adapter, pieces, memory, error);
    if (status != SLM_OK) {
        slm__release(memory, adapter, (size_t)bytes);
        return status;
    }
    atomic_init(&adapter->users, 0);
    adapter->model = &model->runtime;
    *result = adapter;
    return SLM_OK;
}

/* What a checkpoint's configuration would say of the model, as far as adapters need it. */
static slm_status describe_model(const struct slm_model *model, struct slm_checkpoint *checkpoint, slm_error *error)
{
    struct slm_span name = {NULL, 0};
    const struct slm_family *family = slm__meta_text(&model->file, "general.family", &name) ? slm__family_of_name(name) : NULL;
    if (family == NULL) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "the model's file does not say which family's names its adapters have (general.family)");
    }
    slm__family_config_init(&checkpoint->config, family);
    checkpoint->config.layers = model->transformer.layer_count;
    checkpoint->config.head_dim = model->transformer.layers[0].head_dim;
    return SLM_OK;
}

slm_status slm_adapter_open(slm_model *model, const char *path, uint64_t path_length, slm_adapter **adapter, slm_error *error)
{
    char name[SLM_PATH_BYTES];
    SLM_TRY(slm__require_weights(model, error));
    SLM_TRY(slm__require(adapter, "adapter", error));
    SLM_TRY(slm__path_in(path, path_length, name, error));
    const struct slm_import_context context = {&model->engine->memory, &model->engine->log, model->engine->team};
    const struct slm_adapter_choice choice = {name, 1.0};
    struct slm_checkpoint checkpoint;
    struct slm_adapter_source *source = NULL;
    slm__checkpoint_init(&checkpoint, &context);
    slm_status status = describe_model(model, &checkpoint, error);
    if (status == SLM_OK) {
        status = slm__adapter_open(&checkpoint, &choice, &source, error);
        status = status == SLM_OK ? build_adapter(model, &checkpoint, source, adapter, error) : status;
        status = status == SLM_OK ? SLM_OK : slm__fail_in(error, status, "adapter %s", name);
    }
    slm__checkpoint_free(&checkpoint);
    if (status == SLM_OK) {
        atomic_fetch_add(&model->users, 1);
    }
    return status;
}

#else

slm_status slm_adapter_open(slm_model *model, const char *path, uint64_t path_length, slm_adapter **adapter, slm_error *error)
{
    (void)model, (void)path, (void)path_length, (void)adapter;
    return slm__fail(error, SLM_E_UNSUPPORTED, "this build of libslm cannot read adapters (WITH_CONVERT=0)");
}

#endif

slm_status slm_adapter_get_info(const slm_adapter *adapter, slm_adapter_info *info, slm_error *error)
{
    SLM_REQUIRE_PART(CONVERT, "adapters", error);
    SLM_TRY(slm__require(adapter, "adapter", error));
    const slm_adapter_info known = {sizeof known, adapter->set.rank, adapter->linears, 0, adapter->parameters, adapter->bytes};
    return slm__struct_out(info, &known, sizeof known, error);
}

slm_status slm_adapter_close(slm_adapter *adapter)
{
    if (adapter == NULL) {
        return SLM_OK;
    }
    if (atomic_load(&adapter->users) != 0) {
        return SLM_E_BUSY;
    }
    const struct slm_runtime_model *model = adapter->model;
    slm__release(model->memory, adapter, (size_t)adapter->bytes);
    atomic_fetch_sub(model->users, 1);
    return SLM_OK;
}

slm_status slm_session_set_adapters(slm_session *session, slm_adapter *const *adapters, const float *weights, uint32_t count,
                                    slm_error *error)
{
    SLM_TRY(slm__require(session, "session", error));
    if (count > 0) {
        SLM_REQUIRE_PART(CONVERT, "adapters", error);
        SLM_TRY(slm__require(adapters, "adapters", error));
    }
    return !SLM_WITH_CONVERT ? SLM_OK : slm__session_set_adapters(session, adapters, weights, count, error);
}

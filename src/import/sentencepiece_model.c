/* SPDX-License-Identifier: MIT */
/* Just enough protobuf: fields in any order, unknown ones passed over, every length compared with what is there. */
#include "import/sentencepiece_model.h"

#include "base/byte_reader.h"      /* slm__load_u32 */
#include "base/utf8.h"             /* slm__utf8_valid_prefix */
#include "text/tokenizer_layout.h" /* SLM_TOKENIZER_TOKENS_MAX */

enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

/* Field numbers of ModelProto, its pieces and its two specifications. */
enum {
    MODEL_PIECES = 1,
    MODEL_TRAINER = 2,
    MODEL_NORMALIZER = 3,
    PIECE_TEXT = 1,
    PIECE_SCORE = 2,
    PIECE_TYPE = 3,
    TRAINER_TYPE = 3,
    TRAINER_SUFFIX = 24,
    TRAINER_BOS = 41,
    TRAINER_EOS = 42,
    NORMALIZER_MAP = 2,
    NORMALIZER_PREFIX = 3,
    NORMALIZER_SPACES = 4,
    NORMALIZER_ESCAPE = 5,
    TYPE_UNIGRAM = 1,
    TYPE_BPE = 2
};

struct field {
    uint64_t number;
    uint32_t wire;
    uint64_t value;        /* VARINT, 32 */
    struct slm_span bytes; /* BYTES */
};

static bool next_varint(struct slm_span message, size_t *position, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 70 && *position < message.length; shift += 7) {
        uint8_t byte = message.data[(*position)++];
        if (shift < 64) {
            *value |= (uint64_t)(byte & 0x7F) << shift;
        }
        if (byte < 0x80) {
            return true;
        }
    }
    return false;
}

/* 1: a field; 0: the end; -1: the message is malformed. */
static int next_field(struct slm_span message, size_t *position, struct field *field)
{
    uint64_t tag = 0;
    if (*position >= message.length) {
        return 0;
    }
    if (!next_varint(message, position, &tag)) {
        return -1;
    }
    field->number = tag >> 3;
    field->wire = (uint32_t)(tag & 7);
    field->value = 0;
    field->bytes = slm__span(NULL, 0);
    size_t left = message.length - *position;
    uint64_t length = field->wire == WIRE_64 ? 8 : 4;
    switch (field->wire) {
    case WIRE_VARINT: return next_varint(message, position, &field->value) ? 1 : -1;
    case WIRE_BYTES:
        if (!next_varint(message, position, &length)) {
            return -1;
        }
        left = message.length - *position;
        break;
    case WIRE_64:
    case WIRE_32: break;
    default: return -1;
    }
    if (length > left) {
        return -1;
    }
    field->bytes = slm__span(message.data + *position, (size_t)length);
    field->value = field->wire == WIRE_32 ? slm__load_u32(field->bytes.data) : 0;
    *position += (size_t)length;
    return 1;
}

static slm_status malformed(slm_error *error, const char *what)
{
    return slm__fail(error, SLM_E_BAD_VALUE, "the message is malformed in %s", what);
}

static slm_status read_piece(struct slm_sentencepiece_model *model, uint32_t id, struct slm_span message, slm_error *error)
{
    struct field field;
    size_t position = 0;
    int more = 0;
    uint64_t type = SLM_PIECE_NORMAL;
    model->texts[id] = slm__span(NULL, 0);
    model->scores[id] = 0;
    while ((more = next_field(message, &position, &field)) > 0) {
        if (field.number == PIECE_TEXT && field.wire == WIRE_BYTES && field.bytes.length > 0) {
            model->texts[id] = field.bytes;
        } else if (field.number == PIECE_SCORE && field.wire == WIRE_32) {
            uint32_t bits = (uint32_t)field.value;
            memcpy(&model->scores[id], &bits, sizeof bits);
        } else if (field.number == PIECE_TYPE && field.wire == WIRE_VARINT) {
            type = field.value;
        }
    }
    if (more < 0) {
        return malformed(error, "a piece");
    }
    if (slm__utf8_valid_prefix(model->texts[id]) != model->texts[id].length) {
        return slm__fail(error, SLM_E_ENCODING, "piece %u is not valid UTF-8", (unsigned)id);
    }
    if (type < SLM_PIECE_NORMAL || type > SLM_PIECE_BYTE || model->scores[id] != model->scores[id]) {
        return slm__fail(error, SLM_E_BAD_VALUE, "piece %u has type %llu (known are 1 to 6), or a score that is no number", (unsigned)id,
                         (unsigned long long)type);
    }
    model->types[id] = (uint8_t)type;
    return SLM_OK;
}

static slm_status read_trainer(struct slm_sentencepiece_model *model, struct slm_span message, slm_error *error)
{
    struct field field;
    size_t position = 0;
    int more = 0;
    uint64_t type = TYPE_UNIGRAM;
    bool suffix = false;
    model->bos = 1;
    model->eos = 2;
    while ((more = next_field(message, &position, &field)) > 0) {
        type = field.number == TRAINER_TYPE ? field.value : type;
        suffix = field.number == TRAINER_SUFFIX ? field.value != 0 : suffix;
        model->bos = field.number == TRAINER_BOS ? (int64_t)(int32_t)(uint32_t)field.value : model->bos;
        model->eos = field.number == TRAINER_EOS ? (int64_t)(int32_t)(uint32_t)field.value : model->eos;
    }
    if (more < 0) {
        return malformed(error, "its trainer_spec");
    }
    if (type != TYPE_BPE || suffix) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "model_type %llu%s is not supported from this file; BPE (2) is",
                         (unsigned long long)type, suffix ? " with treat_whitespace_as_suffix" : "");
    }
    return SLM_OK;
}

static slm_status read_normalizer(struct slm_sentencepiece_model *model, struct slm_span message, slm_error *error)
{
    struct field field;
    size_t position = 0;
    int more = 0;
    bool map = false;
    bool spaces = true;
    bool escape = true;
    model->space_prefix = true;
    while ((more = next_field(message, &position, &field)) > 0) {
        map |= field.number == NORMALIZER_MAP && field.bytes.length > 0;
        model->space_prefix = field.number == NORMALIZER_PREFIX ? field.value != 0 : model->space_prefix;
        spaces = field.number == NORMALIZER_SPACES ? field.value != 0 : spaces;
        escape = field.number == NORMALIZER_ESCAPE ? field.value != 0 : escape;
    }
    if (more < 0) {
        return malformed(error, "its normalizer_spec");
    }
    if (map || spaces || !escape) {
        return slm__fail(error, SLM_E_UNSUPPORTED,
                         "its normalizer_spec has a character map, remove_extra_whitespaces, or spaces that are not escaped: not supported "
                         "from this file");
    }
    return SLM_OK;
}

/* How many pieces there are; false when the message is malformed. */
static bool count_pieces(struct slm_span file, uint32_t *count)
{
    struct field field;
    size_t position = 0;
    int more = 0;
    *count = 0;
    while ((more = next_field(file, &position, &field)) > 0) {
        *count += field.number == MODEL_PIECES && field.wire == WIRE_BYTES && *count < UINT32_MAX;
    }
    return more == 0;
}

slm_status slm__sentencepiece_model_read(struct slm_span file, uint32_t room, struct slm_arena *arena,
                                         struct slm_sentencepiece_model *model, slm_error *error)
{
    uint32_t count = 0;
    memset(model, 0, sizeof *model);
    if (!count_pieces(file, &count)) {
        return malformed(error, "its fields");
    }
    if (count == 0 || count > SLM_TOKENIZER_TOKENS_MAX || room > SLM_TOKENIZER_TOKENS_MAX) {
        return slm__fail(error, SLM_E_LIMIT, "%u pieces, 1 to %d are supported", (unsigned)count, SLM_TOKENIZER_TOKENS_MAX);
    }
    size_t entries = count > room ? count : room;
    model->texts = slm__arena_take(arena, entries * sizeof *model->texts);
    model->scores = slm__arena_take(arena, entries * sizeof *model->scores);
    model->types = slm__arena_take(arena, entries);
    if (model->texts == NULL || model->scores == NULL || model->types == NULL) {
        return slm__arena_failure(arena, error);
    }
    struct slm_span empty = slm__span(NULL, 0);
    struct slm_span trainer = empty;
    struct slm_span normalizer = empty;
    struct field field;
    size_t position = 0;
    while (next_field(file, &position, &field) > 0) {
        if (field.number == MODEL_PIECES && field.wire == WIRE_BYTES) {
            SLM_TRY(read_piece(model, model->count++, field.bytes, error));
        }
        trainer = field.number == MODEL_TRAINER ? field.bytes : trainer;
        normalizer = field.number == MODEL_NORMALIZER ? field.bytes : normalizer;
    }
    SLM_TRY(read_trainer(model, trainer, error));
    return read_normalizer(model, normalizer, error);
}

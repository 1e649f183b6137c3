/* SPDX-License-Identifier: MIT */
/* Opening a .slm file: header, section table, and then the two tables (metadata.c, weight_index.c). The layout is canonical: every section
 * begins where the one before it ends, rounded up, so nothing overlaps and no byte is left that no rule speaks of. */
#include "format/weight_file.h"     /* declarations of this file */
#include "base/byte_reader.h"       /* slm__load_u32, slm__load_u64 */
#include "base/checksum.h"          /* slm__crc32c */
#include "base/memory.h"            /* slm__round_up */
#include "format/format_layout.h"   /* header layout */
#include "format/weight_sections.h" /* checks of the tables */

static slm_status check_magic(const uint8_t *data, uint64_t size, slm_error *error)
{
    const uint64_t named = SLM_HEADER_GENERATION; /* the bytes before the generation */
    if (memcmp(data, SLM_FORMAT_MAGIC, (size_t)(size < named ? size : named)) != 0) {
        return slm__fail(error, SLM_E_BAD_MAGIC, "not a .slm file: its first bytes are not the magic of this format");
    }
    if (size < SLM_HEADER_BYTES) {
        return slm__fail(error, SLM_E_TRUNCATED, "%llu bytes are shorter than the header of %d bytes", (unsigned long long)size,
                         SLM_HEADER_BYTES);
    }
    if (data[SLM_HEADER_GENERATION] != SLM_FORMAT_MAGIC[SLM_HEADER_GENERATION]) {
        return slm__fail(error, SLM_E_VERSION, "the file is of generation %u of the format, this library reads generation %d",
                         data[SLM_HEADER_GENERATION], SLM_FORMAT_MAGIC[SLM_HEADER_GENERATION]);
    }
    return SLM_OK;
}

static slm_status check_version(const uint8_t *data, slm_error *error)
{
    uint32_t version = slm__load_u32(data + SLM_HEADER_VERSION), minimum = slm__load_u32(data + SLM_HEADER_MIN_READER);
    if (minimum > SLM_FORMAT_READS) {
        return slm__fail(error, SLM_E_VERSION, "the file needs a reader of format version %u, this library reads up to version %d", minimum,
                         SLM_FORMAT_READS);
    }
    if (minimum < 1 || version < minimum) {
        return slm__fail(error, SLM_E_BAD_VALUE, "header: format version %u with minimum reader version %u is not possible", version,
                         minimum);
    }
    return SLM_OK;
}

/* CRC-32C of the header and section table, the four bytes of the checksum itself taken as zero. */
static uint32_t header_crc(const uint8_t *data, uint32_t length)
{
    static const uint8_t zeros[4] = {0};
    uint32_t crc = slm__crc32c(0, data, SLM_HEADER_CRC);
    crc = slm__crc32c(crc, zeros, sizeof zeros);
    return slm__crc32c(crc, data + SLM_HEADER_RESERVED, length - SLM_HEADER_RESERVED);
}

static slm_status check_header(const uint8_t *data, uint64_t size, slm_error *error)
{
    SLM_TRY(check_magic(data, size, error));
    SLM_TRY(check_version(data, error));
    uint32_t count = slm__load_u32(data + SLM_HEADER_SECTIONS), length = slm__load_u32(data + SLM_HEADER_LENGTH);
    if (count < 1 || count > SLM_FORMAT_MAX_SECTIONS) {
        return slm__fail(error, SLM_E_BAD_VALUE, "header: %u sections, 1 to %d are supported", count, SLM_FORMAT_MAX_SECTIONS);
    }
    if (length != SLM_HEADER_BYTES + count * SLM_ENTRY_BYTES) {
        return slm__fail(error, SLM_E_BAD_VALUE, "header: a length of %u bytes does not fit %u sections", length, count);
    }
    if (length > size) {
        return slm__fail(error, SLM_E_TRUNCATED, "%llu bytes are shorter than header and section table of %u bytes",
                         (unsigned long long)size, length);
    }
    uint32_t stored = slm__load_u32(data + SLM_HEADER_CRC), computed = header_crc(data, length);
    if (stored != computed) {
        return slm__fail(error, SLM_E_CHECKSUM, "header: checksum %08x is stored, %08x computed", stored, computed);
    }
    if (!slm__all_zero(data + SLM_HEADER_RESERVED, SLM_HEADER_BYTES - SLM_HEADER_RESERVED)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "header: reserved bytes are not zero");
    }
    uint64_t stated = slm__load_u64(data + SLM_HEADER_FILE_SIZE);
    if (stated > size) {
        return slm__fail(error, SLM_E_TRUNCATED, "the file has %llu bytes, its header says %llu", (unsigned long long)size,
                         (unsigned long long)stated);
    }
    if (stated < size) {
        return slm__fail(error, SLM_E_BAD_VALUE, "%llu bytes follow the file's end at byte %llu", (unsigned long long)(size - stated),
                         (unsigned long long)stated);
    }
    return SLM_OK;
}

/* Section `entry` begins where `*end` says, rounded up, and lies inside the file; *end moves behind it. */
static slm_status check_section(const struct slm_weight_file *file, const uint8_t *entry, uint64_t *end, slm_error *error)
{
    uint32_t id = slm__load_u32(entry + SLM_ENTRY_ID), flags = slm__load_u32(entry + SLM_ENTRY_FLAGS);
    uint64_t offset = slm__load_u64(entry + SLM_ENTRY_OFFSET), length = slm__load_u64(entry + SLM_ENTRY_LENGTH);
    if (id == 0 || (id > SLM_SECTION_DATA && (id & SLM_SECTION_OPTIONAL) == 0)) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "section %08x is unknown to this version and not optional", id);
    }
    if ((flags & ~SLM_SECTION_PAGE) != 0 || (id == SLM_SECTION_DATA && flags != SLM_SECTION_PAGE)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "section %08x: flags %08x are not legal", id, flags);
    }
    if (slm__load_u32(entry + SLM_ENTRY_RESERVED) != 0) {
        return slm__fail(error, SLM_E_BAD_VALUE, "section %08x: reserved bytes are not zero", id);
    }
    uint64_t expected = slm__round_up(*end, flags & SLM_SECTION_PAGE ? SLM_FORMAT_ALIGN_DATA : SLM_FORMAT_ALIGN_SECTION);
    if (offset != expected) {
        return slm__fail(error, SLM_E_BAD_VALUE, "section %08x: offset %llu, expected %llu", id, (unsigned long long)offset,
                         (unsigned long long)expected);
    }
    if (length == 0) {
        return slm__fail(error, SLM_E_BAD_VALUE, "section %08x is empty", id);
    }
    if (offset > file->size || length > file->size - offset) {
        return slm__fail(error, SLM_E_TRUNCATED, "section %08x: %llu bytes at offset %llu exceed the file's %llu bytes", id,
                         (unsigned long long)length, (unsigned long long)offset, (unsigned long long)file->size);
    }
    if (!slm__all_zero(file->data + *end, offset - *end)) {
        return slm__fail(error, SLM_E_BAD_VALUE, "section %08x: the padding before it is not zero", id);
    }
    *end = offset + length;
    return SLM_OK;
}

static void keep_section(struct slm_weight_file *file, const uint8_t *entry)
{
    uint64_t offset = slm__load_u64(entry + SLM_ENTRY_OFFSET), length = slm__load_u64(entry + SLM_ENTRY_LENGTH);
    struct slm_span section = slm__span(file->data + offset, (size_t)length);
    switch (slm__load_u32(entry + SLM_ENTRY_ID)) {
    case SLM_SECTION_METADATA: file->metadata = section; break;
    case SLM_SECTION_DIRECTORY: file->directory = section; break;
    case SLM_SECTION_TOKENIZER: file->tokenizer = section; break;
    case SLM_SECTION_VOCABULARY: file->vocabulary = section; break;
    case SLM_SECTION_DATA:
        file->data_offset = offset;
        file->data_length = length;
        break;
    default: break; /* optional and unknown: skipped */
    }
}

static const uint8_t *section_entry(const struct slm_weight_file *file, uint32_t index)
{
    return file->data + SLM_HEADER_BYTES + (size_t)index * SLM_ENTRY_BYTES;
}

static slm_status check_sections(struct slm_weight_file *file, slm_error *error)
{
    uint64_t end = SLM_HEADER_BYTES + (uint64_t)file->section_count * SLM_ENTRY_BYTES;
    for (uint32_t i = 0; i < file->section_count; i++) {
        const uint8_t *entry = section_entry(file, i);
        uint32_t id = slm__load_u32(entry + SLM_ENTRY_ID);
        SLM_TRY(check_section(file, entry, &end, error));
        for (uint32_t j = 0; j < i; j++) {
            if (slm__load_u32(section_entry(file, j) + SLM_ENTRY_ID) == id) {
                return slm__fail(error, SLM_E_BAD_VALUE, "section %08x occurs twice", id);
            }
        }
        keep_section(file, entry);
    }
    if (end != file->size) {
        return slm__fail(error, SLM_E_BAD_VALUE, "the file has %llu bytes, its sections end at byte %llu", (unsigned long long)file->size,
                         (unsigned long long)end);
    }
    if (file->metadata.length == 0 || file->directory.length == 0) {
        return slm__fail(error, SLM_E_BAD_VALUE, "the %s section is missing", file->metadata.length == 0 ? "metadata" : "directory");
    }
    return SLM_OK;
}

/* Metadata and directory are trusted from here on, so their checksums come first. */
static slm_status check_table_checksums(const struct slm_weight_file *file, slm_error *error)
{
    for (uint32_t i = 0; i < file->section_count; i++) {
        const uint8_t *entry = section_entry(file, i);
        uint32_t id = slm__load_u32(entry + SLM_ENTRY_ID);
        if (id == SLM_SECTION_METADATA || id == SLM_SECTION_DIRECTORY) {
            SLM_TRY(slm__section_checksum(file, i, error));
        }
    }
    return SLM_OK;
}

slm_status slm__section_checksum(const struct slm_weight_file *file, uint32_t index, slm_error *error)
{
    const uint8_t *entry = section_entry(file, index);
    uint32_t id = slm__load_u32(entry + SLM_ENTRY_ID), stored = slm__load_u32(entry + SLM_ENTRY_CRC), computed = 0;
    if (id != SLM_SECTION_DATA) { /* its tensors have checksums of their own */
        computed = slm__crc32c(0, file->data + slm__load_u64(entry + SLM_ENTRY_OFFSET), (size_t)slm__load_u64(entry + SLM_ENTRY_LENGTH));
    }
    if (stored != computed) {
        return slm__fail(error, SLM_E_CHECKSUM, "section %08x: checksum %08x is stored, %08x computed", id, stored, computed);
    }
    return SLM_OK;
}

slm_status slm__weight_file_open(struct slm_weight_file *file, const void *data, uint64_t size, slm_error *error)
{
    if (data == NULL || (uintptr_t)data % SLM_FORMAT_ALIGN_SECTION != 0) {
        return slm__fail(error, SLM_E_ARGUMENT, "the bytes of a .slm file must be aligned to %d", SLM_FORMAT_ALIGN_SECTION);
    }
    if (size > SIZE_MAX) {
        return slm__fail(error, SLM_E_LIMIT, "%llu bytes do not fit into this machine's addresses", (unsigned long long)size);
    }
    struct slm_weight_file opened = {.data = data, .size = size};
    SLM_TRY(check_header(opened.data, size, error));
    opened.section_count = slm__load_u32(opened.data + SLM_HEADER_SECTIONS);
    SLM_TRY(check_sections(&opened, error));
    SLM_TRY(check_table_checksums(&opened, error));
    SLM_TRY(slm__metadata_check(&opened, error));
    SLM_TRY(slm__directory_check(&opened, error));
    *file = opened;
    return SLM_OK;
}

/* SPDX-License-Identifier: MIT */
/* Lines end in LF or CRLF; empty ones are passed over. */
#include "import/tiktoken_ranks.h"

#include "import/base64.h"         /* slm__base64_decode */
#include "text/tokenizer_layout.h" /* SLM_TOKENIZER_TOKENS_MAX */

/* The line at *position without its end; false at the end of the file. */
static bool next_line(struct slm_span file, size_t *position, struct slm_span *line)
{
    if (*position >= file.length) {
        return false;
    }
    const uint8_t *start = file.data + *position;
    const uint8_t *end = memchr(start, '\n', file.length - *position);
    size_t length = end == NULL ? file.length - *position : (size_t)(end - start);
    *position += length + 1;
    *line = slm__span(start, length > 0 && start[length - 1] == '\r' ? length - 1 : length);
    return true;
}

/* Cut a line into base64 and rank; false when it is no such line. */
static bool cut_line(struct slm_span line, struct slm_span *base64, uint32_t *rank)
{
    const uint8_t *space = line.length == 0 ? NULL : memchr(line.data, ' ', line.length);
    if (space == NULL || space + 1 == line.data + line.length) {
        return false;
    }
    *base64 = slm__span(line.data, (size_t)(space - line.data));
    *rank = 0;
    for (const uint8_t *digit = space + 1; digit < line.data + line.length; digit++) {
        if (*digit < '0' || *digit > '9' || *rank > SLM_TOKENIZER_TOKENS_MAX) {
            return false;
        }
        *rank = *rank * 10 + (uint32_t)(*digit - '0');
    }
    return base64->length > 0 && base64->length % 4 == 0;
}

bool slm__tiktoken_likely(struct slm_span file)
{
    struct slm_span line;
    struct slm_span base64;
    uint32_t rank = 0;
    uint8_t bytes[256];
    size_t count = 0;
    size_t position = 0;
    return next_line(file, &position, &line) && cut_line(line, &base64, &rank) && base64.length <= sizeof bytes &&
           slm__base64_decode(base64, bytes, &count);
}

static slm_status read_line(struct slm_tiktoken_ranks *ranks, struct slm_span line, uint32_t number, struct slm_arena *arena,
                            slm_error *error)
{
    struct slm_span base64;
    uint32_t rank = 0;
    size_t count = 0;
    if (!cut_line(line, &base64, &rank)) {
        return slm__fail(error, SLM_E_SYNTAX, "line %u is not base64, a space and a rank", (unsigned)number);
    }
    uint8_t *bytes = slm__arena_take(arena, slm__base64_limit(base64.length));
    if (bytes == NULL) {
        return slm__arena_failure(arena, error);
    }
    if (!slm__base64_decode(base64, bytes, &count)) {
        return slm__fail(error, SLM_E_SYNTAX, "line %u: its token is no base64", (unsigned)number);
    }
    if (rank >= ranks->count || ranks->tokens[rank].text.data != NULL) {
        return slm__fail(error, SLM_E_BAD_VALUE, "line %u: rank %u occurs twice, or is not below the number of lines", (unsigned)number,
                         (unsigned)rank);
    }
    ranks->tokens[rank].text = slm__span(bytes, count);
    ranks->tokens[rank].in_model = true;
    return SLM_OK;
}

slm_status slm__tiktoken_read(struct slm_span file, uint32_t room, struct slm_arena *arena, struct slm_tiktoken_ranks *ranks,
                              slm_error *error)
{
    struct slm_span line;
    ranks->count = 0;
    for (size_t position = 0; next_line(file, &position, &line);) {
        ranks->count += line.length > 0;
    }
    if (ranks->count > SLM_TOKENIZER_TOKENS_MAX || room > SLM_TOKENIZER_TOKENS_MAX) {
        return slm__fail(error, SLM_E_LIMIT, "more than %d tokens", SLM_TOKENIZER_TOKENS_MAX);
    }
    ranks->tokens = slm__arena_take(arena, (size_t)(ranks->count > room ? ranks->count : room) * sizeof *ranks->tokens);
    if (ranks->tokens == NULL) {
        return slm__arena_failure(arena, error);
    }
    uint32_t number = 0;
    for (size_t position = 0; next_line(file, &position, &line);) {
        number++;
        if (line.length > 0) {
            SLM_TRY(read_line(ranks, line, number, arena, error));
        }
    }
    return SLM_OK;
}

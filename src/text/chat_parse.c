/* SPDX-License-Identifier: MIT */
/*
 * The parser proper. It is in one of three states: in content, in a block of reasoning, in a region that may be a call. In the first two
 * it looks for markers and holds back the white space at the end of what it has seen, and the start of what may become a marker; in the
 * third everything is held back until the region is complete or broken.
 */
#include "text/chat_parse.h"

enum { TOOLS_MEMORY = 64 << 20 };

/* The object itself, as a call: its first byte belongs to it. */
static const struct slm_chat_marker bare_call = {"{", SLM_CHAT_JSON, NULL, false, 1};

static void begin(struct slm_chat_parser *p, enum slm_chat_state state)
{
    p->state = state;
    p->fresh = true;
    p->solid = p->given;
    p->scan = p->given;
}

static void drop_calls(struct slm_chat_parser *p)
{
    slm__buffer_free(&p->calls.text);
    slm__buffer_free(&p->calls.list);
    slm__buffer_init(&p->calls.text, &p->memory, SIZE_MAX);
    slm__buffer_init(&p->calls.list, &p->memory, SIZE_MAX);
    p->call_count = 0;
    p->call_next = 0;
}

void slm__chat_parser_reset(struct slm_chat_parser *p)
{
    drop_calls(p);
    p->length = 0;
    p->ended = false;
    p->given = 0;
    p->in_answer_block = false;
    p->close = NULL;
    p->first = true;
    begin(p, p->starts_in_reasoning ? SLM_CHAT_IN_REASONING : SLM_CHAT_IN_CONTENT);
}

static slm_status read_tools(struct slm_chat_parser *p, struct slm_span tools, slm_error *error)
{
    char *copy = slm__arena_text(&p->tools_memory, tools);
    if (copy == NULL) {
        return slm__arena_failure(&p->tools_memory, error);
    }
    const slm_status status = slm__json_parse(&p->tools_memory, slm__span(copy, tools.length), &p->tools, error);
    return status == SLM_OK ? SLM_OK : slm__fail_in(error, status, "tools");
}

slm_status slm__chat_parser_create(const struct slm_memory *memory, const struct slm_chat_parser_options *options,
                                   struct slm_chat_parser **parser, slm_error *error)
{
    size_t bytes = 0;
    if (!slm__size_add(sizeof(struct slm_chat_parser), options->max_bytes, &bytes)) {
        return slm__fail_memory(error, UINT64_MAX);
    }
    struct slm_chat_parser *p = slm__allocate(memory, bytes, 64);
    if (p == NULL) {
        return slm__fail_memory(error, bytes);
    }
    memset(p, 0, sizeof *p);
    p->memory = *memory;
    p->format = slm__chat_format(options->format);
    p->bytes = bytes;
    p->capacity = options->max_bytes;
    p->starts_in_reasoning = options->in_reasoning;
    p->next_call = options->first_call;
    slm__arena_init(&p->tools_memory, memory, TOOLS_MEMORY);
    slm__chat_parser_reset(p);
    const slm_status status = options->tools.length > 0 ? read_tools(p, options->tools, error) : SLM_OK;
    if (status != SLM_OK) {
        slm__chat_parser_destroy(p);
        return status;
    }
    *parser = p;
    return SLM_OK;
}

void slm__chat_parser_destroy(struct slm_chat_parser *p)
{
    if (p != NULL) {
        const struct slm_memory memory = p->memory;
        drop_calls(p);
        slm__arena_free(&p->tools_memory);
        slm__release(&memory, p, p->bytes);
    }
}

slm_status slm__chat_parser_add(struct slm_chat_parser *p, struct slm_span text, slm_error *error)
{
    if (p->ended) {
        return slm__fail(error, SLM_E_STATE, "the answer has ended; reset the parser to begin another");
    }
    if (text.length > p->capacity - p->length) {
        return slm__fail(error, SLM_E_LIMIT, "the answer has more than the parser's %llu bytes (max_bytes)",
                         (unsigned long long)p->capacity);
    }
    if (text.length > 0) {
        memcpy(p->text + p->length, text.data, text.length);
        p->length += text.length;
    }
    return SLM_OK;
}

void slm__chat_parser_end(struct slm_chat_parser *p) { p->ended = true; }

/* ---- events ---- */

/* Give out everything before `end`. */
static bool give(struct slm_chat_parser *p, slm_chat_event *event, int32_t kind, size_t end)
{
    event->kind = kind;
    event->text = (const char *)p->text + p->given;
    event->text_length = end - p->given;
    p->given = end;
    if (kind == SLM_CHAT_EVENT_CONTENT) {
        p->first = false;
    }
    return true;
}

/* "call00001": nine letters and digits, which every template accepts as an id. */
static void make_id(struct slm_chat_parser *p, slm_chat_event *event)
{
    char digits[10];
    uint32_t value = p->next_call;
    size_t count = 0;
    for (; value > 0 || count < 5; value /= 10) {
        digits[count++] = (char)('0' + value % 10);
    }
    memcpy(p->id, "call", 4);
    for (size_t i = 0; i < count; i++) {
        p->id[4 + i] = digits[count - 1 - i];
    }
    event->id = p->id;
    event->id_length = 4 + count;
}

/* The next call that was read; the first one's text is the region. */
static bool give_call(struct slm_chat_parser *p, slm_chat_event *event)
{
    struct slm_chat_call call;
    const char *text = (const char *)p->calls.text.data;
    memcpy(&call, p->calls.list.data + p->call_next * sizeof call, sizeof call);
    (void)give(p, event, SLM_CHAT_EVENT_CALL, p->region.end);
    event->name = text + call.name.start;
    event->name_length = call.name.length;
    event->arguments = text + call.arguments.start;
    event->arguments_length = call.arguments.length;
    event->id = text + call.id.start;
    event->id_length = call.id.length;
    if (call.id.length == 0) {
        make_id(p, event);
    }
    p->next_call++;
    if (++p->call_next == p->call_count) {
        p->first = false;
        begin(p, SLM_CHAT_IN_CONTENT);
    }
    return true;
}

/* ---- content and reasoning ---- */

static struct slm_span all_text(const struct slm_chat_parser *p) { return slm__span(p->text, p->length); }

/* A marker at `at`: where it ends, or 0. *more: perhaps, but the text ends. */
static size_t match(const struct slm_chat_parser *p, size_t at, const char *marker, bool *more)
{
    const enum slm_chat_found found = slm__chat_literal(all_text(p), at, marker);
    *more |= found == SLM_CHAT_MORE && !p->ended;
    return found == SLM_CHAT_YES ? at + strlen(marker) : 0;
}

/* The marker of a block at `at`: an opening one where a block may begin, the closing one of content that is in a block. */
static size_t match_block(const struct slm_chat_parser *p, size_t at, const struct slm_chat_block **block, bool *more)
{
    for (size_t i = 0; i < p->format->block_count; i++) {
        *block = &p->format->blocks[i];
        size_t end = p->fresh ? match(p, at, (*block)->open, more) : 0;
        if (end == 0 && !(*block)->reasoning && p->in_answer_block) {
            end = match(p, at, (*block)->close, more);
        }
        if (end != 0) {
            return end;
        }
    }
    return 0;
}

static const struct slm_chat_marker *match_call(const struct slm_chat_parser *p, size_t at, bool *more)
{
    for (size_t i = 0; i < p->format->call_count; i++) {
        if (match(p, at, p->format->calls[i].text, more) != 0) {
            return &p->format->calls[i];
        }
    }
    return p->format->bare_calls && p->fresh && p->text[at] == '{' ? &bare_call : NULL;
}

static size_t match_close(const struct slm_chat_parser *p, size_t at, bool *more)
{
    for (size_t i = 0; i < p->format->block_count; i++) {
        const struct slm_chat_block *block = &p->format->blocks[i];
        const bool fits = block->reasoning && (p->close == NULL || strcmp(p->close, block->close) == 0);
        const size_t end = fits ? match(p, at, block->close, more) : 0;
        if (end != 0) {
            return end;
        }
    }
    return 0;
}

/* White space, and the semicolons between bare calls. */
static bool is_filler(const struct slm_chat_parser *p, uint8_t byte)
{
    return slm__chat_is_space(byte) || (byte == ';' && p->format->bare_calls && p->fresh && !p->first && p->state == SLM_CHAT_IN_CONTENT);
}

/* What stands at the next byte that is no filler. */
struct sight {
    size_t end; /* of a block's marker, or 0 */
    const struct slm_chat_block *block;
    const struct slm_chat_marker *call;
    bool more; /* the text ends in what may be a marker */
};

static struct sight look(const struct slm_chat_parser *p, size_t at)
{
    struct sight sight = {0, NULL, NULL, false};
    if (p->state == SLM_CHAT_IN_REASONING) {
        sight.end = match_close(p, at, &sight.more);
        return sight;
    }
    sight.end = match_block(p, at, &sight.block, &sight.more);
    if (sight.end == 0) {
        sight.call = match_call(p, at, &sight.more);
    }
    return sight;
}

/* Go on to the next marker or to the end of what is there. false: at its end, nothing found. */
static bool find_marker(struct slm_chat_parser *p, struct sight *sight)
{
    for (; p->scan < p->length; p->scan++) {
        if (is_filler(p, p->text[p->scan])) {
            continue;
        }
        *sight = look(p, p->scan);
        if (sight->end != 0 || sight->call != NULL) {
            return true;
        }
        if (sight->more) {
            return false;
        }
        if (p->fresh && (p->state == SLM_CHAT_IN_REASONING || !p->first) && p->scan > p->given) {
            p->fresh = false;
            p->solid = p->given; /* the white space before is given out on its own */
            return false;
        }
        p->fresh = false;
        p->solid = p->scan + 1;
    }
    return false;
}

/* A block's marker that ends at sight->end: give it out and change the state. */
static bool pass_marker(struct slm_chat_parser *p, slm_chat_event *event, const struct sight *sight)
{
    (void)give(p, event, SLM_CHAT_EVENT_MARK, sight->end);
    p->first = false;
    if (p->state == SLM_CHAT_IN_REASONING) {
        begin(p, SLM_CHAT_IN_CONTENT);
    } else if (sight->block->reasoning) {
        p->close = sight->block->close;
        begin(p, SLM_CHAT_IN_REASONING);
    } else {
        p->in_answer_block = !p->in_answer_block;
        begin(p, SLM_CHAT_IN_CONTENT);
    }
    return true;
}

/* An event of content or reasoning; false: none, or the state has changed to a region. */
static bool next_text(struct slm_chat_parser *p, slm_chat_event *event)
{
    const int32_t kind = p->state == SLM_CHAT_IN_REASONING ? SLM_CHAT_EVENT_REASONING : SLM_CHAT_EVENT_CONTENT;
    struct sight sight = {0, NULL, NULL, false};
    const bool was_fresh = p->fresh;
    const bool found = find_marker(p, &sight);
    if (was_fresh && !p->fresh && p->solid == p->given && p->scan > p->given) {
        return give(p, event, SLM_CHAT_EVENT_MARK, p->scan);
    }
    if (p->solid > p->given) {
        return give(p, event, kind, p->solid);
    }
    if (found && sight.end != 0) {
        return pass_marker(p, event, &sight);
    }
    if (found) {
        slm__chat_region_begin(&p->region, sight.call, p->scan, p->format->json_in_code);
        p->state = SLM_CHAT_IN_REGION;
        return false;
    }
    if (p->ended && p->given < p->length) {
        const bool is_mark = p->state == SLM_CHAT_IN_REASONING || (p->fresh && !p->first);
        return give(p, event, is_mark ? SLM_CHAT_EVENT_MARK : kind, p->length);
    }
    return false;
}

/* ---- regions ---- */

/* Give a region that is no call back as content, up to `end`; white space there is looked at again. */
static bool give_back(struct slm_chat_parser *p, slm_chat_event *event, size_t end)
{
    while (slm__chat_is_space(p->text[end - 1])) {
        end--; /* the region begins with its marker */
    }
    (void)give(p, event, SLM_CHAT_EVENT_CONTENT, end);
    begin(p, SLM_CHAT_IN_CONTENT);
    p->fresh = false;
    return true;
}

/* *has_event: false when more text is needed. */
static slm_status next_of_region(struct slm_chat_parser *p, slm_chat_event *event, bool *has_event, slm_error *error)
{
    if (p->call_count == 0) {
        bool is_call = false;
        const enum slm_chat_found found = slm__chat_region_scan(&p->region, all_text(p), p->ended);
        if (found != SLM_CHAT_YES) {
            *has_event = found == SLM_CHAT_NO && give_back(p, event, p->region.at);
            return SLM_OK;
        }
        const slm_status status =
            slm__chat_calls_read(&p->memory, &p->region, all_text(p), p->region.marker == &bare_call, p->tools, &p->calls, &is_call, error);
        if (status != SLM_OK || !is_call) {
            drop_calls(p);
            *has_event = status == SLM_OK && give_back(p, event, p->region.end);
            return status;
        }
        p->call_count = p->calls.list.length / sizeof(struct slm_chat_call);
    }
    *has_event = p->given < p->region.start ? give(p, event, SLM_CHAT_EVENT_MARK, p->region.start) : give_call(p, event);
    return SLM_OK;
}

slm_status slm__chat_parser_next(struct slm_chat_parser *p, slm_chat_event *event, slm_error *error)
{
    bool has_event = false;
    *event = (slm_chat_event){.struct_size = event->struct_size};
    if (p->call_count > 0 && p->call_next == p->call_count) {
        drop_calls(p);
    }
    if (p->state != SLM_CHAT_IN_REGION) {
        has_event = next_text(p, event);
    }
    if (!has_event && p->state == SLM_CHAT_IN_REGION) {
        SLM_TRY(next_of_region(p, event, &has_event, error));
    }
    event->pending = p->length - p->given;
    return SLM_OK;
}

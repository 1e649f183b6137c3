/* SPDX-License-Identifier: MIT */
/* From a request to the prompt: the variables that a template sees, by the rules of transformers, and the attempts with changed messages
 * when the given ones do not fit the template. */
#include "text/chat_template.h" /* slm__chat_render */

#include "base/json.h"             /* slm__json_parse */
#include "text/chat_messages.h"    /* slm__chat_change */
#include "text/template_eval.h"    /* slm__te_exec */
#include "text/template_machine.h" /* struct slm_tmachine */

static void machine_init(struct slm_tmachine *m, const struct slm_memory *memory, const struct slm_template_options *options,
                         slm_error *error)
{
    memset(m, 0, sizeof *m);
    slm__arena_init(&m->arena, memory, options->memory_limit != 0 ? options->memory_limit : SLM_T_MEMORY_LIMIT);
    m->error = error;
    m->step_limit = options->step_limit != 0 ? options->step_limit : SLM_T_STEP_LIMIT;
    m->output_limit = options->output_limit != 0 ? options->output_limit : SLM_T_OUTPUT_LIMIT;
    m->now = options->now;
    m->line = 1;
}

/* Parse and run `source` over the variables in m->scope. */
static slm_status run_template(struct slm_tmachine *m, struct slm_span source, struct slm_tvalue *text)
{
    const struct slm_tnode *body = NULL;
    struct slm_tscope *scope = NULL;
    SLM_TRY(slm__template_parse(m, source, &body));
    SLM_TRY(slm__tm_scope(m, m->scope, &scope));
    return slm__te_capture(m, body, scope, text);
}

/* Append a text and its pieces. */
static slm_status hand_out(const struct slm_tstring *text, struct slm_buffer *out, struct slm_buffer *pieces, slm_error *error)
{
    size_t length = out->length;
    slm__buffer_append(out, text->data, text->length);
    for (size_t from = 0; pieces != NULL && from < text->length;) {
        struct slm_template_piece piece;
        size_t end = 0;
        memset(&piece, 0, sizeof piece);
        piece.trusted = slm__ts_origin(text, from, &end);
        piece.offset = length + from;
        piece.length = end - from;
        slm__buffer_append(pieces, &piece, sizeof piece);
        from = end;
    }
    if (out->status == SLM_OK && pieces != NULL && pieces->status != SLM_OK) {
        out->length = length;
        return slm__buffer_failure(pieces, error);
    }
    return out->status == SLM_OK ? SLM_OK : slm__buffer_failure(out, error);
}

/* Every member of `json` becomes a variable; members whose name ends in "_token" are trusted, the others are when `trusted`. */
static slm_status set_variables(struct slm_tmachine *m, const struct slm_json *json, bool trusted)
{
    static const char suffix[] = "_token";
    for (uint32_t i = 0; json != NULL && json->type == SLM_JSON_OBJECT && i < json->count; i++) {
        struct slm_span name = json->keys[i];
        struct slm_tvalue value;
        size_t length = sizeof suffix - 1;
        bool token = name.length > length && memcmp(name.data + name.length - length, suffix, length) == 0;
        SLM_TRY(slm__tv_from_json(m, &json->items[i], trusted || token, &value));
        SLM_TRY(slm__tm_set(m, m->scope, name, value));
    }
    return SLM_OK;
}

static slm_status render_variables(struct slm_tmachine *m, struct slm_span source, struct slm_span variables_json, struct slm_tvalue *text)
{
    const struct slm_json *variables = NULL;
    SLM_TRY(slm__json_parse(&m->arena, variables_json, &variables, m->error));
    SLM_TRY(slm__tm_scope(m, NULL, &m->scope));
    SLM_TRY(set_variables(m, variables, false));
    return run_template(m, source, text);
}

slm_status slm__template_render(const struct slm_memory *memory, struct slm_span source, struct slm_span variables_json,
                                const struct slm_template_options *options, struct slm_buffer *out, slm_error *error)
{
    struct slm_tmachine machine;
    struct slm_tvalue text;
    machine_init(&machine, memory, options, error);
    slm_status status = render_variables(&machine, source, variables_json, &text);
    if (status == SLM_OK) {
        status = hand_out(text.as.string, out, options->pieces, error);
    }
    slm__arena_free(&machine.arena);
    return status;
}

/* ---- chats ---- */

/* What stays the same over all attempts. */
struct chat {
    const struct slm_memory *memory;
    const struct slm_template_options *options;
    struct slm_span source;
    const struct slm_json *request;
    const struct slm_json *tokens;
};

/* One rendering that was made. */
struct attempt {
    slm_status status;
    size_t damage;
    struct slm_buffer text;
    struct slm_buffer pieces;
    slm_error error;
};

/* The first of the three names that a message's reasoning goes by, or NULL. */
static const struct slm_json *find_reasoning(const struct slm_json *message)
{
    static const char *const names[] = {"reasoning_content", "thinking", "reasoning"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct slm_json *found = slm__json_present(message, names[i]);
        if (found != NULL) {
            return found;
        }
    }
    return NULL;
}

static slm_status set_member(struct slm_tmachine *m, struct slm_tvalue object, struct slm_span name, const struct slm_json *json,
                             bool trusted)
{
    struct slm_tvalue key;
    struct slm_tvalue value;
    SLM_TRY(slm__ts_make(m, name, false, &key));
    SLM_TRY(slm__tv_from_json(m, json, trusted, &value));
    return slm__tv_dict_set(m, object.as.dict, key, value);
}

/* A role that every API knows is a choice of the program, not text of somebody: templates make tokens of it, '<|' + role + '|>'. */
static bool is_known_role(const struct slm_json *message, uint32_t member)
{
    static const char *const roles[] = {"system", "developer", "user", "assistant", "tool", "function", "ipython"};
    if (!slm__span_is(message->keys[member], "role") || message->items[member].type != SLM_JSON_STRING) {
        return false;
    }
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        if (slm__span_is(message->items[member].text, roles[i])) {
            return true;
        }
    }
    return false;
}

/* A message as the template sees it: keys with null are dropped; reasoning is there as `thinking` and `reasoning_content`. */
static slm_status make_message(struct slm_tmachine *m, const struct slm_json *json, struct slm_tvalue *out)
{
    const struct slm_json *reasoning = find_reasoning(json);
    SLM_TRY(slm__tv_dict(m, SLM_T_DICT, json->count + 2, out));
    if (reasoning != NULL) {
        SLM_TRY(set_member(m, *out, slm__span_text("thinking"), reasoning, false));
    }
    for (uint32_t i = 0; i < json->count; i++) {
        if (json->items[i].type != SLM_JSON_NULL) {
            SLM_TRY(set_member(m, *out, json->keys[i], &json->items[i], is_known_role(json, i)));
        }
    }
    return reasoning != NULL ? set_member(m, *out, slm__span_text("reasoning_content"), reasoning, false) : SLM_OK;
}

static slm_status make_messages(struct slm_tmachine *m, const struct slm_json *request, struct slm_tvalue *out)
{
    const struct slm_json *messages = slm__json_get(request, "messages");
    SLM_TRY(slm__tv_list(m, SLM_T_LIST, messages->count, out));
    for (uint32_t i = 0; i < messages->count; i++) {
        struct slm_tvalue message;
        SLM_TRY(make_message(m, &messages->items[i], &message));
        SLM_TRY(slm__tv_append(m, *out, message));
    }
    return SLM_OK;
}

static slm_status set_named(struct slm_tmachine *m, const char *name, struct slm_tvalue value)
{
    return slm__tm_set(m, m->scope, slm__span_text(name), value);
}

/* tools, documents and add_generation_prompt are always there; absent ones are none, none and true. */
static slm_status set_request(struct slm_tmachine *m, const struct slm_json *request)
{
    static const char *const lists[] = {"tools", "documents"};
    const struct slm_json *prompt = slm__json_present(request, "add_generation_prompt");
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        const struct slm_json *json = slm__json_present(request, lists[i]);
        struct slm_tvalue value = slm__tv_none();
        if (json != NULL) {
            SLM_TRY(slm__tv_from_json(m, json, false, &value));
        }
        SLM_TRY(set_named(m, lists[i], value));
    }
    struct slm_tvalue value = slm__tv_bool(true);
    if (prompt != NULL) {
        SLM_TRY(slm__tv_from_json(m, prompt, false, &value));
    }
    return set_named(m, "add_generation_prompt", value);
}

/* Render with `changes` to the messages; *possible receives the changes that would alter something. */
static slm_status render_chat(struct slm_tmachine *m, const struct chat *chat, unsigned changes, struct slm_tvalue *text, size_t *damage,
                              unsigned *possible)
{
    struct slm_tvalue given;
    struct slm_tvalue messages;
    SLM_TRY(slm__tm_scope(m, NULL, &m->scope));
    SLM_TRY(make_messages(m, chat->request, &given));
    *possible = chat->options->strict ? 0 : slm__chat_changes(given);
    messages = given;
    if (changes != 0) {
        SLM_TRY(slm__chat_change(m, given, changes, &messages));
    }
    SLM_TRY(set_variables(m, chat->tokens, true));
    SLM_TRY(set_request(m, chat->request));
    SLM_TRY(set_named(m, "messages", messages));
    SLM_TRY(set_variables(m, slm__json_present(chat->request, "extra"), false));
    SLM_TRY(run_template(m, chat->source, text));
    m->steps = 0;
    return *possible != 0 ? slm__chat_damage(m, given, slm__ts_span(text->as.string), damage) : SLM_OK;
}

static void attempt_init(struct attempt *attempt, const struct slm_memory *memory)
{
    memset(attempt, 0, sizeof *attempt);
    attempt->error.struct_size = sizeof attempt->error;
    slm__buffer_init(&attempt->text, memory, SIZE_MAX);
    slm__buffer_init(&attempt->pieces, memory, SIZE_MAX);
}

static void attempt_free(struct attempt *attempt)
{
    slm__buffer_free(&attempt->text);
    slm__buffer_free(&attempt->pieces);
}

static void attempt_run(struct attempt *attempt, const struct chat *chat, unsigned changes, unsigned *possible)
{
    struct slm_tmachine machine;
    struct slm_tvalue text;
    attempt_init(attempt, chat->memory);
    machine_init(&machine, chat->memory, chat->options, &attempt->error);
    attempt->status = render_chat(&machine, chat, changes, &text, &attempt->damage, possible);
    if (attempt->status == SLM_OK) {
        attempt->status =
            hand_out(text.as.string, &attempt->text, chat->options->pieces != NULL ? &attempt->pieces : NULL, &attempt->error);
    }
    slm__arena_free(&machine.arena);
}

/* Try changes from the smallest number of them on, and keep the best rendering. The first failure stays when all fail. */
static void improve(struct attempt *best, const struct chat *chat, unsigned possible)
{
    static const uint8_t order[] = {1, 2, 4, 8, 5, 6, 9, 10, 12, 13, 14};
    for (size_t i = 0; i < sizeof order; i++) {
        struct attempt attempt;
        unsigned unused = 0;
        bool hopeless = best->status != SLM_OK && best->status != SLM_E_TEMPLATE;
        if (hopeless || (best->status == SLM_OK && best->damage == 0)) {
            return;
        }
        if ((order[i] & ~possible) != 0) {
            continue;
        }
        attempt_run(&attempt, chat, order[i], &unused);
        bool out_of_resources = attempt.status != SLM_OK && attempt.status != SLM_E_TEMPLATE;
        bool better = attempt.status == SLM_OK && (best->status != SLM_OK || attempt.damage < best->damage);
        if (better || out_of_resources) {
            struct attempt swap = *best;
            *best = attempt;
            attempt = swap;
        }
        attempt_free(&attempt);
    }
}

/* The request is an object with a list of messages, each an object; tools and documents are lists of objects, extra is an object. */
static slm_status check_request(const struct slm_json *request, slm_error *error)
{
    static const char *const lists[] = {"messages", "tools", "documents"};
    if (request->type != SLM_JSON_OBJECT) {
        return slm__fail(error, SLM_E_BAD_VALUE, "the chat request is not a JSON object");
    }
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        const struct slm_json *list = slm__json_present(request, lists[i]);
        if (list == NULL && i > 0) {
            continue;
        }
        if (list == NULL || list->type != SLM_JSON_ARRAY || (i == 0 && list->count == 0)) {
            return slm__fail(error, SLM_E_BAD_VALUE, "\"%s\" of the chat request has to be a list%s", lists[i],
                             i == 0 ? " with at least one message" : "");
        }
        for (uint32_t k = 0; k < list->count; k++) {
            if (list->items[k].type != SLM_JSON_OBJECT) {
                return slm__fail(error, SLM_E_BAD_VALUE, "\"%s\" of the chat request: item %u is not an object", lists[i], (unsigned)k);
            }
        }
    }
    const struct slm_json *extra = slm__json_present(request, "extra");
    if (extra != NULL && extra->type != SLM_JSON_OBJECT) {
        return slm__fail(error, SLM_E_BAD_VALUE, "\"extra\" of the chat request has to be an object");
    }
    return SLM_OK;
}

static slm_status read_request(struct slm_arena *arena, struct chat *chat, struct slm_span request, struct slm_span tokens_json,
                               slm_error *error)
{
    SLM_TRY(slm__json_parse(arena, request, &chat->request, error));
    if (tokens_json.length > 0) {
        SLM_TRY(slm__json_parse(arena, tokens_json, &chat->tokens, error));
    }
    return check_request(chat->request, error);
}

/* Append the best attempt, or report its failure. */
static slm_status hand_out_attempt(const struct attempt *best, struct slm_buffer *out, struct slm_buffer *pieces, slm_error *error)
{
    size_t length = out->length;
    if (best->status != SLM_OK) {
        return slm__fail(error, best->status, "%s", best->error.message);
    }
    slm__buffer_append(out, best->text.data, best->text.length);
    if (out->status != SLM_OK) {
        return slm__buffer_failure(out, error);
    }
    for (size_t at = 0; pieces != NULL && at < best->pieces.length; at += sizeof(struct slm_template_piece)) {
        struct slm_template_piece piece;
        memcpy(&piece, best->pieces.data + at, sizeof piece);
        piece.offset += length;
        slm__buffer_append(pieces, &piece, sizeof piece);
    }
    if (pieces != NULL && pieces->status != SLM_OK) {
        out->length = length;
        return slm__buffer_failure(pieces, error);
    }
    return SLM_OK;
}

slm_status slm__chat_render(const struct slm_memory *memory, struct slm_span source, struct slm_span request, struct slm_span tokens_json,
                            const struct slm_template_options *options, struct slm_buffer *out, slm_error *error)
{
    struct slm_arena arena;
    struct chat chat = {memory, options, source, NULL, NULL};
    slm__arena_init(&arena, memory, options->memory_limit != 0 ? options->memory_limit : SLM_T_MEMORY_LIMIT);
    slm_status status = read_request(&arena, &chat, request, tokens_json, error);
    if (status == SLM_OK) {
        struct attempt best;
        unsigned possible = 0;
        attempt_run(&best, &chat, 0, &possible);
        improve(&best, &chat, possible);
        status = hand_out_attempt(&best, out, options->pieces, error);
        attempt_free(&best);
    }
    slm__arena_free(&arena);
    return status;
}

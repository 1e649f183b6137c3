/* SPDX-License-Identifier: MIT */
/* Small changes to messages, and how to see that a rendering needs them. */
#include "text/chat_messages.h" /* slm__chat_changes */

#include "base/json.h"              /* slm__json_parse */
#include "text/template_builtins.h" /* slm__filter_tojson, slm__template_strip */

static const struct slm_tvalue *member(struct slm_tvalue object, const char *name)
{
    return object.kind == SLM_T_DICT ? slm__tv_dict_find_text(object.as.dict, slm__span_text(name)) : NULL;
}

/* The tool calls of a message, or NULL when there are none. */
static const struct slm_tlist *tool_calls(struct slm_tvalue message)
{
    const struct slm_tvalue *calls = member(message, "tool_calls");
    return calls != NULL && calls->kind == SLM_T_LIST && calls->as.list->count > 0 ? calls->as.list : NULL;
}

/* What a call calls: its "function", or the call itself in the short form. */
static struct slm_tvalue called_function(struct slm_tvalue call)
{
    const struct slm_tvalue *function = member(call, "function");
    return function != NULL && function->kind == SLM_T_DICT ? *function : call;
}

/* Arguments that are a text which looks like a JSON object, or NULL. */
static const struct slm_tvalue *text_arguments(struct slm_tvalue call)
{
    const struct slm_tvalue *arguments = member(called_function(call), "arguments");
    if (arguments == NULL || arguments->kind != SLM_T_STRING) {
        return NULL;
    }
    struct slm_span text = slm__ts_span(arguments->as.string);
    size_t at = 0;
    while (at < text.length && strchr(" \t\r\n", text.data[at]) != NULL && text.data[at] != 0) {
        at++;
    }
    return at < text.length && text.data[at] == '{' ? arguments : NULL;
}

/* Content that is a list of text parts only, or NULL. */
static const struct slm_tlist *text_parts(struct slm_tvalue message)
{
    const struct slm_tvalue *content = member(message, "content");
    if (content == NULL || content->kind != SLM_T_LIST || content->as.list->count == 0) {
        return NULL;
    }
    for (size_t i = 0; i < content->as.list->count; i++) {
        struct slm_tvalue part = content->as.list->items[i];
        const struct slm_tvalue *type = member(part, "type");
        const struct slm_tvalue *text = member(part, "text");
        if (type == NULL || !slm__ts_is(*type, "text") || text == NULL || text->kind != SLM_T_STRING) {
            return NULL;
        }
    }
    return content->as.list;
}

unsigned slm__chat_changes(struct slm_tvalue messages)
{
    unsigned changes = 0;
    for (size_t i = 0; i < messages.as.list->count; i++) {
        struct slm_tvalue message = messages.as.list->items[i];
        const struct slm_tlist *calls = tool_calls(message);
        if (calls != NULL && member(message, "content") == NULL) {
            changes |= SLM_CHAT_CONTENT_EMPTY | SLM_CHAT_CONTENT_NONE;
        }
        if (text_parts(message) != NULL) {
            changes |= SLM_CHAT_PARTS_JOINED;
        }
        for (size_t k = 0; calls != NULL && k < calls->count; k++) {
            if (text_arguments(calls->items[k]) != NULL) {
                changes |= SLM_CHAT_ARGUMENTS_OBJECT;
            }
        }
    }
    return changes;
}

/* A copy of a mapping with one value replaced or added. */
static slm_status with_member(struct slm_tmachine *m, struct slm_tvalue object, const char *name, struct slm_tvalue value,
                              struct slm_tvalue *out)
{
    struct slm_tvalue copy;
    struct slm_tvalue key;
    const struct slm_tdict *dict = object.as.dict;
    SLM_TRY(slm__tv_dict(m, SLM_T_DICT, dict->count + 1, &copy));
    for (size_t i = 0; i < dict->count; i++) {
        SLM_TRY(slm__tv_dict_set(m, copy.as.dict, dict->keys[i], dict->values[i]));
    }
    SLM_TRY(slm__ts_make(m, slm__span_text(name), true, &key));
    SLM_TRY(slm__tv_dict_set(m, copy.as.dict, key, value));
    *out = copy;
    return SLM_OK;
}

static slm_status join_parts(struct slm_tmachine *m, const struct slm_tlist *parts, struct slm_tvalue *out)
{
    struct slm_tbuilder builder;
    slm__ts_begin(&builder, m);
    for (size_t i = 0; i < parts->count; i++) {
        SLM_TRY(slm__ts_add_text(&builder, member(parts->items[i], "text")->as.string));
    }
    return slm__ts_end(&builder, out);
}

/* A call with its arguments as an object; unchanged when they are no JSON object after all. */
static slm_status parse_call(struct slm_tmachine *m, struct slm_tvalue call, struct slm_tvalue *out)
{
    const struct slm_tvalue *arguments = text_arguments(call);
    const struct slm_json *json = NULL;
    struct slm_tvalue object;
    *out = call;
    if (arguments == NULL) {
        return SLM_OK;
    }
    slm_status status = slm__json_parse(&m->arena, slm__ts_span(arguments->as.string), &json, NULL);
    if (status == SLM_E_NO_MEMORY || m->arena.limit_hit) {
        return slm__tm_no_memory(m);
    }
    if (status != SLM_OK || json->type != SLM_JSON_OBJECT) {
        return SLM_OK;
    }
    SLM_TRY(slm__tv_from_json(m, json, false, &object));
    if (member(call, "function") == NULL) {
        return with_member(m, call, "arguments", object, out);
    }
    SLM_TRY(with_member(m, called_function(call), "arguments", object, &object));
    return with_member(m, call, "function", object, out);
}

static slm_status change_message(struct slm_tmachine *m, struct slm_tvalue message, unsigned changes, struct slm_tvalue *out)
{
    const struct slm_tlist *calls = tool_calls(message);
    const struct slm_tlist *parts = text_parts(message);
    struct slm_tvalue value;
    *out = message;
    if (calls != NULL && member(message, "content") == NULL && (changes & (SLM_CHAT_CONTENT_EMPTY | SLM_CHAT_CONTENT_NONE)) != 0) {
        SLM_TRY(slm__ts_make(m, slm__span_text(""), true, &value));
        SLM_TRY(with_member(m, *out, "content", (changes & SLM_CHAT_CONTENT_NONE) != 0 ? slm__tv_none() : value, out));
    }
    if (parts != NULL && (changes & SLM_CHAT_PARTS_JOINED) != 0) {
        SLM_TRY(join_parts(m, parts, &value));
        SLM_TRY(with_member(m, *out, "content", value, out));
    }
    if (calls != NULL && (changes & SLM_CHAT_ARGUMENTS_OBJECT) != 0) {
        struct slm_tvalue list;
        SLM_TRY(slm__tv_list(m, SLM_T_LIST, calls->count, &list));
        for (size_t i = 0; i < calls->count; i++) {
            SLM_TRY(parse_call(m, calls->items[i], &value));
            SLM_TRY(slm__tv_append(m, list, value));
        }
        SLM_TRY(with_member(m, *out, "tool_calls", list, out));
    }
    return SLM_OK;
}

slm_status slm__chat_change(struct slm_tmachine *m, struct slm_tvalue messages, unsigned changes, struct slm_tvalue *out)
{
    struct slm_tvalue list;
    SLM_TRY(slm__tv_list(m, SLM_T_LIST, messages.as.list->count, &list));
    for (size_t i = 0; i < messages.as.list->count; i++) {
        struct slm_tvalue message;
        SLM_TRY(change_message(m, messages.as.list->items[i], changes, &message));
        SLM_TRY(slm__tv_append(m, list, message));
    }
    *out = list;
    return SLM_OK;
}

static bool occurs(const struct slm_tstring *text, struct slm_span part) { return slm__ts_find(text, part, 0, text->length) != SIZE_MAX; }

/* Parts whose text is missing, and one more when the list itself was printed. */
static slm_status damage_of_parts(struct slm_tmachine *m, const struct slm_tlist *parts, const struct slm_tstring *text, size_t *damage)
{
    for (size_t i = 0; i < parts->count; i++) {
        struct slm_tvalue part;
        SLM_TRY(slm__template_strip(m, member(parts->items[i], "text")->as.string, NULL, true, true, &part));
        *damage += !occurs(text, slm__ts_span(part.as.string));
    }
    *damage += occurs(text, slm__span_text("{'type': 'text'")) || occurs(text, slm__span_text("{\"type\": \"text\""));
    return SLM_OK;
}

static slm_status damage_of_call(struct slm_tmachine *m, struct slm_tvalue call, const struct slm_tstring *text, size_t *damage)
{
    const struct slm_tvalue *name = member(called_function(call), "name");
    const struct slm_tvalue *arguments = text_arguments(call);
    if (name != NULL && name->kind == SLM_T_STRING) {
        *damage += !occurs(text, slm__ts_span(name->as.string));
    }
    if (arguments != NULL && occurs(arguments->as.string, slm__span_text("\""))) {
        struct slm_targuments none;
        struct slm_tvalue quoted;
        memset(&none, 0, sizeof none);
        SLM_TRY(slm__filter_tojson(m, *arguments, &none, &quoted));
        *damage += occurs(text, slm__ts_span(quoted.as.string));
    }
    return SLM_OK;
}

slm_status slm__chat_damage(struct slm_tmachine *m, struct slm_tvalue messages, struct slm_span rendered, size_t *damage)
{
    struct slm_tvalue text;
    *damage = 0;
    SLM_TRY(slm__ts_make(m, rendered, true, &text));
    for (size_t i = 0; i < messages.as.list->count; i++) {
        struct slm_tvalue message = messages.as.list->items[i];
        const struct slm_tlist *parts = text_parts(message);
        const struct slm_tlist *calls = tool_calls(message);
        SLM_TRY(slm__tm_charge(m, rendered.length / 64));
        if (parts != NULL) {
            SLM_TRY(damage_of_parts(m, parts, text.as.string, damage));
        }
        for (size_t k = 0; calls != NULL && k < calls->count; k++) {
            SLM_TRY(slm__tm_charge(m, rendered.length / 64));
            SLM_TRY(damage_of_call(m, calls->items[k], text.as.string, damage));
        }
    }
    return SLM_OK;
}

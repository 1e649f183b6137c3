/* SPDX-License-Identifier: MIT */
/*
 * From goals to nodes. Goals that may be objects or arrays become rules, so that recursion ends and equal parts are shared; they wait on
 * an agenda instead of being nested in calls. All others are nodes at once.
 */
#include "grammar/schema_nodes.h"
#include "grammar/schema_records.h" /* struct slm_schema_object, slm__form_is_empty */

enum { LONGEST_SPACE = 32, STEPS = 20000000 };

slm_status slm__form_is_empty(struct slm_schema_work *work, const struct slm_form *form, enum slm_schema_type type, bool *empty)
{
    struct slm_schema_string string = {.empty = false};
    struct slm_schema_array array = {.empty = false};
    struct slm_schema_object object = {.empty = false};
    *empty = form->finite && form->value_count == 0;
    if (form->finite) {
        return SLM_OK;
    }
    switch (type) {
    case SLM_VALUE_NUMBER: return slm__number_is_empty(work, form, empty);
    case SLM_VALUE_STRING: SLM_TRY(slm__schema_string_of(work, form, &string)); break;
    case SLM_VALUE_ARRAY: SLM_TRY(slm__schema_array_of(work, form, &array)); break;
    case SLM_VALUE_OBJECT: SLM_TRY(slm__schema_object_of(work, form, &object)); break;
    default: break;
    }
    *empty = string.empty || array.empty || object.empty;
    for (uint32_t i = 0; !*empty && i < array.prefix_count && i < array.min; i++) {
        SLM_TRY(slm__goal_is_empty(work, array.prefix[i], empty));
    }
    if (!*empty && array.min > array.prefix_count) {
        SLM_TRY(slm__goal_is_empty(work, array.rest, empty));
    }
    for (uint32_t i = 0; !*empty && i < object.member_count; i++) {
        if (object.members[i].required) {
            SLM_TRY(slm__goal_is_empty(work, object.members[i].goal, empty));
        }
    }
    return SLM_OK;
}

static slm_node space_node(struct slm_grammar_builder *builder)
{
    struct slm_byte_set set = {{0}};
    slm__byte_set_add(&set, ' ');
    slm__byte_set_add(&set, '\t');
    slm__byte_set_add(&set, '\n');
    slm__byte_set_add(&set, '\r');
    return slm__node_repeat(builder, slm__node_bytes(builder, &set), 0, LONGEST_SPACE);
}

/* Any JSON value. */
static slm_status any_value(struct slm_schema_work *work, slm_node *node)
{
    struct slm_grammar_builder *builder = work->builder;
    *node = work->any_value;
    if (*node != SLM_NODE_NEVER) {
        return SLM_OK;
    }
    slm_rule rule = slm__node_rule_new(builder, slm__span_text("any value"));
    work->any_value = *node = slm__node_rule(builder, rule);
    const struct slm_object_pattern members = {NULL, *node};
    const struct slm_object_shape object = {.patterns = &members,
                                            .pattern_count = 1,
                                            .max_properties = UINT32_MAX,
                                            .space = work->space_node,
                                            .order = work->options.any_order ? SLM_OBJECT_ANY_ORDER : SLM_OBJECT_IN_ORDER};
    slm_node more = slm__node_repeat(builder, slm__comma_node(work, *node), 0, SLM_REPEAT_NO_END);
    slm_node items = slm__either_node(builder, SLM_NODE_EMPTY, slm__pair_node(builder, *node, more));
    slm_node kinds[7] = {slm__quoted_node(builder, slm__node_json_chars(builder, 0, UINT32_MAX)),
                         slm__node_object(builder, &object),
                         slm__bracket_node(work, items),
                         slm__node_text(builder, slm__span_text("null")),
                         slm__node_text(builder, slm__span_text("true")),
                         slm__node_text(builder, slm__span_text("false"))};
    SLM_TRY(slm__any_number_node(work, &kinds[6]));
    slm__node_rule_define(builder, rule, slm__node_choice(builder, kinds, 7));
    return SLM_OK;
}

/* Names beyond the members may come twice in a text, so they do not count towards two different ones; which members to add where they need
 * others, and how many, is not worked out beyond one. */
static slm_status check_counting(struct slm_schema_work *work, const struct slm_form *form, struct slm_schema_object *object)
{
    uint32_t required = 0;
    for (uint32_t i = 0; i < object->member_count; i++) {
        required += object->members[i].required;
    }
    const bool repeats = object->class_count > 0;
    if ((!repeats && object->dependency_count == 0) || object->min <= required + 1) {
        return SLM_OK;
    }
    uint32_t location = 0;
    for (uint32_t i = 0; i < form->atom_count; i++) {
        bool counts = form->atoms[i].kind == SLM_ATOM_KEYWORDS || form->atoms[i].kind == SLM_ATOM_FAILS;
        location = counts ? form->atoms[i].location : location;
        if (counts && slm__schema_has(&work->document.locations[location], SLM_KEYWORD_MIN_PROPERTIES)) {
            break;
        }
    }
    object->min = required + 1;
    return slm__schema_unsupported(work, location, SLM_KEYWORD_MIN_PROPERTIES,
                                   repeats ? "names that are not in properties may come twice" : "beside dependentRequired");
}

slm_status slm__object_node(struct slm_schema_work *work, const struct slm_form *form, slm_node *node)
{
    struct slm_schema_object object;
    SLM_TRY(slm__schema_object_of(work, form, &object));
    *node = SLM_NODE_NEVER;
    if (object.empty) {
        return SLM_OK;
    }
    SLM_TRY(check_counting(work, form, &object));
    struct slm_object_member *members = NULL;
    struct slm_object_pattern *patterns = NULL;
    SLM_TRY(slm__schema_take(work, object.member_count * sizeof *members, &members));
    SLM_TRY(slm__schema_take(work, object.class_count * sizeof *patterns, &patterns));
    for (uint32_t i = 0; i < object.member_count; i++) {
        members[i] = (struct slm_object_member){object.members[i].key, SLM_NODE_NEVER, object.members[i].required};
        SLM_TRY(slm__goal_node(work, object.members[i].goal, &members[i].value));
    }
    for (uint32_t i = 0; i < object.class_count; i++) {
        patterns[i].keys = object.classes[i].keys;
        SLM_TRY(slm__goal_node(work, object.classes[i].goal, &patterns[i].value));
    }
    const struct slm_object_shape shape = {.members = members,
                                           .patterns = patterns,
                                           .dependencies = object.dependencies,
                                           .member_count = object.member_count,
                                           .pattern_count = object.class_count,
                                           .dependency_count = object.dependency_count,
                                           .min_properties = object.min,
                                           .max_properties = object.max,
                                           .order = work->options.any_order ? SLM_OBJECT_ANY_ORDER : SLM_OBJECT_IN_ORDER,
                                           .space = work->space_node};
    *node = slm__node_object(work->builder, &shape);
    return SLM_OK;
}

/* What cannot be said about a form, unless the form is empty anyway. */
static slm_status check_form(struct slm_schema_work *work, const struct slm_form *form, enum slm_schema_type type, bool *empty)
{
    *empty = false;
    for (uint32_t i = 0; i < form->atom_count; i++) {
        const struct slm_atom *atom = &form->atoms[i];
        if (atom->kind == SLM_ATOM_UNSUPPORTED) {
            SLM_TRY(slm__form_is_empty(work, form, type, empty));
            return *empty ? SLM_OK
                          : slm__schema_unsupported(work, atom->location, (enum slm_keyword)atom->keyword, "its opposite is not regular");
        }
    }
    return SLM_OK;
}

static slm_status form_node(struct slm_schema_work *work, const struct slm_form *form, enum slm_schema_type type, slm_node *node)
{
    bool empty = false;
    *node = SLM_NODE_NEVER;
    if (form->finite) {
        return slm__values_node(work, form->values, form->value_count, node);
    }
    SLM_TRY(check_form(work, form, type, &empty));
    if (empty) {
        return SLM_OK;
    }
    switch (type) {
    case SLM_VALUE_NUMBER: return slm__number_node(work, form, node);
    case SLM_VALUE_STRING: return slm__string_node(work, form, node);
    case SLM_VALUE_ARRAY: return slm__array_node(work, form, node);
    default: return slm__object_node(work, form, node);
    }
}

/* All forms of all types. */
static slm_status define(struct slm_schema_work *work, slm_goal goal, slm_node *node)
{
    slm_node *choices = NULL;
    uint32_t count = 0;
    uint32_t total = 0;
    struct slm_forms forms[SLM_VALUE_TYPES];
    for (unsigned type = 0; type < SLM_VALUE_TYPES; type++) {
        SLM_TRY(slm__goal_forms(work, goal, (enum slm_schema_type)type, &forms[type]));
        total += forms[type].count;
    }
    SLM_TRY(slm__schema_take(work, total * sizeof *choices, &choices));
    for (unsigned type = 0; type < SLM_VALUE_TYPES; type++) {
        for (uint32_t i = 0; i < forms[type].count; i++) {
            SLM_TRY(form_node(work, &forms[type].forms[i], (enum slm_schema_type)type, &choices[count]));
            count += choices[count] != SLM_NODE_NEVER;
        }
    }
    *node = slm__node_choice(work->builder, choices, count);
    return SLM_OK;
}

/* May values of the goal hold other values that are described by goals? */
static slm_status has_parts(struct slm_schema_work *work, slm_goal goal, bool *parts)
{
    for (unsigned type = SLM_VALUE_ARRAY; type <= SLM_VALUE_OBJECT; type++) {
        struct slm_forms forms = {NULL, 0};
        SLM_TRY(slm__goal_forms(work, goal, (enum slm_schema_type)type, &forms));
        for (uint32_t i = 0; i < forms.count; i++) {
            *parts = *parts || !forms.forms[i].finite;
        }
    }
    return SLM_OK;
}

slm_status slm__goal_node(struct slm_schema_work *work, slm_goal goal, slm_node *node)
{
    bool parts = false;
    *node = work->goals[goal].node;
    if (goal == SLM_GOAL_ANY) {
        return any_value(work, node);
    }
    if (goal == SLM_GOAL_NEVER || work->goals[goal].has_node) {
        return SLM_OK;
    }
    SLM_TRY(slm__schema_spend(work, 4));
    SLM_TRY(has_parts(work, goal, &parts));
    if (parts) {
        const struct slm_json *json = work->document.locations[work->goals[goal].literals[0] / 2].json;
        struct slm_schema_path path = slm__schema_path(&work->document, json);
        work->goals[goal].rule = slm__node_rule_new(work->builder, slm__span_text(path.text));
        *node = slm__node_rule(work->builder, work->goals[goal].rule);
        SLM_TRY(slm__schema_room(work, &work->agenda, work->agenda_count, &work->agenda_capacity, sizeof *work->agenda));
        work->agenda[work->agenda_count++] = goal;
    } else {
        SLM_TRY(define(work, goal, node));
    }
    work->goals[goal].node = *node;
    work->goals[goal].has_node = true;
    return SLM_OK;
}

static slm_status build(struct slm_schema_work *work, slm_node *root)
{
    slm_literal literal = slm__literal(0, false);
    slm_goal goal = SLM_GOAL_ANY;
    SLM_TRY(slm__goal_of(work, &literal, 1, &goal));
    SLM_TRY(slm__goal_node(work, goal, root));
    while (work->agenda_count > 0) {
        slm_goal next = work->agenda[--work->agenda_count];
        slm_node node = SLM_NODE_NEVER;
        SLM_TRY(define(work, next, &node));
        slm__node_rule_define(work->builder, work->goals[next].rule, node);
    }
    return slm__grammar_builder_failure(work->builder, work->error);
}

slm_status slm__schema_nodes(struct slm_grammar_builder *builder, const struct slm_memory *memory, size_t limit, struct slm_span text,
                             const struct slm_schema_options *options, slm_node *root, slm_error *error)
{
    struct slm_arena arena;
    slm__arena_init(&arena, memory, limit);
    struct slm_schema_work work = {.options = *options, .builder = builder, .arena = &arena, .error = error, .steps = STEPS};
    work.space = (struct slm_regular_space){&arena, SLM_REGULAR_STATE_LIMIT};
    work.constants[1].type = SLM_JSON_FALSE;
    work.constants[2].type = SLM_JSON_TRUE;
    work.space_node = options->flexible_space ? space_node(builder) : SLM_NODE_EMPTY;
    *root = SLM_NODE_NEVER;
    slm_status status = slm__schema_open(&work.document, &arena, text, error);
    if (status == SLM_OK) {
        status = build(&work, root);
    }
    slm__arena_free(&arena);
    return status;
}

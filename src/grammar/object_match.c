/* SPDX-License-Identifier: MIT */
/*
 * Matching an object. What has come is kept in its frame: in order the number of the next member is enough, in any order, or where members
 * need each other, a set. Counts are kept only where they matter, so that the states of most objects stay few.
 */
#include "grammar/object_match.h"
#include "base/utf8.h"           /* slm__utf8_decode, slm__utf8_encode */
#include "grammar/json_lifted.h" /* slm__lifted_step */
#include "grammar/object_turn.h" /* struct slm_object_turn, slm__turn_may_take */
#include "text/json_chars.h"     /* slm__json_chars_step */

static const struct slm_program_object *object_of(const struct slm_match_states *states, slm_node node)
{
    return &states->grammar->objects[states->grammar->nodes[node].a];
}

/* ---- Moves ---- */

/* The frame in another phase; `value` is what comes behind the colon. */
static uint32_t frame_in(struct slm_match_states *states, const struct slm_frame *frame, enum slm_object_phase phase, uint32_t value)
{
    struct slm_frame changed = *frame;
    changed.c = (frame->c & ~(uint32_t)(SLM_OBJECT_OTHERS - 1)) | (uint32_t)phase;
    changed.b = value;
    return slm__match_frame(states, &changed);
}

/* White space, and then the phase of `frame`. */
static void enter_space(struct slm_match_states *states, uint32_t frame)
{
    if (frame != UINT32_MAX) {
        slm__match_enter(states, object_of(states, states->frames[frame].node)->space, frame);
    }
}

void slm__object_return(struct slm_match_states *states, uint32_t frame)
{
    const struct slm_frame record = states->frames[frame];
    uint32_t changed;
    switch (slm__object_phase(&record)) {
    case SLM_OBJECT_VALUE:
        changed = frame_in(states, &record, SLM_OBJECT_IN_VALUE, 0);
        if (changed != UINT32_MAX) {
            slm__match_enter(states, record.b, changed);
        }
        break;
    case SLM_OBJECT_IN_VALUE: enter_space(states, frame_in(states, &record, SLM_OBJECT_AFTER, 0)); break;
    default: slm__match_found(states, (struct slm_configuration){record.node, frame, SLM_OBJECT_AT_SIGN, 0}); break;
    }
}

/* A name has ended: of a member, or of a pattern (member SLM_LIST_LOST). */
static void take(struct slm_match_states *states, const struct slm_frame *frame, uint32_t member, slm_node value)
{
    const struct slm_program_object *object = object_of(states, frame->node);
    struct slm_frame taken = *frame;
    if (member == SLM_LIST_LOST) {
        taken.a = object->keeps_set ? frame->a : object->member_count;
        taken.c |= object->keeps_set && !object->any_order ? SLM_OBJECT_OTHERS : 0;
    } else if (object->keeps_set) {
        taken.a = slm__match_set_with(states, frame->a, (object->member_count + 31) / 32, member);
        if (taken.a == UINT32_MAX) {
            return;
        }
    } else {
        taken.a = member + 1;
    }
    const uint32_t top = object->max_properties == UINT32_MAX ? object->min_properties : object->max_properties;
    if (!object->is_free && slm__object_count(frame) < top && slm__object_count(frame) < SLM_OBJECT_COUNT_MAX) {
        taken.c += 1u << SLM_OBJECT_COUNT_SHIFT;
    }
    enter_space(states, frame_in(states, &taken, SLM_OBJECT_COLON, value));
}

/* Behind the quote that opens a name. */
static void open_name(struct slm_match_states *states, slm_node node, uint32_t frame)
{
    struct slm_object_turn turn = slm__turn_of(states, &states->frames[frame]);
    const struct slm_program_object *object = turn.object;
    bool member = false;
    for (uint32_t i = object->keeps_set ? 0 : turn.frame->a; i < object->member_count && !member; i++) {
        member = slm__turn_may_take(&turn, i);
    }
    if (member) {
        slm__match_found(states, (struct slm_configuration){node, frame, SLM_OBJECT_IN_MEMBER, 0});
    }
    const struct slm_frame record = states->frames[frame];
    for (uint32_t i = 0; i < object->pattern_count; i++) {
        if (slm__turn_may_take_pattern(&turn, i)) {
            const struct slm_pattern_record *pattern = &object->patterns[i];
            const uint32_t changed = frame_in(states, &record, slm__object_phase(&record), i);
            const bool any = pattern->automaton == UINT32_MAX;
            slm__match_found(states, (struct slm_configuration){node, changed, any ? SLM_OBJECT_IN_ANY : SLM_OBJECT_IN_PATTERN,
                                                                any ? 0 : states->grammar->automata[pattern->automaton].start});
        }
    }
}

static void step_sign(struct slm_match_states *states, const struct slm_configuration *place, uint8_t byte)
{
    const struct slm_frame frame = states->frames[place->frame];
    const struct slm_object_turn turn = slm__turn_of(states, &frame);
    const enum slm_object_phase phase = slm__object_phase(&frame);
    if (byte == '"' && (phase == SLM_OBJECT_FIRST || phase == SLM_OBJECT_NEXT)) {
        open_name(states, place->node, place->frame);
    } else if (byte == ':' && phase == SLM_OBJECT_COLON) {
        enter_space(states, frame_in(states, &frame, SLM_OBJECT_VALUE, frame.b));
    } else if (byte == ',' && phase == SLM_OBJECT_AFTER && slm__turn_may_take_any(&turn)) {
        enter_space(states, frame_in(states, &frame, SLM_OBJECT_NEXT, 0));
    } else if (byte == '}' && (phase == SLM_OBJECT_FIRST || phase == SLM_OBJECT_AFTER) && slm__turn_may_close(&turn)) {
        slm__match_return(states, frame.parent);
    }
}

/* ---- Names ---- */

/* Whether an escape begun behind `position` becomes the next character of a member that may come. */
static bool escape_leads(const struct slm_object_turn *turn, uint32_t position, uint32_t chars)
{
    const struct slm_string_list *keys = &turn->object->keys;
    const uint32_t length = slm__list_length(position);
    const uint32_t end = slm__list_end(keys, position);
    for (uint32_t i = slm__list_first(position); i < end; i++) {
        const struct slm_listed_string *key = &keys->strings[i];
        if (key->length > length) {
            const struct slm_utf8 next = slm__utf8_decode(keys->texts + key->text + length, key->length - length);
            if (next.valid && slm__escape_may_spell(chars, next.code) && slm__turn_may_take(turn, key->tag)) {
                return true;
            }
        }
    }
    return false;
}

/* Whether a member that may come begins so. */
static bool position_leads(const struct slm_object_turn *turn, uint32_t position)
{
    const uint32_t end = slm__list_end(&turn->object->keys, position);
    for (uint32_t i = slm__list_first(position); i < end; i++) {
        if (slm__turn_may_take(turn, turn->object->keys.strings[i].tag)) {
            return true;
        }
    }
    return false;
}

static uint32_t step_code(const struct slm_string_list *keys, uint32_t position, uint32_t code)
{
    uint8_t bytes[4];
    const unsigned count = slm__utf8_encode(code, bytes);
    for (unsigned i = 0; i < count && position != SLM_LIST_LOST; i++) {
        position = slm__list_step(keys, position, bytes[i]);
    }
    return position;
}

/* One byte within a member's name; `after` is where it leads. */
static bool step_member(const struct slm_object_turn *turn, const struct slm_configuration *place, uint8_t byte,
                        struct slm_configuration *after)
{
    uint32_t chars = slm__object_chars(place);
    uint32_t code = 0;
    *after = *place;
    if (chars == 0 && byte != '\\') {
        after->b = byte >= 0x20 && byte != '"' ? slm__list_step(&turn->object->keys, place->b, byte) : SLM_LIST_LOST;
        return after->b != SLM_LIST_LOST && position_leads(turn, after->b);
    }
    const enum slm_json_chars_result result = slm__json_chars_step(&chars, byte, &code);
    after->a = SLM_OBJECT_IN_MEMBER | chars << SLM_OBJECT_PLACE_BITS;
    if (result == SLM_JSON_CHARS_INSIDE) {
        return escape_leads(turn, place->b, chars);
    }
    if (result == SLM_JSON_CHARS_REFUSED || !slm__escape_may_spell(slm__object_chars(place), code)) {
        return false;
    }
    after->b = step_code(&turn->object->keys, place->b, code);
    return after->b != SLM_LIST_LOST && position_leads(turn, after->b);
}

static void step_in_member(struct slm_match_states *states, const struct slm_configuration *place, uint8_t byte)
{
    const struct slm_object_turn turn = slm__turn_of(states, &states->frames[place->frame]);
    struct slm_configuration after;
    if (byte != '"' || slm__object_chars(place) != 0) {
        if (step_member(&turn, place, byte, &after)) {
            slm__match_found(states, after);
        }
        return;
    }
    const struct slm_listed_string *key = slm__list_match(&turn.object->keys, place->b);
    if (key != NULL && slm__turn_may_take(&turn, key->tag)) {
        const struct slm_frame frame = *turn.frame;
        take(states, &frame, key->tag, turn.object->members[key->tag].value);
    }
}

static void end_pattern(struct slm_match_states *states, const struct slm_configuration *place)
{
    const struct slm_frame frame = states->frames[place->frame];
    take(states, &frame, SLM_LIST_LOST, object_of(states, place->node)->patterns[frame.b].value);
}

static void step_in_pattern(struct slm_match_states *states, const struct slm_configuration *place, uint8_t byte)
{
    const struct slm_object_turn turn = slm__turn_of(states, &states->frames[place->frame]);
    const struct slm_program_automaton *automaton = &states->grammar->automata[turn.object->patterns[turn.frame->b].automaton];
    struct slm_lifted lifted = {place->b, slm__object_chars(place), 0, NULL};
    if (byte == '"' && lifted.chars == 0) {
        if (automaton->flags[lifted.state] & SLM_STATE_ACCEPTS) {
            end_pattern(states, place);
        }
    } else if (slm__lifted_step(automaton, &lifted, byte)) {
        slm__match_found(states, (struct slm_configuration){place->node, place->frame,
                                                            SLM_OBJECT_IN_PATTERN | lifted.chars << SLM_OBJECT_PLACE_BITS, lifted.state});
    }
}

/* One byte of a name that may be any but a member's. */
static bool step_any(const struct slm_string_list *keys, const struct slm_configuration *place, uint8_t byte,
                     struct slm_configuration *after)
{
    uint32_t chars = slm__object_chars(place);
    uint32_t code = 0;
    const enum slm_json_chars_result result = slm__json_chars_step(&chars, byte, &code);
    *after = *place;
    if (after->b != SLM_LIST_LOST && byte != '\\' &&
        (slm__object_chars(place) == 0 || slm__json_chars_mode(slm__object_chars(place)) == SLM_JSON_CHARS_UTF8)) {
        after->b = slm__list_step(keys, place->b, byte);
    } else if (after->b != SLM_LIST_LOST && result == SLM_JSON_CHARS_DONE) {
        after->b = step_code(keys, place->b, code);
    }
    after->a = SLM_OBJECT_IN_ANY | (after->b == SLM_LIST_LOST ? slm__json_chars_merge(chars) : chars) << SLM_OBJECT_PLACE_BITS;
    return result != SLM_JSON_CHARS_REFUSED;
}

static bool any_may_end(const struct slm_string_list *keys, const struct slm_configuration *place)
{
    return slm__object_chars(place) == 0 && (place->b == SLM_LIST_LOST || slm__list_match(keys, place->b) == NULL);
}

static void step_in_any(struct slm_match_states *states, const struct slm_configuration *place, uint8_t byte)
{
    const struct slm_string_list *keys = &object_of(states, place->node)->keys;
    struct slm_configuration after;
    if (byte == '"' && slm__object_chars(place) == 0) {
        if (any_may_end(keys, place)) {
            end_pattern(states, place);
        }
    } else if (step_any(keys, place, byte, &after)) {
        slm__match_found(states, after);
    }
}

void slm__object_step(struct slm_match_states *states, const struct slm_configuration *place, uint8_t byte)
{
    switch (slm__object_place(place)) {
    case SLM_OBJECT_AT_OPEN:
        if (byte == '{') {
            const struct slm_frame frame = {.node = place->node, .parent = place->frame, .c = SLM_OBJECT_FIRST};
            enter_space(states, slm__match_frame(states, &frame));
        }
        break;
    case SLM_OBJECT_AT_SIGN: step_sign(states, place, byte); break;
    case SLM_OBJECT_IN_MEMBER: step_in_member(states, place, byte); break;
    case SLM_OBJECT_IN_PATTERN: step_in_pattern(states, place, byte); break;
    case SLM_OBJECT_IN_ANY: step_in_any(states, place, byte); break;
    }
}

/* ---- First bytes ---- */

static void first_sign(const struct slm_object_turn *turn, struct slm_byte_set *set)
{
    const enum slm_object_phase phase = slm__object_phase(turn->frame);
    if (phase == SLM_OBJECT_COLON) {
        slm__byte_set_add(set, ':');
        return;
    }
    if (phase == SLM_OBJECT_NEXT || slm__turn_may_take_any(turn)) {
        slm__byte_set_add(set, phase == SLM_OBJECT_AFTER ? ',' : '"');
    }
    if (phase != SLM_OBJECT_NEXT && slm__turn_may_close(turn)) {
        slm__byte_set_add(set, '}');
    }
}

static void first_in_member(const struct slm_object_turn *turn, const struct slm_configuration *place, struct slm_byte_set *set)
{
    const struct slm_string_list *keys = &turn->object->keys;
    struct slm_byte_set candidates = {{0}};
    if (slm__object_chars(place) != 0) {
        slm__json_chars_first(slm__object_chars(place), &candidates);
    } else {
        const uint32_t length = slm__list_length(place->b);
        const uint32_t end = slm__list_end(keys, place->b);
        slm__byte_set_add(&candidates, '\\');
        for (uint32_t i = slm__list_first(place->b); i < end; i++) {
            const struct slm_listed_string *key = &keys->strings[i];
            if (key->length > length && !slm__byte_set_has(set, keys->texts[key->text + length]) && slm__turn_may_take(turn, key->tag)) {
                const uint8_t byte = keys->texts[key->text + length];
                slm__byte_set_add(byte >= 0x20 && byte != '"' && byte != '\\' ? set : &candidates, byte);
            } else if (key->length == length && slm__turn_may_take(turn, key->tag)) {
                slm__byte_set_add(set, '"');
            }
        }
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        struct slm_configuration after;
        if (slm__byte_set_has(&candidates, (uint8_t)byte) && step_member(turn, place, (uint8_t)byte, &after)) {
            slm__byte_set_add(set, (uint8_t)byte);
        }
    }
}

static void first_in_any(const struct slm_string_list *keys, const struct slm_configuration *place, struct slm_byte_set *set)
{
    slm__json_chars_first(slm__object_chars(place), set);
    if (any_may_end(keys, place)) {
        slm__byte_set_add(set, '"');
    }
}

void slm__object_first(const struct slm_match_states *states, const struct slm_configuration *place, struct slm_byte_set *set)
{
    if (slm__object_place(place) == SLM_OBJECT_AT_OPEN) {
        slm__byte_set_add(set, '{');
        return;
    }
    const struct slm_object_turn turn = slm__turn_of(states, &states->frames[place->frame]);
    if (slm__object_place(place) == SLM_OBJECT_AT_SIGN) {
        first_sign(&turn, set);
    } else if (slm__object_place(place) == SLM_OBJECT_IN_MEMBER) {
        first_in_member(&turn, place, set);
    } else if (slm__object_place(place) == SLM_OBJECT_IN_ANY) {
        first_in_any(&turn.object->keys, place, set);
    } else {
        const struct slm_program_automaton *automaton = &states->grammar->automata[turn.object->patterns[turn.frame->b].automaton];
        const struct slm_lifted lifted = {place->b, slm__object_chars(place), 0, NULL};
        slm__lifted_first(automaton, &lifted, set);
        if (lifted.chars == 0 && (automaton->flags[lifted.state] & SLM_STATE_ACCEPTS)) {
            slm__byte_set_add(set, '"');
        }
    }
}

/* SPDX-License-Identifier: MIT */
/* A pattern is compiled to a small nondeterministic machine, all of whose states advance together: no backtracking. Targets of jumps are
 * relative, so that a piece of code can be moved when something has to stand before it. */
#include "import/module_pattern.h"

enum { CODE = 256, DEPTH = 16 };
enum operation { OP_SET, OP_SPLIT, OP_JUMP, OP_BEGIN, OP_END };

struct instruction {
    enum operation operation;
    int first, second; /* SPLIT and JUMP: relative targets */
    uint8_t set[32];   /* SET: bytes that go on */
};

struct machine {
    struct slm_span pattern;
    size_t position;
    struct instruction code[CODE];
    int count, depth;
    slm_error *error;
};

static slm_status unsupported(const struct machine *machine, const char *what)
{
    return slm__fail(machine->error, SLM_E_UNSUPPORTED, "pattern %.*s: %s is not supported", SLM_SPAN_ARGS(machine->pattern), what);
}

/* Room for an instruction at `place`; what stands there and behind moves on. */
static struct instruction *insert(struct machine *machine, int place)
{
    if (machine->count == CODE) {
        return NULL;
    }
    memmove(&machine->code[place + 1], &machine->code[place], (size_t)(machine->count - place) * sizeof machine->code[0]);
    memset(&machine->code[place], 0, sizeof machine->code[0]);
    machine->count++;
    return &machine->code[place];
}

static slm_status put(struct machine *machine, int place, enum operation operation, int first, int second)
{
    struct instruction *instruction = insert(machine, place);
    if (instruction == NULL) {
        return slm__fail(machine->error, SLM_E_LIMIT, "pattern %.*s is too long", SLM_SPAN_ARGS(machine->pattern));
    }
    instruction->operation = operation;
    instruction->first = first;
    instruction->second = second;
    return SLM_OK;
}

static int peek(const struct machine *machine)
{
    return machine->position < machine->pattern.length ? machine->pattern.data[machine->position] : -1;
}

static void add_range(uint8_t set[32], int from, int to)
{
    for (int c = from; c <= to; c++) {
        set[c / 8] |= (uint8_t)(1 << c % 8);
    }
}

/* What stands behind a backslash. */
static slm_status add_escape(struct machine *machine, uint8_t set[32], int *literal)
{
    const int c = peek(machine);
    machine->position++;
    *literal = -1;
    if (c == 'd' || c == 'w') {
        add_range(set, '0', '9');
        if (c == 'w') {
            add_range(set, 'a', 'z');
            add_range(set, 'A', 'Z');
            add_range(set, '_', '_');
        }
        return SLM_OK;
    }
    if (c < 0 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
        return unsupported(machine, "this escape");
    }
    *literal = c;
    add_range(set, c, c);
    return SLM_OK;
}

/* [...] behind its bracket. */
static slm_status parse_class(struct machine *machine, uint8_t set[32])
{
    const bool inverse = peek(machine) == '^';
    machine->position += inverse ? 1 : 0;
    for (bool first = true; peek(machine) != ']' || first; first = false) {
        int c = peek(machine);
        if (c < 0) {
            return unsupported(machine, "a class without end");
        }
        machine->position++;
        if (c == '\\') {
            SLM_TRY(add_escape(machine, set, &c));
        } else {
            add_range(set, c, c);
        }
        const bool range =
            peek(machine) == '-' && machine->position + 1 < machine->pattern.length && machine->pattern.data[machine->position + 1] != ']';
        if (range) {
            const int to = machine->pattern.data[machine->position + 1];
            if (c < 0 || to < c || to == '\\') {
                return unsupported(machine, "this range");
            }
            add_range(set, c, to);
            machine->position += 2;
        }
    }
    machine->position++;
    for (int i = 0; i < 32 && inverse; i++) {
        set[i] = (uint8_t)~set[i];
    }
    return SLM_OK;
}

static slm_status parse_choice(struct machine *machine);

static slm_status parse_group(struct machine *machine)
{
    if (peek(machine) == '?') {
        machine->position++;
        if (peek(machine) != ':') {
            return unsupported(machine, "this kind of group");
        }
        machine->position++;
    }
    SLM_TRY(parse_choice(machine));
    if (peek(machine) != ')') {
        return unsupported(machine, "a group without end");
    }
    machine->position++;
    return SLM_OK;
}

static slm_status parse_atom(struct machine *machine)
{
    const int c = peek(machine);
    machine->position++;
    if (c == '(') {
        return parse_group(machine);
    }
    if (c == '^' || c == '$') {
        return put(machine, machine->count, c == '^' ? OP_BEGIN : OP_END, 0, 0);
    }
    if (c == '*' || c == '+' || c == '?' || c == '{') {
        return unsupported(machine, "a repetition here");
    }
    SLM_TRY(put(machine, machine->count, OP_SET, 0, 0));
    uint8_t *set = machine->code[machine->count - 1].set;
    int literal;
    if (c == '.') {
        memset(set, 0xff, 32);
        set['\n' / 8] &= (uint8_t) ~(1 << '\n' % 8);
    } else if (c == '[') {
        return parse_class(machine, set);
    } else if (c == '\\') {
        return add_escape(machine, set, &literal);
    } else {
        add_range(set, c, c);
    }
    return SLM_OK;
}

static slm_status parse_repeated(struct machine *machine)
{
    const int start = machine->count;
    SLM_TRY(parse_atom(machine));
    const int length = machine->count - start, c = peek(machine);
    if (c == '{') {
        return unsupported(machine, "{}");
    }
    if (c != '*' && c != '+' && c != '?') {
        return SLM_OK;
    }
    machine->position++;
    machine->position += peek(machine) == '?' ? 1 : 0; /* lazy: the same names match */
    if (c == '+') {
        return put(machine, machine->count, OP_SPLIT, -length, 1);
    }
    SLM_TRY(put(machine, start, OP_SPLIT, 1, length + (c == '*' ? 2 : 1)));
    return c == '*' ? put(machine, machine->count, OP_JUMP, -(length + 1), 0) : SLM_OK;
}

/* Alternatives. Recursion: groups and further alternatives, DEPTH at most. */
static slm_status parse_choice(struct machine *machine)
{
    const int start = machine->count;
    if (++machine->depth > DEPTH) {
        return slm__fail(machine->error, SLM_E_LIMIT, "pattern %.*s nests too deeply", SLM_SPAN_ARGS(machine->pattern));
    }
    while (peek(machine) >= 0 && peek(machine) != '|' && peek(machine) != ')') {
        SLM_TRY(parse_repeated(machine));
    }
    if (peek(machine) == '|') {
        machine->position++;
        SLM_TRY(put(machine, start, OP_SPLIT, 1, machine->count - start + 2));
        SLM_TRY(put(machine, machine->count, OP_JUMP, 0, 0));
        const int jump = machine->count - 1;
        SLM_TRY(parse_choice(machine));
        machine->code[jump].first = machine->count - jump;
    }
    machine->depth--;
    return SLM_OK;
}

/* Mark the state and those that are reached from it without a byte. */
static void reach(const struct machine *machine, int state, bool begin, bool end, bool states[CODE + 1])
{
    int waiting[2 * CODE + 2], count = 0;
    waiting[count++] = state;
    while (count > 0) {
        const int at = waiting[--count];
        if (states[at]) {
            continue;
        }
        states[at] = true;
        const struct instruction *instruction = &machine->code[at];
        if (at == machine->count || instruction->operation == OP_SET) {
            continue;
        }
        if (instruction->operation == OP_BEGIN || instruction->operation == OP_END) {
            if (instruction->operation == OP_BEGIN ? begin : end) {
                waiting[count++] = at + 1;
            }
            continue;
        }
        waiting[count++] = at + instruction->first;
        if (instruction->operation == OP_SPLIT) {
            waiting[count++] = at + instruction->second;
        }
    }
}

static bool run(const struct machine *machine, struct slm_span name)
{
    bool states[CODE + 1] = {false};
    for (size_t i = 0; i <= name.length; i++) {
        if (i == 0 || name.data[i - 1] == '.') { /* the pattern may begin here */
            reach(machine, 0, i == 0, i == name.length, states);
        }
        if (i == name.length) {
            break;
        }
        bool next[CODE + 1] = {false};
        const uint8_t byte = name.data[i];
        for (int at = 0; at < machine->count; at++) {
            const struct instruction *instruction = &machine->code[at];
            if (states[at] && instruction->operation == OP_SET && (instruction->set[byte / 8] >> byte % 8 & 1) != 0) {
                reach(machine, at + 1, false, i + 1 == name.length, next);
            }
        }
        memcpy(states, next, sizeof states);
    }
    return states[machine->count];
}

slm_status slm__module_pattern_match(struct slm_span pattern, struct slm_span name, bool *matches, slm_error *error)
{
    struct machine machine = {.pattern = pattern, .error = error};
    SLM_TRY(parse_choice(&machine));
    if (machine.position != pattern.length) {
        return unsupported(&machine, "a closing parenthesis here");
    }
    *matches = run(&machine, name);
    return SLM_OK;
}

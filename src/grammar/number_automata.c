/* SPDX-License-Identifier: MIT */
/*
 * A number's text is compared from the left: first by the length of the whole part, then digit by digit; with an exponent the mantissa's
 * relation is remembered and counts if the exponents are equal. Multiples are found by the residue of what was read.
 */
#include "grammar/number_automata.h"
#include "grammar/ecma_regex.h"  /* slm__regex_compile */
#include "grammar/state_table.h" /* struct slm_state_table */

enum { POINT = 10, EXPONENT = 11, PLUS = 12, MINUS = 13, OTHER = 14, CLASSES = 15 };
enum { RELATIONS = 3 }; /* less, equal, greater: 0, 1, 2; as a bit 1 << relation */
enum { LESS, EQUAL, GREATER };

static void number_classes(uint8_t byte_class[256])
{
    memset(byte_class, OTHER, 256);
    for (uint8_t digit = 0; digit < 10; digit++) {
        byte_class['0' + digit] = digit;
    }
    byte_class['.'] = POINT;
    byte_class['e'] = byte_class['E'] = EXPONENT;
    byte_class['+'] = PLUS;
    byte_class['-'] = MINUS;
}

static bool is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

/* [+-]digits at *position, held within +-2^30; false: none. */
static bool read_exponent(struct slm_span text, size_t *position, int64_t *exponent)
{
    bool negative = false;
    int64_t value = 0;
    size_t i = *position;
    if (i < text.length && (text.data[i] == '+' || text.data[i] == '-')) {
        negative = text.data[i++] == '-';
    }
    size_t start = i;
    for (; i < text.length && is_digit(text.data[i]); i++) {
        value = value < (1 << 30) ? 10 * value + (text.data[i] - '0') : value;
    }
    *exponent = negative ? -value : value;
    *position = i;
    return i > start;
}

slm_status slm__decimal_read(struct slm_arena *arena, struct slm_span text, struct slm_decimal *value, slm_error *error)
{
    uint8_t *digits = slm__arena_take(arena, text.length);
    if (digits == NULL) {
        return slm__arena_failure(arena, error);
    }
    size_t i = text.length > 0 && text.data[0] == '-';
    bool negative = i == 1;
    uint32_t count = 0;
    int64_t point = 0;
    bool whole = true;
    size_t read = 0;
    for (; i < text.length && (is_digit(text.data[i]) || (whole && text.data[i] == '.')); i++) {
        if (text.data[i] == '.') {
            whole = false;
            continue;
        }
        read++;
        if (count > 0 || text.data[i] != '0') {
            digits[count++] = (uint8_t)(text.data[i] - '0');
            point += whole;
        } else {
            point -= !whole;
        }
    }
    int64_t exponent = 0;
    bool ok = read > 0;
    if (ok && i < text.length && (text.data[i] | 0x20) == 'e') {
        i++;
        ok = read_exponent(text, &i, &exponent);
    }
    if (!ok || i != text.length) {
        return slm__fail(error, SLM_E_BAD_VALUE, "\"%.*s\" is not a number", SLM_SPAN_ARGS(text));
    }
    while (count > 0 && digits[count - 1] == 0) {
        count--;
    }
    point = count > 0 ? point + exponent : 0;
    if (point > SLM_DECIMAL_DIGITS || (int64_t)count - point > SLM_DECIMAL_DIGITS) {
        return slm__fail(error, SLM_E_LIMIT, "%.*s has more than %d digits", SLM_SPAN_ARGS(text), SLM_DECIMAL_DIGITS);
    }
    *value = (struct slm_decimal){digits, count, (int32_t)point, negative && count > 0};
    return SLM_OK;
}

int slm__decimal_compare(const struct slm_decimal *a, const struct slm_decimal *b)
{
    if (a->count == 0 || b->count == 0) {
        return (a->count > 0) - (b->count > 0);
    }
    if (a->point != b->point) {
        return a->point < b->point ? -1 : 1;
    }
    for (uint32_t i = 0; i < a->count || i < b->count; i++) {
        int da = i < a->count ? a->digits[i] : 0;
        int db = i < b->count ? b->digits[i] : 0;
        if (da != db) {
            return da < db ? -1 : 1;
        }
    }
    return 0;
}

/* The digit of `value` with weight 10^(point - 1 - index) in 0.d0d1d2... x 10^point. */
static uint32_t digit_at(const struct slm_decimal *value, int64_t index)
{
    return index >= 0 && index < value->count ? value->digits[index] : 0;
}

static uint32_t relate(uint32_t a, uint32_t b) { return a < b ? LESS : a == b ? EQUAL : GREATER; }

/* A table being filled; after a failed allocation calls do nothing and it has no states to speak of. */
struct maker {
    struct slm_state_table table;
    unsigned wanted;
    bool failed;
};

/* A new state that stands for a whole number with this relation, or, with RELATIONS, for none yet. */
static uint32_t add_state(struct maker *m, uint32_t relation)
{
    uint32_t state = m->table.state_count;
    if (m->failed || !slm__table_reach(&m->table, state)) {
        m->failed = true;
        return SLM_REGULAR_DEAD;
    }
    m->table.accepting[state] = relation < RELATIONS && (m->wanted >> relation & 1);
    return state;
}

static void lead(struct maker *m, uint32_t from, uint32_t first, uint32_t last, uint32_t to)
{
    for (uint32_t c = first; c <= last && !m->failed; c++) {
        m->table.next[(size_t)from * CLASSES + c] = to;
    }
}

/* On digits: below, at, above `digit`. */
static void branch(struct maker *m, uint32_t from, uint32_t digit, uint32_t below, uint32_t at, uint32_t above)
{
    for (uint32_t d = 0; d < 10; d++) {
        lead(m, from, d, d, d < digit ? below : d == digit ? at : above);
    }
}

/* The fraction behind a point when the whole parts are equal: value's digits from `index` on. Returns the state behind the point. less,
 * greater: states in a fraction with that relation. */
static uint32_t add_fraction(struct maker *m, const struct slm_decimal *value, int64_t index, uint32_t less, uint32_t greater)
{
    uint32_t first = add_state(m, RELATIONS);
    uint32_t state = first;
    for (; index < (int64_t)value->count; index++) {
        uint32_t equal = add_state(m, index + 1 < (int64_t)value->count ? LESS : EQUAL);
        branch(m, state, digit_at(value, index), less, equal, greater);
        state = equal;
    }
    uint32_t end = state == first ? add_state(m, EQUAL) : state;
    branch(m, state, 0, less, end, greater);
    branch(m, end, 0, less, end, greater);
    return first;
}

/* digits[.digits] */
static void add_plain(struct maker *m, const struct slm_decimal *value)
{
    uint32_t whole = value->point > 0 ? (uint32_t)value->point : 0;
    int64_t fraction_index = value->point > 0 ? value->point : 0;
    if (value->point < 0) {
        fraction_index = value->point; /* zeros first: digit_at() gives 0 for what lies before the digits */
    }
    uint32_t less = add_state(m, LESS);
    uint32_t greater = add_state(m, GREATER);
    uint32_t less_point = add_state(m, RELATIONS);
    uint32_t greater_point = add_state(m, RELATIONS);
    lead(m, less, 0, 9, less);
    lead(m, greater, 0, 9, greater);
    lead(m, less_point, 0, 9, less);
    lead(m, greater_point, 0, 9, greater);
    uint32_t equal_point = add_fraction(m, value, fraction_index, less, greater);
    uint32_t equal_relation = fraction_index < (int64_t)value->count ? LESS : EQUAL;

    m->table.start = add_state(m, RELATIONS);
    uint32_t zero = add_state(m, whole > 0 ? LESS : equal_relation);
    lead(m, m->table.start, 0, 0, zero);
    lead(m, zero, POINT, POINT, whole > 0 ? less_point : equal_point);
    uint32_t longer = add_state(m, GREATER);
    lead(m, longer, 0, 9, longer);
    lead(m, longer, POINT, POINT, greater_point);
    if (whole == 0) {
        lead(m, m->table.start, 1, 9, longer);
        return;
    }
    uint32_t row[RELATIONS] = {SLM_REGULAR_DEAD, SLM_REGULAR_DEAD, SLM_REGULAR_DEAD};
    for (uint32_t n = 1; n <= whole; n++) {
        uint32_t next[RELATIONS];
        for (uint32_t r = 0; r < RELATIONS; r++) {
            next[r] = add_state(m, n < whole ? LESS : r == EQUAL ? equal_relation : r);
            uint32_t point = n < whole || r == LESS ? less_point : r == EQUAL ? equal_point : greater_point;
            lead(m, next[r], POINT, POINT, point);
            lead(m, row[r], 0, 9, r == EQUAL || n == 1 ? SLM_REGULAR_DEAD : next[r]);
        }
        uint32_t from = n == 1 ? m->table.start : row[EQUAL];
        branch(m, from, digit_at(value, n - 1), next[LESS], next[EQUAL], next[GREATER]);
        memcpy(row, next, sizeof row);
    }
    lead(m, m->table.start, 0, 0, zero);
    for (uint32_t r = 0; r < RELATIONS; r++) {
        lead(m, row[r], 0, 9, longer);
    }
}

/* The digits of an exponent's magnitude, compared with `other`: relations of the number for below, at, above. From a state after leading
 * zeros, whose own relation is that of the exponent zero. */
static void add_exponent_digits(struct maker *m, uint32_t from, uint32_t other, const uint32_t relations[RELATIONS])
{
    char text[12];
    uint32_t length = 0;
    for (uint32_t rest = other; rest > 0; rest /= 10) {
        text[length++] = (char)(rest % 10); /* last digit first */
    }
    uint32_t longer = add_state(m, relations[GREATER]);
    lead(m, longer, 0, 9, longer);
    lead(m, from, 1, 9, longer);
    uint32_t row[RELATIONS] = {0};
    for (uint32_t n = 1; n <= length; n++) {
        uint32_t next[RELATIONS];
        for (uint32_t r = 0; r < RELATIONS; r++) {
            next[r] = add_state(m, relations[n < length ? LESS : r]);
            if (n > 1 && r != EQUAL) {
                lead(m, row[r], 0, 9, next[r]);
            }
        }
        uint32_t source = n == 1 ? from : row[EQUAL];
        for (uint32_t d = n == 1; d < 10; d++) {
            lead(m, source, d, d, next[relate(d, (uint32_t)text[length - n])]);
        }
        memcpy(row, next, sizeof row);
    }
    for (uint32_t r = 0; r < RELATIONS && length > 0; r++) {
        lead(m, row[r], 0, 9, longer);
    }
}

/* The state behind the letter of an exponent, for a mantissa with `relation`; `power` is the exponent of value. */
static uint32_t add_exponent(struct maker *m, uint32_t relation, int32_t power)
{
    uint32_t at_zero = power > 0 ? LESS : power < 0 ? GREATER : relation;
    uint32_t magnitude = (uint32_t)(power < 0 ? -power : power);
    uint32_t after = add_state(m, RELATIONS);
    for (int negative = 0; negative < 2; negative++) {
        uint32_t sign = add_state(m, RELATIONS);
        uint32_t zeros = add_state(m, at_zero);
        lead(m, sign, 0, 0, zeros);
        lead(m, zeros, 0, 0, zeros);
        uint32_t same_sign[RELATIONS] = {negative ? GREATER : LESS, relation, negative ? LESS : GREATER};
        uint32_t always = negative ? LESS : GREATER;
        uint32_t other_sign[RELATIONS] = {always, always, always};
        bool same = power != 0 && (power < 0) == (negative != 0);
        add_exponent_digits(m, sign, same ? magnitude : 0, same ? same_sign : other_sign);
        add_exponent_digits(m, zeros, same ? magnitude : 0, same ? same_sign : other_sign);
        lead(m, after, negative ? MINUS : PLUS, negative ? MINUS : PLUS, sign);
        if (!negative && !m->failed) {
            memcpy(&m->table.next[(size_t)after * CLASSES], &m->table.next[(size_t)sign * CLASSES], 10 * sizeof *m->table.next);
        }
    }
    return after;
}

/* digit[.digits]e[+-]digits, the digit not 0; value is not zero. */
static void add_scientific(struct maker *m, const struct slm_decimal *value)
{
    uint32_t exponent[RELATIONS];
    uint32_t first[RELATIONS];
    uint32_t inside[RELATIONS]; /* of a fraction */
    for (uint32_t r = 0; r < RELATIONS; r++) {
        exponent[r] = add_exponent(m, r, value->point - 1);
        first[r] = add_state(m, RELATIONS);
        inside[r] = add_state(m, RELATIONS);
        lead(m, inside[r], EXPONENT, EXPONENT, exponent[r]);
        if (r != EQUAL) {
            uint32_t point = add_state(m, RELATIONS);
            lead(m, inside[r], 0, 9, inside[r]);
            lead(m, first[r], POINT, POINT, point);
            lead(m, point, 0, 9, inside[r]);
            lead(m, first[r], EXPONENT, EXPONENT, exponent[r]);
        }
    }
    m->table.start = add_state(m, RELATIONS);
    branch(m, m->table.start, digit_at(value, 0), first[LESS], first[EQUAL], first[GREATER]);
    lead(m, m->table.start, 0, 0, SLM_REGULAR_DEAD);
    lead(m, first[EQUAL], EXPONENT, EXPONENT, exponent[value->count > 1 ? LESS : EQUAL]);
    uint32_t state = add_state(m, RELATIONS);
    lead(m, first[EQUAL], POINT, POINT, state);
    for (uint32_t i = 1; i < value->count; i++) {
        uint32_t equal = add_state(m, RELATIONS);
        branch(m, state, digit_at(value, i), inside[LESS], equal, inside[GREATER]);
        lead(m, equal, EXPONENT, EXPONENT, exponent[i + 1 < value->count ? LESS : EQUAL]);
        state = equal;
    }
    branch(m, state, 0, inside[LESS], inside[EQUAL], inside[GREATER]);
    branch(m, inside[EQUAL], 0, inside[LESS], inside[EQUAL], inside[GREATER]);
}

typedef void add_fn(struct maker *maker, const struct slm_decimal *value);

static slm_status make_table(const struct slm_regular_space *space, add_fn *add, const struct slm_decimal *value, unsigned wanted,
                             struct slm_regular *result, slm_error *error)
{
    uint8_t byte_class[256];
    struct slm_arena scratch;
    struct maker maker = {.wanted = wanted};
    number_classes(byte_class);
    slm__arena_init(&scratch, &space->arena->memory, space->arena->limit);
    maker.failed = !slm__table_init(&maker.table, &scratch, CLASSES);
    if (!maker.failed) {
        add(&maker, value);
    }
    slm_status status =
        maker.failed ? slm__arena_failure(&scratch, error) : slm__table_finish(&maker.table, byte_class, space, result, error);
    slm__arena_free(&scratch);
    return status;
}

static slm_status pattern(const struct slm_regular_space *space, const char *text, struct slm_regular *result, slm_error *error)
{
    return slm__regex_compile(space, slm__span_text(text), SLM_REGEX_WHOLE, result, error);
}

/* Relations to zero, in every notation. */
static slm_status compare_with_zero(const struct slm_regular_space *space, unsigned wanted, struct slm_regular *result, slm_error *error)
{
    switch (wanted & (SLM_EQUAL | SLM_GREATER)) {
    case SLM_EQUAL: return pattern(space, "0(?:\\.0+)?(?:[eE][+-]?[0-9]+)?", result, error);
    case SLM_GREATER: return pattern(space, "(?:0\\.0*[1-9][0-9]*|[1-9][0-9]*(?:\\.[0-9]+)?)(?:[eE][+-]?[0-9]+)?", result, error);
    case 0: return slm__regular_never(space, result, error);
    default: return pattern(space, "(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", result, error);
    }
}

slm_status slm__numbers_compared(const struct slm_regular_space *space, const struct slm_decimal *value, unsigned wanted,
                                 struct slm_regular *result, slm_error *error)
{
    if (value->count == 0) {
        return compare_with_zero(space, wanted, result, error);
    }
    struct slm_arena scratch;
    slm__arena_init(&scratch, &space->arena->memory, space->arena->limit);
    struct slm_regular_space inner = {&scratch, space->state_limit};
    struct slm_regular plain;
    struct slm_regular scientific;
    struct slm_regular zero;
    slm_status status = make_table(&inner, add_plain, value, wanted, &plain, error);
    status = status == SLM_OK ? make_table(&inner, add_scientific, value, wanted, &scientific, error) : status;
    if (status == SLM_OK && (wanted & SLM_LESS) != 0) {
        status = pattern(&inner, "0(?:\\.0+)?[eE][+-]?[0-9]+", &zero, error);
        status = status == SLM_OK ? slm__regular_combine(&inner, SLM_REGULAR_UNION, &scientific, &zero, &scientific, error) : status;
    }
    status = status == SLM_OK ? slm__regular_combine(space, SLM_REGULAR_UNION, &plain, &scientific, result, error) : status;
    slm__arena_free(&scratch);
    return status;
}

/* step = factor x 10^-places; false when factor or places are beyond `limit`. */
static bool split_step(const struct slm_decimal *step, uint32_t limit, uint32_t *factor, uint32_t *places)
{
    int64_t fraction = (int64_t)step->count - step->point;
    uint64_t value = 0;
    uint32_t digits = fraction > 0 ? step->count : (uint32_t)step->point;
    for (uint32_t i = 0; i < digits && value <= limit; i++) {
        value = 10 * value + digit_at(step, i);
    }
    *factor = (uint32_t)value;
    *places = fraction > 0 ? (uint32_t)fraction : 0;
    return value <= limit && fraction <= limit;
}

bool slm__decimal_divides_one(const struct slm_decimal *step)
{
    uint32_t factor = 0;
    uint32_t places = 0;
    if (!split_step(step, UINT32_MAX / 16, &factor, &places)) {
        return false;
    }
    uint64_t power = 1 % factor;
    for (uint32_t i = 0; i < places; i++) {
        power = power * 10 % factor;
    }
    return power == 0;
}

/* States: whole part with residue r; then, for each decimal place, the point or digit before it with residue r; then zeros only. */
slm_status slm__number_multiples(const struct slm_regular_space *space, const struct slm_decimal *step, struct slm_regular *result,
                                 slm_error *error)
{
    uint32_t factor = 0;
    uint32_t places = 0;
    uint64_t limit = space->state_limit;
    if (!split_step(step, space->state_limit, &factor, &places) || (uint64_t)factor * (places + 2) > limit) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "a multipleOf with so many digits needs more than the limit of %u states",
                         space->state_limit);
    }
    uint8_t byte_class[256];
    struct slm_arena scratch;
    number_classes(byte_class);
    slm__arena_init(&scratch, &space->arena->memory, space->arena->limit);
    struct maker m = {.wanted = SLM_EQUAL};
    m.failed = !slm__table_init(&m.table, &scratch, CLASSES) || !slm__table_reach(&m.table, factor * (places + 2) + 3);
    uint32_t start = factor * (places + 2) + 1;
    uint32_t zero = start + 1;
    uint32_t zeros = start + 2;
    m.table.start = start;
    /* State of residue r with `place` digits behind the point (0: the point itself was just read) is 1 + factor x (place + 1) + r. */
    uint64_t power = 1 % factor; /* 10^(places - place) */
    for (uint32_t k = 0; k <= places && !m.failed; k++) {
        uint32_t place = places - k;
        for (uint32_t r = 0; r < factor; r++) {
            uint32_t state = 1 + factor * (place + 1) + r;
            m.table.accepting[state] = place > 0 && r * power % factor == 0;
            for (uint32_t d = 0; d < 10 && place < places; d++) {
                lead(&m, state, d, d, 1 + factor * (place + 2) + (10 * r + d) % factor);
            }
            lead(&m, state, 0, 0, place < places ? 1 + factor * (place + 2) + 10 * r % factor : r == 0 ? zeros : SLM_REGULAR_DEAD);
        }
        if (place > 0) {
            power = power * 10 % factor;
        }
    }
    for (uint32_t r = 0; r < factor && !m.failed; r++) {
        m.table.accepting[1 + r] = r * power % factor == 0;
        for (uint32_t d = 0; d < 10; d++) {
            lead(&m, 1 + r, d, d, 1 + (10 * r + d) % factor);
        }
        lead(&m, 1 + r, POINT, POINT, 1 + factor + r);
    }
    for (uint32_t d = 1; d < 10; d++) {
        lead(&m, start, d, d, 1 + d % factor);
    }
    lead(&m, start, 0, 0, zero);
    lead(&m, zero, POINT, POINT, 1 + factor);
    lead(&m, zeros, 0, 0, zeros);
    if (!m.failed) {
        m.table.accepting[zero] = m.table.accepting[zeros] = 1;
    }
    slm_status status = m.failed ? slm__arena_failure(&scratch, error) : slm__table_finish(&m.table, byte_class, space, result, error);
    slm__arena_free(&scratch);
    return status;
}

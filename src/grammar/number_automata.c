/* SPDX-License-Identifier: MIT */
/*
 * A number's text is compared from the left: first by the length of the whole part, then digit by digit; with an exponent the mantissa's
 * relation is remembered and counts if the exponents are equal. Multiples are found by the residue of what was read.
 */
#include "grammar/number_automata.h"

enum {
    POINT = SLM_NUMBER_POINT,
    EXPONENT = SLM_NUMBER_EXPONENT,
    PLUS = SLM_NUMBER_PLUS,
    MINUS = SLM_NUMBER_MINUS,
    CLASSES = SLM_NUMBER_CLASSES
};
enum { RELATIONS = 3 }; /* less, equal, greater: 0, 1, 2; as a bit 1 << relation */
enum { LESS, EQUAL, GREATER };

void slm__number_classes(uint8_t byte_class[256])
{
    memset(byte_class, SLM_NUMBER_OTHER, 256);
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

/* A state behind the digits of a mantissa from which any exponent leads to a number with `relation`. */
static void add_any_exponent(struct maker *m, uint32_t from, uint32_t relation, bool negative)
{
    uint32_t letter = add_state(m, RELATIONS);
    uint32_t sign = add_state(m, RELATIONS);
    uint32_t digits = add_state(m, relation);
    lead(m, from, EXPONENT, EXPONENT, letter);
    lead(m, letter, PLUS, PLUS, sign);
    lead(m, letter, MINUS, MINUS, negative ? sign : SLM_REGULAR_DEAD);
    lead(m, letter, 0, 9, digits);
    lead(m, sign, 0, 9, digits);
    lead(m, digits, 0, 9, digits);
}

/* 0[.000], the state behind the first zero; *fraction: the one behind zeros of a fraction, *point: the one before them. */
static uint32_t add_zeros(struct maker *m, uint32_t relation, uint32_t *point, uint32_t *fraction)
{
    uint32_t zero = add_state(m, relation);
    *point = add_state(m, RELATIONS);
    *fraction = add_state(m, relation);
    lead(m, zero, POINT, POINT, *point);
    lead(m, *point, 0, 0, *fraction);
    lead(m, *fraction, 0, 0, *fraction);
    return zero;
}

/* Relations to zero, in every notation. */
static void add_compared_with_zero(struct maker *m)
{
    uint32_t point = 0;
    uint32_t zeros = 0;
    m->table.start = add_state(m, RELATIONS);
    uint32_t zero = add_zeros(m, EQUAL, &point, &zeros);
    uint32_t whole = add_state(m, GREATER);
    uint32_t whole_point = add_state(m, RELATIONS);
    uint32_t fraction = add_state(m, GREATER);
    lead(m, m->table.start, 0, 0, zero);
    lead(m, m->table.start, 1, 9, whole);
    lead(m, whole, 0, 9, whole);
    lead(m, whole, POINT, POINT, whole_point);
    lead(m, whole_point, 0, 9, fraction);
    lead(m, point, 1, 9, fraction);
    lead(m, zeros, 1, 9, fraction);
    lead(m, fraction, 0, 9, fraction);
    add_any_exponent(m, zero, EQUAL, true);
    add_any_exponent(m, zeros, EQUAL, true);
    add_any_exponent(m, whole, GREATER, true);
    add_any_exponent(m, fraction, GREATER, true);
}

/* digit[.digits]e[+-]digits, the digit not 0, and zeros with an exponent; value is not zero. */
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
    uint32_t zero_point = 0;
    uint32_t zero_fraction = 0;
    uint32_t zero = add_zeros(m, RELATIONS, &zero_point, &zero_fraction);
    lead(m, m->table.start, 0, 0, zero);
    add_any_exponent(m, zero, LESS, true);
    add_any_exponent(m, zero_fraction, LESS, true);
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

static slm_status begin_table(struct maker *m, struct slm_arena *arena, unsigned wanted, slm_error *error)
{
    *m = (struct maker){.wanted = wanted};
    m->failed = !slm__table_init(&m->table, arena, CLASSES);
    return m->failed ? slm__arena_failure(arena, error) : SLM_OK;
}

static slm_status end_table(const struct maker *m, struct slm_state_table *table, slm_error *error)
{
    *table = m->table;
    return m->failed ? slm__arena_failure(m->table.arena, error) : SLM_OK;
}

/* The last two places of every exponent. */
struct exponent_end {
    uint32_t last_but_one;
    uint32_t last;
};

/* e[+]digits, or a negative exponent too: two digits behind zeros; with `most` not negative also three, up to 300 + most. Returns the state
 * in front. */
static uint32_t add_short_exponent(struct maker *m, struct exponent_end end, int most, bool negative)
{
    uint32_t letter = add_state(m, RELATIONS);
    uint32_t sign = add_state(m, RELATIONS);
    uint32_t zeros = add_state(m, EQUAL);
    uint32_t hundreds = end.last_but_one;
    uint32_t three = end.last_but_one;
    if (most >= 0) {
        hundreds = add_state(m, EQUAL);
        three = add_state(m, EQUAL);
        uint32_t thirty = add_state(m, EQUAL);
        lead(m, hundreds, 0, 9, end.last_but_one);
        lead(m, three, 0, 0, thirty);
        lead(m, three, 1, 9, end.last);
        lead(m, thirty, 0, (uint32_t)most, end.last);
    }
    const uint32_t from[3] = {letter, sign, zeros};
    for (int i = 0; i < 3; i++) {
        lead(m, from[i], 0, 0, zeros);
        lead(m, from[i], 1, 2, hundreds);
        lead(m, from[i], 3, 3, three);
        lead(m, from[i], 4, 9, end.last_but_one);
    }
    lead(m, letter, PLUS, PLUS, sign);
    lead(m, letter, MINUS, MINUS, negative ? sign : SLM_REGULAR_DEAD);
    return letter;
}

/* Whole parts of numbers: a mere 1, one digit, more. */
enum { ONE, DIGIT, LONGER, WHOLES };

/* Fractions and exponents behind the whole parts. `last`: the last digit that a fraction may have. Exponents keep numbers in the range of
 * doubles, so that programs can read them: up to 307 behind one digit and a fraction, 308 behind a mere 1, two digits behind others. */
static void add_fractions_and_exponents(struct maker *m, const uint32_t whole[WHOLES], uint32_t last, bool negative)
{
    struct exponent_end end = {add_state(m, EQUAL), add_state(m, EQUAL)};
    lead(m, end.last_but_one, 0, 9, end.last);
    for (int kind = LONGER; kind > ONE; kind--) {
        uint32_t letter = add_short_exponent(m, end, kind == DIGIT ? 7 : -1, negative);
        uint32_t point = add_state(m, RELATIONS);
        uint32_t fraction = add_state(m, EQUAL);
        lead(m, whole[kind], EXPONENT, EXPONENT, letter);
        lead(m, whole[kind], POINT, POINT, point);
        lead(m, whole[ONE], POINT, POINT, point); /* at last as behind any digit */
        lead(m, point, 0, last, fraction);
        lead(m, fraction, 0, last, fraction);
        lead(m, fraction, EXPONENT, EXPONENT, letter);
    }
    lead(m, whole[ONE], EXPONENT, EXPONENT, add_short_exponent(m, end, 8, negative));
}

slm_status slm__number_syntax(struct slm_arena *arena, enum slm_number_syntax syntax, struct slm_state_table *table, slm_error *error)
{
    struct maker m;
    SLM_TRY(begin_table(&m, arena, SLM_EQUAL, error));
    m.table.start = add_state(&m, RELATIONS);
    const uint32_t whole[WHOLES] = {add_state(&m, EQUAL), add_state(&m, EQUAL), add_state(&m, EQUAL)};
    uint32_t zero = add_state(&m, EQUAL);
    if (syntax != SLM_NUMBER_PLAIN_INTEGER) {
        add_fractions_and_exponents(&m, whole, syntax == SLM_NUMBER_ANY ? 9 : 0, syntax == SLM_NUMBER_ANY);
    }
    if (!m.failed) { /* as another digit, but for digits behind it */
        memcpy(&m.table.next[(size_t)zero * CLASSES], &m.table.next[(size_t)whole[DIGIT] * CLASSES], CLASSES * sizeof *m.table.next);
    }
    lead(&m, m.table.start, 0, 0, zero);
    lead(&m, m.table.start, 1, 1, whole[ONE]);
    lead(&m, m.table.start, 2, 9, whole[DIGIT]);
    for (int kind = ONE; kind < WHOLES; kind++) {
        lead(&m, whole[kind], 0, 9, whole[LONGER]);
    }
    return end_table(&m, table, error);
}

slm_status slm__number_compared(struct slm_arena *arena, const struct slm_decimal *value, unsigned wanted, struct slm_state_table *plain,
                                struct slm_state_table *scientific, slm_error *error)
{
    struct maker m;
    SLM_TRY(begin_table(&m, arena, wanted, error));
    if (value->count > 0) {
        add_plain(&m, value);
    } else {
        add_compared_with_zero(&m);
    }
    SLM_TRY(end_table(&m, plain, error));
    SLM_TRY(begin_table(&m, arena, wanted, error));
    if (value->count > 0) {
        add_scientific(&m, value);
    }
    return end_table(&m, scientific, error);
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
slm_status slm__number_multiples(struct slm_arena *arena, const struct slm_decimal *step, uint32_t state_limit,
                                 struct slm_state_table *table, slm_error *error)
{
    uint32_t factor = 0;
    uint32_t places = 0;
    if (!split_step(step, state_limit, &factor, &places) || (uint64_t)factor * (places + 2) > state_limit) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "a multipleOf with so many digits needs more than the limit of %u states", state_limit);
    }
    struct maker m;
    SLM_TRY(begin_table(&m, arena, SLM_EQUAL, error));
    m.failed = !slm__table_reach(&m.table, factor * (places + 2) + 3);
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
            if (place == places) {
                lead(&m, state, 0, 0, r == 0 ? zeros : SLM_REGULAR_DEAD);
            }
        }
        power = place > 0 ? power * 10 % factor : power;
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
    return end_table(&m, table, error);
}

/* SPDX-License-Identifier: MIT */
/*
 * Decimal <-> binary64. Reading: up to 15 digits and powers of ten up to 22 are one exact multiplication or division (Clinger 1990);
 * everything else is a quotient of two big integers, rounded once. Writing: the C library gives correctly rounded digits, the shortest that
 * read back wins; its decimal point, which is the locale's, is never looked at.
 */
#include "base/decimal.h" /* slm__decimal_parse, slm__decimal_format */

#include <stdio.h> /* snprintf */

enum {
    DIGITS = 800,     /* significant digits kept; 767 decide every case, a non-zero rest counts as one more digit 1 */
    WORDS = 160,      /* big integers: 801 digits are 2 661 bits, 5^1127 has 2 617; shifts make both equally long */
    HIGHEST = 310,    /* 10^HIGHEST and above is infinity */
    LOWEST = -326,    /* below 10^LOWEST is zero */
    FAST_DIGITS = 15, /* below 2^53 */
    FAST_POWER = 22,  /* 10^22 is exact in binary64 */
};

/* What the text says: digits[0..count) as an integer times 10^exponent. */
struct decimal {
    uint8_t digits[DIGITS + 1];
    int count;
    int64_t exponent;
    bool negative;
};

struct big {
    uint32_t words[WORDS]; /* little-endian */
    int count;             /* highest word is not 0 */
};

static bool is_digit(const uint8_t *at, const uint8_t *end) { return at < end && *at >= '0' && *at <= '9'; }

static void add_digit(struct decimal *number, uint8_t digit, bool fraction)
{
    if (number->count == 0 && digit == 0) {
        number->exponent -= fraction; /* leading zeros take no room */
    } else if (number->count < DIGITS) {
        number->digits[number->count++] = digit;
        number->exponent -= fraction;
    } else {
        if (digit != 0 && number->count == DIGITS) { /* the rest is not zero: a digit 1 behind the kept ones says so */
            number->digits[number->count++] = 1;
            number->exponent--;
        }
        number->exponent += !fraction;
    }
}

/* The exponent's digits; saturates, so that any length is fine. */
static const uint8_t *scan_exponent(const uint8_t *at, const uint8_t *end, int64_t *exponent)
{
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) {
        at++;
    }
    if (!is_digit(at, end)) {
        return NULL;
    }
    int64_t value = 0;
    for (; is_digit(at, end); at++) {
        value = value > INT64_MAX / 20 ? value : 10 * value + (*at - '0');
    }
    *exponent += negative ? -value : value;
    return at;
}

static bool scan(struct slm_span text, struct decimal *number)
{
    const uint8_t *at = text.data;
    const uint8_t *end = at + text.length;
    number->count = 0;
    number->exponent = 0;
    number->negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) {
        at++;
    }
    if (!is_digit(at, end)) {
        return false;
    }
    for (; is_digit(at, end); at++) {
        add_digit(number, (uint8_t)(*at - '0'), false);
    }
    if (at < end && *at == '.') {
        at++;
        if (!is_digit(at, end)) {
            return false;
        }
        for (; is_digit(at, end); at++) {
            add_digit(number, (uint8_t)(*at - '0'), true);
        }
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at = scan_exponent(at + 1, end, &number->exponent);
    }
    return at == end;
}

static void big_multiply_add(struct big *big, uint32_t factor, uint32_t addend)
{
    uint64_t carry = addend;
    for (int i = 0; i < big->count; i++) {
        carry += (uint64_t)big->words[i] * factor;
        big->words[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry != 0) {
        big->words[big->count++] = (uint32_t)carry;
    }
}

static void big_multiply_power_of_5(struct big *big, int power)
{
    for (; power >= 13; power -= 13) {
        big_multiply_add(big, 1220703125, 0); /* 5^13, the highest in 32 bits */
    }
    for (; power > 0; power--) {
        big_multiply_add(big, 5, 0);
    }
}

static int big_bits(const struct big *big)
{
    int bits = 32 * (big->count - 1);
    for (uint32_t top = big->words[big->count - 1]; top != 0; top >>= 1) {
        bits++;
    }
    return bits;
}

static void big_shift_left(struct big *big, int bits)
{
    for (; bits >= 31; bits -= 31) {
        big_multiply_add(big, 1u << 31, 0);
    }
    big_multiply_add(big, 1u << bits, 0);
}

static bool big_less(const struct big *a, const struct big *b)
{
    if (a->count != b->count) {
        return a->count < b->count;
    }
    int i = a->count - 1;
    while (i > 0 && a->words[i] == b->words[i]) {
        i--;
    }
    return a->words[i] < b->words[i];
}

/* a -= b, a >= b */
static void big_subtract(struct big *a, const struct big *b)
{
    uint64_t borrow = 0;
    for (int i = 0; i < a->count; i++) {
        uint64_t difference = (uint64_t)a->words[i] - (i < b->count ? b->words[i] : 0) - borrow;
        a->words[i] = (uint32_t)difference;
        borrow = difference >> 63;
    }
    while (a->count > 1 && a->words[a->count - 1] == 0) {
        a->count--;
    }
}

static double from_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* quotient (highest bit set, the rest is in `sticky`) times 2^(power - 63), to nearest even. */
static double round_to_double(uint64_t quotient, bool sticky, int power)
{
    int drop = 11; /* of 64 bits 53 stay, fewer in subnormal numbers */
    if (power < -1022) {
        drop += -1022 - power;
    }
    if (drop > 64) {
        return 0.0;
    }
    uint64_t kept = drop == 64 ? 0 : quotient >> drop;
    uint64_t rest = drop == 64 ? quotient : quotient & ((UINT64_C(1) << drop) - 1);
    uint64_t half = UINT64_C(1) << (drop - 1);
    if (rest > half || (rest == half && (sticky || (kept & 1) != 0))) {
        kept++; /* may carry into the exponent, which is right: up to the next power, subnormal to normal, or infinity */
    }
    uint64_t exponent = power < -1022 ? 0 : (uint64_t)(power + 1022); /* one less than biased: `kept` adds its implicit bit */
    return power > 1023 ? from_bits(UINT64_C(0x7FF) << 52) : from_bits((exponent << 52) + kept);
}

static double parse_exact(const struct decimal *number)
{
    struct big numerator = {.words = {0}, .count = 1};
    struct big denominator = {.words = {1}, .count = 1};
    for (int i = 0; i < number->count; i++) {
        big_multiply_add(&numerator, 10, number->digits[i]);
    }
    int exponent = (int)number->exponent; /* 10^e = 5^e x 2^e */
    big_multiply_power_of_5(exponent >= 0 ? &numerator : &denominator, exponent >= 0 ? exponent : -exponent);
    int shift = big_bits(&numerator) - big_bits(&denominator);
    big_shift_left(shift >= 0 ? &denominator : &numerator, shift >= 0 ? shift : -shift);
    int power = exponent + shift;
    if (big_less(&numerator, &denominator)) {
        big_shift_left(&numerator, 1);
        power--;
    }
    uint64_t quotient = 0; /* now 1 <= numerator / denominator < 2 */
    for (int bit = 0; bit < 64; bit++) {
        quotient <<= 1;
        if (!big_less(&numerator, &denominator)) {
            big_subtract(&numerator, &denominator);
            quotient |= 1;
        }
        big_shift_left(&numerator, 1);
    }
    bool sticky = numerator.count > 1 || numerator.words[0] != 0;
    return round_to_double(quotient, sticky, power);
}

static double magnitude(const struct decimal *number)
{
    static const double powers[FAST_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (number->count == 0 || number->exponent + number->count < LOWEST) {
        return 0.0;
    }
    if (number->exponent + number->count > HIGHEST) {
        return from_bits(UINT64_C(0x7FF) << 52);
    }
    if (number->count <= FAST_DIGITS && number->exponent >= -FAST_POWER && number->exponent <= FAST_POWER) {
        uint64_t integer = 0;
        for (int i = 0; i < number->count; i++) {
            integer = 10 * integer + number->digits[i];
        }
        double value = (double)integer;
        return number->exponent < 0 ? value / powers[-number->exponent] : value * powers[number->exponent];
    }
    return parse_exact(number);
}

bool slm__decimal_parse(struct slm_span text, double *value)
{
    struct decimal number;
    if (text.length == 0 || !scan(text, &number)) {
        return false;
    }
    double positive = magnitude(&number);
    *value = number.negative ? -positive : positive;
    return true;
}

/* The digits that `precision` significant ones give, and the power of ten of the first. */
static int take_digits(double value, int precision, char digits[20])
{
    char text[40];
    int length = snprintf(text, sizeof text, "%.*e", precision - 1, value);
    int count = 0;
    int at = 0;
    for (; at < length && text[at] != 'e'; at++) { /* whatever the locale has between the digits is passed over */
        if (text[at] >= '0' && text[at] <= '9' && count < precision) {
            digits[count++] = text[at];
        }
    }
    digits[count] = '\0';
    int exponent = 0;
    bool negative = at + 1 < length && text[at + 1] == '-';
    for (at += 2; at < length; at++) {
        exponent = 10 * exponent + (text[at] - '0');
    }
    return negative ? -exponent : exponent;
}

static bool reads_back(const char *digits, int exponent, double value)
{
    char text[48];
    int count = (int)strlen(digits);
    int length = snprintf(text, sizeof text, "%se%d", digits, exponent - count + 1);
    double result = 0;
    return slm__decimal_parse(slm__span(text, (size_t)length), &result) && result == value;
}

/* digits + 1 in the last place; false when that would need a carry out of the first digit. */
static bool next_digits(char *digits)
{
    for (size_t i = strlen(digits); i-- > 0;) {
        if (digits[i] != '9') {
            digits[i]++;
            return true;
        }
        digits[i] = '0';
    }
    return false;
}

/* Shortest digits of a positive finite value. A normal number's shortest form of up to 15 digits is its 15-digit form without zeros. Below
 * a power of two the neighbour is nearer than above it, so the next digits up may read back where the nearest do not. */
static int shortest_digits(double value, char digits[20])
{
    for (int precision = value < 0x1p-1022 ? 1 : 15; precision < 17; precision++) {
        int exponent = take_digits(value, precision, digits);
        if (reads_back(digits, exponent, value) || (next_digits(digits) && reads_back(digits, exponent, value))) {
            return exponent;
        }
    }
    return take_digits(value, 17, digits);
}

static size_t put_text(char *text, size_t at, const char *part, size_t length)
{
    memcpy(text + at, part, length);
    return at + length;
}

static size_t put_zeros(char *text, size_t at, int count)
{
    for (int i = 0; i < count; i++) {
        text[at++] = '0';
    }
    return at;
}

size_t slm__decimal_format(double value, char text[32])
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    size_t at = 0;
    if (value != value) {
        memcpy(text, "nan", 4);
        return 3;
    }
    if (bits >> 63 != 0) {
        text[at++] = '-';
        value = -value;
    }
    if (value > 0x1.fffffffffffffp1023) {
        memcpy(text + at, "inf", 4);
        return at + 3;
    }
    char digits[20] = "0";
    int exponent = value == 0 ? 0 : shortest_digits(value, digits);
    size_t count = strlen(digits);
    while (count > 1 && digits[count - 1] == '0') {
        count--;
    }
    if (exponent < -4 || exponent >= 16) {
        text[at++] = digits[0];
        if (count > 1) {
            text[at++] = '.';
            at = put_text(text, at, digits + 1, count - 1);
        }
        return at + (size_t)snprintf(text + at, 32 - at, "e%c%02d", exponent < 0 ? '-' : '+', exponent < 0 ? -exponent : exponent);
    }
    if (exponent < 0) {
        at = put_text(text, at, "0.", 2);
        at = put_zeros(text, at, -exponent - 1);
        at = put_text(text, at, digits, count);
    } else {
        size_t whole = (size_t)exponent + 1;
        at = put_text(text, at, digits, count < whole ? count : whole);
        at = put_zeros(text, at, count < whole ? (int)(whole - count) : 0);
        text[at++] = '.';
        at = count > whole ? put_text(text, at, digits + whole, count - whole) : put_zeros(text, at, 1);
    }
    text[at] = '\0';
    return at;
}

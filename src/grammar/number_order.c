/* SPDX-License-Identifier: MIT */
/* A number is read as sign x 0.d1d2d3... x 10^point, its digits where they stand in the text. */
#include "grammar/number_order.h"

struct digits {
    const uint8_t *at; /* the first digit that is not 0; may have the point between them */
    const uint8_t *end;
    int64_t point;
    bool negative;
};

static bool is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

/* The exponent behind `at` ("e", sign, digits), far beyond any use when it is long. */
static int64_t read_exponent(const uint8_t *at, const uint8_t *end)
{
    int64_t exponent = 0;
    bool below = end - at > 1 && at[1] == '-';
    for (; at < end; at++) {
        if (is_digit(*at) && exponent < INT64_MAX / 40) {
            exponent = 10 * exponent + (*at - '0');
        }
    }
    return below ? -exponent : exponent;
}

static struct digits read_digits(struct slm_span text)
{
    struct digits digits = {.negative = text.length > 0 && text.data[0] == '-'};
    const uint8_t *at = text.data + digits.negative;
    const uint8_t *stop = text.data + text.length;
    bool fraction = false;
    digits.at = NULL;
    for (digits.end = at; digits.end < stop && (is_digit(*digits.end) || *digits.end == '.'); digits.end++) {
        bool point = *digits.end == '.';
        if (digits.at == NULL && !point && *digits.end != '0') {
            digits.at = digits.end;
        }
        if (!point) {
            digits.point += (digits.at != NULL && !fraction) - (digits.at == NULL && fraction);
        }
        fraction = fraction || point;
    }
    digits.point += read_exponent(digits.end, stop);
    if (digits.at == NULL) {
        digits = (struct digits){.at = digits.end, .end = digits.end}; /* zero has no sign */
    }
    return digits;
}

/* The next digit, 0 behind the last. */
static uint8_t next_digit(struct digits *digits)
{
    if (digits->at < digits->end && *digits->at == '.') {
        digits->at++;
    }
    return digits->at < digits->end ? *digits->at++ : '0';
}

int slm__number_order(struct slm_span a, struct slm_span b)
{
    struct digits first = read_digits(a);
    struct digits second = read_digits(b);
    bool zero[2] = {first.at == first.end, second.at == second.end};
    if (zero[0] || zero[1]) {
        int sign = zero[0] ? (second.negative ? 1 : -1) : (first.negative ? -1 : 1);
        return zero[0] && zero[1] ? 0 : sign;
    }
    if (first.negative != second.negative) {
        return first.negative ? -1 : 1;
    }
    int sign = first.negative ? -1 : 1;
    if (first.point != second.point) {
        return first.point < second.point ? -sign : sign;
    }
    while (first.at < first.end || second.at < second.end) {
        uint8_t x = next_digit(&first);
        uint8_t y = next_digit(&second);
        if (x != y) {
            return x < y ? -sign : sign;
        }
    }
    return 0;
}

bool slm__number_is_integer(struct slm_span text)
{
    struct digits digits = read_digits(text);
    for (int64_t position = 1; digits.at < digits.end; position++) {
        if (next_digit(&digits) != '0' && position > digits.point) {
            return false;
        }
    }
    return true;
}

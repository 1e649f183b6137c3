/* SPDX-License-Identifier: MIT */
/* Questions to a parsed JSON tree. */
#include "base/json.h"    /* struct slm_json */
#include "base/decimal.h" /* slm__decimal_parse */

const struct slm_json *slm__json_get(const struct slm_json *object, const char *key)
{
    if (object == NULL || object->type != SLM_JSON_OBJECT) {
        return NULL;
    }
    struct slm_span wanted = slm__span_text(key);
    for (uint32_t i = object->count; i-- > 0;) {
        if (slm__span_equal(object->keys[i], wanted)) {
            return &object->items[i];
        }
    }
    return NULL;
}

const struct slm_json *slm__json_present(const struct slm_json *object, const char *key)
{
    const struct slm_json *value = slm__json_get(object, key);
    return value != NULL && value->type == SLM_JSON_NULL ? NULL : value;
}

bool slm__json_is_string(const struct slm_json *value, const char *text)
{
    return value != NULL && value->type == SLM_JSON_STRING && slm__span_is(value->text, text);
}

bool slm__json_is_true(const struct slm_json *value) { return value != NULL && value->type == SLM_JSON_TRUE; }

/* A JSON number taken apart: digits of mantissa (with the point between them, if any) and the power of ten of its last digit. */
struct number {
    struct slm_span mantissa;
    int64_t exponent; /* saturates far beyond any use */
    bool negative;
};

static struct number take_apart(struct slm_span text)
{
    struct number number = {text, 0, text.data[0] == '-'};
    size_t end = 0;
    size_t fraction = 0;
    bool point = false;
    for (; end < text.length && (text.data[end] | 0x20) != 'e'; end++) {
        fraction += point;
        point = point || text.data[end] == '.';
    }
    size_t at = end + 1;
    bool below = at < text.length && text.data[at] == '-';
    at += at < text.length && (text.data[at] == '-' || text.data[at] == '+');
    for (; at < text.length; at++) {
        number.exponent = number.exponent > INT64_MAX / 40 ? number.exponent : 10 * number.exponent + (text.data[at] - '0');
    }
    number.exponent = (below ? -number.exponent : number.exponent) - (int64_t)fraction;
    number.mantissa = slm__span(text.data + number.negative, end - number.negative);
    return number;
}

static bool push_digit(uint64_t *value, unsigned digit)
{
    uint64_t limit = UINT64_C(1) << 63;
    if (*value > (limit - digit) / 10) {
        return false;
    }
    *value = 10 * *value + digit;
    return true;
}

bool slm__json_i64(const struct slm_json *value, int64_t *result)
{
    if (value == NULL || value->type != SLM_JSON_NUMBER) {
        return false;
    }
    struct number number = take_apart(value->text);
    const uint8_t *digits = number.mantissa.data;
    size_t length = number.mantissa.length;
    for (; length > 0 && (digits[length - 1] == '0' || digits[length - 1] == '.'); length--) { /* "100000.0" is an integer */
        number.exponent += digits[length - 1] == '0';
    }
    uint64_t integer = 0;
    for (size_t i = 0; i < length; i++) {
        if (digits[i] != '.' && !push_digit(&integer, digits[i] - (unsigned)'0')) {
            return false;
        }
    }
    if (integer != 0 && number.exponent < 0) {
        return false;
    }
    for (; integer != 0 && number.exponent > 0; number.exponent--) {
        if (!push_digit(&integer, 0)) {
            return false;
        }
    }
    if (integer > (uint64_t)INT64_MAX && !number.negative) {
        return false;
    }
    *result = number.negative ? (int64_t)(0 - integer) : (int64_t)integer;
    return true;
}

bool slm__json_f64(const struct slm_json *value, double *result)
{
    return value != NULL && value->type == SLM_JSON_NUMBER && slm__decimal_parse(value->text, result);
}

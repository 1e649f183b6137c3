/* SPDX-License-Identifier: MIT */
/* Operators on two values: arithmetic by Python's rules, joining and repeating of texts and lists, comparisons. Integers that leave 64
 * bits are an error. */
#include "text/template_builtins.h" /* slm__template_percent */
#include "text/template_eval.h"     /* slm__te_binary */

#include <math.h> /* floor, fmod: exact */

static const char *const operator_names[] = {"", "+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">=", "in", "not in"};

static slm_status fail_operands(struct slm_tmachine *m, enum slm_toperator operation, struct slm_tvalue a, struct slm_tvalue b)
{
    if (a.kind == SLM_T_UNDEFINED || b.kind == SLM_T_UNDEFINED) {
        return slm__tm_fail_undefined(m, a.kind == SLM_T_UNDEFINED ? a : b);
    }
    if (a.kind == SLM_T_BIGINT || b.kind == SLM_T_BIGINT) {
        return slm__tm_fail(m, "an integer beyond 64 bits cannot be computed with");
    }
    if (operation == SLM_TO_ADD && (a.kind == SLM_T_STRING || slm__tv_is_list(a))) {
        return slm__tm_fail(m, "can only concatenate %s (not \"%s\") to %s", slm__tv_type(a), slm__tv_type(b), slm__tv_type(a));
    }
    return slm__tm_fail(m, "unsupported operand type(s) for %s: '%s' and '%s'", operator_names[operation], slm__tv_type(a),
                        slm__tv_type(b));
}

/* base ** exponent by squaring; false: overflow. */
static bool integer_power(int64_t base, int64_t exponent, int64_t *result)
{
    int64_t power = 1;
    while (exponent > 0) {
        if ((exponent & 1) != 0 && __builtin_mul_overflow(power, base, &power)) {
            return false;
        }
        exponent >>= 1;
        if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) {
            return false;
        }
    }
    *result = power;
    return true;
}

/* Division that rounds to minus infinity; b is not 0. false: overflow. */
static bool integer_floor(int64_t a, int64_t b, int64_t *quotient, int64_t *remainder)
{
    if (b == -1) {
        *remainder = 0;
        return !__builtin_sub_overflow((int64_t)0, a, quotient);
    }
    *quotient = a / b;
    *remainder = a % b;
    if (*remainder != 0 && (*remainder < 0) != (b < 0)) {
        *quotient -= 1;
        *remainder += b;
    }
    return true;
}

static slm_status integers(struct slm_tmachine *m, enum slm_toperator operation, int64_t a, int64_t b, struct slm_tvalue *out)
{
    int64_t result = 0;
    int64_t other = 0;
    bool fits = true;
    switch (operation) {
    case SLM_TO_ADD: fits = !__builtin_add_overflow(a, b, &result); break;
    case SLM_TO_SUBTRACT: fits = !__builtin_sub_overflow(a, b, &result); break;
    case SLM_TO_MULTIPLY: fits = !__builtin_mul_overflow(a, b, &result); break;
    case SLM_TO_FLOOR: fits = integer_floor(a, b, &result, &other); break;
    case SLM_TO_MODULO: integer_floor(a, b, &other, &result); break;
    default: fits = integer_power(a, b, &result); break;
    }
    if (!fits) {
        return slm__tm_fail(m, "the result of %s leaves 64 bits", operator_names[operation]);
    }
    *out = slm__tv_int(result);
    return SLM_OK;
}

/* base ** exponent for whole exponents; others would need a logarithm that is not the same everywhere. */
static slm_status real_power(struct slm_tmachine *m, double base, double exponent, double *result)
{
    double left = fabs(exponent);
    double power = 1.0;
    if (floor(exponent) != exponent || left > 1e9) {
        return slm__tm_fail(m, "** supports whole exponents only");
    }
    for (uint64_t bits = (uint64_t)left; bits > 0; bits >>= 1) {
        power = (bits & 1) != 0 ? power * base : power;
        base *= base;
    }
    *result = exponent < 0 ? 1.0 / power : power;
    return SLM_OK;
}

static slm_status reals(struct slm_tmachine *m, enum slm_toperator operation, double a, double b, struct slm_tvalue *out)
{
    double result = 0.0;
    switch (operation) {
    case SLM_TO_ADD: result = a + b; break;
    case SLM_TO_SUBTRACT: result = a - b; break;
    case SLM_TO_MULTIPLY: result = a * b; break;
    case SLM_TO_DIVIDE: result = a / b; break;
    case SLM_TO_POWER: SLM_TRY(real_power(m, a, b, &result)); break;
    default:
        result = fmod(a, b);
        if (result != 0.0 && (result < 0.0) != (b < 0.0)) {
            result += b;
        }
        result = operation == SLM_TO_FLOOR ? floor((a - result) / b + 0.5) : result;
        break;
    }
    *out = slm__tv_float(result);
    return SLM_OK;
}

static slm_status numbers(struct slm_tmachine *m, enum slm_toperator operation, struct slm_tvalue a, struct slm_tvalue b,
                          struct slm_tvalue *out)
{
    int64_t left = 0;
    int64_t right = 0;
    double x = 0.0;
    double y = 0.0;
    bool whole = slm__tv_integer(a, &left) && slm__tv_integer(b, &right);
    slm__tv_real(a, &x);
    slm__tv_real(b, &y);
    bool divides = operation == SLM_TO_DIVIDE || operation == SLM_TO_FLOOR || operation == SLM_TO_MODULO;
    if ((divides && y == 0.0) || (operation == SLM_TO_POWER && x == 0.0 && y < 0.0)) {
        return slm__tm_fail(m, "division by zero");
    }
    if (whole && operation != SLM_TO_DIVIDE && !(operation == SLM_TO_POWER && right < 0)) {
        SLM_TRY(integers(m, operation, left, right, out));
    } else {
        SLM_TRY(reals(m, operation, x, y, out));
    }
    out->trusted = a.trusted && b.trusted;
    return SLM_OK;
}

static slm_status repeat(struct slm_tmachine *m, struct slm_tvalue value, int64_t times, struct slm_tvalue *out)
{
    if (value.kind == SLM_T_STRING) {
        const struct slm_tstring *text = value.as.string;
        struct slm_tbuilder builder;
        size_t length = 0;
        slm__ts_begin(&builder, m);
        times = times < 0 || text->length == 0 ? 0 : times;
        if (!slm__size_mul(text->length, (size_t)times, &length)) {
            length = SIZE_MAX;
        }
        SLM_TRY(slm__ts_reserve(&builder, length));
        SLM_TRY(slm__tm_charge(m, (uint64_t)times));
        for (int64_t i = 0; i < times; i++) {
            SLM_TRY(slm__ts_add_text(&builder, text));
        }
        return slm__ts_end(&builder, out);
    }
    struct slm_tvalue list;
    const struct slm_tlist *items = value.as.list;
    SLM_TRY(slm__tv_list(m, (enum slm_tkind)value.kind, 0, &list));
    for (int64_t i = 0; items->count > 0 && i < times; i++) {
        SLM_TRY(slm__tm_charge(m, items->count / 8 + 1));
        for (size_t k = 0; k < items->count; k++) {
            SLM_TRY(slm__tv_append(m, list, items->items[k]));
        }
    }
    *out = list;
    return SLM_OK;
}

static bool repeats(struct slm_tvalue value) { return value.kind == SLM_T_STRING || value.kind == SLM_T_LIST || value.kind == SLM_T_TUPLE; }

slm_status slm__te_binary(struct slm_tmachine *m, enum slm_toperator operation, struct slm_tvalue a, struct slm_tvalue b,
                          struct slm_tvalue *out)
{
    int64_t times = 0;
    if (slm__tv_is_number(a) && slm__tv_is_number(b)) {
        return numbers(m, operation, a, b, out);
    }
    if (operation == SLM_TO_ADD && a.kind == SLM_T_STRING && b.kind == SLM_T_STRING) {
        return slm__ts_join(m, a.as.string, b.as.string, out);
    }
    if (operation == SLM_TO_ADD && a.kind == b.kind && (a.kind == SLM_T_LIST || a.kind == SLM_T_TUPLE)) {
        return slm__tv_list_join(m, a, b, out);
    }
    if (operation == SLM_TO_MULTIPLY && repeats(a) && slm__tv_integer(b, &times)) {
        return repeat(m, a, times, out);
    }
    if (operation == SLM_TO_MULTIPLY && repeats(b) && slm__tv_integer(a, &times)) {
        return repeat(m, b, times, out);
    }
    if (operation == SLM_TO_MODULO && a.kind == SLM_T_STRING) {
        return slm__template_percent(m, a.as.string, b, out);
    }
    return fail_operands(m, operation, a, b);
}

slm_status slm__te_compare(struct slm_tmachine *m, enum slm_toperator operation, struct slm_tvalue a, struct slm_tvalue b, bool *holds)
{
    int order = 0;
    bool ordered = true;
    switch (operation) {
    case SLM_TO_EQUAL:
    case SLM_TO_NOT_EQUAL:
        SLM_TRY(slm__tv_equal(m, a, b, holds));
        *holds = *holds == (operation == SLM_TO_EQUAL);
        return SLM_OK;
    case SLM_TO_IN:
    case SLM_TO_NOT_IN:
        SLM_TRY(slm__tv_contains(m, b, a, holds));
        *holds = *holds == (operation == SLM_TO_IN);
        return SLM_OK;
    default:
        SLM_TRY(slm__tv_compare(m, a, b, operator_names[operation], &order, &ordered));
        *holds = ordered && (operation == SLM_TO_LESS         ? order < 0
                             : operation == SLM_TO_LESS_EQUAL ? order <= 0
                             : operation == SLM_TO_GREATER    ? order > 0
                                                              : order >= 0);
        return SLM_OK;
    }
}

slm_status slm__te_negate(struct slm_tmachine *m, struct slm_tvalue value, bool minus, struct slm_tvalue *out)
{
    int64_t integer = 0;
    if (slm__tv_integer(value, &integer)) {
        if (minus && __builtin_sub_overflow((int64_t)0, integer, &integer)) {
            return slm__tm_fail(m, "the result of - leaves 64 bits");
        }
        *out = slm__tv_int(integer);
        out->trusted = value.trusted;
        return SLM_OK;
    }
    if (value.kind == SLM_T_FLOAT) {
        *out = value;
        out->as.real = minus ? -value.as.real : value.as.real;
        return SLM_OK;
    }
    if (value.kind == SLM_T_UNDEFINED) {
        return slm__tm_fail_undefined(m, value);
    }
    return slm__tm_fail(m, "bad operand type for unary %s: '%s'", minus ? "-" : "+", slm__tv_type(value));
}

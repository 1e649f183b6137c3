/* SPDX-License-Identifier: MIT */
/* Tests: what may follow `is`. */
#include "base/utf8.h"              /* slm__utf8_decode */
#include "text/template_builtins.h" /* slm__template_tests */
#include "text/template_eval.h"     /* slm__te_compare */
#include "text/template_unicode.h"  /* slm__tu_cased */

/* Tests that look at the kind only: one bit a kind. */
static slm_status test_kinds(struct slm_tvalue self, uint32_t kinds, struct slm_tvalue *out)
{
    *out = slm__tv_bool((kinds >> self.kind & 1) != 0);
    return SLM_OK;
}

enum {
    LISTS = 1 << SLM_T_LIST | 1 << SLM_T_TUPLE | 1 << SLM_T_RANGE,
    INTEGERS = 1 << SLM_T_INT | 1 << SLM_T_BIGINT | 1 << SLM_T_BOOL,
    CALLABLES = 1 << SLM_T_MACRO | 1 << SLM_T_FUNCTION | 1 << SLM_T_METHOD | 1 << SLM_T_LOOP
};

static slm_status test_defined(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)m, (void)a;
    return test_kinds(self, ~(UINT32_C(1) << SLM_T_UNDEFINED), out);
}

static slm_status test_undefined(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)m, (void)a;
    return test_kinds(self, 1 << SLM_T_UNDEFINED, out);
}

static slm_status test_none(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)m, (void)a;
    return test_kinds(self, 1 << SLM_T_NONE, out);
}

static slm_status test_boolean(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)m, (void)a;
    return test_kinds(self, 1 << SLM_T_BOOL, out);
}

static slm_status test_string(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)m, (void)a;
    return test_kinds(self, 1 << SLM_T_STRING, out);
}

static slm_status test_mapping(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)m, (void)a;
    return test_kinds(self, 1 << SLM_T_DICT, out);
}

static slm_status test_number(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)m, (void)a;
    return test_kinds(self, INTEGERS | 1 << SLM_T_FLOAT, out);
}

static slm_status test_integer(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)m, (void)a;
    return test_kinds(self, INTEGERS & ~(1 << SLM_T_BOOL), out);
}

static slm_status test_float(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)m, (void)a;
    return test_kinds(self, 1 << SLM_T_FLOAT, out);
}

static slm_status test_sequence(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)m, (void)a;
    return test_kinds(self, LISTS | 1 << SLM_T_STRING | 1 << SLM_T_DICT | 1 << SLM_T_UNDEFINED, out);
}

static slm_status test_iterable(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)m, (void)a;
    return test_kinds(
        self, LISTS | 1 << SLM_T_STRING | 1 << SLM_T_DICT | 1 << SLM_T_VIEW | 1 << SLM_T_GENERATOR | 1 << SLM_T_UNDEFINED | 1 << SLM_T_LOOP,
        out);
}

static slm_status test_callable(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)m, (void)a;
    return test_kinds(self, CALLABLES | 1 << SLM_T_UNDEFINED, out);
}

static slm_status test_escaped(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)m, (void)a;
    *out = slm__tv_bool(self.kind == SLM_T_STRING && self.as.string->markup);
    return SLM_OK;
}

static slm_status test_true(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)m, (void)a;
    *out = slm__tv_bool(self.kind == SLM_T_BOOL && self.as.truth);
    return SLM_OK;
}

static slm_status test_false(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)m, (void)a;
    *out = slm__tv_bool(self.kind == SLM_T_BOOL && !self.as.truth);
    return SLM_OK;
}

/* Identity: the same object, or equal values of a kind that has no other identity here. */
static slm_status test_sameas(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    struct slm_tvalue other = a->value[0];
    bool same = self.kind == other.kind;
    if (same && (slm__tv_is_list(self) || self.kind >= SLM_T_DICT)) {
        same = self.as.list == other.as.list;
    } else if (same) {
        SLM_TRY(slm__tv_equal(m, self, other, &same));
    }
    *out = slm__tv_bool(same);
    return SLM_OK;
}

/* self % a == rest */
static slm_status test_remainder(struct slm_tmachine *m, struct slm_tvalue self, struct slm_tvalue divisor, int64_t rest,
                                 struct slm_tvalue *out)
{
    struct slm_tvalue remainder;
    bool equal = false;
    SLM_TRY(slm__te_binary(m, SLM_TO_MODULO, self, divisor, &remainder));
    SLM_TRY(slm__tv_equal(m, remainder, slm__tv_int(rest), &equal));
    *out = slm__tv_bool(equal);
    return SLM_OK;
}

static slm_status test_odd(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)a;
    return test_remainder(m, self, slm__tv_int(2), 1, out);
}

static slm_status test_even(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)a;
    return test_remainder(m, self, slm__tv_int(2), 0, out);
}

static slm_status test_divisibleby(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return test_remainder(m, self, a->value[0], 0, out);
}

/* str(self).isupper() or islower(): has letters with case, and all of them in this one. */
static slm_status test_case(struct slm_tmachine *m, struct slm_tvalue self, bool upper, struct slm_tvalue *out)
{
    const struct slm_tstring *text = NULL;
    bool cased = false;
    bool other = false;
    SLM_TRY(slm__ts_from(m, self, &text));
    SLM_TRY(slm__tm_charge(m, text->length / 8));
    for (size_t i = 0; i < text->length;) {
        struct slm_utf8 character = slm__utf8_decode(text->data + i, text->length - i);
        cased = cased || slm__tu_cased(character.code);
        other = other || (upper ? slm__tu_upper(character.code) : slm__tu_lower(character.code)) != character.code;
        i += character.length;
    }
    *out = slm__tv_bool(cased && !other);
    return SLM_OK;
}

static slm_status test_upper(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)a;
    return test_case(m, self, true, out);
}

static slm_status test_lower(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)a;
    return test_case(m, self, false, out);
}

static slm_status test_compare(struct slm_tmachine *m, struct slm_tvalue self, struct slm_tvalue other, enum slm_toperator operation,
                               struct slm_tvalue *out)
{
    bool holds = false;
    SLM_TRY(slm__te_compare(m, operation, self, other, &holds));
    *out = slm__tv_bool(holds);
    return SLM_OK;
}

static slm_status test_eq(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return test_compare(m, self, a->value[0], SLM_TO_EQUAL, out);
}

static slm_status test_ne(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return test_compare(m, self, a->value[0], SLM_TO_NOT_EQUAL, out);
}

static slm_status test_gt(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return test_compare(m, self, a->value[0], SLM_TO_GREATER, out);
}

static slm_status test_ge(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return test_compare(m, self, a->value[0], SLM_TO_GREATER_EQUAL, out);
}

static slm_status test_lt(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return test_compare(m, self, a->value[0], SLM_TO_LESS, out);
}

static slm_status test_le(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return test_compare(m, self, a->value[0], SLM_TO_LESS_EQUAL, out);
}

static slm_status test_in(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    return test_compare(m, self, a->value[0], SLM_TO_IN, out);
}

/* is filter, is test: whether a name is known. */
static slm_status test_filter(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)m, (void)a;
    *out = slm__tv_bool(self.kind == SLM_T_STRING && slm__tm_find(slm__template_filters, slm__ts_span(self.as.string)) != NULL);
    return SLM_OK;
}

static slm_status test_test(struct slm_tmachine *m, struct slm_tvalue self, const struct slm_targuments *a, struct slm_tvalue *out)
{
    (void)m, (void)a;
    *out = slm__tv_bool(self.kind == SLM_T_STRING && slm__tm_find(slm__template_tests, slm__ts_span(self.as.string)) != NULL);
    return SLM_OK;
}

const struct slm_tfunction slm__template_tests[] = {
    {"defined", test_defined, "", 0},
    {"undefined", test_undefined, "", 0},
    {"none", test_none, "", 0},
    {"boolean", test_boolean, "", 0},
    {"string", test_string, "", 0},
    {"mapping", test_mapping, "", 0},
    {"number", test_number, "", 0},
    {"integer", test_integer, "", 0},
    {"float", test_float, "", 0},
    {"sequence", test_sequence, "", 0},
    {"iterable", test_iterable, "", 0},
    {"callable", test_callable, "", 0},
    {"escaped", test_escaped, "", 0},
    {"true", test_true, "", 0},
    {"false", test_false, "", 0},
    {"sameas", test_sameas, "other", 1},
    {"odd", test_odd, "", 0},
    {"even", test_even, "", 0},
    {"divisibleby", test_divisibleby, "num", 1},
    {"upper", test_upper, "", 0},
    {"lower", test_lower, "", 0},
    {"eq", test_eq, "other", 1},
    {"==", test_eq, "other", 1},
    {"equalto", test_eq, "other", 1},
    {"ne", test_ne, "other", 1},
    {"!=", test_ne, "other", 1},
    {"gt", test_gt, "other", 1},
    {">", test_gt, "other", 1},
    {"greaterthan", test_gt, "other", 1},
    {"ge", test_ge, "other", 1},
    {">=", test_ge, "other", 1},
    {"lt", test_lt, "other", 1},
    {"<", test_lt, "other", 1},
    {"lessthan", test_lt, "other", 1},
    {"le", test_le, "other", 1},
    {"<=", test_le, "other", 1},
    {"in", test_in, "seq", 1},
    {"filter", test_filter, "", 0},
    {"test", test_test, "", 0},
    {NULL, NULL, NULL, 0},
};

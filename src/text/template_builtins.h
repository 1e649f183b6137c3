/* SPDX-License-Identifier: MIT */
/* The tables of built-in filters, tests, methods and functions; each ends with a NULL name. */
#ifndef SLM_TEXT_TEMPLATE_BUILTINS_H
#define SLM_TEXT_TEMPLATE_BUILTINS_H

#include "text/template_machine.h" /* struct slm_tfunction */

extern const struct slm_tfunction slm__template_filters[];
extern const struct slm_tfunction slm__template_tests[];
extern const struct slm_tfunction slm__template_globals[];
extern const struct slm_tfunction slm__template_text_methods[];

/* Filters by file. */
slm_tfunction_fn slm__filter_tojson, slm__filter_trim, slm__filter_indent, slm__filter_replace, slm__filter_escape, slm__filter_upper,
    slm__filter_lower, slm__filter_title, slm__filter_capitalize, slm__filter_truncate, slm__filter_wordcount, slm__filter_center,
    slm__filter_format, slm__filter_safe, slm__filter_forceescape;
slm_tfunction_fn slm__filter_select, slm__filter_reject, slm__filter_selectattr, slm__filter_rejectattr, slm__filter_map, slm__filter_sort,
    slm__filter_unique, slm__filter_min, slm__filter_max, slm__filter_sum, slm__filter_dictsort;

/* The method `name` of `self`: *out is a METHOD value, or UNDEFINED when the name is one that would change the object, or the call
 * returns false: no such method. */
slm_status slm__template_method(struct slm_tmachine *m, struct slm_tvalue self, struct slm_span name, struct slm_tvalue *out, bool *found);

/* Apply the filter `name`, or the test `name`, to a value (map, select). */
slm_status slm__template_filter(struct slm_tmachine *m, struct slm_span name, struct slm_tvalue value, const struct slm_tcall *call,
                                struct slm_tvalue *out);
slm_status slm__template_test(struct slm_tmachine *m, struct slm_span name, struct slm_tvalue value, const struct slm_tcall *call,
                              bool *holds);

/* Python's text formatting: "format" % arguments, and format.format(arguments). */
slm_status slm__template_percent(struct slm_tmachine *m, const struct slm_tstring *format, struct slm_tvalue arguments,
                                 struct slm_tvalue *out);
slm_status slm__template_format(struct slm_tmachine *m, const struct slm_tstring *format, const struct slm_tcall *call,
                                struct slm_tvalue *out);
/* `value` with `places` digits behind the point, rounded as its exact binary value asks for; text holds at least 400 bytes. */
size_t slm__template_fixed(double value, unsigned places, char *text);
/* strftime(format) of a time in local seconds since 1970. */
slm_status slm__template_strftime(struct slm_tmachine *m, const struct slm_tstring *format, int64_t now, struct slm_tvalue *out);
/* Cut `characters` (NULL: white space) off the left and the right. */
slm_status slm__template_strip(struct slm_tmachine *m, const struct slm_tstring *text, const struct slm_tstring *characters, bool left,
                               bool right, struct slm_tvalue *out);
slm_status slm__template_replace(struct slm_tmachine *m, const struct slm_tstring *text, const struct slm_tstring *from,
                                 const struct slm_tstring *to, int64_t most, struct slm_tvalue *out);
slm_status slm__template_join(struct slm_tmachine *m, struct slm_tvalue items, const struct slm_tstring *separator, bool any_type,
                              struct slm_tvalue *out);
/* Lines as str.splitlines() gives them. */
slm_status slm__template_lines(struct slm_tmachine *m, const struct slm_tstring *text, bool keep_ends, struct slm_tvalue *out);
/* upper ('u'), lower ('l'), title ('t'), capitalize ('c'), swapcase ('s'). */
slm_status slm__template_case(struct slm_tmachine *m, const struct slm_tstring *text, char how, struct slm_tvalue *out);

#endif

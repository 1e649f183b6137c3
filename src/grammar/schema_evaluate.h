/* SPDX-License-Identifier: MIT */
/* Is a given value valid? Asked of the values of enum and const, which so need no normal form. */
#ifndef SLM_GRAMMAR_SCHEMA_EVALUATE_H
#define SLM_GRAMMAR_SCHEMA_EVALUATE_H

#include "grammar/schema_goals.h" /* struct slm_schema_work */

/* Equal as JSON Schema counts: numbers by value, objects without order. */
bool slm__json_equal(const struct slm_json *a, const struct slm_json *b);
enum slm_schema_type slm__json_value_type(const struct slm_json *value);
/* Does `value` satisfy the literal, the goal? Errors: what cannot be decided (SLM_E_UNSUPPORTED), limits. */
slm_status slm__literal_accepts(struct slm_schema_work *work, slm_literal literal, const struct slm_json *value, bool *accepts);
slm_status slm__goal_accepts(struct slm_schema_work *work, slm_goal goal, const struct slm_json *value, bool *accepts);

#endif

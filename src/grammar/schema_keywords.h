/* SPDX-License-Identifier: MIT */
/* The keywords of JSON Schema that say something about values, of every draft in use, as numbers. */
#ifndef SLM_GRAMMAR_SCHEMA_KEYWORDS_H
#define SLM_GRAMMAR_SCHEMA_KEYWORDS_H

#include "base/span.h" /* struct slm_span */

#define SLM_SCHEMA_KEYWORDS(X)                       \
  X(TYPE, "type")                                    \
  X(ENUM, "enum")                                    \
  X(CONST, "const")                                  \
  X(REF, "$ref")                                     \
  X(DYNAMIC_REF, "$dynamicRef")                      \
  X(RECURSIVE_REF, "$recursiveRef")                  \
  X(ALL_OF, "allOf")                                 \
  X(ANY_OF, "anyOf")                                 \
  X(ONE_OF, "oneOf")                                 \
  X(NOT, "not")                                      \
  X(IF, "if")                                        \
  X(THEN, "then")                                    \
  X(ELSE, "else")                                    \
  X(DEPENDENT_SCHEMAS, "dependentSchemas")           \
  X(DEPENDENT_REQUIRED, "dependentRequired")         \
  X(DEPENDENCIES, "dependencies")                    \
  X(MINIMUM, "minimum")                              \
  X(MAXIMUM, "maximum")                              \
  X(EXCLUSIVE_MINIMUM, "exclusiveMinimum")           \
  X(EXCLUSIVE_MAXIMUM, "exclusiveMaximum")           \
  X(MULTIPLE_OF, "multipleOf")                       \
  X(MIN_LENGTH, "minLength")                         \
  X(MAX_LENGTH, "maxLength")                         \
  X(PATTERN, "pattern")                              \
  X(FORMAT, "format")                                \
  X(PREFIX_ITEMS, "prefixItems")                     \
  X(ITEMS, "items")                                  \
  X(ADDITIONAL_ITEMS, "additionalItems")             \
  X(MIN_ITEMS, "minItems")                           \
  X(MAX_ITEMS, "maxItems")                           \
  X(UNIQUE_ITEMS, "uniqueItems")                     \
  X(CONTAINS, "contains")                            \
  X(MIN_CONTAINS, "minContains")                     \
  X(MAX_CONTAINS, "maxContains")                     \
  X(UNEVALUATED_ITEMS, "unevaluatedItems")           \
  X(PROPERTIES, "properties")                        \
  X(PATTERN_PROPERTIES, "patternProperties")         \
  X(ADDITIONAL_PROPERTIES, "additionalProperties")   \
  X(PROPERTY_NAMES, "propertyNames")                 \
  X(MIN_PROPERTIES, "minProperties")                 \
  X(MAX_PROPERTIES, "maxProperties")                 \
  X(REQUIRED, "required")                            \
  X(UNEVALUATED_PROPERTIES, "unevaluatedProperties") \
  X(ID, "$id")                                       \
  X(OLD_ID, "id")                                    \
  X(ANCHOR, "$anchor")                               \
  X(DYNAMIC_ANCHOR, "$dynamicAnchor")                \
  X(RECURSIVE_ANCHOR, "$recursiveAnchor")            \
  X(DEFS, "$defs")                                   \
  X(DEFINITIONS, "definitions")

enum slm_keyword {
#define SLM_KEYWORD_NUMBER(name, text) SLM_KEYWORD_##name,
    SLM_SCHEMA_KEYWORDS(SLM_KEYWORD_NUMBER)
#undef SLM_KEYWORD_NUMBER
        SLM_KEYWORD_COUNT /* at most 64; also: none of them */
};

#define SLM_KEYWORD_BIT(keyword) (UINT64_C(1) << (keyword))

/* SLM_KEYWORD_COUNT when `text` is no keyword. */
enum slm_keyword slm__keyword_find(struct slm_span text);
const char *slm__keyword_name(enum slm_keyword keyword);

#endif

/* SPDX-License-Identifier: MIT */
/* Names of properties to code points: Lu, Letter, General_Category=Lu, Script=Greek, Alphabetic ... */
#include "grammar/unicode_property.h"

/* The entry of a name in a list, or NULL. */
static const struct slm_category_name *find(const struct slm_category_name *list, struct slm_span name)
{
    for (; list->name[0] != '\0'; list++) {
        if (slm__span_is(name, list->name)) {
            return list;
        }
    }
    return NULL;
}

static bool add_category(struct slm_code_collector *codes, struct slm_span name)
{
    const struct slm_category_name *found = find(slm__category_names, name);
    for (uint32_t i = 0; found != NULL && i < slm__category_run_count; i++) {
        uint32_t last = i + 1 < slm__category_run_count ? (slm__category_runs[i + 1] >> 5) - 1 : SLM_CODE_LAST;
        if (found->value >> (slm__category_runs[i] & 31) & 1) {
            slm__codes_add(codes, slm__category_runs[i] >> 5, last);
        }
    }
    return found != NULL;
}

static bool add_script(struct slm_code_collector *codes, struct slm_span name)
{
    const struct slm_category_name *found = find(slm__script_names, name);
    for (uint32_t i = 0; found != NULL && i < slm__script_run_count; i++) {
        uint32_t last = i + 1 < slm__script_run_count ? (slm__script_runs[i + 1] >> 8) - 1 : SLM_CODE_LAST;
        if (found->value == (slm__script_runs[i] & 255)) {
            slm__codes_add(codes, slm__script_runs[i] >> 8, last);
        }
    }
    return found != NULL;
}

static bool add_binary(struct slm_code_collector *codes, struct slm_span name)
{
    const struct slm_category_name *found = find(slm__binary_names, name);
    const struct slm_category_name *next = found;
    while (found != NULL && next->value == found->value) {
        next++;
    }
    for (uint32_t i = found != NULL ? found->value : 0; found != NULL && i < next->value; i += 2) {
        slm__codes_add(codes, slm__binary_ends[i], slm__binary_ends[i + 1] - 1);
    }
    return found != NULL;
}

/* What stands behind "key=" in `name`; false when it does not start so. */
static bool value_of(struct slm_span name, const char *key, struct slm_span *value)
{
    size_t length = strlen(key);
    if (name.length <= length || memcmp(name.data, key, length) != 0 || name.data[length] != '=') {
        return false;
    }
    *value = slm__span(name.data + length + 1, name.length - length - 1);
    return true;
}

bool slm__unicode_property(struct slm_code_collector *codes, struct slm_span name)
{
    struct slm_span value = {0};
    if (value_of(name, "General_Category", &value) || value_of(name, "gc", &value)) {
        return add_category(codes, value);
    }
    if (value_of(name, "Script", &value) || value_of(name, "sc", &value)) {
        return add_script(codes, value);
    }
    if (slm__span_is(name, "Any")) {
        slm__codes_add(codes, 0, SLM_CODE_LAST);
        return true;
    }
    if (slm__span_is(name, "ASCII")) {
        slm__codes_add(codes, 0, 0x7F);
        return true;
    }
    if (slm__span_is(name, "ASCII_Hex_Digit") || slm__span_is(name, "AHex")) {
        slm__codes_add(codes, '0', '9');
        slm__codes_add(codes, 'A', 'F');
        slm__codes_add(codes, 'a', 'f');
        return true;
    }
    if (slm__span_is(name, "Assigned")) {
        struct slm_code_set unassigned;
        bool known = add_category(codes, slm__span_text("Cn"));
        return known && slm__codes_finish(codes, true, &unassigned) && (slm__codes_add_set(codes, unassigned), true);
    }
    return add_category(codes, name) || add_binary(codes, name);
}

/* SPDX-License-Identifier: MIT */
/*
 * Each format is a pattern put together from the rules of its RFC. Where the whole language is not regular, or its automaton would be
 * huge, the pattern is a part of it: leap seconds only with offsets of whole and half hours; host names without punycode, whose
 * validity no automaton decides, and of a length that simple bounds keep below 253; patterns of limited nesting whose ranges are of
 * digits and letters. Templates of URIs use no reserved operators.
 */
#include "grammar/string_formats.h"
#include "base/buffer.h"           /* struct slm_buffer */
#include "grammar/ecma_regex.h"    /* slm__regex_compile */
#include "grammar/format_tables.h" /* slm__format_table_load, slm__format_compile */

struct rule {
    const char *name;
    const char *pattern; /* <name> stands for another rule */
};

/* Those up to the empty line are formats, the others parts of them. */
static const struct rule formats[] = {
    /* RFC 3339 */
    {"date", "[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|"
             "02-(?:0[1-9]|1[0-9]|2[0-8]))|(?:[0-9]{2}<by-four>|(?:00|<by-four>)00)-02-29"},
    {"time", "<hour>:<sixty>:<sixty><fraction>(?:[zZ]|[+-]<hour>:<sixty>)|23:59:60<fraction>[zZ]|<leaps>"},
    {"date-time", "<date>[tT]<time>"},
    {"duration", "P(?:[0-9]+W|(?:[0-9]+D|[0-9]+M(?:[0-9]+D)?|[0-9]+Y(?:[0-9]+M(?:[0-9]+D)?)?)<clock>?|<clock>)"},
    /* RFC 5321, RFC 6531 */
    {"email", "(?:<atom>(?:\\.<atom>)*|\"(?:[ !#-\\[\\]-~]|\\\\[ -~])*\")@(?:<domain>(?:\\.<domain>)*|<address>)"},
    {"idn-email", "(?:<idn-atom>(?:\\.<idn-atom>)*|\"(?:[ !#-\\[\\]-~\\u0080-\\u{10FFFF}]|\\\\[ -~])*\")@"
                  "(?:<idn-domain>(?:\\.<idn-domain>)*|<address>)"},
    /* RFC 1123 */
    {"hostname", "<label>(?:\\.<label>){0,2}(?:\\.<label-61>)?|<label-30>(?:\\.<label-30>){0,7}|<label-15>(?:\\.<label-15>){0,14}"},
    /* RFC 2673, RFC 4291 */
    {"ipv4", "<octet>(?:\\.<octet>){3}"},
    {"ipv6", "(?:<h16>:){6}<ls32>|::(?:<h16>:){5}<ls32>|<h16>?::(?:<h16>:){4}<ls32>|(?:(?:<h16>:){0,1}<h16>)?::(?:<h16>:){3}<ls32>|"
             "(?:(?:<h16>:){0,2}<h16>)?::(?:<h16>:){2}<ls32>|(?:(?:<h16>:){0,3}<h16>)?::<h16>:<ls32>|"
             "(?:(?:<h16>:){0,4}<h16>)?::<ls32>|(?:(?:<h16>:){0,5}<h16>)?::<h16>|(?:(?:<h16>:){0,6}<h16>)?::"},
    /* RFC 3986, RFC 3987 */
    {"uri", "<scheme>:(?:\\/\\/<authority>(?:\\/<pchar>*)*|\\/(?:<pchar>+(?:\\/<pchar>*)*)?|<pchar>+(?:\\/<pchar>*)*|)<tail>"},
    {"uri-reference", "<uri>|(?:\\/\\/<authority>(?:\\/<pchar>*)*|\\/(?:<pchar>+(?:\\/<pchar>*)*)?|<no-colon>+(?:\\/<pchar>*)*|)<tail>"},
    {"iri", "<scheme>:(?:\\/\\/<iauthority>(?:\\/<ipchar>*)*|\\/(?:<ipchar>+(?:\\/<ipchar>*)*)?|<ipchar>+(?:\\/<ipchar>*)*|)<itail>"},
    {"iri-reference",
     "<iri>|(?:\\/\\/<iauthority>(?:\\/<ipchar>*)*|\\/(?:<ipchar>+(?:\\/<ipchar>*)*)?|<ino-colon>+(?:\\/<ipchar>*)*|)<itail>"},
    /* RFC 6570 */
    {"uri-template", "(?:[!#$&'()*+,\\-.\\/0-9:;=?@A-Z\\[\\]_a-z~<ucschar><iprivate>]|<percent>|"
                     "\\{[+#.\\/;?&]?<variable>(?:,<variable>)*\\})*"},
    /* RFC 9562, RFC 6901 */
    {"uuid", "<hex>{8}-<hex>{4}-<hex>{4}-<hex>{4}-<hex>{12}"},
    {"json-pointer", "(?:\\/(?:[^\\/~]|~[01])*)*"},
    {"relative-json-pointer", "(?:0|[1-9][0-9]*)(?:#|<json-pointer>)"},
    /* ECMA-262 */
    {"regex", "<choice-2>"},
    {"", ""},
    {"by-four", "0[48]|[2468][048]|[13579][26]"},
    {"hour", "[01][0-9]|2[0-3]"},
    {"sixty", "[0-5][0-9]"},
    {"fraction", "(?:\\.[0-9]+)?"},
    {"clock", "T(?:[0-9]+H(?:[0-9]+M(?:[0-9]+S)?)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S)"},
    {"atom", "[A-Za-z0-9!#$%&'*+\\-\\/=?^_`{|}~]+"},
    {"domain", "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"},
    {"idn-atom", "[A-Za-z0-9!#$%&'*+\\-\\/=?^_`{|}~\\u0080-\\u{10FFFF}]+"},
    {"idn-domain", "[A-Za-z0-9\\u0080-\\u{10FFFF}](?:[A-Za-z0-9\\-\\u0080-\\u{10FFFF}]*[A-Za-z0-9\\u0080-\\u{10FFFF}])?"},
    {"address", "\\[(?:<ipv4>|[Ii][Pp][Vv]6:<ipv6>)\\]"},
    {"alnum", "[A-Za-z0-9]"},
    {"inner", "[A-Za-z0-9-]"},
    /* The third and fourth character are not both hyphens. */
    {"label", "<alnum>|<alnum><alnum>|<alnum><inner><alnum>|<alnum><inner>(?:<alnum><inner>|-<alnum>)(?:<inner>{0,58}<alnum>)?"
              "(?<!-)"},
    {"label-61", "<alnum>|<alnum><alnum>|<alnum><inner><alnum>|<alnum><inner>(?:<alnum><inner>|-<alnum>)(?:<inner>{0,56}<alnum>)?"
                 "(?<!-)"},
    {"label-30", "<alnum>|<alnum><alnum>|<alnum><inner><alnum>|<alnum><inner>(?:<alnum><inner>|-<alnum>)(?:<inner>{0,25}<alnum>)?"
                 "(?<!-)"},
    {"label-15", "<alnum>|<alnum><alnum>|<alnum><inner><alnum>|<alnum><inner>(?:<alnum><inner>|-<alnum>)(?:<inner>{0,10}<alnum>)?"
                 "(?<!-)"},
    {"octet", "25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9]"},
    {"hex", "[0-9A-Fa-f]"},
    {"h16", "<hex>{1,4}"},
    {"ls32", "<h16>:<h16>|<ipv4>"},
    {"percent", "%<hex>{2}"},
    {"scheme", "[A-Za-z][A-Za-z0-9+.-]*"},
    {"future", "[vV]<hex>+\\.[A-Za-z0-9\\-._~!$&'()*+,;=:]+"},
    {"pchar", "[A-Za-z0-9\\-._~!$&'()*+,;=:@]|<percent>"},
    {"no-colon", "[A-Za-z0-9\\-._~!$&'()*+,;=@]|<percent>"},
    {"authority", "(?:(?:[A-Za-z0-9\\-._~!$&'()*+,;=:]|<percent>)*@)?"
                  "(?:\\[(?:<ipv6>|<future>)\\]|(?:[A-Za-z0-9\\-._~!$&'()*+,;=]|<percent>)*)(?::[0-9]*)?"},
    {"tail", "(?:\\?(?:<pchar>|[\\/?])*)?(?:#(?:<pchar>|[\\/?])*)?"},
    {"ucschar", "\\u00A0-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFEF\\u{10000}-\\u{1FFFD}\\u{20000}-\\u{2FFFD}\\u{30000}-\\u{3FFFD}"
                "\\u{40000}-\\u{4FFFD}\\u{50000}-\\u{5FFFD}\\u{60000}-\\u{6FFFD}\\u{70000}-\\u{7FFFD}\\u{80000}-\\u{8FFFD}"
                "\\u{90000}-\\u{9FFFD}\\u{A0000}-\\u{AFFFD}\\u{B0000}-\\u{BFFFD}\\u{C0000}-\\u{CFFFD}\\u{D0000}-\\u{DFFFD}"
                "\\u{E1000}-\\u{EFFFD}"},
    {"iprivate", "\\uE000-\\uF8FF\\u{F0000}-\\u{FFFFD}\\u{100000}-\\u{10FFFD}"},
    {"ipchar", "[A-Za-z0-9\\-._~!$&'()*+,;=:@<ucschar>]|<percent>"},
    {"ino-colon", "[A-Za-z0-9\\-._~!$&'()*+,;=@<ucschar>]|<percent>"},
    {"iauthority", "(?:(?:[A-Za-z0-9\\-._~!$&'()*+,;=:<ucschar>]|<percent>)*@)?"
                   "(?:\\[(?:<ipv6>|<future>)\\]|(?:[A-Za-z0-9\\-._~!$&'()*+,;=<ucschar>]|<percent>)*)(?::[0-9]*)?"},
    {"itail", "(?:\\?(?:<ipchar>|[\\/?<iprivate>])*)?(?:#(?:<ipchar>|[\\/?])*)?"},
    {"variable", "<letter>(?:\\.?<letter>)*(?::[1-9][0-9]{0,3}|\\*)?"},
    {"letter", "[A-Za-z0-9_]|<percent>"},
    /* Patterns with groups nested up to two times. */
    {"choice-2", "<sequence-2>(?:\\|<sequence-2>)*"},
    {"choice-1", "<sequence-1>(?:\\|<sequence-1>)*"},
    {"choice-0", "<sequence-0>(?:\\|<sequence-0>)*"},
    {"sequence-2", "(?:<plain>|\\((?:\\?:)?<choice-1>\\)<quantifier>?|\\(\\?<?[=!]<choice-1>\\))*"},
    {"sequence-1", "(?:<plain>|\\((?:\\?:)?<choice-0>\\)<quantifier>?|\\(\\?<?[=!]<choice-0>\\))*"},
    {"sequence-0", "<plain>*"},
    {"plain", "(?:[^\\^$\\\\.*+?()\\[\\]{}|]|\\.|\\\\<escape>|<class>)<quantifier>?|[\\^$]|\\\\[bB]"},
    {"quantifier", "(?:[*+?]|\\{[0-9]{1,3}(?:,)?\\})\\??"},
    {"escape", "[dDwWsStnvfr0]|c[A-Za-z]|x<hex>{2}|u<hex>{4}|[\\^$\\\\.*+?()\\[\\]{}|\\/]"},
    {"class", "\\[\\^?(?:a-z|A-Z|0-9|a-f|A-F|[^\\\\\\]\\-]|\\\\<escape>|\\\\-|\\\\b)*-?\\]"},
};

enum { RULES = sizeof formats / sizeof formats[0], PATTERN_LIMIT = 1 << 20 };

static const struct rule *find_rule(struct slm_span name)
{
    for (size_t i = 0; i < RULES; i++) {
        if (slm__span_is(name, formats[i].name)) {
            return &formats[i];
        }
    }
    return NULL;
}

/* hh:59:60 and hh:29:60 with the offset that makes them 23:59:60 in UTC. */
static void append_leaps(struct slm_buffer *out)
{
    for (unsigned hour = 0; hour < 24; hour++) {
        slm__buffer_append_format(out, "%s%02u:(?:59:60(?:\\.[0-9]+)?(?:\\+%02u:00|-%02u:00)|29:60(?:\\.[0-9]+)?(?:\\+%02u:30|-%02u:30))",
                                  hour > 0 ? "|" : "", hour, (hour + 1) % 24, 23 - hour, hour, 23 - hour);
    }
}

/* Append the pattern of a rule, with the rules that it names. Rules name rules in a fixed small depth. */
static void append_rule(struct slm_buffer *out, struct slm_span name)
{
    const struct rule *rule = find_rule(name);
    if (rule == NULL) {
        append_leaps(out);
        return;
    }
    for (const char *c = rule->pattern; *c != '\0'; c++) {
        const char *end = *c == '<' && c[1] >= 'a' && c[1] <= 'z' ? strchr(c, '>') : NULL;
        if (end == NULL) {
            slm__buffer_append_byte(out, (uint8_t)*c);
            continue;
        }
        struct slm_span inner = slm__span(c + 1, (size_t)(end - c) - 1);
        bool in_class = slm__span_is(inner, "ucschar") || slm__span_is(inner, "iprivate");
        slm__buffer_append_text(out, in_class ? "" : "(?:");
        append_rule(out, inner);
        slm__buffer_append_text(out, in_class ? "" : ")");
        c = end;
    }
}

bool slm__format_is_whole(struct slm_span name)
{
    static const char *const parts[] = {"time", "date-time", "hostname", "regex", "uri-template"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (slm__span_is(name, parts[i])) {
            return false;
        }
    }
    return true;
}

enum slm_format slm__format_find(struct slm_span name)
{
    static const char *const numbers[] = {"int32", "int64", "float",  "double", "decimal", "uint8",
                                          "int8",  "int16", "uint16", "uint32", "uint64"};
    for (size_t i = 0; formats[i].name[0] != '\0'; i++) {
        if (slm__span_is(name, formats[i].name)) {
            return SLM_FORMAT_ENFORCED;
        }
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (slm__span_is(name, numbers[i])) {
            return SLM_FORMAT_NUMBER;
        }
    }
    return slm__span_is(name, "idn-hostname") ? SLM_FORMAT_UNSUPPORTED : SLM_FORMAT_UNKNOWN;
}

slm_status slm__format_compile(const struct slm_regular_space *space, struct slm_span name, struct slm_regular *result, slm_error *error)
{
    struct slm_buffer pattern;
    slm__buffer_init(&pattern, &space->arena->memory, PATTERN_LIMIT);
    append_rule(&pattern, name);
    slm_status status = slm__buffer_failure(&pattern, error);
    if (status == SLM_OK) {
        status = slm__regex_compile(space, slm__span(pattern.data, pattern.length), SLM_REGEX_WHOLE, result, error);
    }
    slm__buffer_free(&pattern);
    return status;
}

slm_status slm__format_language(const struct slm_regular_space *space, struct slm_span name, struct slm_regular *result, slm_error *error)
{
    bool found = false;
    if (slm__format_find(name) != SLM_FORMAT_ENFORCED) {
        return slm__fail(error, SLM_E_UNSUPPORTED, "the format \"%.*s\" cannot be enforced", SLM_SPAN_ARGS(name));
    }
    SLM_TRY(slm__format_table_load(space->arena, name, &found, result, error));
    return found ? SLM_OK : slm__format_compile(space, name, result, error);
}

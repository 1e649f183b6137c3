/* SPDX-License-Identifier: MIT */
/* strftime of the C locale, for the one global that knows the date. */
#include "text/template_builtins.h" /* slm__template_strftime */

#include <stdio.h> /* snprintf */

struct civil_time {
    int64_t year;
    int month; /* 1..12 */
    int day;   /* 1..31 */
    int hour, minute, second;
    int week_day; /* 0: Sunday */
    int year_day; /* 0.. */
    int64_t seconds;
};

static bool is_leap(int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

static int month_length(int64_t year, int month)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : lengths[month - 1];
}

/* Gregorian calendar; years 1 to 9999, as Python's, others are moved to the next of these. */
static struct civil_time civil_from_seconds(int64_t seconds)
{
    struct civil_time t = {.year = 1970, .month = 1, .day = 1};
    const int64_t lowest = -62135596800;  /* 0001-01-01 */
    const int64_t highest = 253402300799; /* 9999-12-31 23:59:59 */
    seconds = seconds < lowest ? lowest : seconds > highest ? highest : seconds;
    int64_t days = seconds / 86400;
    int64_t rest = seconds % 86400;
    if (rest < 0) {
        rest += 86400;
        days--;
    }
    t.seconds = seconds;
    t.hour = (int)(rest / 3600);
    t.minute = (int)(rest / 60 % 60);
    t.second = (int)(rest % 60);
    t.week_day = (int)(((days + 4) % 7 + 7) % 7);
    while (days < 0) {
        t.year--;
        days += is_leap(t.year) ? 366 : 365;
    }
    while (days >= (is_leap(t.year) ? 366 : 365)) {
        days -= is_leap(t.year) ? 366 : 365;
        t.year++;
    }
    t.year_day = (int)days;
    while (days >= month_length(t.year, t.month)) {
        days -= month_length(t.year, t.month);
        t.month++;
    }
    t.day = (int)days + 1;
    return t;
}

static const char *const day_names[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
static const char *const month_names[] = {"January", "February", "March",     "April",   "May",      "June",
                                          "July",    "August",   "September", "October", "November", "December"};

/* Directives that stand for others, or NULL. */
static const char *composed_directive(char letter)
{
    switch (letter) {
    case 'c': return "%a %b %e %H:%M:%S %Y";
    case 'x':
    case 'D': return "%m/%d/%y";
    case 'X':
    case 'T': return "%H:%M:%S";
    case 'F': return "%Y-%m-%d";
    case 'R': return "%H:%M";
    case 'r': return "%I:%M:%S %p";
    default: return NULL;
    }
}

/* The number of a directive and the width it is padded to (negative: with blanks); false: no number. */
static bool directive_number(const struct civil_time *t, char letter, int64_t *number, int *width)
{
    int hour12 = t->hour % 12 == 0 ? 12 : t->hour % 12;
    int monday = (t->week_day + 6) % 7;
    const struct {
        char letter;
        int64_t number;
        int width;
    } rows[] = {
        {'Y', t->year, 4},
        {'y', t->year % 100, 2},
        {'C', t->year / 100, 2},
        {'m', t->month, 2},
        {'d', t->day, 2},
        {'e', t->day, -2},
        {'H', t->hour, 2},
        {'I', hour12, 2},
        {'k', t->hour, -2},
        {'l', hour12, -2},
        {'M', t->minute, 2},
        {'S', t->second, 2},
        {'j', t->year_day + 1, 3},
        {'w', t->week_day, 1},
        {'u', monday + 1, 1},
        {'f', 0, 6},
        {'s', t->seconds, 1},
        {'U', (t->year_day + 7 - t->week_day) / 7, 2},
        {'W', (t->year_day + 7 - monday) / 7, 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].letter == letter) {
            *number = rows[i].number;
            *width = rows[i].width;
            return true;
        }
    }
    return false;
}

static const char *directive_word(const struct civil_time *t, char letter, size_t *length)
{
    const char *word = NULL;
    switch (letter) {
    case 'a':
    case 'A': word = day_names[t->week_day]; break;
    case 'b':
    case 'h':
    case 'B': word = month_names[t->month - 1]; break;
    case 'p': word = t->hour < 12 ? "AM" : "PM"; break;
    case 'n': word = "\n"; break;
    case 't': word = "\t"; break;
    case '%': word = "%"; break;
    case 'Z':
    case 'z': word = ""; break;
    default: return NULL;
    }
    *length = strlen(word);
    if ((letter == 'a' || letter == 'b' || letter == 'h') && *length > 3) {
        *length = 3;
    }
    return word;
}

static slm_status add_directive(struct slm_tbuilder *builder, const struct civil_time *t, char letter, bool unpadded)
{
    char digits[40];
    int64_t number = 0;
    int width = 0;
    size_t length = 0;
    const char *word = directive_word(t, letter, &length);
    if (word != NULL) {
        return slm__ts_add(builder, word, length, true);
    }
    if (directive_number(t, letter, &number, &width)) {
        if (unpadded) {
            width = 1;
        }
        int written = width < 0 ? snprintf(digits, sizeof digits, "%*lld", -width, (long long)number)
                                : snprintf(digits, sizeof digits, "%0*lld", width, (long long)number);
        return slm__ts_add(builder, digits, (size_t)written, true);
    }
    char unknown[2] = {'%', letter};
    return slm__ts_add(builder, unknown, 2, true);
}

static slm_status add_format(struct slm_tbuilder *builder, const struct civil_time *t, struct slm_span format)
{
    for (size_t i = 0; i < format.length; i++) {
        char letter = (char)format.data[i];
        if (letter != '%' || i + 1 >= format.length) {
            SLM_TRY(slm__ts_add(builder, &letter, 1, true));
            continue;
        }
        letter = (char)format.data[++i];
        bool unpadded = letter == '-' && i + 1 < format.length;
        if (unpadded) {
            letter = (char)format.data[++i];
        }
        const char *composed = composed_directive(letter);
        /* A composed directive holds simple ones only: one level of recursion. */
        SLM_TRY(composed != NULL ? add_format(builder, t, slm__span_text(composed)) : add_directive(builder, t, letter, unpadded));
    }
    return SLM_OK;
}

slm_status slm__template_strftime(struct slm_tmachine *m, const struct slm_tstring *format, int64_t now, struct slm_tvalue *out)
{
    struct slm_tbuilder builder;
    struct civil_time t = civil_from_seconds(now);
    slm__ts_begin(&builder, m);
    SLM_TRY(add_format(&builder, &t, slm__ts_span(format)));
    SLM_TRY(slm__ts_end(&builder, out));
    if (format->runs != NULL || !format->trusted) { /* a format that is not the template's own */
        return slm__ts_make(m, slm__ts_span(out->as.string), false, out);
    }
    return SLM_OK;
}

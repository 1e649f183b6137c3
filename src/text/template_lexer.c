/* SPDX-License-Identifier: MIT */
/*
 * The lexer follows Jinja's: text up to the next "{{", "{%" or "{#"; whitespace control at both sides of a tag; inside a tag names,
 * numbers, strings and operators, where a closing delimiter counts only outside of brackets.
 */
#include "text/template_lexer.h" /* struct slm_ttoken */

#include "base/utf8.h"             /* slm__utf8_decode, slm__utf8_valid_prefix */
#include "text/template_unicode.h" /* slm__tu_space */

struct lexer {
    struct slm_tmachine *machine;
    const uint8_t *data; /* with "\n" line ends */
    size_t length;
    size_t at;
    size_t line_start; /* of the line that `at` is in */
    uint32_t line;
    bool line_starting; /* the last token ended with a newline, or nothing was read yet */
    struct slm_ttoken *tokens;
    size_t count;
    size_t capacity;
    char brackets[SLM_T_SYNTAX_DEPTH];
    size_t depth;
};

static slm_status lex_fail(const struct lexer *x, const char *what)
{
    return slm__fail(x->machine->error, SLM_E_SYNTAX, "chat template, line %u, column %u: %s", (unsigned)x->line,
                     (unsigned)(x->at - x->line_start + 1), what);
}

/* Move to `at`, counting lines. */
static void lex_move(struct lexer *x, size_t at)
{
    while (x->at < at) {
        if (x->data[x->at] == '\n') {
            x->line++;
            x->line_start = x->at + 1;
        }
        x->at++;
    }
}

/* Add a token over [x->at, end) with the given text and move behind it. */
static slm_status lex_token(struct lexer *x, enum slm_ttoken_type type, size_t text_begin, size_t text_end, size_t end)
{
    if (x->count == x->capacity) {
        size_t capacity = x->capacity == 0 ? 256 : x->capacity * 2;
        struct slm_ttoken *tokens = slm__tm_take_items(x->machine, capacity, sizeof *tokens);
        if (tokens == NULL) {
            return slm__tm_no_memory(x->machine);
        }
        if (x->count > 0) {
            memcpy(tokens, x->tokens, x->count * sizeof *tokens);
        }
        x->tokens = tokens;
        x->capacity = capacity;
    }
    struct slm_ttoken *token = &x->tokens[x->count++];
    token->type = (uint8_t)type;
    token->line = x->line;
    token->column = (uint32_t)(x->at - x->line_start + 1);
    token->text = slm__span(x->data + text_begin, text_end - text_begin);
    lex_move(x, end);
    return SLM_OK;
}

static bool lex_has(const struct lexer *x, size_t at, const char *text)
{
    size_t length = strlen(text);
    return at <= x->length && length <= x->length - at && memcmp(x->data + at, text, length) == 0;
}

static size_t skip_spaces(const struct lexer *x, size_t at)
{
    while (at < x->length) {
        struct slm_utf8 character = slm__utf8_decode(x->data + at, x->length - at);
        if (!slm__tu_space(character.code)) {
            break;
        }
        at += character.length;
    }
    return at;
}

/* Start of the white space that ends at `end`, not before `begin`. */
static size_t skip_spaces_back(const struct lexer *x, size_t begin, size_t end)
{
    while (end > begin) {
        size_t start = end - 1;
        while (start > begin && (x->data[start] & 0xC0) == 0x80) {
            start--;
        }
        if (!slm__tu_space(slm__utf8_decode(x->data + start, end - start).code)) {
            break;
        }
        end = start;
    }
    return end;
}

/* Where the text [begin, end) before a tag ends, after what `sign` ("-", "+" or another character) and lstrip_blocks remove. */
static size_t trim_before(const struct lexer *x, size_t begin, size_t end, char sign, bool is_print)
{
    if (sign == '-') {
        return skip_spaces_back(x, begin, end);
    }
    if (sign == '+' || is_print) {
        return end;
    }
    size_t line = end;
    while (line > begin && x->data[line - 1] != '\n') {
        line--;
    }
    bool at_line_start = line > begin || x->line_starting;
    if (at_line_start && line < end && skip_spaces_back(x, line, end) == line) {
        return line;
    }
    return end;
}

/* The end of the closing delimiter at `at` ("%}" or "#}", perhaps with a sign), with the white space it removes; 0 if there is none. */
static size_t closing_end(const struct lexer *x, size_t at, const char *delimiter, bool trims_newline)
{
    if (at < x->length && x->data[at] == '-' && lex_has(x, at + 1, delimiter)) {
        return skip_spaces(x, at + 3);
    }
    if (trims_newline && at < x->length && x->data[at] == '+' && lex_has(x, at + 1, delimiter)) {
        return at + 3;
    }
    if (lex_has(x, at, delimiter)) {
        return at + 2 + (trims_newline && at + 2 < x->length && x->data[at + 2] == '\n');
    }
    return 0;
}

static void note_line_start(struct lexer *x) { x->line_starting = x->at > 0 && x->data[x->at - 1] == '\n'; }

static bool lex_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

static bool lex_letter(uint8_t byte) { return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_'; }

/* digits with single underscores between them; returns the end, `at` if there are none. */
static size_t lex_digits(const struct lexer *x, size_t at)
{
    size_t end = at;
    while (at < x->length && lex_digit(x->data[at])) {
        end = ++at;
        if (at < x->length && x->data[at] == '_') {
            at++;
        }
    }
    return end;
}

/* End of the exponent at `at`, or `at`. */
static size_t lex_exponent(const struct lexer *x, size_t at)
{
    if (at >= x->length || (x->data[at] | 0x20) != 'e') {
        return at;
    }
    size_t sign = at + 1;
    if (sign < x->length && (x->data[sign] == '+' || x->data[sign] == '-')) {
        sign++;
    }
    size_t end = lex_digits(x, sign);
    return end > sign ? end : at;
}

/* End of "x1F", "o17" or "b11" at `at`; 0: it is none of them. */
static size_t lex_based_digits(const struct lexer *x, size_t at)
{
    uint8_t letter = at < x->length ? x->data[at] | 0x20 : 0;
    uint8_t highest = letter == 'b' ? '1' : letter == 'o' ? '7' : '9';
    size_t end = at + 1;
    if (letter != 'b' && letter != 'o' && letter != 'x') {
        return 0;
    }
    while (end < x->length) {
        uint8_t byte = x->data[end];
        bool digit = (byte >= '0' && byte <= highest) || (letter == 'x' && (byte | 0x20) >= 'a' && (byte | 0x20) <= 'f');
        if (!digit && !(byte == '_' && x->data[end - 1] != '_')) {
            break;
        }
        end++;
    }
    end -= x->data[end - 1] == '_';
    return end > at + 1 ? end : 0;
}

static slm_status lex_number(struct lexer *x)
{
    size_t begin = x->at;
    bool after_dot = begin > 0 && x->data[begin - 1] == '.';
    size_t end = lex_digits(x, begin);
    size_t fraction = end;
    if (end + 1 < x->length && x->data[end] == '.') {
        fraction = lex_digits(x, end + 1);
        fraction = fraction > end + 1 ? fraction : end;
    }
    size_t real = lex_exponent(x, fraction);
    if (!after_dot && real > end) {
        return lex_token(x, SLM_TT_FLOAT, begin, real, real);
    }
    if (x->data[begin] == '0') { /* Python's integers have no leading zeros, but a base */
        size_t based = lex_based_digits(x, begin + 1);
        end = begin + 1;
        while (end < x->length && x->data[end] == '0') {
            end++;
        }
        end = based != 0 ? based : end;
    }
    return lex_token(x, SLM_TT_INTEGER, begin, end, end);
}

static slm_status lex_string(struct lexer *x)
{
    uint8_t quote = x->data[x->at];
    size_t end = x->at + 1;
    while (end < x->length && x->data[end] != quote) {
        end += x->data[end] == '\\' ? 2 : 1;
    }
    if (end >= x->length) {
        return lex_fail(x, "a text in quotes is not closed");
    }
    return lex_token(x, SLM_TT_STRING, x->at + 1, end, end + 1);
}

static slm_status lex_bracket(struct lexer *x, char bracket)
{
    if (bracket == '(' || bracket == '[' || bracket == '{') {
        if (x->depth == SLM_T_SYNTAX_DEPTH) {
            return slm__fail(x->machine->error, SLM_E_LIMIT, "chat template, line %u: brackets are nested deeper than %d",
                             (unsigned)x->line, (int)SLM_T_SYNTAX_DEPTH);
        }
        x->brackets[x->depth++] = bracket;
        return SLM_OK;
    }
    char opening = bracket == ')' ? '(' : bracket == ']' ? '[' : '{';
    if (x->depth == 0 || x->brackets[x->depth - 1] != opening) {
        return lex_fail(x, "a closing bracket does not fit");
    }
    x->depth--;
    return SLM_OK;
}

static slm_status lex_operator(struct lexer *x)
{
    static const char *const operators[] = {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]",
                                            "(",  ")",  "{",  "}",  ">",  "<",  "=", ".", ":", "|", ",", ";", NULL};
    for (const char *const *operator= operators; *operator!= NULL; operator++) {
        if (lex_has(x, x->at, *operator)) {
            if (strchr("()[]{}", (*operator)[0]) != NULL) {
                SLM_TRY(lex_bracket(x, (*operator)[0]));
            }
            size_t end = x->at + strlen(*operator);
            return lex_token(x, SLM_TT_OPERATOR, x->at, end, end);
        }
    }
    return lex_fail(x, x->data[x->at] < 0x80 ? "unexpected character" : "unexpected character beyond ASCII outside of a text in quotes");
}

/* The inside of a tag, up to and with its closing delimiter. */
static slm_status lex_tag(struct lexer *x, bool is_print)
{
    x->depth = 0;
    for (;;) {
        size_t begin = skip_spaces(x, x->at);
        /* Before a "-%}" only white space was skipped, as Jinja does. */
        lex_move(x, begin);
        if (x->at >= x->length) {
            return lex_fail(x, is_print ? "the end of the template, expected }}" : "the end of the template, expected %}");
        }
        size_t end = x->depth == 0 ? closing_end(x, x->at, is_print ? "}}" : "%}", !is_print) : 0;
        if (end != 0) {
            SLM_TRY(lex_token(x, is_print ? SLM_TT_PRINT_END : SLM_TT_BLOCK_END, x->at, x->at, end));
            note_line_start(x);
            return SLM_OK;
        }
        uint8_t byte = x->data[x->at];
        if (lex_digit(byte)) {
            SLM_TRY(lex_number(x));
        } else if (lex_letter(byte)) {
            size_t name = x->at;
            while (name < x->length && (lex_letter(x->data[name]) || lex_digit(x->data[name]))) {
                name++;
            }
            SLM_TRY(lex_token(x, SLM_TT_NAME, x->at, name, name));
        } else if (byte == '"' || byte == '\'') {
            SLM_TRY(lex_string(x));
        } else {
            SLM_TRY(lex_operator(x));
        }
    }
}

static slm_status lex_comment(struct lexer *x)
{
    for (size_t at = x->at; at < x->length; at++) {
        size_t end = closing_end(x, at, "#}", true);
        if (end != 0) {
            lex_move(x, end);
            note_line_start(x);
            return SLM_OK;
        }
    }
    return x->at >= x->length ? SLM_OK : lex_fail(x, "a comment is not closed"); /* nothing behind it: the reference does not mind */
}

/* The position behind "{%- raw -%}" or "{%- endraw %}" that starts at `at`, or 0. */
static size_t raw_tag_end(const struct lexer *x, size_t at, const char *word, bool is_end)
{
    if (!lex_has(x, at, "{%")) {
        return 0;
    }
    at += 2;
    if (at < x->length && (x->data[at] == '-' || x->data[at] == '+')) {
        at++;
    }
    at = skip_spaces(x, at);
    if (!lex_has(x, at, word)) {
        return 0;
    }
    at = skip_spaces(x, at + strlen(word));
    return is_end || !lex_has(x, at, "+%}") ? closing_end(x, at, "%}", is_end) : 0;
}

static slm_status lex_raw(struct lexer *x)
{
    for (size_t at = x->at; at < x->length; at++) {
        size_t end = raw_tag_end(x, at, "endraw", true);
        if (end != 0) {
            size_t text_end = trim_before(x, x->at, at, (char)x->data[at + 2], false);
            if (text_end > x->at) {
                SLM_TRY(lex_token(x, SLM_TT_DATA, x->at, text_end, end));
            }
            lex_move(x, end);
            note_line_start(x);
            return SLM_OK;
        }
    }
    return x->at >= x->length ? SLM_OK : lex_fail(x, "a raw block is not closed");
}

/* Text up to the next tag, then the tag. */
static slm_status lex_step(struct lexer *x)
{
    size_t tag = x->at;
    while (tag < x->length &&
           !(x->data[tag] == '{' && tag + 1 < x->length && strchr("{%#", x->data[tag + 1]) != NULL && x->data[tag + 1] != 0)) {
        tag++;
    }
    if (tag >= x->length) {
        return x->at < x->length ? lex_token(x, SLM_TT_DATA, x->at, x->length, x->length) : SLM_OK;
    }
    char sign = tag + 2 < x->length ? (char)x->data[tag + 2] : ' ';
    uint8_t kind = x->data[tag + 1];
    size_t text_end = trim_before(x, x->at, tag, sign, kind == '{');
    if (text_end > x->at) {
        SLM_TRY(lex_token(x, SLM_TT_DATA, x->at, text_end, tag));
    }
    lex_move(x, tag);
    size_t raw = kind == '%' ? raw_tag_end(x, tag, "raw", false) : 0;
    x->line_starting = false;
    if (raw != 0) {
        lex_move(x, raw);
        note_line_start(x);
        return lex_raw(x);
    }
    size_t inside = tag + 2 + (sign == '-' || sign == '+');
    if (kind == '#') {
        lex_move(x, inside);
        return lex_comment(x);
    }
    SLM_TRY(lex_token(x, kind == '{' ? SLM_TT_PRINT_BEGIN : SLM_TT_BLOCK_BEGIN, tag, inside, inside));
    return lex_tag(x, kind == '{');
}

/* The source with "\n" line ends and without its last one. */
static slm_status normalise_lines(struct lexer *x, struct slm_span source)
{
    uint8_t *data = slm__tm_take(x->machine, source.length);
    if (data == NULL) {
        return slm__tm_no_memory(x->machine);
    }
    for (size_t i = 0; i < source.length; i++) {
        uint8_t byte = source.data[i];
        if (byte == '\r') {
            byte = '\n';
            i += i + 1 < source.length && source.data[i + 1] == '\n';
        }
        data[x->length++] = byte;
    }
    if (x->length > 0 && data[x->length - 1] == '\n') {
        x->length--;
    }
    x->data = data;
    return SLM_OK;
}

slm_status slm__template_lex(struct slm_tmachine *m, struct slm_span source, const struct slm_ttoken **tokens, size_t *count)
{
    struct lexer x;
    memset(&x, 0, sizeof x);
    x.machine = m;
    x.line = 1;
    x.line_starting = true;
    size_t valid = slm__utf8_valid_prefix(source);
    if (valid != source.length) {
        return slm__fail(m->error, SLM_E_ENCODING, "the chat template is not valid UTF-8 at byte %zu", valid);
    }
    SLM_TRY(normalise_lines(&x, source));
    while (x.at < x.length) {
        SLM_TRY(lex_step(&x));
    }
    SLM_TRY(lex_token(&x, SLM_TT_END, x.length, x.length, x.length));
    *tokens = x.tokens;
    *count = x.count;
    return SLM_OK;
}

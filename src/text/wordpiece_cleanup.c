/* SPDX-License-Identifier: MIT */
/* The reference's list of replacements, one after another over the whole text; none makes it longer. */
#include "text/wordpiece_cleanup.h"

#include <string.h> /* memcmp, memmove, strlen */

static size_t replace_all(uint8_t *text, size_t length, const char *pattern, const char *content)
{
    size_t pattern_length = strlen(pattern);
    size_t content_length = strlen(content);
    size_t written = 0;
    for (size_t position = 0; position < length;) {
        if (length - position >= pattern_length && memcmp(text + position, pattern, pattern_length) == 0) {
            memcpy(text + written, content, content_length);
            written += content_length;
            position += pattern_length;
        } else {
            text[written++] = text[position++];
        }
    }
    return written;
}

size_t slm__wordpiece_cleanup(uint8_t *text, size_t length)
{
    static const char *const replacements[][2] = {
        {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},    {" n't", "n't"},
        {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
    };
    for (size_t i = 0; i < sizeof replacements / sizeof replacements[0]; i++) {
        length = replace_all(text, length, replacements[i][0], replacements[i][1]);
    }
    return length;
}

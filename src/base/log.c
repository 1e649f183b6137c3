/* SPDX-License-Identifier: MIT */
/* Formats one line and hands it to the host's hook. */
#include "base/log.h"  /* struct slm_log */
#include "base/utf8.h" /* slm__utf8_printable */

#include <stdarg.h>
#include <stdio.h> /* vsnprintf */

enum { LINE_BYTES = 512 };

void slm__log(const struct slm_log *log, int32_t level, const char *format, ...)
{
    if (log == NULL || log->write == NULL) {
        return;
    }
    char line[LINE_BYTES] = "";
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    size_t length = written < 0 ? 0 : (size_t)written;
    bool cut = length >= sizeof line;
    line[slm__utf8_printable(line, cut ? sizeof line - 1 : length, cut)] = '\0';
    log->write(log->user, level, line);
}

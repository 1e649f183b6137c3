/* SPDX-License-Identifier: MIT */
/* One line to the host's log hook, if it set one. SLM_LOG_WARNING: something was ignored or approximated. SLM_LOG_INFO: once per object. */
#ifndef SLM_BASE_LOG_H
#define SLM_BASE_LOG_H

#include "base/format_check.h" /* SLM_FORMAT */
#include <slm.h>               /* slm_log_fn, SLM_LOG_... */

struct slm_log {
    slm_log_fn *write; /* may be NULL */
    void *user;
};

void slm__log(const struct slm_log *log, int32_t level, const char *format, ...) SLM_FORMAT(3, 4);

#endif

/* SPDX-License-Identifier: MIT */
/* How failures travel: every function that can fail returns slm_status and describes itself once, where it is detected. */
#ifndef SLM_BASE_STATUS_H
#define SLM_BASE_STATUS_H

#include "base/format_check.h" /* SLM_FORMAT */
#include "base/parts.h"        /* SLM_WITH_MESSAGES */
#include <slm.h>               /* slm_status, slm_error: the only public names that the lower floors use */

/* Return the status of `expression` if it failed. */
#define SLM_TRY(expression)               \
  do {                                    \
    slm_status try_status = (expression); \
    if (try_status != SLM_OK) {           \
      return try_status;                  \
    }                                     \
  } while (0)

/* Fill `error` (may be NULL) with a sentence and return `status`. The sentence names file, key, value and remedy.
 * Replaces what the error held before; of text that does not fit first the middle of its paths is left out, then the end is cut. */
slm_status slm__fail(slm_error *error, slm_status status, const char *format, ...) SLM_FORMAT(3, 4);

/* Put "text: " in front of the message of a failure, for a caller that knows more (which file), and return `status`. */
slm_status slm__fail_in(slm_error *error, slm_status status, const char *format, ...) SLM_FORMAT(3, 4);

/* "out of memory (N bytes)" */
slm_status slm__fail_memory(slm_error *error, uint64_t bytes);

/* "SLM_E_..." and the short text of a status: slm_status_name(), slm_status_text() */
const char *slm__status_name(slm_status status);
const char *slm__status_text(slm_status status);
/* As slm__fail(), with the short text of the status for a sentence. */
slm_status slm__fail_plainly(slm_error *error, slm_status status);

/* Without sentences the calls above lose their formats and arguments, which are only checked. */
#if !SLM_WITH_MESSAGES
#  define slm__fail(error, status, ...) (0 ? (slm__fail)(error, status, __VA_ARGS__) : slm__fail_plainly(error, status))
#  define slm__fail_in(error, status, ...) (0 ? (slm__fail_in)(error, status, __VA_ARGS__) : slm__fail_plainly(error, status))
#endif

#endif

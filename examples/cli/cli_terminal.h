/* SPDX-License-Identifier: MIT */
/* What depends on a terminal and on signals: is there one, a progress bar, Ctrl-C, the time, the processor's caches. */
#ifndef SLM_CLI_TERMINAL_H
#define SLM_CLI_TERMINAL_H

#include <slm.h>
#include <stdio.h>

int cli_is_terminal(FILE *file);
/* Seconds of a clock that only goes forward. */
double cli_seconds(void);
/* Bytes of the processor's largest cache, 0 when the system does not tell. */
uint64_t cli_last_cache_bytes(void);
/* Seconds since 1970 of "YYYY-MM-DDTHH:MM:SS" taken as it is (no time zone); -1 when it is none. */
int64_t cli_parse_time(const char *text);

/* A bar on standard error while work goes on; nothing when that is no terminal. */
struct cli_progress {
    int enabled;
    int shown;    /* something stands on the line */
    int permille; /* last drawn */
};

struct cli_progress cli_progress_begin(void);
/* An slm_progress_fn; `user` is the struct cli_progress. Not 0 after a signal. */
int32_t cli_progress_update(void *user, uint64_t done, uint64_t total, const char *what);
void cli_progress_end(struct cli_progress *progress);

/* From here on Ctrl-C, SIGTERM and SIGHUP are caught, so that nothing half written is left behind. */
void cli_signals_begin(void);
/* While a session is watched these signals cancel what it does; NULL ends that. */
void cli_signals_watch(slm_session *session);
/* Did a signal come since the last call? */
int cli_signals_taken(void);
/* Did SIGTERM or SIGHUP come, ever? Then the program is to end. */
int cli_signals_terminated(void);
/* Signals end the program again. */
void cli_signals_end(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Terminal, signals, clock (see cli_terminal.h). The three variables at the top are the program's only globals:
 * a signal handler has no other way to know what to cancel.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime, fileno, isatty */

#include "examples/cli/cli_terminal.h" /* struct cli_progress, cli_signals_watch */

#include "examples/cli/cli_system.h" /* cli_system_catch */

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static _Atomic(slm_session *) watched_session;
static volatile sig_atomic_t interrupted;
static volatile sig_atomic_t terminated;

int cli_is_terminal(FILE *file) { return isatty(fileno(file)); }

double cli_seconds(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) {
        return 0;
    }
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

uint64_t cli_last_cache_bytes(void)
{
    uint64_t largest = 0;
    for (int index = 0; index < 8; index++) {
        char path[80];
        char text[32] = "";
        (void)snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/size", index);
        FILE *file = fopen(path, "r");
        if (file == NULL) {
            break;
        }
        if (fgets(text, sizeof text, file) != NULL) {
            char *end = NULL;
            const uint64_t size = strtoull(text, &end, 10);
            const uint64_t bytes = size << (*end == 'K' ? 10 : *end == 'M' ? 20 : 0);
            largest = bytes > largest ? bytes : largest;
        }
        (void)fclose(file);
    }
    return largest;
}

/* Days since 1970-01-01 of a date in the Gregorian calendar: years begin in March, so that the leap day comes last. */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    const int64_t y = month <= 2 ? year - 1 : year;
    const int64_t era = y / 400;
    const int64_t year_of_era = y - era * 400;
    const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

int64_t cli_parse_time(const char *text)
{
    static const char pattern[] = "dddd-dd-ddTdd:dd:dd";
    int64_t fields[6] = {0};
    size_t field = 0;
    if (strlen(text) != sizeof pattern - 1) {
        return -1;
    }
    for (size_t i = 0; i < sizeof pattern - 1; i++) {
        if (pattern[i] != 'd') {
            field++;
            if (text[i] != pattern[i]) {
                return -1;
            }
        } else if (text[i] < '0' || text[i] > '9') {
            return -1;
        } else {
            fields[field] = fields[field] * 10 + (text[i] - '0');
        }
    }
    if (fields[0] < 1970 || fields[1] < 1 || fields[1] > 12 || fields[2] < 1 || fields[2] > 31 || fields[3] > 23 || fields[4] > 59 ||
        fields[5] > 60) {
        return -1;
    }
    return ((days_from_date(fields[0], fields[1], fields[2]) * 24 + fields[3]) * 60 + fields[4]) * 60 + fields[5];
}

struct cli_progress cli_progress_begin(void) { return (struct cli_progress){cli_is_terminal(stderr), 0, -1}; }

int32_t cli_progress_update(void *user, uint64_t done, uint64_t total, const char *what)
{
    enum { WIDTH = 32 };
    struct cli_progress *progress = user;
    if (interrupted) {
        return 1;
    }
    const double share = total > 0 ? (double)done / (double)total : 0;
    const int permille = share >= 1 ? 1000 : (int)(share * 1000);
    if (!progress->enabled || permille == progress->permille) {
        return 0;
    }
    static const char full[WIDTH + 1] = "################################";
    const int filled = permille * WIDTH / 1000;
    progress->permille = permille;
    progress->shown = 1;
    (void)fprintf(stderr, "\r[%.*s%*s] %3d %%  %-40.40s", filled, full, WIDTH - filled, "", permille / 10, what != NULL ? what : "");
    (void)fflush(stderr);
    return 0;
}

void cli_progress_end(struct cli_progress *progress)
{
    if (progress->shown) {
        (void)fputs("\r\033[K", stderr); /* back to the start of the line, and clear it */
        (void)fflush(stderr);
        progress->shown = 0;
    }
}

static void on_signal(int number)
{
    interrupted = 1;
    terminated = terminated || number != SIGINT;
    slm_session *session = atomic_load(&watched_session);
    if (session != NULL) {
        slm_session_cancel(session);
    }
}

void cli_signals_begin(void) { cli_system_catch(on_signal); }

void cli_signals_end(void)
{
    atomic_store(&watched_session, NULL);
    cli_system_catch(SIG_DFL);
}

void cli_signals_watch(slm_session *session) { atomic_store(&watched_session, session); }

int cli_signals_taken(void)
{
    const int taken = interrupted;
    interrupted = 0;
    return taken;
}

int cli_signals_terminated(void) { return terminated; }

/* SPDX-License-Identifier: MIT */
/* A temporary name and a rename (see cli_whole_file.h). */
#define _POSIX_C_SOURCE 200809L /* getpid */

#include "examples/cli/cli_whole_file.h" /* struct cli_whole_file */

#include "examples/cli/cli_system.h" /* cli_file_open, cli_file_rename */

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { ATTEMPTS = 1000 }; /* temporary names tried */

static void discard(const struct cli_whole_file *whole)
{
    const int number = errno;
    if (strcmp(whole->temporary, whole->path) != 0) { /* a device or pipe stays */
        (void)cli_file_remove(whole->temporary);
    }
    errno = number;
}

int cli_whole_create(struct cli_whole_file *whole, const char *path)
{
    *whole = (struct cli_whole_file){0};
    if (strlen(path) >= sizeof whole->path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    (void)strcpy(whole->path, path);
    const enum cli_path_kind kind = cli_path_kind(path);
    if (kind != CLI_PATH_NONE && kind != CLI_PATH_FILE) {
        (void)strcpy(whole->temporary, path);
        whole->file = cli_file_open(path, "wb");
        return whole->file != NULL ? 0 : -1;
    }
    for (int attempt = 0; attempt < ATTEMPTS && whole->file == NULL; attempt++) {
        const int length = snprintf(whole->temporary, sizeof whole->temporary, "%s.tmp-%ld-%d", path, (long)getpid(), attempt);
        if (length < 0 || (size_t)length >= sizeof whole->temporary) {
            errno = ENAMETOOLONG;
            return -1;
        }
        whole->file = cli_file_open(whole->temporary, "wbx");
        if (whole->file == NULL && errno != EEXIST) {
            return -1;
        }
    }
    return whole->file != NULL ? 0 : -1;
}

int cli_whole_finish(struct cli_whole_file *whole)
{
    int failed = fclose(whole->file) != 0;
    whole->file = NULL;
    if (!failed && strcmp(whole->temporary, whole->path) != 0) {
        failed = cli_file_rename(whole->temporary, whole->path) != 0;
    }
    if (failed) {
        discard(whole);
    }
    return failed ? -1 : 0;
}

void cli_whole_abandon(struct cli_whole_file *whole)
{
    if (whole->file != NULL) { /* else nothing of ours was created */
        (void)fclose(whole->file);
        whole->file = NULL;
        discard(whole);
    }
}

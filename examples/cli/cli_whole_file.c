/* SPDX-License-Identifier: MIT */
/* A temporary name and a rename (see cli_whole_file.h). */
#define _POSIX_C_SOURCE 200809L /* open, fdopen, getpid, stat */
#define _FILE_OFFSET_BITS 64

#include "examples/cli/cli_whole_file.h" /* struct cli_whole_file */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { ATTEMPTS = 1000 }; /* temporary names tried */

int cli_same_file(const char *path, const char *other)
{
    struct stat a;
    struct stat b;
    return other != NULL && stat(path, &a) == 0 && stat(other, &b) == 0 && S_ISREG(a.st_mode) && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

static void discard(const struct cli_whole_file *whole)
{
    const int number = errno;
    if (strcmp(whole->temporary, whole->path) != 0) { /* a device or pipe stays */
        (void)remove(whole->temporary);
    }
    errno = number;
}

int cli_whole_create(struct cli_whole_file *whole, const char *path)
{
    struct stat status;
    *whole = (struct cli_whole_file){0};
    if (strlen(path) >= sizeof whole->path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    (void)strcpy(whole->path, path);
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        (void)strcpy(whole->temporary, path);
        whole->file = fopen(path, "wb");
        return whole->file != NULL ? 0 : -1;
    }
    int handle = -1;
    for (int attempt = 0; attempt < ATTEMPTS && handle < 0; attempt++) {
        const int length = snprintf(whole->temporary, sizeof whole->temporary, "%s.tmp-%ld-%d", path, (long)getpid(), attempt);
        if (length < 0 || (size_t)length >= sizeof whole->temporary) {
            errno = ENAMETOOLONG;
            return -1;
        }
        handle = open(whole->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (handle < 0 && errno != EEXIST) {
            return -1;
        }
    }
    whole->file = handle >= 0 ? fdopen(handle, "wb") : NULL;
    if (whole->file == NULL && handle >= 0) {
        (void)close(handle);
        discard(whole);
    }
    return whole->file != NULL ? 0 : -1;
}

int cli_whole_finish(struct cli_whole_file *whole)
{
    int failed = fclose(whole->file) != 0;
    whole->file = NULL;
    if (!failed && strcmp(whole->temporary, whole->path) != 0) {
        failed = rename(whole->temporary, whole->path) != 0;
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

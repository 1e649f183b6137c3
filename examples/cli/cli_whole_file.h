/* SPDX-License-Identifier: MIT */
/* A file that is there when it is complete, and not before: until then the one that had its name stays as it was. */
#ifndef SLM_CLI_WHOLE_FILE_H
#define SLM_CLI_WHOLE_FILE_H

#include <stdio.h>

enum { CLI_PATH = 4096 };

/* Written beside `path` under a name that no other process uses and renamed at the end, unless `path` is no ordinary file. */
struct cli_whole_file {
    FILE *file; /* NULL: not open */
    char path[CLI_PATH];
    char temporary[CLI_PATH]; /* equal to path: written in place */
};

/* Each: 0, or -1 with errno; what was written is removed then. */
int cli_whole_create(struct cli_whole_file *whole, const char *path);
int cli_whole_finish(struct cli_whole_file *whole);
/* Give up and remove what was written. */
void cli_whole_abandon(struct cli_whole_file *whole);

#endif

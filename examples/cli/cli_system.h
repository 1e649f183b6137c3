/* SPDX-License-Identifier: MIT */
/* What the program needs of the operating system beside the C library: files by their UTF-8 names, the words of the command line, Ctrl-C.
 * cli_system_posix.c and cli_system_windows.c implement it. */
#ifndef SLM_CLI_SYSTEM_H
#define SLM_CLI_SYSTEM_H

#include <stdint.h>
#include <stdio.h>

/* First of all: from here on streams carry bytes, and writing to a closed pipe is an error, not a signal. Returns main()'s words as
 * UTF-8. */
char **cli_system_begin(int argc, char **argv);
/* Call `handler` with SIGINT when the user, with another number when the system ends the program, perhaps in a thread of its own; SIG_DFL:
 * the program ends. Waiting for a line of input returns. */
void cli_system_catch(void (*handler)(int number));

/* What a path leads to. */
enum cli_path_kind { CLI_PATH_NONE, CLI_PATH_FILE, CLI_PATH_FOLDER, CLI_PATH_DEVICE };
enum cli_path_kind cli_path_kind(const char *path);
/* Are these two names of one ordinary file? `other` may be NULL. */
int cli_same_file(const char *path, const char *other);

/* fopen() in mode "rb", "r+b", "wb" or "wbx". */
FILE *cli_file_open(const char *path, const char *mode);
/* Each: 0, or -1 with errno. The name `to` may be that of a file, whose place is taken. */
int cli_file_rename(const char *from, const char *to);
int cli_file_remove(const char *path);
int cli_file_cut(FILE *file, int64_t length);
int64_t cli_file_position(FILE *file); /* -1: it has none */
int cli_file_seek(FILE *file, int64_t position);

#endif

/* SPDX-License-Identifier: MIT */
/* POSIX systems (see cli_system.h). */
#ifndef _WIN32
#  define _POSIX_C_SOURCE 200809L /* sigaction, stat, ftruncate, fseeko */
#  define _FILE_OFFSET_BITS 64

#  include "examples/cli/cli_system.h" /* cli_system_begin */

#  include <signal.h>
#  include <string.h>
#  include <sys/stat.h>
#  include <sys/types.h>
#  include <unistd.h>

/* No SA_RESTART: waiting for a line of input must return. */
static void set_handler(int number, void (*handler)(int))
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(number, &action, NULL);
}

char **cli_system_begin(int argc, char **argv)
{
    (void)argc;
    set_handler(SIGPIPE, SIG_IGN);
    return argv;
}

/* A signal that was ignored when the program began (nohup, a shell's background job) stays so. */
void cli_system_catch(void (*handler)(int number))
{
    static const int caught[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++) {
        struct sigaction present;
        if (sigaction(caught[i], NULL, &present) == 0 && present.sa_handler != SIG_IGN) {
            set_handler(caught[i], handler);
        }
    }
}

enum cli_path_kind cli_path_kind(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        return CLI_PATH_NONE;
    }
    return S_ISREG(status.st_mode) ? CLI_PATH_FILE : S_ISDIR(status.st_mode) ? CLI_PATH_FOLDER : CLI_PATH_DEVICE;
}

int cli_same_file(const char *path, const char *other)
{
    struct stat a;
    struct stat b;
    return other != NULL && stat(path, &a) == 0 && stat(other, &b) == 0 && S_ISREG(a.st_mode) && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

FILE *cli_file_open(const char *path, const char *mode) { return fopen(path, mode); }

int cli_file_rename(const char *from, const char *to) { return rename(from, to); }

int cli_file_remove(const char *path) { return remove(path); }

int cli_file_cut(FILE *file, int64_t length) { return fflush(file) == 0 ? ftruncate(fileno(file), (off_t)length) : -1; }

int64_t cli_file_position(FILE *file) { return ftello(file); }

int cli_file_seek(FILE *file, int64_t position) { return fseeko(file, (off_t)position, SEEK_SET); }
#else
typedef int slm_cli_system_posix_unused; /* ISO C wants a declaration in every file */
#endif

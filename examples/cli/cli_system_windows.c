/* SPDX-License-Identifier: MIT */
/* Windows (see cli_system.h). Names and words become UTF-16 at the border; they are cut at no length that Windows would take. */
#ifdef _WIN32
#  include "examples/cli/cli_system.h" /* cli_system_begin */

#  define WIN32_LEAN_AND_MEAN
#  include <windows.h>
#  include <errno.h>
#  include <fcntl.h>
#  include <io.h>
#  include <shellapi.h> /* CommandLineToArgvW */
#  include <signal.h>
#  include <stdlib.h>
#  include <string.h>
#  include <sys/stat.h>

enum { WIDE = 32768 }; /* UTF-16 units of the longest name */

/* The name in UTF-16, freed by the caller; NULL with errno when it is none. */
static wchar_t *widen(const char *path)
{
    wchar_t *wide = malloc(WIDE * sizeof *wide);
    if (wide == NULL) {
        errno = ENOMEM;
    } else if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, WIDE) <= 0) {
        free(wide);
        wide = NULL;
        errno = EINVAL;
    }
    return wide;
}

/* Standard error shows a progress bar, which clears its line by an escape sequence. */
static void prepare_console(void)
{
    const HANDLE console = GetStdHandle(STD_ERROR_HANDLE);
    DWORD mode = 0;
    (void)SetConsoleOutputCP(CP_UTF8);
    (void)SetConsoleCP(CP_UTF8);
    if (GetConsoleMode(console, &mode)) {
        (void)SetConsoleMode(console, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
    }
}

char **cli_system_begin(int argc, char **argv)
{
    int count = 0;
    (void)_setmode(_fileno(stdin), _O_BINARY);
    (void)_setmode(_fileno(stdout), _O_BINARY);
    (void)_setmode(_fileno(stderr), _O_BINARY);
    prepare_console();
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &count);
    char **words = calloc((size_t)argc + 1, sizeof *words);
    for (int i = 0; wide != NULL && words != NULL && i < argc && count == argc; i++) {
        const int bytes = WideCharToMultiByte(CP_UTF8, 0, wide[i], -1, NULL, 0, NULL, NULL);
        words[i] = bytes > 0 ? malloc((size_t)bytes) : NULL;
        if (words[i] == NULL || WideCharToMultiByte(CP_UTF8, 0, wide[i], -1, words[i], bytes, NULL, NULL) <= 0) {
            words[i] = argv[i];
        }
    }
    const int whole = wide != NULL && words != NULL && count == argc;
    (void)LocalFree(wide);
    return whole ? words : argv; /* they live as long as the program */
}

/* ---- Ctrl-C */

static void (*volatile on_event)(int);

static BOOL WINAPI take_event(DWORD event)
{
    void (*const handler)(int) = on_event;
    if (handler == NULL) {
        return FALSE;
    }
    handler(event == CTRL_C_EVENT ? SIGINT : SIGTERM);
    return TRUE;
}

void cli_system_catch(void (*handler)(int number))
{
    (void)SetConsoleCtrlHandler(take_event, FALSE);
    on_event = handler == SIG_DFL ? NULL : handler;
    if (on_event != NULL) {
        (void)SetConsoleCtrlHandler(take_event, TRUE);
    }
}

/* ---- files */

static enum cli_path_kind look_at(const char *path, BY_HANDLE_FILE_INFORMATION *about)
{
    const DWORD shared = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    wchar_t *wide = widen(path);
    const HANDLE handle =
        wide == NULL ? INVALID_HANDLE_VALUE : CreateFileW(wide, 0, shared, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    free(wide);
    if (handle == INVALID_HANDLE_VALUE) {
        return CLI_PATH_NONE;
    }
    enum cli_path_kind kind = CLI_PATH_DEVICE;
    if (GetFileType(handle) == FILE_TYPE_DISK && GetFileInformationByHandle(handle, about)) {
        kind = (about->dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0 ? CLI_PATH_FOLDER : CLI_PATH_FILE;
    }
    (void)CloseHandle(handle);
    return kind;
}

enum cli_path_kind cli_path_kind(const char *path)
{
    BY_HANDLE_FILE_INFORMATION about;
    return look_at(path, &about);
}

int cli_same_file(const char *path, const char *other)
{
    BY_HANDLE_FILE_INFORMATION a;
    BY_HANDLE_FILE_INFORMATION b;
    return other != NULL && look_at(path, &a) == CLI_PATH_FILE && look_at(other, &b) == CLI_PATH_FILE &&
           a.dwVolumeSerialNumber == b.dwVolumeSerialNumber && a.nFileIndexHigh == b.nFileIndexHigh && a.nFileIndexLow == b.nFileIndexLow;
}

/* The C library of Windows has no "x". */
FILE *cli_file_open(const char *path, const char *mode)
{
    const int reads = strcmp(mode, "rb") == 0, changes = strcmp(mode, "r+b") == 0;
    const int flags = reads ? _O_RDONLY : changes ? _O_RDWR : _O_WRONLY | _O_CREAT | (strchr(mode, 'x') != NULL ? _O_EXCL : _O_TRUNC);
    wchar_t *wide = widen(path);
    const int handle = wide != NULL ? _wopen(wide, flags | _O_BINARY | _O_NOINHERIT, _S_IREAD | _S_IWRITE) : -1;
    FILE *file = handle >= 0 ? _fdopen(handle, reads ? "rb" : changes ? "r+b" : "wb") : NULL;
    if (file == NULL && handle >= 0) {
        (void)_close(handle);
    }
    free(wide);
    return file;
}

int cli_file_rename(const char *from, const char *to)
{
    wchar_t *wide_from = widen(from);
    wchar_t *wide_to = widen(to);
    const int named = wide_from != NULL && wide_to != NULL;
    const int done = named && MoveFileExW(wide_from, wide_to, MOVEFILE_REPLACE_EXISTING);
    free(wide_from);
    free(wide_to);
    if (named && !done) {
        errno = EACCES;
    }
    return done ? 0 : -1;
}

int cli_file_remove(const char *path)
{
    wchar_t *wide = widen(path);
    const int code = wide != NULL ? _wremove(wide) : -1;
    free(wide);
    return code;
}

int cli_file_cut(FILE *file, int64_t length)
{
    const errno_t number = fflush(file) == 0 ? _chsize_s(_fileno(file), length) : errno;
    errno = number != 0 ? number : errno;
    return number == 0 ? 0 : -1;
}

int64_t cli_file_position(FILE *file) { return _ftelli64(file); }

int cli_file_seek(FILE *file, int64_t position) { return _fseeki64(file, position, SEEK_SET); }
#else
typedef int slm_cli_system_windows_unused; /* ISO C wants a declaration in every file */
#endif

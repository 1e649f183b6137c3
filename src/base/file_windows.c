/* SPDX-License-Identifier: MIT */
/* Files of Windows; file_posix.c holds those of POSIX systems. Paths become UTF-16 at the border. */
#ifdef _WIN32
#  include "base/file.h" /* struct slm_file, struct slm_mapping, struct slm_output */

#  define WIN32_LEAN_AND_MEAN
#  include <windows.h>
#  include <stdio.h> /* snprintf */

enum { STEP = 1 << 30, ATTEMPTS = 1000, WIDE_CHARACTERS = SLM_PATH_BYTES + 64 };

static slm_status fail_system(slm_error *error, slm_status status, const char *verb, const char *path)
{
    DWORD number = GetLastError();
    const char *reason = number == ERROR_FILE_NOT_FOUND || number == ERROR_PATH_NOT_FOUND ? "no such file or folder"
                         : number == ERROR_ACCESS_DENIED                                  ? "access denied"
                         : number == ERROR_SHARING_VIOLATION                              ? "another program uses it"
                         : number == ERROR_DISK_FULL || number == ERROR_HANDLE_DISK_FULL  ? "no space left on the disk"
                                                                                          : NULL;
    if (reason == NULL) {
        return slm__fail(error, status, "cannot %s %s: system error %lu", verb, path, (unsigned long)number);
    }
    return slm__fail(error, status, "cannot %s %s: %s", verb, path, reason);
}

/* false when the path is not UTF-8 or too long. */
static bool widen(const char *path, wchar_t wide[WIDE_CHARACTERS])
{
    return MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, WIDE_CHARACTERS) > 0;
}

static DWORD attributes_of(const char *path)
{
    wchar_t wide[WIDE_CHARACTERS];
    return widen(path, wide) ? GetFileAttributesW(wide) : INVALID_FILE_ATTRIBUTES;
}

static OVERLAPPED position(uint64_t offset)
{
    OVERLAPPED at = {.Offset = (DWORD)offset, .OffsetHigh = (DWORD)(offset >> 32)};
    return at;
}

slm_status slm__file_open(struct slm_file *file, const char *path, slm_error *error)
{
    *file = (struct slm_file){.handle = -1};
    if (slm__path_is_folder(path)) {
        return slm__fail(error, SLM_E_FILE_MISSING, "cannot open %s: it is a folder, not a file", path);
    }
    wchar_t wide[WIDE_CHARACTERS];
    if (!widen(path, wide)) {
        return slm__fail(error, SLM_E_FILE_MISSING, "cannot open a file: its path is not UTF-8 or too long");
    }
    HANDLE handle = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    if (handle == INVALID_HANDLE_VALUE) {
        return fail_system(error, SLM_E_FILE_MISSING, "open", path);
    }
    LARGE_INTEGER size;
    if (GetFileType(handle) != FILE_TYPE_DISK || !GetFileSizeEx(handle, &size)) {
        CloseHandle(handle);
        return slm__fail(error, SLM_E_FILE_MISSING, "cannot open %s: it is a pipe or device, not a file", path);
    }
    file->handle = (intptr_t)handle;
    file->size = (uint64_t)size.QuadPart;
    return SLM_OK;
}

slm_status slm__file_read(const struct slm_file *file, uint64_t offset, void *target, size_t length, slm_error *error)
{
    if (offset > file->size || length > file->size - offset) {
        return slm__fail(error, SLM_E_TRUNCATED, "the file ends too early: %llu bytes at offset %llu of %llu bytes",
                         (unsigned long long)length, (unsigned long long)offset, (unsigned long long)file->size);
    }
    uint8_t *bytes = target;
    for (size_t done = 0; done < length;) {
        DWORD step = (DWORD)(length - done < STEP ? length - done : STEP);
        OVERLAPPED at = position(offset + done);
        DWORD count = 0;
        if (!ReadFile((HANDLE)file->handle, bytes + done, step, &count, &at) || count == 0) {
            return slm__fail(error, SLM_E_FILE_READ, "reading %lu bytes at offset %llu failed: system error %lu", (unsigned long)step,
                             (unsigned long long)(offset + done), (unsigned long)GetLastError());
        }
        done += count;
    }
    return SLM_OK;
}

void slm__file_close(struct slm_file *file)
{
    if (file->handle != -1) {
        CloseHandle((HANDLE)file->handle);
    }
    *file = (struct slm_file){.handle = -1};
}

bool slm__file_exists(const char *path)
{
    DWORD attributes = attributes_of(path);
    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_DEVICE)) == 0;
}

bool slm__path_is_folder(const char *path)
{
    DWORD attributes = attributes_of(path);
    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
}

slm_status slm__map_file(struct slm_mapping *mapping, const char *path, slm_error *error)
{
    *mapping = (struct slm_mapping){.data = NULL};
    struct slm_file file;
    SLM_TRY(slm__file_open(&file, path, error));
    slm_status status = SLM_OK;
    if (file.size > SIZE_MAX) {
        status = slm__fail(error, SLM_E_LIMIT, "%s is too large for this machine's addresses", path);
    } else if (file.size > 0) { /* an empty file has nothing to map */
        HANDLE section = CreateFileMappingW((HANDLE)file.handle, NULL, PAGE_READONLY, 0, 0, NULL);
        void *data = section == NULL ? NULL : MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);
        if (data == NULL) {
            status = fail_system(error, SLM_E_FILE_READ, "map", path);
        } else {
            mapping->data = data;
            mapping->size = file.size;
        }
        if (section != NULL) {
            CloseHandle(section); /* the view stays */
        }
    }
    slm__file_close(&file);
    return status;
}

void slm__unmap(struct slm_mapping *mapping)
{
    if (mapping->data != NULL) {
        UnmapViewOfFile(mapping->data);
    }
    *mapping = (struct slm_mapping){.data = NULL};
}

slm_status slm__output_create(struct slm_output *output, const char *path, slm_error *error)
{
    output->handle = -1;
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof output->path) {
        return slm__fail(error, SLM_E_FILE_WRITE, "cannot create a file: its path has %zu bytes; 1 to %d are possible", length,
                         SLM_PATH_BYTES - 1);
    }
    if (slm__path_is_folder(path)) {
        return slm__fail(error, SLM_E_FILE_WRITE, "cannot create %s: it is a folder, not a file", path);
    }
    memcpy(output->path, path, length + 1);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        wchar_t wide[WIDE_CHARACTERS];
        snprintf(output->temporary, sizeof output->temporary, "%s.tmp-%lu-%d", output->path, (unsigned long)GetCurrentProcessId(), attempt);
        if (!widen(output->temporary, wide)) {
            return slm__fail(error, SLM_E_FILE_WRITE, "cannot create a file: its path is not UTF-8 or too long");
        }
        HANDLE handle = CreateFileW(wide, GENERIC_WRITE, 0, NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
        if (handle != INVALID_HANDLE_VALUE) {
            output->handle = (intptr_t)handle;
            return SLM_OK;
        }
        if (GetLastError() != ERROR_FILE_EXISTS) {
            break;
        }
    }
    return fail_system(error, SLM_E_FILE_WRITE, "create", output->path);
}

slm_status slm__output_write(struct slm_output *output, uint64_t offset, const void *data, size_t length, slm_error *error)
{
    const uint8_t *bytes = data;
    for (size_t done = 0; done < length;) {
        DWORD step = (DWORD)(length - done < STEP ? length - done : STEP);
        OVERLAPPED at = position(offset + done);
        DWORD count = 0;
        if (!WriteFile((HANDLE)output->handle, bytes + done, step, &count, &at)) {
            return fail_system(error, SLM_E_FILE_WRITE, "write", output->path);
        }
        done += count;
    }
    return SLM_OK;
}

slm_status slm__output_commit(struct slm_output *output, slm_error *error)
{
    wchar_t from[WIDE_CHARACTERS];
    wchar_t to[WIDE_CHARACTERS];
    bool written = FlushFileBuffers((HANDLE)output->handle) != 0;
    CloseHandle((HANDLE)output->handle);
    output->handle = -1;
    bool named = widen(output->temporary, from) && widen(output->path, to);
    if (written && named && MoveFileExW(from, to, MOVEFILE_REPLACE_EXISTING)) {
        return SLM_OK;
    }
    slm_status status = fail_system(error, SLM_E_FILE_WRITE, "write", output->path);
    if (named) {
        DeleteFileW(from);
    }
    return status;
}

void slm__output_abandon(struct slm_output *output)
{
    wchar_t wide[WIDE_CHARACTERS];
    if (output->handle != -1) {
        CloseHandle((HANDLE)output->handle);
        output->handle = -1;
        if (widen(output->temporary, wide)) {
            DeleteFileW(wide);
        }
    }
}
#else
typedef int slm_file_windows_unused; /* ISO C wants a declaration in every file */
#endif

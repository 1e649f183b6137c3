/* SPDX-License-Identifier: MIT */
/* Files of POSIX systems; file_windows.c holds the other ones. Reasons come from a table of our own: strerror() follows the locale. */
#ifndef _WIN32
#  define _GNU_SOURCE /* pread, pwrite, O_CLOEXEC */
#  define _FILE_OFFSET_BITS 64
#  include "base/file.h" /* struct slm_file, struct slm_mapping, struct slm_output */

#  include <errno.h>
#  include <fcntl.h>
#  include <stdio.h> /* snprintf, rename */
#  include <sys/mman.h>
#  include <sys/stat.h>
#  include <unistd.h>

enum { STEP = 1 << 30, ATTEMPTS = 1000 }; /* bytes of one system call; temporary names tried */

/* The system's reason in English. */
static const char *reason_of(int number, char text[32])
{
    static const struct {
        int number;
        const char *text;
    } reasons[] = {
        {ENOENT, "no such file or folder"},
        {EACCES, "permission denied"},
        {EPERM, "operation not permitted"},
        {EISDIR, "it is a folder"},
        {ENOTDIR, "a part is no folder"},
        {ENAMETOOLONG, "the name is too long"},
        {EMFILE, "too many open files"},
        {ENFILE, "too many open files"},
        {ENOSPC, "no space left on the device"},
        {EROFS, "read-only file system"},
        {EIO, "input/output error"},
        {ENOMEM, "out of memory"},
        {ELOOP, "too many symbolic links"},
        {EFBIG, "the file is too large"},
        {EDQUOT, "disk quota exceeded"},
        {EBUSY, "it is busy"},
        {ETXTBSY, "it is a running program"},
        {ENXIO, "no such device"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].number == number) {
            return reasons[i].text;
        }
    }
    snprintf(text, 32, "system error %d", number);
    return text;
}

static slm_status fail_system(slm_error *error, slm_status status, const char *verb, const char *path, int number)
{
    char text[32];
    return slm__fail(error, status, "cannot %s %s: %s", verb, path, reason_of(number, text));
}

slm_status slm__file_open(struct slm_file *file, const char *path, slm_error *error)
{
    *file = (struct slm_file){.handle = -1};
    int handle = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* O_NONBLOCK: opening a pipe does not wait for its writer */
    if (handle < 0) {
        return fail_system(error, SLM_E_FILE_MISSING, "open", path, errno);
    }
    struct stat about;
    if (fstat(handle, &about) != 0) {
        int number = errno;
        close(handle);
        return fail_system(error, SLM_E_FILE_READ, "read", path, number);
    }
    if (!S_ISREG(about.st_mode)) {
        close(handle);
        return slm__fail(error, SLM_E_FILE_MISSING, "cannot open %s: it is %s, not a file", path,
                         S_ISDIR(about.st_mode) ? "a folder" : "a pipe or device");
    }
    file->handle = handle;
    file->size = (uint64_t)about.st_size;
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
        size_t step = length - done < STEP ? length - done : STEP;
        ssize_t count = pread((int)file->handle, bytes + done, step, (off_t)(offset + done));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            char text[32];
            return slm__fail(error, SLM_E_FILE_READ, "reading %zu bytes at offset %llu failed: %s", step,
                             (unsigned long long)(offset + done), reason_of(errno, text));
        }
        if (count == 0) {
            return slm__fail(error, SLM_E_TRUNCATED, "the file became shorter than %llu bytes while it was read",
                             (unsigned long long)(offset + length));
        }
        done += (size_t)count;
    }
    return SLM_OK;
}

void slm__file_close(struct slm_file *file)
{
    if (file->handle >= 0) {
        close((int)file->handle);
    }
    *file = (struct slm_file){.handle = -1};
}

bool slm__file_exists(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

bool slm__path_is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
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
        void *data = mmap(NULL, (size_t)file.size, PROT_READ, MAP_PRIVATE, (int)file.handle, 0);
        if (data == MAP_FAILED) {
            status = fail_system(error, SLM_E_FILE_READ, "map", path, errno);
        } else {
            mapping->data = data;
            mapping->size = file.size;
        }
    }
    slm__file_close(&file); /* the mapping stays */
    return status;
}

void slm__unmap(struct slm_mapping *mapping)
{
    if (mapping->data != NULL) {
        munmap((void *)(uintptr_t)mapping->data, (size_t)mapping->size);
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
    struct stat about;
    if (stat(path, &about) == 0 && !S_ISREG(about.st_mode)) { /* the final rename would replace a device */
        return slm__fail(error, SLM_E_FILE_WRITE, "cannot create %s: it is %s, not a file", path,
                         S_ISDIR(about.st_mode) ? "a folder" : "a pipe or device");
    }
    memcpy(output->path, path, length + 1);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        snprintf(output->temporary, sizeof output->temporary, "%s.tmp-%ld-%d", output->path, (long)getpid(), attempt);
        output->handle = open(output->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (output->handle >= 0 || errno != EEXIST) {
            break;
        }
    }
    return output->handle >= 0 ? SLM_OK : fail_system(error, SLM_E_FILE_WRITE, "create", output->path, errno);
}

slm_status slm__output_write(struct slm_output *output, uint64_t offset, const void *data, size_t length, slm_error *error)
{
    const uint8_t *bytes = data;
    for (size_t done = 0; done < length;) {
        size_t step = length - done < STEP ? length - done : STEP;
        ssize_t count = pwrite((int)output->handle, bytes + done, step, (off_t)(offset + done));
        if (count < 0 && errno != EINTR) {
            return fail_system(error, SLM_E_FILE_WRITE, "write", output->path, errno);
        }
        done += count > 0 ? (size_t)count : 0;
    }
    return SLM_OK;
}

slm_status slm__output_commit(struct slm_output *output, slm_error *error)
{
    int number = fsync((int)output->handle) == 0 || errno == EINVAL ? 0 : errno; /* EINVAL: a file system that cannot flush */
    if (close((int)output->handle) != 0 && number == 0) {
        number = errno;
    }
    output->handle = -1;
    if (number == 0 && rename(output->temporary, output->path) != 0) {
        number = errno;
    }
    if (number != 0) {
        unlink(output->temporary);
        return fail_system(error, SLM_E_FILE_WRITE, "write", output->path, number);
    }
    return SLM_OK;
}

void slm__output_abandon(struct slm_output *output)
{
    if (output->handle >= 0) {
        close((int)output->handle);
        unlink(output->temporary);
        output->handle = -1;
    }
}
#else
typedef int slm_file_posix_unused; /* ISO C wants a declaration in every file */
#endif

/* SPDX-License-Identifier: MIT */
/*
 * The CPU quota that a container or service manager put on this process. Version 2: cpu.max holds "QUOTA PERIOD" or "max PERIOD" in
 * microseconds. Version 1: cpu.cfs_quota_us (-1: none) and cpu.cfs_period_us. A limit binds all groups below it, so every parent counts;
 * inside a container the path in `self` may be the host's, then only the root of the mount exists, which the walk up ends in.
 */
#ifdef __linux__
#  define _GNU_SOURCE /* O_CLOEXEC */
#endif
#include "base/thread_system.h" /* slm__cgroup_cpus */

#ifdef __linux__
#  include "base/span.h" /* struct slm_span */

#  include <fcntl.h>
#  include <stdio.h> /* snprintf */
#  include <unistd.h>

enum { TEXT_BYTES = 4096, PATH_BYTES = 1024 };

/* The first bytes of a small file, NUL-terminated; empty when it cannot be read. */
static size_t read_text(const char *path, char *text, size_t capacity)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? 0 : read(file, text, capacity - 1);
    if (file >= 0) {
        close(file);
    }
    length = length < 0 ? 0 : length;
    text[length] = '\0';
    return (size_t)length;
}

/* An unsigned number at *at; 0 when there is none ("max", "-1"). */
static uint64_t take_number(const char **at)
{
    uint64_t value = 0;
    while (**at == ' ') {
        (*at)++;
    }
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        value = value > UINT64_MAX / 20 ? value : 10 * value + (uint64_t)(**at - '0');
    }
    return value;
}

static uint32_t cpus_of(uint64_t quota, uint64_t period)
{
    if (quota == 0 || period == 0) {
        return UINT32_MAX;
    }
    uint64_t cpus = quota / period + (quota % period != 0);
    return cpus < UINT32_MAX ? (uint32_t)cpus : UINT32_MAX;
}

static uint32_t quota_of_folder(const char *folder)
{
    char path[PATH_BYTES + 32];
    char text[64];
    const char *at = text;
    snprintf(path, sizeof path, "%s/cpu.max", folder);
    if (read_text(path, text, sizeof text) > 0) {
        uint64_t quota = take_number(&at);
        return quota == 0 ? UINT32_MAX : cpus_of(quota, take_number(&at));
    }
    snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
    if (read_text(path, text, sizeof text) == 0) {
        return UINT32_MAX;
    }
    uint64_t quota = take_number(&at);
    snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
    read_text(path, text, sizeof text);
    at = text;
    return cpus_of(quota, take_number(&at));
}

/* The least quota of `mounts`/`controller`/`group` and all folders above it up to the mount. */
static uint32_t least_quota(const char *mounts, const char *controller, struct slm_span group)
{
    char folder[PATH_BYTES];
    size_t length = group.length;
    uint32_t least = UINT32_MAX;
    for (;;) {
        int written = snprintf(folder, sizeof folder, "%s%s%.*s", mounts, controller, (int)length, (const char *)group.data);
        if (written > 0 && (size_t)written < sizeof folder) {
            uint32_t cpus = quota_of_folder(folder);
            least = cpus < least ? cpus : least;
        }
        if (length == 0) {
            return least;
        }
        do {
            length--;
        } while (length > 0 && group.data[length] != '/');
    }
}

static bool lists(struct slm_span names, const char *name)
{
    size_t start = 0;
    for (size_t i = 0; i <= names.length; i++) {
        if (i == names.length || names.data[i] == ',') {
            if (slm__span_is(slm__span(names.data + start, i - start), name)) {
                return true;
            }
            start = i + 1;
        }
    }
    return false;
}

/* One line "ID:CONTROLLERS:GROUP" of /proc/self/cgroup; version 2 has no controllers. */
static uint32_t quota_of_line(struct slm_span line, const char *mounts)
{
    const uint8_t *end = line.data + line.length;
    const uint8_t *names = memchr(line.data, ':', line.length);
    const uint8_t *group = names == NULL ? NULL : memchr(names + 1, ':', (size_t)(end - names - 1));
    if (group == NULL || (size_t)(end - group) >= PATH_BYTES) {
        return UINT32_MAX;
    }
    struct slm_span controllers = slm__span(names + 1, (size_t)(group - names - 1));
    struct slm_span path = slm__span(group + 1, (size_t)(end - group - 1));
    if (controllers.length == 0) {
        return least_quota(mounts, "", path);
    }
    if (!lists(controllers, "cpu")) {
        return UINT32_MAX;
    }
    uint32_t joint = least_quota(mounts, "/cpu,cpuacct", path);
    uint32_t alone = least_quota(mounts, "/cpu", path);
    return joint < alone ? joint : alone;
}

uint32_t slm__cgroup_cpus(const char *self, const char *mounts)
{
    char text[TEXT_BYTES];
    size_t length = read_text(self, text, sizeof text);
    uint32_t least = UINT32_MAX;
    size_t start = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n') {
            uint32_t cpus = quota_of_line(slm__span(text + start, i - start), mounts);
            least = cpus < least ? cpus : least;
            start = i + 1;
        }
    }
    return least;
}
#else
uint32_t slm__cgroup_cpus(const char *self, const char *mounts)
{
    (void)self;
    (void)mounts;
    return UINT32_MAX;
}
#endif

/* SPDX-License-Identifier: MIT */
/*
 * What a test says about the golden set it ran, for `make test-golden`: a line in the file named by SLM_REPORT (nothing without it).
 *
 *   golden_begin("model", "qwen3");    kind (model, tokenizer, template, import, ...) and name
 *   golden_case(nmse <= 1e-10);        once for each case: did it succeed?
 *   golden_error(nmse);                optional: the worst one is shown
 *   golden_end();
 *
 * A test that an assertion ends in between counts as one more failure of its set. Sets are found by listing the golden folder
 * (golden_list), so that further ones are run too.
 */
#ifndef SLM_TESTS_GOLDEN_REPORT_H
#define SLM_TESTS_GOLDEN_REPORT_H

#include "tests/golden_tensors.h" /* golden_root */
#include <dirent.h>
#include <stdbool.h>

static struct {
    char kind[32], name[320];
    unsigned cases, failures;
    double worst; /* below 0: none */
    bool open, watched;
} golden_set = {.worst = -1};

static inline void golden_write_line(void)
{
    const char *path = getenv("SLM_REPORT");
    FILE *file = path != NULL ? fopen(path, "a") : NULL;
    if (file != NULL) {
        char worst[32] = "-";
        if (golden_set.worst >= 0) {
            snprintf(worst, sizeof worst, "%.1e", golden_set.worst);
        }
        fprintf(file, "%s\t%s\t%u\t%u\t%s\n", golden_set.kind, golden_set.name, golden_set.cases, golden_set.failures, worst);
        fclose(file);
    }
    golden_set.open = false;
}

static inline void golden_flush(void)
{
    if (golden_set.open) {
        golden_set.cases++;
        golden_set.failures++;
        golden_write_line();
    }
}

static inline void golden_begin(const char *kind, const char *name)
{
    golden_flush();
    if (!golden_set.watched) {
        golden_set.watched = atexit(golden_flush) == 0;
    }
    snprintf(golden_set.kind, sizeof golden_set.kind, "%s", kind);
    snprintf(golden_set.name, sizeof golden_set.name, "%s", name);
    golden_set.cases = golden_set.failures = 0;
    golden_set.worst = -1;
    golden_set.open = true;
}

static inline void golden_case(bool succeeded)
{
    golden_set.cases++;
    golden_set.failures += !succeeded;
}

static inline void golden_error(double nmse) { golden_set.worst = nmse >= 0 && nmse <= golden_set.worst ? golden_set.worst : nmse; }

/* Returns how many cases failed. */
static inline unsigned golden_end(void)
{
    golden_write_line();
    return golden_set.failures;
}

struct golden_name {
    char text[128];
};

static inline int golden_compare_names(const void *a, const void *b)
{
    return strcmp(((const struct golden_name *)a)->text, ((const struct golden_name *)b)->text);
}

/* The sorted names in a folder of the golden root that end in `ending`, at most `most`. */
static inline size_t golden_list(const char *folder, const char *ending, struct golden_name *names, size_t most)
{
    char path[512];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/%s", golden_root(), folder);
    DIR *directory = opendir(path);
    for (struct dirent *entry = directory != NULL ? readdir(directory) : NULL; entry != NULL; entry = readdir(directory)) {
        const size_t length = strlen(entry->d_name), end = strlen(ending);
        if (entry->d_name[0] != '.' && length >= end && length < sizeof *names && strcmp(entry->d_name + length - end, ending) == 0) {
            if (count == most) {
                fprintf(stderr, "%s holds more than %zu sets\n", path, most);
                abort();
            }
            memcpy(names[count++].text, entry->d_name, length + 1);
        }
    }
    if (directory != NULL) {
        closedir(directory);
    }
    qsort(names, count, sizeof *names, golden_compare_names);
    return count;
}

#endif

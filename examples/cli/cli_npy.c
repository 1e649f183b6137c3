/* SPDX-License-Identifier: MIT */
/* The header has room for any number of rows, so that it can be written again at the end (see cli_npy.h). */
#include "examples/cli/cli_npy.h" /* struct cli_npy */

#include <string.h>

enum { HEADER = 128 };

static int put_header(struct cli_npy *npy)
{
    char header[HEADER + 1];
    memcpy(header, "\x93NUMPY\x01\x00\x76\x00", 10); /* 118 bytes of description follow */
    const int length = snprintf(header + 10, HEADER - 10, "{'descr': '<f4', 'fortran_order': False, 'shape': (%llu, %u), }",
                                (unsigned long long)npy->rows, npy->columns);
    memset(header + 10 + length, ' ', (size_t)(HEADER - 11 - length));
    header[HEADER - 1] = '\n';
    return fwrite(header, 1, HEADER, npy->whole.file) == HEADER ? 0 : -1;
}

int cli_npy_create(struct cli_npy *npy, const char *path, uint32_t columns)
{
    *npy = (struct cli_npy){.columns = columns};
    return cli_whole_create(&npy->whole, path) == 0 ? put_header(npy) : -1;
}

int cli_npy_put_row(struct cli_npy *npy, const float *values)
{
    npy->rows++;
    return fwrite(values, sizeof *values, npy->columns, npy->whole.file) == npy->columns ? 0 : -1; /* machines here are little-endian */
}

int cli_npy_finish(struct cli_npy *npy, int keep)
{
    if (keep && npy->whole.file != NULL && fseek(npy->whole.file, 0, SEEK_SET) == 0 && put_header(npy) == 0) {
        return cli_whole_finish(&npy->whole);
    }
    cli_whole_abandon(&npy->whole);
    return -1;
}

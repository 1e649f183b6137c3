/* SPDX-License-Identifier: MIT */
/* The file sink: positioned writes into the temporary file of base/file.h. */
#include "format/sink_file.h" /* declarations of this file */

/* Nothing to prepare: the writer writes every byte of the file. */
static slm_status reserve(void *context, uint64_t size, slm_error *error)
{
    (void)context;
    (void)size;
    (void)error;
    return SLM_OK;
}

static slm_status write_bytes(void *context, uint64_t offset, const void *data, size_t length, slm_error *error)
{
    return slm__output_write(context, offset, data, length, error);
}

struct slm_sink slm__sink_file(struct slm_output *output)
{
    struct slm_sink sink = {reserve, write_bytes, output};
    return sink;
}

/* SPDX-License-Identifier: MIT */
/* A sink over a file that appears under its name only when complete. */
#ifndef SLM_FORMAT_SINK_FILE_H
#define SLM_FORMAT_SINK_FILE_H

#include "base/file.h"            /* struct slm_output */
#include "format/weight_writer.h" /* struct slm_sink */

/* `output` was created by the caller, who commits it after slm__writer_finish() or abandons it. */
struct slm_sink slm__sink_file(struct slm_output *output);

#endif

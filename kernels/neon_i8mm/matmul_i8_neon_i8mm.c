/* SPDX-License-Identifier: MIT */
/* i8 weights x packed int8 activations by SMMLA, few columns by SDOT. */
#include "kernels/neon_i8mm/neon_i8mm_kernels.h" /* slm__matmul_i8_neon_i8mm */
#include "kernels/neon_i8mm/tiles_neon_i8mm.h"   /* matmul_neon_i8mm */

void slm__matmul_i8_neon_i8mm(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                              float *y, size_t y_stride)
{
    matmul_neon_i8mm(w, false, panel_begin, panel_end, packed, columns, y, y_stride);
}

/* SPDX-License-Identifier: MIT */
/* i4 weights x packed int8 activations by maddubs. */
#include "kernels/avx2/tiles_i4_avx2.h" /* matmul_i4_avx2, gemv_i4_avx2 */
#include "kernels/avx2/avx2_kernels.h"  /* slm__matmul_i4_avx2, slm__gemv_i4_avx2 */

void slm__matmul_i4_avx2(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                         float *y, size_t y_stride)
{
    matmul_i4_avx2(w, panel_begin, panel_end, packed, columns, y, y_stride);
}

void slm__gemv_i4_avx2(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, float *y,
                       const void *ahead)
{
    gemv_i4_avx2(w, panel_begin, panel_end, packed, y, ahead);
}

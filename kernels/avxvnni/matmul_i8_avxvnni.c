/* SPDX-License-Identifier: MIT */
/* i8 weights x packed int8 activations by 256-bit vpdpbusd. */
#include "kernels/avx2/tiles_i8_avx2.h"      /* matmul_i8_avx2 */
#include "kernels/avxvnni/avxvnni_kernels.h" /* slm__matmul_i8_avxvnni */

void slm__matmul_i8_avxvnni(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                            float *y, size_t y_stride)
{
    matmul_i8_avx2(w, panel_begin, panel_end, packed, columns, y, y_stride);
}

/* SPDX-License-Identifier: MIT */
/* i4 weights x packed int8 activations by SDOT: the tile for each number of columns. */
#include "kernels/neon_dotprod/neon_dotprod_kernels.h" /* slm__matmul_i4_neon_dotprod */
#include "kernels/neon_dotprod/tiles_neon_dotprod.h"   /* tile_neon_dotprod */

void slm__matmul_i4_neon_dotprod(const struct slm_matrix *w, uint32_t panel_begin, uint32_t panel_end, const void *packed, uint32_t columns,
                                 float *y, size_t y_stride)
{
    for (uint32_t p = panel_begin; p < panel_end; p++) {
        const struct panel_neon_dotprod panel = panel_i4_neon_dotprod(w, p);
        float *out = y + (size_t)16 * p;
        switch (columns) {
        case 1: tile_neon_dotprod(&panel, true, packed, 1, out, y_stride); break;
        case 2: tile_neon_dotprod(&panel, true, packed, 2, out, y_stride); break;
        case 3: tile_neon_dotprod(&panel, true, packed, 3, out, y_stride); break;
        case 4: tile_neon_dotprod(&panel, true, packed, 4, out, y_stride); break;
        case 5: tile_neon_dotprod(&panel, true, packed, 5, out, y_stride); break;
        case 6: tile_neon_dotprod(&panel, true, packed, 6, out, y_stride); break;
        case 7: tile_neon_dotprod(&panel, true, packed, 7, out, y_stride); break;
        default: tile_neon_dotprod(&panel, true, packed, 8, out, y_stride); break;
        }
    }
}

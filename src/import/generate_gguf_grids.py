#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes gguf_grids_generated.c: the code books of GGUF's IQ1, IQ2 and IQ3 types, from the Python package gguf (0.19 or newer).

    python3 src/import/generate_gguf_grids.py
"""
import os

from gguf import quants

HERE = os.path.dirname(os.path.abspath(__file__))
BOOKS = [
    ("iq2_xxs", quants.IQ2_XXS), ("iq2_xs", quants.IQ2_XS), ("iq2_s", quants.IQ2_S),
    ("iq3_xxs", quants.IQ3_XXS), ("iq3_s", quants.IQ3_S), ("iq1", quants.IQ1_S),
]
HEAD = """/* SPDX-License-Identifier: MIT */
/* Written by generate_gguf_grids.py, do not edit. The code books of GGUF's IQ types are those of llama.cpp (ggml-common.h, and packed as
 * here in gguf-py): Copyright (c) 2023 Georgi Gerganov and the ggml authors, MIT License. An entry is one point of a grid: eight values
 * of two bits (IQ1, IQ2) or four values of four bits (IQ3), the first in the lowest bits. */
#include "import/gguf_grids.h"
"""


def entries(book):
    data = bytes.fromhex(book.grid_hex.decode())
    assert len(data) == 2 * book.grid_shape[0]
    return [data[i] | data[i + 1] << 8 for i in range(0, len(data), 2)]


def main():
    lines = [HEAD]
    for name, book in BOOKS:
        values = entries(book)
        lines.append("const uint16_t slm__grid_%s[%d] = {" % (name, len(values)))
        for i in range(0, len(values), 17):
            lines.append("    " + ", ".join("0x%04x" % v for v in values[i:i + 17]) + ",")
        lines.append("};")
    with open(os.path.join(HERE, "gguf_grids_generated.c"), "w", encoding="utf-8") as out:
        out.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes unicode_text_generated.c: what normalizers beyond NFC and grapheme clusters need to know about code points.

    python3 src/text/generate_unicode_text.py [UNICODE_DATA_DIR [unicode_classes.json]]

Sources: Debian's package unicode-data (15.0) and unicode_classes.json, the classes of the reference tokenizer, which is the
authority where it has a list. Versions of Unicode differ inside the reference: its normalization tables are Unicode 9, its
non-spacing marks Unicode 8, lower case Unicode 17.
"""
import json
import os
import sys

DATA = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/unicode"
CLASSES = sys.argv[2] if len(sys.argv) > 2 else "tests/golden/tokenizers/unicode_classes.json"
HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT = 0x110000
BLOCK = 128
# Lower case that the package does not know yet: first, last, what is added.
NEW_LOWER = [(0x1C89, 0x1C89, 1), (0xA7CB, 0xA7CB, 0x264 - 0xA7CB), (0xA7CC, 0xA7CC, 1), (0xA7CE, 0xA7CE, 1), (0xA7D2, 0xA7D2, 1),
             (0xA7D4, 0xA7D4, 1), (0xA7DA, 0xA7DA, 1), (0xA7DC, 0xA7DC, 0x19B - 0xA7DC), (0x10D50, 0x10D65, 0x20),
             (0x16EA0, 0x16EB8, 0x1B)]
# Order and meaning as in unicode_text.h; the cluster class stands in the upper four bits.
CLUSTERS = ["Other", "Control", "Extend", "ZWJ", "Prepend", "SpacingMark", "L", "V", "T", "LV", "LVT", "Regional_Indicator",
            "Extended_Pictographic"]


def ranges(name, value=None):
    """(first, last, property) of each line of a UCD file."""
    for line in open(os.path.join(DATA, name), encoding="utf-8"):
        fields = [f.strip() for f in line.split("#")[0].split(";")]
        if len(fields) >= 2 and (value is None or fields[1] == value):
            first, _, last = fields[0].partition("..")
            yield int(first, 16), int(last or first, 16), fields[1]


def main():
    table = json.load(open(CLASSES, encoding="utf-8"))
    ages = {}
    for first, last, version in ranges("DerivedAge.txt"):
        for code in range(first, last + 1):
            ages[code] = tuple(int(x) for x in version.split("."))
    category, combining, canonical, compatible, lower = {}, {}, {}, {}, {}
    first = None
    for line in open(os.path.join(DATA, "UnicodeData.txt"), encoding="utf-8"):
        f = line.rstrip("\n").split(";")
        code = int(f[0], 16)
        first = code if f[1].endswith(", First>") else first
        for c in range(first if f[1].endswith(", Last>") else code, code + 1):
            category[c] = f[2]
        if f[13] and code != 0x130:
            lower[code] = int(f[13], 16)
        if ages.get(code, (99, 0)) > (9, 0):
            continue
        if int(f[3]):
            combining[code] = int(f[3])
        if f[5]:
            parts = f[5].split()
            (compatible if parts[0][0] == "<" else canonical)[code] = [int(x, 16) for x in parts if x[0] != "<"]
    combining[0x0EBA] = 0
    for a, b, add in NEW_LOWER:
        lower.update((c, c + add) for c in range(a, b + 1))

    def full(code):
        parts = compatible.get(code) or canonical.get(code)
        return [x for part in parts for x in full(part)] if parts else [code]

    def changed(code):
        return code in compatible or (code in canonical and any(changed(c) for c in canonical[code]))

    compat = {c: full(c) for c in range(LIMIT) if changed(c)}
    # Categories that were different in Unicode 9 and 8.
    marks = {c for c, g in category.items() if g[0] == "M" and ages[c] <= (9, 0)} | {0x1CF2, 0x1CF3}
    marks -= {0x111C9}
    nonspacing = {c for c, g in category.items() if g == "Mn" and ages[c] <= (8, 0)} | {0x1734}
    nonspacing -= {0x1885, 0x1886, 0xA9BD, 0x111C9}
    decomposes = set(canonical) | {c for c in combining if combining[c]} | set(range(0xAC00, 0xD7A4))

    bits = [0] * LIMIT
    names = ["BertNormalizer removes", "BertNormalizer makes a space", "BertNormalizer puts spaces around", "Nmt removes",
             "Nmt makes a space", None, None, "Punctuation", None, None]
    sets = {5: marks, 6: nonspacing, 8: set(compat), 9: decomposes}
    for bit, name in enumerate(names):
        members = sets[bit] if name is None else {c for a, b in table[name] for c in range(a, b + 1)}
        for code in members:
            bits[code] |= 1 << bit
    for a, b, name in ranges("auxiliary/GraphemeBreakProperty.txt"):
        for code in range(a, b + 1):
            bits[code] |= CLUSTERS.index("Control" if name in ("CR", "LF") else name) << 12
    for a, b, _ in ranges("emoji/emoji-data.txt", "Extended_Pictographic"):
        for code in range(a, b + 1):
            bits[code] |= CLUSTERS.index("Extended_Pictographic") << 12
    write(bits, compat, lower)


def rows(numbers, width, form="%d"):
    return "".join("    " + ", ".join(form % n for n in numbers[i:i + width]) + ",\n" for i in range(0, len(numbers), width))


def write(bits, compat, lower):
    kinds, values = {0: 0}, []
    for value in bits:
        values.append(kinds.setdefault(value, len(kinds)))
    blocks, index = {}, []
    for start in range(0, LIMIT, BLOCK):
        index.append(blocks.setdefault(tuple(values[start:start + BLOCK]), len(blocks)))
    assert len(kinds) <= 256 and len(blocks) <= 65536
    flat = [v for block in blocks for v in block]
    codes = sorted(compat)
    offsets, pool = [0], []
    for code in codes:
        pool += compat[code]
        offsets.append(len(pool))
    assert offsets[-1] < 65536
    pairs = sorted(lower.items())
    with open(os.path.join(HERE, "unicode_text_generated.c"), "w", encoding="utf-8") as out:
        out.write("/* SPDX-License-Identifier: MIT */\n/* Properties for normalizers and grapheme clusters, compatibility decompositions, "
                  "lower case. Written by\n * generate_unicode_text.py; do not edit. */\n")
        out.write('#include "text/unicode_text.h" /* the declarations */\n\n')
        out.write("const uint16_t slm__unicode_text_index[%d] = {\n%s};\n\n" % (len(index), rows(index, 24)))
        out.write("const uint8_t slm__unicode_text_blocks[%d] = {\n%s};\n\n" % (len(flat), rows(flat, 24)))
        out.write("const uint16_t slm__unicode_text_properties[%d] = {\n%s};\n\n" % (len(kinds), rows(list(kinds), 16)))
        out.write("const uint32_t slm__unicode_compatible_count = %d;\n\n" % len(codes))
        out.write("const uint32_t slm__unicode_compatible_codes[%d] = {\n%s};\n\n" % (len(codes), rows(codes, 14, "0x%x")))
        out.write("const uint16_t slm__unicode_compatible_offsets[%d] = {\n%s};\n\n" % (len(offsets), rows(offsets, 20)))
        out.write("const uint32_t slm__unicode_compatible_parts[%d] = {\n%s};\n\n" % (len(pool), rows(pool, 14, "0x%x")))
        out.write("const uint32_t slm__unicode_lower_count = %d;\n\n" % len(pairs))
        out.write("/* code << 32 | lower case, ascending */\n")
        out.write("const uint64_t slm__unicode_lower[%d] = {\n%s};\n" % (len(pairs), rows([a << 32 | b for a, b in pairs], 8, "0x%x")))
    print("kinds %d, blocks %d, compatible %d (%d parts), lower %d" % (len(kinds), len(blocks), len(codes), len(pool), len(pairs)))


main()

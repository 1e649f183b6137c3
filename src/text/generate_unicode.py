#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes unicode_classes_generated.c and unicode_normalize_generated.c.

    python3 src/text/generate_unicode.py [UNICODE_DATA_DIR [unicode_classes.json]]

Sources: Debian's package unicode-data (15.0) for word characters, combining classes and canonical decompositions, and
unicode_classes.json for the regex classes, which says exactly which code points the reference tokenizer puts in them (its
regex classes are Unicode 16, its normalization tables Unicode 9). Where the two differ the JSON file is the authority.
"""
import json
import os
import sys

DATA = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/unicode"
CLASSES = sys.argv[2] if len(sys.argv) > 2 else "tests/golden/tokenizers/unicode_classes.json"
HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT = 0x110000
BLOCK = 128
NORMALIZE_VERSION = (9, 0)  # of the reference's normalization tables: later characters neither compose, decompose nor reorder
CCC_CHANGED_LATER = {0x0EBA: 0}  # combining classes that were different in NORMALIZE_VERSION
# Decimal digits of Unicode 16 that the package does not know yet; word characters by the definition of \w.
NEW_DECIMAL_DIGITS = [(0x10D40, 0x10D49), (0x116D0, 0x116E3), (0x11BF0, 0x11BF9), (0x16130, 0x16139), (0x16D70, 0x16D79),
                      (0x1CCF0, 0x1CCF9), (0x1E5F1, 0x1E5FA)]

# Order and meaning as in unicode_classes.h.
BITS = ["SPACE", "UPPER", "LOWER", "OTHER_LETTER", "MARK", "NUMBER", "NUMERIC", "PUNCTUATION", "WORD", "NFC_SLOW"]


def read_ranges(name, wanted):
    """Code points of property `wanted` in a UCD file of ranges."""
    result = set()
    for line in open(os.path.join(DATA, name), encoding="utf-8"):
        fields = [f.strip() for f in line.split("#")[0].split(";")]
        if len(fields) >= 2 and fields[1] in wanted:
            first, _, last = fields[0].partition("..")
            result.update(range(int(first, 16), int(last or first, 16) + 1))
    return result


def read_ages():
    ages = {}
    for line in open(os.path.join(DATA, "DerivedAge.txt"), encoding="utf-8"):
        fields = [f.strip() for f in line.split("#")[0].split(";")]
        if len(fields) == 2:
            first, _, last = fields[0].partition("..")
            version = tuple(int(x) for x in fields[1].split("."))
            for code in range(int(first, 16), int(last or first, 16) + 1):
                ages[code] = version
    return ages


def read_unicode_data():
    category, combining, decomposition = {}, {}, {}
    first = None
    for line in open(os.path.join(DATA, "UnicodeData.txt"), encoding="utf-8"):
        f = line.rstrip("\n").split(";")
        code = int(f[0], 16)
        if f[1].endswith(", First>"):
            first = code
        for c in range(first if f[1].endswith(", Last>") else code, code + 1):
            category[c] = f[2]
        if int(f[3]):
            combining[code] = int(f[3])
        if f[5] and not f[5].startswith("<"):
            decomposition[code] = tuple(int(x, 16) for x in f[5].split())
    return category, combining, decomposition


def main():
    table = json.load(open(CLASSES, encoding="utf-8"))

    def listed(name):
        return {c for a, b in table[name] for c in range(a, b + 1)}

    category, combining, decomposition = read_unicode_data()
    ages = read_ages()

    def known(code):
        return ages.get(code, (99, 0)) <= NORMALIZE_VERSION

    combining = {c: CCC_CHANGED_LATER.get(c, v) for c, v in combining.items() if known(c)}
    decomposition = {c: d for c, d in decomposition.items() if known(c)}
    excluded = read_ranges("DerivedNormalizationProps.txt", {"Full_Composition_Exclusion"})
    composed = {d: c for c, d in decomposition.items() if c not in excluded and len(d) == 2}
    # Hangul vowels and trailing consonants compose with what precedes them, by arithmetic.
    seconds = {d[1] for d in composed} | set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
    slow = {c for c in combining if combining[c]} | seconds | {c for c in decomposition if composed.get(decomposition[c]) != c}

    letter = listed("regex \\p{L}")
    mark = listed("regex \\p{M}")
    parts = [listed("regex \\p{%s}" % name) for name in ("Lu", "Lt", "Ll", "Lm", "Lo")]
    assert letter == set().union(*parts)
    decimal = {c for c, g in category.items() if g in ("Nd", "Pc")}
    decimal.update(c for a, b in NEW_DECIMAL_DIGITS for c in range(a, b + 1))
    word = letter | mark | decimal | read_ranges("DerivedCoreProperties.txt", {"Alphabetic"}) | {0x200C, 0x200D}
    sets = [listed("regex \\s"), parts[0] | parts[1], parts[2], parts[3] | parts[4], mark, listed("regex \\p{N}"),
            listed("Digits (char is numeric)"), listed("regex \\p{P}"), word, slow]

    # A class is a combination of properties and combining class.
    properties = [0] * LIMIT
    for bit, members in enumerate(sets):
        for code in members:
            properties[code] |= 1 << bit
    classes = {(0, 0): 0}
    values = []
    for code in range(LIMIT):
        values.append(classes.setdefault((properties[code], combining.get(code, 0)), len(classes)))
    assert len(classes) <= 256
    end = LIMIT
    while values[end - 1] == 0:
        end -= 1
    gap = next(a for a in range(0x20000, end, BLOCK) if not any(values[a:0xE0000]))
    assert gap % BLOCK == 0
    blocks, index = {}, []
    for start in list(range(0, gap, BLOCK)) + list(range(0xE0000, end, BLOCK)):
        block = tuple((values[start:start + BLOCK] + [0] * BLOCK)[:BLOCK])
        index.append(blocks.setdefault(block, len(blocks)))
    assert len(blocks) <= 256
    write_classes(index, list(blocks), list(classes), gap, end)
    write_normalize(decomposition, composed)
    sizes = len(index) + BLOCK * len(blocks) + 3 * len(classes), 8 * len(decomposition) + 2 * len(composed)
    print("classes %d, blocks %d, bytes %d + %d = %d" % (len(classes), len(blocks), *sizes, sum(sizes)))


def rows(numbers, width=24, form="%d"):
    return "".join("    " + ", ".join(form % n for n in numbers[i:i + width]) + ",\n" for i in range(0, len(numbers), width))


HEAD = """/* SPDX-License-Identifier: MIT */
/* %s Written by generate_unicode.py; do not edit. */
"""


def write_classes(index, blocks, classes, gap, end):
    with open(os.path.join(HERE, "unicode_classes_generated.c"), "w", encoding="utf-8") as out:
        out.write(HEAD % "Character classes and combining classes of all code points, as two-stage tables.")
        out.write('#include "text/unicode_classes.h" /* the declarations */\n\n')
        out.write("/* Block of code points c < 0x%X at c / 128; of 0xE0000 <= c < 0x%X behind them. */\n" % (gap, end))
        out.write("const uint32_t slm__unicode_limits[3] = {0x%X, 0x%X, %d};\n\n" % (gap, end, gap // BLOCK))
        out.write("const uint8_t slm__unicode_index[%d] = {\n%s};\n\n" % (len(index), rows(index)))
        flat = [v for block in blocks for v in block]
        out.write("const uint8_t slm__unicode_blocks[%d] = {\n%s};\n\n" % (len(flat), rows(flat)))
        out.write("/* Of each class: the bits of enum slm_unicode. */\n")
        out.write("const uint16_t slm__unicode_properties[%d] = {\n%s};\n\n" % (len(classes), rows([c[0] for c in classes], 20)))
        out.write("/* Of each class: the canonical combining class. */\n")
        out.write("const uint8_t slm__unicode_combining[%d] = {\n%s};\n" % (len(classes), rows([c[1] for c in classes])))


def write_normalize(decomposition, composed):
    keys = sorted(decomposition)
    packed = []
    for code in keys:
        first, second = (decomposition[code] + (0,))[:2]
        assert max(code, first, second) < 1 << 18
        packed.append(code << 36 | first << 18 | second)
    order = [keys.index(composed[pair]) for pair in sorted(composed)]
    with open(os.path.join(HERE, "unicode_normalize_generated.c"), "w", encoding="utf-8") as out:
        out.write(HEAD % "Canonical decompositions and compositions without Hangul.")
        out.write('#include "text/unicode_normalize.h" /* the declarations */\n\n')
        out.write("const uint32_t slm__unicode_decomposition_count = %d;\n" % len(packed))
        out.write("const uint32_t slm__unicode_composition_count = %d;\n\n" % len(order))
        out.write("/* code << 36 | first << 18 | second (0: none), ascending */\n")
        out.write("const uint64_t slm__unicode_decompositions[%d] = {\n%s};\n\n" % (len(packed), rows(packed, 6, "0x%x")))
        out.write("/* Indices into the above of the pairs that compose, ascending by (first, second) */\n")
        out.write("const uint16_t slm__unicode_compositions[%d] = {\n%s};\n" % (len(order), rows(order, 20)))


main()

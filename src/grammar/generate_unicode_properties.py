#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes unicode_property_generated.c: general categories, scripts and a few binary properties for \\p{...} in patterns.

    python3 src/grammar/generate_unicode_properties.py [UNICODE_DATA_DIR]

Source: Debian's package unicode-data (Unicode 15.0).
"""
import os
import sys

DATA = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/unicode"
HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT = 0x110000
BINARY = [("DerivedCoreProperties.txt", "Alphabetic"), ("DerivedCoreProperties.txt", "Lowercase"),
          ("DerivedCoreProperties.txt", "Uppercase"), ("PropList.txt", "White_Space"), ("PropList.txt", "Ideographic"),
          ("emoji/emoji-data.txt", "Emoji")]
SHORT = {"Alphabetic": "Alpha", "Lowercase": "Lower", "Uppercase": "Upper", "White_Space": "space", "Ideographic": "Ideo", "Emoji": "Emoji"}


def fields_of(name):
    for line in open(os.path.join(DATA, name), encoding="utf-8"):
        fields = [f.strip() for f in line.split("#")[0].split(";")]
        if len(fields) >= 2:
            yield fields


def ranges_of(name):
    for fields in fields_of(name):
        first, _, last = fields[0].partition("..")
        yield int(first, 16), int(last or first, 16), fields[1]


def categories():
    result = ["Cn"] * LIMIT
    first = None
    for line in open(os.path.join(DATA, "UnicodeData.txt"), encoding="utf-8"):
        f = line.rstrip("\n").split(";")
        code = int(f[0], 16)
        if f[1].endswith(", First>"):
            first = code
        for c in range(first if f[1].endswith(", Last>") else code, code + 1):
            result[c] = f[2]
    return result


def scripts():
    result = ["Unknown"] * LIMIT
    for first, last, name in ranges_of("Scripts.txt"):
        result[first:last + 1] = [name] * (last + 1 - first)
    return result


def runs(values):
    """(first, value) wherever the value changes."""
    return [(c, values[c]) for c in range(LIMIT) if c == 0 or values[c] != values[c - 1]]


def aliases(kind):
    """Lists of the names of each value: short, long, others."""
    return [f[1:] for f in fields_of("PropertyValueAliases.txt") if f[0] == kind]


def rows(numbers, width):
    return "".join("    " + ", ".join("0x%X" % n for n in numbers[i:i + width]) + ",\n" for i in range(0, len(numbers), width))


def main():
    category, script = categories(), scripts()
    category_names = aliases("gc")
    # Groups such as L are unions; the table holds the thirty categories themselves.
    single = [names[0] for names in category_names if names[0] in set(category)]
    script_names = [names for names in aliases("sc") if names[1] in set(script)]
    order = [names[1] for names in script_names]
    entries = []
    for names in category_names:
        if names[0] == "LC":
            mask = sum(1 << single.index(s) for s in ("Lu", "Ll", "Lt"))
        else:
            mask = sum(1 << single.index(s) for s in single if s.startswith(names[0]))
        entries += [(name, mask) for name in dict.fromkeys(names)]
    with open(os.path.join(HERE, "unicode_property_generated.c"), "w", encoding="utf-8") as out:
        out.write("/* SPDX-License-Identifier: MIT */\n/* General categories, scripts and binary properties of Unicode 15."
                  " Written by generate_unicode_properties.py; do not edit. */\n")
        out.write("#include \"grammar/unicode_property.h\" /* the declarations */\n\n")
        out.write("/* Names of general categories and the bits of the categories that they hold. */\n")
        out.write("const struct slm_category_name slm__category_names[%d] = {\n" % (len(entries) + 1))
        for name, mask in entries:
            out.write('    {"%s", 0x%X},\n' % (name, mask))
        out.write("    {\"\", 0},\n};\n\n")
        data = [first << 5 | single.index(value) for first, value in runs(category)]
        out.write("/* first code point << 5 | category, wherever the category changes */\n")
        out.write("const uint32_t slm__category_run_count = %d;\nconst uint32_t slm__category_runs[%d] = {\n%s};\n\n" %
                  (len(data), len(data), rows(data, 12)))
        names = sorted((name, order.index(f[1])) for f in script_names for name in dict.fromkeys(f))
        out.write("/* Names of scripts and their numbers. */\n")
        out.write("const struct slm_category_name slm__script_names[%d] = {\n" % (len(names) + 1))
        for name, number in names:
            out.write('    {"%s", %d},\n' % (name, number))
        out.write("    {\"\", 0},\n};\n\n")
        data = [first << 8 | order.index(value) for first, value in runs(script)]
        out.write("/* first code point << 8 | script, wherever the script changes */\n")
        out.write("const uint32_t slm__script_run_count = %d;\nconst uint32_t slm__script_runs[%d] = {\n%s};\n\n" %
                  (len(data), len(data), rows(data, 12)))
        starts, data = [], []
        for name, prop in BINARY:
            starts.append((prop, len(data)))
            values = [False] * LIMIT
            for first, last, value in ranges_of(name):
                if value == prop:
                    values[first:last + 1] = [True] * (last + 1 - first)
            changes = [first for first, value in runs(values)]
            data += changes[0 if values[0] else 1:] + ([LIMIT] if values[-1] else [])
        out.write("/* Names of binary properties and where their code points begin and end (in turn) in the table behind. */\n")
        out.write("const struct slm_category_name slm__binary_names[%d] = {\n" % (2 * len(starts) + 1))
        for prop, start in starts:
            for name in dict.fromkeys((prop, SHORT[prop])):
                out.write('    {"%s", %d},\n' % (name, start))
        out.write("    {\"\", %d},\n};\n\n" % len(data))
        out.write("const uint32_t slm__binary_ends[%d] = {\n%s};\n" % (len(data), rows(data, 12)))


main()

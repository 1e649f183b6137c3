#!/bin/bash
# SPDX-License-Identifier: MIT
# Length of functions: at most 60 lines, or 120 with a comment above that says "Longer than 60 lines because". Needs universal-ctags.
set -u
cd "$(dirname "$0")/.." || exit 1
if ! ctags --version 2> /dev/null | grep -q 'Universal Ctags'; then
    echo "check_functions: universal-ctags is not installed (make deps)"
    exit 77
fi
mapfile -t sources < <(find src kernels examples bench -name '*.[ch]' 2> /dev/null | sort)

ctags -o - --languages=C --langmap=C:.c.h --kinds-C=f --fields=ne --excmd=number "${sources[@]}" | awk -F'\t' '
{
    for (i = 4; i <= NF; i++) {
        if ($i ~ /^line:/) start = substr($i, 6)
        if ($i ~ /^end:/) end = substr($i, 5)
    }
    length_ = end - start + 1
    if (length_ <= 60) next
    reason = 0
    n = 0
    while ((getline line < $2) > 0) {
        n++
        if (n >= start - 15 && n < start && line ~ /Longer than 60 lines because/) reason = 1
    }
    close($2)
    if (length_ > 120 || !reason) {
        rule = length_ > 120 ? "120 are the limit" : "above 60 a reason must stand above it"
        printf "%s:%d: %s has %d lines; %s\n", $2, start, $1, length_, rule
        bad++
    }
}
END { exit bad > 0 }'

#!/bin/bash
# SPDX-License-Identifier: MIT
# What every source file looks like: licence line, no tabs, no trailing blanks, 140 columns, no unfinished work. Needs no build.
set -u
cd "$(dirname "$0")/.." || exit 1
mapfile -t sources < <(find src kernels include examples tests bench -type f 2> /dev/null | grep -vE '^(tests/golden|examples/demo)/' |
    grep -E '\.([ch]|cpp|sh|awk|py)$' | sort)

awk '
function complain(text) { printf "%s:%d: %s\n", FILENAME, FNR, text; bad++ }
FNR == 1 { licensed = 0 }
FNR <= 3 && /SPDX-License-Identifier: MIT/ { licensed = FNR }
FNR == 1 && FILENAME ~ /\.[ch]$/ && $0 != "/* SPDX-License-Identifier: MIT */" {
    complain("the first line must be /* SPDX-License-Identifier: MIT */")
}
FNR == 3 && !licensed { complain("no SPDX line at the start") }
/\t/ { complain("tab") }
/[ \r]$/ { complain("blank at the end of the line") }
{
    text = $0
    gsub(/[\200-\277]/, "", text) # continuation bytes: count characters
    if (length(text) > 140) complain("longer than 140 columns (" length(text) ")")
}
/(TO)DO|(FIX)ME/ { complain("unfinished work") }
/^#[ ]*if 0/ { complain("dead code") }
END { exit bad > 0 }
' "${sources[@]}"

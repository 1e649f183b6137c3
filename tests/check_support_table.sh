#!/bin/bash
# SPDX-License-Identifier: MIT
# README.md's table of measured support names every family of src/import/family_table.c and no other, each with a row of its own, and has
# no failures. The numbers come from tests/support_table.sh.
set -u
export LC_ALL=C
cd "$(dirname "$0")/.." || exit 1
failed=0
rows=$(sed -n '/^<!-- support table: /,/^<!-- support table end -->/p' README.md)
known=$(sed -n 's/^    {\.name = "\([^"]*\)",.*/\1/p' src/import/family_table.c | sort)
listed=$(printf '%s\n' "$rows" | sed -n 's/^| .*(`\([^`]*\)`) |.*/\1/p' | sort)
titled=$(tests/support_table.sh --families | cut -f1 | sort)
differ() {
    local missing=$1
    [ -z "$missing" ] && return
    echo "check_support_table: $2:" $missing
    failed=1
}
differ "$(comm -23 <(printf '%s\n' "$known") <(printf '%s\n' "$titled"))" "no title in tests/support_table.sh for"
differ "$(comm -23 <(printf '%s\n' "$known") <(printf '%s\n' "$listed"))" "README.md lacks the families (tests/support_table.sh)"
differ "$(comm -13 <(printf '%s\n' "$known") <(printf '%s\n' "$listed"))" "README.md has families that are none"
if ! printf '%s\n' "$rows" | awk -F'|' '/^\| [^w-]/ { n++; if ($5 + 0 != 0 || $4 + 0 == 0) bad = 1 } END { exit bad || n == 0 }'; then
    echo "check_support_table: README.md's table is empty, or shows failures or rows without cases"
    failed=1
fi
exit $failed

#!/bin/bash
# SPDX-License-Identifier: MIT
# The one-file build: slm.c compiles alone, and examples/01_hello.c linked with it runs the demonstration model.
set -u
build=$1
cd "$(dirname "$0")/.." || exit 1
folder=$build/amalgamation
cc=${CC:-cc}
$cc -std=c11 -O2 -ffp-contract=off -Wall -Wextra -c "$folder/slm.c" -o "$folder/slm.o" 2> "$folder/compile.log" || {
    head -20 "$folder/compile.log"
    echo "check_amalgamation: $folder/slm.c does not compile"
    exit 1
}
if [ -s "$folder/compile.log" ]; then
    head -20 "$folder/compile.log"
    echo "check_amalgamation: $folder/slm.c gives warnings"
    exit 1
fi
$cc -std=c11 -O2 -I"$folder" examples/01_hello.c "$folder/slm.o" -lm -pthread -o "$folder/hello" || exit 1
answer=$("$folder/hello" examples/demo/triage-i8.slm "my parcel 48213 never came, I want my money back") || {
    echo "check_amalgamation: 01_hello failed"
    exit 1
}
expected=$("$build/examples/01_hello" examples/demo/triage-i8.slm "my parcel 48213 never came, I want my money back")
if [ -z "$answer" ] || [ "$answer" != "$expected" ]; then
    echo "check_amalgamation: 01_hello answers \"$answer\", of the ordinary build \"$expected\""
    exit 1
fi

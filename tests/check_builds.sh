#!/bin/bash
# SPDX-License-Identifier: MIT
# Other builds pass all tests too, without a warning: one thread and no OpenMP; clang. Builds without parts compile, say what is missing,
# and the demonstration model's tokens are the same. The program for Windows is built.
set -u
build=$1
cd "$(dirname "$0")/.." || exit 1
make=${MAKE:-make}
bad=0

# run NAME ARGUMENT...
run() {
    local name=$1 verdict=built
    shift
    if ! $make --no-print-directory BUILD="$build/$name" WERROR=1 CFLAGS= "$@" > "$build/$name.log" 2>&1; then
        grep -vE '^ok ' "$build/$name.log" | tail -60 | sed 's/^/     | /'
        verdict=failed
        bad=1
    fi
    echo "     $name: $verdict $(grep -hE '^[0-9]+ passed, ' "$build/$name.log")"
}

run none THREADS=none test
if command -v clang > /dev/null; then
    run clang CC=clang test
else
    echo "     clang is not installed (make deps)"
fi

# tokens NAME: what the program of build/NAME (or build itself) answers to ids, to a text, and with draws
tokens() {
    local slm=$build/$1/slm text='Hello, I paid €19.99 twice — order #4711 never arrived!'
    "$slm" run --ids 1,2,3,4,5,6,7 -n 24 --temp 0 --ignore-eos --json | grep -o '"ids":[^]]*' || echo "ids $1"
    "$slm" run --raw "$text" -n 24 --temp 0 --ignore-eos --json | grep -o '"ids":[^]]*' || echo "text $1"
    "$slm" run --raw "$text" -n 24 --temp 0.9 --top-k 40 --top-p 0.9 --seed 7 --ignore-eos --json | grep -o '"ids":[^]]*' || echo "draws $1"
}

# partial NAME ARGUMENT...: built, and the same tokens as from the whole library
partial() {
    run "$@"
    if [ -z "$(tokens .)" ] || [ "$(tokens "$1")" != "$(tokens .)" ]; then
        echo "     $1: the tokens of the demonstration model differ"
        bad=1
    fi
}

# refuses NAME TEXT COMMAND...: exit status 1 and the text on stderr
refuses() {
    local name=$1 text=$2 message
    shift 2
    message=$("$build/$name/slm" "$@" 2>&1 > "$build/refused" < /dev/null)
    if [ $? -ne 1 ] || [[ $message != *"$text"* ]]; then
        echo "     $name: slm $1 says '$message', not '$text'"
        bad=1
    fi
}

partial without-convert WITH_CONVERT=0 all
partial nano MINIMAL=1 SMALL=1 THREADS=none TIERS= all
kernels="check_matmul check_attention check_rows check_pack" # which are other code with SMALL=1
# shellcheck disable=SC2086 # a list of words
partial core MINIMAL=1 WITH_CHAT=1 WITH_MESSAGES=1 SMALL=1 all $(printf " $build/core/tests/kernels/%s" $kernels)
for check in $kernels; do
    if ! "$build/core/tests/kernels/$check" > "$build/core-$check.log" 2>&1; then
        tail -20 "$build/core-$check.log" | sed 's/^/     | /'
        echo "     core: $check failed"
        bad=1
    fi
done
if command -v x86_64-w64-mingw32-gcc > /dev/null; then
    run windows CC=x86_64-w64-mingw32-gcc AR=x86_64-w64-mingw32-ar HOSTCC=cc LDFLAGS=-static "$build/windows/slm.exe"
else
    echo "     MinGW-w64 is not installed (gcc-mingw-w64-x86-64-posix)"
fi
refuses nano 'does not support' convert nothing -o nothing.slm
refuses core 'this build of libslm has no conversion (WITH_CONVERT=0)' convert nothing -o nothing.slm
exit $bad

#!/bin/bash
# SPDX-License-Identifier: MIT
# The floors of the house: who may include whom, what files may be called, how long they may be. Needs no build.
set -u
cd "$(dirname "$0")/.." || exit 1
mapfile -t sources < <(find src kernels include examples tests bench -name '*.[ch]' 2> /dev/null | sort)

awk '
function floor_of(path) {
    if (path ~ /^(src\/base|kernels)\//) return 1
    if (path ~ /^src\/(format|text|ops|cache)\//) return 2
    if (path ~ /^src\/(model|sample|grammar|import)\//) return 3
    if (path ~ /^src\/(runtime|quantize)\//) return 4
    if (path ~ /^src\/api\//) return 5
    if (path ~ /^examples\//) return 6
    return path ~ /^(tests|bench)\// ? 7 : 0
}
function room_of(path,   part) {
    split(path, part, "/")
    return part[1] == "src" ? part[1] "/" part[2] : part[1]
}
function complain(text) { printf "%s:%d: %s\n", FILENAME, FNR, text; bad++ }
function check_include(target,   full, mine, its, own) {
    if (FILENAME ~ /^include\//) {
        if ((getline line < ("include/" target)) < 0) complain("the public header includes only its own parts")
        close("include/" target)
        return
    }
    if (target ~ /\.\.\//) { complain("include paths start at the root, never with ../"); return }
    full = target ~ /^(kernels|examples|tests|bench)\// ? target : "src/" target
    mine = floor_of(FILENAME)
    its = floor_of(full)
    if ((getline line < full) < 0) complain("there is no file " full)
    close(full)
    if (its == 0) complain(target " is in no known folder")
    unnamed = $0 !~ /\/\*.*\*\/[ ]*$/
    own = FILENAME ~ /\.c$/ && room_of(FILENAME) == room_of(full) && own_of != FILENAME # one: what the file implements needs no word
    if (unnamed && own) own_of = FILENAME
    if (mine < 7 && unnamed && !own) complain("a comment behind the include must name what is used from it")
    if (mine == 7) return
    if (its == 7) complain("nobody includes tests/ or bench/")
    else if (mine == 6 && its != 6) complain("examples/ may include only <slm.h>")
    else if (room_of(FILENAME) == room_of(full)) return
    else if (its >= mine) complain(room_of(FILENAME) " may not include " room_of(full) ": a floor sees only the floors below it")
    else if (room_of(full) == "kernels" && full !~ /^kernels\/(kernels|blocks|cpu_isa|half_bits|poly_math|exp_minus)\.h$/)
        complain("only kernels.h, blocks.h, cpu_isa.h, half_bits.h, poly_math.h and exp_minus.h of kernels/ may be included from outside")
}
function end_of_file() {
    if (last == "") return
    limit = last ~ /\.c$|^include\/slm\.h$/ ? 800 : 250
    if (last !~ /_generated\.[ch]$/ && lines > limit) { printf "%s:%d: longer than %d lines\n", last, lines, limit; bad++ }
}
FNR == 1 {
    end_of_file()
    last = FILENAME
    name = FILENAME
    sub(/.*\//, "", name)
    if (name in seen) complain("the name is taken by " seen[name])
    seen[name] = FILENAME
    if (name ~ /(^|_)(util|utils|misc|common|helper|helpers)(_|\.)/) complain("names like util, misc, common, helpers say nothing")
}
{ lines = FNR }
/^#[ ]*include[ ]*"/ {
    target = $0
    sub(/^[^"]*"/, "", target)
    sub(/".*/, "", target)
    check_include(target)
}
/^#[ ]*include[ ]*<slm\.h>/ && FILENAME ~ /^kernels\// { complain("kernels/ do not know slm.h") }
(/^#[ ]*include[ ]*<omp\.h>/ || /^#[ ]*pragma omp/) && FILENAME != "src/base/parallel.c" && floor_of(FILENAME) < 6 {
    complain("only src/base/parallel.c names OpenMP")
}
END { end_of_file(); exit bad > 0 }
' "${sources[@]}"

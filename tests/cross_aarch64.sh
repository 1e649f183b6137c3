#!/bin/bash
# SPDX-License-Identifier: MIT
# The library and its tests compiled for AArch64 and run by qemu as three processors, so that each tier of NEON kernels is chosen and run:
# cortex-a53 has plain NEON, neoverse-n1 the dot product too, max also the 8-bit matrix multiply. Files, logits and answers are those of
# the machine that this runs on, to the bit. Uses Debian's or Ubuntu's cross compiler.
#
#   cross_aarch64.sh BUILD    BUILD holds this machine's slm and tests/api/test_determinism; the other build goes to BUILD/aarch64
#
# Environment: SLM_GOLDEN (folder of golden files); SLM_WHOLE=1 (all kernels, models, ways, instead of a choice for some minutes); SLM_TESTS
# (only tests whose name matches this extended regular expression, on each of the processors).
# Results: BUILD/aarch64/aarch64-results.txt, lines "name passed failed skipped seconds"; outputs: BUILD/aarch64/test-logs/.
set -u
export LC_ALL=C
host=$1
build=$host/aarch64
cd "$(dirname "$0")/.." || exit 1
mkdir -p "$build"
build=$(cd "$build" && pwd)
cross=aarch64-linux-gnu
packages="gcc-$cross libc6-dev-arm64-cross qemu-user-static"
cmocka=$build/cmocka
results=$build/aarch64-results.txt
logs=$build/test-logs
whole=${SLM_WHOLE:-0}
export SLM_GOLDEN=${SLM_GOLDEN:-tests/golden} SLM_WHOLE=$whole
parallel=$(nproc 2> /dev/null || echo 2)

skip() {
    echo "test-aarch64: skipped: $1"
    echo "aarch64 0 0 1 0" > "$results"
    exit 0
}

have_tools() { command -v $cross-gcc > /dev/null && command -v qemu-aarch64-static > /dev/null && [ -d /usr/$cross/lib ]; }

install_tools() {
    local sudo=
    have_tools && return
    command -v apt-get > /dev/null || skip "needs $cross-gcc and qemu-aarch64-static, and there is no apt-get here"
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2> /dev/null || skip "please install as root: $packages"
        sudo="sudo -n"
    fi
    echo "installing: $packages"
    # shellcheck disable=SC2086 # lists of words
    { $sudo apt-get update -q && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -q --no-install-recommends $packages; } \
        > "$build/install.log" 2>&1
    have_tools || skip "these packages could not be installed ($build/install.log): $packages"
}

# cmocka for AArch64, unpacked into the build folder: the system's own list of architectures and packages stays as it is.
fetch_cmocka() {
    local apt=$build/apt
    ls "$cmocka"/usr/lib/$cross/libcmocka.so > /dev/null 2>&1 && return
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$cmocka"
    local options=(-q -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache"
        -o Dir::State::status=/dev/null)
    (cd "$apt" && apt-get "${options[@]}" update && apt-get "${options[@]}" download libcmocka-dev libcmocka0) > "$build/cmocka.log" 2>&1
    for package in "$apt"/libcmocka*_arm64.deb; do
        [ -f "$package" ] && dpkg-deb -x "$package" "$cmocka"
    done
    [ -f "$cmocka/usr/lib/$cross/libcmocka.so" ] || skip "cmocka for arm64 could not be fetched ($build/cmocka.log)"
}

qemu() { echo "timeout 900 qemu-aarch64-static -L /usr/$cross -cpu $1"; }

# ---- jobs: as many at once as there are processors; each has a log and a line in the results

# Number in cmocka's line "[  PASSED  ] 3 test(s)."
count_of() { sed -n "s/^\[ *$1 *\] \([0-9]*\) test(s).*/\1/p" "$2" | awk '{ n += $1 } END { print n + 0 }'; }

# job NAME COMMAND...: the output has cmocka's lines, or "ok ..." and "not ok ..."
job() {
    local name=$1 log=$logs/${1//\//_}.log passed failed code start=$SECONDS verdict=ok
    shift
    "$@" > "$log" 2>&1 < /dev/null
    code=$?
    passed=$(($(count_of PASSED "$log") + $(grep -c '^ok ' "$log")))
    failed=$(($(count_of FAILED "$log") + $(grep -c '^not ok ' "$log")))
    if [ "$code" -ne 0 ] && [ "$failed" -eq 0 ]; then
        echo "not ok: exit code $code" >> "$log"
        failed=1
    fi
    [ "$failed" -eq 0 ] || verdict=FAIL
    echo "aarch64/$name $passed $failed 0 $((SECONDS - start))" >> "$results"
    {
        printf '%-4s %-38s %4d passed  %d s\n' $verdict "$name" "$passed" $((SECONDS - start))
        grep -hE '^(checking|[0-9]+ runs equal|bits of)' "$log" | sed 's/^/     /'
        [ $verdict = ok ] || { grep '^not ok' "$log"; tail -20 "$log"; } | sed 's/^/     | /'
    } > "$log.summary"
    cat "$log.summary"
}

start() {
    while [ "$(jobs -rp | wc -l)" -ge "$parallel" ]; do
        wait -n
    done
    job "$@" &
}

# ---- what is run

# Only the folder of a tier holds its instructions, and each processor is given its own tier.
tiers() {
    local object cpu tier out pattern
    while read -r object; do
        case $object in
        */neon_i8mm/*) continue ;;
        */neon_dotprod/*) pattern='\tsmmla\t' ;;
        *) pattern='\t(smmla|sdot|udot)\t' ;;
        esac
        $cross-objdump -d --no-show-raw-insn "$object" | grep -m 3 -P "$pattern" && echo "not ok $object has instructions of a higher tier"
    done < <(find "$build/obj/src" "$build/obj/kernels" -name '*.o')
    while read -r cpu tier; do
        out=$($(qemu "$cpu") "$build/tests/kernels/check_cpu_isa" 2>&1)
        if [[ $out == *"best tier $tier,"* ]]; then
            echo "ok best tier of $cpu: $tier"
        else
            echo "not ok best tier of $cpu: not $tier but $(grep 'best tier' <<< "$out")"
        fi
    done <<< $'cortex-a53 neon\nneoverse-n1 neon_dotprod\nmax neon_i8mm'
}

# Whole models: every way of computing gives the bits of scalar code, and those are the bits of this machine.
ways() {
    local here there
    "$host/tests/api/test_determinism" > "$logs/ways_here" 2>&1 || return 1
    $(qemu max) "$build/tests/api/test_determinism" > "$logs/ways_there" 2>&1
    local code=$?
    cat "$logs/ways_there"
    here=$(grep '^bits of' "$logs/ways_here")
    there=$(grep '^bits of' "$logs/ways_there")
    if [ -n "$here" ] && [ "$here" = "$there" ]; then
        echo "ok the bits of $(uname -m)"
    else
        printf 'not ok: other bits than on %s:\n%s\n' "$(uname -m)" "$here"
    fi
    return $code
}

named() { for source in "$@"; do echo "${source#tests/}"; done | sed 's/\.c$//'; }
programs() { for name in "$@"; do echo "$build/tests/$name"; done; }

[ "$(uname -m)" = x86_64 ] || skip "it compares AArch64 with x86-64, and this machine is $(uname -m)"
install_tools
fetch_cmocka
kernels=$(named tests/kernels/check_*.c | grep -v check_cpu_isa)
if [ -n "${SLM_TESTS:-}" ]; then
    everywhere=$(named tests/kernels/check_*.c tests/unit/test_*.c tests/api/test_*.c | grep -E "$SLM_TESTS") once=
elif [ "$whole" = 1 ]; then
    everywhere="$(grep -v poly_math <<< "$kernels") api/test_models"
    once="kernels/check_poly_math unit/test_grammar_match api/test_threads api/test_score api/test_embeddings api/test_vision"
else
    everywhere=$(grep -v poly_math <<< "$kernels") once= # no tier has a part in poly_math
    export SLM_WAYS=${SLM_WAYS:-2}
fi
rm -rf "$logs"
mkdir -p "$logs"
: > "$results"
# shellcheck disable=SC2046,SC2086 # lists of words
PKG_CONFIG_LIBDIR=$build/none ${MAKE:-make} --no-print-directory BUILD="$build" CC=$cross-gcc AR=$cross-ar HOSTCC=cc PNG= JPEG= \
    CFLAGS="-I$cmocka/usr/include" LDFLAGS="-L$cmocka/usr/lib/$cross -Wl,-rpath,$cmocka/usr/lib/$cross" \
    "$build/slm" $(programs kernels/check_cpu_isa api/test_determinism $everywhere $once | sort -u) || exit 1
if [ -z "${SLM_TESTS:-}" ]; then
    start ways ways
    start machines tests/compare_machines.sh "$host/slm" "$(qemu cortex-a53) $build/slm" "$(qemu neoverse-n1) $build/slm" \
        "$(qemu max) $build/slm"
    start tiers tiers
fi
for name in $once; do
    # shellcheck disable=SC2046 # a list of words
    start "max/$name" $(qemu max) "$build/tests/$name"
done
for cpu in cortex-a53 neoverse-n1 max; do
    for name in $everywhere; do
        # shellcheck disable=SC2046 # a list of words
        start "$cpu/$name" $(qemu $cpu) "$build/tests/$name"
    done
done
wait
awk '{ p += $2; f += $3 } END { printf "%d passed, %d failed\n", p, f; exit f > 0 || p == 0 }' "$results"

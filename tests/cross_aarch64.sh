#!/bin/bash
# SPDX-License-Identifier: MIT
# The library and its tests compiled for AArch64 and run by qemu as three processors, so that each tier of NEON kernels is chosen and run:
# cortex-a53 has plain NEON, neoverse-n1 the dot product too, max also the 8-bit matrix multiply. Uses Debian's or Ubuntu's cross compiler.
#
#   cross_aarch64.sh BUILD    the build goes to BUILD/aarch64
#
# Environment: SLM_GOLDEN (folder of golden files), SLM_TESTS (only tests whose name matches this extended regular expression).
set -u
export LC_ALL=C
build=$1/aarch64
cd "$(dirname "$0")/.." || exit 1
mkdir -p "$build"
build=$(cd "$build" && pwd)
cross=aarch64-linux-gnu
packages="gcc-$cross libc6-dev-arm64-cross qemu-user-static"
cmocka=$build/cmocka
export SLM_GOLDEN=${SLM_GOLDEN:-tests/golden}
pattern=${SLM_TESTS:-kernels/|unit/test_grammar_match|api/test_determinism|api/test_models|api/test_threads}

skip() {
    echo "test-aarch64: skipped: $1"
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

# Number in cmocka's line "[  PASSED  ] 3 test(s)."
count_of() { sed -n "s/^\[ *$1 *\] \([0-9]*\) test(s).*/\1/p" "$2" | awk '{ n += $1 } END { print n + 0 }'; }

passed=0
failed=0
run_one() {
    local cpu=$1 name=$2 log code seconds
    log=$build/test-logs/$cpu-${name/\//_}.log
    mkdir -p "${log%/*}"
    seconds=$SECONDS
    timeout 1800 qemu-aarch64-static -L /usr/$cross -cpu "$cpu" "$build/tests/$name" > "$log" 2>&1 < /dev/null
    code=$?
    if [ "$code" -eq 0 ]; then
        passed=$((passed + $(count_of PASSED "$log")))
        printf 'ok   %-12s %-28s %4d passed  %d s\n' "$cpu" "$name" "$(count_of PASSED "$log")" $((SECONDS - seconds))
    else
        failed=$((failed + 1))
        printf 'FAIL %-12s %-28s (exit code %d)\n' "$cpu" "$name" "$code"
        tail -30 "$log" | sed 's/^/     | /'
    fi
    grep -hE '^(checking|[0-9]+ runs equal)|best tier' "$log" | sed 's/^,* */     /'
}

# The tier that the library chooses by itself on this processor must be the one it has.
run_cpu() {
    local cpu=$1 tier=$2 name log
    for name in $names; do
        [ "$cpu" != max ] && [ "$name" = kernels/check_poly_math ] && continue # no tier has a part in it: once is enough
        run_one "$cpu" "$name"
    done
    log=$build/test-logs/$cpu-kernels_check_cpu_isa.log
    if [ -f "$log" ] && ! grep -q "best tier $tier," "$log"; then
        echo "FAIL $cpu: the best tier is not $tier"
        failed=$((failed + 1))
    fi
}

# Only the folder of a tier holds its instructions.
check_isa() {
    local object
    while read -r object; do
        case $object in
        */neon_i8mm/*) continue ;;
        */neon_dotprod/*) $cross-objdump -d --no-show-raw-insn "$object" | grep -m 3 -P '\tsmmla\t' ;;
        *) $cross-objdump -d --no-show-raw-insn "$object" | grep -m 3 -P '\t(smmla|sdot|udot)\t' ;;
        esac && { echo "FAIL $object holds these instructions of a higher tier"; failed=$((failed + 1)); }
    done < <(find "$build/obj/src" "$build/obj/kernels" -name '*.o')
}

# The program of this machine and that of AArch64 write the same bytes: a converted file, and the logits of a prompt.
compare_machines() {
    local type file model=$SLM_GOLDEN/models/qwen3 out=$build/machines
    if [ ! -d "$model" ]; then
        echo "     no $model: machines are not compared"
        return
    fi
    local -a here=("$build/host/slm") there=(qemu-aarch64-static -L /usr/$cross -cpu max "$build/slm")
    mkdir -p "$out"
    for type in i4 i8 f16; do
        for file in here there; do
            local -n program=$file
            { "${program[@]}" convert "$model" -o "$out/$file-$type.slm" --type $type &&
                "${program[@]}" logits -m "$out/$file-$type.slm" --ids "$model/golden.safetensors" -o "$out/$file-$type.out"; } \
                > "$out/$file.log" 2>&1 || { tail -3 "$out/$file.log"; failed=$((failed + 1)); return; }
        done
        for file in slm out; do
            if cmp "$out/here-$type.$file" "$out/there-$type.$file"; then
                passed=$((passed + 1))
            else
                failed=$((failed + 1))
            fi
        done
        echo "ok   both machines: $type file $(cksum < "$out/there-$type.slm"), logits $(cksum < "$out/there-$type.out")"
    done
}

install_tools
fetch_cmocka
names=$(for source in tests/kernels/check_*.c tests/unit/test_*.c tests/api/test_*.c; do echo "${source#tests/}"; done |
    sed 's/\.c$//' | grep -E "$pattern")
targets=$(for name in $names; do echo "$build/tests/$name"; done)
rm -rf "$build/test-logs"
# shellcheck disable=SC2086 # lists of words
PKG_CONFIG_LIBDIR=$build/none ${MAKE:-make} --no-print-directory BUILD="$build" CC=$cross-gcc AR=$cross-ar HOSTCC=cc PNG= JPEG= \
    CFLAGS="-I$cmocka/usr/include" LDFLAGS="-L$cmocka/usr/lib/$cross -Wl,-rpath,$cmocka/usr/lib/$cross" "$build/slm" $targets || exit 1
${MAKE:-make} --no-print-directory BUILD="$build/host" "$build/host/slm" || exit 1
check_isa
compare_machines
run_cpu cortex-a53 neon
run_cpu neoverse-n1 neon_dotprod
run_cpu max neon_i8mm
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]

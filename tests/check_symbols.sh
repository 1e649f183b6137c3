#!/bin/bash
# SPDX-License-Identifier: MIT
# The library's face and its manners: exported symbols and struct layouts are pinned in tests/abi/, internal names begin with slm__, nothing
# writes to streams, ends the process, follows the locale or holds writable globals.
#
#   check_symbols.sh BUILD           compare
#   check_symbols.sh BUILD --write   write tests/abi/ anew, when the interface was meant to change
set -u
export LC_ALL=C
build=$1
write=${2:-}
cd "$(dirname "$0")/.." || exit 1
if ! command -v nm > /dev/null; then
    echo "check_symbols: nm is not installed (make deps)"
    exit 77
fi
scratch=$build/abi
mkdir -p "$scratch"
bad=0
complain() {
    echo "check_symbols: $*"
    bad=1
}

# compare NAME: $scratch/NAME with tests/abi/NAME
compare() {
    if [ "$write" = --write ]; then
        mkdir -p tests/abi && cp "$scratch/$1" "tests/abi/$1"
    elif ! diff -u "tests/abi/$1" "$scratch/$1"; then
        complain "tests/abi/$1 differs (above). If this is meant: tests/check_symbols.sh $build --write"
    fi
}

# 1. The shared library exports exactly the pinned list, and this is what slm.h declares.
nm -D --defined-only "$build/libslm.so" | awk '$3 !~ /^(_init|_fini|__bss_start|_edata|_end)$/ { print $3 }' | sort > "$scratch/symbols.txt"
compare symbols.txt
cat include/*.h | tr '\n' ' ' | grep -oE 'SLM_API [^;{]*;' | grep -oE '\bslm_[a-z0-9_]+\(' | tr -d '(' | sort > "$scratch/declared.txt"
diff "$scratch/declared.txt" "$scratch/symbols.txt" > "$scratch/declared.diff" ||
    complain "slm.h declares (<) or the library exports (>) more:" "$(grep '^[<>]' "$scratch/declared.diff" | tr '\n' ' ')"

# 2. Struct layouts, printed by a program made from slm.h: size, and offset of each member.
awk '
/^typedef struct slm_[a-z0-9_]+ \{/ { name = $3; members = ""; next }
name != "" && /^\}/ { print name, members; name = "" }
name != "" && /;/ { sub(/\[.*/, ";"); sub(/;.*/, ""); gsub(/.*[ *]/, ""); members = members " " $0 }
' include/slm.h include/slm_*.h > "$scratch/structs.list"
{
    echo '#include <slm.h>'
    echo '#include <stddef.h>'
    echo '#include <stdio.h>'
    echo 'int main(void) {'
    while read -r name members; do
        echo "printf(\"$name %zu:\", sizeof($name));"
        for member in $members; do
            echo "printf(\" $member@%zu\", offsetof($name, $member));"
        done
        echo 'printf("\n");'
    done < "$scratch/structs.list"
    echo 'return 0; }'
} > "$scratch/print_structs.c"
if ${CC:-cc} -std=c11 -Iinclude "$scratch/print_structs.c" -o "$scratch/print_structs"; then
    "$scratch/print_structs" > "$scratch/structs.txt"
    compare structs.txt
else
    complain "the program that prints struct layouts does not compile"
fi

# 3. Names: the static library defines slm_ and slm__ symbols only.
nm -A --defined-only -g "$build/libslm.a" 2> /dev/null | awk '$NF !~ /^slm_/ && NF >= 3 { print; bad = 1 } END { exit bad }' ||
    complain "global names (above) must begin with slm_ or slm__"

# 4. Manners: calls that no object may make; memory, threads and OpenMP only where they belong.
nm -A -u "$build/libslm.a" 2> /dev/null | awk '
{
    object = $1
    sub(/^[^:]*:/, "", object)
    sub(/:.*/, "", object)
    name = $NF
    sub(/@.*/, "", name)
    sub(/^__isoc99_/, "", name)
}
name ~ /^(abort|_?exit|_Exit|__assert_fail|raise|signal|kill|system|sleep|usleep|rand|srand|qsort)$/ ||
name ~ /^_*v?f?printf(_chk)?$/ || name ~ /^(puts|putchar|putc|fputs|fputc|fwrite|perror|stdout|stderr|stdin|fopen|scanf|sscanf|fscanf)$/ ||
name ~ /^(strto[a-z]+|ato[a-z]+|setlocale|localeconv|getenv|secure_getenv|setenv|isalpha|isdigit|isspace|tolower|toupper|__ctype_.*)$/ ||
name ~ /^(exp|exp2|expm1|log|log2|log10|log1p|pow|sin|cos|tan|sincos|tanh|sinh|cosh|atan|atan2|erf|erfc|cbrt|hypot)[fl]?$/ {
    print object ": uses " name; bad = 1
}
name ~ /^(malloc|calloc|realloc|free|aligned_alloc|posix_memalign|strdup|strndup|alloca)$/ && object != "memory.o" {
    print object ": uses " name "; only memory.c may"; bad = 1
}
name ~ /^(pthread_|sched_)/ && object != "thread_posix.o" { print object ": uses " name "; only thread_posix.c may"; bad = 1 }
name ~ /^(omp_|GOMP_|__kmpc_)/ && object != "parallel.o" { print object ": uses " name "; only parallel.c may"; bad = 1 }
END { exit bad }' || complain "the library must not make the calls above"

# 5. No writable globals: .data, .bss and thread-local sections are empty (.data.rel.ro holds constant tables of pointers).
objdump -h "$build/libslm.a" | awk '
/^[^ ]+:  *file format/ { object = $1 }
$2 ~ /^\.(data|bss|tdata|tbss)/ && $2 !~ /^\.data\.rel\.ro/ && $3 !~ /^0+$/ { print object " section " $2 " has 0x" $3 " bytes"; bad = 1 }
END { exit bad }' || complain "the library must hold no writable globals"
exit $bad

# SPDX-License-Identifier: MIT
# Writes one C file from sources: awk -v parts="SLM_WITH_CHAT 1" -v headers="include/slm.h" -f src/amalgamate.awk FILE.c... > slm.c
#
# Project headers are inserted once, where they are first needed. Names that a file keeps to itself (static functions and variables,
# enum constants, struct tags, types, macros) get the file's name in front where another file or a header uses the same name. The sources
# have the form that .clang-format gives them: what is declared at file level begins in the first column.

function stem(path) {
    sub(/.*\//, "", path)
    sub(/\.[ch]$/, "", path)
    return path
}

# Where an include of the sources lies; "" for system headers.
function resolve(line) {
    if (line !~ /^#[ ]*include[ ]*["<]/) return ""
    sub(/^#[ ]*include[ ]*/, "", line)
    if (line ~ /^<slm\.h>/) return "include/slm.h"
    if (line !~ /^"/) return ""
    sub(/^"/, "", line)
    sub(/".*/, "", line)
    return line ~ /^kernels\// ? line : "src/" line
}

function add_name(path, name) {
    if (name !~ /^[A-Za-z_][A-Za-z0-9_]*$/ || (path, name) in local_names || name in public_names) return
    local_names[path, name] = 1
    users[name]++
}

# The line without strings, characters and comments; `in_comment` carries over.
function code_of(line,   out) {
    out = ""
    while (line != "") {
        if (in_comment) {
            if (!match(line, /\*\//)) return out
            line = substr(line, RSTART + 2)
            in_comment = 0
        } else if (match(line, /"([^"\\]|\\.)*"|'([^'\\]|\\.)*'|\/\*|\/\//)) {
            out = out substr(line, 1, RSTART - 1) " "
            if (substr(line, RSTART, 2) == "//") return out
            in_comment = substr(line, RSTART, 2) == "/*"
            line = substr(line, RSTART + RLENGTH)
        } else {
            return out line
        }
    }
    return out
}

# Constants of an enum's body, as far as this line has them.
function scan_constants(path, text,   parts, n, i) {
    sub(/^.*\{/, "", text)
    sub(/\}.*/, "", text)
    n = split(text, parts, ",")
    for (i = 1; i <= n; i++) {
        sub(/=.*/, "", parts[i])
        gsub(/[ \t]/, "", parts[i])
        add_name(path, parts[i])
    }
}

# Names declared by a line in the first column.
function scan_declaration(path, text,   name) {
    if (text ~ /^(struct|union|enum) [A-Za-z0-9_]+ \{/) {
        name = text
        sub(/^[a-z]+ /, "", name)
        sub(/ .*/, "", name)
        add_name(path, name)
    }
    if (text ~ /^enum/) scan_constants(path, text)
    if (text ~ /^typedef/ || text ~ /(^|[ )])static /) {
        name = text
        gsub(/__attribute__\(\([a-z_, ()]*\)\)/, "", name)
        gsub(/_Alignas\([0-9]+\)/, "", name)
        sub(/[ ]*[=;\[{].*/, "", name)
        if (name ~ /\(\*/) {
            sub(/.*\(\*(const )?/, "", name)
            sub(/\).*/, "", name)
        } else {
            sub(/\(.*/, "", name)
        }
        sub(/.*[ *]/, "", name)
        add_name(path, name)
    }
}

# First pass: which names are local to which file; headers count as users of their names.
function scan(path,   line, text, enum_open, target) {
    if (path in scanned) return
    scanned[path] = 1
    in_comment = 0
    enum_open = 0
    while ((getline line < path) > 0) {
        target = resolve(line)
        if (target != "" && path ~ /\.c$/ && target in scanned == 0) pending[++pending_count] = target
        if (target != "" && path ~ /\.h$/) pending[++pending_count] = target
        if (!in_comment && line ~ /^#[ ]*define [A-Za-z_]/) {
            text = line
            sub(/^#[ ]*define /, "", text)
            sub(/[^A-Za-z0-9_].*/, "", text)
            if (text !~ /^_/) {
                add_name(path, text)
                macros[path] = macros[path] " " text
            }
        }
        text = code_of(line)
        if (text ~ /^[a-zA-Z_]/) {
            scan_declaration(path, text)
            enum_open = text ~ /^enum[^;(]*\{[^}]*$/
        } else if (text ~ /^\}/) {
            enum_open = 0
        } else if (enum_open) {
            scan_constants(path, text)
        }
    }
    close(path)
}

# Members that the file's own structs declare: after . and -> only these are renamed.
function scan_members(path,   line, text, open, name) {
    in_comment = 0
    open = 0
    split("", members)
    while ((getline line < path) > 0) {
        text = code_of(line)
        if (text ~ /^(static const )?(struct|union)[^;(]*\{[^}]*$/) open = 1
        else if (text ~ /^\}/) open = 0
        else if (open && text ~ /;/) {
            name = text
            sub(/[ ]*[\[;:].*/, "", name)
            sub(/.*[ *]/, "", name)
            members[name] = 1
        }
    }
    close(path)
}

function rename(path, name, before) {
    if (!((path, name) in local_names) || users[name] < 2) return name
    if (before ~ /(\.|->)$/ && before !~ /\.\.\.$/ && !(name in members)) return name
    return stem(path) "__" name
}

# A line with its local names replaced, strings and comments untouched.
function rewrite(path, line,   out) {
    out = ""
    while (line != "") {
        if (in_comment) {
            if (!match(line, /\*\//)) return out line
            out = out substr(line, 1, RSTART + 1)
            line = substr(line, RSTART + 2)
            in_comment = 0
        } else if (match(line, /"([^"\\]|\\.)*"|'([^'\\]|\\.)*'|\/\*|\/\/|[A-Za-z_0-9][A-Za-z0-9_.]*/)) {
            out = out substr(line, 1, RSTART - 1)
            token = substr(line, RSTART, RLENGTH)
            line = substr(line, RSTART + RLENGTH)
            if (token == "//") return out token line
            if (token == "/*") in_comment = 1
            if (token ~ /^[A-Za-z_]/) {
                rest = ""
                if (match(token, /\./)) { # a.b: only the first name, the rest again
                    rest = substr(token, RSTART)
                    token = substr(token, 1, RSTART - 1)
                }
                line = rest line
                token = rename(path, token, out)
            }
            out = out token
        } else {
            return out line
        }
    }
    return out
}

# Headers as they are, once each.
function insert(path,   line, target) {
    if (path in inserted) return
    inserted[path] = 1
    if (path == "include/slm.h") {
        print "#include \"slm.h\""
        return
    }
    print "\n/* ---- " path " ---- */"
    while ((getline line < path) > 0) {
        target = resolve(line)
        if (target != "") insert(target)
        else if (line !~ /SPDX-License/) print line
    }
    close(path)
}

function emit(path,   line, target, n, i, list) {
    scan_members(path)
    n = 0
    while ((getline line < path) > 0) {
        list[++n] = line
        target = resolve(line)
        if (target != "") insert(target)
    }
    close(path)
    print "\n/* ==== " path " ==== */"
    in_comment = 0
    for (i = 1; i <= n; i++) {
        if (resolve(list[i]) != "" || list[i] ~ /SPDX-License/ || list[i] ~ /^#[ ]*define _(GNU_SOURCE|FILE_OFFSET_BITS)/) continue
        print list[i] ~ /^#[ ]*include/ ? list[i] : rewrite(path, list[i])
    }
    n = split(macros[path], list, " ")
    for (i = 1; i <= n; i++) print "#undef " rename(path, list[i], "")
}

BEGIN {
    for (i = 1; i < ARGC; i++) pending[++pending_count] = ARGV[i]
    header_count = split(headers, public_headers, " ")
    for (i = 1; i <= header_count; i++) {
        while ((getline line < public_headers[i]) > 0) { # handles keep their names, wherever their struct is
            if (line ~ /^typedef struct [a-z_]+ [a-z_]+;/) public_names[substr(line, 16, match(substr(line, 16), / /) - 1)] = 1
        }
        close(public_headers[i])
    }
    for (i = 1; i <= pending_count; i++) scan(pending[i])
    print "/* SPDX-License-Identifier: MIT */"
    print "/* libslm in one file, made by src/amalgamate.awk. Compile with -std=c11 -O2 -ffp-contract=off; link with -lm -pthread."
    print " * With OpenMP: -fopenmp -DSLM_THREADS_OPENMP. Faster kernels: compile kernels/<tier>/ of the sources beside it and"
    print " * define SLM_HAVE_<TIER>. */"
    print "#ifdef __clang__ /* small functions of headers, not all of them used */"
    print "#  pragma clang diagnostic ignored \"-Wunused-function\""
    print "#elif defined(__GNUC__) /* guessed wrong across functions that it only sees together here */"
    print "#  pragma GCC diagnostic ignored \"-Wmaybe-uninitialized\""
    print "#  pragma GCC diagnostic ignored \"-Wformat-truncation\"\n#endif"
    print "#define _GNU_SOURCE"
    print "#define _FILE_OFFSET_BITS 64"
    n = split(parts, list, " ")
    for (i = 1; i < n; i += 2) print "#ifndef " list[i] "\n#  define " list[i] " " list[i + 1] "\n#endif"
    for (i = 1; i < ARGC; i++) emit(ARGV[i])
}

# Files of at most 500 lines (tests, with their tables of cases: 1000), functions of at most 60 (from '{' to '}' in column 1, as clang-format
# puts them); exceptions stand in tests/check/size.txt, the first file.

function judge(kind, what, lines, limit,    allowed) {
    allowed = limit
    if ((kind, what) in exception) {
        allowed = exception[kind, what]
        delete unused[kind " " what]
        if (lines < allowed) {
            printf "tests/check/size.txt: %s has %d lines now, the list says %d\n", what, lines, allowed
            bad = 1
        }
    }
    if (lines > allowed) {
        printf "%s: %d lines, limit %d for a %s\n", what, lines, allowed, kind
        bad = 1
    }
}

function file_end() {
    if (name_of_file)
        judge("file", name_of_file, lines_of_file, name_of_file ~ /^tests\// ? 1000 : 500)
}

FNR == NR && !/^#/ && NF {
    exception[$1, $3] = $2
    unused[$1 " " $3] = 1
}
FNR == NR { next }

FNR == 1 { file_end(); name_of_file = FILENAME; name = "" }
{ lines_of_file = FNR }
/^[A-Za-z_].*[A-Za-z_0-9]\(/ {
    name = $0
    sub(/\(.*/, "", name)
    sub(/.*[ *]/, "", name)
}
/^\{/ { start = FNR }
/^\}/ && start { judge("function", FILENAME ":" name, FNR - start + 1, 60); start = 0 }

END {
    file_end()
    for (row in unused) {
        print "tests/check/size.txt: '" row "' is not needed any more"
        bad = 1
    }
    exit bad
}

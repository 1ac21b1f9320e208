#!/bin/sh
# Every name that an object exports starts with its file's name (file = module = prefix), except
# what tests/check/names.txt lists. Usage: names.sh OBJECT_FOLDER
set -eu
find "$1/src" "$1/otlp" -name '*.o' 2>/dev/null | sort | while read -r object; do
    nm -g --defined-only "$object" | awk -v file="${object#"$1"/}" '
        $2 ~ /[A-Z]/ { sub(/\.o$/, ".c", file); print "name", file, $3 }'
done | awk '
    FNR == NR && !/^#/ && NF { prefix[$1] = prefix[$1] " " $2; unused[$1 " " $2] = 1 }
    FNR == NR { next }
    {
        stem = $2; sub(/.*\//, "", stem); sub(/\.c$/, "", stem)
        # Rooms of one family (json_read, json_write) may share its name as their prefix.
        family = stem; sub(/_.*/, "", family)
        # otlp/ and genai/ have one prefix for all their rooms: callers see one library.
        fine = index($3, stem "_") == 1 || index($3, family "_") == 1 || $3 == stem || $3 == "main" ||
               ($2 ~ /^otlp\// && index($3, "otlp_") == 1) ||
               ($2 ~ /^src\/genai\// && index($3, "genai_") == 1) || $3 ~ /^(__asan|__odr_asan|__tsan|__gcov)/
        count = split(prefix[$2], other, " ")
        for (i = 1; i <= count; i++)
            if (index($3, other[i]) == 1) { fine = 1; delete unused[$2 " " other[i]] }
        if (!fine) { print $2 ": exports " $3 ", want " stem "_…"; bad = 1 }
        seen[$2] = 1
    }
    END {
        for (row in unused) {
            split(row, word, " ")
            if (seen[word[1]]) { print "tests/check/names.txt: \"" row "\" is not needed any more"; bad = 1 }
        }
        exit bad
    }' tests/check/names.txt -

#!/bin/sh
# Lines of our own that no test ran, per file, from a VARIANT=coverage build. Usage: coverage.sh build/coverage
# The full list goes to build/coverage/uncovered.txt as file:line: text.
set -eu
top=$PWD out=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: >"$out/uncovered.txt"
find "$out/obj/src" "$out/obj/otlp" -name '*.gcno' | sort | while read -r notes; do
    source=${notes#"$out"/obj/}
    source=${source%.gcno}.c
    (cd "$work" && gcov -t "$top/$notes" -s "$top" 2>/dev/null) | awk -v source="$source" -v list="$out/uncovered.txt" '
        / 0:Source:/ { split($0, part, "Source:"); mine = part[2] == source || part[2] ~ "/" source "$" }
        mine && /^ *#####:/ {
            split($0, part, ":"); gsub(/ /, "", part[2])
            text = $0; sub(/^ *#####: *[0-9]+:/, "", text)
            print source ":" part[2] ": " text >> list; missed++
        }
        mine && /^ *[0-9]+\*?:/ { run++ }
        END { if (run + missed) printf "%5.1f%% %5d of %5d lines not run  %s\n", 100 * run / (run + missed), missed, run + missed, source }'
done | sort -n
awk 'END { print NR " lines in all: '"$out"'/uncovered.txt" }' "$out/uncovered.txt"

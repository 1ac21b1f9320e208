#!/bin/sh
# Documents against the program: the table of settings, flags and variables that are named, links to
# files, the API description. Usage: docs.sh PRINT_SETTINGS   (the program of print_settings.c)
set -u
print=$1
bad=0
say() { echo "$1"; bad=1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
docs=$(ls README.md CHANGELOG.md docs/*.md tests/README.md otlp/README.md schema/README.md 2>/dev/null)

# 1. The table, between its markers.
"$print" >"$work/want"
sed -n '/<!-- settings -->/,/<!-- end of settings -->/p' docs/configuration.md | sed '1d;$d' >"$work/have"
if ! cmp -s "$work/want" "$work/have"; then
    say "docs/configuration.md: the table differs from cfg.def; 'make docs' writes it anew"
    diff "$work/have" "$work/want" | head -n 20
fi

# 2. Flags and variables named in documents exist. Words in backticks or behind "spanledger" count;
# tests/check/flags.txt lists those of commands and of other programs.
"$print" help | sed -n 's/^  \(--[a-z-]*\).*/\1/p' >"$work/flags"
sed -n 's/^\(--[a-zA-Z-]*\).*/\1/p' tests/check/flags.txt >>"$work/flags"
sed 's/^--/SPANLEDGER_/; y/abcdefghijklmnopqrstuvwxyz-/ABCDEFGHIJKLMNOPQRSTUVWXYZ_/' "$work/flags" >"$work/variables"
# shellcheck disable=SC2086 # a list of files
grep -Hon -e '[`( ]--[a-z][a-z-]*[a-z]' -e 'SPANLEDGER_[A-Z_]*[A-Z]' $docs |
    sed 's/[`( ]--/--/' | while IFS=: read -r file line word; do
    case $word in
    --*) grep -qx -e "$word" "$work/flags" ;;
    *) grep -qx -e "$word" "$work/variables" || grep -q "^$word " tests/check/flags.txt ;;
    esac || echo "$file:$line: $word is no flag or variable"
done >"$work/unknown"
[ ! -s "$work/unknown" ] || { cat "$work/unknown"; bad=1; }

# 3. Relative links lead somewhere.
# shellcheck disable=SC2086
grep -Hon ']([^):# ]*[)#]' $docs | sed 's/\](//; s/[)#]$//' | while IFS=: read -r file line target; do
    [ -z "$target" ] || [ -e "$(dirname "$file")/$target" ] || echo "$file:$line: no file $target"
done >"$work/links"
[ ! -s "$work/links" ] || { cat "$work/links"; bad=1; }

# 4. What the server serves as its description is there, and make targets in documents exist.
[ -s docs/openapi.yaml ] || say "docs/openapi.yaml is missing; the server serves it"
# shellcheck disable=SC2086
grep -oh '`make [a-z-]*[a-z][` ]' $docs | sed 's/`make //; s/[` ]$//' | sort -u | while read -r target; do
    grep -q "^\($target\|[a-z -]* $target\)\( [a-z -]*\)\?:" Makefile || echo "documents name 'make $target', Makefile has none"
done >"$work/targets"
[ ! -s "$work/targets" ] || { cat "$work/targets"; bad=1; }
exit $bad

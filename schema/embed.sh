#!/bin/sh
# Turns files into C at build. Run from the top of the tree; writes to standard output.
#   migrations      schema/NNN_name.sql  -> the array of store/migrate.h
#   queries         schema/query/*.sql   -> const char sql_NAME[], and all in query_texts[] (for tests)
#   queries-header  their declarations
#   assets          docs/openapi.yaml, src/ledger/{list,overlay}.txt -> const char asset_NAME[] and its length
set -eu

# Lists of columns stand once, in schema/query/NAME.txt: a line `--@columns NAME` stands for them.
expand() {
    awk '/^--@columns / { file = "schema/query/" $2 ".txt"; while ((got = (getline line < file)) > 0) print line
            if (got < 0) { print file ": cannot be read" > "/dev/stderr"; exit 1 }
            close(file); next }
        { print }' "$1"
}

literal() { # the file as C string literals, a line each
    expand "$1" | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/    "/' -e 's/$/\\n"/'
}

asset() { # NAME FILE
    printf 'extern const char asset_%s[];\nextern const size_t asset_%s_bytes;\nconst char asset_%s[] =\n' "$1" "$1" "$1"
    if [ -e "$2" ]; then literal "$2"; else echo '    ""'; fi
    printf '    ;\nconst size_t asset_%s_bytes = sizeof(asset_%s) - 1;\n' "$1" "$1"
}

name_of() { basename "$1" .sql; }

case "$1" in
migrations)
    echo '#include "store/migrate.h"'
    echo 'const struct migration migrations[] = {'
    for file in schema/[0-9][0-9][0-9]_*.sql; do
        base=$(name_of "$file")
        number=$(echo "${base%%_*}" | sed 's/^0*//')
        printf '    {%s, "%s",\n' "$number" "$base"
        literal "$file"
        echo '    },'
    done
    printf '    {0, (void *)0, (void *)0},\n};\n'
    ;;
queries)
    echo '#include "queries.h"'
    for file in schema/query/*.sql; do
        [ -e "$file" ] || continue
        printf 'const char sql_%s[] =\n' "$(name_of "$file")"
        literal "$file"
        echo '    ;'
    done
    for list in span_columns trace_columns; do
        printf 'const char sql_%s[] =\n' $list
        literal "schema/query/$list.txt"
        echo '    ;'
    done
    echo 'const struct query_text query_texts[] = {'
    for file in schema/query/*.sql; do
        [ -e "$file" ] || continue
        printf '    {"%s", sql_%s},\n' "$(name_of "$file")" "$(name_of "$file")"
    done
    printf '    {(void *)0, (void *)0},\n};\n'
    ;;
queries-header)
    printf '#ifndef QUERIES_H\n#define QUERIES_H\n'
    echo 'struct query_text { const char *name; const char *sql; };'
    echo 'extern const struct query_text query_texts[]; /* all of them, ended by NULL */'
    echo '/* schema/query/NAME.txt: the columns that COPY writes, in that order */'
    echo 'extern const char sql_span_columns[];'
    echo 'extern const char sql_trace_columns[];'
    for file in schema/query/*.sql; do
        [ -e "$file" ] || continue
        printf 'extern const char sql_%s[];\n' "$(name_of "$file")"
    done
    echo '#endif'
    ;;
assets)
    echo '#include <stddef.h>'
    asset openapi_yaml docs/openapi.yaml
    asset price_list src/ledger/list.txt
    asset price_overlay src/ledger/overlay.txt
    ;;
*)
    echo "schema/embed.sh: '$1' is none of migrations, queries, queries-header, assets" >&2
    exit 2
    ;;
esac

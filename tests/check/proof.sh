#!/bin/sh
# Proves that the checks catch what they are for: plants one violation of each rule in a copy of the
# tree and wants the check to name it. Usage: proof.sh   (from the top of the tree)
set -u
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
passed=0 failed=0

fresh() { # the tree as it is, without what is built
    rm -rf "$copy/t"
    mkdir "$copy/t"
    tar -cf - --exclude=./build --exclude=./data --exclude=./.git --exclude=./tests/data --exclude=./tests/corpus . | tar -xf - -C "$copy/t"
}

# caught TARGET PATTERN: the check fails and its text holds PATTERN
caught() {
    if output=$(cd "$copy/t" && env -u MAKEFLAGS -u MAKELEVEL make -s "$1" 2>&1); then
        echo "FAIL $1 does not see: $2"
        failed=$((failed + 1))
    elif ! echo "$output" | grep -q -e "$2"; then
        echo "FAIL $1 fails, but does not say: $2"
        echo "$output" | head -n 5
        failed=$((failed + 1))
    else
        echo "ok   $1: $2"
        passed=$((passed + 1))
    fi
    fresh
}
in_tree() { (cd "$copy/t" && "$@"); }

fresh
echo '#include "store/db.h"' >>"$copy/t/src/base/err.c"
caught check-layers 'src/base/err.c:.*layer base may not include "store/db.h"'
echo '#include <libpq-fe.h>' >>"$copy/t/src/model/http.c"
caught check-layers 'libpq-fe.h is for'
echo 'layer base store' >>"$copy/t/tests/layers.txt"
in_tree sed -i 's/^layer base$/layer base wire/' tests/layers.txt
caught check-layers "stands below"
printf 'int err_fine(void);\nint err_fine(void)\n{\n    return 1;\n}\nint stray(void);\nint stray(void)\n{\n    return 1;\n}\n' >>"$copy/t/src/base/err.c"
caught check-names 'src/base/err.c: exports stray'
echo 'src/base/err.c oops_ no reason' >>"$copy/t/tests/check/names.txt"
caught check-names 'not needed any more'
printf 'static void f(char *s)\n{\n    strcpy(s, "a"); /* printf( in a comment is fine */\n}\n' >>"$copy/t/src/base/err.c"
caught check-banned 'src/base/err.c:.*strcpy is banned'
printf 'static void f(void)\n{\n    printf("x");\n}\n' >>"$copy/t/src/model/http.c"
caught check-banned 'src/model/http.c:.*printf is banned'
{ printf 'static void f(void)\n{\n'; yes '    g();' | head -n 59; printf '}\n'; } >>"$copy/t/src/base/err.c"
caught check-size 'src/base/err.c:f: 61 lines, limit 60'
yes '/* x */' | head -n 500 >>"$copy/t/src/base/err.c"
caught check-size 'limit 500 for a file'
echo 'file 900 src/base/err.c because' >>"$copy/t/tests/check/size.txt"
caught check-size 'the list says 900'
echo 'int   x;' >>"$copy/t/src/base/err.c"
caught check-format 'err.c'
in_tree sed -i 's/"listen, "/&/; s/CFG_NUMBER(read_workers, 2,/CFG_NUMBER(read_workers, 3,/' include/base/cfg.def
caught check-docs 'the table differs'
echo 'Use `--no-such-flag`, see [x](nowhere.md), `make nothing`.' >>"$copy/t/README.md"
caught check-docs 'README.md:.*--no-such-flag is no flag'
echo '`SPANLEDGER_NO_SUCH`, [x](nowhere.md)' >>"$copy/t/README.md"
caught check-docs 'no file nowhere.md'
printf 'int err_leak(int a);\nint err_leak(int a)\n{\n    int b[2] = {0};\n    return b[a > 1 ? 2 : 2];\n}\n' >>"$copy/t/src/base/err.c"
caught cppcheck 'arrayIndexOutOfBounds'
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

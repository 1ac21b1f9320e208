#!/bin/sh
# Runs the fuzz targets one after the other. tests/fuzz.sh build/fuzz SECONDS [TARGET]
# New inputs stay in build/fuzz/corpus/TARGET; what crashes, hangs or takes too much memory goes to
# build/fuzz/found. Such a file, once understood, belongs into tests/corpus/TARGET for ever.
set -u
build=$1 seconds=$2 only=${3:-}
passed=0 failed=0
mkdir -p "$build/found"
for program in "$build"/tests/fuzz_*; do
    [ -x "$program" ] || continue
    target=${program##*/fuzz_}
    [ -z "$only" ] || [ "$only" = "$target" ] || continue
    mkdir -p "$build/corpus/$target"
    dictionary=tests/corpus/$target.dict
    if "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$build/found/$target-" ${FUZZ_FLAGS:-} \
        $([ -e "$dictionary" ] && echo "-dict=$dictionary") \
        "$build/corpus/$target" "tests/corpus/$target" >"$build/$target.log" 2>&1; then
        passed=$((passed + 1))
        printf 'ok   %-12s %s executions, coverage %s\n' "$target" \
            "$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$target.log")" \
            "$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$build/$target.log" | tail -n 1)"
    else
        failed=$((failed + 1))
        echo "FAIL $target: see $build/$target.log and $build/found"
        grep -m 1 -A 12 'ERROR:\|runtime error' "$build/$target.log"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]

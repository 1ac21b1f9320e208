#!/bin/sh
# Runs test programs and scripts one after the other; shows the output of those that fail, and what
# was skipped. The last line is "N passed, N failed"; the exit code says the same.
#   tests/run.sh [-v] PROGRAM…
# A cmocka program counts with its tests, a script with its own last line "N passed, N failed" or,
# when it has none, as one. A program that dies counts as one failure more.
# TEST_SECONDS (900) is the longest that one program may take.
set -u

verbose=
[ "${1:-}" = -v ] && { verbose=1; shift; }
# Everything that tests make stays below one directory that user postgres may pass through.
TMPDIR=$(mktemp -d /tmp/spanledger-test.XXXXXX) || exit 1
export TMPDIR
chmod 711 "$TMPDIR"
log=$TMPDIR/.log
trap 'rm -rf "$TMPDIR"' EXIT
trap 'exit 1' HUP INT TERM

passed=0 failed=0 skipped=0 all_failed=
for program; do
    case $program in */*) ;; *) program=./$program ;; esac
    start=$(date +%s)
    timeout -k 10 "${TEST_SECONDS:-900}" "$program" >"$log" 2>&1
    status=$?
    # Passed, failed and skipped, from cmocka's lines or from the last line of a script.
    counts=$(awk -v status="$status" '
        /^\[  PASSED  \] [0-9]+ test/ { passed += $4; cmocka = 1 }
        /^\[  SKIPPED \] [0-9]+ test/ { skipped += $4; passed -= 0; cmocka = 1 }
        /^\[  FAILED  \] [0-9]+ test/ { failed += $4; cmocka = 1 }
        /^SKIP/ { skips++ }
        { last = $0 }
        END {
            if (!cmocka && last ~ /^[0-9]+ passed, [0-9]+ failed$/) {
                split(last, word, " "); passed = word[1]; failed = word[3]
            } else if (!cmocka && status == 0)
                passed = 1
            if (status != 0 && failed == 0) failed = 1
            print passed + 0, failed + 0, skipped + skips
        }' "$log")
    read -r ok bad skip <<-END
	$counts
	END
    passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
    printf '%-4s %-32s %4d passed %3d failed  %ds\n' "$([ "$bad" -eq 0 ] && echo ok || echo FAIL)" \
        "$(basename "$program")" "$ok" "$bad" "$(($(date +%s) - start))"
    if [ "$bad" -ne 0 ]; then
        all_failed="$all_failed $(basename "$program")"
        sed 's/^/    /' "$log"
        [ "$status" -ge 124 ] && echo "    ended with status $status"
    elif [ -n "$verbose" ]; then
        sed 's/^/    /' "$log"
    else
        grep -h '^SKIP\|^\[  SKIPPED ' "$log" | sed 's/^/    /'
    fi
done

[ "$skipped" -eq 0 ] || echo "$skipped skipped"
[ -z "$all_failed" ] || echo "failed in:$all_failed"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

#!/usr/bin/env bash
# Every figure of docs/benchmarks.md, a line each: name value unit goal. Method: docs/benchmarks.md.
#
#   bench/run.sh [SCENARIO ...]      without one: all, in the order below
#
#   BENCH_MARKDOWN=1  tables for docs/benchmarks.md
#   BENCH_QUICK=1     short runs, for trying the script: its figures are not for publishing
#   BENCH_SPANS=N     spans of the read scenarios (default 5,000,000; quick: 200,000)
#   BENCH_DIR=DIR     where the throw-away databases are made (default ${TMPDIR:-/tmp})
#   BENCH_BIN=FILE    the server (default build/spanledger)
set -euo pipefail
cd "$(dirname "$0")/.."

SCENARIOS="machine micro ingest shapes latency overload start read"
BIN=$(realpath "${BENCH_BIN:-build/spanledger}")
TOOLS=build/bench
PORT=${BENCH_PORT:-24318}
URL=http://127.0.0.1:$PORT
RUNS=3 SECONDS_EACH=10 WARM_UP=3 SPANS=${BENCH_SPANS:-5000000} COPY_ROWS=400000 GETS=2000 OVERLOAD_S=30
if [ "${BENCH_QUICK:-0}" != 0 ]; then
    RUNS=1 SECONDS_EACH=3 WARM_UP=1 SPANS=${BENCH_SPANS:-200000} COPY_ROWS=100000 GETS=200 OVERLOAD_S=8
fi
MARKDOWN=${BENCH_MARKDOWN:-0}

WORK=$(mktemp -d "${BENCH_DIR:-${TMPDIR:-/tmp}}/spanledger-bench.XXXXXX")
chmod 711 "$WORK" # the database runs as another user when we are root
SERVER=
stop_server() {
    [ -n "$SERVER" ] || return 0
    kill "$SERVER" 2>/dev/null || true
    wait "$SERVER" 2>/dev/null || true
    SERVER=
}
finish() {
    stop_server
    rm -rf "$WORK"
}
trap finish EXIT
trap 'exit 130' INT TERM

# ---- printing ----

emit() { # name value unit goal
    if [ "$MARKDOWN" != 0 ]; then
        printf '| %s | %s | %s | %s |\n' "$1" "$2" "$3" "${4:--}"
    else
        printf '%-42s %14s %-10s %s\n' "$1" "$2" "$3" "${4:--}"
    fi
}
heading() { # scenario
    if [ "$MARKDOWN" != 0 ]; then
        printf '\n### %s\n\n| figure | value | unit | goal |\n| --- | --- | --- | --- |\n' "$1"
    else
        printf '# %s\n' "$1"
    fi
}
note() { printf 'bench: %s\n' "$*" >&2; }
field() { awk -v key="$1" '{ for (i = 1; i < NF; i++) if ($i == key) { print $(i + 1); exit } }'; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
calc() { awk -v format="${2:-%.2f}" "BEGIN { printf format \"\\n\", $1 }"; }

# ---- server and database ----

start_server() { # DIRECTORY [flag ...]: an embedded database in a directory of its own
    local dir=$WORK/$1
    shift
    "$BIN" serve --listen 127.0.0.1:$PORT --grpc-listen off --data-dir "$dir" --log-level warn "$@" \
        >"$WORK/serve.out" 2>>"$WORK/serve.log" &
    SERVER=$!
    for _ in $(seq 600); do
        if curl -fs -o /dev/null "$URL/readyz"; then
            find_database "$dir"
            return 0
        fi
        kill -0 $SERVER 2>/dev/null || break
        sleep 0.1
    done
    note "the server did not start: $(tail -n 3 "$WORK/serve.log")"
    return 1
}
find_database() { # the connection of the embedded cluster: port and socket directory stand in its pid file
    local pid_file=$1/pgdata/postmaster.pid
    POSTMASTER=$(sed -n 1p "$pid_file")
    DB="host=$(sed -n 5p "$pid_file") port=$(sed -n 4p "$pid_file") user=spanledger dbname=spanledger"
}
sql() { psql "$DB" -AtqX -c "$1"; }
checkpoint() { sql CHECKPOINT; }
cpu_us() { # of a process and all below it: the server with its database
    ps -o cputimes= -p "$1" >/dev/null || return 0
    local all
    all=$(pgrep -P "$1" || true)
    # shellcheck disable=SC2086
    for pid in "$1" $all; do
        awk '{ sub(/.*\) /, ""); print ($12 + $13) * 10000 }' "/proc/$pid/stat" 2>/dev/null || true
    done | awk '{ sum += $1 } END { print sum + 0 }'
}
memory_mb() { awk -v key="$1:" '$1 == key { printf "%.1f\n", $2 / 1024 }' "/proc/$SERVER/status"; }
load() { "$TOOLS/load" --port "$PORT" "$@"; }

# ---- scenarios ----

machine() {
    heading machine
    emit cpu "$(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo | tr ' ' '_')" model
    emit cores "$(nproc)" count
    emit memory "$(awk '/MemTotal/ { printf "%.1f", $2 / 1048576 }' /proc/meminfo)" GiB
    emit kernel "$(uname -r)" version
    local disk
    disk=$("$TOOLS/disk" "$WORK/disk.tmp")
    emit fdatasync_p50 "$(field p50_ms <<<"$disk")" ms
    emit fdatasync_p99 "$(field p99_ms <<<"$disk")" ms
    start_server machine
    emit postgresql "$(sql "SELECT split_part(current_setting('server_version'), ' ', 1)")" version
    emit engine "$(sql "SELECT value FROM spanledger.setting WHERE name = 'engine'")" name
    local name
    for name in fsync synchronous_commit full_page_writes wal_compression shared_buffers max_wal_size; do
        emit "$name" "$(sql "SHOW $name")" setting
    done
    stop_server
    for name in libpq libnghttp2 libprotobuf-c libevent libxxhash zlib libzstd openssl; do
        emit "$name" "$(pkg-config --modversion $name 2>/dev/null || echo unknown)" version
    done
    emit spanledger "$("$BIN" version | awk '{ print $NF; exit }')" version
    emit commit "$(git describe --always --dirty 2>/dev/null || echo unknown)" git
}

micro() {
    heading micro
    local name rest
    while read -r name rest; do
        local goal=-
        [ "$name" = protobuf_decode_rows_encode ] && goal='<=3000'
        if [ "$name" = http1_head ]; then
            emit "$name" "$(field ns_per_head <<<"$name $rest")" ns/head
        else
            emit "$name" "$(field ns_per_span <<<"$name $rest")" ns/span "$goal"
        fi
        emit "${name}_rate" "$(field mb_per_s <<<"$name $rest")" MB/s
    done < <("$TOOLS/decode" "$([ "${BENCH_QUICK:-0}" != 0 ] && echo 100 || echo 1000)")
    meaning
}

# What it takes to understand a span: processor time, and instructions where valgrind is installed.
meaning() {
    local shape rest step goal
    while read -r shape rest; do
        for step in facts previews ingest; do
            goal=-
            [ "$shape $step" = "otel_llm facts" ] && goal='<=1000'
            emit "meaning_${shape}_$step" "$(field ${step}_ns <<<"$rest")" ns/span "$goal"
        done
    done < <("$TOOLS/meaning" "$([ "${BENCH_QUICK:-0}" != 0 ] && echo 100 || echo 2000)")
    command -v valgrind >/dev/null || { note "no valgrind: instructions are not counted"; return 0; }
    local count before=0
    while read -r shape step; do
        count=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=meaning_measured \
            "$TOOLS/meaning" count "$shape" "$step" 100 2>&1 | awk '/Collected/ { printf "%.0f", $NF / 100 }')
        case $step in
        find_content) before=$count ;;
        previews) emit "meaning_${shape}_${step}_instructions" $((count - before)) count/span ;;
        *) emit "meaning_${shape}_${step}_instructions" "$count" count/span ;;
        esac
    done < <("$TOOLS/meaning" list)
}

# Runs a load RUNS times and prints the median of a field.
median_of() { # field, load's flags
    local key=$1
    shift
    for _ in $(seq $RUNS); do
        checkpoint >&2
        load --seconds $SECONDS_EACH --warm-up $WARM_UP "$@" | tee -a "$WORK/load.log" | field "$key"
    done | median
}

ingest() {
    heading ingest
    start_server ingest
    note "warming up: the log's segments and the table's files are made once"
    load --seconds $((SECONDS_EACH * 2)) --conns 16 >>"$WORK/load.log"
    local conns best=0 best_conns=16 rate
    for conns in 4 8 16 32; do
        rate=$(load --seconds $SECONDS_EACH --warm-up $WARM_UP --conns $conns | tee -a "$WORK/load.log" | field spans_per_s)
        emit "ingest_conns_$conns" "$rate" spans/s
        if [ "$rate" -gt "$best" ]; then best=$rate best_conns=$conns; fi
    done
    local wal_before wal_after cpu_before cpu_after pg_before pg_after acked line
    checkpoint
    wal_before=$(sql "SELECT pg_current_wal_insert_lsn() - '0/0'")
    cpu_before=$(awk '{ sub(/.*\) /, ""); print ($12 + $13) * 10000 }' "/proc/$SERVER/stat")
    pg_before=$(cpu_us "$POSTMASTER")
    line=$(load --seconds $SECONDS_EACH --conns "$best_conns")
    wal_after=$(sql "SELECT pg_current_wal_insert_lsn() - '0/0'")
    cpu_after=$(awk '{ sub(/.*\) /, ""); print ($12 + $13) * 10000 }' "/proc/$SERVER/stat")
    pg_after=$(cpu_us "$POSTMASTER")
    acked=$(field spans_acked <<<"$line")
    INGEST=$(median_of spans_per_s --conns "$best_conns")
    emit ingest_durable "$INGEST" spans/s '>=120000'
    emit cpu_server "$(calc "($cpu_after - $cpu_before) / $acked")" us/span
    emit cpu_database "$(calc "($pg_after - $pg_before) / $acked")" us/span
    emit cpu_sender "$(field sender_us_per_span <<<"$line")" us/span
    emit wal_bytes "$(calc "($wal_after - $wal_before) / $acked" %.0f)" B/span
    local twice
    twice=$(median_of spans_per_s --conns "$best_conns" --twice 0.01)
    emit ingest_one_percent_spans_twice "$twice" spans/s
    emit ratio_one_percent_spans_twice "$(calc "$twice / $INGEST")" ratio '>=0.7'
    twice=$(median_of spans_per_s --conns "$best_conns" --twice-requests 0.01)
    emit ingest_one_percent_requests_twice "$twice" spans/s
    emit ratio_one_percent_requests_twice "$(calc "$twice / $INGEST")" ratio '>=0.7'
    emit stored_spans "$(sql 'SELECT count(*) FROM spanledger.span')" spans
    table_bytes
    raw_copy
    echo "$INGEST" >"$WORK/ingest_rate"
    stop_server
}

table_bytes() {
    emit table_bytes "$(sql "SELECT round(sum(pg_relation_size(i.inhrelid)) / (SELECT count(*) FROM spanledger.span))
        FROM pg_inherits i WHERE i.inhparent = 'spanledger.span'::regclass")" B/span
    emit index_bytes "$(sql "SELECT round(sum(pg_indexes_size(i.inhrelid)) / (SELECT count(*) FROM spanledger.span))
        FROM pg_inherits i WHERE i.inhparent = 'spanledger.span'::regclass")" B/span
    emit trace_row_bytes "$(sql "SELECT round(sum(pg_total_relation_size(i.inhrelid)) / (SELECT count(*) FROM spanledger.span))
        FROM pg_inherits i WHERE i.inhparent = 'spanledger.trace'::regclass")" B/span
}

raw_copy() { # what the same database takes of the same rows, by connections that do nothing else
    local line rate best=0
    while read -r line; do
        rate=$(field rows_per_s <<<"$line")
        emit "raw_copy_conns_$(field conns <<<"$line")" "$rate" rows/s
        if [ "$rate" -gt "$best" ]; then best=$rate; fi
    done < <("$TOOLS/copy_limit" --db "$DB" --rows $COPY_ROWS 2>/dev/null)
    emit ratio_to_raw_copy "$(calc "$INGEST / $best")" ratio '>=0.5'
}

shapes() { # other encodings and sizes
    heading shapes
    start_server shapes
    load --seconds $SECONDS_EACH --conns 16 >>"$WORK/load.log"
    emit ingest_json "$(median_of spans_per_s --conns 32 --json)" spans/s
    emit ingest_llm_20k "$(median_of mb_per_s --conns 32 --llm-bytes 20000 --spans 100)" MB/s '>=150'
    emit ingest_grpc "$(for _ in $(seq $RUNS); do
        checkpoint >&2
        "$TOOLS/grpc" --port "$PORT" --seconds $SECONDS_EACH --warm-up $WARM_UP --conns 32 | field spans_per_s
    done | median)" spans/s
    emit ingest_requests_of_50_spans "$(median_of spans_per_s --conns 64 --spans 50)" spans/s
    stop_server
}

latency() { # open loop at half of the closed loop's rate
    heading latency
    start_server latency
    load --seconds $SECONDS_EACH --conns 16 >>"$WORK/load.log"
    local full spans rate line runs
    full=$(cat "$WORK/ingest_rate" 2>/dev/null || load --seconds $SECONDS_EACH --conns 32 | field spans_per_s)
    for spans in 500 50; do
        rate=$(calc "$full / 2 / $spans" %.1f)
        : >"$WORK/latency.log"
        for runs in $(seq $RUNS); do
            checkpoint
            load --seconds $SECONDS_EACH --warm-up $WARM_UP --conns 64 --spans $spans --rate "$rate" >>"$WORK/latency.log"
        done
        line="_${spans}_spans"
        emit "ack_p50_half_load$line" "$(while read -r runs; do field p50_ms <<<"$runs"; done <"$WORK/latency.log" | median)" ms '<=5'
        emit "ack_p99_half_load$line" "$(while read -r runs; do field p99_ms <<<"$runs"; done <"$WORK/latency.log" | median)" ms '<=30'
        emit "offered$line" "$(calc "$full / 2" %.0f)" spans/s
    done
    load --requests 200 --conns 1 --spans 10 >"$WORK/latency.log"
    emit ack_p50_idle_10_spans "$(field p50_ms <"$WORK/latency.log")" ms
    stop_server
}

overload() { # ten times what it can take; the capacity is lowered so that sender and server fit on one machine
    heading overload
    start_server overload
    emit rss_idle "$(memory_mb VmRSS)" MB '<=30'
    stop_server
    start_server overload --test-commit-delay-ms 400
    local capacity line
    capacity=$(load --seconds $SECONDS_EACH --warm-up $WARM_UP --conns 32 | field spans_per_s)
    line=$(load --seconds $OVERLOAD_S --warm-up 2 --conns 3000 --spans 50 --rate "$(calc "$capacity * 10 / 50" %.1f)" || true)
    emit overload_capacity "$capacity" spans/s
    emit overload_goodput "$(field spans_per_s <<<"$line")" spans/s
    emit overload_goodput_ratio "$(calc "$(field spans_per_s <<<"$line") / $capacity")" ratio '>=0.8'
    emit overload_503 "$(field http_503 <<<"$line")" answers
    emit overload_refused_p99 "$(field refused_p99_ms <<<"$line")" ms
    emit overload_connections_lost "$(field lost <<<"$line")" count
    emit rss_overload_peak "$(memory_mb VmHWM)" MB '<=256'
    stop_server
}

start() { # existing database, stopped cleanly
    heading start
    start_server start
    load --requests 100 >>"$WORK/load.log"
    stop_server
    local log=$WORK/start.log
    : >"$log"
    for _ in $(seq $((RUNS + 2))); do
        "$TOOLS/start" "$PORT" "$BIN" serve --listen 127.0.0.1:$PORT --grpc-listen off --data-dir "$WORK/start" \
            --log-level warn 2>>"$WORK/serve.log" | grep first_span >>"$log"
    done
    emit start_to_first_span "$(while read -r l; do field first_span_ms <<<"$l"; done <"$log" | median)" ms '<=500'
    emit stop "$(while read -r l; do field stop_ms <<<"$l"; done <"$log" | median)" ms
}

gets() { # name, goals of p50 and p99, get's arguments
    local name=$1 goal50=$2 goal99=$3 line
    shift 3
    line=$("$TOOLS/get" --port "$PORT" "$@") || note "$name: $line"
    emit "${name}_p50" "$(field p50_ms <<<"$line")" ms "$goal50"
    emit "${name}_p99" "$(field p99_ms <<<"$line")" ms "$goal99"
}

fill() { # SPANS spans over 30 days, sent through the server, the oldest day first
    local day per_day=$((SPANS / 30 / 500))
    for day in $(seq 29 -1 0); do
        load --requests "$per_day" --conns 8 --spread 86000 --ago $((day * 86400)) --ids "$WORK/ids.$day" >>"$WORK/load.log"
    done
    cat "$WORK"/ids.* >"$WORK/ids"
    sql 'VACUUM ANALYZE spanledger.span, spanledger.trace'
    checkpoint
}

big_trace() { # of 100,000 spans; prints its id
    load --one-trace --requests 200 --conns 1 --spans 500 --message-bytes 200 --ids "$WORK/big" >>"$WORK/load.log"
    head -n 1 "$WORK/big"
}

read_part() {
    heading read
    start_server read
    fill
    emit spans_in_30_days "$(sql 'SELECT count(*) FROM spanledger.span')" spans
    table_bytes
    local api=/api/v1/traces from
    gets trace_by_id '<=2' '<=5' --paths "$WORK/ids" --prefix $api/ --requests $GETS
    gets list_newest_50 - '<=30' --requests $((GETS / 4)) "$api?limit=50"
    from=$(($(date +%s) - 30 * 86400))
    gets list_30_days - '<=30' --requests $((GETS / 4)) "$api?limit=50&from=$from"
    gets list_service - '<=30' --requests $((GETS / 4)) "$api?limit=50&service=svc-3"
    gets list_failed - '<=30' --requests $((GETS / 4)) "$api?limit=50&status=failed"
    gets list_name - '<=30' --requests $((GETS / 4)) "$api?limit=50&name=AgentExecutor"
    gets list_name_of_none - '<=30' --requests $((GETS / 40)) "$api?limit=50&name=nothing-is-called-so"
    gets list_min_duration - '<=30' --requests $((GETS / 4)) "$api?limit=50&min_duration_ms=5000"
    gets services - - --requests $((GETS / 4)) /api/v1/services
    local big
    big=$(big_trace)
    gets trace_100k_full_json - '<=1000' --requests 5 --warm-up 1 "$api/$big"
    gets trace_100k_skeleton - '<=500' --requests 5 --warm-up 1 "$api/$big?view=skeleton"
    gets trace_100k_window - - --requests 5 --warm-up 1 "$api/$big?window=50000,500"
    emit rss_after_reads "$(memory_mb VmRSS)" MB
    stop_server
}

[ -x "$BIN" ] || { note "no server at $BIN: make first"; exit 2; }
[ $# -gt 0 ] || set -- $SCENARIOS
for scenario in "$@"; do
    case " $SCENARIOS " in
    *" $scenario "*) ;;
    *) note "'$scenario' is none of: $SCENARIOS"; exit 2 ;;
    esac
    if [ "$scenario" = read ]; then read_part; else "$scenario"; fi
done

#!/bin/bash
# Live SDKs against the binary: installs them (PyPI, npm, Go's proxy) below $TEST_BUILD/clients, lets
# each send a trace, and looks it up by the API. What cannot be installed is skipped, loudly.
# CLIENTS='ai*' runs only those with such names.
# Last line: "N passed, N failed"; SKIP lines name what was left out and why.
set -u
here=$(cd "$(dirname "$0")" && pwd)
binary=${TEST_BIN:-$here/../../build/spanledger}
home=${TEST_BUILD:-$here/../../build}/clients
work=$(mktemp -d "${TMPDIR:-/tmp}/clients.XXXXXX") || exit 1
chmod 755 "$work"
mkdir -p "$home" || exit 1
home=$(cd "$home" && pwd)
passed=0 failed=0 server= models=

stop() {
    [ -n "$models" ] && kill "$models"
    [ -n "$server" ] && kill "$server" 2>/dev/null && wait "$server"
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 1' HUP INT TERM

python_packages='opentelemetry-sdk==1.45.2 opentelemetry-exporter-otlp-proto-http==1.45.2
    opentelemetry-exporter-otlp-proto-grpc==1.45.2
    openai==3.52.0 anthropic==2.11.0 langchain==1.4.7 langchain-openai==1.7.3 langgraph==1.2.22 langfuse==5.0.4
    openinference-instrumentation-langchain==0.1.80 openinference-instrumentation-openai==0.1.66
    openinference-instrumentation-anthropic==3.1.0
    opentelemetry-instrumentation-openai==0.62.4 opentelemetry-instrumentation-anthropic==0.62.4'
uv_version=0.13.9
js_packages='@opentelemetry/api@1.9.1 @opentelemetry/sdk-trace-base@2.12.1 @opentelemetry/sdk-trace-node@2.12.0
    @opentelemetry/resources@2.12.1 @opentelemetry/exporter-trace-otlp-http@0.223.1
    @opentelemetry/exporter-trace-otlp-proto@0.223.1 @opentelemetry/exporter-trace-otlp-grpc@0.223.1
    ai@7.0.173 @ai-sdk/openai@4.0.118 @ai-sdk/anthropic@4.0.105 @ai-sdk/otel@1.0.173'
go_version=v1.47.0
go_least='1.25'

# install NAME COMMAND…: once; its output goes to a log. Fails with a SKIP line.
install() {
    local name=$1
    shift
    [ -e "$home/$name.done" ] && return 0
    if "$@" >"$home/$name.log" 2>&1; then
        touch "$home/$name.done"
        return 0
    fi
    echo "SKIP $name: could not be installed: $(tail -n 1 "$home/$name.log")"
    return 1
}

# pip needs minutes to choose among these; uv seconds.
install_python() {
    rm -rf "$home/python" && python3 -m venv "$home/python" || return 1
    local pip="$home/python/bin/pip install -q --disable-pip-version-check"
    local uv
    uv=$(command -v uv) || { $pip "uv==$uv_version" && uv=$home/python/bin/uv; }
    if [ -n "$uv" ]; then
        "$uv" pip install -q --python "$home/python/bin/python" $python_packages # words
    else
        $pip $python_packages
    fi
}

install_js() {
    mkdir -p "$home/js" && cd "$home/js" && echo '{"private":true}' >package.json &&
        npm install --no-audit --no-fund --silent $js_packages # words
}

install_go() {
    rm -rf "$home/go" && cp -r "$here/otel_go" "$home/go" && cd "$home/go" && go mod init otel_go &&
        go get "go.opentelemetry.io/otel/sdk@$go_version" \
            "go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp@$go_version" \
            "go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc@$go_version" &&
        go mod tidy && go build -o "$home/otel_go" .
}

wanted() {
    # shellcheck disable=SC2254 # a pattern
    case $1 in ${CLIENTS:-*}) ;; *) return 1 ;; esac
}

# said PASSED NAME: counts a client and tells what was found.
said() {
    if [ "$1" = yes ]; then
        passed=$((passed + 1))
        echo "ok   $2: $(tail -n 1 "$work/said")"
    else
        failed=$((failed + 1))
        echo "FAIL $2"
        cat "$work/said"
        tail -n 20 "$work/err"
    fi
}

# run ENDPOINT COMMAND…: its last line says what it exported; all of it must be there.
run() {
    local endpoint=$1
    shift
    : >"$work/said"
    OTEL_EXPORTER_OTLP_ENDPOINT=$endpoint OTEL_EXPORTER_OTLP_INSECURE=true LANGFUSE_BASE_URL=$endpoint \
        LANGFUSE_HOST=$endpoint timeout 120 "$@" >"$work/out" 2>"$work/err" &&
        tail -n 1 "$work/out" | python3 "$here/check.py" "http://$http" >"$work/said" 2>>"$work/err"
}

# client NAME ENDPOINT COMMAND…
client() {
    local name=$1
    shift
    wanted "$name" || return 0
    run "$@" && said yes "$name" || said no "$name"
}

# bill NAME WITHOUT TIMES COMMAND…: runs a client of model providers, by HTTP, and compares its bill.
bill() {
    local without=$2 times=$3 key
    key=$(echo "$1" | tr -c 'a-z0-9\n' -)
    shift 3
    CLIENT_MODELS=http://127.0.0.1:$port/$key run "http://$http" "$@" && tail -n 1 "$work/out" |
        python3 "$here/bill.py" "http://$http" "$work/truth" "$key" "without=$without" "times=$times" \
            >"$work/said" 2>>"$work/err"
}

# paid NAME WITHOUT COMMAND…: what is billed must be what the provider answered. WITHOUT: kinds of
# tokens that the client's spans do not carry, by commas.
paid() {
    local name=$1 without=$2
    shift 2
    wanted "$name" || return 0
    bill "$name" "$without" 1 "$@" && said yes "$name" || said no "$name"
}

# limit NAME WHY TIMES COMMAND…: a client each of whose calls is known to be billed so many times, with
# the right tokens and price; fails when anything else is billed, be it right.
limit() {
    local name=$1 why=$2 times=$3
    shift 3
    wanted "$name" || return 0
    if bill "$name" '' "$times" "$@"; then
        echo "SKIP $name: $why, so each call is billed $times times: $(tail -n 1 "$work/said")"
    else
        echo "no longer the limit that is known: each call billed $times times" >>"$work/said"
        said no "$name"
    fi
}

"$binary" serve --listen 127.0.0.1:0 --grpc-listen 127.0.0.1:0 --data-dir "$work/data" >"$work/log" 2>&1 &
server=$!
http=
for _ in $(seq 600); do
    http=$(sed -n 's/.*http=\(127\.0\.0\.1:[0-9]*\).*/\1/p' "$work/log" | head -n 1)
    grpc=$(sed -n 's/.*grpc=\(127\.0\.0\.1:[0-9]*\).*/\1/p' "$work/log" | head -n 1)
    [ -n "$http" ] && curl -sf "http://$http/readyz" >"$work/ready" && break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
done
if ! [ -e "$work/ready" ]; then
    cat "$work/log"
    echo "the server did not start"
    exit 1
fi

python3 "$here/provider.py" "$work/truth" >"$work/port" &
models=$!
for _ in $(seq 100); do
    port=$(cat "$work/port")
    [ -n "$port" ] && break
    sleep 0.1
done

python=$home/python/bin/python
if ! command -v python3 >/dev/null || ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
    echo "SKIP python, langchain, langfuse: no python3 with venv"
elif install python install_python; then
    client "python http/protobuf" "http://$http" "$python" "$here/otel_python.py" http
    client "python grpc" "http://$grpc" "$python" "$here/otel_python.py" grpc
    client "langfuse observe" "http://$http" "$python" "$here/langfuse_sdk.py" observe
    paid "langfuse openai" '' "$python" "$here/langfuse_sdk.py" openai
    paid "langchain once" '' "$python" "$here/langchain_agent.py" once
    paid "langchain twice" '' "$python" "$here/langchain_agent.py" twice
    limit "langchain stream" "two traces, and LangChain's span has no response id" 2 "$python" \
        "$here/langchain_agent.py" stream
    paid "openai openllmetry" stream.reasoning "$python" "$here/openai_sdk.py" openllmetry
    for by in openinference both hidden; do
        paid "openai $by" '' "$python" "$here/openai_sdk.py" "$by"
    done
    for by in openinference openllmetry both; do
        paid "anthropic $by" '' "$python" "$here/anthropic_sdk.py" "$by"
    done
fi

if ! command -v npm >/dev/null; then
    echo "SKIP js: no npm"
elif (install js install_js); then
    cp "$here"/*.mjs "$home/js/"
    client "js http/json" "http://$http" node "$home/js/otel_js.mjs" json
    client "js http/protobuf" "http://$http" node "$home/js/otel_js.mjs" proto
    client "js grpc" "http://$grpc" node "$home/js/otel_js.mjs" grpc
    paid "ai sdk" '' node "$home/js/aisdk.mjs"
fi

if ! command -v go >/dev/null; then
    echo "SKIP go: no go"
elif [ "$(printf '%s\n' "$go_least" "$(go env GOVERSION | sed 's/^go//')" | sort -V | head -n 1)" != "$go_least" ]; then
    echo "SKIP go: $(go env GOVERSION) is older than $go_least, which today's SDK needs"
elif (install go install_go); then
    client "go otlptracehttp" "http://$http" "$home/otel_go" http
    client "go otlptracegrpc" "http://$grpc" "$home/otel_go" grpc
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

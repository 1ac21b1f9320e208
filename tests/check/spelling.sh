#!/bin/sh
# Common misspellings, where codespell is installed; `make deps` does not bring it.
command -v codespell >/dev/null || { echo "SKIP check-spelling: codespell is not installed"; exit 0; }
exec codespell --quiet-level=2 --skip='*.json,*.pb,*.gz,*.zst,*.dict' src include otlp schema docs tests/*.c tests/*.sh bench README.md CHANGELOG.md Makefile

#!/bin/sh
# Install uv, as a lock pins it, with the pip of an interpreter: install_uv.sh PYTHON LOCK
set -eu
pinned=$(mktemp)
trap 'rm -f "$pinned"' EXIT
awk '/^uv==/ {found = 1} found {print} found && !/\\$/ {exit}' "$2" > "$pinned"
"$1" -m pip install --quiet --disable-pip-version-check --no-cache-dir --no-deps --require-hashes --requirement "$pinned"

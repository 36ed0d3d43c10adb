#!/usr/bin/env bash
# build.sh OUT: zizmor as OUT/zizmor, squawk as OUT/squawk, and the Kubernetes JSON schemas in OUT/schemas/<1.NN>.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-deps --require-hashes -r "$here/requirements.txt"
"$work/venv/bin/python" "$here/schemas.py" "$1/schemas"
# Native programs: they do not need the environment around them.
cp "$work/venv/bin/zizmor" "$work/venv/bin/squawk" "$1/"

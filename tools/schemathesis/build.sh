#!/usr/bin/env bash
# build.sh OUT: schemathesis as OUT/schemathesis.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# Not a virtual environment: its programs know the folder in which they were made, and this one is renamed.
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps --require-hashes \
    --only-binary :all: --target "$1/lib" -r "$here/requirements.txt"
cat > "$1/schemathesis" <<'EOF'
#!/usr/bin/env bash
PYTHONPATH="$(dirname "$0")/lib${PYTHONPATH:+:$PYTHONPATH}" exec python3 -c 'from schemathesis.cli import schemathesis; schemathesis()' "$@"
EOF
chmod +x "$1/schemathesis"

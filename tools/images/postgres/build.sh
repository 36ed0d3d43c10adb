#!/usr/bin/env bash
# build.sh TAG LABEL: PostgreSQL as an image.
set -euo pipefail
cd "$(dirname "$0")"
tar --create Dockerfile entrypoint.sh | docker build --network host --tag "$1" --label "$2" -

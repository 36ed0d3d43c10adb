#!/usr/bin/env bash
# build.sh OUT: helm, the version that Flux renders releases with.
set -euo pipefail
cd "$(dirname "$0")"
CGO_ENABLED=0 go build -mod=readonly -buildvcs=false -trimpath -ldflags "-s -w" -o "$1/" tool

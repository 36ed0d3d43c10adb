#!/usr/bin/env bash
# build.sh OUT: daprd and the Scheduler. Without the version flags the runtime calls itself "edge".
set -euo pipefail
cd "$(dirname "$0")"
version=1.18.0
for program in daprd scheduler; do
  CGO_ENABLED=0 go build -mod=readonly -buildvcs=false -trimpath -tags stablecomponents -o "$1/$program" -ldflags "-s -w
    -X github.com/dapr/dapr/pkg/buildinfo.version=$version -X github.com/dapr/kit/logger.DaprVersion=$version" \
    "github.com/dapr/dapr/cmd/$program"
done

#!/usr/bin/env bash
# build.sh TAG LABEL KAFKA: a Kafka broker as an image, from what tools/kafka has put into the folder KAFKA.
set -euo pipefail
cd "$(dirname "$0")"
tar --create Dockerfile entrypoint.sh --directory "$3" lib | docker build --network host --tag "$1" --label "$2" -

#!/usr/bin/env bash
# build.sh OUT: the jars of an Apache Kafka broker and its command-line tools, in OUT/lib.
set -euo pipefail
cd "$(dirname "$0")"
mvn --quiet --batch-mode --strict-checksums org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies -DincludeScope=runtime \
  -DoutputDirectory="$1/lib"

#!/bin/sh
# The official image's contract: KAFKA_SOME_NAME=value becomes the property some.name=value, KAFKA_HEAP_OPTS goes to the
# Java machine, and CLUSTER_ID is the cluster's id. A container that is started again keeps its files.
set -euf # f: the star of the class path is Java's
properties=/tmp/server.properties
env | sed -n '/^KAFKA_HEAP_OPTS=/d; s/^KAFKA_//p' | while IFS='=' read -r name value; do
  printf '%s=%s\n' "$(printf '%s' "$name" | tr 'A-Z_' 'a-z.')" "$value"
done > "$properties"
java="java ${KAFKA_HEAP_OPTS:-} -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.logFile=System.out
  -cp /opt/kafka/lib/*"
$java -Dorg.slf4j.simpleLogger.defaultLogLevel=error kafka.tools.StorageTool format --ignore-formatted \
  --cluster-id "${CLUSTER_ID:-5L6g3nShT-eMCtK--X86sw}" --config "$properties"
exec $java kafka.Kafka "$properties"

#!/bin/bash
# Creates the topics that are missing, widens those that are too narrow, corrects their settings, and then believes
# only what the brokers say. Usage: topics.sh TOPICS, a file of lines `name partitions copies key=value[,key=value...]`.
set -euo pipefail

kafka=/opt/kafka/bin
wanted=$1
client=(--bootstrap-server "$BOOTSTRAP" --command-config "$CLIENT_CONFIG")
wrong=0

complain() {
  echo "WRONG: $*" >&2
  wrong=1
}

# The credentials stand inside a quoted string of the login configuration.
case $KAFKA_USERNAME$KAFKA_PASSWORD in
  *[\"\\]*)
    echo "user name and password must hold neither quotes nor backslashes" >&2
    exit 2
    ;;
esac

# A list of its own first: whoever cannot reach the brokers, or log in, fails here and not in the middle.
existing=$("$kafka/kafka-topics.sh" "${client[@]}" --list)

# Prints partitions and copies of a topic.
shape() {
  "$kafka/kafka-topics.sh" "${client[@]}" --describe --topic "$1" |
    awk '$0 ~ /PartitionCount:/ {
      for (i = 1; i < NF; i++) {
        if ($i == "PartitionCount:") partitions = $(i + 1)
        if ($i == "ReplicationFactor:") copies = $(i + 1)
      }
      print partitions, copies
      exit
    }'
}

while read -r topic partitions copies settings; do
  if ! grep -qxF -- "$topic" <<<"$existing"; then
    echo "creating $topic: $partitions partitions, $copies copies, $settings"
    configs=()
    for setting in ${settings//,/ }; do
      configs+=(--config "$setting")
    done
    "$kafka/kafka-topics.sh" "${client[@]}" --create --topic "$topic" \
      --partitions "$partitions" --replication-factor "$copies" "${configs[@]}"
    continue
  fi
  read -r has_partitions _ <<<"$(shape "$topic")"
  if ((has_partitions < partitions)); then
    echo "widening $topic from $has_partitions to $partitions partitions"
    "$kafka/kafka-topics.sh" "${client[@]}" --alter --topic "$topic" --partitions "$partitions"
  fi
  "$kafka/kafka-configs.sh" "${client[@]}" --alter --entity-type topics --entity-name "$topic" --add-config "$settings"
done <"$wanted"

while read -r topic partitions copies settings; do
  read -r has_partitions has_copies <<<"$(shape "$topic")"
  # Events are placed by the number of partitions: with another number, one task's events would lie in two of them.
  [[ $has_partitions == "$partitions" ]] ||
    complain "$topic has $has_partitions partitions, not $partitions; a topic can only become wider"
  [[ $has_copies == "$copies" ]] || complain "$topic has $has_copies copies, not $copies; move its partitions by hand"
  has_settings=$("$kafka/kafka-configs.sh" "${client[@]}" --describe --all --entity-type topics --entity-name "$topic")
  for setting in ${settings//,/ }; do
    grep -qF -- " $setting " <<<"$has_settings" || complain "$topic does not have $setting"
  done
  ((wrong)) || echo "$topic is as wanted"
done <"$wanted"

exit "$wrong"

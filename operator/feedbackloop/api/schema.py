"""Pydantic models to structural OpenAPI v3 with CEL, as the API server accepts it.

`python -m feedbackloop.api.schema crds/` writes the CRDs. Pydantic's JSON schema needs mending in
known places: `$ref` is inlined, `anyOf [..., null]` becomes an absent optional, `const` becomes
`enum`, exclusive bounds take OpenAPI v3's boolean form, titles go.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from feedbackloop.api import GROUP, VERSION
from feedbackloop.api.base import KubeModel
from feedbackloop.api.erasurerequest import ErasureRequestSpec, ErasureRequestStatus
from feedbackloop.api.feedbackloop import FeedbackLoopSpec, FeedbackLoopStatus
from feedbackloop.api.improvementrun import ImprovementRunSpec, ImprovementRunStatus
from feedbackloop.api.rolloutaction import RolloutActionSpec, RolloutActionStatus

Json = dict[str, Any]
AMBIGUOUS = re.compile(r"[yYnN]|[-+]?[0-9.]+([eE][-+]?[0-9]+)?")
"""Strings that PyYAML writes plain and the API server's YAML reads as a boolean or a number."""
DROPPED = ("title", "$defs", "additionalProperties", "discriminator", "examples")


def structural(model: type[KubeModel]) -> Json:
    """The structural schema of a model, its CEL rules included."""
    schema = model.model_json_schema(by_alias=True, mode="validation")
    rules = {m.__name__: m for m in _models(model)}
    return _convert(schema, schema.get("$defs", {}), rules)


def _models(model: type[BaseModel]) -> set[type[KubeModel]]:
    """All models below KubeModel, so that a `$ref` finds its class and thereby its rules."""

    def below(cls: type[KubeModel]) -> set[type[KubeModel]]:
        return {cls}.union(*(below(sub) for sub in cls.__subclasses__()))

    return below(KubeModel)


def _convert(node: Json, defs: Mapping[str, Json], models: Mapping[str, type[KubeModel]]) -> Json:
    node = _resolve(node, defs)
    out: Json = {key: value for key, value in node.items() if key not in DROPPED and key != "x-model"}
    if "properties" in node:
        out["properties"] = {k: _convert(v, defs, models) for k, v in node["properties"].items()}
    if "items" in node:
        out["items"] = _convert(node["items"], defs, models)
    if "const" in out:
        out["enum"] = [out.pop("const")]
    if "enum" in out:
        out["type"] = "string"
    if out.get("default") is None:
        out.pop("default", None)
    elif isinstance(out["default"], dict):
        # The server reads a null in a default as a value, and refuses it for its type.
        out["default"] = {key: value for key, value in out["default"].items() if value is not None}
    if out.get("type") == "integer":
        out.setdefault("format", "int32")
    # Only of an object: a string field `signal` has the title of the model `Signal`.
    rules = _rules(models.get(node.get("title", ""))) if "properties" in node else []
    if rules:
        out["x-kubernetes-validations"] = rules
    return out


def _resolve(node: Json, defs: Mapping[str, Json]) -> Json:
    """Inline `$ref` and unwrap an optional; what stands beside the reference wins over what it refers to."""
    options = [o for o in node.get("anyOf", ()) if o.get("type") != "null"]
    if options:
        beside = {k: v for k, v in node.items() if k != "anyOf"}
        title = options[0].get("title")
        merged = {**options[0], **beside}
        return _resolve({**merged, **({"title": title} if title else {})}, defs)
    if "$ref" in node:
        target = defs[node["$ref"].rsplit("/", 1)[-1]]
        beside = {k: v for k, v in node.items() if k not in ("$ref", "title")}
        return _resolve({**target, **beside}, defs)
    return node


def _rules(model: type[KubeModel] | None) -> list[Json]:
    return [{"rule": rule.rule, "message": rule.message} for rule in model.rules] if model else []


def column(name: str, path: str, type_: str = "string", **extra: Any) -> Json:
    return {"name": name, "type": type_, "jsonPath": path, **extra}


READY = column("Ready", '.status.conditions[?(@.type=="Ready")].status')
AGE = column("Age", ".metadata.creationTimestamp", "date")
LOOP_COLUMNS = [
    READY,
    column("Stage", ".status.stage"),
    column("Champion", ".status.champion.short"),
    column("Candidate", ".status.candidate.short"),
    column("Weight", ".status.weight", "integer"),
    column("Events", ".status.counters.accepted", "integer"),
    AGE,
]
RUN_COLUMNS = [
    column("Loop", ".spec.loopName"),
    column("Stage", ".status.stage"),
    column("Rows", ".status.dataset.trainingRows", "integer"),
    column("Weight", ".status.rollout.weight", "integer"),
    column("Outcome", ".status.outcome"),
    AGE,
]
ERASURE_COLUMNS = [
    column("Loop", ".spec.loopName"),
    column("Served", '.status.conditions[?(@.type=="Served")].status'),
    AGE,
]

ACTION_COLUMNS = [
    column("Run", ".spec.runName"),
    column("Action", ".spec.action"),
    column("User", ".spec.user"),
    column("Result", ".status.result"),
    AGE,
]


def crd(
    *,
    kind: str,
    plural: str,
    short: str,
    spec: type[KubeModel],
    status: type[KubeModel],
    columns: list[Json],
    about: str,
) -> Json:
    """One CustomResourceDefinition."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "singular": kind.lower(),
                "shortNames": [short],
                # Not `feedbackloop`: kubectl would take the singular name of one kind for all of them.
                "categories": ["feedback"],
            },
            "versions": [_version(spec=spec, status=status, columns=columns, about=about)],
        },
    }


def _version(*, spec: type[KubeModel], status: type[KubeModel], columns: list[Json], about: str) -> Json:
    properties = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 253}}},
        "spec": {**structural(spec), "description": "What is wanted."},
        "status": {**structural(status), "description": "What is observed."},
    }
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": columns,
        "schema": {
            "openAPIV3Schema": {
                "type": "object",
                "description": about,
                "required": ["spec"],
                "properties": properties,
            }
        },
    }


def _loop_crd() -> Json:
    made = crd(
        kind="FeedbackLoop",
        plural="feedbackloops",
        short="fbl",
        spec=FeedbackLoopSpec,
        status=FeedbackLoopStatus,
        columns=LOOP_COLUMNS,
        about="A declaration of how a served model learns from the feedback of its users.",
    )
    # Children are named after the loop: a longer name would not leave room for their suffixes.
    made["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["x-kubernetes-validations"] = [
        {
            "rule": "self.metadata.name.size() <= 35",
            "message": "metadata.name: at most 35 characters, as children are named after it",
        }
    ]
    return made


def crds() -> dict[str, Json]:
    """All CRDs by file name."""
    run = crd(
        kind="ImprovementRun",
        plural="improvementruns",
        short="irun",
        spec=ImprovementRunSpec,
        status=ImprovementRunStatus,
        columns=RUN_COLUMNS,
        about="One attempt to improve a model: its inputs, its stages, its gates, its rollout and every decision.",
    )
    erasure = crd(
        kind="ErasureRequest",
        plural="erasurerequests",
        short="erq",
        spec=ErasureRequestSpec,
        status=ErasureRequestStatus,
        columns=ERASURE_COLUMNS,
        about="A subject whose data shall be forgotten.",
    )
    action = crd(
        kind="RolloutAction",
        plural="rolloutactions",
        short="ract",
        spec=RolloutActionSpec,
        status=RolloutActionStatus,
        columns=ACTION_COLUMNS,
        about="What a person asks of a run, once: approve, reject, pause, resume, promote, abort, retry.",
    )
    return {
        "feedbackloops.yaml": _loop_crd(),
        "improvementruns.yaml": run,
        "erasurerequests.yaml": erasure,
        "rolloutactions.yaml": action,
    }


def write(directory: Path) -> None:
    """Write one YAML file for each CRD."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Quotes what another YAML reader would not take for a string."""

    def quoted(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, "'" if AMBIGUOUS.fullmatch(value) else None)

    Dumper.add_representer(str, quoted)
    directory.mkdir(parents=True, exist_ok=True)
    for name, document in crds().items():
        head = "# Written by `make generate` from operator/feedbackloop/api; do not edit.\n"
        text = yaml.dump(document, Dumper=Dumper, sort_keys=False, width=120)
        (directory / name).write_text(head + text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))

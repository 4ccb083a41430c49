"""`values.schema.json`: the chart's own values, and for `config` the schema of the admin's file itself.

`python -m tests.unit.chart.schema` writes it; a test fails when it has drifted.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from feedbackloop.api.adminconfig import AdminConfig

Json = dict[str, Any]
CHART = Path(__file__).resolve().parents[3] / "charts" / "feedbackloop-operator"
PATH = CHART / "values.schema.json"
STRING: Json = {"type": "string"}
FREE: Json = {"type": "object"}


def values_schema() -> Json:
    """The whole schema."""
    config = AdminConfig.model_json_schema(by_alias=True)
    definitions = config.pop("$defs")
    config["properties"].pop("operatorNamespace")  # the chart's own namespace
    config["properties"]["jobs"] = _with_default_image(definitions["PodProfile"])
    config["properties"]["gateway"] = _with_default_image(definitions["GatewaySettings"])
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "additionalProperties": False,
        "properties": {**_own(), "config": config},
        "$defs": definitions,
    }


def _with_default_image(definition: Json) -> Json:
    """The chart fills in its own image."""
    required = [name for name in definition["required"] if name != "image"]
    rest = {key: value for key, value in definition.items() if key != "required"}
    return {**rest, **({"required": required} if required else {})}


def _own() -> Json:
    return {
        "replicas": {"type": "integer", "minimum": 0},
        "image": _object(repository=STRING, tag=STRING, pullPolicy={"enum": ["Always", "IfNotPresent", "Never"]}),
        "imagePullSecrets": {"type": "array", "items": FREE},
        "fullnameOverride": {"type": "string", "maxLength": 63},
        "watchNamespace": {"type": "string", "maxLength": 63},
        "crds": _object(enabled={"type": "boolean"}, keep={"type": "boolean"}),
        "admissionPolicy": _object(enabled={"type": "boolean"}),
        "networkPolicy": _object(enabled={"type": "boolean"}, metricsFrom={"type": "array", "items": FREE}),
        "trafficRouting": _object(
            gatewayAPI=_object(enabled={"type": "boolean"}), kserve=_object(enabled={"type": "boolean"})
        ),
        "podMonitor": _object(enabled={"type": "boolean"}, labels=FREE),
        "prometheusRule": _object(enabled={"type": "boolean"}, labels=FREE),
        "credentials": {"type": "array", "items": _credentials()},
        "logLevel": {"enum": ["DEBUG", "INFO", "WARNING", "ERROR"]},
        "resources": FREE,
        "nodeSelector": FREE,
        "tolerations": {"type": "array", "items": FREE},
        "affinity": FREE,
        "podAnnotations": FREE,
        "global": FREE,
    }


def _credentials() -> Json:
    names = {"endpointName": {"type": "string", "minLength": 1}, "secretName": {"type": "string", "minLength": 1}}
    return {**_object(**names), "required": sorted(names)}


def _object(**properties: Json) -> Json:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def text() -> str:
    """The file's text."""
    return json.dumps(values_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")

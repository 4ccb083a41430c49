"""What is read from the target's Deployment, which belongs to somebody else."""

from __future__ import annotations

from typing import Any

from feedbackloop.domain.children.common import Json


def template(deployment: Json) -> Json:
    """The pod template."""
    found: Json = deployment.get("spec", {}).get("template", {})
    return found


def container(deployment: Json, name: str) -> Json | None:
    """The container of that name."""
    containers: list[Json] = template(deployment).get("spec", {}).get("containers", [])
    return next((c for c in containers if c.get("name") == name), None)


def port_number(deployment: Json, container_name: str, port_name: str) -> int | None:
    """The number of the container's port of that name."""
    ports: list[Json] = (container(deployment, container_name) or {}).get("ports", [])
    return next((int(p["containerPort"]) for p in ports if p.get("name") == port_name), None)


def selector_keys(deployment: Json) -> frozenset[str]:
    """The label keys by which the Deployment finds its pods."""
    selector = deployment.get("spec", {}).get("selector", {})
    expressions: list[dict[str, Any]] = selector.get("matchExpressions", [])
    return frozenset(selector.get("matchLabels", {})) | frozenset(str(e["key"]) for e in expressions)


def selector(deployment: Json) -> dict[str, str]:
    """The same selection as equalities, as a Service needs it: the template's own values of the selector's keys."""
    labels: dict[str, str] = template(deployment).get("metadata", {}).get("labels", {})
    return {key: labels[key] for key in sorted(selector_keys(deployment)) if key in labels}


def replicas(deployment: Json) -> int:
    """The declared replicas."""
    return int(deployment.get("spec", {}).get("replicas", 1))


def container_names(deployment: Json) -> list[str]:
    """The names of all containers."""
    containers: list[Json] = template(deployment).get("spec", {}).get("containers", [])
    return [str(c["name"]) for c in containers]

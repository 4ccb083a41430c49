"""Every name that the operator derives: the same inputs give the same name, so what is created twice is found again.

Loop names have at most 35 characters, so that the names below fit a label value.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from feedbackloop.api.feedbackloop import PodOffset
from feedbackloop.api.improvement import Improvement

_HEX = 12
_LABEL_LIMIT = 63


def canonical_json(value: Any) -> str:
    """The one text of a value: sorted keys, no white space, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha256_hex(value: Any) -> str:
    """The sha256 of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def gateway(loop: str) -> str:
    """The StatefulSet, ServiceAccount, Role, RoleBinding, ConfigMap, NetworkPolicy and Service of the gateway."""
    return f"{loop}-gateway"


def gateway_pods(loop: str) -> str:
    """The headless Service through which the operator finds every gateway pod."""
    return f"{loop}-gateway-pods"


def log_claim(loop: str, ordinal: int = 0) -> str:
    """The volume claim of a gateway pod's log."""
    return f"log-{gateway(loop)}-{ordinal}"


def stable(loop: str) -> str:
    """The headless Service of the stable arm."""
    return f"{loop}-stable"


def canary(loop: str) -> str:
    """The canary's Deployment and its headless Service."""
    return f"{loop}-canary"


def host(service: str, namespace: str) -> str:
    """A Service's name in the cluster's DNS; without the cluster's domain, which is not ours to know."""
    return f"{service}.{namespace}.svc"


def run(
    *,
    loop: str,
    loop_uid: str,
    improvement: Improvement,
    champion_digest: str,
    cut: Iterable[PodOffset],
) -> str:
    """The ImprovementRun of these inputs: asking twice for the same attempt finds the first one."""
    inputs = {
        "loop": loop_uid,
        "improvement": improvement.to_wire(),
        "champion": champion_digest,
        "cut": sorted((c.to_wire() for c in cut), key=lambda c: str(c["pod"])),
    }
    return f"{loop}-{improvement.name}-{sha256_hex(inputs)[:_HEX]}"


def run_id(stage: str, inputs: Any) -> str:
    """The identity of a stage: equal inputs, equal results."""
    return f"{stage}-{sha256_hex(inputs)[:_HEX]}"


def job(loop: str, stage_run_id: str, attempt: int) -> str:
    """The Job of one attempt at a stage."""
    return f"{loop}-{stage_run_id}-a{attempt}"


def job_spec(loop: str, stage_run_id: str) -> str:
    """The immutable ConfigMap with the stage's spec.json."""
    return f"{loop}-{stage_run_id}-spec"


def storage_prefix(spec_prefix: str, loop_uid: str) -> str:
    """Where the loop's own objects lie in the bucket; a loop created again under its name inherits nothing."""
    return f"{spec_prefix}{loop_uid}/"


def run_path(prefix: str, stage_run_id: str) -> str:
    """The directory of a stage below the loop's prefix."""
    return f"{prefix}runs/{stage_run_id}/"


def dataset_path(prefix: str, digest: str) -> str:
    """The directory of a data set below the loop's prefix."""
    return f"{prefix}datasets/{digest.removeprefix('sha256:')}/"


def label_value(name: str) -> str:
    """The name as a label's value: whole when it fits, else its head and a digest of the whole."""
    if len(name) <= _LABEL_LIMIT:
        return name
    return f"{name[: _LABEL_LIMIT - _HEX - 1].rstrip('-._')}-{sha256_hex(name)[:_HEX]}"

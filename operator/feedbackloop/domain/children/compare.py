"""Is what was applied still there? So that a loop at rest makes no write.

An object of ours carries the digest of the body that was last applied: another digest means that
something is to be added or taken away. That the live object still contains the body finds drift.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from feedbackloop.api import GROUP
from feedbackloop.domain.children.common import Json
from feedbackloop.domain.naming import sha256_hex

ANNOTATION_APPLIED = f"{GROUP}/applied"
_MERGE_KEYS = ("name", "mountPath", "uid", "port", "containerPort")
_QUANTITY = re.compile(r"^([+-]?[0-9.]+)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$")
_SCALE = {
    "m": Decimal("0.001"),
    **{unit: Decimal(1000) ** power for power, unit in enumerate(("", "k", "M", "G", "T", "P", "E"))},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", start=1)},
}


def sealed(body: Json) -> Json:
    """The body with its own digest among its annotations."""
    meta = body["metadata"]
    annotations = {**meta.get("annotations", {}), ANNOTATION_APPLIED: sha256_hex(body)[:16]}
    return {**body, "metadata": {**meta, "annotations": annotations}}


def is_applied(live: Json | None, body: Json) -> bool:
    """Whether applying the sealed body would change nothing."""
    return live is not None and contains(live, body)


def contains(live: Any, wanted: Any) -> bool:
    """Whether every wanted field is there with that value; what else is there does not matter."""
    if isinstance(wanted, Mapping):
        return isinstance(live, Mapping) and all(contains(live.get(k), v) for k, v in wanted.items())
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        return isinstance(live, Sequence) and _contains_items(live, wanted)
    return bool(live == wanted) or _same_quantity(live, wanted)


def _contains_items(live: Sequence[Any], wanted: Sequence[Any]) -> bool:
    key = _merge_key(wanted)
    if key is None:
        return len(live) == len(wanted) and all(contains(a, b) for a, b in zip(live, wanted, strict=True))
    there = {item.get(key): item for item in live if isinstance(item, Mapping)}
    return all(contains(there.get(item[key]), item) for item in wanted)


def _merge_key(items: Sequence[Any]) -> str | None:
    if not items or not all(isinstance(item, Mapping) for item in items):
        return None
    # A mount's key is its path: several mounts may share the name of one volume.
    keys = ("mountPath",) if all("mountPath" in item for item in items) else _MERGE_KEYS
    return next((key for key in keys if all(key in item for item in items)), None)


def _same_quantity(live: Any, wanted: Any) -> bool:
    """The server rewrites quantities: `0.5` comes back as `500m`."""
    left, right = quantity(live), quantity(wanted)
    return left is not None and left == right


def quantity(value: Any) -> Decimal | None:
    """A Kubernetes quantity as a number; None for anything else."""
    match = _QUANTITY.match(value) if isinstance(value, str) else None
    if match is None or match[1].count(".") > 1 or not any(c.isdigit() for c in match[1]):
        return None
    return Decimal(match[1]) * _SCALE[match[2] or ""]

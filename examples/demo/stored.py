"""What object storage really holds, read with the loop's own key: the other half of `lost`."""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from examples.demo.record import load
from examples.demo.shell import Kubectl


@dataclass(frozen=True)
class Store:
    """How to reach the loop's data."""

    url: str
    access_key: str
    secret_key: str
    bucket: str
    prefix: str
    key: bytes


@dataclass
class Found:
    """Ids in storage; a duplicate is an id that is there twice."""

    events: Counter[str] = field(default_factory=Counter)
    outputs: Counter[str] = field(default_factory=Counter)
    bad_rows: Counter[str] = field(default_factory=Counter)

    @property
    def duplicates(self) -> int:
        return sum(n - 1 for ids in (self.events, self.outputs, self.bad_rows) for n in ids.values() if n > 1)


def secret(kubectl: Kubectl, name: str) -> dict[str, bytes]:
    found = kubectl.get("secret", name)
    if found is None:
        raise SystemExit(f"Secret {name} is not there; is the demo installed?")
    return {key: base64.b64decode(value) for key, value in found["data"].items()}


def lost(path: Path, found: Found) -> int:
    """Acknowledged ids that storage does not hold."""
    acknowledged = load(path)
    return (
        len(acknowledged["event"] - set(found.events))
        + len(acknowledged["output"] - set(found.outputs))
        + len(acknowledged["bad_row"] - set(found.bad_rows))
    )

"""The name of one thing to reconcile. A leaf: everything in the control plane may import it."""

from __future__ import annotations

from typing import NamedTuple


class Key(NamedTuple):
    """What the queue holds: never an object, only where to read it."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}"

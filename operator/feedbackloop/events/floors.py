"""Floors: where a pod's stored log begins after retention has taken its oldest part.

`events/<pod>/FLOOR` and `badrows/<pod>/FLOOR` are canonical JSON `{"first": n, "trainable": t}`: the first record
that is still there, and how many trainable signals came before it. A floor is raised before anything below
it is deleted, so that readers begin above what may be half gone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from feedbackloop.events.errors import EnvelopeError, ObjectMissing
from feedbackloop.events.objects import ObjectClient

NAME = "FLOOR"


@dataclass(frozen=True)
class Floor:
    """Where a stream begins."""

    first: int = 1
    trainable: int = 0
    """Trainable signals of the log before `first`."""

    def encode(self) -> bytes:
        return json.dumps({"first": self.first, "trainable": self.trainable}, separators=(",", ":")).encode()


def key_of(prefix: str, stream: str, pod: str) -> str:
    """The full key; `prefix` ends with `/`."""
    return f"{prefix}{stream}/{pod}/{NAME}"


def read(objects: ObjectClient, prefix: str, stream: str, pod: str) -> Floor:
    """The floor, 1 where nothing was ever swept. Raises EnvelopeError when it is malformed, StorageUnavailable."""
    key = key_of(prefix, stream, pod)
    try:
        return decode(objects.get(key), key)
    except ObjectMissing:
        return Floor()


def decode(data: bytes, key: str) -> Floor:
    """Raises EnvelopeError."""
    try:
        value = json.loads(data)
        floor = Floor(int(value["first"]), int(value.get("trainable", 0)))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise EnvelopeError(f"{key}: is not a floor") from None
    if floor.first < 1:
        raise EnvelopeError(f"{key}: is not a floor")
    return floor

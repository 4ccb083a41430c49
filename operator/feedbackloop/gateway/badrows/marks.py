"""Which bad rows were replayed: lists of their ids beside the rows, `badrows/<pod>/replayed/<uuid>.json`.

The ids are random and say nothing. In object storage, so that every pod knows what another one has replayed.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection

import msgspec

from feedbackloop.events.errors import ObjectMissing
from feedbackloop.events.objects import ObjectClient

_ids = msgspec.json.Decoder(list[str])
_encode = msgspec.json.Encoder().encode
_FOLDER = "/replayed/"


class Marks:
    """The marks, each object read once."""

    def __init__(self) -> None:
        self._known: dict[str, frozenset[str]] = {}

    def read(self, objects: ObjectClient, below: str) -> set[str]:
        """The ids of replayed rows. Raises StorageUnavailable."""
        keys = {key for key in objects.list(below) if _FOLDER in key}
        for key in keys - self._known.keys():
            try:
                self._known[key] = frozenset(_ids.decode(objects.get(key)))
            except (ObjectMissing, msgspec.MsgspecError):
                continue
        for key in self._known.keys() - keys:  # retention took it, and the rows
            del self._known[key]
        return {one for ids in self._known.values() for one in ids}

    def write(self, objects: ObjectClient, folder: str, ids: Collection[str]) -> None:
        """Raises StorageUnavailable."""
        objects.put_new(f"{folder}replayed/{uuid.uuid4().hex}.json", _encode(sorted(ids)))

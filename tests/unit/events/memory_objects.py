"""An object client in memory, for tests of what stands on top of one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from feedbackloop.events.errors import ObjectExists, ObjectMissing
from feedbackloop.events.objects import ObjectInfo


class MemoryObjects:
    """Implements `ObjectClient`."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_new(self, key: str, data: bytes) -> None:
        if key in self.objects:
            raise ObjectExists(key)
        self.objects[key] = data

    def put(self, key: str, data: bytes) -> None:
        self.objects[key] = data

    def get(self, key: str) -> bytes:
        if key not in self.objects:
            raise ObjectMissing(key)
        return self.objects[key]

    def head(self, key: str) -> ObjectInfo:
        data = self.get(key)
        return ObjectInfo(size=len(data), sha256=hashlib.sha256(data).hexdigest())

    def list(self, prefix: str) -> Iterator[str]:
        return iter(sorted(key for key in self.objects if key.startswith(prefix)))

"""An object client in memory, for tests of what stands on top of one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from feedbackloop.events.errors import ObjectExists, ObjectMissing
from feedbackloop.events.objects import NO_METADATA, ObjectInfo


class MemoryObjects:
    """Implements `ObjectClient`."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.metadata: dict[str, dict[str, str]] = {}

    def put_new(self, key: str, data: bytes, metadata: Mapping[str, str] = NO_METADATA) -> None:
        if key in self.objects:
            raise ObjectExists(key)
        self.objects[key], self.metadata[key] = data, dict(metadata)

    def put(self, key: str, data: bytes) -> None:
        self.objects[key] = data

    def get(self, key: str) -> bytes:
        if key not in self.objects:
            raise ObjectMissing(key)
        return self.objects[key]

    def head(self, key: str) -> ObjectInfo:
        data = self.get(key)
        return ObjectInfo(len(data), hashlib.sha256(data).hexdigest(), self.metadata.get(key, {}))

    def list(self, prefix: str) -> Iterator[str]:
        return iter(sorted(key for key in self.objects if key.startswith(prefix)))

"""An object client in memory, for tests of what stands on top of one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from feedbackloop.events.errors import ObjectChanged, ObjectExists, ObjectMissing
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

    def get_with_etag(self, key: str) -> tuple[bytes, str]:
        return self.get(key), self._etag(key)

    def put_if_match(self, key: str, data: bytes, etag: str | None) -> str:
        if (self._etag(key) if key in self.objects else None) != etag:
            raise ObjectChanged(key)
        self.put(key, data)
        return self._etag(key)

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    def _etag(self, key: str) -> str:
        return hashlib.sha256(self.objects[key]).hexdigest()

    def head(self, key: str) -> ObjectInfo:
        data = self.get(key)
        return ObjectInfo(len(data), hashlib.sha256(data).hexdigest(), self.metadata.get(key, {}))

    def list(self, prefix: str) -> Iterator[str]:
        return iter(sorted(key for key in self.objects if key.startswith(prefix)))

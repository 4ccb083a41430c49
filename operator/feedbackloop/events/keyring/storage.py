"""Where wrapped loop keys lie: below `<prefix>keys/` in object storage, and copies of the outer ones on a volume.

Inner keys are never copied: an old one must be gone for good when its object is.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from feedbackloop.events.errors import ObjectMissing, StorageUnavailable
from feedbackloop.events.keyring.blob import Blob, Family, KeyName
from feedbackloop.events.objects import AtomicClient

Connect = Callable[[], AtomicClient]
"""Gives a client of the keys' bucket. Raises StorageUnavailable while there is no credential."""


class KeyStorage:
    """The wrapped keys of one loop; `prefix` is `<spec prefix><loop uid>/`."""

    def __init__(self, connect: Connect, prefix: str, cache: Path | None = None) -> None:
        self.connect, self.prefix, self._cache = connect, prefix, cache

    def path(self, name: KeyName) -> str:
        return f"{self.prefix}keys/{name.ident}"

    def names(self, family: Family) -> list[KeyName]:
        """The stored versions, oldest first. Raises StorageUnavailable."""
        below = f"{self.prefix}keys/"
        found = (KeyName.parse(key.removeprefix(below)) for key in self.connect().list(f"{below}{family}/"))
        return sorted(name for name in found if name is not None)

    def cached_names(self) -> list[KeyName]:
        """The outer keys that the volume has copies of."""
        if self._cache is None or not self._cache.is_dir():
            return []
        found = (KeyName.parse(path.name.replace("-", "/")) for path in self._cache.iterdir())
        return sorted(name for name in found if name is not None)

    def create(self, name: KeyName, blob: Blob) -> None:
        """Creates a key once. Raises ObjectExists when another was first, StorageUnavailable."""
        self.connect().put_new(self.path(name), blob.encode())
        self._remember(name, blob)

    def read(self, name: KeyName) -> Blob:
        """From object storage. Raises ObjectMissing, StorageUnavailable."""
        blob = Blob.decode(self.connect().get(self.path(name)), name.ident)
        self._remember(name, blob)
        return blob

    def cached(self, name: KeyName) -> Blob | None:
        """The volume's copy."""
        path = self._copy(name)
        if path is None or not path.is_file():
            return None
        return Blob.decode(path.read_bytes(), name.ident)

    def replace(self, name: KeyName, change: Callable[[Blob], Blob]) -> bool:
        """Changes a stored key by compare-and-swap; whether it was different. Raises ObjectChanged, ObjectMissing."""
        client = self.connect()
        data, etag = client.get_with_etag(self.path(name))
        before = Blob.decode(data, name.ident)
        after = change(before)
        if after == before:
            return False
        client.put_if_match(self.path(name), after.encode(), etag)
        self._remember(name, after)
        return True

    def destroy(self, name: KeyName) -> None:
        """Deletes an inner key, verified. Raises StorageUnavailable, also when it is still there."""
        client = self.connect()
        client.delete(self.path(name))
        with contextlib.suppress(ObjectMissing):
            client.get(self.path(name))
            raise StorageUnavailable("NotDeleted")

    def _copy(self, name: KeyName) -> Path | None:
        if self._cache is None or name.family is not Family.OUTER:
            return None
        return self._cache / name.ident.replace("/", "-")

    def _remember(self, name: KeyName, blob: Blob) -> None:
        path = self._copy(name)
        if path is None or self.cached(name) == blob:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(".new")
        with scratch.open("wb") as file:
            file.write(blob.encode())
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)

"""The loop's secret, which all pods share: `keys/secret` in object storage, created once, wrapped by the root key.

A volume keeps a copy of the object (`shared-secret`), so that it starts again while object storage is away. The
volume of an older version has a secret of its own (`secret`): the first pod publishes it when none is there; where
another one is there, it is kept to open the tokens that were given out under it.

Only the pod with ordinal 0 creates the secret. It may have one of an older version to publish, and the others, which
are new, must not be faster than that.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from feedbackloop.events import keys
from feedbackloop.events.errors import ObjectExists, ObjectMissing
from feedbackloop.events.objects import ObjectClient
from feedbackloop.gateway.disk import Disk, replace_file

SHARED, OWN = "shared-secret", "secret"


class NotYet(Exception):  # noqa: N818
    """The pod must wait; the message says for what."""


@dataclass(frozen=True, repr=False)
class LoopSecret:
    """The secret that everything is derived from, and the one of an older version's volume, if it was another."""

    current: bytes
    former: bytes | None = None


@dataclass(frozen=True)
class SecretStore:
    """Where the secret lies: on the volume, and below the loop's prefix in the bucket of keys."""

    root: Path
    disk: Disk
    kek: keys.Kek
    loop_uid: str
    prefix: str

    @property
    def key(self) -> str:
        return f"{self.prefix}keys/secret"

    @property
    def _purpose(self) -> bytes:
        return f"loop-secret/{self.loop_uid}".encode()

    def cached(self) -> LoopSecret | None:
        """What the volume knows; None until the pods have agreed. Raises EnvelopeError for another root key."""
        current = self._read(SHARED)
        return None if current is None else self._with_own(current)

    def agree(self, objects: ObjectClient, *, create: bool) -> LoopSecret:
        """The secret in object storage, created when there is none. Blocks. Raises NotYet, StorageUnavailable,
        EnvelopeError."""
        try:
            wrapped = objects.get(self.key)
        except ObjectMissing:
            if not create:
                raise NotYet("the first gateway pod has not created the loop's secret yet") from None
            wrapped = self._create(objects)
        current = keys.unwrap(self.kek, wrapped, self._purpose)
        replace_file(self.root / SHARED, wrapped, self.disk)
        return self._with_own(current)

    def _create(self, objects: ObjectClient) -> bytes:
        secret = self._read(OWN) or os.urandom(keys.KEY_BYTES)
        # It exists: an earlier attempt, whose answer was lost.
        with contextlib.suppress(ObjectExists):
            objects.put_new(self.key, keys.wrap(self.kek, secret, self._purpose))
        # What is there is the truth, whatever the answer said.
        return objects.get(self.key)

    def _with_own(self, current: bytes) -> LoopSecret:
        own = self._read(OWN)
        return LoopSecret(current, own if own != current else None)

    def _read(self, name: str) -> bytes | None:
        try:
            wrapped = (self.root / name).read_bytes()
        except FileNotFoundError:
            return None
        return keys.unwrap(self.kek, wrapped, self._purpose)

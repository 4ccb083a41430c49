"""A loop's keys over memory, with a root that can be taken away."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from feedbackloop.events.errors import KeyServiceUnavailable, StorageUnavailable
from feedbackloop.events.keyring.keyring import Keyring
from feedbackloop.events.keyring.root import Root
from feedbackloop.events.keyring.roots import Roots
from feedbackloop.events.keyring.secret import SecretRoot
from feedbackloop.events.keyring.storage import KeyStorage
from feedbackloop.events.objects import AtomicClient
from tests.unit.events.memory_objects import MemoryObjects

UID, PREFIX = "uid-1", "team/uid-1/"
RAW = bytes(range(32))


class Service:
    """A root key of a service: its raw key is not ours to use, and it may be away."""

    def __init__(self, raw: bytes = RAW) -> None:
        self._root, self.away, self.calls = SecretRoot(raw), False, 0

    @property
    def ident(self) -> str:
        return self._root.ident.replace("secret", "service")

    def wrap(self, plain: bytes, context: Mapping[str, str]) -> bytes:
        return self._here().wrap(plain, context)

    def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        return self._here().unwrap(wrapped, context)

    def _here(self) -> SecretRoot:
        self.calls += 1
        if self.away:
            raise KeyServiceUnavailable("Away")
        return self._root


class Loop:
    """What the processes of one loop share. `away` takes object storage away from all of them."""

    def __init__(self) -> None:
        self.objects, self.away, self.now = MemoryObjects(), False, 0.0

    def connect(self) -> AtomicClient:
        if self.away:
            raise StorageUnavailable("Away")
        return self.objects

    def keyring(
        self, root: Root | None = None, *, previous: tuple[Root, ...] = (), cache: Path | None = None
    ) -> Keyring:
        """A process's keyring, started."""
        roots = Roots(root or SecretRoot(RAW), UID, previous)
        return Keyring(roots, KeyStorage(self.connect, PREFIX, cache), UID, lambda: self.now).start()

    def names(self, below: str = "") -> list[str]:
        return [key.removeprefix(f"{PREFIX}keys/") for key in self.objects.list(f"{PREFIX}keys/{below}")]

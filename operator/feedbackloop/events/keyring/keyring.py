"""The loop keys at work: a Kek that finds keys by id, takes up new versions and drops destroyed ones."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable

from feedbackloop.events import keys
from feedbackloop.events.errors import (
    EnvelopeError,
    KeyMissing,
    KeyRefused,
    ObjectExists,
    ObjectMissing,
    StorageUnavailable,
)
from feedbackloop.events.keyring.blob import Blob, Family, KeyName
from feedbackloop.events.keyring.roots import Roots
from feedbackloop.events.keyring.storage import KeyStorage
from feedbackloop.events.keyring.subjects import Subjects
from feedbackloop.events.keys import Kek

logger = logging.getLogger(__name__)


class Keyring(Kek):
    """The keys of one loop. Usable by several threads; all but `current` may block on storage or the root's service."""

    def __init__(self, roots: Roots, storage: KeyStorage, loop_uid: str, clock: Callable[[], float] = time.monotonic,
                 renew: Callable[[], Roots] | None = None) -> None:  # fmt: skip
        """`renew` gives the roots as they are configured by now; it is asked at every refresh."""
        self.roots, self.storage, self.loop_uid = roots, storage, loop_uid
        self._clock, self._renew = clock, renew or (lambda: roots)
        self._opened: dict[KeyName, bytes] = {}
        self._created: dict[KeyName, int] = {}
        self._outer = self._inner = 0
        self._refreshed = float("-inf")
        self._lock = threading.RLock()
        self._subjects: Subjects | None = None

    def start(self) -> Keyring:
        """Finds the current keys, and makes the first ones of a new loop.

        While storage is away, the volume's copies of the outer keys do; inner keys are then found later.
        Raises StorageUnavailable, KeyServiceUnavailable (both: try again), KeyRefused.
        """
        try:
            self.refresh()
        except StorageUnavailable:
            copies = self.storage.cached_names()
            if not copies:
                raise
            self._take(copies[-1])
        return self

    @property
    def subjects(self) -> Subjects:
        if self._subjects is None:
            with self._lock:
                self._subjects = self._subjects or Subjects(self, self._clock)
        return self._subjects

    @property
    def current(self) -> str:
        return KeyName(Family.OUTER, self._outer).ident

    def key(self, ident: str) -> bytes:
        """Raises EnvelopeError for one that the loop does not have, StorageUnavailable, KeyServiceUnavailable."""
        name = KeyName(Family.OUTER, 0) if ident == keys.RAW else KeyName.parse(ident)
        if name is None or name.family is not Family.OUTER:
            raise EnvelopeError(f"it is under a key that is no data key: {ident[:40]!r}")
        return self._opened.get(name) or self._open(name)

    def inner(self, number: int) -> bytes:
        """An inner key. Raises as `key`."""
        name = KeyName(Family.INNER, number)
        return self._opened.get(name) or self._open(name)

    def newest_inner(self, max_age: float = 0.0) -> tuple[int, bytes]:
        """The inner key that rows are to be written under, from a look at storage at most `max_age` seconds ago."""
        if not self._inner or self._clock() - self._refreshed > max_age:
            self.refresh()
        return self._inner, self.inner(self._inner)

    def created(self, family: Family) -> int:
        """When the newest version was made, Unix seconds; 0 when that is not known."""
        number = self._outer if family is Family.OUTER else self._inner
        return self._created.get(KeyName(family, number), 0)

    def refresh(self) -> None:
        """Takes up new versions and forgets inner keys that were destroyed. Raises as `start`."""
        with self._lock:
            self.roots = self._renew()
            for family in Family:
                names = self.storage.names(family) or [self._first(family)]
                self._forget(family, names)
                self._take(names[-1])
            self._renew_copies()
            self._refreshed = self._clock()

    def add(self, family: Family) -> str:
        """A new version, which is the current one from now on; its id. No error when another pod was first."""
        with self._lock:
            self.refresh()
            number = self._outer if family is Family.OUTER else self._inner
            name = KeyName(family, number + 1)
            self._create(name)
            self.refresh()
            return name.ident

    def _first(self, family: Family) -> KeyName:
        """The first key of a new loop. Its keys lost while its data is there: refused, a person must look."""
        name = KeyName(family, 1)
        copies = [copy for copy in self.storage.cached_names() if copy.family is family]
        if copies:
            for copy in copies:
                self._restore(copy)
            return copies[-1]
        if self.roots.raw() is None and next(self.storage.connect().list(f"{self.storage.prefix}events/"), None):
            raise KeyRefused("the loop has events but no keys: bring back the objects below keys/")
        self._create(name)
        return name

    def _restore(self, name: KeyName) -> None:
        if blob := self.storage.cached(name):
            logger.error("keys/%s was gone from object storage: written again from the volume's copy", name.ident)
            self._put(name, blob)

    def _create(self, name: KeyName) -> None:
        self._put(name, self.roots.wrap(name, os.urandom(keys.KEY_BYTES)))

    def _put(self, name: KeyName, blob: Blob) -> None:
        try:
            self.storage.create(name, blob)
        except ObjectExists:
            logger.info("keys/%s exists already", name.ident)

    def _take(self, name: KeyName) -> None:
        """Makes a version the current one of its family."""
        if name not in self._opened or name not in self._created:
            self._open(name)
        if name.family is Family.OUTER:
            self._outer = name.number
        else:
            self._inner = name.number

    def _forget(self, family: Family, names: list[KeyName]) -> None:
        if family is Family.INNER:
            for gone in [name for name in self._opened if name.family is family and name not in names]:
                del self._opened[gone]

    def _renew_copies(self) -> None:
        """After a change of the root, another pod has rewrapped what the volume has copies of."""
        for name in self.storage.cached_names():
            copy = self.storage.cached(name)
            if copy is not None and copy.root != self.roots.current.ident:
                self.storage.read(name)

    def _open(self, name: KeyName) -> bytes:
        with self._lock:
            try:
                blob = self._blob(name)
            except (ObjectMissing, StorageUnavailable) as error:
                return self._raw(name, error)
            key = self.roots.unwrap(name, blob)
            self._opened[name], self._created[name] = key, blob.created
            return key

    def _blob(self, name: KeyName) -> Blob:
        """The volume's copy first: it is there when nothing else is."""
        copy = self.storage.cached(name)
        return copy if copy is not None and self.roots.knows(copy.root) else self.storage.read(name)

    def _raw(self, name: KeyName, error: ObjectMissing | StorageUnavailable) -> bytes:
        """Outer 0 where it was never stored: the raw root key itself."""
        raw = self.roots.raw() if name == KeyName(Family.OUTER, 0) else None
        if raw is not None:
            return raw
        if isinstance(error, StorageUnavailable):
            raise error
        raise KeyMissing(f"the loop has no key {name.ident}") from None

"""The root keys of a loop: the one that wraps, and those of before that may still unwrap."""

from __future__ import annotations

import time
from collections.abc import Sequence

from feedbackloop.events import keys
from feedbackloop.events.errors import KeyRefused
from feedbackloop.events.keyring.blob import Blob, KeyName
from feedbackloop.events.keyring.root import Root
from feedbackloop.events.keyring.secret import SecretRoot


class Roots:
    """Only roots that were configured ever open a key: what a stored key says of itself is no reason to trust it."""

    def __init__(self, current: Root, loop_uid: str, previous: Sequence[Root] = ()) -> None:
        self.current, self._uid = current, loop_uid
        self._by_ident = {root.ident: root for root in (*previous, current)}

    def also(self, previous: Root) -> None:
        """From now on this one may unwrap, too."""
        self._by_ident = {previous.ident: previous} | self._by_ident

    def raw(self) -> bytes | None:
        """The raw key of what was written before loops had keys: the oldest configured Secret."""
        return next((root.raw for root in self._by_ident.values() if isinstance(root, SecretRoot)), None)

    def retired_raw(self) -> bytes | None:
        """That key, when its Secret is not the root any more."""
        raw = self.raw()
        return None if isinstance(self.current, SecretRoot) and raw == self.current.raw else raw

    def knows(self, ident: str) -> bool:
        """Whether that root is configured."""
        return ident in self._by_ident

    def wrap(self, name: KeyName, key: bytes, created: int | None = None) -> Blob:
        """Raises KeyServiceUnavailable, KeyRefused."""
        wrapped = self.current.wrap(key, name.context(self._uid))
        return Blob(self.current.ident, wrapped, int(time.time()) if created is None else created)

    def unwrap(self, name: KeyName, blob: Blob) -> bytes:
        """Raises KeyServiceUnavailable; KeyRefused when no configured root opens it."""
        root = self._by_ident.get(blob.root)
        if root is None:
            raise KeyRefused(
                f"keys/{name.ident} is under the root key {blob.root[:120]!r}, configured is {self.current.ident!r}:"
                " name the key of before as `previous` in the Secret, or run `feedbackloop keys rewrap`"
            )
        key = root.unwrap(blob.wrapped, name.context(self._uid))
        if len(key) != keys.KEY_BYTES:
            raise KeyRefused(f"keys/{name.ident} does not hold a key")
        return key

    def rewrapped(self, name: KeyName, blob: Blob) -> Blob:
        """The same key under the current root; as it is when it is there already."""
        if blob.root == self.current.ident:
            return blob
        return self.wrap(name, self.unwrap(name, blob), blob.created)

"""A root key of 32 raw bytes in a Secret: AES-256-GCM, by ourselves."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from feedbackloop.events import keys
from feedbackloop.events.errors import KeyRefused, KeyServiceUnavailable
from feedbackloop.events.keyring.context import canonical


class SecretRoot:
    """Always there: the kubelet mounted it."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        """Also the KEK of what was written before loops had keys of their own (`keys.RAW`)."""
        self._aead = AESGCM(keys.derive(raw, "root"))

    @classmethod
    def read(cls, path: Path) -> SecretRoot:
        """The key of a file. Raises KeyServiceUnavailable when it is absent, KeyRefused for another length."""
        try:
            raw = path.read_bytes()
        except OSError:
            raise KeyServiceUnavailable("NoKey") from None
        if len(raw) != keys.KEY_BYTES:
            raise KeyRefused(f"secret kek: {path.name} has {len(raw)} bytes; it must be {keys.KEY_BYTES} raw bytes")
        return cls(raw)

    @property
    def ident(self) -> str:
        return f"secret:{keys.derive(self.raw, 'root-id')[:8].hex()}"

    def wrap(self, plain: bytes, context: Mapping[str, str]) -> bytes:
        nonce = os.urandom(keys.NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, plain, canonical(context))

    def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        nonce, sealed = wrapped[: keys.NONCE_BYTES], wrapped[keys.NONCE_BYTES :]
        try:
            return self._aead.decrypt(nonce, sealed, canonical(context))
        except (InvalidTag, ValueError):
            raise KeyRefused("the root key does not open it: another key or context, or altered") from None

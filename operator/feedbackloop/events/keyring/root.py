"""The root key behind one small interface, wherever it is.

A root wraps the few keys of a loop and nothing else. What it wrapped opens only with the same context.
Next to the root's own files, `secrets/kek` may hold `previous`: the key that was the root before (32 raw
bytes of a Secret, a KMS key id, the name of a Transit key). It only unwraps, until everything was rewrapped.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from feedbackloop.api.gateway import KeyService, RootKeyType
from feedbackloop.events.keyring.aws import KmsRoot
from feedbackloop.events.keyring.secret import SecretRoot
from feedbackloop.events.keyring.transit import TransitRoot

PREVIOUS = "previous"


class Root(Protocol):
    """One root key. Calls block: they may go over the network."""

    @property
    def ident(self) -> str:
        """Names this key among all root keys; not secret."""

    def wrap(self, plain: bytes, context: Mapping[str, str]) -> bytes:
        """At most 4 096 bytes, wrapped. Raises KeyServiceUnavailable, KeyRefused."""

    def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        """What `wrap` got. Raises KeyServiceUnavailable; KeyRefused for another key or context, or altered bytes."""


def open_root(service: KeyService, directory: Path) -> Root:
    """The root key of a loop; `directory` is its mounted Secret. Raises KeyRefused for a malformed key file."""
    match service.type:
        case RootKeyType.SECRET:
            return SecretRoot.read(directory / "key")
        case RootKeyType.AWS_KMS:
            return KmsRoot(service.url, service.region, service.key, directory)
        case RootKeyType.VAULT_TRANSIT:
            return TransitRoot(service.url, service.mount, service.key, directory)


def open_previous(service: KeyService, directory: Path) -> Root | None:
    """The root key before this one, of the same kind, None when the Secret does not name one."""
    path = directory / PREVIOUS
    if not path.is_file():
        return None
    if service.type is RootKeyType.SECRET:
        return SecretRoot.read(path)
    return open_root(service.model_copy(update={"key": path.read_text().strip()}), directory)

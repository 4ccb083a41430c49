"""Data sets in object storage: files first, the manifest last, all named by the manifest's digest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from feedbackloop.jobs import canonical
from feedbackloop.jobs.errors import InvalidDataset
from feedbackloop.jobs.vault import Vault

MANIFEST = "manifest.json"


class File(Struct, frozen=True):
    path: str
    sha256: str
    size: int


class Manifest(Struct, frozen=True, rename={"schema_version": "schemaVersion"}):
    schema_version: int
    config_digest: str
    files: tuple[File, ...]
    counts: dict[str, Any] = {}
    ledger: dict[str, dict[str, Any]] = {}
    """How far the consent ledgers went that decided about it, by their origin."""


def prefix(digest: str) -> str:
    return f"datasets/{canonical.hex_of(digest)}/"


def write(vault: Vault, files: Mapping[str, bytes], manifest: bytes) -> str:
    """Store a data set unless it is there; its digest. A half-written one of an earlier attempt is
    completed: the same digest means the same files."""
    digest = canonical.digest(manifest)
    below = prefix(digest)
    if vault.get(below + MANIFEST) == manifest:
        return digest
    for path, content in files.items():
        vault.put(below + path, content)
    if not vault.create(below + MANIFEST, manifest) and vault.get(below + MANIFEST) != manifest:
        raise InvalidDataset(f"{below}{MANIFEST}: other content lies under this digest")
    return digest


def read(vault: Vault, digest: str, *paths: str) -> dict[str, bytes]:
    """Files of a data set (all, unless some are named), each exactly what the manifest says."""
    manifest = read_manifest(vault, digest)
    wanted = [file for file in manifest.files if not paths or file.path in paths]
    missing = set(paths) - {file.path for file in wanted}
    if missing:
        raise InvalidDataset(f"data set {digest}: its manifest lists no {', '.join(sorted(missing))}")
    return {file.path: _file(vault, prefix(digest) + file.path, file) for file in wanted}


def read_manifest(vault: Vault, digest: str) -> Manifest:
    data = vault.get(prefix(digest) + MANIFEST)
    if data is None:
        raise InvalidDataset(f"data set {digest}: is not in object storage")
    if canonical.digest(data) != digest:
        raise InvalidDataset(f"data set {digest}: the manifest has digest {canonical.digest(data)}")
    return msgspec.json.decode(data, type=Manifest)


def _file(vault: Vault, key: str, file: File) -> bytes:
    content = vault.get(key)
    if content is None or canonical.sha256(content) != file.sha256:
        raise InvalidDataset(f"{key}: {'is missing' if content is None else 'is not what the manifest says'}")
    return content

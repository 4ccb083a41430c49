"""A model artefact: a directory of safetensors and text, named by the digest of its manifest.

`manifest.json` is canonical JSON `[{"path","sha256","size"}]` ordered by path; its sha256 is the model's
digest. It is uploaded last, so an artefact that has one is whole, and nothing below a digest ever
changes. Formats that can run code when they are loaded are refused at both ends.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from feedbackloop.api.feedbackloop import Model
from feedbackloop.jobs import canonical
from feedbackloop.jobs.storage import Store

MANIFEST = "manifest.json"
SUFFIXES = frozenset({".safetensors", ".json", ".jinja", ".txt", ".model", ".md", ""})
MAX_FILES = 1000
MAX_BYTES = 1 << 40
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


class ArtefactError(Exception):
    """The directory or the stored artefact is not a model artefact, or not the one that was asked for."""


class Entry(NamedTuple):
    """One file of the manifest."""

    path: str
    sha256: str
    size: int


def describe(directory: Path) -> tuple[Entry, ...]:
    """The manifest of a model directory."""
    paths = sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())
    _check_paths(path for path in paths if path != MANIFEST)
    entries = (_entry(directory, path) for path in paths if path != MANIFEST)
    return tuple(entries)


def encode(entries: Iterable[Entry]) -> bytes:
    """The bytes of `manifest.json`."""
    return canonical.encode([entry._asdict() for entry in sorted(entries)])


def decode(data: bytes) -> tuple[Entry, ...]:
    """The entries of a manifest whose digest was checked; still nothing in it may leave the directory."""
    try:
        entries = tuple(Entry(str(e["path"]), str(e["sha256"]), int(e["size"])) for e in json.loads(data))
    except (ValueError, TypeError, KeyError) as error:
        raise ArtefactError(f"{MANIFEST}: {type(error).__name__}") from None
    _check_paths(entry.path for entry in entries)
    if sum(entry.size for entry in entries) > MAX_BYTES or any(entry.size < 0 for entry in entries):
        raise ArtefactError(f"{MANIFEST}: more than {MAX_BYTES} bytes")
    return entries


def locate(store: Store, name: str, digest: str) -> Model:
    """Where the artefact `digest` of the registered model `name` belongs."""
    return Model(uri=f"s3://{store.bucket}/{name}/{canonical.hex_of(digest)}/", digest=digest)


def at(store: Store, uri: str) -> Store:
    """The store below a model's URI, with the credentials of `store`."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    return Store(store.client, bucket, prefix)


def push(store: Store, name: str, directory: Path) -> Model:
    """Upload a directory; again is harmless, and another artefact is never touched."""
    entries = describe(directory)
    manifest = encode(entries)
    model = locate(store, name, canonical.digest(manifest))
    target = at(store, model.uri)
    if target.get(MANIFEST) == manifest:
        return model
    for entry in entries:
        target.upload(directory / entry.path, entry.path)
    if not target.create(MANIFEST, manifest) and target.get(MANIFEST) != manifest:
        raise ArtefactError(f"{model.uri}{MANIFEST}: holds other bytes than its name says; remove it")
    return model


def fetch(store: Store, model: Model, into: Path) -> None:
    """Download an artefact and verify every byte; files that are right already stay."""
    source = at(store, model.uri)
    manifest = source.get(MANIFEST)
    if manifest is None:
        raise ArtefactError(f"{model.uri}: there is no {MANIFEST}; push the model again")
    found = canonical.digest(manifest)
    if found != model.digest:
        raise ArtefactError(f"{model.uri}{MANIFEST}: the digest is {found}, wanted is {model.digest}")
    into.mkdir(parents=True, exist_ok=True)
    for entry in decode(manifest):
        _fetch_file(source, entry, into / entry.path)
    (into / MANIFEST).write_bytes(manifest)


def _fetch_file(source: Store, entry: Entry, path: Path) -> None:
    if path.is_file() and _hash(path) == (entry.sha256, entry.size):
        return
    partial = path.with_name(f"{path.name}.partial")
    if not source.download(entry.path, partial):
        raise ArtefactError(f"{entry.path}: is missing; push the model again")
    if _hash(partial) != (entry.sha256, entry.size):
        partial.unlink()
        raise ArtefactError(f"{entry.path}: its bytes do not match the manifest")
    partial.replace(path)


def _entry(directory: Path, path: str) -> Entry:
    return Entry(path, *_hash(directory / path))


def _hash(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size


def _check_paths(paths: Iterable[str]) -> None:
    known = sorted(paths)
    for path in known:
        if len(path) > 200 or not all(_PART.fullmatch(part) for part in path.split("/")):
            raise ArtefactError(f"{path!r}: paths are relative, of letters, digits and ._- only")
        if PurePosixPath(path).suffix not in SUFFIXES:
            raise ArtefactError(f"{path}: only safetensors and text files are accepted; others can run code when read")
    if len(known) > MAX_FILES:
        raise ArtefactError(f"{len(known)} files; at most {MAX_FILES} are accepted")
    if "config.json" not in known or not any(path.endswith(".safetensors") for path in known):
        raise ArtefactError("not a model directory: it needs config.json and a .safetensors file")

"""The pod's ledger: consent and audit records of a segment as one signed file that continues the chain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from feedbackloop.events import codec
from feedbackloop.events.errors import FrameError
from feedbackloop.events.ledger.chain import File, Head, Signer, file_of
from feedbackloop.events.ledger.entries import content_of
from feedbackloop.events.ledger.reading import FOLDER, Newest, newest
from feedbackloop.events.objects import ObjectClient
from feedbackloop.gateway.checkpoint import LedgerPosition


@dataclass(frozen=True)
class LedgerWriter:
    """Continues the ledger of `pod` after `position`."""

    pod: str
    signer: Signer
    position: LedgerPosition
    stored: Newest | None = None
    """The last file there is, when `position` was not remembered but looked up."""

    def file(self, entries: Iterable[bytes], first: int) -> tuple[File | None, LedgerPosition]:
        """The file of the log's entries (codec bytes) from number `first` on, None when nothing in them belongs
        into a ledger, and where the chain then ends."""
        contents = [content for content in map(_content, entries, count(first)) if content is not None]
        file = self._again(contents) or self._made(contents, Head(self.position.seq, self.position.hash))
        return file, LedgerPosition(file.head.seq, file.head.hash) if file is not None else self.position

    def _again(self, contents: Sequence[dict[str, Any]]) -> File | None:
        """The stored file, when it is of these very entries: its upload was not remembered before a crash."""
        if self.stored is None:
            return None
        file = self._made(contents, self.stored.before)
        return file if file is not None and file.data == self.stored.data else None

    def _made(self, contents: Sequence[dict[str, Any]], before: Head) -> File | None:
        return file_of(contents, before, origin=self.pod, signer=self.signer)

    def key(self, prefix: str, name: str) -> str:
        """Where a file belongs."""
        return f"{prefix}{FOLDER}/{self.pod}/{name}"


def found(objects: ObjectClient, prefix: str, pod: str, signer: Signer) -> LedgerWriter:
    """A writer that asked object storage where the ledger ends. Blocks. Raises LedgerBroken, StorageUnavailable."""
    stored = newest(objects, prefix, pod, signer.public_key)
    return LedgerWriter(pod, signer, LedgerPosition(stored.head.seq, stored.head.hash), stored)


def _content(entry: bytes, number: int) -> dict[str, Any] | None:
    try:
        return content_of(codec.decode(entry), number)
    except FrameError:
        return None

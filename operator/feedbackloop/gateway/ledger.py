"""The pod's ledger: consent and audit records of a segment as one signed file that continues the chain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from typing import Any

from feedbackloop.events import codec
from feedbackloop.events.errors import FrameError
from feedbackloop.events.ledger import reading
from feedbackloop.events.ledger.chain import File, Head, Signer, file_of
from feedbackloop.events.ledger.entries import content_of
from feedbackloop.events.objects import ObjectClient
from feedbackloop.gateway.checkpoint import LedgerPosition


@dataclass(frozen=True)
class LedgerWriter:
    """Continues the ledger of `pod` after `position`."""

    pod: str
    signer: Signer
    position: LedgerPosition

    def file(self, entries: Iterable[bytes], first: int) -> tuple[File | None, LedgerPosition]:
        """The file of the log's entries (codec bytes) from number `first` on, None when nothing in them belongs
        into a ledger, and where the chain then ends."""
        before = Head(self.position.seq, self.position.hash)
        contents = [content for content in map(_content, entries, count(first)) if content is not None]
        file = file_of(contents, before, origin=self.pod, signer=self.signer)
        return file, LedgerPosition(file.head.seq, file.head.hash) if file is not None else self.position

    def key(self, prefix: str, name: str) -> str:
        """Where a file belongs."""
        return f"{prefix}{reading.FOLDER}/{self.pod}/{name}"


def stored_position(objects: ObjectClient, prefix: str, pod: str, signer: Signer) -> LedgerPosition:
    """Where the pod's ledger ends in object storage. Blocks. Raises LedgerBroken, StorageUnavailable."""
    head = reading.newest_head(objects, prefix, pod, signer.public_key)
    return LedgerPosition(head.seq, head.hash)


def _content(entry: bytes, number: int) -> dict[str, Any] | None:
    try:
        return content_of(codec.decode(entry), number)
    except FrameError:
        return None

"""A segment's entries between the two layers: sealed under their subjects' keys when they are stored, opened when read.

Records of a subject (interactions, feedback, shadow pairs, bad rows) are sealed. Consent and audit entries are not:
they hold pseudonyms and no content, and have to outlive an erasure as its proof.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from feedbackloop.events import codec, sealing
from feedbackloop.events.errors import EnvelopeError
from feedbackloop.events.keyring.subjects import Keys, UnknownSubjectKey
from feedbackloop.events.keyring.table import Row
from feedbackloop.events.keys import Kek
from feedbackloop.events.records import (
    AuditRecord,
    BadRow,
    ConsentRecord,
    ErasedRecord,
    FeedbackRecord,
    InteractionRecord,
    LostRecord,
    ShadowPairRecord,
)

UNSEALED = ConsentRecord | AuditRecord | LostRecord | ErasedRecord
"""What stays under the outer layer alone."""
ERASED = codec.encode(ErasedRecord())
EPOCH_SECONDS = 2_592_000
"""How long a subject's key is used, unless the loop says otherwise."""


def row_of(record: object, epoch_seconds: int = EPOCH_SECONDS) -> Row | None:
    """Under which key a log entry is to be sealed; None for one that stays under the outer layer alone.

    The epoch is counted from the record's own time, so that packing the same record twice asks for the same key.
    """
    if isinstance(record, FeedbackRecord | InteractionRecord | ShadowPairRecord | BadRow) and record.subject:
        return record.subject, record.received_at // (epoch_seconds * 1000)
    return None


def seal(entries: Sequence[bytes], rows: Sequence[Row | None], *, kek: Kek, at: bytes, first: int) -> list[bytes]:
    """The entries `first`… of a stream under their rows' keys; `at` is `sealing.place(…)`.

    An entry of an erased subject becomes an ErasedRecord here. Without a keyring everything stays in format 1.
    Raises StorageUnavailable, KeyServiceUnavailable.
    """
    if kek.subjects is None:
        return list(entries)
    keys = kek.subjects.for_sealing(row for row in rows if row is not None)
    compress, nonces = sealing.compressor(), os.urandom(sealing.NONCE_BYTES * len(entries))
    sealed = []
    for index, (entry, row) in enumerate(zip(entries, rows, strict=True)):
        if row is None:
            sealed.append(entry)
        elif (key := keys[row]) is None:
            sealed.append(ERASED)
        else:
            nonce = nonces[index * sealing.NONCE_BYTES : (index + 1) * sealing.NONCE_BYTES]
            sealed.append(sealing.seal(entry, key, nonce, at, first + index, compress))
    return sealed


def unseal(entries: Sequence[bytes], *, kek: Kek, at: bytes, first: int, key: str) -> list[bytes]:
    """The entries in format 1, `ERASED` for those of erased subjects. `key` is the object's, for errors.

    Raises EnvelopeError for a record that does not open in its place, or whose key is gone without a tombstone;
    StorageUnavailable, KeyServiceUnavailable.
    """
    if not any(map(sealing.is_sealed, entries)):
        return list(entries)
    if kek.subjects is None:
        raise EnvelopeError(f"{key}: its records are under subject keys, which only the loop's keyring finds")
    rows = [sealing.row_of(entry) if sealing.is_sealed(entry) else None for entry in entries]
    try:
        return _opened(entries, rows, kek.subjects.for_opening(row for row in rows if row is not None), at, first)
    except (UnknownSubjectKey, EnvelopeError) as error:
        raise EnvelopeError(f"{key}: {error}") from None


def _opened(entries: Sequence[bytes], rows: Sequence[Row | None], keys: Keys, at: bytes, first: int) -> list[bytes]:
    decompress = sealing.decompressor()
    opened = []
    for seq, (entry, row) in enumerate(zip(entries, rows, strict=True), first):
        if row is None:
            opened.append(entry)
        elif (subject := keys[row]) is None:
            opened.append(ERASED)
        else:
            opened.append(sealing.unseal(entry, subject, at, seq, decompress))
    return opened

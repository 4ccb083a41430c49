"""Log entries that are no records: what the counters need to be rebuilt exactly, and no job reads."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from feedbackloop.events.errors import FrameError
from feedbackloop.events.records import Serving


class Outcome(Struct, frozen=True, array_like=True):
    """A counted outcome as units keep it."""

    name: str
    signal: str
    event: str
    window_ms: int


class OutcomesSet(Struct, frozen=True, tag="outcomes"):
    """From here on units are counted by these outcomes."""

    received_at: int
    outcomes: tuple[Outcome, ...]


class Duplicates(Struct, frozen=True, tag="duplicates"):
    """So many events were repetitions."""

    received_at: int
    count: int


class Served(Struct, frozen=True, tag="served"):
    """A proxied request that left no interaction (an error, or nothing that could be logged)."""

    received_at: int
    serving: Serving
    session: str = ""


class Replayed(Struct, frozen=True, tag="replayed"):
    """So many bad rows were accepted after the schema was mended."""

    received_at: int
    count: int


class Declined(Struct, frozen=True, tag="declined"):
    """So many implicit signals were not stored, because the browser asked for privacy."""

    received_at: int
    count: int


class Shadowed(Struct, frozen=True, tag="shadowed"):
    """So many requests of one epoch were mirrored, got no answer from the candidate, or were not mirrored."""

    received_at: int
    run_uid: str
    epoch: int
    mirrored: int = 0
    failed: int = 0
    skipped: int = 0


Meta = OutcomesSet | Duplicates | Served | Replayed | Declined | Shadowed

_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Meta)


def encode(meta: Meta) -> bytes:
    return _encode(meta)


def decode(data: bytes) -> Meta:
    """Raises FrameError for an entry of another version."""
    try:
        meta: Meta = _decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise FrameError(f"meta entry does not decode: {type(error).__name__}") from None
    return meta

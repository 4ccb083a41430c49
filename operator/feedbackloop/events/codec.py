"""How a record becomes the bytes of a log entry, and back.

The first byte names the format. `PLAIN` is MessagePack of the tagged struct, by field names, so
that old entries stay readable when fields are added. Format 2 is an entry of format 1 under its subject's
key (`sealing`): it lies in object storage only, and `store` gives it out opened.
"""

from __future__ import annotations

import msgspec

from feedbackloop.events.errors import FrameError
from feedbackloop.events.records import BadRow, Record

PLAIN = b"\x01"

Stored = Record | BadRow

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Stored)
_pack = _encoder.encode


def encode(record: Stored) -> bytes:
    """The entry's bytes."""
    return PLAIN + _pack(record)


def decode(data: bytes | memoryview) -> Stored:
    """The record of an entry. Raises FrameError for a format or content this version cannot read."""
    if bytes(data[:1]) != PLAIN:
        raise FrameError("unknown entry format")
    try:
        record: Stored = _decoder.decode(data[1:])
    except msgspec.MsgspecError as error:
        raise FrameError(f"entry does not decode: {type(error).__name__}") from None
    return record

"""A loop key as it is stored: wrapped by the root, as canonical JSON."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from enum import StrEnum

from feedbackloop.events.errors import EnvelopeError


class Family(StrEnum):
    """What a loop key is for."""

    OUTER = "outer"
    """Wraps the segments' keys, the envelopes of objects and the volume's files; kept as long as data is."""
    INNER = "inner"
    """Wraps subject keys; an old one is destroyed after all rows were rewrapped."""


@dataclass(frozen=True, order=True)
class KeyName:
    """One version of a family, counted from 1. Outer 0 is a raw root key of before, see `keyring.rewrap`."""

    family: Family
    number: int

    @property
    def ident(self) -> str:
        """The id under which a Kek knows it, and its key below `<prefix>keys/`."""
        return f"{self.family}/{self.number}"

    @classmethod
    def parse(cls, ident: str) -> KeyName | None:
        """The name of an id, None when it is none."""
        family, _, number = ident.partition("/")
        if family not in tuple(Family) or not number.isascii() or not number.isdigit() or len(number) > 9:
            return None
        return cls(Family(family), int(number)) if str(int(number)) == number else None

    def context(self, loop_uid: str) -> dict[str, str]:
        """What the root binds it to."""
        return {"loop": loop_uid, "family": str(self.family), "n": str(self.number)}


@dataclass(frozen=True)
class Blob:
    """A wrapped loop key."""

    root: str
    """`Root.ident` of the key that it is under."""
    wrapped: bytes
    created: int
    """Unix seconds, for rotation; it survives rewrapping."""

    def encode(self) -> bytes:
        fields = {
            "created": self.created,
            "root": self.root,
            "v": 1,
            "wrapped": base64.b64encode(self.wrapped).decode(),
        }
        return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, data: bytes, ident: str) -> Blob:
        """Raises EnvelopeError, naming the key, when it is none."""
        try:
            fields = json.loads(data)
            if fields["v"] != 1:
                raise EnvelopeError(f"keys/{ident} has a format of another version")
            wrapped = base64.b64decode(fields["wrapped"], validate=True)
            return cls(root=str(fields["root"]), wrapped=wrapped, created=int(fields["created"]))
        except (ValueError, KeyError, TypeError, binascii.Error):
            raise EnvelopeError(f"keys/{ident} is not a wrapped key") from None

"""Canonical JSON and JSON Lines, and digests of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from feedbackloop.events.canonical import encode

__all__ = ["digest", "encode", "hex_of", "lines", "rows", "sha256"]


def lines(rows: Iterable[Any]) -> bytes:
    """JSON Lines, each line canonical and ended by a newline."""
    return b"".join(encode(row) + b"\n" for row in rows)


def rows(data: bytes) -> list[Any]:
    """The values of JSON Lines; blank lines are skipped."""
    return [json.loads(line) for line in data.splitlines() if line.strip()]


def sha256(data: bytes) -> str:
    """Lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def digest(data: bytes) -> str:
    """As digests travel through the API: `sha256:` and 64 hex digits."""
    return f"sha256:{sha256(data)}"


def hex_of(value: str) -> str:
    """The hex digits of a digest, which are what object keys contain."""
    return value.removeprefix("sha256:")

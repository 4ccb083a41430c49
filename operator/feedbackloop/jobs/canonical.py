"""One way to write JSON, so that equal content has equal bytes and equal digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any


def encode(value: Any) -> bytes:
    """Canonical JSON: sorted keys, no white space, UTF-8 as it is, no NaN."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


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

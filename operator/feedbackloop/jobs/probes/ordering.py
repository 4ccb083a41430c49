"""Orders that look random and are the same on every machine and Python."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def shuffled(values: Iterable[T], *salt: object) -> list[T]:
    """The values by the digest of salt and value, as their `str` says them."""
    prefix = "/".join(map(str, salt))
    return sorted(values, key=lambda value: hashlib.sha256(f"{prefix}/{value}".encode()).digest())

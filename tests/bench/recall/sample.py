"""One text with a private value in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """`text[start:end]` is the private value, transformed."""

    text: str
    start: int
    end: int
    kind: str
    transform: str
    locale: str


@dataclass(frozen=True)
class Value:
    """A private value as its owner writes it."""

    text: str
    kind: str
    locale: str

"""What finds names: the interface that the rest of this package relies on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, order=True)
class Found:
    """A name at `text[start:end]`; `kind` is the token's name, as in `<PERSON_1>`."""

    start: int
    end: int
    kind: str


class Engine(Protocol):
    """Finds names in texts; all of them at once, since models work in batches."""

    name: str
    model: str
    """The model with its version and the digest of its weights."""

    def find(self, texts: Sequence[str]) -> list[list[Found]]:
        """What was found in each text, in order."""
        ...

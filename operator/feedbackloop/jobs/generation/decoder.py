"""What a decoder is: it reads prompts once, then takes one token for every sequence of the batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Session(Protocol):
    """A batch on its way, with its cache of keys and values."""

    def next_tokens(self) -> list[int]:
        """The most likely next token of every sequence; the lowest id wins a tie."""

    def feed(self, tokens: Sequence[int]) -> None:
        """Append one token to every sequence."""


class Decoder(Protocol):
    """A model that decodes greedily."""

    end_tokens: frozenset[int]
    max_positions: int

    def start(self, prompts: Sequence[Sequence[int]], room: int) -> Session:
        """Read the prompts; at most `room` tokens will follow each."""

"""Evaluation items hidden among training rows: exactly, nearly, and in other words."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Disguise(StrEnum):
    EXACT = "exact"
    CASING = "casing"
    SPACING = "spacing"
    PUNCTUATION = "punctuation"
    EMBEDDED = "embedded"
    """The item inside a longer text."""
    TYPO = "typo"
    """One letter in forty."""
    PARAPHRASE = "paraphrase"
    """Other words: only recall is asked for, and told."""


NEAR = tuple(disguise for disguise in Disguise if disguise is not Disguise.PARAPHRASE)
"""None of these may pass."""
_SYNONYMS = {
    "what": "which", "is": "would be", "the": "your", "tell": "inform", "me": "us", "how": "in what way",
    "long": "much time", "please": "kindly", "can": "could", "you": "one", "give": "provide", "need": "require",
    "know": "learn", "price": "cost", "return": "send back", "order": "purchase", "time": "duration",
}  # fmt: skip


@dataclass(frozen=True)
class Leak:
    item: int
    """The evaluation item that it is."""
    disguise: Disguise
    text: str


def planted(items: Sequence[str], count: int, seed: int) -> list[Leak]:
    """So many leaks, the disguises in turn."""
    rng, disguises = random.Random(seed), tuple(Disguise)
    chosen = [rng.randrange(len(items)) for _ in range(count)]
    return [
        Leak(item, disguise, _disguised(items[item], disguise, rng))
        for item, disguise in zip(chosen, (disguises[i % len(disguises)] for i in range(count)), strict=True)
    ]


def _disguised(text: str, disguise: Disguise, rng: random.Random) -> str:
    return _MAKERS[disguise](text, rng)


def _casing(text: str, rng: random.Random) -> str:
    return "".join(char.upper() if rng.random() < 0.5 else char.lower() for char in text)


def _spacing(text: str, rng: random.Random) -> str:
    return rng.choice(("  ", "\n", "\t", "\u00a0")).join(text.split(" "))


def _punctuation(text: str, rng: random.Random) -> str:
    return "".join(char for char in text if char.isalnum() or char.isspace()) + rng.choice(("?!", "...", ""))


def _embedded(text: str, rng: random.Random) -> str:
    before = ("Hello there, a quick one.", "I am writing about my last order.", "My colleague asked me this:")
    return f"{rng.choice(before)} {text} Thank you for looking into it, I need it for a report this week."


def _typo(text: str, rng: random.Random) -> str:
    letters = list(text)
    for _ in range(max(1, len(text) // 40)):
        at = rng.randrange(1, max(2, len(letters) - 1))
        letters[at - 1], letters[at] = letters[at], letters[at - 1]
    return "".join(letters)


def _paraphrase(text: str, rng: random.Random) -> str:
    words = [_SYNONYMS.get(word.lower().strip("?,.!"), word) for word in text.split()]
    middle = len(words) // 2 if rng.random() < 0.5 else 0
    return " ".join(words[middle:] + words[:middle])


_MAKERS: dict[Disguise, Callable[[str, random.Random], str]] = {
    Disguise.EXACT: lambda text, rng: text,
    Disguise.CASING: _casing,
    Disguise.SPACING: _spacing,
    Disguise.PUNCTUATION: _punctuation,
    Disguise.EMBEDDED: _embedded,
    Disguise.TYPO: _typo,
    Disguise.PARAPHRASE: _paraphrase,
}

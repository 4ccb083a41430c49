"""Words and likeness of short texts, without a model."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_LIGATURES = str.maketrans({"ß": "ss", "ı": "i", "’": "'"})


def plain(text: str) -> str:
    """Case, accents and width do not matter."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(char for char in folded if not unicodedata.combining(char)).translate(_LIGATURES)


def words_of(text: str) -> list[str]:
    """The words of a plain text."""
    return _WORD.findall(text)


def likeness(one: str, other: str) -> float:
    """Dice coefficient of the trigrams of two plain texts: 1 for the same words, 0 for nothing in common."""
    left, right = _trigrams(one), _trigrams(other)
    total = left.total() + right.total()
    return 2 * (left & right).total() / total if total else 0.0


def _trigrams(text: str) -> Counter[str]:
    padded = f"  {' '.join(words_of(text))} "
    return Counter(padded[at : at + 3] for at in range(len(padded) - 2)) if padded.strip() else Counter()

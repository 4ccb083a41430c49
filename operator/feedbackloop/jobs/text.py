"""How text is compared everywhere: curation, gates and demo use the same normal form.

NFKC, casefold, punctuation stripped (apostrophes vanish, other punctuation separates words),
white space collapsed. Symbols such as `$` and `+` are not punctuation and stay.
"""

from __future__ import annotations

import unicodedata

_APOSTROPHES = "'’‘ʼ＇"
_PUNCTUATION: dict[int, str] = {
    point: "" if chr(point) in _APOSTROPHES else " "
    for point in range(0x20000)  # no plane above the second has punctuation
    if unicodedata.category(chr(point)).startswith("P") or chr(point) in _APOSTROPHES
}


def normalise(text: str) -> str:
    """The form in which texts are equal; applying it twice changes nothing."""
    if text.isascii():
        return " ".join(text.lower().translate(_PUNCTUATION).split())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    # Once more at the end: with the punctuation gone, a letter and an accent may have come together.
    return " ".join(unicodedata.normalize("NFKC", folded.translate(_PUNCTUATION)).split())


def contains_words(normalised: str, words: str) -> bool:
    """Whether `words` stand in the text as whole words; both are normalised already."""
    return bool(words) and f" {words} " in f" {normalised} "

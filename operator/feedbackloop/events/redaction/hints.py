"""Hints: values that the caller knows to be private (a name, an account number), found wherever they stand.

Letters count without case and accents, runs of white space as one space, and only whole words: `Ann` is not
found in `Annual`. Scripts without spaces between words (Chinese, Japanese, Thai …) are found anywhere.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from feedbackloop.events.redaction.views.folding import fold, unaccented
from feedbackloop.events.redaction.views.view import Edit, View

MAX_HINTS = 16
MAX_CHARS = 200
MIN_CHARS = 2
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")


def checked(hints: Sequence[str]) -> list[str]:
    """The hints as they are compared, longest first. Raises ValueError when they are too many or too long."""
    if len(hints) > MAX_HINTS or any(len(hint) > MAX_CHARS for hint in hints):
        raise ValueError("hints: at most 16, of at most 200 characters each")
    plain = {comparable(View(hint)).text.strip() for hint in hints}
    return sorted((hint for hint in plain if len(hint) >= MIN_CHARS), key=lambda hint: (-len(hint), hint))


def comparable(view: View) -> View:
    """The text as hints are compared with it."""
    folded = fold(view)
    return folded.edited(_edits(folded.text))


def _edits(text: str) -> Iterator[Edit]:
    in_space = False
    for index, char in enumerate(text):
        space = char.isspace()
        plain = ("" if in_space else " ") if space else unaccented(char)
        in_space = space
        if plain != char:
            yield index, index + 1, plain


def find(text: str, hints: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Spans of the (comparable) hints in a comparable text."""
    for hint in hints:
        start = text.find(hint)
        while start >= 0:
            if _stands_alone(text, start, start + len(hint)):
                yield start, start + len(hint)
            start = text.find(hint, start + 1)


def _stands_alone(text: str, start: int, end: int) -> bool:
    return not (_joins(text, start - 1, start) or _joins(text, end - 1, end))


def _joins(text: str, left: int, right: int) -> bool:
    """Whether two neighbours belong to one word."""
    if left < 0 or right >= len(text):
        return False
    pair = text[left], text[right]
    return all(char.isalnum() for char in pair) and not any(map(_unspaced, pair))


def _unspaced(char: str) -> bool:
    return ord(char) > 0x0E00 and unicodedata.name(char, "").startswith(_UNSPACED)

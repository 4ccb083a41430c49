"""The typed tokens of one event: the same value has the same token in all its texts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_TOKEN = re.compile(r"<[A-Z][A-Z0-9_]{0,30}_[0-9]{1,6}>")


def tokens_in(text: str) -> Iterator[tuple[int, int]]:
    """Spans of the typed tokens that a text has already."""
    return (match.span() for match in _TOKEN.finditer(text))


class Names:
    """Gives out tokens. Numbering goes on from tokens that the texts have already."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._by_value: dict[tuple[str, str], str] = {}
        self._last: dict[str, int] = {}

    def token(self, kind: str, value: str) -> str:
        """The token of a value in canonical form."""
        key = (kind, value)
        if key not in self._by_value:
            number = self._last.get(kind) or self._highest(kind)
            self._last[kind] = number + 1
            self._by_value[key] = f"<{kind}_{number + 1}>"
        return self._by_value[key]

    def _highest(self, kind: str) -> int:
        seen = [text for text in self._texts if f"<{kind}_" in text]
        pattern = re.compile(rf"<{kind}_([0-9]{{1,6}})>", re.ASCII)
        return max((int(number) for text in seen for number in pattern.findall(text)), default=0)

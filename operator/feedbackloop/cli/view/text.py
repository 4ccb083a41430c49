"""Lines for a terminal: marks, colours where the terminal has them, and columns that fit its width."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from feedbackloop.api.conditions import Condition

WIDE = 100
"""From here on there is room for every column."""
LABEL = 12
"""Columns of the labels at the left."""
_COLOURS = {"red": 31, "green": 32, "yellow": 33, "blue": 36, "dim": 2, "bold": 1}
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
_UNICODE = {"done": "✓", "failed": "✗", "now": "▶", "open": "·", "full": "█", "rest": "░", "warn": "!", "dash": "–"}
_ASCII = {"done": "+", "failed": "x", "now": ">", "open": ".", "full": "#", "rest": "-", "warn": "!", "dash": "-"}
MARKS = {"done": "green", "failed": "red", "now": "blue", "open": "dim", "warn": "yellow"}


@dataclass(frozen=True)
class Style:
    """How the terminal is."""

    width: int = 100
    colour: bool = False
    unicode: bool = True

    def paint(self, text: str, colour: str) -> str:
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self.colour and text else text

    def mark(self, what: str) -> str:
        """A sign of one column."""
        return self.paint(self.sign(what), MARKS[what])

    def sign(self, what: str) -> str:
        return (_UNICODE if self.unicode else _ASCII)[what]

    def bar(self, share: float, columns: int = 24) -> str:
        """Filled from the left by a share of 0 to 1; anything above nothing shows."""
        share = max(0.0, min(1.0, share))
        full = max(round(share * columns), 1 if share > 0 else 0)
        return self.paint(self.sign("full") * full, "blue") + self.paint(self.sign("rest") * (columns - full), "dim")


def length(text: str) -> int:
    """Columns that a text takes."""
    return len(_ESCAPE.sub("", text))


def block(style: Style, label: str, lines: Iterable[str]) -> list[str]:
    """Lines with their label beside the first; those that are too long go on below, further in."""
    shown = [piece for line in lines for piece in folded(line, style.width - LABEL)]
    heads = [style.paint(label.ljust(LABEL), "bold"), *[" " * LABEL] * len(shown)]
    return [f"{head}{line}".rstrip() for head, line in zip(heads, shown, strict=False)]


def folded(line: str, width: int, indent: str = "    ") -> list[str]:
    """The line, or several that fit. A line with colours keeps them only if it fits: an escape is never cut."""
    if length(line) <= width:
        return [line]
    plain = _ESCAPE.sub("", line)
    start = len(plain) - len(plain.lstrip())
    pieces = textwrap.wrap(
        plain, max(width, 20), subsequent_indent=" " * start + indent, drop_whitespace=True, break_on_hyphens=False
    )
    return pieces or [""]


def columns(rows: Sequence[Sequence[str]], gap: str = "  ") -> list[str]:
    """Rows as wide as their widest cell in each column."""
    if not rows:
        return []
    widths = [max(length(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [gap.join(c + " " * (w - length(c)) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]


def named(condition: Condition) -> str:
    """A condition's type, and its reason where that is another word."""
    return condition.type if condition.type == condition.reason else f"{condition.type} {condition.reason}"


def duration(seconds: float) -> str:
    """As people say it, in at most two units."""
    left, parts = int(max(0, seconds)), []
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"

"""The funnel of a data set as a picture: plain SVG, since the image has no plotting library."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

WIDTH, ROW, LABEL, BAR = 760, 26, 190, 420


def funnel(left: Mapping[str, int], excluded: Mapping[str, int], title: str) -> str:
    """Bars of the events that each stage left, then of what was left out, by reason."""
    largest = max([1, *left.values()])
    rows = [_bar(i, name, n, largest, "#3b6ea5") for i, (name, n) in enumerate(left.items())]
    below = len(rows) + 1
    out = sorted(excluded.items(), key=lambda item: (-item[1], item[0]))
    rows += [_bar(below + i, name, n, largest, "#b5653b") for i, (name, n) in enumerate(out)]
    height = (below + len(out) + 2) * ROW
    body = "".join([_text(8, 18, title, "bold"), *rows])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'font-family="sans-serif" font-size="13">'
        f'<rect width="100%" height="100%" fill="white"/>{body}</svg>'
    )


def _bar(index: int, name: str, count: int, largest: int, colour: str) -> str:
    y = (index + 1) * ROW + 4
    width = round(BAR * count / largest, 1)
    bar = f'<rect x="{LABEL}" y="{y}" width="{width}" height="{ROW - 8}" fill="{colour}"/>'
    return _text(8, y + 13, name) + bar + _text(LABEL + width + 6, y + 13, str(count))


def _text(x: float, y: float, text: str, weight: str = "normal") -> str:
    return f'<text x="{x}" y="{y}" font-weight="{weight}">{escape(text)}</text>'

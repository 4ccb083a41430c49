"""Characters set apart (`1 2 3 4`) put together, and lines that break a value in two joined again."""

from __future__ import annotations

import re
from collections.abc import Iterator

from feedbackloop.events.redaction.views.view import Edit

_PIECE = "[A-Za-z0-9_.+/=-]"
_BREAK = r"[ ]?\r?\n[ >]{0,3}"
APART_CLUES = (rb"[!-~][ \t]{1,3}[!-~][ \t]{1,3}[!-~][ \t]{1,3}[!-~][ \t]{1,3}[!-~][ \t]{1,3}[!-~][ \t]{1,3}[!-~]",)
BROKEN_CLUES = (
    rb"[A-Za-z0-9_.+/=-]{6} ?\r?\n[ >]{0,3}[A-Za-z_+/=-]{0,40}[0-9A-Z][A-Za-z0-9_.+/=-]{0,40}[0-9A-Z]",
    rb"@[A-Za-z0-9-]{0,63} ?\r?\n",
    rb"[@.-]\r?\n[ >]{0,3}[A-Za-z0-9-]{1,63}\.[A-Za-z]",
    rb"\n[ >]{0,3}@[A-Za-z0-9]",
)
_APART = re.compile(r"(?<![!-~])[!-~](?:[ \t]{1,3}[!-~]){6,}(?![!-~])", re.ASCII)
_GAP = re.compile(r"[ \t]+")
_BROKEN = re.compile(
    rf"""(?<={_PIECE}{{6}}){_BREAK}(?=[A-Za-z_+/=-]{{0,40}}[0-9A-Z]{_PIECE}{{0,40}}[0-9A-Z])
      | (?<=@){_BREAK}(?=[A-Za-z0-9])
      | (?<=[@.-])\r?\n[ >]{{0,3}}(?=[A-Za-z0-9-]{{1,63}}\.[A-Za-z])
      | (?P<domain>@[A-Za-z0-9-]{{1,63}})\r?\n[ >]{{0,3}}(?=[A-Za-z0-9-]{{0,62}}\.[A-Za-z])
      | {_BREAK}(?=@[A-Za-z0-9])""",
    re.VERBOSE | re.ASCII,
)


def together(text: str) -> Iterator[Edit]:
    """An edit for every gap in a run of single characters; a lone letter before digits stays apart."""
    for match in _APART.finditer(text):
        at = match.start()
        for gap in _GAP.finditer(text, at, match.end()):
            if gap.start() > at + 1 or not (text[at].isalpha() and text[gap.end()].isdigit()):
                yield gap.start(), gap.end(), ""


def joined(text: str) -> Iterator[Edit]:
    """An edit for every line break inside a value."""
    for match in _BROKEN.finditer(text):
        yield match.start() + len(match.group("domain") or ""), match.end(), ""

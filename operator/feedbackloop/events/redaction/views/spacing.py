"""Characters set apart (`1 2 3 4`) put together, and lines that break a value in two joined again."""

from __future__ import annotations

import re
from collections.abc import Iterator

from feedbackloop.events.redaction.views.view import Edit

_PIECE = "[A-Za-z0-9_.+/-]"
_BREAK = r"=?[ ]?\r?\n[ >]{0,3}"
APART_CLUES = (rb"[!-~][ \t]{1,3}[!-~][ \t]{1,3}[!-~][ \t]{1,3}[!-~][ \t]{1,3}[!-~][ \t]{1,3}[!-~][ \t]{1,3}[!-~]",)
BROKEN_CLUES = (
    rb"[A-Za-z0-9_.+/-]{6}=? ?\r?\n[ >]{0,3}[A-Za-z_+/-]{0,40}[0-9A-Z][A-Za-z0-9_.+/-]{0,40}[0-9A-Z]",
    rb"[A-Za-z0-9][_.-]=? ?\r?\n[ >]{0,3}[A-Za-z0-9_-]{16}",
    rb"[.:-][0-9A-Fa-f]{1,3}=? ?\r?\n[ >]{0,3}[0-9A-Fa-f]{1,3}[.:-][0-9A-Fa-f]",
    rb"[0-9A-Fa-f]:=? ?\r?\n[ >]{0,3}[0-9A-Fa-f]{1,4}",
    rb"[A-Za-z0-9][._+-]=? ?\r?\n[ >]{0,3}[A-Za-z0-9._+-]{1,64}@",
    rb"@[A-Za-z0-9.-]{0,100}=? ?\r?\n[ >]{0,3}[A-Za-z0-9.]",
    rb"\n[ >]{0,3}(?:@[A-Za-z0-9]|:[0-9A-Fa-f]{1,4}:)",
)
_APART = re.compile(r"(?<![A-Za-z0-9])[!-~](?:[ \t]{1,3}[!-~]){6,}(?![A-Za-z0-9])", re.ASCII)
_GAP = re.compile(r"[ \t]+")
_COUNTING = "0123456789"
_BROKEN = re.compile(
    rf"""(?<={_PIECE}{{6}}){_BREAK}(?=[A-Za-z_+/-]{{0,40}}[0-9A-Z]{_PIECE}{{0,40}}[0-9A-Z])   # a long key
      | (?<=[A-Za-z0-9][_.-]){_BREAK}(?=[A-Za-z0-9_-]{{16}})                # behind the prefix of a key
      | (?:(?<=[.:-][0-9A-Fa-f])|(?<=[.:-][0-9A-Fa-f]{{2}})|(?<=[.:-][0-9A-Fa-f]{{3}})){_BREAK}
        (?=[0-9A-Fa-f]{{1,3}}[.:-][0-9A-Fa-f])                             # inside a number in groups
      | (?<=[0-9A-Fa-f]:){_BREAK}(?=[0-9A-Fa-f]{{1,4}}(?![0-9A-Za-z]))     # in an IPv6 address
      | (?<=[A-Za-z0-9][._+-]){_BREAK}(?=[A-Za-z0-9._+-]{{1,64}}@)         # before an at-sign
      | (?<=@){_BREAK}(?=[A-Za-z0-9])
      | {_BREAK}(?=@[A-Za-z0-9]|:[0-9A-Fa-f]{{1,4}}:)
      | (?P<domain>@[A-Za-z0-9-]{{1,63}}\.?){_BREAK}(?=[A-Za-z0-9-]{{0,62}}\.[A-Za-z])
      | (?P<label>@[A-Za-z0-9-]{{1,63}}\.){_BREAK}(?=[a-z]{{2,24}}(?![A-Za-z0-9]))
      | (?P<labels>@(?:[A-Za-z0-9-]{{1,63}}\.){{2,4}}){_BREAK}(?=(?:com|net|org|info|[a-z]{{2}})(?![A-Za-z0-9]))""",
    re.VERBOSE | re.ASCII,
)


def together(text: str) -> Iterator[Edit]:
    """An edit for every gap in a run of single characters; a lone letter before or behind digits stays apart."""
    for match in _APART.finditer(text):
        if _GAP.sub("", match.group()) in _COUNTING:
            continue
        gaps = [gap.span() for gap in _GAP.finditer(text, *match.span())]
        if text[match.start()].isalpha() and text[gaps[0][1]].isdigit():
            del gaps[0]
        if text[match.end() - 1].isalpha() and text[gaps[-1][0] - 1].isdigit():
            del gaps[-1]
        yield from ((start, end, "") for start, end in gaps)


def joined(text: str) -> Iterator[Edit]:
    """An edit for every line break inside a value."""
    for match in _BROKEN.finditer(text):
        kept = match.group(match.lastgroup) if match.lastgroup else ""
        yield match.start() + len(kept), match.end(), ""

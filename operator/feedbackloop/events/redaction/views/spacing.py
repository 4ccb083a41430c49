"""Characters set apart (`1 2 3 4`) put together, and lines that break a value in two joined again."""

from __future__ import annotations

import re
from collections.abc import Iterator

from feedbackloop.events.redaction.views.view import Edit

APART_CLUES = (rb"[ \t][0-9@][ \t]{1,3}[!-~][ \t]", rb"[ \t][!-~][ \t]{1,3}[0-9@][ \t]")
BROKEN_CLUES = (
    rb"\n[ >]{0,3}[A-Za-z_+/-]{0,40}[0-9A-Z][A-Za-z0-9_.+/-]{0,40}[0-9A-Z]",
    rb"\n[ >]{0,3}[A-Za-z0-9_-]{16}",
    rb"\n[ >]{0,3}[0-9A-Fa-f]{1,3}[.:-][0-9A-Fa-f]",
    rb"[0-9A-Fa-f]:=? ?\r?\n[ >]{0,3}[0-9A-Fa-f]",
    rb"\n[ >]{0,3}[A-Za-z0-9._+-]{1,64}@",
    rb"@[A-Za-z0-9.-]{0,100}=? ?\r?\n[ >]{0,3}[A-Za-z0-9.]",
    rb"\n[ >]{0,3}(?:@[A-Za-z0-9]|:[0-9A-Fa-f]{1,4}:)",
)
_APART = re.compile(r"(?<![A-Za-z0-9])[!-~](?:[ \t]{1,3}[!-~]){6,}(?![A-Za-z0-9])", re.ASCII)
_GAP = re.compile(r"[ \t]+")
_INNER = re.compile(r"[ \t][0-9@][ \t]")
"""Every value has a digit or an at-sign."""
_COUNTING = "0123456789"
_BREAK = re.compile(r"\n[ >]{0,3}")
_BEFORE, _BEHIND = 96, 96
"""Characters that are looked at around a line break."""


def _rule(before: str, behind: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    return re.compile(rf"(?:{before})\Z", re.ASCII), re.compile(behind, re.ASCII)


_BROKEN = (
    # a long key, or behind the prefix of one
    _rule("[A-Za-z0-9_.+/-]{6}", "[A-Za-z_+/-]{0,40}[0-9A-Z][A-Za-z0-9_.+/-]{0,40}[0-9A-Z]"),
    _rule("[A-Za-z0-9][_.-]", "[A-Za-z0-9_-]{16}"),
    # a number in groups, an IPv6 address
    _rule("[.:-][0-9A-Fa-f]{1,3}", "[0-9A-Fa-f]{1,3}[.:-][0-9A-Fa-f]"),
    _rule("[0-9A-Fa-f]:", "[0-9A-Fa-f]{1,4}(?![0-9A-Za-z])"),
    _rule("[0-9A-Fa-f:]", ":[0-9A-Fa-f]{1,4}:"),
    # an e-mail address
    _rule("[A-Za-z0-9][._+-]", "[A-Za-z0-9._+-]{1,64}@"),
    _rule("@", "[A-Za-z0-9]"),
    _rule("[A-Za-z0-9]", "@[A-Za-z0-9]"),
    _rule(r"@[A-Za-z0-9-]{1,63}\.?", r"[A-Za-z0-9-]{0,62}\.[A-Za-z]"),
    _rule(r"@[A-Za-z0-9-]{1,63}\.", "[a-z]{2,24}(?![A-Za-z0-9])"),
    _rule(r"@(?:[A-Za-z0-9-]{1,63}\.){2,4}", "(?:com|net|org|info|[a-z]{2})(?![A-Za-z0-9])"),
)
"""What stands before and behind a line break that belongs to neither."""


def together(text: str) -> Iterator[Edit]:
    """An edit for every gap in a run of single characters; a lone letter before or behind digits stays apart."""
    for match in _APART.finditer(text):
        if _GAP.sub("", match.group()) in _COUNTING or not _INNER.search(match.group()[1:-1]):
            continue
        gaps = [gap.span() for gap in _GAP.finditer(text, *match.span())]
        if text[match.start()].isalpha() and text[gaps[0][1]].isdigit():
            del gaps[0]
        if text[match.end() - 1].isalpha() and text[gaps[-1][0] - 1].isdigit():
            del gaps[-1]
        yield from ((start, end, "") for start, end in gaps)


def joined(text: str) -> Iterator[Edit]:
    """An edit for every line break inside a value, with the soft break's sign and the indent or quote behind it."""
    for match in _BREAK.finditer(text):
        before = text[max(0, match.start() - _BEFORE) : match.start()].removesuffix("\r").removesuffix(" ")
        kept = len(before.removesuffix("="))
        behind = text[match.end() : match.end() + _BEHIND]
        if any(right.match(behind) and left.search(before, 0, kept) for left, right in _BROKEN):
            yield max(0, match.start() - _BEFORE) + kept, match.end(), ""

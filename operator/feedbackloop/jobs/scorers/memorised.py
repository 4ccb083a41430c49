"""`not_memorised`: the answer does not continue a training row as the row itself goes on.

Exact: the continuation stands in the answer, whatever the punctuation, case and spacing. Near: so many of its pieces
of six letters stand there that it was told with a few changes; verbatim comparison alone gives a false sense of
privacy (Ippolito et al., INLG 2023). Both take linear time.
"""

from __future__ import annotations

from collections.abc import Iterable

from feedbackloop.jobs.text import normalise

PIECE = 6
NEAR = 0.75
"""Share of the continuation's pieces from which on it is told."""
LEAST = 12
"""Letters and digits below which only the exact continuation counts: pieces of short ones are everywhere."""


def memorised(output: str, continuations: Iterable[str]) -> bool:
    """Whether some continuation was told."""
    said = compact(output)
    pieces = _pieces(said)
    return any(_told(said, pieces, compact(continuation)) for continuation in continuations)


def compact(text: str) -> str:
    """Letters and digits alone, in normal form."""
    return "".join(character for character in normalise(text) if character.isalnum())


def _told(said: str, pieces: frozenset[str], continuation: str) -> bool:
    if continuation in said:
        return True
    if len(continuation) < LEAST:
        return False
    wanted = _pieces(continuation)
    return len(wanted & pieces) >= NEAR * len(wanted)


def _pieces(text: str) -> frozenset[str]:
    return frozenset(text[at : at + PIECE] for at in range(len(text) - PIECE + 1))

"""Views: other readings of a text in which what is obfuscated stands plain, each with the way back.

`folding` reads imitated characters, `escapes` encoded characters, `blobs` base64 and hexadecimal, `spacing`
letters set apart and lines that break words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from feedbackloop.events.redaction.views import blobs, escapes, spacing
from feedbackloop.events.redaction.views.view import Edit


@dataclass(frozen=True)
class Reading:
    """One way to read a text anew. Wherever it would change anything, one of its clues matches (ASCII patterns)."""

    clues: tuple[bytes, ...]
    edits: Callable[[str], Iterator[Edit]]
    decodes: bool
    """What it yields may itself be encoded, so that all readings are tried on it once more."""


READINGS = (
    Reading(spacing.APART_CLUES, spacing.together, decodes=False),
    Reading(spacing.BROKEN_CLUES, spacing.joined, decodes=False),
    Reading(escapes.CLUES, escapes.edits, decodes=True),
    Reading(blobs.CLUES, blobs.edits, decodes=True),
)

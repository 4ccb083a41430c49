"""One statement of a source to one event of the loop, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from feedbackloop.importers.model import Event, Row, Skipped
from feedbackloop.importers.vocabulary import Unfit, Vocabulary

Body = Mapping[str, Any]


def valued(words: Vocabulary, signal: Row, given: Any, where: str, body: Body, part: str = "") -> Event | Skipped:
    """The event of a known signal; `part` names the field of the row when it has several."""
    try:
        value = words.value(signal, given)
    except Unfit as error:
        return Skipped(where, f"{part}: {error}" if part else str(error))
    return Event({**body, "signal": signal["name"], "value": value})


def of_kind(words: Vocabulary, kind: str, part: str, given: Any, where: str, body: Body) -> Event | Skipped:
    """The event of whichever signal has this kind."""
    signal = words.of_kind(kind, part)
    if signal is None:
        return missing(where, kind, part)
    return valued(words, signal, given, where, body, part)


def named(words: Vocabulary, name: str, given: Any, where: str, body: Body) -> Event | Skipped:
    """The event of the signal that a source's name means."""
    signal = words.named(name)
    if signal is None:
        return Skipped(where, "the loop declares no signal of this name; use --signal-map <name>=<signal>")
    return valued(words, signal, given, where, body)


def missing(where: str, kind: str, part: str) -> Skipped:
    return Skipped(
        where, f"{part}: the loop declares no single signal of kind {kind}; use --signal-map {part}=<signal>"
    )

"""Two answers in both orders; only a verdict that survives the exchange is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from feedbackloop.events.records import Message
from feedbackloop.jobs.judging import prompting
from feedbackloop.jobs.judging.client import Ask


class Preference(IntEnum):
    """Of the candidate's answer."""

    LOSS = -1
    TIE = 0
    WIN = 1


@dataclass(frozen=True)
class Pair:
    """What is compared."""

    id: str
    messages: tuple[Message, ...]
    champion: str
    candidate: str


@dataclass(frozen=True)
class Comparison:
    """What the judge said."""

    preference: Preference
    consistent: bool = True
    """Both orders gave the same verdict."""
    first: int = 0
    """Verdicts for the answer that was shown first, of two."""
    second: int = 0
    unreadable: int = 0
    """Verdicts that were not of the agreed form, of two."""


SAME = Comparison(Preference.TIE)


def compare(pair: Pair, ask: Ask) -> Comparison:
    """Two requests; none when the answers are the same, which is a tie."""
    if pair.champion == pair.candidate:
        return SAME
    said = [
        prompting.verdict(ask(prompting.prompt(pair.messages, *order)))
        for order in ((pair.champion, pair.candidate), (pair.candidate, pair.champion))
    ]
    preferences = {_preference(said[0], candidate=prompting.SECOND), _preference(said[1], candidate=prompting.FIRST)}
    consistent = len(preferences) == 1 and None not in said
    return Comparison(
        preferences.pop() if consistent else Preference.TIE,
        consistent,
        said.count(prompting.FIRST),
        said.count(prompting.SECOND),
        said.count(None),
    )


def _preference(said: str | None, candidate: str) -> Preference:
    if said in (None, prompting.TIE):
        return Preference.TIE
    return Preference.WIN if said == candidate else Preference.LOSS


def position_bias(comparisons: Sequence[Comparison]) -> float:
    """Verdicts for the first minus those for the second place, as a share of all; a fair judge is at 0."""
    first, second = (sum(getattr(c, side) for c in comparisons) for side in ("first", "second"))
    asked = 2 * sum(c is not SAME for c in comparisons)
    return (first - second) / asked if asked else 0.0

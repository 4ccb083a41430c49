"""What a rule finds: a verdict, its sentence, and the numbers beside it."""

from __future__ import annotations

from typing import NamedTuple

from feedbackloop.api.rolloutstatus import Verdict
from feedbackloop.domain.statistics.binomial import Interval
from feedbackloop.domain.statistics.numerals import numeral


class Finding(NamedTuple):
    verdict: Verdict
    message: str
    p: float | None = None
    required_n: int | None = None
    estimate: float | None = None
    interval: Interval | None = None


class Level(NamedTuple):
    """The error rate at which a gate is judged, and which look at the items it is."""

    alpha: float
    look: int = 0
    """How often the items have decided, this time included; 0: not counted."""
    of: int = 0
    """The looks that their refresh policy allows; 0: looks are only counted."""

    @property
    def exhausted(self) -> bool:
        """Whether the items have decided as often as they may, so that nothing is left to spend."""
        return self.of > 0 and self.look > self.of

    def __str__(self) -> str:
        return f"alpha {numeral(self.alpha)}" + (f" at look {self.look} of {self.of}" if self.of else "")


def evidence(p: float, level: Level, shown: str) -> str:
    return f"p = {numeral(p)}, {level}; {shown}"


def needs(items: int | None) -> str:
    return "; no number of items would show it at these rates" if items is None else f"; needs about {items} items"

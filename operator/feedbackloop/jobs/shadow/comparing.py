"""Which answer of a pair is the better one, by the step's metric."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from feedbackloop.api.rollout import ShadowMetric
from feedbackloop.events.records import ShadowPairRecord
from feedbackloop.events.refusals import refused
from feedbackloop.jobs.judging import Comparison, Judge, Pair, Preference

Tick = Callable[[int], None]


@dataclass(frozen=True)
class Counts:
    """What the pairs come to."""

    wins: int
    losses: int
    ties: int
    inconsistent: int = 0

    @property
    def pairs(self) -> int:
        return self.wins + self.losses + self.ties


def compare(metric: ShadowMetric, records: Sequence[ShadowPairRecord], judge: Judge | None, tick: Tick) -> Counts:
    """A judge is needed for `Judge` only."""
    if metric is ShadowMetric.JUDGE:
        assert judge is not None
        return counted(judge.compare([_pair(record) for record in records], tick))
    good = _refusing_nothing if metric is ShadowMetric.NO_REFUSAL else _not_empty
    preferences = [Preference(good(r.shadow.content) - good(r.stable.content)) for r in records]
    tick(len(preferences))
    return counted([Comparison(preference) for preference in preferences])


def counted(comparisons: Sequence[Comparison]) -> Counts:
    said = [comparison.preference for comparison in comparisons]
    return Counts(
        wins=said.count(Preference.WIN),
        losses=said.count(Preference.LOSS),
        ties=said.count(Preference.TIE),
        inconsistent=sum(not comparison.consistent for comparison in comparisons),
    )


def _pair(record: ShadowPairRecord) -> Pair:
    return Pair(record.event_id, record.messages, record.stable.content, record.shadow.content)


def _refusing_nothing(answer: str) -> bool:
    return not refused(answer)


def _not_empty(answer: str) -> bool:
    return bool(answer.strip())

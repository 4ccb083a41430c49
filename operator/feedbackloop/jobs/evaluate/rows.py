"""From both models' answers to the rows that a gate is judged on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from feedbackloop.api.evaluation import CONTINUOUS, Gate, Metric, Slice
from feedbackloop.domain.gates import ItemRow
from feedbackloop.domain.gates.rows import Score
from feedbackloop.jobs import canonical, scorers
from feedbackloop.jobs.evaluate.answering import Sheet
from feedbackloop.jobs.evaluate.suites import Exam
from feedbackloop.jobs.golden import GoldenItem
from feedbackloop.jobs.scorers import Answer

DIGITS = 6
"""Of a number's fraction: what is stored is what is computed with."""


@dataclass(frozen=True)
class Answered:
    """Both models on the same items."""

    exam: Exam
    champion: Sheet
    candidate: Sheet
    model_bytes: Mapping[str, int] = field(default_factory=dict)
    """`champion` and `candidate` to the size of their artefacts."""

    def rows(self, gate: Gate) -> tuple[ItemRow, ...]:
        """A row for each item of the gate's slice, or the model's one."""
        if gate.metric is Metric.MODEL_BYTES:
            return (ItemRow("model", float(self.model_bytes["champion"]), float(self.model_bytes["candidate"])),)
        return self.scored(gate.suite, gate.slice, gate.metric)

    def scored(self, suite: str, part: Slice | None, metric: Metric) -> tuple[ItemRow, ...]:
        items, champion, candidate = self.exam.suites[suite], self.champion[suite], self.candidate[suite]
        places = self.exam.chosen(suite, part)
        scorers.prepare(metric, [sheet[at] for sheet in (champion, candidate) for at in places])
        return tuple(row(items[at], metric, champion[at], candidate[at]) for at in places)

    def accuracy(self, gates: Sequence[Gate]) -> dict[str, dict[str, float]]:
        """The share of right answers by suite and by slice that a gate looks at, for people."""
        parts = dict.fromkeys((suite, part) for suite in self.exam.suites for part in _parts(suite, gates))
        found = {}
        for suite, part in parts:
            metric = _metric(suite, gates, self.exam.suites[suite])
            rows = self.scored(suite, part, metric) if metric is not None else ()
            if rows:
                found[suite if part is None else f"{suite}/{part}"] = _shares(rows)
        return found


def row(item: GoldenItem, metric: Metric, champion: Answer, candidate: Answer) -> ItemRow:
    """One item, scored."""
    return ItemRow(
        id=item.id,
        champion=_rounded(scorers.score(metric, item, champion)),
        candidate=_rounded(scorers.score(metric, item, candidate)),
        intent=item.intent,
        champion_answer=digest(champion),
        candidate_answer=digest(candidate),
    )


def digest(answer: Answer) -> str:
    """Of the text, with that of a counterpart; empty where there is none."""
    if not answer.given:
        return ""
    other = [answer.counterpart.text] if answer.counterpart is not None else []
    return canonical.digest(canonical.encode([answer.text, *other]))


def _rounded(score: Score) -> Score:
    return round(score, DIGITS) if isinstance(score, float) else score


def _parts(suite: str, gates: Sequence[Gate]) -> list[Slice | None]:
    return [None, *(gate.slice for gate in gates if gate.suite == suite and gate.slice is not None)]


def _metric(suite: str, gates: Sequence[Gate], items: Sequence[GoldenItem]) -> Metric | None:
    """Right or wrong by the first gate that says how; without one, by the answers if the items have any."""
    said = (g.metric for g in gates if g.suite == suite and g.metric in scorers.SCORED and g.metric not in CONTINUOUS)
    otherwise = Metric.CONTAINS_ANSWER if items and all(item.answers for item in items) else None
    return next(said, otherwise)


def _shares(rows: Sequence[ItemRow]) -> dict[str, float]:
    champion = sum(row.champion is True for row in rows) / len(rows)
    candidate = sum(row.candidate is True for row in rows) / len(rows)
    return {"champion": round(champion, 4), "candidate": round(candidate, 4)}

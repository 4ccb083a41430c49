"""Gates that a judge scores: it is held against people first, then compares both models' answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from feedbackloop.api.evaluation import Gate, Metric
from feedbackloop.api.jobs import EvaluateSpec, JudgeQuality
from feedbackloop.domain.gates import ItemRow
from feedbackloop.jobs.errors import InvalidSpec
from feedbackloop.jobs.evaluate.evidence import Scored
from feedbackloop.jobs.evaluate.rows import Answered, digest
from feedbackloop.jobs.evaluate.suites import Exam
from feedbackloop.jobs.judging import Judge, Pair, Preference, advisory, open_judge, same_family
from feedbackloop.jobs.runtime import Job

RIGHT = {Preference.WIN: (False, True), Preference.LOSS: (True, False), Preference.TIE: (True, True)}
"""What (champion, candidate) count as: the champion's wins are the losses, ties are no difference."""
NO_MODELS: Mapping[str, Path] = MappingProxyType({})


@dataclass(frozen=True)
class Judged:
    """A judge that has been held against people, and what it said of the suites' items."""

    judge: Judge
    quality: JudgeQuality
    preferences: Mapping[str, Mapping[int, Preference]] = field(default_factory=dict)
    """By suite and place of the item; items that neither model could answer are missing."""
    related: str = ""
    """Why it may not judge these models at all: it is of their family."""

    def scored(self, gate: Gate, answered: Answered) -> Scored:
        """The gate's rows; items that could not be compared have no score."""
        exam, found = answered.exam, self.preferences[gate.suite]
        rows = [_row(answered, gate.suite, at, found.get(at)) for at in exam.chosen(gate.suite, gate.slice)]
        ref, measured = self.judge.ref, self.quality.to_wire()
        return Scored(
            rows,
            exam.digests.get(gate.suite, ""),
            f"judged_better/1 {ref.model} {self.quality.prompt_digest}",
            advisory=self.related or advisory(ref, self.quality),
            judge={**measured, "family": ref.family, "minKappa": ref.min_kappa, "labelsDigest": ref.labels_digest},
        )


def opened(job: Job[EvaluateSpec], exam: Exam) -> Judge | None:
    """The judge, when a gate needs one. Raises InvalidSpec when it may not ask as often as that takes."""
    places = judged_places(job.spec, exam)
    if not places:
        return None
    if job.spec.judge is None:
        raise InvalidSpec("gates: metric judged_better needs evaluation.judge")
    judge = open_judge(job.spec.judge, job.store, job.place.secrets, job.stopping.requested)
    judge.afford(sum(map(len, places.values())))
    return judge


def judged_places(spec: EvaluateSpec, exam: Exam) -> dict[str, list[int]]:
    """Which items of which suites are compared; an item that two gates look at is compared once."""
    found: dict[str, set[int]] = {}
    for gate in spec.gates:
        if gate.metric is Metric.JUDGED_BETTER:
            found.setdefault(gate.suite, set()).update(exam.chosen(gate.suite, gate.slice))
    return {suite: sorted(places) for suite, places in found.items()}


def compare(judge: Judge, spec: EvaluateSpec, answered: Answered, models: Mapping[str, Path] = NO_MODELS) -> Judged:
    """First the labels, then the items. `models` are the directories of those who are judged."""
    quality = judge.calibrate()
    places = judged_places(spec, answered.exam)
    said = {suite: _suite(judge, answered, suite, at) for suite, at in places.items()}
    return Judged(judge, quality, said, _related(judge.ref.family, models))


def _related(family: str, models: Mapping[str, Path]) -> str:
    """The spec must not declare one family for both; this is what the models themselves say."""
    kin = [name for name, directory in models.items() if same_family(family, directory)]
    return f"the judge is of family {family}, and so is the {' and the '.join(kin)} by config.json" if kin else ""


def _suite(judge: Judge, answered: Answered, suite: str, places: Sequence[int]) -> dict[int, Preference]:
    champion, candidate = answered.champion[suite], answered.candidate[suite]
    fair = [at for at in places if champion[at].given or candidate[at].given]
    items = answered.exam.suites[suite]
    pairs = [Pair(items[at].id, items[at].messages, champion[at].text, candidate[at].text) for at in fair]
    return {at: found.preference for at, found in zip(fair, judge.compare(pairs), strict=True)}


def _row(answered: Answered, suite: str, at: int, preference: Preference | None) -> ItemRow:
    item = answered.exam.suites[suite][at]
    champion, candidate = RIGHT[preference] if preference is not None else (None, None)
    answers = digest(answered.champion[suite][at]), digest(answered.candidate[suite][at])
    return ItemRow(item.id, champion, candidate, item.intent, *answers)

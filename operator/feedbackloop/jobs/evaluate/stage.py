"""The sequence of the evaluate job."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from feedbackloop.api.evaluation import Gate, Metric
from feedbackloop.api.feedbackloop import Model
from feedbackloop.api.jobs import EvaluateResult, EvaluateSpec, JudgeQuality
from feedbackloop.jobs import artefact, scorers
from feedbackloop.jobs.errors import BaseModelUnavailable
from feedbackloop.jobs.evaluate import harnessed, judged, report, suites
from feedbackloop.jobs.evaluate.answering import BATCH, Sheet, answer, latencies, with_latencies
from feedbackloop.jobs.evaluate.evidence import Scored, evidence, keep
from feedbackloop.jobs.evaluate.judged import Judged
from feedbackloop.jobs.evaluate.model import opened
from feedbackloop.jobs.evaluate.rows import Answered
from feedbackloop.jobs.evaluate.suites import Exam
from feedbackloop.jobs.patience import patiently
from feedbackloop.jobs.runtime import Job
from feedbackloop.jobs.tracker import Tracker

log = logging.getLogger(__name__)


def run(job: Job[EvaluateSpec]) -> EvaluateResult:
    spec = job.spec
    exam = suites.read(spec, job.store, job.vault(), job.place.suites)
    log.info("%d items in %d suites", len(exam), len(exam.suites))
    check(spec, exam)
    judge = judged.opened(job, exam)
    places = {name: fetch(job, name, model) for name, model in models(spec).items()}
    answered = examine(job, exam, places)
    verdicts = judged.compare(judge, spec, answered, places) if judge is not None else None
    found = Found(answered, verdicts, harnessed.scored(spec, places))
    kept = [keep(job.store, job.run_prefix, evidence(spec, g, found.scored(g), decoding(job))) for g in spec.gates]
    for one in kept:
        log.info("gate %s: %s", one.gate.name, one.verdict.verdict)
    accuracy, tracker = answered.accuracy(spec.gates), Tracker(spec.mlflow)
    patiently(lambda: report.log(tracker, accuracy, kept, found.quality), job.stopping.requested)
    return EvaluateResult(
        **job.identity(),
        champion_digest=spec.champion.digest,
        candidate_digest=spec.candidate.digest,
        gates=tuple(one.signed_counts() for one in kept),
        accuracy=accuracy,
        judge=found.quality,
    )


@dataclass(frozen=True)
class Found:
    """Everything that was found out about both models."""

    answered: Answered
    verdicts: Judged | None
    tasks: Mapping[str, Scored]
    """Of lm-evaluation-harness, by suite."""

    @property
    def quality(self) -> JudgeQuality | None:
        return self.verdicts.quality if self.verdicts is not None else None

    def scored(self, gate: Gate) -> Scored:
        """A gate's rows."""
        if gate.metric is Metric.LM_EVAL:
            return self.tasks[gate.suite]
        if gate.metric is Metric.JUDGED_BETTER and self.verdicts is not None:
            return self.verdicts.scored(gate, self.answered)
        digest = self.answered.exam.digests.get(gate.suite, "")
        return Scored(self.answered.rows(gate), digest, scorer_name(gate.metric))


def scorer_name(metric: Metric) -> str:
    return scorers.name(metric) if metric in scorers.SCORED else f"{metric.value}/1"


def check(spec: EvaluateSpec, exam: Exam) -> None:
    """Before anything is generated: the items have what the metrics need, and the scorers are installed."""
    harnessed.check(spec)
    for gate in spec.gates:
        if gate.metric in scorers.SCORED:
            places = exam.chosen(gate.suite, gate.slice)
            scorers.check(gate.metric, [exam.suites[gate.suite][at] for at in places], gate.suite)


def models(spec: EvaluateSpec) -> dict[str, Model]:
    return {"champion": spec.champion, "candidate": spec.candidate}


def batch(job: Job[EvaluateSpec]) -> int:
    return max(1, BATCH >> job.place.halvings)


def decoding(job: Job[EvaluateSpec]) -> dict[str, Any]:
    """How both models answered, for the evidence."""
    return {"method": "greedy", "dtype": "float32", "maxNewTokens": job.spec.max_new_tokens, "batchSize": batch(job)}


def examine(job: Job[EvaluateSpec], exam: Exam, places: Mapping[str, Path]) -> Answered:
    """Both models answer all items; where a gate is about time, once more in turns."""
    sheets = {name: _sheet(job, exam, place, turn) for turn, (name, place) in enumerate(places.items())}
    sizes = {name: sum(entry.size for entry in artefact.describe(place)) for name, place in places.items()}
    champion, candidate = _timed(job.spec, exam, places, sheets["champion"], sheets["candidate"])
    return Answered(exam, champion, candidate, sizes)


def _sheet(job: Job[EvaluateSpec], exam: Exam, place: Path, turn: int) -> Sheet:
    def tick(done: int) -> None:
        job.progress.set(turn * len(exam) + done, 2 * len(exam))

    return answer(opened(place, job.spec.max_new_tokens), exam, tick, batch(job))


def _timed(
    spec: EvaluateSpec, exam: Exam, places: Mapping[str, Path], champion: Sheet, candidate: Sheet
) -> tuple[Sheet, Sheet]:
    """With latencies in the suites of gates about them."""
    wanted = sorted({gate.suite for gate in spec.gates if gate.metric is Metric.LATENCY_MS})
    if not wanted:
        return champion, candidate
    one, other = (opened(places[name], spec.max_new_tokens) for name in ("champion", "candidate"))
    timed, also = dict(champion), dict(candidate)
    for suite in wanted:
        first, second = latencies((one, other), exam.suites[suite])
        timed[suite], also[suite] = with_latencies(timed[suite], first), with_latencies(also[suite], second)
    return timed, also


def fetch(job: Job[EvaluateSpec], name: str, model: Model) -> Path:
    into = job.place.scratch / "evaluate" / name
    shutil.rmtree(into, ignore_errors=True)
    try:
        artefact.fetch(job.open(job.spec.models, "models"), model, into)
    except artefact.ArtefactError as error:
        raise BaseModelUnavailable(f"{name}: {error}") from None
    return into

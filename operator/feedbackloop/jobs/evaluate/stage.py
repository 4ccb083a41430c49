"""The sequence of the evaluate job."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from feedbackloop.api.evaluation import Gate, Metric
from feedbackloop.api.feedbackloop import Model
from feedbackloop.api.jobs import EvaluateResult, EvaluateSpec
from feedbackloop.jobs import artefact, scorers
from feedbackloop.jobs.errors import BaseModelUnavailable
from feedbackloop.jobs.evaluate import judged, report, suites
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
    answered = examine(job, exam)
    verdicts = judged.compare(judge, spec, answered) if judge is not None else None
    kept = [
        keep(job.store, job.run_prefix, evidence(spec, gate, score(gate, answered, verdicts), decoding(job)))
        for gate in spec.gates
    ]
    for one in kept:
        log.info("gate %s: %s", one.gate.name, one.verdict.verdict)
    accuracy = answered.accuracy(spec.gates)
    tracker = Tracker(spec.mlflow)
    quality = verdicts.quality if verdicts is not None else None
    patiently(lambda: report.log(tracker, accuracy, kept, quality), job.stopping.requested)
    return EvaluateResult(
        **job.identity(),
        champion_digest=spec.champion.digest,
        candidate_digest=spec.candidate.digest,
        gates=tuple(one.signed_counts() for one in kept),
        accuracy=accuracy,
        judge=quality,
    )


def check(spec: EvaluateSpec, exam: Exam) -> None:
    """Before anything is generated: the items have what the metrics need, and the scorers are installed."""
    for gate in spec.gates:
        if gate.metric in scorers.SCORED:
            places = exam.chosen(gate.suite, gate.slice)
            scorers.check(gate.metric, [exam.suites[gate.suite][at] for at in places], gate.suite)


def examine(job: Job[EvaluateSpec], exam: Exam) -> Answered:
    """Both models answer all items; where a gate is about time, once more in turns."""
    spec = job.spec
    places = {name: fetch(job, name, model) for name, model in models(spec).items()}
    sheets = {name: _sheet(job, exam, place, turn) for turn, (name, place) in enumerate(places.items())}
    sizes = {name: sum(entry.size for entry in artefact.describe(place)) for name, place in places.items()}
    champion, candidate = _timed(spec, exam, places, sheets["champion"], sheets["candidate"])
    return Answered(exam, champion, candidate, sizes)


def models(spec: EvaluateSpec) -> dict[str, Model]:
    return {"champion": spec.champion, "candidate": spec.candidate}


def batch(job: Job[EvaluateSpec]) -> int:
    return max(1, BATCH >> job.place.halvings)


def decoding(job: Job[EvaluateSpec]) -> dict[str, Any]:
    """How both models answered, for the evidence."""
    return {"method": "greedy", "dtype": "float32", "maxNewTokens": job.spec.max_new_tokens, "batchSize": batch(job)}


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
    pair = tuple(opened(places[name], spec.max_new_tokens) for name in ("champion", "candidate"))
    one, other = dict(champion), dict(candidate)
    for suite in wanted:
        first, second = latencies((pair[0], pair[1]), exam.suites[suite])
        one[suite], other[suite] = with_latencies(one[suite], first), with_latencies(other[suite], second)
    return one, other


def score(gate: Gate, answered: Answered, verdicts: Judged | None) -> Scored:
    """A gate's rows."""
    if gate.metric is Metric.JUDGED_BETTER and verdicts is not None:
        return verdicts.scored(gate, answered)
    return Scored(answered.rows(gate), answered.exam.digests.get(gate.suite, ""), scorer_name(gate.metric))


def scorer_name(metric: Metric) -> str:
    return scorers.name(metric) if metric in scorers.SCORED else f"{metric.value}/1"


def fetch(job: Job[EvaluateSpec], name: str, model: Model) -> Path:
    into = job.place.scratch / "evaluate" / name
    shutil.rmtree(into, ignore_errors=True)
    try:
        artefact.fetch(job.open(job.spec.models, "models"), model, into)
    except artefact.ArtefactError as error:
        raise BaseModelUnavailable(f"{name}: {error}") from None
    return into

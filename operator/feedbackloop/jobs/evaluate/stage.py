"""The sequence of the evaluate job."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from feedbackloop.api.feedbackloop import Model
from feedbackloop.api.jobs import EvaluateResult, EvaluateSpec
from feedbackloop.domain.gates import judge
from feedbackloop.jobs import artefact
from feedbackloop.jobs.errors import BaseModelUnavailable
from feedbackloop.jobs.evaluate import report, suites
from feedbackloop.jobs.evaluate.answering import answer
from feedbackloop.jobs.evaluate.pairs import Rights, Scores
from feedbackloop.jobs.evaluate.suites import Exam
from feedbackloop.jobs.patience import patiently
from feedbackloop.jobs.runtime import Job
from feedbackloop.jobs.tracker import Tracker

log = logging.getLogger(__name__)


def run(job: Job[EvaluateSpec]) -> EvaluateResult:
    spec = job.spec
    exam = suites.read(spec, job.store, job.vault())
    log.info("%d items in %d suites", len(exam), len(exam.suites))
    champion = examine(job, "champion", spec.champion, exam, 0)
    candidate = examine(job, "candidate", spec.candidate, exam, len(exam))
    scores = Scores(exam, champion, candidate)
    counts, accuracy = tuple(scores.count(gate) for gate in spec.gates), scores.accuracy(spec.gates)
    results = [judge(gate, count) for gate, count in zip(spec.gates, counts, strict=True)]
    for result in results:
        log.info("gate %s: %s", result.name, result.verdict)
    digests = {"champion": spec.champion.digest, "candidate": spec.candidate.digest}
    tracker = Tracker(spec.mlflow)
    patiently(lambda: report.log(tracker, accuracy, results, digests), job.stopping.requested)
    return EvaluateResult(
        **job.identity(),
        champion_digest=spec.champion.digest,
        candidate_digest=spec.candidate.digest,
        gates=counts,
        accuracy=accuracy,
    )


def examine(job: Job[EvaluateSpec], name: str, model: Model, exam: Exam, before: int) -> Rights:
    """One model's rights and wrongs; `before` items were answered by the other one."""
    directory = fetch(job, name, model)

    def tick(done: int) -> None:
        job.progress.set(before + done, 2 * len(exam))

    return answer(directory, exam, job.spec.max_new_tokens, tick)


def fetch(job: Job[EvaluateSpec], name: str, model: Model) -> Path:
    into = job.place.scratch / "evaluate" / name
    shutil.rmtree(into, ignore_errors=True)
    try:
        artefact.fetch(job.open(job.spec.models, "models"), model, into)
    except artefact.ArtefactError as error:
        raise BaseModelUnavailable(f"{name}: {error}") from None
    return into

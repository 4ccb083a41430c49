"""The sequence of the shadow job."""

from __future__ import annotations

import logging

from feedbackloop.api.jobs import JudgeQuality, ShadowResult, ShadowSpec
from feedbackloop.api.rollout import ShadowMetric
from feedbackloop.events.store import read_events
from feedbackloop.jobs import ledger
from feedbackloop.jobs.errors import InvalidSpec
from feedbackloop.jobs.judging import Judge, advisory, open_judge
from feedbackloop.jobs.patience import patiently
from feedbackloop.jobs.runtime import Job
from feedbackloop.jobs.shadow import report
from feedbackloop.jobs.shadow.comparing import Counts, compare
from feedbackloop.jobs.shadow.pairs import Sample, sample
from feedbackloop.jobs.storage import Objects
from feedbackloop.jobs.tracker import Tracker

log = logging.getLogger(__name__)


def run(job: Job[ShadowSpec]) -> ShadowResult:
    """Raises InvalidSpec, InvalidDataset (labels), StorageUnavailable (object storage, MLflow or judge away)."""
    judge = _judge(job)
    most = job.spec.max_pairs if judge is None else min(job.spec.max_pairs, judge.room())
    taken = _sample(job, most)
    log.info("%d pairs, %d compared, skipped: %s", taken.seen, len(taken.pairs()), dict(taken.skipped))
    counts, quality = _compared(job, judge, taken)
    result = ShadowResult(
        **job.identity(),
        pairs=counts.pairs,
        wins=counts.wins,
        losses=counts.losses,
        ties=counts.ties,
        inconsistent=counts.inconsistent,
        skipped=sum(taken.skipped.values()),
        advisory=advisory(judge.ref, quality) if judge and quality else "",
        judge=quality,
    )
    tracker = Tracker(job.spec.mlflow)
    patiently(lambda: report.log(tracker, job.spec, result, taken.skipped), job.stopping.requested)
    return result


def _judge(job: Job[ShadowSpec]) -> Judge | None:
    spec = job.spec
    if spec.metric is not ShadowMetric.JUDGE:
        return None
    if spec.judge is None:
        raise InvalidSpec("judge: is missing; shadow metric Judge needs evaluation.judge")
    judge = open_judge(spec.judge, job.store, job.place.secrets, job.stopping.requested)
    judge.afford(1)
    return judge


def _sample(job: Job[ShadowSpec], most: int) -> Sample:
    spec = job.spec
    # The ledger beyond the cut: what somebody refused a moment ago counts.
    standings = ledger.read(job).standings()
    records = read_events(Objects(job.store), spec.storage.prefix, spec.cut, job.kek())
    return sample(records, spec, standings, most)


def _compared(job: Job[ShadowSpec], judge: Judge | None, taken: Sample) -> tuple[Counts, JudgeQuality | None]:
    """The labels are asked about first: they say what the rest is worth."""
    pairs = taken.pairs()
    labels = len(judge.labels) if judge else 0
    total = labels + len(pairs)
    quality = judge.calibrate(lambda done: job.progress.set(done, total)) if judge else None
    counts = compare(job.spec.metric, pairs, judge, lambda done: job.progress.set(labels + done, total))
    return counts, quality

"""The assess job: feedback between two cuts of the log becomes assessments in MLflow."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from feedbackloop.api.feedbackloop import PodOffset
from feedbackloop.api.jobs import AssessResult, AssessSpec
from feedbackloop.events.records import FeedbackRecord, InteractionRecord, Record
from feedbackloop.events.store import read_events
from feedbackloop.jobs.assess.events import News, Read, news
from feedbackloop.jobs.assess.project import draft, trace, trace_id
from feedbackloop.jobs.assess.traces import Traces
from feedbackloop.jobs.errors import InvalidSpec
from feedbackloop.jobs.runtime import Job
from feedbackloop.jobs.storage import Objects

log = logging.getLogger(__name__)
BATCH = 100


def run(job: Job[AssessSpec]) -> AssessResult:
    """Raises StorageUnavailable while MLflow or the object storage is away: the next attempt repeats nothing."""
    spec = job.spec
    if spec.mlflow is None:
        raise InvalidSpec("mlflow: is missing; without a tracking URI there is nothing to project into")
    found = news(_reader(job), spec.cut, spec.since)
    traces = Traces(spec.mlflow.tracking_uri, spec.experiment)
    pairs = [(record, about) for record in found.feedback if (about := found.interaction_of(record))]
    for at in range(0, len(pairs), BATCH):
        job.progress.set(at, len(pairs))
        _project(pairs[at : at + BATCH], traces, spec)
    written = traces.written
    log.info("%d events, %d of them of no interaction, %d refused", len(found.feedback), _lost(found), written.refused)
    return AssessResult(**job.identity(), assessments=written.assessments, traces=written.traces, until=found.until)


def _reader(job: Job[AssessSpec]) -> Read:
    objects, prefix, kek = Objects(job.store), job.spec.storage.prefix, job.vault().kek

    def read(cut: Iterable[PodOffset], since: Iterable[PodOffset]) -> Iterator[Record]:
        return read_events(objects, prefix, tuple(cut), kek, since=tuple(since))

    return read


def _lost(found: News) -> int:
    return sum(found.interaction_of(record) is None for record in found.feedback)


def _project(pairs: list[tuple[FeedbackRecord, InteractionRecord]], traces: Traces, spec: AssessSpec) -> None:
    loop = f"{spec.loop.namespace}/{spec.loop.name}"
    by_id = {trace_id(about, spec.loop.uid): about for _, about in pairs}
    known = traces.known(by_id)
    for record, about in pairs:
        traces.put(trace(about, spec.loop.uid, loop, with_text=_agreed(about.consent, spec)), known)
        if made := draft(record, with_text=_agreed(record.consent, spec)):
            traces.assess(trace_id(about, spec.loop.uid), made, known)


def _agreed(consent: bool | None, spec: AssessSpec) -> bool:
    return consent is True or (consent is None and not spec.consent_required)

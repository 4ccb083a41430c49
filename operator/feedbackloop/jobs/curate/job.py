"""The curate job: events up to the cut in, an encrypted data set and its numbers out."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from feedbackloop.api.jobs import CurateResult, CurateSpec
from feedbackloop.events.store import BAD_ROWS, numbers_of, read_events
from feedbackloop.jobs import datasets, golden, ledger
from feedbackloop.jobs.curate import tracking
from feedbackloop.jobs.curate.config import Config
from feedbackloop.jobs.curate.dataset import DataSet, curate
from feedbackloop.jobs.curate.files import bundle
from feedbackloop.jobs.curate.source import sort_out
from feedbackloop.jobs.golden import GoldenItem
from feedbackloop.jobs.named.stage import without_names
from feedbackloop.jobs.runtime import Job
from feedbackloop.jobs.storage import Objects, Store

log = logging.getLogger(__name__)
STEPS = 4


def run(job: Job[CurateSpec]) -> CurateResult:
    spec, vault = job.spec, job.vault()
    job.progress.set(0, STEPS)
    suites = fetch_golden(spec, job.store)
    events = sort_out(read_events(Objects(job.store), spec.storage.prefix, spec.cut, vault.kek))
    log.info("read %d interactions, %d events, %d lost", len(events.interactions), len(events.feedback), events.lost)
    job.progress.set(1, STEPS)
    # Beyond the cut: what somebody refused a moment ago counts.
    consents = ledger.read(job)
    data = curate(events.interactions, events.feedback, suites, Config.of(spec), consents)
    data = without_names(spec.named, data)
    made = bundle(data)
    job.progress.set(2, STEPS)
    digest = datasets.write(vault, made.files, made.manifest)
    log.info("data set %s: %s", digest, data.counts())
    ledger.append(job, "dataset.built", consents.heads, digest=digest, rows=len(data.training.rows))
    job.progress.set(3, STEPS)
    if spec.mlflow is not None:
        tracking.log_data_set(spec.mlflow, spec.run_name, digest, data)
    job.progress.set(STEPS, STEPS)
    return result(job, digest, data)


def fetch_golden(spec: CurateSpec, store: Store) -> Mapping[str, tuple[GoldenItem, ...]]:
    """The suites that are files, by name, each checked against its digest."""
    bucket = store.at("")
    return {
        suite.name: golden.fetch(bucket, spec.golden_prefix + suite.source.object_name, suite.source.digest)
        for suite in spec.golden
        if suite.source.object_name is not None and suite.source.digest is not None
    }


def result(job: Job[CurateSpec], digest: str, data: DataSet) -> CurateResult:
    made = data.training
    return CurateResult(
        **job.identity(),
        dataset_digest=digest,
        events=data.funnel["events"],
        interactions=data.interactions,
        bad_rows=bad_rows(job.store.keys(f"{BAD_ROWS}/")),
        funnel=dict(data.funnel),
        excluded=data.reasons(),
        training_rows=len(made.rows),
        correction_rows=len(made.corrections),
        replay_rows=len(made.replayed),
        regression_items=len(made.regressions),
        preference_pairs=len(data.pairs),
        slices=dict(data.slices),
        corrected_topics=len(made.topics),
        computed=data.computed.counts(),
        correction_distance=data.computed.distances.mean,
        agreement=data.raters.agreement,
        ties=data.raters.ties,
        named=data.named,
    )


def bad_rows(keys: Iterable[str]) -> int:
    """Rows in the segments of that name. They belong to no cut, so the data set does not know them."""
    found = (numbers_of(key) for key in keys)
    return sum(last - first + 1 for first, last in filter(None, found))

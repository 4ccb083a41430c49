"""The curate job: events up to the cut in, an encrypted data set and its numbers out."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

from feedbackloop.api.evaluation import ProbeKind, Suite
from feedbackloop.api.jobs import CurateResult, CurateSpec
from feedbackloop.events.store import BAD_ROWS, numbers_of, read_events
from feedbackloop.jobs import datasets, golden, ledger
from feedbackloop.jobs.curate import kept, tracking
from feedbackloop.jobs.curate.config import Config
from feedbackloop.jobs.curate.dataset import DataSet, curate, sized
from feedbackloop.jobs.curate.files import bundle
from feedbackloop.jobs.curate.source import sort_out
from feedbackloop.jobs.errors import InvalidDataset
from feedbackloop.jobs.named.stage import without_names
from feedbackloop.jobs.probes import Training
from feedbackloop.jobs.runtime import Job
from feedbackloop.jobs.storage import Objects, Store
from feedbackloop.jobs.suiteitems import Items, probe_items, suite_digest, team_items

log = logging.getLogger(__name__)
STEPS = 4


def run(job: Job[CurateSpec]) -> CurateResult:
    spec, vault = job.spec, job.vault()
    job.progress.set(0, STEPS)
    suites = fetch_suites(spec, job.store, job.place.suites)
    events = sort_out(read_events(Objects(job.store), spec.storage.prefix, spec.cut, vault.kek))
    log.info("read %d interactions, %d events, %d lost", len(events.interactions), len(events.feedback), events.lost)
    job.progress.set(1, STEPS)
    # Beyond the cut: what somebody refused a moment ago counts.
    consents = ledger.read(job)
    data = curate(events.interactions, events.feedback, suites, Config.of(spec), consents, kept.read(vault))
    data = without_names(spec.named, data)
    made = bundle(data)
    job.progress.set(2, STEPS)
    digest = datasets.write(vault, made.files, made.manifest)
    kept.remember(vault, digest)
    log.info("data set %s: %s", digest, data.counts())
    ledger.append(job, "dataset.built", consents.heads, digest=digest, rows=len(data.training.rows))
    job.progress.set(3, STEPS)
    if spec.mlflow is not None:
        tracking.log_data_set(spec.mlflow, spec.run_name, digest, data)
    job.progress.set(STEPS, STEPS)
    late = late_suites(spec, made.files)
    return result(job, digest, data).model_copy(
        update={
            "slices": {**data.slices, **late_slices(late)},
            "suite_digests": {s.name: suite_digest(s, items) for s in spec.golden for items in known(s, suites, late)},
        }
    )


def fetch_suites(spec: CurateSpec, store: Store, mounted: Path) -> Mapping[str, Items]:
    """The suites whose items exist before the data set does, by name, each checked against its digest."""
    found: dict[str, Items] = {}
    for suite in spec.golden:
        own = team_items(suite, prefix=spec.golden_prefix, bucket=store.at(""), mounted=mounted)
        if own is not None:
            found[suite.name] = own
        elif suite.source.probes not in (None, ProbeKind.MEMORISATION):
            found[suite.name] = probe_items(suite, None) or ()
    return found


def late_suites(spec: CurateSpec, files: Mapping[str, bytes]) -> dict[str, Items]:
    """The suites whose items come of the data set: what it holds out, and what a model may remember of it."""
    found: dict[str, Items] = {}
    for suite in spec.golden:
        if suite.source.accepted_corrections is not None:
            found[suite.name] = golden.parse(files["regressions.jsonl"], "regressions.jsonl")
        elif suite.source.probes is ProbeKind.MEMORISATION:
            found[suite.name] = _memorisation(suite, files)
    return found


def _memorisation(suite: Suite, files: Mapping[str, bytes]) -> Items:
    """None of rows that have nothing rare: the gate is then underpowered, which is said before training."""
    try:
        return probe_items(suite, Training(files["train.jsonl"], files["subjects.jsonl"])) or ()
    except InvalidDataset as error:
        log.info("suite %s: %s", suite.name, error)
        return ()


def late_slices(late: Mapping[str, Items]) -> dict[str, int]:
    """Sizes of suites that the data set makes; corrections are counted there already."""
    return {key: size for name, items in late.items() for key, size in sized(name, items).items()}


def known(suite: Suite, *places: Mapping[str, Items]) -> list[Items]:
    """The suite's items, if they are known before an evaluation and there are any."""
    return [place[suite.name] for place in places if place.get(suite.name)]


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
        regression_items=len(made.regressions) + len(data.kept),
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

"""The sweep job: list, decide, raise the floors, delete, verify, and say so in the ledger."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from feedbackloop.api.jobs import SweepResult, SweepSpec
from feedbackloop.jobs import canonical, ledger
from feedbackloop.jobs.runtime import Job
from feedbackloop.jobs.sweep import plan
from feedbackloop.jobs.sweep.bucket import Bucket
from feedbackloop.jobs.sweep.clock import Times, distrust, local_now
from feedbackloop.jobs.sweep.logs import Log, logs
from feedbackloop.jobs.sweep.plan import Group, Kind, Rules, Verdict, Version, before, folder_of, grouped, judge

log = logging.getLogger(__name__)
MOST = 50_000
"""Versions that one sweep deletes."""
HEADS = 50
"""Of each class so many keys are also asked for one by one."""


@dataclass(frozen=True)
class Target:
    """One class, where it lies and what goes of it."""

    bucket: Bucket
    below: tuple[str, ...]
    """Where it lies; nothing else is ever deleted."""
    verdict: Verdict
    logs: tuple[Log, ...] = ()

    def with_(self, verdict: Verdict) -> Target:
        return Target(self.bucket, self.below, verdict, self.logs)


def run(job: Job[SweepSpec]) -> SweepResult:
    bucket = Bucket(job.store)
    return sweep(job, bucket, Times(local_now(), bucket.now()))


def sweep(job: Job[SweepSpec], bucket: Bucket, times: Times, most: int = MOST) -> SweepResult:
    """A sweep at that time. Again is harmless: what is gone is gone, what is left of a broken one goes."""
    spec = job.spec
    problem = distrust(times, spec.last_sweep)
    if problem:
        log.error("nothing is deleted: %s", problem)
    rules = Rules(legal_hold=spec.retention.legal_hold, clock=not problem, force=spec.force)
    targets = _bounded(list(_targets(job, bucket, times, rules)), most)
    for number, target in enumerate(targets):
        job.progress.set(number, len(targets))
        _carry_out(target)
    verified = not problem and all(_is_gone(target) for target in targets)
    result = _result(job, targets, times, verified=verified, problem=problem)
    if result.deleted:
        ledger.append(job, "retention.swept", verified=verified, deleted=dict(result.deleted))
    return result


def _targets(job: Job[SweepSpec], bucket: Bucket, times: Times, rules: Rules) -> Iterable[Target]:
    spec, now = job.spec, times.cautious
    keep = spec.retention
    # Models first: which they are is known from the spec, and their files are the largest.
    if spec.models is not None and spec.rejected_models:
        yield _models(job, expired_before=before(now, keep.rejected_candidates_seconds), rules=rules)
    for kind, stream, seconds in (
        (Kind.EVENTS, "events/", keep.raw_seconds),
        (Kind.BAD_ROWS, "badrows/", keep.bad_rows_seconds),
    ):
        found = logs(bucket, stream)
        expired = [group for entry in found for group in entry.expired(before(now, seconds))]
        total = sum(len(entry.segments) for entry in found)
        yield Target(bucket, (stream,), judge(kind, expired, total, rules, frozenset()), tuple(found))
    in_use = frozenset(canonical.hex_of(digest) for digest in spec.keep_datasets)
    expired_before = before(now, keep.datasets_seconds)
    for kind, folder, used in ((Kind.DATASETS, "datasets/", in_use), (Kind.RUNS, "runs/", frozenset({spec.run_id}))):
        groups = grouped(bucket.versions(folder), _below(folder))
        expired = [group for group in groups if group.expired(expired_before)]
        yield Target(bucket, (folder,), judge(kind, expired, len(groups), rules, used))


def _models(job: Job[SweepSpec], *, expired_before: datetime, rules: Rules) -> Target:
    """Candidates of this loop that never became champion, by name: the bucket may hold other loops' models too."""
    spec = job.spec
    assert spec.models is not None
    bucket = Bucket(job.open(spec.models, "models-write"))
    keep = frozenset(canonical.hex_of(digest) for digest in spec.keep_models)
    folder = f"{spec.registered_model}/"
    folders = [f"{folder}{canonical.hex_of(digest)}/" for digest in spec.rejected_models]
    groups = [group for name in folders for group in grouped(bucket.versions(name), _below(folder))]
    expired = [group for group in groups if group.expired(expired_before)]
    # A share of the rejected ones says nothing about the class: they are named one by one.
    return Target(bucket, tuple(folders), judge(Kind.MODELS, expired, 2 * len(groups), rules, keep))


def _below(folder: str) -> Callable[[str], str]:
    return lambda key: folder_of(key.removeprefix(folder))


def _bounded(targets: list[Target], most: int) -> list[Target]:
    verdicts = plan.bounded([target.verdict for target in targets], most)
    return [target.with_(verdict) for target, verdict in zip(targets, verdicts, strict=True)]


def _carry_out(target: Target) -> None:
    doomed = target.verdict.doomed
    for entry in target.logs:
        entry.raise_floor(doomed)
    versions = [version for group in doomed for version in _in_order(group)]
    _only_below(target, versions)
    target.bucket.delete(versions)


def _in_order(group: Group) -> list[Version]:
    """The manifest first: what has none is no data set and no model any more, however far the deletion came."""
    return sorted(group.versions, key=lambda v: (not v.key.endswith("/manifest.json"), v.key))


def _only_below(target: Target, versions: Iterable[Version]) -> None:
    """The last line of defence: a bug elsewhere deletes no keys and no ledger."""
    if any(not version.key.startswith(target.below) for version in versions):
        raise AssertionError("a sweep was about to delete outside of its classes")


def _is_gone(target: Target) -> bool:
    """Neither a version nor a delete marker is listed, and nothing answers."""
    doomed = frozenset(key for group in target.verdict.doomed for key in group.keys)
    if not doomed:
        return True
    left = {version.key for below in target.below for version in target.bucket.versions(below)} & doomed
    answers = [key for key in sorted(doomed)[:HEADS] if not target.bucket.is_gone(key)]
    if left or answers:
        log.error("%s: %d objects are still there after they were deleted", target.verdict.kind, len(left))
    return not left and not answers


def _result(job: Job[SweepSpec], targets: list[Target], times: Times, *, verified: bool, problem: str) -> SweepResult:
    deleted: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    for target in targets:
        deleted[target.verdict.kind] += plan.objects(target.verdict.doomed)
        kept.update({reason.value: count for reason, count in target.verdict.kept.items()})
    log.info("deleted %s, kept %s", dict(deleted), dict(kept))
    return SweepResult(
        **job.identity(),
        deleted={kind: count for kind, count in sorted(deleted.items()) if count},
        kept={reason: count for reason, count in sorted(kept.items()) if count},
        verified=verified,
        # A time that is not trusted must not become the one that the next sweep is measured by.
        swept_at="" if problem else times.cautious.strftime("%Y-%m-%dT%H:%M:%SZ"),
        message=problem,
    )

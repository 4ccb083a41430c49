"""What a loop remembers over its runs: promotions, looks at suites, and the online procedure over its life.

Each is computed from what the status says and from the runs that are there, so that counting again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from feedbackloop.api.feedbackloop import FeedbackLoopStatus, LifetimeStatus, Promotion, SuiteLooks
from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.api.rollout import Rollout
from feedbackloop.domain import gates
from feedbackloop.domain.lifecycle.loop_observation import LoopObservation, RunSeen
from feedbackloop.domain.lifecycle.run_watch import harmed
from feedbackloop.domain.lifetime import next_level
from feedbackloop.domain.rfc3339 import instant, stamp
from feedbackloop.domain.statistics.numerals import numeral

KEPT = 10


def promotions(seen: LoopObservation, now: datetime) -> tuple[Promotion, ...]:
    """The last promotions, newest first; those whose runs are gone stay known."""
    known = {p.run_uid: p for p in seen.loop.status.promotions}
    for run in seen.runs:
        if run.status.outcome is RunOutcome.PROMOTED and run.status.candidate is not None:
            known[run.uid] = _promotion(run, known.get(run.uid), now)
    ordered = sorted(known.values(), key=lambda p: (instant(p.at), p.run_name), reverse=True)
    return tuple(ordered[:KEPT])


def _promotion(run: RunSeen, before: Promotion | None, now: datetime) -> Promotion:
    assert run.status.candidate is not None
    regressed = before.regressed_at if before else None
    if regressed is None and harmed(run.status):
        regressed = stamp(now)
    return Promotion(
        digest=run.status.candidate.digest,
        run_name=run.name,
        run_uid=run.uid,
        at=run.status.finished_at or run.created,
        regressed_at=regressed,
    )


def former_champions(status: FeedbackLoopStatus) -> tuple[str, ...]:
    """Digests that were champion by a promotion or before one, newest first.

    Without the present champion, and without those that late votes have shown to be worse.
    """
    out = {p.digest for p in status.promotions if p.regressed_at is not None}
    out |= {status.champion.digest} if status.champion else set()
    former = [status.previous.digest] if status.previous else []
    digests = [*former, *(p.digest for p in status.promotions)]
    return tuple(dict.fromkeys(d for d in digests if d not in out))


def suites(seen: LoopObservation, now: datetime) -> tuple[SuiteLooks, ...]:
    """How often each set of items has decided: with the looks of the run that is, or just was, the active one.

    Runs of before are counted already; counting them again could bring back sets that were forgotten.
    """
    looks, uids = seen.loop.status.suites, {seen.loop.status.active_run_uid, seen.active.uid if seen.active else None}
    for run in seen.runs:
        looks = gates.looked(looks, run.status.gates, now) if run.uid in uids else looks
    return looks


def lifetime(seen: LoopObservation, rollout: Rollout | None) -> LifetimeStatus | None:
    """The online procedure; a run is counted in the status write that sees it end.

    Every run with traffic was the active one in status before: its routing follows from that status.
    """
    rules = rollout.lifetime if rollout else None
    if rules is None:
        return None
    before = seen.loop.status.lifetime or LifetimeStatus()
    ended, promoted = _ended_now(seen)
    decisions, promotions_ = before.decisions + ended, before.promotions + promoted
    level = numeral(next_level(rules, decisions, promotions_))
    return LifetimeStatus(decisions=decisions, promotions=promotions_, next_level=level)


def _ended_now(seen: LoopObservation) -> tuple[bool, bool]:
    """Whether the run that was active has ended since, with traffic; and whether it was promoted."""
    uid = seen.loop.status.active_run_uid
    if uid is None:
        return False, False
    run = of_run(seen.runs, uid)
    if run is None:
        # Deleted while it was under way: a decision that nobody will make, so it promotes nothing.
        return seen.loop.status.candidate is not None, False
    if run.status.outcome is None:
        return False, False
    decided = _had_traffic(run)
    return decided, decided and run.status.outcome is RunOutcome.PROMOTED and not _skipped(run)


def _skipped(run: RunSeen) -> bool:
    """A promotion that a person or the rollback window made, not the evidence: it earns no level for later ones."""
    return run.status.rollout is not None and run.status.rollout.skip_steps


def _had_traffic(run: RunSeen) -> bool:
    rollout = run.status.rollout
    return rollout is not None and any(e.weight > 0 for e in rollout.epochs)


def of_run(runs: Iterable[RunSeen], uid: str) -> RunSeen | None:
    return next((r for r in runs if r.uid == uid), None)

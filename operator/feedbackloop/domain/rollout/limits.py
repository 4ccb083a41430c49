"""Time limits: a canary that does not come up, a rollout that does not get its evidence."""

from __future__ import annotations

from feedbackloop.api.conditions import Reason
from feedbackloop.domain.rollout.intents import aborted
from feedbackloop.domain.rollout.situation import Move, Situation


def progress_deadline(s: Situation) -> Move | None:
    """The canary has been awaited for longer than it may take."""
    limit = s.spec.progress_deadline_seconds
    if s.observed.suspended or s.promoting or s.elapsed(s.status.canary_awaited_since) <= limit:
        return None
    ready, wanted = s.observed.canary.ready, s.status.canary_replicas
    why = f"{ready} of {wanted} canary replicas were ready with the candidate after {limit} s"
    return aborted(s, Reason.CANARY_UNAVAILABLE, why)


def max_duration(s: Situation) -> Move | None:
    """No decision in time is no promotion."""
    if s.observed.suspended or s.promoting or s.elapsed(s.status.started_at) <= _longest(s):
        return None
    return aborted(s, Reason.MAX_DURATION, f"no promotion after {_longest(s)} s")


def _longest(s: Situation) -> int:
    """A rollout whose steps are done may still start the last replicas and bake."""
    allowance = s.spec.bake_seconds + s.spec.progress_deadline_seconds if s.step is None else 0
    return s.spec.max_duration_seconds + allowance

"""Time limits: a canary that does not come up, a rollout that does not get its evidence."""

from __future__ import annotations

from feedbackloop.api.conditions import Reason
from feedbackloop.api.rollout import OnTimeout
from feedbackloop.domain.rfc3339 import instant
from feedbackloop.domain.rollout import windows
from feedbackloop.domain.rollout.intents import aborted, paused
from feedbackloop.domain.rollout.situation import Move, Situation


def progress_deadline(s: Situation) -> Move | None:
    """The canary has been awaited for longer than it may take."""
    limit = s.spec.progress_deadline_seconds
    if s.frozen or s.promoting or s.elapsed(s.status.canary_awaited_since) <= limit:
        return None
    ready, wanted = s.observed.canary.ready, s.status.canary_replicas
    why = f"{ready} of {wanted} canary replicas were ready with the candidate after {limit} s"
    return aborted(s, Reason.CANARY_UNAVAILABLE, why)


def routing_deadline(s: Situation) -> Move | None:
    """Gateways that answer, or a router, have not applied a weight for longer than it may take."""
    status, limit = s.status, s.spec.progress_deadline_seconds
    applying = status.epoch > 0 and status.epoch_started_at is None and status.weight > 0
    if not applying or not s.gateways or s.frozen or s.promoting or s.elapsed(status.epoch_intended_at) <= limit:
        return None
    return aborted(s, Reason.ROUTE_NOT_ACCEPTED, f"weight {status.weight} was not in force after {limit} s")


def max_duration(s: Situation) -> Move | None:
    """No decision in time is no promotion. Time in which a person or a rule had paused it does not count."""
    if s.frozen or s.promoting or s.elapsed(s.status.started_at) - s.status.paused_seconds <= _longest(s):
        return None
    follow = aborted if s.spec.on_timeout is OnTimeout.ABORT else paused
    return follow(s, Reason.MAX_DURATION, f"no promotion after {s.spec.max_duration_seconds} s")


def _longest(s: Situation) -> float:
    """A rollout whose steps are done may still wait for a window, start the last replicas and bake."""
    if s.step is not None:
        return s.spec.max_duration_seconds
    allowance = s.spec.bake_seconds + s.spec.progress_deadline_seconds
    done = instant(s.status.step_since or s.status.started_at)
    return s.spec.max_duration_seconds + allowance + windows.closed_seconds(s.spec.windows, done, s.now)

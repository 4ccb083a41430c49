"""The step `setCanaryScale`: a size of the canary that stands beside what its weight needs."""

from __future__ import annotations

import math

from feedbackloop.api.conditions import Reason
from feedbackloop.api.rollout import CanaryScale
from feedbackloop.domain.rollout.capacity import available
from feedbackloop.domain.rollout.intents import next_step, record, update
from feedbackloop.domain.rollout.situation import Hold, Move, Situation


def set_canary_scale(s: Situation) -> Move | Hold | None:
    """Never fewer replicas than the weight, or a header route, needs (I4); on once they are there."""
    step = s.step.set_canary_scale if s.step else None
    if step is None:
        return None
    scale = _asked(step, s.observed.target.replicas)
    replicas = max(scale or 0, _needed(s, scale))
    if (s.status.scale, s.status.canary_replicas) != (scale, replicas):
        status = update(s.status, scale=scale, canary_replicas=replicas, canary_awaited_since=None)
        which = f"step {s.status.step_index + 1} of {len(s.spec.steps)}"
        why = f"{which}: {s.status.canary_replicas} to {replicas} canary replicas"
        return Move(status, record(s, Reason.CANARY_STARTING, why))
    waiting = available(s) if replicas > 0 else None
    return waiting or Move(next_step(s))


def _asked(step: CanaryScale, target: int) -> int | None:
    """None: what the weight needs."""
    if step.replicas is not None:
        return step.replicas
    return None if step.percent is None else math.ceil(target * step.percent / 100)


def _needed(s: Situation, scale: int | None) -> int:
    if s.status.weight > 0:
        return max(1, math.ceil(s.observed.target.replicas * s.status.weight / 100))
    return 1 if scale is None or s.status.header_routes else 0

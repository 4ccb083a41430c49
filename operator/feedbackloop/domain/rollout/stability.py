"""An unavailable canary is not an error rate: traffic leaves it, it comes back, and the third time it is taken back.

Meanwhile the gateway answers from the fallback and drops those units from both arms.
"""

from __future__ import annotations

from feedbackloop.api.conditions import Reason
from feedbackloop.api.gateway import Arm
from feedbackloop.domain.rfc3339 import stamp
from feedbackloop.domain.rollout.capacity import awaited
from feedbackloop.domain.rollout.intents import aborted, record, routed, update
from feedbackloop.domain.rollout.situation import Hold, Move, Situation
from feedbackloop.domain.rollout.traffic import Traffic, traffic

_LAST_TIME = 3
_FEWEST_UNAVAILABLE = 20


def canary_lost(s: Situation) -> Move | None:
    """The canary has traffic and cannot take it."""
    if s.status.weight == 0 or s.status.moved_back_since is not None or not _lost(s):
        return None
    if s.promoting:
        return _to_the_target(s)
    times = s.status.instabilities + 1
    why = f"the canary became unavailable at weight {s.status.weight}, for the {_ordinal(times)} time"
    if times >= _LAST_TIME:
        return aborted(s, Reason.CANARY_UNSTABLE, why)
    changes = {
        "instabilities": times,
        "resume_weight": s.status.weight,
        "canary_awaited_since": stamp(s.now),
        "baking_since": None,
    }
    status = update(routed(s.status, 0, s.now), **changes)
    return Move(status, record(s, Reason.CANARY_UNAVAILABLE, f"{why}; weight 0 until it is back"))


def restore(s: Situation) -> Move | Hold | None:
    """The weight it had, as a new epoch, once it is available again."""
    weight = s.status.resume_weight
    if weight is None:
        return None
    waiting = awaited(s, weight)
    if waiting is not None:
        return waiting
    why = f"the canary is available again: weight 0 to {weight}"
    return Move(routed(s.status, weight, s.now), record(s, Reason.WEIGHT_APPLYING, why))


def _lost(s: Situation) -> bool:
    canary = s.observed.canary
    return canary.ready == 0 or canary.digest != s.candidate or _unreachable(s)


def _unreachable(s: Situation) -> bool:
    """Pods say that they are ready, and yet the gateways reach them for fewer than half of the requests."""
    cell = traffic(s.gateways, s.run_uid).get((s.status.epoch, Arm.CANARY), Traffic())
    return cell.unavailable >= _FEWEST_UNAVAILABLE and cell.unavailable > cell.requests


def _to_the_target(s: Situation) -> Move | None:
    """The candidate is decided; what is ready of the target takes over before its update is complete."""
    if s.observed.target.ready == 0:
        return None
    why = "the canary became unavailable while the target is updated: traffic moves to the target"
    return Move(routed(s.status, 0, s.now), record(s, Reason.CANARY_UNAVAILABLE, why))


def _ordinal(times: int) -> str:
    return {1: "first", 2: "second", 3: "third"}.get(times, f"{times}th")

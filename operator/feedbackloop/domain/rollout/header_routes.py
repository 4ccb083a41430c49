"""The step `setHeaderRoute`: requests with a header go to the canary, for tests by hand, and are never counted."""

from __future__ import annotations

from feedbackloop.api.conditions import Reason
from feedbackloop.api.rollout import HeaderRoute
from feedbackloop.api.rolloutstatus import HeaderRouteStatus
from feedbackloop.domain.rollout.capacity import awaited
from feedbackloop.domain.rollout.intents import next_step, record, routed, update
from feedbackloop.domain.rollout.situation import Hold, Move, Situation

_MOST = 8


def set_header_route(s: Situation) -> Move | Hold | None:
    """A new epoch, as every change of the routing is; without values the header's route goes."""
    step = s.step.set_header_route if s.step else None
    if step is None:
        return None
    wanted = _with(s.status.header_routes, step)
    if wanted == s.status.header_routes:
        return Move(next_step(s))
    if len(wanted) > _MOST:
        return Hold(Reason.INVALID_SPEC, f"rollout.steps: at most {_MOST} headers can have a route at a time")
    waiting = awaited(s, s.status.weight) if step.values else None
    if waiting is not None:
        return waiting
    what = f"{', '.join(step.values)} to the canary" if step.values else "no route"
    why = f"step {s.status.step_index + 1} of {len(s.spec.steps)}: header {step.header_name}: {what}"
    status = routed(update(s.status, header_routes=wanted), s.status.weight, s.now)
    return Move(status, record(s, Reason.WEIGHT_APPLYING, why))


def _with(routes: tuple[HeaderRouteStatus, ...], step: HeaderRoute) -> tuple[HeaderRouteStatus, ...]:
    """Header names are the same in any case."""
    others = tuple(r for r in routes if r.header_name.lower() != step.header_name.lower())
    mine = (HeaderRouteStatus(header_name=step.header_name, values=step.values),) if step.values else ()
    return tuple(sorted((*others, *mine), key=lambda r: r.header_name))

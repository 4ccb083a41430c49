"""The router's part of a look at a loop: what is written, what is put back, and whose route it is."""

from __future__ import annotations

from datetime import datetime

from feedbackloop.api.gateway import Backend, Routing
from feedbackloop.api.rollout.routing import TrafficRouting
from feedbackloop.api.rolloutstatus import ProviderStatus
from feedbackloop.domain.lifecycle.loop_effects import Apply, Effect
from feedbackloop.domain.lifecycle.loop_observation import LoopObservation
from feedbackloop.domain.traffic import may_write
from feedbackloop.domain.traffic.ownership import owned
from feedbackloop.domain.traffic.provider import Provider, provider

NO_ROLLOUT = Routing(stable=Backend(host="", port=0, digest=""))
"""Epoch 0: what was there before us."""


def router_effects(
    seen: LoopObservation, declared: TrafficRouting, routing: Routing, now: datetime
) -> tuple[Effect, ...]:
    """What is missing of the route, unless it belongs to an older loop or another writer has just changed it."""
    router = _router(seen, declared)
    if router is None or taken_by(seen, declared):
        return ()
    status = _status(seen)
    found = router.seen(routing, written_before=status is not None and status.accepted)
    if found is not None and not may_write(found, status, now, taking_back=routing.weight == 0):
        return ()
    return tuple(Apply(body) for body in router.desired(routing))


def release_effects(seen: LoopObservation, declared: TrafficRouting, now: datetime) -> tuple[Effect, ...]:
    """What puts the route back, one step at a time; nothing once it is. A conflict does not keep a loop from going."""
    router = _router(seen, declared)
    found = router.seen(NO_ROLLOUT, written_before=False) if router is not None else None
    if router is None or found is None or not may_write(found, None, now, taking_back=True):
        return ()
    return tuple(Apply(body) for body in router.desired(NO_ROLLOUT))


def is_released(seen: LoopObservation, declared: TrafficRouting) -> bool:
    """The route is as it was, and the router has seen that, if it had any traffic to take back."""
    router = _router(seen, declared)
    found = router.seen(NO_ROLLOUT, written_before=False) if router is not None else None
    if found is None or found.impossible is not None:
        return True
    return found.written and (found.handled or seen.loop.status.weight == 0)


def taken_by(seen: LoopObservation, declared: TrafficRouting) -> str | None:
    """The older loop that writes the same."""
    name, mine = owned(declared), (seen.loop.created, seen.loop.ref.uid)
    rivals = [o.name for o in seen.others if name is not None and o.route == name and (o.created, o.uid) < mine]
    return min(rivals, default=None)


def _router(seen: LoopObservation, declared: TrafficRouting) -> Provider | None:
    return provider(declared, seen.loop.ref, seen.router) if seen.router is not None else None


def _status(seen: LoopObservation) -> ProviderStatus | None:
    run = seen.active
    return run.status.rollout.provider if run is not None and run.status.rollout is not None else None

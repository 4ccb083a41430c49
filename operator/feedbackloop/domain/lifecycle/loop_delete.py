"""The end of a loop: its gateway uploads what it has, then our finalizer goes and the garbage collector takes the rest.

At the admin's deadline the logs' volumes are kept and an Event names them. The target keeps the model
it serves: taking our fields away would restart its pods without a model.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from feedbackloop.api.adminconfig import AdminConfig
from feedbackloop.api.conditions import Reason
from feedbackloop.domain import naming
from feedbackloop.domain.children.common import Json
from feedbackloop.domain.lifecycle.loop_checks import belongs
from feedbackloop.domain.lifecycle.loop_effects import Announcement, Decision, Delete, Drain
from feedbackloop.domain.lifecycle.loop_observation import Child, LoopObservation
from feedbackloop.domain.lifecycle.loop_router import is_released, release_effects
from feedbackloop.domain.project_loop import Summary, announcements, project

_MESSAGE = "the gateway uploads its log before the loop goes"


def decide_deletion(seen: LoopObservation, admin: AdminConfig, since: datetime, now: datetime) -> Decision:
    """What is due for a loop that is being deleted."""
    status = seen.loop.status
    if seen.loop.has_finalizer and now < since + timedelta(seconds=admin.gateway.drain_seconds):
        routed = _routed(seen, admin, now)
        if routed is not None:
            return routed
    claims = _claims(seen)
    gateway = _own(seen, Child("StatefulSet", naming.gateway(seen.loop.ref.name)))
    if not seen.loop.has_finalizer or (not claims and gateway is None):
        return Decision(status, finalizer=False)
    if seen.gateways is not None and all(g.drained for g in seen.gateways):
        return _drained(seen, claims)
    if now >= since + timedelta(seconds=admin.gateway.drain_seconds):
        return Decision(status, finalizer=False, announcements=_kept(claims, admin.gateway.drain_seconds))
    after = project(
        status,
        status.model_copy(update={"stage": "Draining"}),
        summary=Summary(False, Reason.DELETING, _MESSAGE),
        generation=seen.loop.generation,
        now=now,
    )
    return Decision(
        after,
        finalizer=True,
        effects=(Drain(),),
        announcements=announcements(status, after),
        requeue_seconds=admin.limits.poll_active_seconds,
    )


def _routed(seen: LoopObservation, admin: AdminConfig, now: datetime) -> Decision | None:
    """Traffic goes back before anything that serves it goes; at the deadline the loop goes all the same."""
    declared = seen.loop.spec.rollout.traffic_routing if seen.loop.spec and seen.loop.spec.rollout else None
    if declared is None or is_released(seen, declared):
        return None
    effects = release_effects(seen, declared, now)
    return Decision(seen.loop.status, finalizer=True, effects=effects, requeue_seconds=admin.limits.poll_active_seconds)


def _claims(seen: LoopObservation) -> tuple[Json, ...]:
    """The claims of our logs, by pod."""
    found = (_own(seen, child) for child in sorted(seen.children) if child.kind == "PersistentVolumeClaim")
    return tuple(claim for claim in found if claim is not None)


def _own(seen: LoopObservation, child: Child) -> Json | None:
    live = seen.children.get(child)
    return live if live is not None and belongs(seen, live) else None


def _drained(seen: LoopObservation, claims: tuple[Json, ...]) -> Decision:
    effects = tuple(Delete(claim) for claim in claims)
    note = "the gateway's log is uploaded; its volume is deleted"
    told = Announcement("Normal", Reason.LOG_DRAINED, "Delete", note)
    return Decision(seen.loop.status, finalizer=False, effects=effects, announcements=(told,))


def _kept(claims: tuple[Json, ...], seconds: int) -> tuple[Announcement, ...]:
    if not claims:
        return ()
    names, several = ", ".join(claim["metadata"]["name"] for claim in claims), len(claims) > 1
    note = (
        f"the gateway's log was not uploaded within {seconds} seconds; PersistentVolumeClaim {names}"
        f" {'are' if several else 'is'} kept: {'they hold' if several else 'it holds'} the events that are not in"
        " object storage"
    )
    return (Announcement("Warning", Reason.LOG_KEPT, "Delete", note),)

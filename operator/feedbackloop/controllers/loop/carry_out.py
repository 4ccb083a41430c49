"""Carries out what was decided, in order; every effect may be repeated."""

from __future__ import annotations

from collections.abc import Iterable

from feedbackloop.adapters.context import Adapters
from feedbackloop.adapters.kinds import kind_of
from feedbackloop.adapters.ports import Json
from feedbackloop.api.conditions import Reason
from feedbackloop.api.gateway import LoopRef
from feedbackloop.domain.errors import UserError
from feedbackloop.domain.lifecycle.loop_effects import Announcement, Apply, Create, Delete, Drain, Effect


async def carry_out(adapters: Adapters, loop: LoopRef, effects: Iterable[Effect]) -> None:
    """All effects, the first failure ends it."""
    for effect in effects:
        await _one(adapters, loop, effect)


async def _one(adapters: Adapters, loop: LoopRef, effect: Effect) -> None:
    match effect:
        case Apply(body, force):
            await adapters.kubernetes.apply(body, force=force)
        case Create(body):
            await _create_or_adopt(adapters, loop, body)
        case Delete(body):
            meta = body["metadata"]
            await adapters.kubernetes.delete(kind_of(body), meta["namespace"], meta["name"], uid=meta["uid"])
        case Drain():
            await adapters.gateways.drain(loop.namespace, loop.name)


async def _create_or_adopt(adapters: Adapters, loop: LoopRef, body: Json) -> None:
    """Names are derived from inputs: what exists already is ours, made before a crash, unless somebody else made it."""
    if await adapters.kubernetes.create(body) is not None:
        return
    meta = body["metadata"]
    there = await adapters.kubernetes.get(kind_of(body), meta["namespace"], meta["name"])
    owners = {o.get("uid") for o in (there or {}).get("metadata", {}).get("ownerReferences", ())}
    if there is not None and loop.uid not in owners:
        raise UserError(Reason.NAME_CONFLICT, f"{body['kind']} {meta['name']} exists and is not this loop's; delete it")


async def announce(adapters: Adapters, regarding: Json, announcements: Iterable[Announcement]) -> None:
    """Kubernetes Events, one a transition."""
    for told in announcements:
        await adapters.kubernetes.event(
            regarding, type_=told.type, reason=told.reason.value, action=told.action, note=told.note
        )

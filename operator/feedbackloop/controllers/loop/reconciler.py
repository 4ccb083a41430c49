"""One look at a loop: read, decide, write the status if it changed, then do what it announces."""

from __future__ import annotations

from datetime import datetime

from feedbackloop.adapters.context import Adapters
from feedbackloop.adapters.kinds import FEEDBACK_LOOP
from feedbackloop.adapters.ports import Json
from feedbackloop.api import FINALIZER
from feedbackloop.api.adminconfig import AdminConfig
from feedbackloop.api.feedbackloop import FeedbackLoopStatus
from feedbackloop.controllers.loop.carry_out import announce, carry_out
from feedbackloop.controllers.loop.gather import Gatherer
from feedbackloop.controllers.loop.parse import loop_facts
from feedbackloop.controllers.loop.wakes import WAKES, Wakes
from feedbackloop.domain.errors import Transient, UserError
from feedbackloop.domain.findings import Finding
from feedbackloop.domain.lifecycle.loop import STALLED_SECONDS, decide, refusal
from feedbackloop.domain.lifecycle.loop_checks import stalled
from feedbackloop.domain.lifecycle.loop_effects import Decision
from feedbackloop.domain.lifecycle.loop_observation import LoopFacts
from feedbackloop.engine.keys import Key


class LoopReconciler:
    """Keeps no state that matters: what was refused is remembered only so that it is told until it passes."""

    kind = FEEDBACK_LOOP.kind

    def __init__(self, adapters: Adapters, admin: AdminConfig, wakes: Wakes = WAKES) -> None:
        self._adapters = adapters
        self._admin = admin
        self._gatherer = Gatherer(adapters, admin)
        self._wakes = wakes
        self._refused: dict[Key, Finding] = {}

    async def reconcile(self, key: Key, now: datetime) -> float | None:
        body = await self._adapters.kubernetes.get(FEEDBACK_LOOP, key.namespace, key.name)
        if body is None:
            self._wakes.forget(key)
            self._refused.pop(key, None)
            return None
        try:
            return await self._look(key, body, now)
        except UserError as cause:
            return await self._refusal(key, cause, now)

    async def _look(self, key: Key, body: Json, now: datetime) -> float | None:
        seen = await self._gatherer.gather(body, self._refused.get(key), now)
        self._wakes.learn(key, seen)
        decision = decide(seen, self._admin, now)
        body = await self._with_finalizer(body, seen.loop, decision)
        if decision.status != seen.loop.status:
            body = await self._write(body, decision.status)
        await announce(self._adapters, body, decision.announcements)
        await carry_out(self._adapters, seen.loop.ref, decision.effects)
        await self._without_finalizer(body, decision)
        return 0.0 if self._refused.pop(key, None) else decision.requeue_seconds

    async def _with_finalizer(self, body: Json, facts: LoopFacts, decision: Decision) -> Json:
        """Before anything that it protects exists."""
        if not decision.finalizer or facts.has_finalizer:
            return body
        finalizers = [*body["metadata"].get("finalizers", ()), FINALIZER]
        return await self._adapters.kubernetes.set_finalizers(FEEDBACK_LOOP, body, finalizers)

    async def _without_finalizer(self, body: Json, decision: Decision) -> None:
        finalizers = body["metadata"].get("finalizers", ())
        if decision.finalizer or FINALIZER not in finalizers:
            return
        others = [f for f in finalizers if f != FINALIZER]
        await self._adapters.kubernetes.set_finalizers(FEEDBACK_LOOP, body, others)

    async def _write(self, body: Json, status: FeedbackLoopStatus) -> Json:
        """Compare-and-set: a stale leader gets a conflict here, before it can do anything."""
        meta = {k: body["metadata"][k] for k in ("name", "namespace", "resourceVersion")}
        wanted = {"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": meta, "status": status.to_wire()}
        return await self._adapters.kubernetes.apply(wanted, subresource="status")

    async def _refusal(self, key: Key, cause: UserError, now: datetime) -> float:
        """The API server refused something of ours: say so, and look again later."""
        finding = stalled(cause.reason, cause.message)
        self._refused[key] = finding
        try:
            await self._tell(key, finding, now)
        except UserError as again:
            raise Transient(again.reason, again.message, retry_after=STALLED_SECONDS) from cause
        return STALLED_SECONDS

    async def _tell(self, key: Key, finding: Finding, now: datetime) -> None:
        body = await self._adapters.kubernetes.get(FEEDBACK_LOOP, key.namespace, key.name)
        if body is None:
            return
        decision = refusal(loop_facts(body), finding, now)
        if decision.status != loop_facts(body).status:
            body = await self._write(body, decision.status)
            await announce(self._adapters, body, decision.announcements)

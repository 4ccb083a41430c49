"""One reconcile of an ImprovementRun: facts, decision, one status write, effects."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from feedbackloop.adapters.context import Adapters
from feedbackloop.adapters.kinds import IMPROVEMENT_RUN
from feedbackloop.adapters.ports import Json
from feedbackloop.api.adminconfig import AdminConfig
from feedbackloop.api.conditions import ConditionType, Reason
from feedbackloop.controllers.run import effects, registry
from feedbackloop.controllers.run.gather import gather, run_seen
from feedbackloop.controllers.run.recording import Recorder
from feedbackloop.domain.errors import Transient, UserError
from feedbackloop.domain.lifecycle.run_decide import Decision, decide, refuse
from feedbackloop.domain.lifecycle.run_seen import Answers, Outage, RunSeen
from feedbackloop.domain.lifecycle.run_turn import STALLED_SECONDS
from feedbackloop.engine.keys import Key


class RunController:
    """Implements `engine.reconciler.Reconciler` for ImprovementRuns."""

    kind = IMPROVEMENT_RUN.kind

    def __init__(self, adapters: Adapters, admin: AdminConfig) -> None:
        self._adapters = adapters
        self._admin = admin
        self._recorder = Recorder(adapters.kubernetes)
        # Only what people are told depends on it: a restart forgets, and learns it again from the next refusal.
        self._refused: dict[Key, tuple[Reason, str]] = {}

    async def reconcile(self, key: Key, now: datetime) -> float | None:
        """Bring the run one step further."""
        body = await self._adapters.kubernetes.get(IMPROVEMENT_RUN, key.namespace, key.name)
        if body is None or body["metadata"].get("deletionTimestamp"):
            self._refused.pop(key, None)
            return None
        try:
            seen = replace(await gather(self._adapters, body, now), refused=self._refused.get(key))
        except UserError as error:
            seen = run_seen(body)
            return await self._write(body, seen, refuse(seen, self._admin, now, error))
        try:
            return await self._act(key, body, seen, now)
        except UserError as error:
            return self._refuse(key, error)

    async def _act(self, key: Key, body: Json, seen: RunSeen, now: datetime) -> float | None:
        """Announced effects are repeated at once; new ones only after the status that announces them is written."""
        decision = decide(seen, self._admin, now)
        if decision.status == seen.status:
            await self._perform(key, decision)
            if decision.asks:
                decision = decide(await self._ask(seen, decision), self._admin, now)
        requeue = await self._write(body, seen, decision)
        if decision.status != seen.status:
            await self._perform(key, decision)
        return 0.0 if key in self._refused and seen.refused is None else requeue

    async def _perform(self, key: Key, decision: Decision) -> None:
        await effects.perform(self._adapters.kubernetes, key.namespace, decision.effects)
        self._refused.pop(key, None)

    async def _ask(self, seen: RunSeen, decision: Decision) -> RunSeen:
        """The facts with the registry's answers, or with the fact that it did not answer."""
        answers = Answers()
        try:
            for ask in decision.asks:
                answers = await registry.answer(self._adapters.mlflow, ask, answers)
        except Transient as error:
            outage = Outage(ConditionType.REGISTRY_REACHABLE, error.reason, error.message)
            return replace(seen, registry_outage=outage)
        return replace(seen, answers=answers)

    async def _write(self, body: Json, seen: RunSeen, decision: Decision) -> float | None:
        """The status, if it changed, against the version that was read; then the Events of what changed."""
        if decision.status == seen.status:
            return decision.requeue
        if decision.decided is not None:
            await self._recorder.record(seen, decision.decided)
        metadata = {k: body["metadata"][k] for k in ("name", "namespace", "resourceVersion")}
        head = {"apiVersion": IMPROVEMENT_RUN.api_version, "kind": IMPROVEMENT_RUN.kind, "metadata": metadata}
        await self._adapters.kubernetes.apply({**head, "status": decision.status.to_wire()}, subresource="status")
        await effects.tell(self._adapters.kubernetes, body, decision.notes)
        return decision.requeue

    def _refuse(self, key: Key, error: UserError) -> float:
        """Remember why, so that the next look says so; then look again now and then."""
        known = self._refused.get(key)
        self._refused[key] = (error.reason, error.message)
        return STALLED_SECONDS if known == self._refused[key] else 0.0

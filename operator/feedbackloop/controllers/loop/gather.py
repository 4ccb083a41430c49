"""Reads everything that a decision about a loop needs; the one thing it sends is a dry run, which changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from feedbackloop.adapters.context import Adapters
from feedbackloop.adapters.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    FEEDBACK_LOOP,
    IMPROVEMENT_RUN,
    NETWORK_POLICY,
    POD,
    POD_DISRUPTION_BUDGET,
    ROLE,
    ROLE_BINDING,
    SERVICE,
    SERVICE_ACCOUNT,
    STATEFUL_SET,
    VOLUME_CLAIM,
    Kind,
)
from feedbackloop.adapters.ports import Json
from feedbackloop.adapters.traffic import read_router
from feedbackloop.api.adminconfig import AdminConfig
from feedbackloop.api.conditions import Reason
from feedbackloop.api.gateway import GatewayStatus
from feedbackloop.controllers.loop.gather_periodic import periodic_seen
from feedbackloop.controllers.loop.parse import loop_facts, other_loops, pods_seen, runs_of
from feedbackloop.domain import naming
from feedbackloop.domain.children import target as targets
from feedbackloop.domain.errors import Conflict, UserError
from feedbackloop.domain.findings import Finding
from feedbackloop.domain.jobs.specs import pinned
from feedbackloop.domain.lifecycle.loop import adoption_to_try
from feedbackloop.domain.lifecycle.loop_checks import stalled
from feedbackloop.domain.lifecycle.loop_observation import Child, LoopFacts, LoopObservation, PodsSeen, RunSeen
from feedbackloop.domain.traffic.provider import RouterRead

_ACCESS = (SERVICE_ACCOUNT, ROLE, ROLE_BINDING, CONFIG_MAP, NETWORK_POLICY, STATEFUL_SET)
Children = dict[Child, Json]


@dataclass(frozen=True)
class Gatherer:
    """Reads the surroundings of one loop."""

    adapters: Adapters
    admin: AdminConfig

    async def gather(self, body: Json, refused: Finding | None, now: datetime) -> LoopObservation:
        """What is there."""
        facts = loop_facts(body)
        if facts.deleting_since is not None:
            return await self._leaving(facts)
        if facts.spec is None:
            return LoopObservation(facts)
        seen = replace(await self._surroundings(facts), refused=refused)
        seen = replace(seen, periodic=await periodic_seen(self.adapters, facts, now))
        return replace(seen, adoption_conflict=await self._dry_run(seen, now))

    async def _leaving(self, facts: LoopFacts) -> LoopObservation:
        children = await self._children(facts, (STATEFUL_SET,))
        claims = await self._claims(facts, range(max(replicas_there(children, facts), _wanted(facts))))
        gateways, router = await asyncio.gather(self._gateways(facts, children), self._router(facts, None))
        return LoopObservation(facts, children={**children, **claims}, gateways=gateways, router=router)

    async def _surroundings(self, facts: LoopFacts) -> LoopObservation:
        loops, runs, services, children, target = await asyncio.gather(
            self._list(FEEDBACK_LOOP, facts),
            self._list(IMPROVEMENT_RUN, facts),
            self._list(SERVICE, facts),
            self._children(facts, _kinds(facts)),
            self._target(facts),
        )
        pods, gateways, claim = await asyncio.gather(
            self._pods(facts, target), self._gateways(facts, children), self._claim_of_the_past(facts, children)
        )
        mine, active = runs_of(runs, facts.ref)
        router = await self._router(facts, active)
        return LoopObservation(
            loop=facts,
            others=other_loops(loops, facts.ref.uid),
            runs=mine,
            active=active,
            target=target,
            target_pods=pods,
            services=tuple(services),
            children={**children, **claim, **_services(services, facts.ref.name)},
            gateways=gateways,
            gateway_waits="" if gateways else self.adapters.gateways.waiting(facts.ref.namespace, facts.ref.name),
            keys_versioned=self._keys_versioned(facts),
            router=router,
        )

    async def _router(self, facts: LoopFacts, run: RunSeen | None) -> RouterRead | None:
        """As the run has pinned it, while one is under way."""
        spec = facts.spec
        if run is not None and run.status.inputs is not None:
            spec = pinned(run.status.inputs.pinned_spec)
        if spec is None or spec.rollout is None:
            return None
        return await read_router(self.adapters.kubernetes, facts.ref.namespace, spec.rollout.traffic_routing)

    def _keys_versioned(self, facts: LoopFacts) -> bool | None:
        if facts.spec is None:
            return None
        bucket = facts.spec.encryption.keys_bucket or facts.spec.storage.bucket
        return self.adapters.objects.keeps_versions(facts.spec.storage.endpoint_name, bucket)

    async def _list(self, kind: Kind, facts: LoopFacts) -> list[Json]:
        return await self.adapters.kubernetes.list(kind, facts.ref.namespace)

    async def _target(self, facts: LoopFacts) -> Json | None:
        name = facts.spec.target.deployment_name if facts.spec else ""
        return await self.adapters.kubernetes.get(DEPLOYMENT, facts.ref.namespace, name)

    async def _children(self, facts: LoopFacts, kinds: Iterable[Kind]) -> Children:
        """The gateway's objects of these kinds and the canary."""
        name = facts.ref.name
        wanted = [(kind, naming.gateway(name)) for kind in kinds] + [(DEPLOYMENT, naming.canary(name))]
        found = await asyncio.gather(*(self._child(facts, kind, name) for kind, name in wanted))
        return {child: live for child, live in found if live is not None}

    async def _child(self, facts: LoopFacts, kind: Kind, name: str) -> tuple[Child, Json | None]:
        return Child(kind.kind, name), await self.adapters.kubernetes.get(kind, facts.ref.namespace, name)

    async def _claim_of_the_past(self, facts: LoopFacts, children: Children) -> Children:
        """A claim that is there before the pod that would use it holds the log of a former loop."""
        return await self._claims(facts, range(replicas_there(children, facts), _wanted(facts)))

    async def _claims(self, facts: LoopFacts, ordinals: Iterable[int]) -> Children:
        names = [naming.log_claim(facts.ref.name, ordinal) for ordinal in ordinals]
        found = await asyncio.gather(*(self._child(facts, VOLUME_CLAIM, name) for name in names))
        return {child: live for child, live in found if live is not None}

    async def _pods(self, facts: LoopFacts, target: Json | None) -> PodsSeen:
        selector = targets.selector(target) if target is not None else {}
        if not selector or facts.spec is None:
            return PodsSeen()
        bodies = await self.adapters.kubernetes.list(POD, facts.ref.namespace, labels=selector)
        return pods_seen(bodies, facts.spec.target.model_container)

    async def _gateways(self, facts: LoopFacts, children: Children) -> tuple[GatewayStatus, ...] | None:
        expected = replicas_there(children, facts)
        if not expected:
            return None
        return await self.adapters.gateways.statuses(facts.ref.namespace, facts.ref.name, expected)

    async def _dry_run(self, seen: LoopObservation, now: datetime) -> Finding | None:
        """Would the target take our fields? Asked only while it does not carry them."""
        body = adoption_to_try(seen, self.admin, now)
        if body is None:
            return None
        try:
            await self.adapters.kubernetes.apply(body, force=False, dry_run=True)
        except UserError as cause:
            return stalled(cause.reason, cause.message)
        except Conflict as cause:
            return _conflict(cause)
        return None


def replicas_there(children: Children, facts: LoopFacts) -> int:
    """Pods of the gateway by its StatefulSet as it is; 0 without one."""
    live = children.get(Child(STATEFUL_SET.kind, naming.gateway(facts.ref.name)))
    return int(live["spec"].get("replicas", 1)) if live is not None else 0


def _wanted(facts: LoopFacts) -> int:
    return facts.spec.collection.replicas if facts.spec else 1


def _kinds(facts: LoopFacts) -> tuple[Kind, ...]:
    """A budget is asked for only where there may be one."""
    return (*_ACCESS, POD_DISRUPTION_BUDGET) if _wanted(facts) > 1 else _ACCESS


def _conflict(cause: Conflict) -> Finding:
    if not cause.managers:
        raise cause  # somebody wrote since we read: nobody owns a field of ours
    message = (
        f"{cause.message}: adoption must own these fields; remove them from what {', '.join(cause.managers)} applies"
    )
    return stalled(Reason.FIELD_MANAGER_CONFLICT, message)


def _services(services: Iterable[Json], loop: str) -> Children:
    names = {naming.gateway(loop), naming.gateway_pods(loop), naming.stable(loop), naming.canary(loop)}
    return {Child(SERVICE.kind, s["metadata"]["name"]): s for s in services if s["metadata"]["name"] in names}

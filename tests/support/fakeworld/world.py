"""The world of one namespace: its pods, its services and its voters, and when nothing in it moves any more."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from feedbackloop.adapters.connection import Connection
from feedbackloop.adapters.kinds import DEPLOYMENT, IMPROVEMENT_RUN, JOB, POD, ROLLOUT_ACTION, STATEFUL_SET, Kind
from feedbackloop.adapters.kubernetes import KubernetesAdapter
from feedbackloop.adapters.ports import Json, KubernetesPort, MlflowPort
from feedbackloop.adapters.requests import Request, Requests
from tests.support.clock import FakeClock
from tests.support.fakeworld import declared
from tests.support.fakeworld.away import SometimesAway
from tests.support.fakeworld.gateways import FakeGateways
from tests.support.fakeworld.jobs import Ending, Outcome
from tests.support.fakeworld.kubelet import FakeKubelet
from tests.support.fakeworld.mirror import Mirror, MirroredKubernetes
from tests.support.fakeworld.mlflow import FakeMlflow
from tests.support.fakeworld.objects import FakeObjects
from tests.support.fakeworld.state import State
from tests.support.fakeworld.voters import Voters

PATIENCE = 60.0
"""Seconds of real time that the API server's controllers may take for one move."""


@dataclass(frozen=True)
class Ask:
    """Somebody asks something, once, of the first run that is so far."""

    action: str
    at: str
    """`stage` of the run's status, or `weight N` of its rollout."""
    after: str = ""
    """The action that has been answered before."""

    @property
    def name(self) -> str:
        return f"{self.action.lower()}-at-{self.at.lower().replace(' ', '-')}"

    def fits(self, run: Json) -> bool:
        status = run.get("status") or {}
        weight = (status.get("rollout") or {}).get("weight", 0)
        return self.at in (status.get("stage"), f"weight {weight}")


@dataclass(frozen=True)
class Story:
    """What happens in this world."""

    voters: Voters = field(default_factory=Voters)
    outcome: Outcome = field(default_factory=Outcome)
    script: Mapping[tuple[str, int], Ending] = field(default_factory=dict)
    """How attempts end: by stage and number."""
    asks: tuple[Ask, ...] = ()
    """What people ask of runs."""


class World:
    def __init__(
        self,
        connection: Connection,
        namespace: str,
        clock: FakeClock,
        state: State,
        story: Story,
        mirror: Mirror | None = None,
    ) -> None:
        self._requests = requests = Requests(connection)
        self._asks = story.asks
        self._mirror = mirror
        adapter = KubernetesAdapter(requests, instance="fakeworld", now=clock.now)
        self.namespace = namespace
        self.clock = clock
        self.state = state
        self.kubernetes: KubernetesPort = MirroredKubernetes(adapter, mirror) if mirror else adapter
        self.api = SometimesAway(self.kubernetes, state)
        """The API server as the operator finds it."""
        self.objects = FakeObjects(state)
        self.mlflow: MlflowPort = FakeMlflow(state)
        self.gateways = FakeGateways(self.kubernetes, clock, state, story.voters)
        self.kubelet = FakeKubelet(requests, self.kubernetes, clock, state, script=story.script, outcome=story.outcome)

    async def _action(self, name: str) -> Json | None:
        return await self.kubernetes.get(ROLLOUT_ACTION, self.namespace, name)

    async def add(self, kind: Kind, body: Json) -> None:
        """Somebody creates an object."""
        self._heard(await self._requests.send(Request("create", kind, self.namespace, body=body)))

    async def patch(self, kind: Kind, name: str, body: Json) -> None:
        """Somebody changes an object."""
        self._heard(await self._requests.send(Request("patch", kind, self.namespace, name, body=body)))

    def _heard(self, body: Json) -> None:
        if self._mirror is not None:
            self._mirror.put(body)

    async def settle(self) -> None:
        """Let the pods become what they can be now; returns when the API server's controllers have followed."""
        async with asyncio.timeout(PATIENCE):
            while True:
                if await self._still():
                    break
                await asyncio.sleep(0.02)  # the controllers' turn; the condition is what ends the wait
        await self.gateways.apply(self.namespace, declared.LOOP)
        for wanted in self._asks:
            await self._ask(wanted)

    async def _ask(self, wanted: Ask) -> None:
        """One that was asked is in the cluster, so a life that goes on does not ask again."""
        if await self._action(wanted.name) is not None:
            return
        if wanted.after and not ((await self._action(wanted.after) or {}).get("status") or {}).get("result"):
            return
        runs = await self.kubernetes.list(IMPROVEMENT_RUN, self.namespace)
        run = next((r["metadata"]["name"] for r in runs if wanted.fits(r)), None)
        if run is not None:
            await self.add(ROLLOUT_ACTION, declared.action(run, wanted.action, wanted.name))

    async def _still(self) -> bool:
        kinds = (DEPLOYMENT, STATEFUL_SET, JOB, POD)
        found = await asyncio.gather(*(self.kubernetes.list(kind, self.namespace) for kind in kinds))
        deployments, sets, jobs, pods = found
        if await self.kubelet.tend(self.namespace, pods, jobs):
            return False
        return (
            all(_deployed(d, pods) for d in deployments)
            and all(_set_up(s, pods) for s in sets)
            and all(_noticed(j, pods) for j in jobs)
        )


def _deployed(deployment: Json, pods: list[Json]) -> bool:
    wanted = deployment["spec"].get("replicas", 1)
    status = deployment.get("status", {})
    counts = [status.get(k, 0) for k in ("replicas", "updatedReplicas")]
    there = [p for p in pods if _selects(deployment, p)]
    seen = status.get("observedGeneration") == deployment["metadata"]["generation"]
    return (
        seen and counts == [wanted, wanted] and len(there) == wanted and status.get("readyReplicas", 0) == _ready(there)
    )


def _set_up(stateful_set: Json, pods: list[Json]) -> bool:
    wanted = stateful_set["spec"].get("replicas", 1)
    status = stateful_set.get("status", {})
    there = [p for p in pods if _selects(stateful_set, p)]
    seen = status.get("observedGeneration") == stateful_set["metadata"]["generation"]
    return bool(seen) and len(there) == wanted and status.get("readyReplicas", 0) == _ready(there)


def _noticed(job: Json, pods: list[Json]) -> bool:
    """A Job has its pod, and knows of a failure of it; a success shows in the result before the Job knows."""
    name = job["metadata"]["name"]
    there = [p for p in pods if p["metadata"].get("labels", {}).get("batch.kubernetes.io/job-name") == name]
    ended = any(p["status"]["phase"] == "Failed" for p in there)
    conditions = job.get("status", {}).get("conditions") or []
    over = any(c["type"] in ("Complete", "Failed") and c["status"] == "True" for c in conditions)
    return over or (bool(there) and not ended)


def _selects(workload: Json, pod: Json) -> bool:
    wanted = workload["spec"]["selector"]["matchLabels"].items()
    return bool(wanted <= pod["metadata"].get("labels", {}).items())


def _ready(pods: list[Json]) -> int:
    def ready(pod: Json) -> bool:
        return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions") or [])

    return sum(ready(p) for p in pods)

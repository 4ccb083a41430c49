"""What the tests of this folder do to a loop and its surroundings, in words."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from feedbackloop.adapters.context import Adapters
from feedbackloop.adapters.kinds import DEPLOYMENT, EVENT, FEEDBACK_LOOP, IMPROVEMENT_RUN, JOB, POD, Kind
from feedbackloop.adapters.kubernetes import KubernetesAdapter
from feedbackloop.adapters.requests import Request, Requests
from feedbackloop.api.adminconfig import AdminConfig
from feedbackloop.api.feedbackloop import FeedbackLoopStatus
from feedbackloop.api.gateway import GatewayStatus
from feedbackloop.controllers.loop.reconciler import LoopReconciler
from feedbackloop.controllers.loop.wakes import Wakes
from feedbackloop.engine.keys import Key
from tests.support.apiserver import ApiServer
from tests.support.clock import FakeClock
from tests.support.fakeworld import declared
from tests.support.fakeworld.gateways import FakeGateways
from tests.support.fakeworld.jobs import Outcome
from tests.support.fakeworld.kubelet import FakeKubelet
from tests.support.fakeworld.objects import FakeObjects
from tests.support.fakeworld.state import State
from tests.support.fakeworld.voters import Voters
from tests.support.operator import Condition, InProcessOperator

Json = dict[str, Any]
Counted = Counter[tuple[str, str, str]]
WRITES = ("create", "apply", "patch", "update", "delete")


class Gateways(FakeGateways):
    """It drains only when the test says so."""

    drains = True

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.asked_to_drain: set[str] = set()
        """Loops."""

    async def statuses(self, namespace: str, loop: str, expected: int) -> tuple[GatewayStatus, ...] | None:
        found = await super().statuses(namespace, loop, expected)
        drained = loop in self.asked_to_drain and self.drains
        return None if found is None else tuple(s.model_copy(update={"drained": drained}) for s in found)

    async def drain(self, namespace: str, loop: str) -> None:
        self.asked_to_drain.add(loop)


@dataclass
class LoopWorld:
    server: ApiServer
    namespace: str
    clock: FakeClock
    requests: Requests
    kubernetes: KubernetesAdapter
    counted: Counted
    gateways: Gateways
    kubelet: FakeKubelet
    state: State
    admin: AdminConfig = declared.ADMIN
    reconciler: LoopReconciler = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new operator: everything that the old one remembered is gone."""
        adapters = Adapters(self.kubernetes, FakeObjects(self.state), None, self.gateways)  # type: ignore[arg-type]
        self.reconciler = LoopReconciler(adapters, self.admin, Wakes())

    def apply(self, *bodies: Json) -> None:
        """As a person would."""
        self.server.apply(*({**b, "metadata": {**b["metadata"], "namespace": self.namespace}} for b in bodies))

    async def settle(self, condition: Callable[[Json], bool], name: str = declared.LOOP) -> Json:
        """Run the operator until the loop is as the condition says."""

        async def holds() -> bool:
            body = await self.kubernetes.get(FEEDBACK_LOOP, self.namespace, name)
            return body is not None and condition(body)

        await self._settle(holds)
        return await self.loop(name)

    async def gone(self, kind: Kind, name: str) -> None:
        """Run the operator until the object is gone."""

        async def holds() -> bool:
            return await self.kubernetes.get(kind, self.namespace, name) is None

        await self._settle(holds)

    async def _settle(self, holds: Condition) -> None:
        """With a new engine over the same reconciler: an engine runs once."""
        operator = InProcessOperator([self.reconciler], self.kubernetes, self.namespace, self.clock)
        await operator.settle(holds, world=self.tend, turns=400)

    async def tend(self) -> None:
        """The kubelet and the server's own controllers take their time; a turn of ours must not outrun them all."""
        pods, jobs = await asyncio.gather(*(self.kubernetes.list(k, self.namespace) for k in (POD, JOB)))
        await self.kubelet.tend(self.namespace, pods, jobs)
        await asyncio.sleep(0.05)

    async def start(self, **changes: Any) -> Json:
        """A target and a loop that is ready."""
        self.apply(declared.target(), declared.loop(**changes))
        return await self.settle(is_ready)

    async def look(self, name: str = declared.LOOP) -> float | None:
        """One reconcile."""
        return await self.reconciler.reconcile(Key("FeedbackLoop", self.namespace, name), self.clock.now())

    async def writes_of(self, looks: int) -> list[tuple[str, str, str]]:
        """What is written by so many looks in which nothing happens."""
        before = self.counted.copy()
        for _ in range(looks):
            self.clock.advance(1)
            await self.look()
        # A dry run that finds a conflict is an answer, not a write.
        return [what for what in (self.counted - before) if what[0] in WRITES and what[2] != "409"]

    async def next_second(self, body: Json) -> None:
        """Wait until the server's clock shows another second than the object's creation time."""
        made = datetime.fromisoformat(body["metadata"]["creationTimestamp"])
        left = made + timedelta(seconds=1) - datetime.now(UTC)
        await asyncio.sleep(max(0.0, left.total_seconds()))

    async def loop(self, name: str = declared.LOOP) -> Json:
        return await self.there(FEEDBACK_LOOP, name)

    async def there(self, kind: Kind, name: str) -> Json:
        """The object, which must be there."""
        body = await self.kubernetes.get(kind, self.namespace, name)
        assert body is not None, f"no {kind.kind} {name}"
        return body

    async def target(self) -> Json:
        return await self.there(DEPLOYMENT, declared.TARGET)

    async def status(self) -> FeedbackLoopStatus:
        return FeedbackLoopStatus.model_validate((await self.loop())["status"])

    async def runs(self) -> list[Json]:
        return await self.kubernetes.list(IMPROVEMENT_RUN, self.namespace)

    async def events(self, reason: str) -> list[str]:
        """The notes of all Events of that reason."""
        events = await self.kubernetes.list(EVENT, self.namespace)
        return [e.get("note", "") for e in events if e.get("reason") == reason]

    async def set_run_status(self, name: str, status: Json) -> None:
        """What the run controller would write."""
        patch = {"status": status}
        await self.requests.send(Request("patch", IMPROVEMENT_RUN, self.namespace, name, "status", body=patch))

    async def delete(self, kind: Kind, name: str) -> None:
        await self.kubernetes.delete(kind, self.namespace, name)

    def kubectl(self, *words: str, stdin: Json | None = None) -> str:
        return self.server.kubectl("-n", self.namespace, *words, stdin=json.dumps(stdin) if stdin else None)


def make_world(
    server: ApiServer,
    namespace: str,
    clock: FakeClock,
    requests: Requests,
    kubernetes: KubernetesAdapter,
    counted: Counted,
) -> LoopWorld:
    """A world in which every part behaves."""
    state = State()
    gateways = Gateways(kubernetes, clock, state, Voters())
    kubelet = FakeKubelet(requests, kubernetes, clock, state, script={}, outcome=Outcome())
    return LoopWorld(server, namespace, clock, requests, kubernetes, counted, gateways, kubelet, state)


def condition(body: Json, type_: str) -> Json:
    """A condition of an object; empty when it is absent."""
    conditions: list[Json] = body.get("status", {}).get("conditions", [])
    return next((c for c in conditions if c["type"] == type_), {})


def is_ready(body: Json) -> bool:
    return bool(condition(body, "Ready").get("status") == "True")


def stalls(reason: str) -> Callable[[Json], bool]:
    return lambda body: bool(condition(body, "Stalled").get("reason") == reason)

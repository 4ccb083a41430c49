"""The operator lives a loop's whole life with nothing but the chart's own token."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from feedbackloop.adapters.connection import connect
from feedbackloop.adapters.context import Adapters
from feedbackloop.adapters.kinds import DEPLOYMENT, FEEDBACK_LOOP, POD_DISRUPTION_BUDGET, STATEFUL_SET, VOLUME_CLAIM
from feedbackloop.adapters.kubernetes import KubernetesAdapter
from feedbackloop.adapters.requests import Requests
from feedbackloop.controllers.loop.reconciler import LoopReconciler
from feedbackloop.controllers.loop.wakes import Wakes
from tests.api.loop.world import Counted, LoopWorld, is_ready, make_world
from tests.api.rights.conftest import Person
from tests.support.apiserver import ApiServer
from tests.support.clock import FakeClock
from tests.support.fakeworld import declared
from tests.support.fakeworld.jobs import CANDIDATE
from tests.support.fakeworld.objects import FakeObjects
from tests.support.fakeworld.state import State

pytestmark = pytest.mark.api


async def test_a_loop_starts_rolls_out_and_goes_with_the_rights_of_the_chart(
    server: ApiServer, operator: Person
) -> None:
    clock, counted = FakeClock(datetime.now(UTC)), Counted()
    admin, own = await connect(str(server.kubeconfig)), await connect(str(operator.kubeconfig))
    try:
        world = make_world(
            server, operator.namespace, clock, Requests(admin), KubernetesAdapter(Requests(admin)), counted
        )
        limited = KubernetesAdapter(Requests(own, count=lambda *what: counted.update([what])))
        ports = Adapters(limited, FakeObjects(State()), None, world.gateways)  # type: ignore[arg-type]
        world.reconciler = LoopReconciler(ports, world.admin, Wakes())
        await whole_life(world)
    finally:
        await admin.close()
        await own.close()
    assert not [what for what in counted if what[2] == "403"]


async def whole_life(world: LoopWorld) -> None:
    """Restricted namespace, adoption, a run, a canary, a deletion."""
    collection = {**declared.loop()["spec"]["collection"], "replicas": 2}
    loop = await world.start(collection=collection)
    await world.there(POD_DISRUPTION_BUDGET, "bot-gateway")
    loop = await world.settle(lambda b: bool(b["status"].get("activeRunUid")))
    (run,) = await world.runs()
    rollout = {"startedAt": "2026-01-01T00:00:00Z", "salt": "s", "canaryReplicas": 1, "weight": 10, "epoch": 1}
    status = {"candidate": CANDIDATE.to_wire(), "rollout": rollout}
    await world.set_run_status(run["metadata"]["name"], status)
    await world.look()
    await world.there(DEPLOYMENT, "bot-canary")
    ended = {"outcome": "RolledBack", "finishedAt": loop["status"]["champion"]["since"]}
    await world.set_run_status(run["metadata"]["name"], ended)
    await world.gone(DEPLOYMENT, "bot-canary")
    await world.settle(is_ready)
    await world.delete(FEEDBACK_LOOP, "bot")
    await world.gone(STATEFUL_SET, "bot-gateway")
    await world.gone(VOLUME_CLAIM, "log-bot-gateway-0")
    await world.gone(VOLUME_CLAIM, "log-bot-gateway-1")

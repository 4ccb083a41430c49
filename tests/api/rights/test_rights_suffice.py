"""The operator lives a loop's whole life with nothing but the chart's own token."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from feedbackloop.adapters.connection import connect
from feedbackloop.adapters.context import Adapters
from feedbackloop.adapters.kinds import (
    DEPLOYMENT,
    FEEDBACK_LOOP,
    POD_DISRUPTION_BUDGET,
    ROLLOUT_ACTION,
    STATEFUL_SET,
    VOLUME_CLAIM,
)
from feedbackloop.adapters.kubernetes import KubernetesAdapter
from feedbackloop.adapters.requests import Requests
from feedbackloop.controllers.loop.reconciler import LoopReconciler
from feedbackloop.controllers.loop.wakes import Wakes
from tests.api.loop.world import Counted, LoopWorld, is_ready, make_world
from tests.api.rights.conftest import Json, Person
from tests.api.run.watching import over
from tests.support.apiserver import ApiServer
from tests.support.clock import FakeClock
from tests.support.crashing import CrashingKubernetes
from tests.support.fakeworld import declared, scene
from tests.support.fakeworld.drive import Life
from tests.support.fakeworld.jobs import CANDIDATE, Ending
from tests.support.fakeworld.objects import FakeObjects
from tests.support.fakeworld.state import State
from tests.support.fakeworld.world import Ask, Story

pytestmark = pytest.mark.api
OF_WATCHES = frozenset({"list", "watch"})
"""What Kopf and the comparison of versions ask for."""
ELSEWHERE = frozenset(
    {
        ("get", "erasurerequests.feedbackloop.dev"),
        ("patch", "erasurerequests.feedbackloop.dev/status"),
        ("list", "endpointslices.discovery.k8s.io"),
    }
)
"""Asked for by what has no part in these lives: erasure, and the real gateways' addresses."""


@pytest.fixture(scope="module")
def used() -> Counted:
    """Requests with the chart's token, by verb, resource and code."""
    return Counted()


async def test_a_loop_starts_rolls_out_and_goes_with_the_rights_of_the_chart(
    server: ApiServer, operator: Person, used: Counted
) -> None:
    clock, counted = FakeClock(datetime.now(UTC)), Counted()
    admin, own = await connect(str(server.kubeconfig)), await connect(str(operator.kubeconfig))
    try:
        world = make_world(
            server, operator.namespace, clock, Requests(admin), KubernetesAdapter(Requests(admin)), counted
        )
        limited = KubernetesAdapter(Requests(own, count=lambda *what: used.update([what])))
        ports = Adapters(limited, FakeObjects(State()), None, world.gateways)  # type: ignore[arg-type]
        world.reconciler = LoopReconciler(ports, world.admin, Wakes())
        await whole_life(world)
    finally:
        await admin.close()
        await own.close()
    assert not [what for what in used if what[2] == "403"]


async def test_a_run_and_what_people_ask_of_it_live_with_the_rights_of_the_chart(
    server: ApiServer, operator: Person, used: Counted
) -> None:
    namespace = f"run-{uuid.uuid4().hex[:8]}"
    asks = (Ask("Abort", "weight 50"), Ask("Retry", "RolledBack"))
    story = Story(asks=asks, script={("train", 1): Ending(20, "Error")})
    admin, own = await connect(str(server.kubeconfig)), await connect(str(operator.kubeconfig))
    try:
        await scene.begin(admin, namespace)
        same_rights(server, operator, namespace)
        world = scene.new_world(admin, namespace, story)
        limited = KubernetesAdapter(Requests(own, count=lambda *what: used.update([what])), now=world.clock.now)
        await Life(world, CrashingKubernetes(limited)).until(over(world))
        runs = await scene.runs(world.kubernetes, namespace)
        actions = await world.kubernetes.list(ROLLOUT_ACTION, namespace)
    finally:
        await admin.close()
        await own.close()
    assert sorted(r["status"]["outcome"] for r in runs) == ["Promoted", "RolledBack"]
    assert [a["status"]["result"] for a in actions] == ["Done", "Done"]
    assert not [what for what in used if what[2] == "403"]


def test_every_right_of_the_chart_is_used(server: ApiServer, operator: Person, used: Counted) -> None:
    """After the two lives above: what nothing asks for is not given."""
    # An apply is a patch, and creates what is absent.
    verbs = {"apply": ("patch", "create")}
    asked = {(real, resource) for verb, resource, _ in used for real in verbs.get(verb, (verb,))}
    role = json.loads(server.kubectl("-n", operator.namespace, "get", "role", "fl-operator", "-o", "json"))
    given = {right for rule in role["rules"] for right in rights(rule)}
    unused = {(verb, what) for verb, what in given - asked if verb not in OF_WATCHES and (verb, what) not in ELSEWHERE}
    assert unused == set()


def rights(rule: Json) -> Iterator[tuple[str, str]]:
    for group, resource, verb in itertools.product(rule["apiGroups"], rule["resources"], rule["verbs"]):
        plural, _, subresource = resource.partition("/")
        yield verb, f"{plural}{f'.{group}' if group else ''}{f'/{subresource}' if subresource else ''}"


def same_rights(server: ApiServer, operator: Person, namespace: str) -> None:
    """The chart's Role, for the same account, in another namespace."""
    for kind in ("role", "rolebinding"):
        body = json.loads(server.kubectl("-n", operator.namespace, "get", kind, "fl-operator", "-o", "json"))
        body["metadata"] = {"name": "fl-operator", "namespace": namespace}
        server.apply(body)


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

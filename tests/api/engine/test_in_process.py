"""The harness of the crash tests, on the smallest controller: a crash at any write changes nothing of the end."""

from __future__ import annotations

import pytest

from feedbackloop.adapters.context import Adapters
from feedbackloop.adapters.kinds import CONFIG_MAP, IMPROVEMENT_RUN
from feedbackloop.adapters.kubernetes import KubernetesAdapter
from feedbackloop.api import API_VERSION
from tests.support.apiserver import ApiServer
from tests.support.clock import FakeClock
from tests.support.crashing import Crash, CrashingKubernetes
from tests.support.echo import Echo
from tests.support.operator import InProcessOperator, NotSettledError

pytestmark = pytest.mark.api
RUNS = 3


def life(port: CrashingKubernetes, namespace: str, clock: FakeClock) -> InProcessOperator:
    """A new process over the same cluster."""
    adapters = Adapters(port, None, None, None)  # type: ignore[arg-type]
    return InProcessOperator([Echo(adapters)], port, namespace, clock)


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
async def test_a_crash_at_any_write_leads_to_the_same_end(
    kubernetes: KubernetesAdapter, server: ApiServer, before: bool
) -> None:
    for crash_at in range(1, RUNS + 1):
        namespace = server.namespace()
        for number in range(RUNS):
            await kubernetes.create(_run(namespace, f"r{number}"))

        async def all_served(namespace: str = namespace) -> bool:
            found = await kubernetes.list(CONFIG_MAP, namespace)
            names = {item["metadata"]["name"] for item in found}
            return {f"r{n}-echo" for n in range(RUNS)} <= names

        clock = FakeClock()
        with pytest.raises(Crash):
            await life(CrashingKubernetes(kubernetes, crash_at=crash_at, before=before), namespace, clock).settle(
                all_served
            )
        second = CrashingKubernetes(kubernetes)
        await life(second, namespace, clock).settle(all_served)
        assert second.count == RUNS - crash_at + (1 if before else 0)
        quiet = CrashingKubernetes(kubernetes)
        await life(quiet, namespace, clock).settle(all_served)
        assert quiet.writes == []


async def test_a_condition_that_never_comes_is_told_after_the_allowed_hours(
    kubernetes: KubernetesAdapter, namespace: str
) -> None:
    async def never() -> bool:
        return False

    clock = FakeClock()
    with pytest.raises(NotSettledError, match="never"):
        await life(CrashingKubernetes(kubernetes), namespace, clock).settle(never, turns=5)
    assert await kubernetes.list(IMPROVEMENT_RUN, namespace) == []


def _run(namespace: str, name: str) -> dict[str, object]:
    return {
        "apiVersion": API_VERSION,
        "kind": "ImprovementRun",
        "metadata": {"name": name, "namespace": namespace, "labels": {"value": "v"}},
        "spec": {"loopName": "l", "improvementName": "i"},
    }

"""The process of the operator on a real API server: watches, election, signals, and a server that dies."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from feedbackloop.adapters.kinds import CONFIG_MAP, LEASE
from feedbackloop.adapters.kubernetes import KubernetesAdapter
from feedbackloop.api import API_VERSION
from tests.support.apiserver import ApiServer, api_server
from tests.support.operator import kubernetes_adapter
from tests.support.operators import Process, eventually, operator

pytestmark = pytest.mark.api
RENEWAL = ("update", "leases.coordination.k8s.io")


def run(namespace: str, name: str, value: str) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "ImprovementRun",
        "metadata": {"name": name, "namespace": namespace, "labels": {"value": value}},
        "spec": {"loopName": "l", "improvementName": "i"},
    }


def echoed(kubernetes: KubernetesAdapter, namespace: str, name: str, value: str) -> Callable[[], Awaitable[bool]]:
    async def condition() -> bool:
        found = await kubernetes.get(CONFIG_MAP, namespace, f"{name}-echo")
        return found is not None and found["data"] == {"value": value}

    return condition


def is_role(process: Process, role: str) -> Callable[[], Awaitable[bool]]:
    async def condition() -> bool:
        return await process.role() == role

    return condition


async def test_a_change_is_served_and_a_child_that_is_damaged_or_deleted_is_mended(
    server: ApiServer, kubernetes: KubernetesAdapter, namespace: str, tmp_path: Path
) -> None:
    server.apply(run(namespace, "before", "one"))
    async with operator(server, namespace, "a", tmp_path) as process:
        await eventually(echoed(kubernetes, namespace, "before", "one"), "an object of before the start is served")
        server.apply(run(namespace, "after", "two"))
        await eventually(echoed(kubernetes, namespace, "after", "two"), "a new object is served")
        server.apply(run(namespace, "after", "three"))
        await eventually(echoed(kubernetes, namespace, "after", "three"), "a change is served")
        server.kubectl("patch", "cm", "after-echo", "-n", namespace, "--type=merge", '-p={"data":{"value":"x"}}')
        await eventually(echoed(kubernetes, namespace, "after", "three"), "a damaged child is mended")
        server.kubectl("delete", "cm", "after-echo", "-n", namespace)
        await eventually(echoed(kubernetes, namespace, "after", "three"), "a deleted child is made again")
        assert await process.ask("/livez") == (200, "alive")


async def test_at_rest_it_asks_nothing_but_to_renew_its_lease(
    server: ApiServer, kubernetes: KubernetesAdapter, namespace: str, tmp_path: Path
) -> None:
    server.apply(*(run(namespace, f"r{n}", "one") for n in range(20)))
    async with operator(server, namespace, "a", tmp_path) as process:
        for number in range(20):
            await eventually(echoed(kubernetes, namespace, f"r{number}", "one"), "all are served")
        # What a look reads after its last write is still to come when its object is there.
        await eventually(_quiet(process, 2.0), "two seconds without a request", seconds=60)
        before = _counts(await process.ask("/metrics"))
        start = time.monotonic()
        await eventually(_passed(start, 10.0), "ten seconds of rest", seconds=15)
        after = _counts(await process.ask("/metrics"))
        changed = _grown(before, after)
        assert set(changed) <= {RENEWAL}
        assert changed.get(RENEWAL, 0) <= 7
        assert process.rss_mib() < 95


async def test_it_ends_soon_after_sigterm_and_the_standby_takes_over_at_once(
    server: ApiServer, kubernetes: KubernetesAdapter, namespace: str, tmp_path: Path
) -> None:
    async with (
        operator(server, namespace, "a", tmp_path) as first,
        _second(server, namespace, tmp_path, first) as second,
    ):
        start = time.monotonic()
        first.signal(signal.SIGTERM)
        assert await first.ended() == 0
        assert time.monotonic() - start < 5
        assert await eventually(is_role(second, "leader"), "the standby leads") < 5
        server.apply(run(namespace, "r", "one"))
        await eventually(echoed(kubernetes, namespace, "r", "one"), "the new leader serves")
        assert [line for line in first.lines() if line["level"] in ("warning", "error")] == []


async def test_after_a_sigkill_the_standby_takes_over_when_the_lease_runs_out(
    server: ApiServer, kubernetes: KubernetesAdapter, namespace: str, tmp_path: Path
) -> None:
    async with (
        operator(server, namespace, "a", tmp_path) as first,
        _second(server, namespace, tmp_path, first) as second,
    ):
        server.apply(run(namespace, "r", "one"))
        await eventually(echoed(kubernetes, namespace, "r", "one"), "the first leader serves")
        first.signal(signal.SIGKILL)
        server.apply(run(namespace, "r", "two"))
        assert await eventually(is_role(second, "leader"), "the standby leads", seconds=20) > 5
        await eventually(echoed(kubernetes, namespace, "r", "two"), "what was missed is served")
        lease = await kubernetes.get(LEASE, namespace, "feedbackloop-operator")
        assert lease is not None
        assert lease["spec"]["leaseTransitions"] == 1


async def test_a_leader_that_was_stopped_and_continued_writes_nothing_and_ends(
    server: ApiServer, kubernetes: KubernetesAdapter, namespace: str, tmp_path: Path
) -> None:
    async with (
        operator(server, namespace, "a", tmp_path) as first,
        _second(server, namespace, tmp_path, first) as second,
    ):
        first.signal(signal.SIGSTOP)
        await eventually(is_role(second, "leader"), "the standby leads", seconds=25)
        first.signal(signal.SIGCONT)
        assert await first.ended() == 1
        assert await second.role() == "leader"
        server.apply(run(namespace, "r", "one"))
        await eventually(echoed(kubernetes, namespace, "r", "one"), "the new leader serves")


async def test_it_lives_through_a_kill_and_restart_of_the_api_server(tmp_path: Path) -> None:
    with api_server("engine-kill") as server:
        namespace = server.namespace()
        async with (
            kubernetes_adapter(server.kubeconfig) as kubernetes,
            operator(server, namespace, "a", tmp_path) as process,
        ):
            server.apply(run(namespace, "r", "one"))
            await eventually(echoed(kubernetes, namespace, "r", "one"), "it serves")
            server.kill("kube-apiserver")
            server.start()
            server.apply(run(namespace, "r", "two"))
            await eventually(echoed(kubernetes, namespace, "r", "two"), "it serves again", seconds=30)
            assert process.process.returncode is None
            assert await process.ask("/livez") == (200, "alive")


async def test_a_process_without_the_crds_says_so_and_ends(
    server: ApiServer, namespace: str, tmp_path: Path, kubernetes: KubernetesAdapter
) -> None:
    server.kubectl("delete", "crd", "feedbackloops.feedbackloop.dev")
    try:
        async with operator(server, namespace, "a", tmp_path) as process:
            assert await process.ended() == 1
            assert any("install the CRDs" in line["message"] for line in process.lines())
    finally:
        server.install()


@asynccontextmanager
async def _second(server: ApiServer, namespace: str, folder: Path, first: Process) -> AsyncIterator[Process]:
    """A standby beside a leader."""
    await eventually(is_role(first, "leader"), "the first one leads")
    async with operator(server, namespace, "b", folder) as second:
        await eventually(is_role(second, "standby"), "the second one stands by")
        yield second


def _passed(start: float, seconds: float) -> Callable[[], Awaitable[bool]]:
    async def condition() -> bool:
        return time.monotonic() - start > seconds

    return condition


def _quiet(process: Process, seconds: float) -> Callable[[], Awaitable[bool]]:
    """Nothing but renewals of the lease has been asked for so long."""
    counts: dict[tuple[str, str], float] = {}
    since = time.monotonic()

    async def condition() -> bool:
        nonlocal counts, since
        now = _counts(await process.ask("/metrics"))
        if set(_grown(counts, now)) - {RENEWAL}:
            counts, since = now, time.monotonic()
        return time.monotonic() - since > seconds

    return condition


def _grown(before: dict[tuple[str, str], float], after: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    return {what: count - before.get(what, 0) for what, count in after.items() if count != before.get(what, 0)}


def _counts(answer: tuple[int, str] | None) -> dict[tuple[str, str], float]:
    """API requests by verb and resource."""
    assert answer is not None
    pattern = re.compile(r'feedbackloop_api_requests_total\{.*resource="(.*?)",verb="(.*?)"\} (\S+)')
    counts: dict[tuple[str, str], float] = {}
    for resource, verb, count in pattern.findall(answer[1]):
        counts[(verb, resource)] = counts.get((verb, resource), 0) + float(count)
    return counts

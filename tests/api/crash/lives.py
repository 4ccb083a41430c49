"""A whole loop, lived through in a namespace of its own: in one life, or in two with a crash between them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import uuid
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from feedbackloop.adapters.connection import Connection
from tests.support.apiserver import ApiServer
from tests.support.crashing import Crash, CrashingKubernetes
from tests.support.fakeworld import scene
from tests.support.fakeworld.drive import Condition, Life
from tests.support.fakeworld.mirror import Mirror, mirrored
from tests.support.fakeworld.world import Story, World

AT_A_TIME = 6
"""Namespaces in one process: a life waits for the server's controllers half of its time."""
PROCESSES = min(2, os.cpu_count() or 1)
WELL = Story()
"""Everything goes well."""


@dataclass(frozen=True)
class Case:
    """Where the first life ends: at the k-th write, after or before the server has done it; None: nowhere."""

    k: int | None = None
    before: bool = False

    def __str__(self) -> str:
        return f"{'before' if self.before else 'after'} write {self.k}" if self.k else "no crash"


@dataclass(frozen=True)
class Lived:
    """How it looked in the end."""

    case: Case
    writes: tuple[str, ...]
    """Of the first life."""
    picture: dict[str, Any]
    facts: dict[str, Any]
    """Outside the cluster: MLflow, and every Job there ever was."""
    error: str = ""

    @property
    def last_write(self) -> str:
        return self.writes[-1] if self.writes else "nothing"


async def live(connection: Connection, mirror: Mirror, case: Case, story: Story) -> Lived:
    """From the declaration to the end of its run."""
    namespace = f"life-{uuid.uuid4().hex[:8]}"
    await scene.begin(connection, namespace, mirror=mirror)
    world = scene.new_world(connection, namespace, story, mirror=mirror)
    first = Life(world, CrashingKubernetes(world.api, crash_at=case.k, before=case.before))
    with contextlib.suppress(Crash):
        await first.until(over(world))
    if first.kubernetes.crashed:
        await Life(world).until(over(world))
    picture = await scene.picture(world.kubernetes, namespace)
    await scene.leave(connection, namespace)
    return Lived(case, tuple(first.kubernetes.writes), picture, facts(world))


def over(world: World) -> Condition:
    """Every run has ended, and MLflow knows."""

    async def all_settled() -> bool:
        found = await scene.runs(world.kubernetes, world.namespace)
        return bool(found) and all(scene.settled(run) for run in found)

    return all_settled


def facts(world: World) -> dict[str, Any]:
    """What must have happened exactly once."""
    state = world.state
    return {
        "mlflow runs": [run.status for run in state.runs.values()],
        "versions": {name: [v.source for v in versions] for name, versions in state.versions.items()},
        "aliases": state.aliases,
        "jobs made": sorted((name.split("-")[1], name.rsplit("-", 1)[1], len(u)) for name, u in state.jobs.items()),
    }


async def _live_all(kubeconfig: str, cases: Sequence[Case], story: Story) -> list[Lived]:
    slots = asyncio.Semaphore(AT_A_TIME)

    async def one(connection: Connection, mirror: Mirror, case: Case) -> Lived:
        async with slots:
            try:
                return await live(connection, mirror, case, story)
            except Exception as error:  # told with its case, beside what the others did
                return Lived(case, (), {}, {}, f"{type(error).__name__}: {error}")

    async with scene.connection(kubeconfig) as connection, mirrored(connection) as mirror:
        return list(await asyncio.gather(*(one(connection, mirror, case) for case in cases)))


def _in_process(kubeconfig: str, cases: Sequence[Case], story: Story) -> list[Lived]:
    return asyncio.run(_live_all(kubeconfig, cases, story))


def lived(kubeconfig: str, cases: Sequence[Case], story: Story) -> list[Lived]:
    """All the cases, in as many processes as there are cores for it."""
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        shares = [cases[i::PROCESSES] for i in range(PROCESSES)]
        done = list(pool.map(_in_process, [kubeconfig] * PROCESSES, shares, [story] * PROCESSES))
    return sorted((life for share in done for life in share), key=lambda life: life.case.k or 0)


def without_crash(server: ApiServer, story: Story) -> Lived:
    """The loop as it goes when nothing happens to the operator."""
    (life,) = lived(str(server.kubeconfig), [Case()], story)
    assert not life.error, life.error
    return life


def difference(life: Lived, reference: Lived) -> str:
    """What is different in the end; empty when nothing is."""
    if life.error:
        return f"{life.case}: {life.error}"
    found = _differences(life.picture, reference.picture) + _differences(life.facts, reference.facts)
    return f"{life.case} ({life.last_write}): {'; '.join(found)}" if found else ""


def _differences(one: object, other: object, path: str = "") -> list[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted(one.keys() | other.keys())
        return [d for k in keys for d in _differences(one.get(k), other.get(k), f"{path}.{k}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [d for i, (a, b) in enumerate(zip(one, other, strict=True)) for d in _differences(a, b, f"{path}[{i}]")]
    return [] if one == other else [f"{path} is {json.dumps(one)[:160]}, was {json.dumps(other)[:160]}"]

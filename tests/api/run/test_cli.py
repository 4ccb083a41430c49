"""The command line with the real kubectl, against a real API server."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import pytest

from feedbackloop.adapters.kinds import ROLLOUT_ACTION
from feedbackloop.cli import kubectl, rollback
from feedbackloop.cli.main import main
from tests.api.run.asking import result, rolls, the_action
from tests.api.run.conftest import Make
from tests.api.run.watching import a_run, over, the_loop, the_run
from tests.cluster import api
from tests.support.apiserver import ApiServer
from tests.support.fakeworld import declared
from tests.support.fakeworld.drive import Condition, Life
from tests.support.fakeworld.world import World

pytestmark = [pytest.mark.api, pytest.mark.timeout(300)]


@pytest.fixture(autouse=True)
def real_kubectl(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(str(api.binary('kubectl'))).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig))


async def test_a_run_is_aborted_and_shown(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    world = await make()
    life = Life(world)
    await life.until(a_run(world, rolls(lambda r: r["weight"] == 10)))
    run = (await the_run(world))["metadata"]["name"]
    assert main(["abort", run, "-n", world.namespace, "--wait", "0", "--comment", "not today"]) == 1
    await life.until(over(world))
    (action,) = await world.kubernetes.list(ROLLOUT_ACTION, world.namespace)
    name = action["metadata"]["name"]
    assert await result(world, name) == "Done"
    user, groups = kubectl.whoami()
    spec = (await the_action(world, name))["spec"]
    assert (spec["user"], set(spec["groups"]), spec["comment"]) == (user, set(groups), "not today")
    capsys.readouterr()
    assert main(["status", declared.LOOP, "-n", world.namespace]) == 0
    shown = capsys.readouterr().out
    assert f"{user} aborted it: not today" in shown
    assert "RolledBack" in shown


async def test_the_printed_patches_bring_the_former_champion_back(make: Make) -> None:
    world = await make()
    life = Life(world)
    await life.until(over(world))
    assert (await the_loop(world))["status"]["champion"]["digest"] != declared.BASE["digest"]
    patches = rollback.steps(argparse.Namespace(loop=declared.LOOP, namespace=world.namespace, to=""))
    assert len(patches) == 2
    for patch in patches:
        kubectl.patch(kubectl.LOOPS, declared.LOOP, patch, world.namespace)
        await life.until(observed(world))
    loop = await the_loop(world)
    assert loop["status"]["champion"]["digest"] == declared.BASE["digest"]
    assert loop["status"]["previous"]["digest"] != declared.BASE["digest"]


def observed(world: World) -> Condition:
    """The operator has acted on what is declared; the mirror may hear of that a moment later."""

    async def is_so() -> bool:
        body = kubectl.get(kubectl.LOOPS, declared.LOOP, world.namespace) or {}
        mirrored = await the_loop(world)
        generation = body["metadata"]["generation"]
        return bool(mirrored["status"].get("observedGeneration") == generation)

    return is_so

"""Attempts as the real Job controller reports their ends."""

from __future__ import annotations

import pytest

from feedbackloop.adapters.kinds import JOB
from tests.api.run.conftest import Make
from tests.api.run.watching import condition, over, stage, the_run
from tests.support.fakeworld.drive import Life
from tests.support.fakeworld.jobs import Ending
from tests.support.fakeworld.world import Story

pytestmark = [pytest.mark.api, pytest.mark.timeout(300)]
EVERY_END = {
    ("train", 1): Ending(137, "Error"),
    ("train", 2): Ending(pod_lost=True),
    ("train", 3): Ending(137, "OOMKilled"),
    ("train", 4): Ending(13, "Error"),
    ("train", 5): Ending(20, "Error"),
    ("train", 6): Ending(14, "Error"),
    ("train", 7): Ending(1, "Error"),
}


async def test_every_end_of_a_pod_is_told_apart_and_only_real_failures_count(make: Make) -> None:
    world = await make(Story(script=EVERY_END))
    await Life(world).until(over(world))
    run = await the_run(world)
    train = stage(run, "train")
    assert run["status"]["outcome"] == "Promoted"
    assert (train["attempt"], train["failures"], train["halvings"]) == (8, 1, 2)


async def test_every_attempt_had_one_job_and_the_last_one_stays(make: Make) -> None:
    world = await make(Story(script={("train", 1): Ending(20, "Error"), ("train", 2): Ending(1, "Error")}))
    await Life(world).until(over(world))
    trained = {n: len(uids) for n, uids in world.state.jobs.items() if "-train-" in n}
    assert sorted(n.rsplit("-", 1)[1] for n in trained) == ["a1", "a2", "a3"]
    assert set(trained.values()) == {1}
    left = [j["metadata"]["name"] for j in await world.kubernetes.list(JOB, world.namespace)]
    assert [n.rsplit("-", 1)[1] for n in left if "-train-" in n] == ["a3"]


async def test_three_failures_end_the_run_and_the_loop_goes_on_collecting(make: Make) -> None:
    world = await make(Story(script={("curate", n): Ending(1, "Error") for n in (1, 2, 3)}))
    await Life(world).until(over(world))
    run = await the_run(world)
    assert run["status"]["outcome"] == "Failed"
    assert condition(run, "DatasetReady") == ("False", "StageFailed")
    assert [r.status for r in world.state.runs.values()] == ["FAILED"]


async def test_a_job_that_ends_well_without_a_result_is_no_success(make: Make) -> None:
    script = {("curate", n): Ending(leaves_result=False) for n in (1, 2, 3)}
    world = await make(Story(script=script))
    await Life(world).until(over(world))
    assert condition(await the_run(world), "DatasetReady") == ("False", "ResultMissing")

"""Runs from their creation to their end, and afterwards."""

from __future__ import annotations

import pytest

from feedbackloop.adapters.kinds import DEPLOYMENT, FEEDBACK_LOOP, IMPROVEMENT_RUN, JOB
from feedbackloop.api.gateway import Arm
from tests.api.run.conftest import Make
from tests.api.run.watching import a_run, after, condition, over, stage, the_loop, the_run
from tests.support.fakeworld import declared
from tests.support.fakeworld.drive import Life
from tests.support.fakeworld.jobs import Ending, Outcome
from tests.support.fakeworld.voters import Voters
from tests.support.fakeworld.world import Story

pytestmark = [pytest.mark.api, pytest.mark.timeout(300)]
WORSE = Voters(unhappy={Arm.STABLE: 0.1, Arm.CANARY: 0.6})
OTHER = {"uri": f"s3://models/support-bot/{'e' * 64}/", "digest": "sha256:" + "e" * 64}


async def test_at_rest_nothing_is_written(make: Make) -> None:
    world = await make()
    life = Life(world)
    await life.until(over(world))
    written = life.kubernetes.count
    await life.until(after(world, 3600))
    assert life.kubernetes.writes[written:] == []


async def test_a_new_operator_writes_nothing_to_a_world_at_rest(make: Make) -> None:
    world = await make()
    await Life(world).until(over(world))
    second = Life(world)
    await second.until(after(world, 600))
    assert second.kubernetes.writes == []


async def test_a_candidate_that_users_dislike_is_rolled_back(make: Make) -> None:
    world = await make(Story(voters=WORSE))
    await Life(world).until(over(world))
    run, loop = await the_run(world), await the_loop(world)
    assert run["status"]["outcome"] == "RolledBack"
    assert loop["status"]["champion"]["digest"] == declared.BASE["digest"]
    assert world.state.aliases == {"support-bot": {"champion": "1"}}
    target = await world.kubernetes.get(DEPLOYMENT, world.namespace, declared.TARGET)
    assert target is not None
    assert await world.kubernetes.get(DEPLOYMENT, world.namespace, f"{declared.LOOP}-canary") is None


async def test_a_candidate_that_forgets_gets_no_traffic(make: Make) -> None:
    world = await make(Story(outcome=Outcome(losses=60)))
    await Life(world).until(over(world))
    run = await the_run(world)
    assert (run["status"]["outcome"], run["status"].get("rollout")) == ("Gated", None)
    assert [epoch.weight for epoch in world.state.epochs] == [0]
    assert world.state.versions == {}


async def test_a_loop_without_training_stages_ends_its_run_with_a_data_set(make: Make) -> None:
    improvement = {**declared.improvement(), "training": {"stages": [], "profileName": "cpu-small"}}
    world = await make(loop=declared.loop(improvements=[improvement]))
    await Life(world).until(over(world))
    run = await the_run(world)
    assert (run["status"]["outcome"], condition(run, "Ready")) == ("Completed", ("True", "DatasetOnly"))
    assert [s["name"] for s in run["status"]["stages"]] == ["curate"]


async def test_a_model_that_a_person_declares_ends_the_training_at_once(make: Make) -> None:
    world = await make(Story(script={("train", 1): Ending(seconds=3600)}))
    life = Life(world)
    await life.until(a_run(world, lambda status: status.get("stage") == "Training"))
    loop = await the_loop(world)
    target = {**loop["spec"]["target"], "model": OTHER}
    await world.patch(FEEDBACK_LOOP, declared.LOOP, {"spec": {"target": target}})
    await life.until(over(world))
    run = await the_run(world)
    assert (run["status"]["outcome"], stage(run, "train")["state"]) == ("Superseded", "Stopped")
    jobs = [j["metadata"]["name"] for j in await world.kubernetes.list(JOB, world.namespace)]
    assert not [name for name in jobs if "-train-" in name]
    assert [r.status for r in world.state.runs.values()] == ["KILLED"]


async def test_a_model_that_a_person_declares_during_the_rollout_takes_the_candidate_back(make: Make) -> None:
    world = await make()
    life = Life(world)
    await life.until(a_run(world, lambda status: (status.get("rollout") or {}).get("weight") == 50))
    loop = await the_loop(world)
    target = {**loop["spec"]["target"], "model": OTHER}
    await world.patch(FEEDBACK_LOOP, declared.LOOP, {"spec": {"target": target}})
    await life.until(over(world))
    run, loop = await the_run(world), await the_loop(world)
    assert run["status"]["outcome"] == "Superseded"
    assert loop["status"]["champion"]["digest"] == OTHER["digest"]
    assert world.state.aliases["support-bot"]["champion"] == "3"


async def test_a_run_that_a_person_asks_for_waits_for_the_one_under_way(make: Make) -> None:
    world = await make(Story(script={("curate", 1): Ending(seconds=60)}))
    life = Life(world)
    await life.until(a_run(world, lambda status: status.get("stage") == "Curating"))
    await world.add(IMPROVEMENT_RUN, declared.run())
    await life.until(a_run(world, lambda status: "goes first" in status.get("message", "")))
    await life.until(over(world))
    mine = await the_run(world, "by-hand")
    assert mine["status"]["inputs"]["champion"]["digest"] != declared.BASE["digest"]


async def test_a_run_of_a_loop_that_is_not_there_stalls(make: Make) -> None:
    world = await make()
    await world.add(IMPROVEMENT_RUN, {**declared.run(), "spec": {"loopName": "nobody", "improvementName": "finetune"}})
    life = Life(world)
    await life.until(a_run(world, lambda status: status.get("outcome") == "Promoted"))
    run = await the_run(world, "by-hand")
    assert condition(run, "Stalled") == ("True", "LoopNotFound")
    assert "inputs" not in run["status"]

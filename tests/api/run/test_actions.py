"""What people ask of a run, on a real API server: done once, told, and gone with the run."""

from __future__ import annotations

import pytest

from feedbackloop.adapters.kinds import IMPROVEMENT_RUN, JOB, ROLLOUT_ACTION
from tests.api.run.asking import answered, ask, result, rolls, the_action
from tests.api.run.conftest import Make
from tests.api.run.watching import a_run, after, condition, over, the_loop, the_run
from tests.support.fakeworld import declared, scene
from tests.support.fakeworld.drive import Life
from tests.support.fakeworld.jobs import Ending
from tests.support.fakeworld.world import Story

pytestmark = [pytest.mark.api, pytest.mark.timeout(300)]
STEPS = declared.rollout()["steps"]
APPROVED = declared.rollout(steps=[*STEPS, {"approval": {"minApprovals": 1}}])


async def test_a_candidate_waits_for_its_approval_and_is_promoted_with_it(make: Make) -> None:
    world = await make(loop=declared.loop(rollout=APPROVED))
    life = Life(world)
    await life.until(a_run(world, rolls(lambda r: r["stepIndex"] == len(STEPS))))
    run = await the_run(world)
    assert condition(run, "ApprovalPending") == ("True", "ApprovalPending")
    bound = {"digest": run["status"]["candidate"]["digest"], "stepIndex": len(STEPS)}
    early = await ask(world, run, "Approve", **{**bound, "stepIndex": 0})
    await life.until(answered(world, early))
    assert await result(world, early) == "Void"
    assert (await the_run(world))["status"]["rollout"].get("approvals", []) == []
    fits = await ask(world, run, "Approve", comment="read 20 answers", **bound)
    await life.until(over(world))
    assert await result(world, fits) == "Done"
    status = (await the_run(world))["status"]
    assert status["outcome"] == "Promoted"
    (approval,) = status["rollout"]["approvals"]
    assert (approval["user"], approval["approved"], approval["comment"]) == ("alice", True, "read 20 answers")
    owner = (await the_action(world, fits))["metadata"]["ownerReferences"]
    assert [(o["kind"], o["uid"]) for o in owner] == [("ImprovementRun", run["metadata"]["uid"])]


async def test_a_rejected_candidate_is_taken_back(make: Make) -> None:
    world = await make(loop=declared.loop(rollout=APPROVED))
    life = Life(world)
    await life.until(a_run(world, rolls(lambda r: r["stepIndex"] == len(STEPS))))
    run = await the_run(world)
    digest = run["status"]["candidate"]["digest"]
    asked = await ask(world, run, "Reject", digest=digest, stepIndex=len(STEPS))
    await life.until(over(world))
    assert (await the_run(world))["status"]["outcome"] == "RolledBack"
    assert await result(world, asked) == "Done"


async def test_a_pause_freezes_the_steps_until_it_is_ended(make: Make) -> None:
    world = await make()
    life = Life(world)
    await life.until(a_run(world, rolls(lambda r: r["weight"] == 10)))
    run = await the_run(world)
    paused = await ask(world, run, "Pause")
    await life.until(after(world, 600))
    status = (await the_run(world))["status"]
    assert (await result(world, paused), status["rollout"]["weight"]) == ("Done", 10)
    assert condition(await the_run(world), "Paused") == ("True", "Paused")
    await ask(world, run, "Resume")
    await life.until(over(world))
    assert (await the_run(world))["status"]["outcome"] == "Promoted"


async def test_a_loop_that_says_paused_freezes_the_run_under_way(make: Make) -> None:
    world = await make()
    life = Life(world)
    await life.until(a_run(world, rolls(lambda r: r["weight"] == 10)))
    await world.patch(scene.FEEDBACK_LOOP, declared.LOOP, {"spec": {"rollout": {"paused": True}}})
    await life.until(after(world, 600))
    run = await the_run(world)
    assert (run["status"]["rollout"]["weight"], condition(run, "Paused")) == (10, ("True", "Paused"))
    await world.patch(scene.FEEDBACK_LOOP, declared.LOOP, {"spec": {"rollout": {"paused": False}}})
    await life.until(over(world))
    assert (await the_run(world))["status"]["outcome"] == "Promoted"


async def test_an_abort_before_the_rollout_ends_the_run_and_its_job(make: Make) -> None:
    world = await make(Story(script={("train", 1): Ending(seconds=3600)}))
    life = Life(world)
    await life.until(a_run(world, lambda status: status.get("stage") == "Training"))
    run = await the_run(world)
    void = await ask(world, run, "Pause")
    asked = await ask(world, run, "Abort", comment="wrong data")
    await life.until(over(world))
    run = await the_run(world)
    assert (run["status"]["outcome"], condition(run, "Ready")) == ("Skipped", ("True", "Aborted"))
    assert f'alice ("wrong data") in RolloutAction {asked}' in run["status"]["message"]
    assert [await result(world, name) for name in (void, asked)] == ["Void", "Done"]
    assert not [j for j in await world.kubernetes.list(JOB, world.namespace) if "-train-" in j["metadata"]["name"]]


async def test_what_is_asked_of_nobody_or_too_late_is_void_with_the_reason(make: Make) -> None:
    world = await make()
    life = Life(world)
    nobody = await ask(world, {"metadata": {"name": "nobody"}}, "Abort")
    await life.until(over(world))
    late = await ask(world, await the_run(world), "Abort")
    champion = await ask(world, await the_run(world), "Retry")
    await life.until(answered(world, champion))
    said = [(await the_action(world, name))["status"] for name in (nobody, late, champion)]
    assert [s["result"] for s in said] == ["Void"] * 3
    assert "there is no ImprovementRun nobody" in said[0]["message"]
    assert "has ended (Promoted)" in said[1]["message"]
    assert "is the champion" in said[2]["message"]


async def test_a_candidate_that_was_taken_back_is_rolled_out_again_without_training(make: Make) -> None:
    world = await make()
    life = Life(world)
    await life.until(a_run(world, rolls(lambda r: r["weight"] == 50)))
    first = await the_run(world)
    await ask(world, first, "Abort")
    await life.until(over(world))
    jobs = sorted(world.state.jobs)
    asked = await ask(world, first, "Retry")
    await life.until(answered(world, asked))
    await life.until(over(world))
    again = await the_run(world, f"{first['metadata']['name']}-r1")
    before = await the_run(world, first["metadata"]["name"])
    assert (before["status"]["outcome"], again["status"]["outcome"]) == ("RolledBack", "Promoted")
    assert again["spec"]["retryOf"] == first["metadata"]["name"]
    assert sorted(world.state.jobs) == jobs, "nothing is trained again"
    rollouts = [r["status"]["rollout"] for r in (before, again)]
    assert rollouts[0]["salt"] != rollouts[1]["salt"]
    assert [r.get("attempt", 0) for r in rollouts] == [0, 1]
    assert not {look["at"] for look in rollouts[0]["looks"]} & {look["at"] for look in rollouts[1]["looks"]}
    assert len(world.state.versions["support-bot"]) == 2, "the candidate's version is found again"
    assert world.state.aliases == {"support-bot": {"champion": "2", "previous": "1"}}
    (promotion,) = (await the_loop(world))["status"]["promotions"]
    assert promotion["runName"] == again["metadata"]["name"]


async def test_a_candidate_that_did_not_pass_its_gates_is_not_rolled_out(make: Make) -> None:
    from tests.support.fakeworld.jobs import Outcome

    world = await make(Story(outcome=Outcome(losses=60)))
    life = Life(world)
    await life.until(over(world))
    asked = await ask(world, await the_run(world), "Retry")
    await life.until(answered(world, asked))
    status = (await the_action(world, asked))["status"]
    assert (status["result"], "gates" in status["message"]) == ("Void", True)
    assert len(await world.kubernetes.list(IMPROVEMENT_RUN, world.namespace)) == 1


async def test_at_rest_nothing_is_written_though_there_are_actions_and_promotions(make: Make) -> None:
    world = await make()
    life = Life(world)
    await life.until(a_run(world, rolls(lambda r: r["weight"] == 10)))
    await ask(world, await the_run(world), "Pause")
    await ask(world, await the_run(world), "Resume")
    await ask(world, {"metadata": {"name": "nobody"}}, "Abort")
    await life.until(over(world))
    await life.until(after(world, 60))
    written = life.kubernetes.count
    await life.until(after(world, 3600))
    assert life.kubernetes.writes[written:] == []
    assert (await the_loop(world))["status"]["promotions"]
    actions = await world.kubernetes.list(ROLLOUT_ACTION, world.namespace)
    assert sorted(a["status"]["result"] for a in actions) == ["Done", "Done", "Void"]

from __future__ import annotations

from typing import Any

import pytest

from feedbackloop.api.feedbackloop import FeedbackLoopStatus, Model
from feedbackloop.api.gateway import Arm, Backend, Routing
from feedbackloop.api.improvementrun import ImprovementRunStatus, RunInputs, RunOutcome
from feedbackloop.api.rolloutstatus import AbortStatus, RolloutStatus
from feedbackloop.domain.errors import UserError
from feedbackloop.domain.serving import Serving, serving
from tests.unit.domain.rollout.world import CANDIDATE, CHAMPION, OTHER, World, model

AT = "2027-01-01T00:00:00Z"
SALT = "5a17"


def serve(rollout: dict[str, Any] | None = None, champion: str = CHAMPION, **run: Any) -> Serving:
    status = None
    if rollout is not None:
        inputs = RunInputs(loop_uid="l", champion=model(CHAMPION), cut=(), pinned_spec="{}")
        intents = RolloutStatus(started_at=AT, salt=SALT, **rollout)
        status = ImprovementRunStatus(inputs=inputs, candidate=model(CANDIDATE), rollout=intents, **run)
    loop = FeedbackLoopStatus(champion=model(champion))
    return serving(loop, status, run_uid="uid", stable_host="bot-stable", canary_host="bot-canary", port=8000)


def stable(digest: str = CHAMPION) -> Backend:
    return Backend(host="bot-stable", port=8000, digest=digest)


CANARY = Backend(host="bot-canary", port=8000, digest=CANDIDATE)


def routing(epoch: int, weight: int, **changes: Any) -> Routing:
    fields = {"run_uid": "uid", "epoch": epoch, "weight": weight, "salt": SALT, "stable": stable()}
    return Routing(**(fields | changes))


PLAIN = Routing(stable=stable())


@pytest.mark.parametrize(
    ("rollout", "expected", "replicas"),
    [
        (None, PLAIN, 0),
        ({}, PLAIN, 0),
        ({"canary_replicas": 1}, PLAIN, 1),
        ({"epoch": 1, "weight": 10, "canary_replicas": 1}, routing(1, 10, canary=CANARY, fallback=Arm.STABLE), 1),
        ({"epoch": 2, "weight": 0, "resume_weight": 10, "canary_replicas": 1}, routing(2, 0), 1),
        ({"epoch": 4, "weight": 100, "canary_replicas": 2}, routing(4, 100, canary=CANARY, fallback=Arm.CANARY), 2),
        (
            {"epoch": 4, "weight": 100, "baking_since": AT, "canary_replicas": 2},
            routing(4, 100, canary=CANARY, fallback=Arm.CANARY),
            2,
        ),
    ],
)
def test_serving_before_promotion(rollout: dict[str, Any] | None, expected: Routing, replicas: int) -> None:
    found = serve(rollout)
    assert found.routing == expected
    assert found.canary_replicas == replicas
    assert (found.canary_model is not None) == (rollout is not None)
    assert found.target_model.digest == CHAMPION


PROMOTING = {"epoch": 4, "weight": 100, "baking_since": AT, "promoting_since": AT, "canary_replicas": 2}
MOVED = PROMOTING | {"epoch": 5, "weight": 0, "moved_back_since": AT}


def test_while_the_target_is_updated_the_epoch_stays_the_same() -> None:
    before = serve(PROMOTING, champion=CHAMPION)
    after = serve(PROMOTING, champion=CANDIDATE)
    assert before.routing == after.routing == routing(4, 100, canary=CANARY, fallback=Arm.CANARY)
    assert (before.target_model.digest, after.target_model.digest) == (CHAMPION, CANDIDATE)


@pytest.mark.parametrize("draining", [{}, {"draining_since": AT, "canary_replicas": 0}])
def test_traffic_moves_back_to_a_stable_that_serves_the_candidate(draining: dict[str, Any]) -> None:
    found = serve(MOVED | draining, champion=CANDIDATE)
    assert found.routing == routing(5, 0, stable=stable(CANDIDATE), canary=CANARY, fallback=Arm.CANARY)
    assert found.canary_model == Model(uri=model(CANDIDATE).uri, digest=CANDIDATE)


@pytest.mark.parametrize("intents", [{"epoch": 3, "weight": 0}, MOVED | {"epoch": 6}])
@pytest.mark.parametrize("champion", [CHAMPION, OTHER])
def test_an_aborted_canary_is_no_backend(intents: dict[str, Any], champion: str) -> None:
    abort = AbortStatus(at=AT, reason="HarmFound")
    found = serve(intents | {"abort": abort}, champion=champion)
    assert found.routing == routing(int(intents["epoch"]), 0, stable=stable(champion))


@pytest.mark.parametrize("outcome", list(RunOutcome))
def test_after_a_run_serving_is_plain(outcome: RunOutcome) -> None:
    found = serve(MOVED, champion=CANDIDATE, outcome=outcome)
    assert found == Serving(Routing(stable=stable(CANDIDATE)), 0, None, found.target_model)


def test_a_loop_without_a_champion_serves_what_it_declares() -> None:
    loop = FeedbackLoopStatus(declared_model=model(OTHER))
    hosts = {"run_uid": "", "stable_host": "s", "canary_host": "c", "port": 80}
    assert serving(loop, None, **hosts).target_model.digest == OTHER  # type: ignore[arg-type]
    with pytest.raises(UserError, match="champion"):
        serving(FeedbackLoopStatus(), None, **hosts)  # type: ignore[arg-type]


@pytest.mark.parametrize("canary_down", [0.1, 0.9])
def test_one_epoch_has_one_routing(canary_down: float) -> None:
    """Through a whole rollout, whichever way it ends: the routing changes only with its epoch."""
    world, routings = World(seed=1), {}
    world.canary.down = canary_down
    while world.outcome is None:
        world.tick()
        if world.outcome is None:
            found = world.serving.routing
            assert routings.setdefault((found.run_uid, found.epoch), found) == found
    assert world.serving.routing.run_uid == ""

"""The comparing job of a shadow step runs beside the rollout, and what it found enters the status."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from feedbackloop.api.feedbackloop import PodOffset
from feedbackloop.api.gateway import GatewayStatus, LogPosition
from feedbackloop.api.improvementrun import ImprovementRunStatus, StageName, StageState
from feedbackloop.api.jobs import ShadowResult, ShadowSpec
from feedbackloop.api.rollout import ShadowMetric
from feedbackloop.api.rolloutstatus import ShadowStatus, Verdict
from feedbackloop.domain.jobs.results import ResultFile
from feedbackloop.domain.jobs.seen import PodSeen
from feedbackloop.domain.lifecycle.run_effects import Create, DeleteJob
from feedbackloop.domain.lifecycle.run_seen import RunSeen, StageSeen
from feedbackloop.domain.lifecycle.run_shadow import compare
from feedbackloop.domain.lifecycle.run_turn import Turn
from tests.support.fakeworld import declared
from tests.unit.domain.run import given

AT = "2026-11-24T12:00:00Z"
FOUND = ShadowStatus(
    step_index=0, started_at=AT, percent=10, max_concurrency=4, max_pairs=500, metric=ShadowMetric.NOT_EMPTY,
    first_epoch=1, epoch=0, pairs=60,
)  # fmt: skip
CUT = (PodOffset(pod="bot-gateway-0", offset=500, trainable=0),)


@pytest.fixture(scope="module")
def rolling() -> RunSeen:
    return given.rolling_out()


def at(seen: RunSeen, *, appended: int = 500, uploaded: int = 400, **shadow: Any) -> RunSeen:
    """All pairs are collected, in an epoch that has started; the gateway's log is so far."""
    rollout = seen.status.rollout
    assert rollout is not None
    put = {"epoch": 2, "epoch_started_at": AT, "shadow": FOUND.model_copy(update=shadow)}
    pod = GatewayStatus(
        pod="bot-gateway-0", appended=LogPosition(offset=appended), uploaded=LogPosition(offset=uploaded)
    )
    status = seen.status.model_copy(update={"rollout": rollout.model_copy(update=put)})
    return replace(seen, status=status, gateways=(pod,))


def compared(seen: RunSeen) -> Turn:
    turn = compare(Turn(seen, declared.ADMIN, given.NOW, seen.status))
    assert not turn.settled, "the rollout is decided in the same turn"
    return turn


def shadow_of(status: ImprovementRunStatus) -> ShadowStatus:
    assert status.rollout is not None
    assert status.rollout.shadow is not None
    return status.rollout.shadow


def begun(seen: RunSeen) -> RunSeen:
    return replace(seen, status=compared(at(seen, uploaded=500, cut=CUT)).status)


def with_result(seen: RunSeen, **result: Any) -> RunSeen:
    stage = seen.status.stages[-1]
    body = ShadowResult(
        run_id=stage.run_id, attempt=1, spec_digest=stage.spec_digest, **({"pairs": 60, "wins": 30} | result)
    )
    file = ResultFile(body.model_dump(by_alias=True, mode="json"), "f" * 64)
    return replace(seen, stage=StageSeen(job=given.running(seen), result=file))


def test_how_far_the_logs_hold_pairs_is_written_before_anything_is_read(rolling: RunSeen) -> None:
    turn = compared(at(rolling))
    assert shadow_of(turn.status).cut == CUT
    assert turn.effects == ()


def test_nothing_runs_before_the_pairs_are_stored(rolling: RunSeen) -> None:
    turn = compared(at(rolling, cut=CUT, appended=900, uploaded=499))
    assert turn.effects == ()
    assert [stage.name for stage in turn.status.stages] == [stage.name for stage in rolling.status.stages]


def test_the_job_is_told_what_to_read_and_gets_no_model(rolling: RunSeen) -> None:
    turn = compared(at(rolling, uploaded=500, cut=CUT))
    made = {effect.body["kind"]: effect.body for effect in turn.effects if isinstance(effect, Create)}
    spec = ShadowSpec.model_validate(json.loads(made["ConfigMap"]["data"]["spec.json"]))
    assert (spec.cut, spec.from_epoch, spec.max_pairs, spec.metric) == (CUT, 1, 500, ShadowMetric.NOT_EMPTY)
    assert spec.rollout_run_uid == rolling.uid
    pod = made["Job"]["spec"]["template"]["spec"]
    assert pod["containers"][0]["command"][-1] == "feedbackloop.jobs.shadow"
    assert not [volume for volume in pod["volumes"] if "models" in volume["name"]]


def test_what_it_found_enters_the_status(rolling: RunSeen) -> None:
    turn = compared(with_result(begun(rolling), wins=30, losses=20, ties=10))
    found = shadow_of(turn.status)
    assert (found.wins, found.losses, found.ties, found.verdict) == (30, 20, 10, None)
    assert found.compare_run_id == turn.status.stages[-1].run_id
    assert compared(replace(rolling, status=turn.status)).status == turn.status


def test_a_judge_that_may_not_decide_leaves_it_undecided(rolling: RunSeen) -> None:
    found = shadow_of(compared(with_result(begun(rolling), losses=0, ties=0, advisory="kappa 0.4 is below 0.6")).status)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "kappa 0.4" in found.message


def test_a_comparison_that_fails_does_not_end_the_run_by_itself(rolling: RunSeen) -> None:
    failed = given.ended(begun(rolling), PodSeen(exit_code=10))
    turn = compared(failed)
    assert turn.status.outcome is None
    assert shadow_of(turn.status).verdict is Verdict.ERROR


def test_an_abort_stops_the_comparison(rolling: RunSeen) -> None:
    seen = begun(rolling)
    rollout = seen.status.rollout
    assert rollout is not None
    left = rollout.model_copy(update={"step_index": 3})
    turn = compared(replace(seen, status=seen.status.model_copy(update={"rollout": left})))
    assert turn.status.stages[-1].state is StageState.STOPPED
    assert [type(effect) for effect in turn.effects] == [DeleteJob]


def test_a_second_shadow_step_compares_its_own_pairs(rolling: RunSeen) -> None:
    first = replace(rolling, status=compared(with_result(begun(rolling), losses=1, ties=0)).status)
    second = compared(at(first, uploaded=900, cut=(CUT[0].model_copy(update={"offset": 900}),), first_epoch=5))
    (stage,) = [stage for stage in second.status.stages if stage.name is StageName.SHADOW]
    assert stage.state is StageState.RUNNING
    assert stage.run_id != first.status.stages[-1].run_id


def test_guardrails_are_asked_while_pairs_are_compared(rolling: RunSeen) -> None:
    decision = given.decided(begun(rolling))
    assert decision.status.rollout is not None
    assert decision.requeue is not None
    assert decision.requeue > 0

"""What a rollout's decision needs, by the sessions that were seen since its run began."""

from __future__ import annotations

from dataclasses import replace

import pytest

from feedbackloop.api.gateway import Arm, GatewayStatus, UnitCounts
from feedbackloop.api.improvementrun import UnitsSeen
from feedbackloop.api.rolloutstatus import PlanStatus
from feedbackloop.domain.lifecycle.run_plan import units_seen
from feedbackloop.domain.lifecycle.run_seen import Answers, RunSeen
from tests.support.fakeworld import declared
from tests.unit.domain.run import given

HOUR = 3600


def gateways(*units: int, run_uid: str = "") -> tuple[GatewayStatus, ...]:
    """Pods that have counted so many sessions, half of them rated, a tenth with the event."""
    return tuple(
        GatewayStatus(
            pod=f"bot-gateway-{n}",
            units=(
                UnitCounts(
                    run_uid=run_uid, epoch=0, arm=Arm.STABLE, outcome="downvotes", units=u, rated=u // 2, events=u // 10
                ),
            ),
        )
        for n, u in enumerate(units)
    )


def planned(seen: RunSeen, before: int | None, now: tuple[GatewayStatus, ...] | None) -> PlanStatus:
    """The plan of a run that began an hour ago, when `before` sessions had been counted."""
    inputs = seen.status.inputs
    assert inputs is not None
    units = () if before is None else (UnitsSeen(outcome="downvotes", units=before),)
    status = seen.status.model_copy(update={"inputs": inputs.model_copy(update={"units": units})})
    ready = replace(seen, status=status, gateways=now, answers=Answers(version="2"))
    rollout = given.decided(ready, after=HOUR).status.rollout
    assert rollout is not None
    (plan,) = rollout.plan
    return plan


def test_sessions_a_day_follow_from_those_that_came_since_the_run_began() -> None:
    plan = planned(given.evaluated(), 1000, gateways(1500, 500))
    assert plan.sessions_per_day == 24 * 1000
    assert (float(plan.rated_share or 0), float(plan.base_rate or 0)) == pytest.approx((0.5, 0.1))


def test_what_is_not_known_is_not_planned() -> None:
    for before, now in ((None, gateways(5)), (5, None), (5, gateways(5)), (0, gateways(7, run_uid="another"))):
        plan = planned(given.evaluated(), before, now)
        assert (plan.sessions_per_day, plan.sessions_needed) == (0, None)


def test_a_plan_needs_a_rollout_and_gateways_that_answer() -> None:
    spec = given.loop(rollout=declared.rollout()).spec.rollout
    assert units_seen(spec, gateways(3, 4)) == (UnitsSeen(outcome="downvotes", units=7),)
    assert units_seen(None, gateways(3)) == units_seen(spec, None) == units_seen(spec, ()) == ()

"""What a loop remembers over its runs, counted once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from feedbackloop.api.conditions import find_condition
from feedbackloop.api.feedbackloop import FeedbackLoopStatus, LifetimeStatus, Promotion
from feedbackloop.api.improvementrun import GateResult, RunOutcome
from feedbackloop.api.rollout import Lifetime
from feedbackloop.api.rolloutstatus import EpochStatus, OutcomeStatus, RolloutStatus, Verdict
from feedbackloop.domain.lifecycle.loop import bookkeeping, decide
from feedbackloop.domain.lifecycle.loop_history import KEPT, former_champions
from feedbackloop.domain.lifecycle.loop_observation import LoopObservation, RunSeen
from feedbackloop.domain.lifetime import next_level
from feedbackloop.domain.rfc3339 import stamp
from tests.support import loops
from tests.unit.domain.lifecycle.loop_world import (
    ADMIN,
    BASE,
    CANDIDATE,
    NOW,
    OTHER,
    during,
    fresh,
    role,
    rollout,
    run,
    settled,
    with_status,
)

DIGEST = "sha256:" + "9" * 64


def with_lifetime() -> LoopObservation:
    rules = loops.spec_json()["rollout"]
    return settled(fresh(rollout={**rules, "lifetime": {"alpha": "0.2"}}))


def traffic(**changes: Any) -> RolloutStatus:
    return rollout(epochs=(EpochStatus(epoch=1, weight=10, intended_at=stamp(NOW)),), epoch=1, **changes)


def after(seen: LoopObservation, *runs: RunSeen) -> FeedbackLoopStatus:
    """The books once these runs have been seen, one after the other."""
    for each in runs:
        seen = during(seen, each)
        assert seen.loop.spec is not None
        seen = with_status(seen, bookkeeping(seen, seen.loop.spec, NOW))
    return seen.loop.status


def ended(outcome: RunOutcome, name: str = "r", **status: Any) -> tuple[RunSeen, RunSeen]:
    """A run while it rolls out, and when it has ended."""
    active = run(name, rollout=status.pop("rollout", traffic()), **status)
    over = active.status.model_copy(update={"outcome": outcome, "finished_at": stamp(NOW)})
    return active, replace(active, status=over)


@pytest.mark.parametrize(
    ("outcome", "counted"),
    [(RunOutcome.PROMOTED, (1, 1)), (RunOutcome.ROLLED_BACK, (1, 0)), (RunOutcome.INCONCLUSIVE, (1, 0))],
)
def test_a_run_with_traffic_is_one_decision_however_often_it_is_seen(
    outcome: RunOutcome, counted: tuple[int, int]
) -> None:
    active, over = ended(outcome)
    status = after(with_lifetime(), active, over, over, over)
    assert status.lifetime is not None
    assert (status.lifetime.decisions, status.lifetime.promotions) == counted
    level = next_level(Lifetime(alpha="0.2"), *counted)
    assert float(status.lifetime.next_level) == pytest.approx(level, rel=1e-3)


def test_a_run_without_traffic_decided_nothing() -> None:
    active, over = ended(RunOutcome.ROLLED_BACK, rollout=rollout())
    assert after(with_lifetime(), active, over).lifetime == after(with_lifetime()).lifetime


def test_a_run_that_was_deleted_in_its_rollout_is_a_decision_that_promoted_nothing() -> None:
    seen = with_lifetime()
    seen = with_status(seen, after(seen, run("r", rollout=traffic())))
    gone = replace(seen, runs=(), active=None)
    assert gone.loop.spec is not None
    status = bookkeeping(gone, gone.loop.spec, NOW)
    assert status.lifetime is not None
    assert (status.lifetime.decisions, status.lifetime.promotions) == (1, 0)


def test_without_the_declaration_there_is_no_procedure() -> None:
    assert after(settled(), *ended(RunOutcome.PROMOTED)).lifetime is None


def test_promotions_are_kept_newest_first_and_bounded() -> None:
    seen = settled()
    for number in range(KEPT + 3):
        at = stamp(NOW + timedelta(hours=number))
        done = run(f"r{number}", rollout=traffic(), outcome=RunOutcome.PROMOTED, finished_at=at)
        seen = with_status(seen, after(seen, done))
    names = [p.run_name for p in seen.loop.status.promotions]
    assert names == [f"r{n}" for n in range(KEPT + 2, 2, -1)]


def test_a_promotion_regresses_once_late_votes_show_harm_and_keeps_the_time() -> None:
    harm = OutcomeStatus(name="downvotes", verdict=Verdict.FAILED, harm_e_value="33", non_inferiority_e_value="0")
    done = run("r", rollout=traffic(outcomes=(harm,)), outcome=RunOutcome.PROMOTED, finished_at=stamp(NOW))
    seen = with_status(settled(), after(settled(), done))
    (promotion,) = seen.loop.status.promotions
    assert promotion.regressed_at == stamp(NOW)
    later = during(seen, done)
    assert later.loop.spec is not None
    assert bookkeeping(later, later.loop.spec, NOW + timedelta(hours=5)).promotions == (promotion,)


def test_looks_at_a_suite_are_those_of_its_highest_number() -> None:
    counts = {"n": 9, "both": 9, "only_champion": 0, "only_candidate": 0}
    gate = GateResult(
        name="g",
        verdict=Verdict.SUCCESSFUL,
        suite="golden",
        suite_digest=DIGEST,
        look=4,
        type="NonInferiority",
        **counts,
    )
    status = after(settled(), run("r", gates=(gate,)), run("r", gates=(gate,)))
    assert [(s.digest, s.suite, s.looks) for s in status.suites] == [(DIGEST, "golden", 4)]
    stranger = run("old", gates=(gate.model_copy(update={"look": 9}),), outcome=RunOutcome.GATED)
    other = replace(with_status(settled(), status), runs=(stranger,), active=None)
    assert other.loop.spec is not None
    assert bookkeeping(other, other.loop.spec, NOW).suites == status.suites, "an old run is counted already"


def promotion(digest: str, regressed: str | None = None) -> Promotion:
    return Promotion(digest=digest, run_name="r", run_uid=digest[7:40], at=stamp(NOW), regressed_at=regressed)


def test_former_champions_are_those_that_would_be_taken_back() -> None:
    bad = "sha256:" + "d" * 64
    status = FeedbackLoopStatus(
        champion=role(CANDIDATE),
        previous=role(BASE),
        promotions=(promotion(CANDIDATE.digest), promotion(bad, stamp(NOW)), promotion(OTHER.digest)),
        lifetime=LifetimeStatus(),
    )
    assert former_champions(status) == (BASE.digest, OTHER.digest)


def test_the_condition_goes_with_the_champion_that_regressed() -> None:
    harm = OutcomeStatus(name="downvotes", verdict=Verdict.FAILED, harm_e_value="33", non_inferiority_e_value="0")
    done = run("r", rollout=traffic(outcomes=(harm,)), outcome=RunOutcome.PROMOTED, finished_at=stamp(NOW))
    seen = settled()
    serves = seen.loop.status.model_copy(
        update={"champion": role(CANDIDATE, run_name="r"), "previous": role(BASE), "promotions": ()}
    )
    told = decide(during(with_status(seen, serves), done), ADMIN, NOW)
    found = find_condition(told.status.conditions, "Regressed")
    assert found is not None
    assert (found.status.value, found.reason) == ("True", "LateHarm")
    assert f"feedbackloop rollback support-bot -n ml --to {BASE.digest} --apply" in found.message
    assert [a.type for a in told.announcements if a.action == "Regressed"] == ["Warning"]
    back = told.status.model_copy(update={"champion": role(BASE), "previous": role(CANDIDATE)})
    again = decide(during(with_status(seen, back), done), ADMIN, NOW)
    assert find_condition(again.status.conditions, "Regressed") is None

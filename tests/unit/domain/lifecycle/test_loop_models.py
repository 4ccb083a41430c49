"""Who is champion, by table."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedbackloop.api.feedbackloop import FeedbackLoopStatus, Model
from feedbackloop.api.rolloutstatus import AbortStatus
from feedbackloop.domain.lifecycle.loop_models import Models, roles
from feedbackloop.domain.lifecycle.loop_observation import RunSeen
from feedbackloop.domain.rfc3339 import stamp
from tests.support import loops
from tests.unit.domain.lifecycle.loop_world import BASE, CANDIDATE, NOW, OTHER, role, rollout, run

ABORT = AbortStatus(at=stamp(NOW), reason="HarmFound")
RUN = "support-bot-finetune-1"


def declaring(model: Model) -> dict[str, object]:
    return {"target": {**loops.SPEC["target"], "model": model.to_wire()}}


def after(
    status: FeedbackLoopStatus, active: RunSeen | None = None, *others: RunSeen, declared: Model = BASE
) -> Models:
    runs = (*others, active) if active else others
    return roles(loops.spec(**declaring(declared)), status, active, runs, NOW)


def serving_base() -> FeedbackLoopStatus:
    return FeedbackLoopStatus(declared_model=role(BASE), champion=role(BASE))


def test_the_declared_model_is_the_first_champion() -> None:
    found = after(FeedbackLoopStatus())
    assert (found.champion.digest, found.previous) == (BASE.digest, None)


def test_another_declaration_is_champion_at_once_and_the_old_one_previous() -> None:
    found = after(serving_base(), declared=OTHER)
    assert found.previous is not None
    assert (found.champion.digest, found.previous.digest) == (OTHER.digest, BASE.digest)


def test_declaring_what_a_run_has_promoted_changes_nothing_but_the_declaration() -> None:
    promoted = FeedbackLoopStatus(
        declared_model=role(BASE), champion=role(CANDIDATE, run_name=RUN), previous=role(BASE)
    )
    found = after(promoted, declared=CANDIDATE)
    assert found.declared.digest == CANDIDATE.digest
    assert (found.champion, found.previous) == (promoted.champion, promoted.previous)


@pytest.mark.parametrize(
    ("rollout_status", "champion"),
    [
        (None, BASE),
        (rollout(), BASE),
        (rollout(weight=100, baking_since=stamp(NOW)), BASE),
        (rollout(weight=100, promoting_since=stamp(NOW)), CANDIDATE),
        (rollout(promoting_since=stamp(NOW), abort=ABORT), BASE),
    ],
    ids=["training", "steps", "baking", "promoting", "aborted"],
)
def test_a_candidate_is_champion_from_the_decision_to_update_the_target(
    rollout_status: object, champion: Model
) -> None:
    assert after(serving_base(), run(rollout=rollout_status)).champion.digest == champion.digest


def test_a_promotion_is_made_once() -> None:
    promoting = run(rollout=rollout(promoting_since=stamp(NOW)))
    first = after(serving_base(), promoting)
    status = FeedbackLoopStatus(declared_model=first.declared, champion=first.champion, previous=first.previous)
    assert after(status, promoting) == first


def test_a_person_who_declares_a_model_after_a_promotion_is_not_overruled_by_it() -> None:
    promoting = run(rollout=rollout(promoting_since=stamp(NOW - timedelta(minutes=5))))
    status = FeedbackLoopStatus(declared_model=role(OTHER, NOW), champion=role(OTHER, NOW), previous=role(CANDIDATE))
    assert after(status, promoting, declared=OTHER).champion.digest == OTHER.digest


@pytest.mark.parametrize("over", [False, True], ids=["under-way", "over"])
def test_a_promotion_that_is_taken_back_gives_the_champion_of_before(over: bool) -> None:
    outcome = {"outcome": "RolledBack", "finished_at": stamp(NOW)} if over else {}
    maker = run(rollout=rollout(promoting_since=stamp(NOW), abort=ABORT), **outcome)
    status = FeedbackLoopStatus(declared_model=role(BASE), champion=role(CANDIDATE, run_name=RUN), previous=role(BASE))
    found = after(status, None, maker) if over else after(status, maker)
    assert (found.champion.digest, found.previous) == (BASE.digest, None)


def test_an_aborted_run_does_not_touch_a_model_that_a_person_has_declared_since() -> None:
    maker = run(rollout=rollout(promoting_since=stamp(NOW), abort=ABORT))
    status = FeedbackLoopStatus(declared_model=role(CANDIDATE), champion=role(CANDIDATE), previous=role(BASE))
    assert after(status, maker, declared=CANDIDATE).champion.digest == CANDIDATE.digest

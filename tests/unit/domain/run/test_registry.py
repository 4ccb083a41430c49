"""MLflow as a projection: what is asked, when, and what happens while it is away."""

from __future__ import annotations

from dataclasses import replace

import pytest

from feedbackloop.api.conditions import ConditionType, Reason
from feedbackloop.api.feedbackloop import FeedbackLoopStatus
from feedbackloop.api.improvementrun import ImprovementRunStatus, RunOutcome
from feedbackloop.domain.lifecycle.run_effects import DeleteJob, Register, Settle, Track
from feedbackloop.domain.lifecycle.run_seen import Answers, Outage, RunSeen
from tests.unit.domain.run import given

AWAY = Outage(ConditionType.REGISTRY_REACHABLE, Reason.REGISTRY_UNAVAILABLE, "MLflow is away")


def pinned() -> RunSeen:
    seen = given.new()
    return replace(seen, status=given.decided(seen).status)


def promoted() -> RunSeen:
    seen = given.rolling_out()
    status = seen.status.model_copy(update={"outcome": RunOutcome.PROMOTED, "finished_at": "2026-11-24T12:00:00Z"})
    loop = replace(
        given.loop(),
        status=FeedbackLoopStatus(champion=seen.status.candidate, previous=given.BASE, declared_model=given.BASE),
    )
    return replace(seen, status=given.decided(replace(seen, status=status)).status, loop=loop)


def test_the_run_is_tracked_with_its_inputs_as_parameters() -> None:
    ask = given.decided(pinned()).asks[0]
    assert isinstance(ask, Track)
    assert ask.run_uid == "run-uid"
    assert ask.params["champion_digest"] == given.BASE.digest
    assert '"offset":400' in ask.params["cut"]


@pytest.mark.parametrize("seen", [pinned(), given.evaluated(), promoted()])
def test_a_registry_that_is_away_is_waited_for_and_told(seen: RunSeen) -> None:
    decision = given.decided(replace(seen, registry_outage=AWAY))
    assert given.condition(decision, "RegistryReachable") == ("False", "RegistryUnavailable")
    assert decision.status.mlflow == seen.status.mlflow
    assert decision.status.outcome == seen.status.outcome
    assert decision.requeue is not None and decision.requeue > 0


@pytest.mark.parametrize("seen", [pinned(), given.evaluated(), promoted()])
def test_asking_again_while_the_registry_is_away_writes_nothing(seen: RunSeen) -> None:
    away = replace(seen, status=given.decided(replace(seen, registry_outage=AWAY)).status)
    again = given.decided(away)
    assert again.status == away.status
    assert len(again.asks) == 1


def test_a_registry_that_is_back_is_told_too() -> None:
    away = replace(pinned(), status=given.decided(replace(pinned(), registry_outage=AWAY)).status)
    decision = given.decided(replace(away, answers=Answers(run_id="mlflow-1")))
    assert given.condition(decision, "RegistryReachable") == ("True", "Reachable")


def test_the_version_carries_the_lineage_of_the_candidate() -> None:
    ask = given.decided(given.evaluated()).asks[0]
    assert isinstance(ask, Register)
    assert ask.candidate.key == "run-uid"
    assert ask.candidate.tags["feedbackloop.dev/base-digest"] == given.BASE.digest
    assert ask.candidate.tags["feedbackloop.dev/artefact-uri"] == ask.candidate.source
    assert ask.champion.key == "declared-" + "b" * 12


def test_a_champion_that_a_run_made_is_found_by_the_uid_of_that_run() -> None:
    seen = replace(given.evaluated(), model_keys=((given.BASE.digest, "former-run-uid"),))
    ask = given.decided(seen).asks[0]
    assert isinstance(ask, Register)
    assert ask.champion.key == "former-run-uid"


def test_a_registered_candidate_begins_its_rollout() -> None:
    seen = given.rolling_out()
    assert seen.status.mlflow.model_version == "2"
    assert given.condition(given.decided(seen), "Registered") == ("True", "Registered")
    assert seen.status.rollout is not None
    assert (seen.status.rollout.weight, seen.status.rollout.epoch) == (0, 0)


def test_aliases_follow_what_the_loop_serves_once_a_run_is_over() -> None:
    ask = given.decided(promoted()).asks[0]
    assert isinstance(ask, Settle)
    assert ask.status == "FINISHED"
    assert ask.tags["feedbackloop.dev/outcome"] == "Promoted"
    keys = {alias: version.key if version else None for alias, version in ask.aliases.items()}
    assert keys == {"candidate": None, "champion": "run-uid", "previous": "declared-" + "b" * 12}


def test_aliases_wait_for_the_loop_to_have_switched_its_champion() -> None:
    decision = given.decided(replace(promoted(), loop=given.loop()))
    assert decision.asks == ()
    assert decision.requeue is not None


def test_a_settled_run_is_looked_at_no_more() -> None:
    done = given.decided(replace(promoted(), answers=Answers(settled=True)))
    assert done.status.mlflow.settled_at is not None
    rest = given.decided(replace(promoted(), status=done.status), after=604_800)
    assert (rest.status, rest.asks, rest.effects, rest.requeue) == (done.status, (), (), None)


@pytest.mark.parametrize(
    ("outcome", "status"),
    [(RunOutcome.FAILED, "FAILED"), (RunOutcome.SUPERSEDED, "KILLED"), (RunOutcome.GATED, "FINISHED")],
)
def test_the_mlflow_run_ends_with_a_status_that_fits(outcome: RunOutcome, status: str) -> None:
    seen = given.tracked()
    over = replace(seen, status=seen.status.model_copy(update={"outcome": outcome}))
    ask = given.decided(over).asks[0]
    assert isinstance(ask, Settle)
    assert (ask.status, ask.registered_model) == (status, None)


def test_the_job_of_a_stopped_stage_is_deleted_again_until_the_run_is_settled() -> None:
    seen = given.tracked()
    stopped = given.decided(replace(seen, loop=None)).status
    again = given.decided(replace(seen, status=stopped, loop=None))
    assert DeleteJob(f"bot-{given.current(seen).run_id}-a1") in again.effects


def test_a_run_that_ended_before_it_was_tracked_asks_nothing() -> None:
    status: ImprovementRunStatus = pinned().status.model_copy(update={"outcome": RunOutcome.SUPERSEDED})
    decision = given.decided(replace(pinned(), status=status))
    assert (decision.asks, decision.requeue) == ((), None)

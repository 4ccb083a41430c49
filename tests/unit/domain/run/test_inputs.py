"""The beginning of a run: what it waits for, and what it pins before anything happens."""

from __future__ import annotations

from dataclasses import replace

import pytest

from feedbackloop.api.feedbackloop import FeedbackLoopSpec, FeedbackLoopStatus, PodOffset
from feedbackloop.api.improvementrun import RunOutcome, StageState
from feedbackloop.domain.lifecycle.run_effects import DeleteJob, Track
from feedbackloop.domain.lifecycle.run_seen import RunSeen
from tests.support.fakeworld import declared
from tests.unit.domain.rollout.world import rollout_spec
from tests.unit.domain.run import given

NO_CHAMPION = replace(given.loop(), status=FeedbackLoopStatus())
OTHER = given.BASE.model_copy(update={"digest": "sha256:" + "e" * 64, "short": "e" * 12})


def test_pins_everything_it_depends_on_before_it_asks_for_anything() -> None:
    decision = given.decided(given.new())
    inputs = decision.status.inputs
    assert inputs is not None
    assert inputs.champion == given.BASE
    assert inputs.cut == (PodOffset(pod="bot-gateway-0", offset=400, trainable=120),)
    assert FeedbackLoopSpec.model_validate_json(inputs.pinned_spec) == given.loop().spec
    assert decision.effects == ()
    assert isinstance(decision.asks[0], Track)


SOURCE = {"endpointName": "no", "query": "busy{arm='$arm'}"}
GUARDRAIL = {"name": "busy", "metric": "Prometheus", "maxValue": "1", "minRequests": 5, "prometheus": SOURCE}
WITH_SOURCE = rollout_spec(guardrails=[GUARDRAIL]).to_wire()


def test_takes_the_cut_of_its_annotation_rather_than_what_the_gateway_says_now() -> None:
    cut = (PodOffset(pod="bot-gateway-0", offset=7, trainable=3),)
    decision = given.decided(given.new(cut=cut, gateways=None))
    assert decision.status.inputs is not None
    assert decision.status.inputs.cut == cut


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (given.new(loop=None), "LoopNotFound"),
        (given.new(loop=given.loop(improvements=[])), "ImprovementNotFound"),
        (given.new(loop=given.loop(improvements=[declared.improvement(profileName="huge")])), "UnknownProfile"),
        (given.new(loop=given.loop(registry={"endpointName": "no", "registeredModel": "m"})), "UnknownEndpoint"),
        (given.new(loop=given.loop(rollout=WITH_SOURCE)), "UnknownEndpoint"),
    ],
)
def test_stalls_with_a_reason_when_a_person_must_act(seen: RunSeen, reason: str) -> None:
    decision = given.decided(seen)
    assert given.condition(decision, "Stalled") == ("True", reason)
    assert given.condition(decision, "Reconciling") is None
    assert decision.status.inputs is None
    assert (decision.effects, decision.asks) == ((), ())


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (given.new(blocked_by="an-older-run"), "Queued"),
        (given.new(loop=NO_CHAMPION), "Waiting"),
        (given.new(loop=given.loop(suspend=True)), "Suspended"),
        (given.new(gateways=None), "GatewayUnavailable"),
        (given.new(loop=replace(given.loop(), deleting=True)), "Deleting"),
    ],
)
def test_waits_and_says_why(seen: RunSeen, reason: str) -> None:
    decision = given.decided(seen)
    assert given.condition(decision, "Reconciling") == ("True", reason)
    assert given.condition(decision, "Stalled") is None
    assert decision.status.inputs is None
    assert decision.requeue is not None


def test_a_later_edit_of_the_loop_does_not_change_a_run_that_has_begun() -> None:
    seen = given.curated()
    edited = replace(seen, loop=given.loop(improvements=[declared.improvement(activeDeadlineSeconds=60)]))
    assert given.decided(edited) == given.decided(seen)


def test_a_model_that_a_person_declares_supersedes_the_run_and_stops_its_job() -> None:
    seen = given.tracked()
    changed = FeedbackLoopStatus(champion=OTHER, declared_model=OTHER)
    decision = given.decided(replace(seen, loop=replace(given.loop(), status=changed)))
    assert decision.status.outcome is RunOutcome.SUPERSEDED
    assert decision.status.stages[0].state is StageState.STOPPED
    assert decision.effects == (DeleteJob(f"bot-{given.current(seen).run_id}-a1"),)


def test_a_rollout_is_told_of_a_new_model_and_ends_by_its_own_order() -> None:
    seen = given.rolling_out()
    changed = FeedbackLoopStatus(champion=OTHER, declared_model=OTHER)
    decision = given.decided(replace(seen, loop=replace(given.loop(), status=changed)), after=2)
    assert decision.status.rollout is not None
    assert decision.status.rollout.abort is not None
    assert decision.status.rollout.abort.reason == "Superseded"


@pytest.mark.parametrize("loop", [None, replace(given.loop(), uid="another")])
def test_a_run_whose_loop_is_gone_ends(loop: object) -> None:
    decision = given.decided(replace(given.tracked(), loop=loop))
    assert decision.status.outcome is RunOutcome.SUPERSEDED

"""The rollout as the run hands it over: facts in, conditions, records and outcome out."""

from __future__ import annotations

from dataclasses import replace

from feedbackloop.api.feedbackloop import FeedbackLoopStatus
from feedbackloop.api.gateway import Backend, GatewayConfig, LoopRef, ObjectStore, Routing, revision
from feedbackloop.domain.lifecycle.run_arms import arm_observed
from feedbackloop.domain.lifecycle.run_rollout import ABSENT, applied
from feedbackloop.domain.lifecycle.run_seen import RunSeen, ServingSeen
from feedbackloop.domain.naming import canonical_json
from feedbackloop.domain.rollout import ArmObserved
from tests.unit.domain.run import given

READY = {"conditions": [{"type": "Ready", "status": "True"}]}


def config(run_uid: str, epoch: int) -> str:
    made = GatewayConfig(
        loop=LoopRef(namespace="ml", name="bot", uid="loop-uid"),
        storage=ObjectStore(url="http://s3:8333", bucket="feedback"),
        collection=given.loop().spec.collection,
        routing=Routing(run_uid=run_uid, epoch=epoch, stable=Backend(host="bot-stable", port=80, digest="x")),
    )
    return canonical_json(made.to_wire())


def at_epoch(epoch: int, text: str, seen_revision: str) -> tuple[RunSeen, bool]:
    seen = given.rolling_out()
    assert seen.status.rollout is not None
    rollout = seen.status.rollout.model_copy(update={"epoch": epoch})
    gateways = tuple(g.model_copy(update={"revision": seen_revision}) for g in given.GATEWAYS)
    seen = replace(seen, gateways=gateways, serving=ServingSeen(text, ABSENT, ABSENT))
    return seen, applied(seen, rollout)


def test_an_epoch_is_applied_when_every_gateway_reports_the_revision_written_for_it() -> None:
    text = config("run-uid", 3)
    assert at_epoch(3, text, revision(text))[1]


def test_an_epoch_is_not_applied_before_it_is_written_or_reported() -> None:
    text = config("run-uid", 3)
    assert not at_epoch(4, text, revision(text))[1]
    assert not at_epoch(3, text, "0" * 16)[1]
    assert not at_epoch(3, "{}", revision("{}"))[1]


def test_before_its_first_epoch_a_rollout_is_not_in_the_routing() -> None:
    text = config("", 0)
    assert at_epoch(0, text, revision(text))[1]


def test_a_rollout_does_not_begin_while_the_loop_is_suspended() -> None:
    seen = given.rolling_out()
    waiting = replace(seen, status=seen.status.model_copy(update={"rollout": None}), loop=given.loop(suspend=True))
    decision = given.decided(waiting)
    assert decision.status.rollout is None
    assert given.condition(decision, "Reconciling") == ("True", "Suspended")


def test_records_become_the_decision_record_and_events() -> None:
    seen = given.rolling_out()
    other = given.BASE.model_copy(update={"digest": "sha256:" + "e" * 64})
    changed = FeedbackLoopStatus(champion=other, declared_model=other)
    decision = given.decided(replace(seen, loop=replace(given.loop(), status=changed)), after=2)
    assert decision.status.decisions[-1].what == "Superseded"
    assert decision.notes[-1].reason.value == "Superseded"


def test_the_canary_is_wanted_once_the_rollout_has_begun() -> None:
    seen = given.rolling_out()
    serving = ServingSeen(config("", 0), ArmObserved(2, 2, given.BASE.digest), ABSENT)
    decision = given.decided(replace(seen, serving=serving), after=2)
    assert decision.status.rollout is not None
    assert decision.status.rollout.canary_replicas > 0
    assert given.condition(decision, "Reconciling") == ("True", "Progressing")


def pod(digest: str, ready: bool = True, **metadata: str) -> dict[str, object]:
    containers = [{"name": "server", "env": [{"name": "MODEL_DIGEST", "value": digest}]}]
    return {"metadata": metadata, "spec": {"containers": containers}, "status": READY if ready else {}}


def test_an_arm_has_a_digest_only_when_every_ready_pod_carries_it() -> None:
    deployment = {"spec": {"replicas": 2}}
    assert arm_observed(deployment, [pod("a"), pod("a")]) == ArmObserved(2, 2, "a")
    assert arm_observed(deployment, [pod("a"), pod("b")]) == ArmObserved(2, 2, None)
    assert arm_observed(deployment, [pod("a"), pod("b", ready=False)]) == ArmObserved(2, 1, "a")
    assert arm_observed(deployment, [pod("a", deletionTimestamp="now")]) == ArmObserved(2, 0, None)
    assert arm_observed(None, []) == ArmObserved(0, 0, None)

"""What is due for a loop, by table."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from feedbackloop.api.conditions import ConditionStatus, ConditionType, Reason, find_condition
from feedbackloop.api.feedbackloop import FeedbackLoopStatus
from feedbackloop.domain.lifecycle.loop import adoption_to_try, decide
from feedbackloop.domain.lifecycle.loop_checks import stalled
from feedbackloop.domain.lifecycle.loop_effects import Apply, Create, Decision, Delete, Drain
from feedbackloop.domain.lifecycle.loop_observation import Child, LoopObservation, OtherLoop, PodsSeen
from tests.support import loops
from tests.unit.domain.lifecycle.loop_world import (
    ADMIN,
    BASE,
    CANDIDATE,
    NOW,
    carried_out,
    during,
    fresh,
    gateways_of,
    rollout,
    run,
    settled,
)


def decided(seen: LoopObservation, after: timedelta = timedelta(0)) -> Decision:
    return decide(seen, ADMIN, NOW + after)


def reason_of(status: FeedbackLoopStatus, type_: ConditionType) -> str | None:
    condition = find_condition(status.conditions, type_.value)
    return condition.reason if condition else None


def applied(decision: Decision) -> list[str]:
    return [f"{e.body['kind']}/{e.body['metadata']['name']}" for e in decision.effects if isinstance(e, Apply)]


def test_a_fresh_loop_gets_its_objects_in_an_order_that_never_shows_half_of_them() -> None:
    decision = decided(fresh())
    names = applied(decision)
    assert names.index("ConfigMap/support-bot-gateway") < names.index("StatefulSet/support-bot-gateway")
    assert names[-1] == "Deployment/bot"
    assert decision.finalizer
    assert decision.status.champion is not None
    assert decision.status.champion.digest == BASE.digest
    assert find_condition(decision.status.conditions, "Reconciling") is not None


def test_the_target_is_applied_without_force_and_everything_of_ours_with() -> None:
    forced = {e.body["metadata"]["name"]: e.force for e in decided(fresh()).effects if isinstance(e, Apply)}
    assert forced.pop("bot") is False
    assert all(forced.values())


def test_a_settled_loop_has_nothing_left_to_do_and_is_ready() -> None:
    seen = settled()
    decision = decided(seen)
    assert decision.effects == ()
    assert decision.announcements == ()
    assert decision.status == seen.loop.status
    assert reason_of(decision.status, ConditionType.READY) == "AsDeclared"
    assert decision.requeue_seconds == ADMIN.limits.poll_idle_seconds


def test_adoption_is_tried_only_while_the_target_does_not_carry_it() -> None:
    assert adoption_to_try(fresh(), ADMIN, NOW) is not None
    assert adoption_to_try(settled(), ADMIN, NOW) is None


def test_a_conflict_of_a_loop_that_has_not_started_makes_nothing() -> None:
    conflict = stalled(Reason.FIELD_MANAGER_CONFLICT, "gitops owns env")
    decision = decided(replace(fresh(), adoption_conflict=conflict))
    assert decision.effects == ()
    assert not decision.finalizer
    assert reason_of(decision.status, ConditionType.STALLED) == "FieldManagerConflict"
    assert decision.status.champion is None


def test_a_spec_that_does_not_parse_stalls_with_the_field() -> None:
    seen = fresh()
    broken = replace(seen, loop=replace(seen.loop, spec=None, spec_error="spec.target.port: Field required"))
    decision = decided(broken)
    assert decision.effects == ()
    assert reason_of(decision.status, ConditionType.STALLED) == "InvalidSpec"
    assert decision.status.observed_generation == 1


@pytest.mark.parametrize(
    ("created", "uid", "stalls"),
    [
        ("2025-12-31T00:00:00Z", "z", True),
        ("2026-01-02T00:00:00Z", "a", False),
        ("2026-01-01T00:00:00Z", "0", True),
        ("2026-01-01T00:00:00Z", "z", False),
    ],
    ids=["older", "younger", "same-second-lower-uid", "same-second-higher-uid"],
)
def test_the_older_loop_wins_a_target(created: str, uid: str, stalls: bool) -> None:
    decision = decided(replace(fresh(), others=(OtherLoop("rival", uid, created, "bot"),)))
    assert (reason_of(decision.status, ConditionType.STALLED) == "TargetOwnedByOtherLoop") is stalls


def test_loops_of_other_targets_do_not_matter() -> None:
    rival = OtherLoop("rival", "0", "2025-01-01T00:00:00Z", "another")
    assert decided(replace(fresh(), others=(rival,))).effects


@pytest.mark.parametrize(
    ("selector", "stalls"),
    [
        ({"tier": "web"}, True),
        ({"feedbackloop.dev/loop": "support-bot"}, True),
        ({"tier": "web", "app": "bot"}, False),
        ({"tier": "other"}, False),
        ({}, False),
    ],
)
def test_a_service_that_selects_canary_pods_stalls(selector: dict[str, str], stalls: bool) -> None:
    service = {"metadata": {"name": "s"}, "spec": {"selector": selector}}
    decision = decided(replace(fresh(), services=(service,)))
    assert (reason_of(decision.status, ConditionType.STALLED) == "CanarySelectedByService") is stalls


@pytest.mark.parametrize(
    ("pods", "reason"),
    [
        (PodsSeen(2, 2, frozenset({BASE.digest})), "Adopted"),
        (PodsSeen(2, 1, frozenset({BASE.digest})), "TargetUnavailable"),
        (PodsSeen(1, 1, frozenset({BASE.digest})), "TargetUnavailable"),
        (PodsSeen(3, 2, frozenset({BASE.digest})), "TargetUnavailable"),
        (PodsSeen(3, 3, frozenset({BASE.digest, None})), "Adopting"),
        (PodsSeen(2, 2, frozenset({CANDIDATE.digest})), "Adopting"),
        (PodsSeen(), "TargetUnavailable"),
    ],
)
def test_a_target_is_adopted_when_every_pod_is_ready_with_the_champion(pods: PodsSeen, reason: str) -> None:
    status = decided(replace(settled(), target_pods=pods)).status
    assert reason_of(status, ConditionType.TARGET_ADOPTED) == reason
    ready = find_condition(status.conditions, "Ready")
    assert ready is not None
    assert (ready.status == ConditionStatus.TRUE) is (reason == "Adopted")


def test_a_gateway_that_does_not_answer_leaves_counts_and_revision_as_they_were() -> None:
    seen = settled()
    status = decided(replace(seen, gateways=None)).status
    assert reason_of(status, ConditionType.COLLECTION_READY) == "GatewayUnavailable"
    assert status.counters == seen.loop.status.counters
    assert status.gateway_revision == seen.loop.status.gateway_revision


def test_failing_uploads_are_told_and_keep_the_loop_from_being_ready() -> None:
    seen = settled()
    failing = replace(seen, gateways=gateways_of(seen, storage_error="ConnectTimeout"))
    status = decided(failing).status
    assert reason_of(status, ConditionType.STORAGE_REACHABLE) == "StorageUnavailable"
    assert reason_of(status, ConditionType.READY) == "StorageUnavailable"


class TestTriggers:
    def due(self, trainable: int = 10, **changes: Any) -> list[Create]:
        seen = settled()
        ready = replace(seen, gateways=gateways_of(seen, trainable), **changes)
        return [e for e in decided(ready).effects if isinstance(e, Create)]

    def test_enough_new_signals_start_a_run(self) -> None:
        (create,) = self.due()
        assert create.body["spec"] == {"loopName": "support-bot", "improvementName": "finetune"}

    def test_one_signal_too_few_starts_none(self) -> None:
        assert self.due(9) == []

    def test_the_run_is_announced_in_status_before_it_is_created(self) -> None:
        seen = settled()
        decision = decided(replace(seen, gateways=gateways_of(seen, 10)))
        (create,) = [e for e in decision.effects if isinstance(e, Create)]
        assert decision.status.active_run_name == create.body["metadata"]["name"]
        assert decision.status.active_run_uid is None
        assert decision.requeue_seconds == ADMIN.limits.poll_active_seconds

    def test_an_announced_run_that_was_not_created_before_a_crash_is_created_after_it(self) -> None:
        seen = settled()
        first = decided(replace(seen, gateways=gateways_of(seen, 10)))
        crashed = replace(seen, loop=replace(seen.loop, status=first.status), gateways=gateways_of(seen, 10))
        again = decided(crashed)
        assert [e for e in again.effects if isinstance(e, Create)] == [
            e for e in first.effects if isinstance(e, Create)
        ]
        assert again.status == first.status

    def test_none_starts_while_one_is_active(self) -> None:
        active = run()
        assert self.due(runs=(active,), active=active) == []

    def test_none_starts_while_a_pod_of_the_target_is_not_ready(self) -> None:
        assert self.due(target_pods=PodsSeen(2, 1, frozenset({BASE.digest}))) == []

    def test_consumed_signals_do_not_count_again(self) -> None:
        ended = run(outcome="Gated", finished_at="2025-12-01T00:00:00Z")
        assert self.due(59, runs=(ended,)) == []
        assert len(self.due(60, runs=(ended,))) == 1

    def test_the_cooldown_counts_from_the_last_runs_end(self) -> None:
        ended = run(outcome="Gated", finished_at="2026-01-01T11:30:00Z")
        seen = settled()
        ready = replace(seen, gateways=gateways_of(seen, 60), runs=(ended,))
        assert not [e for e in decided(ready).effects if isinstance(e, Create)]
        later = decided(ready, timedelta(minutes=30))
        assert [e for e in later.effects if isinstance(e, Create)]

    def test_a_suspended_loop_starts_none(self) -> None:
        seen = settled(fresh(suspend=True))
        decision = decided(replace(seen, gateways=gateways_of(seen, 10)))
        assert not [e for e in decision.effects if isinstance(e, Create)]
        assert reason_of(decision.status, ConditionType.READY) == "Suspended"


class TestRollouts:
    def test_routes_are_written_before_pods_change(self) -> None:
        seen = during(settled(), run(rollout=rollout(weight=10, epoch=1, canary_replicas=1)))
        names = applied(decided(seen))
        assert names == ["ConfigMap/support-bot-gateway", "Deployment/support-bot-canary"]

    def test_a_run_that_is_over_leaves_no_canary(self) -> None:
        seen = during(settled(), run(rollout=rollout(weight=10, epoch=1, canary_replicas=1)))
        seen = carried_out(seen, decided(seen))
        over = during(
            seen, run(rollout=rollout(weight=0, epoch=2), outcome="RolledBack", finished_at="2026-01-01T12:00:00Z")
        )
        decision = decided(over)
        assert applied(decision)[0] == "ConfigMap/support-bot-gateway"
        (gone,) = [e for e in decision.effects if isinstance(e, Delete)]
        assert gone.body["metadata"]["name"] == "support-bot-canary"

    def test_an_obstacle_of_a_started_loop_still_lets_routes_change(self) -> None:
        conflict = stalled(Reason.FIELD_MANAGER_CONFLICT, "rival owns env")
        seen = during(settled(), run(rollout=rollout(weight=0, epoch=2, canary_replicas=1)))
        decision = decided(replace(seen, adoption_conflict=conflict))
        assert "ConfigMap/support-bot-gateway" in applied(decision)
        assert "Deployment/bot" not in applied(decision)
        assert reason_of(decision.status, ConditionType.STALLED) == "FieldManagerConflict"


class TestDeletion:
    def leaving(self, after: timedelta = timedelta(0), **changes: Any) -> Decision:
        seen = settled()
        claim = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {
                "name": "log-support-bot-gateway-0",
                "namespace": "ml",
                "uid": "c",
                "annotations": {"feedbackloop.dev/loop-uid": loops.LOOP.uid},
            },
        }
        children = {**seen.children, Child("PersistentVolumeClaim", "log-support-bot-gateway-0"): claim}
        loop = replace(seen.loop, deleting_since=NOW)
        return decided(replace(seen, loop=loop, children=children, **changes), after)

    def test_the_gateway_is_asked_to_drain_until_it_has(self) -> None:
        decision = self.leaving()
        assert decision.effects == (Drain(),)
        assert decision.finalizer
        assert decision.status.stage == "Draining"

    def test_a_drained_log_takes_its_volume_with_it(self) -> None:
        decision = self.leaving(gateways=gateways_of(settled(), drained=True))
        assert [e.body["metadata"]["name"] for e in decision.effects if isinstance(e, Delete)] == [
            "log-support-bot-gateway-0"
        ]
        assert not decision.finalizer

    @pytest.mark.parametrize("gateways", [None, ()], ids=["unreachable", "still-draining"])
    def test_at_the_deadline_the_volume_is_kept_and_named(self, gateways: Any) -> None:
        answers = gateways if gateways is None else gateways_of(settled())
        decision = self.leaving(timedelta(seconds=120), gateways=answers)
        assert decision.effects == ()
        assert not decision.finalizer
        (told,) = decision.announcements
        assert told.reason is Reason.LOG_KEPT
        assert "log-support-bot-gateway-0" in told.note

"""A gateway of several pods: when a new one owns sessions, what is asked of all, and what deletion takes away."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from feedbackloop.api.conditions import ConditionType, Reason, find_condition
from feedbackloop.api.gateway import GatewayStatus
from feedbackloop.domain.children.gateway.workload import ANNOTATION_LOOP_UID
from feedbackloop.domain.lifecycle.loop import decide, planned_for
from feedbackloop.domain.lifecycle.loop_checks import unready
from feedbackloop.domain.lifecycle.loop_effects import Apply, Delete
from feedbackloop.domain.lifecycle.loop_observation import Child, LoopObservation
from tests.support import loops
from tests.unit.domain.lifecycle.loop_world import ADMIN, NOW, during, fresh, gateways_of, rollout, run, settled

SET = Child("StatefulSet", "support-bot-gateway")
CONFIG = Child("ConfigMap", "support-bot-gateway")


def collection(replicas: int) -> dict[str, Any]:
    return {**loops.SPEC["collection"], "replicas": replicas}


def declared(seen: LoopObservation, replicas: int) -> LoopObservation:
    """The same loop, with another number in its spec."""
    return replace(seen, loop=replace(seen.loop, spec=loops.spec(collection=collection(replicas))))


def ready(seen: LoopObservation, pods: int) -> LoopObservation:
    body = seen.children[SET]
    return replace(seen, children={**seen.children, SET: {**body, "status": {"readyReplicas": pods}}})


def owners(seen: LoopObservation) -> int:
    planned = planned_for(seen, ADMIN, NOW)
    assert planned is not None
    return planned.config.collection.replicas


def test_from_the_start_all_declared_pods_own_sessions() -> None:
    assert owners(fresh(collection=collection(3))) == 3


def test_a_new_pod_owns_nothing_before_it_is_ready() -> None:
    grown = declared(settled(), 2)
    assert owners(grown) == 1
    applied = {e.body["kind"]: e.body for e in decide(grown, ADMIN, NOW).effects if isinstance(e, Apply)}
    assert applied["StatefulSet"]["spec"]["replicas"] == 2
    told = json.loads(applied["ConfigMap"]["data"]["config.json"])
    assert told["peers"] != "", "the new pod must know where to hand sessions on"
    assert owners(ready(grown, 2)) == 2


def test_a_pod_that_is_away_keeps_its_sessions() -> None:
    assert owners(ready(settled(fresh(collection=collection(3))), 1)) == 3


def test_sessions_do_not_move_under_a_rollout() -> None:
    grown = ready(declared(settled(), 2), 2)
    rolling = during(grown, run(rollout=rollout()))
    assert owners(rolling) == 1
    assert owners(during(grown, run())) == 2


def test_a_configuration_that_cannot_be_read_is_written_anew() -> None:
    seen = settled(fresh(collection=collection(2)))
    broken = {**seen.children, CONFIG: {**seen.children[CONFIG], "data": {"config.json": "{"}}}
    assert owners(replace(seen, children=broken)) == 2


@pytest.mark.parametrize(("pods", "status"), [(1, "False"), (2, "True")])
def test_collection_is_ready_when_every_pod_is(pods: int, status: str) -> None:
    seen = settled(fresh(collection=collection(2)))
    after = decide(ready(seen, pods), ADMIN, NOW).status
    condition = find_condition(after.conditions, ConditionType.COLLECTION_READY.value)
    assert condition is not None
    assert condition.status == status


def test_counts_are_the_sum_over_all_pods() -> None:
    seen = settled(fresh(collection=collection(2)))
    first, second = gateways_of(seen, 5), gateways_of(seen, 7, pod="support-bot-gateway-1", duplicate=2, bad_rows=1)
    after = decide(replace(seen, gateways=(*first, *second)), ADMIN, NOW + timedelta(hours=1))
    counted = after.status.counters
    assert (counted.accepted, counted.trainable, counted.duplicate, counted.bad_rows) == (12, 12, 2, 1)
    (started,) = [e.body for e in after.effects if not isinstance(e, Apply | Delete) and hasattr(e, "body")]
    cut = json.loads(started["metadata"]["annotations"]["feedbackloop.dev/cut"])
    assert [c["offset"] for c in cut] == [5, 7]


def claim(ordinal: int) -> dict[str, Any]:
    metadata = {
        "name": f"log-support-bot-gateway-{ordinal}",
        "namespace": "ml",
        "uid": f"claim-{ordinal}",
        "annotations": {ANNOTATION_LOOP_UID: loops.LOOP.uid},
    }
    return {"kind": "PersistentVolumeClaim", "metadata": metadata}


def leaving(gateways: tuple[GatewayStatus, ...] | None) -> LoopObservation:
    seen = settled(fresh(collection=collection(2)))
    claims = {Child("PersistentVolumeClaim", c["metadata"]["name"]): c for c in (claim(0), claim(1))}
    facts = replace(seen.loop, deleting_since=NOW, has_finalizer=True)
    return replace(seen, loop=facts, children={SET: seen.children[SET], **claims}, gateways=gateways)


def test_a_loop_goes_when_every_pod_is_drained_and_takes_all_its_volumes() -> None:
    drained = GatewayStatus(pod="support-bot-gateway-0", drained=True)
    half = (drained, GatewayStatus(pod="support-bot-gateway-1"))
    assert decide(leaving(half), ADMIN, NOW).finalizer is True
    done = decide(leaving((drained, drained.model_copy(update={"pod": "support-bot-gateway-1"}))), ADMIN, NOW)
    assert done.finalizer is False
    names = [e.body["metadata"]["name"] for e in done.effects if isinstance(e, Delete)]
    assert names == ["log-support-bot-gateway-0", "log-support-bot-gateway-1"]


def test_at_the_deadline_every_kept_volume_is_named() -> None:
    late = decide(leaving(None), ADMIN, NOW + timedelta(seconds=ADMIN.gateway.drain_seconds))
    (told,) = late.announcements
    assert told.reason is Reason.LOG_KEPT
    assert "log-support-bot-gateway-0, log-support-bot-gateway-1 are kept" in told.note


def test_a_key_service_that_the_admin_does_not_know_is_named_with_its_field() -> None:
    kms = {"awsKms": {"endpointName": "kms", "keyId": "alias/loop", "credentialsSecretName": "kms-user"}}
    finding = unready(fresh(encryption={"key": kms}), ADMIN)
    assert finding is not None
    assert finding.reason is Reason.UNKNOWN_ENDPOINT
    assert finding.message.startswith(
        "spec.encryption.key.awsKms.endpointName: the admin's file has no AwsKms endpoint"
    )

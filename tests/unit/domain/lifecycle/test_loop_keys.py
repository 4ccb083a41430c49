"""What a loop says of its root key's service, and of the bucket in which wrapped keys lie."""

from __future__ import annotations

from dataclasses import replace

import pytest

from feedbackloop.api.conditions import Condition, ConditionType, Reason, find_condition
from feedbackloop.domain.lifecycle.loop import decide
from feedbackloop.domain.lifecycle.loop_observation import Child, LoopObservation
from tests.unit.domain.lifecycle.loop_world import ADMIN, NOW, carried_out, fresh, gateways_of, settled


def condition(seen: LoopObservation, type_: ConditionType) -> Condition | None:
    return find_condition(decide(seen, ADMIN, NOW).status.conditions, type_.value)


@pytest.mark.parametrize(("key", "field"), [({}, "spec.storage.bucket"), ({"keysBucket": "keys"}, "keysBucket")])
def test_a_versioned_bucket_of_keys_is_told_with_the_fix_and_stops_nothing(key: dict[str, str], field: str) -> None:
    encryption = {"key": {"secretName": "loop-kek"}, **key}
    seen = replace(settled(fresh(encryption=encryption)), keys_versioned=True)
    found = condition(seen, ConditionType.KEYS_ERASABLE)
    assert found is not None
    assert (found.status, found.reason) == ("False", Reason.KEYS_BUCKET_VERSIONED)
    assert field in found.message
    ready = condition(seen, ConditionType.READY)
    assert ready is not None
    assert ready.status == "True"


def test_what_is_not_known_changes_nothing() -> None:
    seen = settled()
    assert condition(seen, ConditionType.KEYS_ERASABLE) is None
    known = replace(seen, keys_versioned=False)
    after = carried_out(known, decide(known, ADMIN, NOW))
    again = condition(replace(after, keys_versioned=None), ConditionType.KEYS_ERASABLE)
    assert again is not None
    assert (again.status, again.reason) == ("True", Reason.UNVERSIONED)


def test_a_key_service_that_is_away_is_told_apart_from_storage() -> None:
    seen = settled()
    away = replace(seen, gateways=gateways_of(seen, storage_error="KeyServiceUnavailable"))
    found = condition(away, ConditionType.STORAGE_REACHABLE)
    assert found is not None
    assert (found.status, found.reason) == ("False", Reason.KEY_SERVICE_UNAVAILABLE)


@pytest.mark.parametrize(
    ("waits", "reason"),
    [
        ("a fresh volume needs object storage once, which fails with EndpointConnectionError", Reason.GATEWAY_STARTING),
        ("KeyServiceUnavailable: the service of the root key fails with Timeout", Reason.KEY_SERVICE_UNAVAILABLE),
        ("", Reason.GATEWAY_STARTING),
    ],
)
def test_a_gateway_that_cannot_start_says_what_it_waits_for(waits: str, reason: Reason) -> None:
    seen = settled()
    child = Child("StatefulSet", "support-bot-gateway")
    unready = {**seen.children, child: {**seen.children[child], "status": {}}}
    found = condition(
        replace(seen, children=unready, gateways=None, gateway_waits=waits), ConditionType.COLLECTION_READY
    )
    assert found is not None
    assert (found.status, found.reason) == ("False", reason)
    assert waits.rpartition(": ")[2] in found.message


@pytest.mark.parametrize(("error", "status"), [("VolumeFull", "False"), ("Overloaded", "True"), (None, "True")])
def test_a_log_that_takes_nothing_is_told_when_it_does_not_pass_by_itself(error: str | None, status: str) -> None:
    seen = settled()
    found = condition(replace(seen, gateways=gateways_of(seen, log_error=error)), ConditionType.COLLECTION_READY)
    assert found is not None
    assert found.status == status

"""What a loop does every now and then: when, as which Job, and what its end means."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from feedbackloop.api import ANNOTATION_SPEC
from feedbackloop.api.conditions import find_condition
from feedbackloop.api.feedbackloop import FeedbackLoopStatus, PodOffset
from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.api.jobs import AssessSpec, SweepSpec
from feedbackloop.domain.lifecycle.loop import decide
from feedbackloop.domain.lifecycle.loop_effects import Create, Decision, Delete
from feedbackloop.domain.lifecycle.loop_observation import LoopObservation, OtherLoop, PeriodicSeen
from feedbackloop.domain.lifecycle.loop_periodic import due
from feedbackloop.domain.rfc3339 import instant, stamp
from tests.support.restricted import violations
from tests.unit.domain.lifecycle.loop_world import (
    ADMIN,
    BASE,
    CANDIDATE,
    NOW,
    OTHER,
    during,
    role,
    rollout,
    run,
    settled,
    with_status,
)

DAY = timedelta(days=1)
REGISTRY = {"endpointName": "mlflow", "registeredModel": "support-bot", "assessmentsPeriodSeconds": 600}


def loop(**changes: Any) -> LoopObservation:
    """A loop at rest whose first sweep is due at CREATED + DAY."""
    return settled() if not changes else changed(settled(), **changes)


def changed(seen: LoopObservation, **spec: Any) -> LoopObservation:
    assert seen.loop.spec is not None
    new = type(seen.loop.spec).model_validate(seen.loop.spec.model_dump(by_alias=True, exclude_none=True) | spec)
    return replace(seen, loop=replace(seen.loop, spec=new))


def created() -> datetime:
    return instant(settled().loop.created)


def at(seen: LoopObservation, now: datetime, **state: Any) -> tuple[LoopObservation, Decision]:
    """The loop as it is found then, with the state of the first due job."""
    found = due(seen.loop, now)
    periodic = tuple(PeriodicSeen(each, **(state if i == 0 else {})) for i, each in enumerate(found))
    seen = replace(seen, periodic=periodic)
    return seen, decide(seen, ADMIN, now)


def jobs(decision: Decision) -> list[dict[str, Any]]:
    return [e.body for e in decision.effects if isinstance(e, Create) and e.body["kind"] == "Job"]


def spec_of(job: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(job["spec"]["template"]["metadata"]["annotations"][ANNOTATION_SPEC])
    return told


def live(job: dict[str, Any]) -> dict[str, Any]:
    return {**job, "metadata": {**job["metadata"], "uid": "job-uid"}}


def result(job: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"runId": spec_of(job)["runId"], "attempt": 1, "specDigest": "sha256:x", "verified": True} | fields


def reason(status: FeedbackLoopStatus) -> tuple[str, str] | None:
    found = find_condition(status.conditions, "RetentionVerified")
    return None if found is None else (found.status.value, found.reason)


def test_nothing_is_due_before_a_period_has_passed_and_nothing_is_said() -> None:
    seen, decision = at(loop(), created() + DAY - timedelta(seconds=1))
    assert seen.periodic == ()
    assert (jobs(decision), decision.status) == ([], seen.loop.status)


def test_a_sweep_is_one_job_however_often_it_is_looked_at() -> None:
    names = set()
    for later in (timedelta(), timedelta(seconds=5), 3 * DAY):
        _, decision = at(loop(), created() + DAY + later)
        (job,) = jobs(decision)
        names.add(job["metadata"]["name"])
        assert (job["spec"]["backoffLimit"], job["spec"]["ttlSecondsAfterFinished"]) == (0, 3600)
    assert len(names) == 1


def test_the_job_is_restricted_and_gets_its_spec_and_what_it_needs_of_secrets() -> None:
    _, decision = at(loop(), created() + DAY)
    (job,) = jobs(decision)
    pod = job["spec"]["template"]["spec"]
    assert violations(pod) == []
    assert pod["containers"][0]["command"][-1] == "feedbackloop.jobs.sweep"
    paths = {m["mountPath"].rpartition("/")[2] for m in pod["containers"][0]["volumeMounts"]}
    assert paths == {"spec", "storage", "kek", "models-write", "scratch"}
    spec = SweepSpec.model_validate(spec_of(job))
    assert spec.storage.prefix.endswith(f"{spec.loop.uid}/")
    assert (spec.force, spec.last_sweep, spec.keep_models) == (False, "", (BASE.digest,))
    assert job["metadata"]["ownerReferences"][0]["uid"] == spec.loop.uid


def test_only_candidates_that_never_served_are_named_for_deletion() -> None:
    gated = run("r1", outcome=RunOutcome.GATED)
    served = run(
        "r2", outcome=RunOutcome.ROLLED_BACK, candidate=role(OTHER), rollout=rollout(promoting_since=stamp(NOW))
    )
    promoted = run("r3", outcome=RunOutcome.PROMOTED, candidate=role(OTHER))
    seen = replace(
        loop(), runs=(gated, served, promoted), others=(OtherLoop("o", "u", "", "x", frozenset({"sha256:1"})),)
    )
    _, decision = at(seen, created() + DAY)
    spec = SweepSpec.model_validate(spec_of(jobs(decision)[0]))
    assert spec.rejected_models == (CANDIDATE.digest,)
    assert set(spec.keep_models) == {BASE.digest, "sha256:1"}


def test_a_sweep_waits_while_a_run_reads_events_and_a_running_one_is_left_alone() -> None:
    _, decision = at(during(loop(), run()), created() + DAY)
    assert jobs(decision) == []
    (job,) = jobs(at(loop(), created() + DAY)[1])
    seen, decision = at(loop(), created() + DAY, job=live(job))
    assert (jobs(decision), decision.status) == ([], seen.loop.status)


def test_its_result_becomes_status_once_and_the_job_goes() -> None:
    now = created() + DAY
    (job,) = jobs(at(loop(), now)[1])
    told = result(job, deleted={"events": 3, "runs": 2}, kept={"in-use": 1}, sweptAt=stamp(now))
    seen, decision = at(loop(), now, job=live(job), complete=True, result=told)
    retention = decision.status.retention
    assert retention is not None
    assert (retention.deleted, retention.kept, retention.verified) == (5, 1, True)
    assert retention.last_sweep_at == stamp(now)
    assert "3 events" in retention.message
    assert reason(decision.status) == ("True", "Swept")
    assert [e.body["metadata"]["uid"] for e in decision.effects if isinstance(e, Delete)] == ["job-uid"]
    after = with_status(seen, decision.status)
    rest, quiet = at(after, now + timedelta(minutes=5))
    assert (rest.periodic, quiet.status) == ((), decision.status)
    (following,) = jobs(at(after, now + DAY)[1])
    assert following["metadata"]["name"] != job["metadata"]["name"]
    assert spec_of(following)["lastSweep"] == stamp(now)


ENDS: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({}, ("True", "Swept")),
    ({"kept": {"too-many": 40}}, ("False", "SweepHeld")),
    ({"verified": False, "kept": {"clock": 4}, "message": "the clock"}, ("False", "SweepHeld")),
    ({"verified": False, "deleted": {"events": 1}}, ("False", "SweepFailed")),
]


@pytest.mark.parametrize(("fields", "said"), ENDS)
def test_the_condition_says_how_it_ended(fields: dict[str, Any], said: tuple[str, str]) -> None:
    now = created() + DAY
    (job,) = jobs(at(loop(), now)[1])
    _, decision = at(loop(), now, job=live(job), complete=True, result=result(job, **fields))
    assert reason(decision.status) == said
    if "too-many" in fields.get("kept", {}):
        assert "confirm-sweep" in find_condition(decision.status.conditions, "RetentionVerified").message  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "ended", [{"failed": True}, {"complete": True}, {"complete": True, "result": {"runId": "other"}}]
)
def test_a_job_without_a_result_of_its_own_is_a_failure_and_the_next_period_tries_again(ended: dict[str, Any]) -> None:
    now = created() + DAY
    (job,) = jobs(at(loop(), now)[1])
    seen, decision = at(loop(), now, job=live(job), **ended)
    assert reason(decision.status) == ("False", "SweepFailed")
    assert due(with_status(seen, decision.status).loop, now + DAY) != ()


def test_while_storage_does_not_say_nothing_is_decided() -> None:
    now = created() + DAY
    (job,) = jobs(at(loop(), now)[1])
    seen, decision = at(loop(), now, job=live(job), complete=True, away=True)
    assert (jobs(decision), decision.status.retention) == ([], seen.loop.status.retention)


def test_a_confirmation_sweeps_at_once_with_force_and_only_once() -> None:
    seen = loop()
    confirmed = replace(seen, loop=replace(seen.loop, confirmed_sweep="yes, 2026"))
    (job,) = jobs(at(confirmed, created())[1])
    assert spec_of(job)["force"] is True
    _, decision = at(confirmed, created(), job=live(job), complete=True, result=result(job))
    assert due(with_status(confirmed, decision.status).loop, created() + timedelta(hours=1)) == ()


def test_a_legal_hold_is_said_at_once() -> None:
    _, decision = at(loop(retention={"legalHold": True}), NOW)
    assert reason(decision.status) == ("False", "LegalHold")


def test_feedback_is_projected_every_now_and_then_and_goes_on_where_it_ended() -> None:
    seen, now = loop(registry=REGISTRY), created() + timedelta(seconds=600)
    (job,) = jobs(at(seen, now)[1])
    assert job["spec"]["template"]["spec"]["containers"][0]["command"][-1] == "feedbackloop.jobs.assess"
    spec = AssessSpec.model_validate(spec_of(job))
    assert (spec.since, [offset.pod for offset in spec.cut]) == ((), ["support-bot-gateway-0"])
    until = {"pod": "support-bot-gateway-0", "offset": 7, "trainable": 0}
    told = result(job, assessments=4, traces=2, until=[until])
    _, decision = at(seen, now, job=live(job), complete=True, result=told)
    assert decision.status.assessments is not None
    assert decision.status.assessments.until == (PodOffset(**until),)
    (following,) = jobs(at(with_status(seen, decision.status), now + timedelta(seconds=600))[1])
    assert spec_of(following)["since"] == [until]


def test_without_all_gateways_nothing_is_projected() -> None:
    seen = replace(loop(registry=REGISTRY), gateways=None)
    assert jobs(at(seen, created() + timedelta(seconds=600))[1]) == []

"""One stage as Jobs: attempts, what their ends mean, and what counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from feedbackloop.api.conditions import ConditionType, Reason
from feedbackloop.api.improvementrun import RunOutcome, StageName, StageState
from feedbackloop.api.jobs import ProgressFile
from feedbackloop.domain.backoff import delay
from feedbackloop.domain.jobs.seen import ChildSeen, PodSeen
from feedbackloop.domain.lifecycle.run_decide import decide
from feedbackloop.domain.lifecycle.run_effects import Create, DeleteJob
from feedbackloop.domain.lifecycle.run_seen import Outage, StageSeen
from feedbackloop.domain.rfc3339 import instant
from tests.support.fakeworld import declared
from tests.unit.domain.run import given

OOM = PodSeen(exit_code=137, reason="OOMKilled")


def exited(code: int) -> PodSeen:
    return PodSeen(exit_code=code, reason="Error")


def test_the_attempt_is_in_status_before_its_job_is_made() -> None:
    seen = given.tracked()
    assert given.current(seen).attempt == 1
    made = [e.body for e in given.decided(seen).effects if isinstance(e, Create)]
    assert [b["kind"] for b in made] == ["ConfigMap", "Job"]
    assert made[1]["metadata"]["name"] == f"bot-{given.current(seen).run_id}-a1"


def test_a_job_that_was_never_made_or_was_deleted_is_made_again_under_its_name() -> None:
    seen = given.tracked()
    again = given.decided(seen, after=30)
    assert again.status == seen.status
    assert [e.body["kind"] for e in again.effects if isinstance(e, Create)] == ["ConfigMap", "Job"]


def test_a_running_job_is_left_alone() -> None:
    seen = given.tracked()
    decision = given.decided(replace(seen, stage=StageSeen(job=given.running(seen))))
    assert decision.effects == ()
    assert decision.requeue == declared.POLL_SECONDS


def test_the_result_is_success_whatever_became_of_the_job() -> None:
    seen = given.tracked()
    lost = given.ended(seen, exited(1))
    decision = given.decided(replace(lost, stage=replace(lost.stage, result=given.result_file(seen))))
    curate = given.stage(decision, StageName.CURATE)
    assert (curate.state, curate.failures) == (StageState.SUCCEEDED, 0)
    assert curate.result_digest == "sha256:" + "f" * 64


@pytest.mark.parametrize("change", [{"specDigest": "sha256:" + "0" * 64}, {"runId": "curate-0"}, {"events": "many"}])
def test_a_result_of_another_spec_or_shape_is_no_result(change: dict[str, str]) -> None:
    seen = given.tracked()
    file = given.result_file(seen)
    job = replace(given.running(seen), complete=True)
    foreign = replace(file, body={**file.body, **change})
    decision = given.decided(replace(seen, stage=StageSeen(job=job, result=foreign)))
    assert given.stage(decision, StageName.CURATE).failures == 1


@pytest.mark.parametrize("pod", [exited(137), exited(143), exited(20), None, PodSeen(reason="NodeLost")])
def test_a_preemption_does_not_count(pod: PodSeen | None) -> None:
    decision = given.decided(given.ended(given.tracked(), pod))
    curate = given.stage(decision, StageName.CURATE)
    assert (curate.state, curate.failures) == (StageState.WAITING, 0)
    assert given.condition(decision, "DatasetReady") == ("False", "Retrying")


@pytest.mark.parametrize("code", [10, 11, 12])
def test_a_class_that_would_repeat_itself_fails_the_run_at_once(code: int) -> None:
    decision = given.decided(given.ended(given.tracked(), exited(code)))
    assert decision.status.outcome is RunOutcome.FAILED
    assert given.condition(decision, "Ready") == ("False", "Failed")
    assert f"exit {code}" in decision.status.message


def test_other_failures_are_retried_with_a_growing_persisted_delay_until_too_many() -> None:
    seen, delays = given.tracked(), []
    for attempt in (1, 2):
        decision = given.decided(given.ended(seen, exited(1)))
        curate = given.stage(decision, StageName.CURATE)
        assert (curate.attempt, curate.failures, curate.state) == (attempt, attempt, StageState.WAITING)
        assert curate.retry_at is not None
        delays.append(instant(curate.retry_at) - given.NOW)
        later = decide(replace(seen, status=decision.status), declared.ADMIN, instant(curate.retry_at))
        seen = replace(seen, status=later.status)
    assert delays == [timedelta(seconds=10), timedelta(seconds=20)]
    assert given.decided(given.ended(seen, exited(1))).status.outcome is RunOutcome.FAILED


def test_nothing_happens_before_the_retry_is_due() -> None:
    seen = given.tracked()
    waiting = replace(seen, status=given.decided(given.ended(seen, exited(1))).status)
    decision = given.decided(waiting, after=4)
    assert decision.status == waiting.status
    assert (decision.effects, decision.requeue) == ((), 6.0)


def test_the_next_attempt_deletes_the_job_before_it_first() -> None:
    seen = given.tracked()
    waiting = replace(seen, status=given.decided(given.ended(seen, exited(1))).status)
    decision = given.decided(waiting, after=10)
    run_id = given.current(seen).run_id
    assert decision.effects[0] == DeleteJob(f"bot-{run_id}-a1")
    bodies = [e.body for e in decision.effects if isinstance(e, Create)]
    assert bodies[-1]["metadata"]["name"] == f"bot-{run_id}-a2"


def test_storage_that_is_away_in_the_job_is_waited_for_without_limit() -> None:
    seen = given.tracked()
    for _ in range(8):
        status = given.decided(given.ended(seen, exited(14))).status
        due = given.stage(given.decided(given.ended(seen, exited(14))), StageName.CURATE).retry_at
        assert due is not None
        seen = replace(seen, status=decide(replace(seen, status=status), declared.ADMIN, instant(due)).status)
    assert given.current(seen).failures == 0
    assert given.condition(given.decided(given.ended(seen, exited(14))), "StorageReachable") == (
        "False",
        "StorageUnavailable",
    )


@pytest.mark.parametrize("pod", [OOM, exited(13)])
def test_a_trainer_out_of_memory_is_started_again_at_once_with_half_the_batch(pod: PodSeen) -> None:
    decision = given.decided(given.ended(given.curated(), pod))
    train = given.stage(decision, StageName.TRAIN)
    assert (train.attempt, train.halvings, train.failures, train.state) == (2, 1, 0, StageState.RUNNING)
    env = [e.body for e in decision.effects if isinstance(e, Create)][-1]["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "FL_HALVINGS", "value": "1"} in env["env"]


def test_out_of_memory_counts_once_there_is_nothing_left_to_halve() -> None:
    seen = given.curated()
    for _ in range(4):
        seen = replace(seen, status=given.decided(given.ended(seen, OOM)).status)
    assert given.current(seen).halvings == 4  # a batch of 16
    assert given.stage(given.decided(given.ended(seen, OOM)), StageName.TRAIN).failures == 1


def test_a_job_that_ends_well_without_a_result_has_failed() -> None:
    seen = given.tracked()
    for attempt in (1, 2, 3):
        job = replace(given.running(seen), complete=True)
        decision = given.decided(replace(seen, stage=StageSeen(job=job)))
        if attempt < 3:
            seen = replace(seen, status=decide(replace(seen, status=decision.status), declared.ADMIN, later()).status)
    assert decision.status.outcome is RunOutcome.FAILED
    assert given.condition(decision, "DatasetReady") == ("False", "ResultMissing")


def later() -> object:
    return given.NOW + timedelta(minutes=10)


def test_the_deadline_is_over_all_attempts() -> None:
    seen = given.tracked(improvements=[declared.improvement(activeDeadlineSeconds=100)])
    waiting = replace(seen, status=given.decided(given.ended(seen, exited(20)), after=40).status)
    second = given.decided(waiting, after=60)
    job = [e.body for e in second.effects if isinstance(e, Create)][-1]
    assert job["spec"]["activeDeadlineSeconds"] == 40
    late = given.decided(waiting, after=101)
    assert late.status.outcome is RunOutcome.FAILED
    assert given.condition(late, "DatasetReady") == ("False", "DeadlineExceeded")
    assert late.effects == ()


def test_a_job_that_kubernetes_stopped_at_its_deadline_fails_the_run() -> None:
    decision = given.decided(given.ended(given.tracked(), exited(143), failed_reason="DeadlineExceeded"))
    assert given.condition(decision, "DatasetReady") == ("False", "DeadlineExceeded")


def test_nothing_is_decided_while_storage_cannot_be_read() -> None:
    seen = given.ended(given.tracked(), exited(1))
    outage = Outage(ConditionType.STORAGE_REACHABLE, Reason.STORAGE_UNAVAILABLE, "S3 is away")
    decision = given.decided(replace(seen, storage_outage=outage))
    assert decision.status.stages == seen.status.stages
    assert given.condition(decision, "StorageReachable") == ("False", "StorageUnavailable")
    assert given.condition(decision, "Reconciling") == ("True", "Waiting")
    assert decision.effects == ()


@pytest.mark.parametrize("child", [ChildSeen("somebody", "x"), ChildSeen("run-uid", "sha256:other")])
def test_an_object_of_our_name_that_is_not_ours_stalls_the_run(child: ChildSeen) -> None:
    decision = given.decided(replace(given.tracked(), stage=StageSeen(config_map=child)))
    assert given.condition(decision, "Stalled") == ("True", "NameConflict")
    assert decision.effects == ()


def test_progress_enters_status_at_most_every_ten_seconds() -> None:
    seen = given.curated()

    def at(after: float, step: int) -> int | None:
        nonlocal seen
        file = ProgressFile(run_id="x", attempt=1, step=step, total=100, loss=0.5)
        stage = StageSeen(job=given.running(seen), progress=file)
        seen = replace(seen, status=given.decided(replace(seen, stage=stage), after=after).status)
        progress = given.current(seen).progress
        return progress.step if progress else None

    assert [at(0, 1), at(2, 2), at(9, 3), at(10, 4), at(25, 5)] == [1, 1, 1, 4, 5]


def test_progress_of_an_earlier_attempt_is_not_shown() -> None:
    seen = given.curated()
    file = ProgressFile(run_id="x", attempt=0, step=9, total=100)
    decision = given.decided(replace(seen, stage=StageSeen(job=given.running(seen), progress=file)))
    assert given.stage(decision, StageName.TRAIN).progress is None


def test_a_pod_that_cannot_start_says_why() -> None:
    seen = given.tracked()
    job = replace(given.running(seen), pods=(PodSeen(waiting="ImagePullBackOff"),))
    decision = given.decided(replace(seen, stage=StageSeen(job=job)))
    assert given.stage(decision, StageName.CURATE).message == "the pod waits: ImagePullBackOff"


def test_a_job_that_gets_no_pod_says_so_after_a_while() -> None:
    seen = given.tracked()
    job = replace(given.running(seen), pods=(), started_at="2026-11-24T12:00:00Z")
    waiting = replace(seen, stage=StageSeen(job=job))
    assert given.stage(given.decided(waiting, after=10), StageName.CURATE).message == ""
    assert "gets no pod" in given.stage(given.decided(waiting, after=31), StageName.CURATE).message


def test_an_endpoint_that_moved_between_two_attempts_makes_another_run_id() -> None:
    seen = given.tracked()
    waiting = replace(seen, status=given.decided(given.ended(seen, exited(20))).status)
    moved = declared.ADMIN.model_copy(
        update={"endpoints": tuple(e.model_copy(update={"url": "http://new:1"}) for e in declared.ADMIN.endpoints)}
    )
    stage = decide(waiting, moved, given.NOW + timedelta(seconds=30)).status.stages[0]
    assert stage.run_id != given.current(seen).run_id
    assert stage.attempt == 1


@for_all(st.integers(min_value=1, max_value=100_000))
def test_delays_never_shrink_and_stay_bounded(tries: int) -> None:
    assert delay(tries) <= delay(tries + 1) <= timedelta(seconds=300)

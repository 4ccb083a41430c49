"""One stage as Jobs: begin, look, retry, succeed or fail. The attempt is in status before its Job exists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from feedbackloop.api.adminconfig import PodProfile
from feedbackloop.api.conditions import ConditionType, Reason, find_condition
from feedbackloop.api.feedbackloop import FeedbackLoopSpec
from feedbackloop.api.improvementrun import Progress, RunOutcome, StageName, StageState, StageStatus
from feedbackloop.api.jobs import Result
from feedbackloop.domain import naming
from feedbackloop.domain.children import jobs
from feedbackloop.domain.jobs.identity import Rendered
from feedbackloop.domain.jobs.outcome import Ended, ended
from feedbackloop.domain.jobs.results import Found, accept
from feedbackloop.domain.jobs.seen import JobSeen
from feedbackloop.domain.lifecycle.run_effects import Create, DeleteJob
from feedbackloop.domain.lifecycle.run_retry import Again, next_step
from feedbackloop.domain.lifecycle.run_seen import StageSeen
from feedbackloop.domain.lifecycle.run_turn import TEXT, Turn
from feedbackloop.domain.rfc3339 import instant, seconds_since, stamp

PROGRESS_SECONDS = 10.0
POD_SECONDS = 30.0
"""A Job that still has no pod after this long is not just being started."""


@dataclass(frozen=True)
class Plan:
    """What is particular to one stage."""

    name: StageName
    title: str
    doing: Reason
    concern: ConditionType
    spec: Rendered
    loop: FeedbackLoopSpec
    profile: PodProfile
    deadline_seconds: int
    halvings: int
    """How often memory may be halved before running out of it counts as a failure."""
    accept: Callable[[Turn, Result], Turn]
    """What the result means for the run."""
    failed: Callable[[Turn, str], Turn] | None = None
    """What follows when there will be no result; None: the run fails."""


def stage_of(turn: Turn, name: StageName) -> StageStatus | None:
    return next((s for s in turn.status.stages if s.name is name), None)


def progress_due(stage: StageStatus, now_text: str) -> bool:
    """Whether the progress file may be read again."""
    last = stage.progress.observed_at if stage.progress else None
    return last is None or seconds_since(last, instant(now_text)) >= PROGRESS_SECONDS


def run_stage(turn: Turn, plan: Plan) -> Turn:
    """Move the stage on as far as what was seen allows."""
    stage = stage_of(turn, plan.name)
    if stage is not None and stage.state is StageState.SUCCEEDED:
        return turn
    turn = turn.at_stage(plan.title, plan.doing, plan.title)
    if stage is None:
        return _begin(turn, plan)
    if stage.state is StageState.WAITING:
        return _wait(turn, plan, stage)
    return _look(turn, plan, stage)


def _put(turn: Turn, stage: StageStatus, **changes: Any) -> Turn:
    new = stage.model_copy(update=changes)
    stages = {**{s.name: s for s in turn.status.stages}, stage.name: new}
    return turn.update(stages=tuple(stages[name] for name in StageName if name in stages))


def _begin(turn: Turn, plan: Plan) -> Turn:
    stage = StageStatus(
        name=plan.name, run_id=plan.spec.run_id, state=StageState.RUNNING, started_at=turn.at, progress=None
    )
    return _attempt(turn, plan, stage, halvings=0)


def _attempt(turn: Turn, plan: Plan, stage: StageStatus, *, halvings: int) -> Turn:
    """The next attempt: first in status, then as a Job."""
    # The admin's file may have changed between attempts (an endpoint's URL): another spec is another run id.
    same = stage.run_id == plan.spec.run_id
    number = stage.attempt + 1 if same else 1
    turn = _put(
        turn,
        stage,
        run_id=plan.spec.run_id,
        spec_digest=plan.spec.digest,
        attempt=number,
        halvings=halvings,
        state=StageState.RUNNING,
        retry_at=None,
        message="",
        progress=None,
    )
    turn = turn.found(plan.concern, False, plan.doing, f"attempt {number} of {plan.spec.run_id}")
    return _make(turn.record(plan.doing, f"attempt {number} of {plan.spec.run_id}"), plan)


def _make(turn: Turn, plan: Plan) -> Turn:
    """The Job of the attempt that is in status; the attempt before it goes first, lest two are alive."""
    stage = stage_of(turn, plan.name)
    assert stage is not None
    left = int(plan.deadline_seconds - seconds_since(stage.started_at, turn.now))
    if left < 1:
        return _fail(turn, plan, stage, Reason.DEADLINE_EXCEEDED, "no time was left for another attempt")
    run = jobs.RunRef(turn.seen.namespace, turn.seen.spec.loop_name, turn.seen.name, turn.seen.uid)
    attempt = jobs.Attempt(plan.name, plan.spec, stage.attempt, stage.halvings, left)
    if stage.attempt > 1:
        turn = turn.act(DeleteJob(naming.job(run.loop, stage.run_id, stage.attempt - 1)))
    made = turn.act(
        Create(jobs.config_map(run, plan.name, plan.spec)),
        Create(jobs.job(run, attempt, plan.profile, plan.loop)),
    )
    return made.hold(turn.poll)


def _wait(turn: Turn, plan: Plan, stage: StageStatus) -> Turn:
    left = -seconds_since(stage.retry_at or turn.at, turn.now)
    if left <= 0:
        return _attempt(turn, plan, stage, halvings=stage.halvings)
    return turn.wait(Reason.RETRYING, stage.message, left)


def _look(turn: Turn, plan: Plan, stage: StageStatus) -> Turn:
    seen = turn.seen.stage
    if turn.seen.storage_outage is not None:
        return turn.outage(turn.seen.storage_outage)
    if _foreign(turn, stage, seen):
        name = naming.job(turn.seen.spec.loop_name, stage.run_id, stage.attempt)
        return turn.stall(Reason.NAME_CONFLICT, f"{name} (or its spec) exists and is not ours; delete or rename it")
    turn = _reached(turn)
    found = accept(plan.name, seen.result, stage.run_id, stage.spec_digest)
    if found is not None:
        return _succeed(turn, plan, stage, found)
    end = ended(seen.job)
    return _run(turn, plan, stage) if end is None else _after(turn, plan, stage, end)


def _reached(turn: Turn) -> Turn:
    """Told once it had been away: otherwise nothing is written for it."""
    if find_condition(turn.status.conditions, ConditionType.STORAGE_REACHABLE) is None:
        return turn
    return turn.found(ConditionType.STORAGE_REACHABLE, True, Reason.REACHABLE)


def _foreign(turn: Turn, stage: StageStatus, seen: StageSeen) -> bool:
    children = [child for child in (seen.job, seen.config_map) if child is not None]
    return any((c.owner_uid, c.spec_digest) != (turn.seen.uid, stage.spec_digest) for c in children)


def _succeed(turn: Turn, plan: Plan, stage: StageStatus, found: Found[Result]) -> Turn:
    done = _put(
        turn,
        stage,
        state=StageState.SUCCEEDED,
        message="",
        finished_at=turn.at,
        result_digest=f"sha256:{found.digest}",
        progress=stage.progress,
    )
    return plan.accept(done, found.result)


def _run(turn: Turn, plan: Plan, stage: StageStatus) -> Turn:
    """It is under way, or its Job has yet to be made (again)."""
    job = turn.seen.stage.job
    if job is None:
        if stage.run_id != plan.spec.run_id:
            return _attempt(turn, plan, stage, halvings=stage.halvings)
        return _make(turn, plan)
    return _put(turn, stage, message=_waiting(turn, job), progress=_progress(turn, stage)).hold(turn.poll)


def _waiting(turn: Turn, job: JobSeen) -> str:
    """Why nothing happens, if nothing does: a person may have to mend it."""
    if job.pods:
        return f"the pod waits: {job.pods[0].waiting}" if job.pods[0].waiting else ""
    late = job.started_at and seconds_since(job.started_at, turn.now) > POD_SECONDS
    return "the Job gets no pod; its events say why (a quota, or an admission policy)" if late else ""


def _progress(turn: Turn, stage: StageStatus) -> Progress | None:
    file, old = turn.seen.stage.progress, stage.progress
    if file is None or file.attempt != stage.attempt or not progress_due(stage, turn.at):
        return old
    loss = None if file.loss is None else f"{file.loss:.4f}"
    new = Progress(step=file.step, total=file.total, loss=loss, remaining_seconds=file.remaining_seconds)
    same = old is not None and new == old.model_copy(update={"observed_at": None})
    return old if same else new.model_copy(update={"observed_at": turn.at})


def _after(turn: Turn, plan: Plan, stage: StageStatus, end: Ended) -> Turn:
    """It ended without a result: again, or not."""
    step = next_step(stage, end, turn.admin.limits.max_stage_failures, plan.halvings)
    if not isinstance(step, Again):
        return _fail(turn, plan, stage.model_copy(update={"failures": step.failures}), step.reason, step.message)
    if step.storage_away:
        turn = turn.found(ConditionType.STORAGE_REACHABLE, False, Reason.STORAGE_UNAVAILABLE, end.message)
    message = f"attempt {stage.attempt}: {end.message}"[:TEXT]
    turn = turn.record(Reason.RETRYING, message, warning=True)
    if step.delay.total_seconds() == 0:
        return _attempt(turn, plan, stage, halvings=step.halvings)
    turn = turn.found(plan.concern, False, Reason.RETRYING, message)
    return _put(
        turn,
        stage,
        state=StageState.WAITING,
        failures=step.failures,
        message=message,
        retry_at=stamp(turn.now + step.delay),
    ).wait(Reason.RETRYING, message, step.delay.total_seconds())


def _fail(turn: Turn, plan: Plan, stage: StageStatus, reason: Reason, why: str) -> Turn:
    message = f"{plan.name.value}: {why}"
    turn = _put(turn, stage, state=StageState.FAILED, message=why, finished_at=turn.at, retry_at=None)
    turn = turn.found(plan.concern, False, reason, message)
    return turn.end(RunOutcome.FAILED, reason, message) if plan.failed is None else plan.failed(turn, message)

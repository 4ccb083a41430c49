"""Facts about a run, for tests of its decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from feedbackloop.api.conditions import find_condition
from feedbackloop.api.feedbackloop import FeedbackLoopSpec, FeedbackLoopStatus, ModelStatus
from feedbackloop.api.gateway import GatewayStatus, LogPosition
from feedbackloop.api.improvementrun import ImprovementRunSpec, ImprovementRunStatus, StageName, StageStatus
from feedbackloop.domain.jobs.results import ResultFile
from feedbackloop.domain.jobs.seen import JobSeen, PodSeen
from feedbackloop.domain.lifecycle.run_decide import Decision, decide
from feedbackloop.domain.lifecycle.run_effects import Create
from feedbackloop.domain.lifecycle.run_seen import Answers, LoopSeen, RunSeen, StageSeen
from tests.support.fakeworld import declared
from tests.support.fakeworld.jobs import Outcome, result_of

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
WELL = Outcome()
BASE = ModelStatus(**declared.BASE, short="b" * 12)
GATEWAYS = (GatewayStatus(pod="bot-gateway-0", uploaded=LogPosition(offset=400, trainable=120)),)


def loop(**spec: Any) -> LoopSeen:
    """The loop of the fake world, adopted; `spec` replaces fields of its spec."""
    return LoopSeen(
        uid="loop-uid",
        spec=FeedbackLoopSpec.model_validate(declared.loop(**spec)["spec"]),
        status=FeedbackLoopStatus(champion=BASE, declared_model=BASE),
    )


def new(**changes: Any) -> RunSeen:
    """A run that has just been created."""
    seen = RunSeen(
        namespace="ml",
        name="bot-finetune-0123456789ab",
        uid="run-uid",
        generation=1,
        spec=ImprovementRunSpec(loop_name="bot", improvement_name="finetune"),
        status=ImprovementRunStatus(),
        loop=loop(),
        gateways=GATEWAYS,
    )
    return replace(seen, **changes)


def tracked(**spec: Any) -> RunSeen:
    """A run with pinned inputs, known to MLflow, whose first stage has begun."""
    pinned = new(loop=loop(**spec))
    pinned = replace(pinned, status=decided(pinned).status, answers=Answers(run_id="mlflow-1"))
    return replace(pinned, status=decided(pinned).status, answers=Answers())


def curated(outcome: Outcome = WELL, **spec: Any) -> RunSeen:
    """A run whose curation has ended."""
    return succeed(tracked(**spec), outcome)


def trained(outcome: Outcome = WELL, **spec: Any) -> RunSeen:
    """A run whose training has ended."""
    return succeed(curated(outcome, **spec), outcome)


def evaluated(outcome: Outcome = WELL, **spec: Any) -> RunSeen:
    """A run whose evaluation has ended."""
    return succeed(trained(outcome, **spec), outcome)


def rolling_out(**spec: Any) -> RunSeen:
    """A run whose rollout has begun."""
    seen = replace(evaluated(**spec), answers=Answers(version="2"))
    return replace(seen, status=decided(seen).status, answers=Answers())


def decided(seen: RunSeen, after: float = 0.0) -> Decision:
    """The decision, some seconds after the beginning."""
    return decide(seen, declared.ADMIN, NOW + timedelta(seconds=after))


def succeed(seen: RunSeen, outcome: Outcome) -> RunSeen:
    """The running stage's job leaves its result, and that is decided upon."""
    with_file = replace(seen, stage=StageSeen(job=running(seen), result=result_file(seen, outcome)))
    return replace(seen, status=decided(with_file).status, stage=StageSeen())


def result_file(seen: RunSeen, outcome: Outcome = WELL) -> ResultFile:
    """What the running stage's job would leave."""
    stage = current(seen)
    result = result_of(spec_text(seen), stage.attempt, outcome)
    assert result.spec_digest == stage.spec_digest
    return ResultFile(result.model_dump(by_alias=True, mode="json"), "f" * 64)


def spec_text(seen: RunSeen) -> str:
    """The spec file of the running stage, as it is made when its Job is missing."""
    bodies = [e.body for e in decided(replace(seen, stage=StageSeen())).effects if isinstance(e, Create)]
    return str(next(b["data"]["spec.json"] for b in bodies if b["kind"] == "ConfigMap"))


def current(seen: RunSeen) -> StageStatus:
    return seen.status.stages[-1]


def stage(decision: Decision, name: StageName) -> StageStatus:
    return next(s for s in decision.status.stages if s.name is name)


def running(seen: RunSeen) -> JobSeen:
    """The Job of the running stage."""
    return JobSeen(owner_uid=seen.uid, spec_digest=current(seen).spec_digest, pods=(PodSeen(),))


def ended(seen: RunSeen, pod: PodSeen | None, **job: Any) -> RunSeen:
    """The running stage's Job has failed with this pod."""
    pods = (pod,) if pod else ()
    return replace(seen, stage=StageSeen(job=replace(running(seen), failed=True, pods=pods, **job)))


def condition(decision: Decision, type_: str) -> tuple[str, str] | None:
    """Status and reason."""
    found = find_condition(decision.status.conditions, type_)
    return None if found is None else (found.status.value, found.reason)

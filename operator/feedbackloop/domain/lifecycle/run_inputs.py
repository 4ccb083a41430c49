"""The beginning of a run: its loop, its turn, and the inputs that are pinned before anything happens."""

from __future__ import annotations

from feedbackloop.api.adminconfig import AdminConfig, EndpointType
from feedbackloop.api.conditions import Reason
from feedbackloop.api.feedbackloop import FeedbackLoopSpec, PodOffset
from feedbackloop.api.gateway import LoopRef
from feedbackloop.api.improvement import Improvement
from feedbackloop.api.improvementrun import RunInputs, RunOutcome
from feedbackloop.api.rollout import NewRevisionPolicy
from feedbackloop.domain import naming
from feedbackloop.domain.errors import UserError
from feedbackloop.domain.jobs.specs import Brief, endpoint, pinned
from feedbackloop.domain.lifecycle import retried
from feedbackloop.domain.lifecycle.run_plan import units_seen
from feedbackloop.domain.lifecycle.run_seen import LoopSeen, RunSeen
from feedbackloop.domain.lifecycle.run_stop import stop
from feedbackloop.domain.lifecycle.run_turn import Turn


def brief(turn: Turn) -> Brief:
    """The pinned inputs, opened."""
    seen, inputs = turn.seen, turn.status.inputs
    assert inputs is not None
    spec = pinned(inputs.pinned_spec)
    return Brief(
        loop=LoopRef(namespace=seen.namespace, name=seen.spec.loop_name, uid=inputs.loop_uid),
        run_name=seen.name,
        inputs=inputs,
        spec=spec,
        improvement=_improvement(spec, seen.spec.improvement_name),
        mlflow_run_id=turn.status.mlflow.run_id or "",
        admin=turn.admin,
    )


def superseded(seen: RunSeen) -> str | None:
    """Why the run must make room: its inputs no longer hold, or a newer run goes first."""
    return _outdated(seen) or (f"the newer run {seen.superseded_by} goes first" if _makes_room(seen) else None)


def _makes_room(seen: RunSeen) -> bool:
    """Not once the target is being updated: that promotion is decided, and ends soon."""
    rollout = seen.status.rollout
    return seen.superseded_by is not None and (rollout is None or rollout.promoting_since is None)


def _outdated(seen: RunSeen) -> str | None:
    """The loop's champion was changed by a person, or the loop is another one."""
    inputs, loop = seen.status.inputs, seen.loop
    if inputs is None:
        return None
    if loop is None or loop.uid != inputs.loop_uid:
        return f"the loop {seen.spec.loop_name} that this run belongs to is gone"
    declared = pinned(inputs.pinned_spec).target.model
    if loop.status.declared_model is not None and loop.status.declared_model.digest != declared.digest:
        return "spec.target.model was changed: that model is champion now"
    ours = {inputs.champion.digest, *_candidate(seen)}
    if loop.status.champion is not None and loop.status.champion.digest not in ours:
        return f"the champion is {loop.status.champion.short} now, which this run does not know"
    return None


def check_loop(turn: Turn) -> Turn:
    """The loop exists and its champion is the pinned one; a rollout takes its candidate back by itself."""
    loop = turn.seen.loop
    if turn.status.inputs is None:
        return turn
    why = superseded(turn.seen)
    if why and (turn.status.rollout is None or loop is None or loop.uid != turn.status.inputs.loop_uid):
        return stop(turn).end(RunOutcome.SUPERSEDED, Reason.SUPERSEDED, why)
    if loop is not None and loop.deleting:
        return turn.wait(Reason.DELETING, "the loop is being deleted", turn.admin.limits.poll_idle_seconds)
    return turn


def pin(turn: Turn) -> Turn:
    """Write down everything the run depends on, when its turn has come."""
    if turn.status.inputs is not None:
        return turn
    waiting = turn.at_stage("Pending", Reason.WAITING)
    loop = turn.seen.loop
    if loop is None:
        return waiting.stall(
            Reason.LOOP_NOT_FOUND, f"spec.loopName: there is no FeedbackLoop {turn.seen.spec.loop_name} here"
        )
    improvement = _improvement(loop.spec, turn.seen.spec.improvement_name)
    passed_over = _passed_over(turn.seen, loop)
    if passed_over:
        return turn.end(RunOutcome.SKIPPED, Reason.RUN_ACTIVE, passed_over)
    reason, message = _not_yet(turn.seen, loop)
    if message:
        return waiting.wait(reason, message, turn.poll)
    _check_names(turn.admin, loop.spec, improvement)
    return _pinned(turn, loop) if turn.seen.spec.retry_of is None else _again(turn, loop, turn.seen.spec.retry_of)


def _passed_over(seen: RunSeen, loop: LoopSeen) -> str:
    """Why this run ends without having begun, by newRevisionPolicy; empty when it goes on or waits."""
    if seen.blocked_by is None:
        return ""
    if loop.policy is NewRevisionPolicy.REJECT:
        return f"run {seen.blocked_by} is under way, and newRevisionPolicy is Reject"
    if seen.newer is not None:
        return f"run {seen.blocked_by} is under way, and the newer run {seen.newer} waits already"
    return ""


def _again(turn: Turn, loop: LoopSeen, source: str) -> Turn:
    """The inputs, stages and gates of another run; refused when it has no candidate that may get traffic."""
    before = turn.seen.retried
    why = retried.refusal(source, before, loop) if before else f"spec.retryOf: there is no ImprovementRun {source} here"
    if why or before is None:
        return turn.end(RunOutcome.SKIPPED, Reason.INVALID_SPEC, why)
    return retried.adopt(turn, source, before, loop)


def _pinned(turn: Turn, loop: LoopSeen) -> Turn:
    cut, champion = _cut(turn.seen), loop.status.champion
    assert cut is not None and champion is not None
    inputs = RunInputs(
        loop_uid=loop.uid,
        champion=champion,
        cut=cut,
        pinned_spec=naming.canonical_json(loop.spec.to_wire()),
        suite_looks=loop.status.suites,
        units=units_seen(loop.spec.rollout, turn.seen.gateways),
    )
    trainable = sum(pod.trainable for pod in cut)
    return turn.update(inputs=inputs, started_at=turn.at).record(
        Reason.PROGRESSING, f"inputs pinned: champion {champion.short}, {trainable} trainable signals in the cut"
    )


def _not_yet(seen: RunSeen, loop: LoopSeen) -> tuple[Reason, str]:
    """Why the run cannot begin; an empty message when it can."""
    champion, declared = loop.status.champion, loop.status.declared_model
    if loop.deleting:
        return Reason.DELETING, "the loop is being deleted"
    if seen.blocked_by is not None:
        return Reason.QUEUED, f"run {seen.blocked_by} of this loop goes first"
    if loop.spec.suspend:
        return Reason.SUSPENDED, "the loop is suspended: spec.suspend is true"
    if champion is None or declared is None or declared.digest != loop.spec.target.model.digest:
        return Reason.WAITING, "the loop has no champion yet"
    if seen.spec.retry_of is None and _cut(seen) is None:
        return Reason.GATEWAY_UNAVAILABLE, "not every gateway pod answers"
    return Reason.WAITING, ""


def _cut(seen: RunSeen) -> tuple[PodOffset, ...] | None:
    if seen.cut is not None or seen.gateways is None:
        return seen.cut
    return tuple(
        PodOffset(pod=g.pod, offset=g.uploaded.offset, trainable=g.uploaded.trainable)
        for g in sorted(seen.gateways, key=lambda g: g.pod)
    )


def _improvement(spec: FeedbackLoopSpec, name: str) -> Improvement:
    found = next((i for i in spec.improvements if i.name == name), None)
    if found is None:
        raise UserError(Reason.IMPROVEMENT_NOT_FOUND, f"spec.improvementName: the loop has no improvement {name}")
    return found


def _check_names(admin: AdminConfig, spec: FeedbackLoopSpec, improvement: Improvement) -> None:
    """What the run will need of the admin's file is there, before anything is started."""
    endpoint(admin, spec.storage.endpoint_name, EndpointType.S3)
    endpoint(admin, spec.models.endpoint_name, EndpointType.S3)
    endpoint(admin, spec.registry.endpoint_name, EndpointType.MLFLOW)
    if improvement.training.stages and spec.evaluation is not None and spec.evaluation.judge is not None:
        endpoint(admin, spec.evaluation.judge.endpoint_name, EndpointType.JUDGE)
    for guardrail in spec.rollout.guardrails if spec.rollout else ():
        if guardrail.prometheus is not None:
            endpoint(admin, guardrail.prometheus.endpoint_name, EndpointType.PROMETHEUS)
    name = improvement.training.profile_name
    if improvement.training.stages and admin.profile(name) is None:
        raise UserError(Reason.UNKNOWN_PROFILE, f"profileName: the admin declares no profile {name}")


def _candidate(seen: RunSeen) -> tuple[str, ...]:
    rollout, candidate = seen.status.rollout, seen.status.candidate
    promoting = rollout is not None and rollout.promoting_since is not None
    return (candidate.digest,) if promoting and candidate is not None else ()

"""The comparing job of a shadow step, beside the rollout: the rollout goes on being watched while it runs.

Once nothing is mirrored any more, how far each gateway's log holds pairs is written down; once it is stored that far,
the job runs like every stage. What it found goes into `status.rollout.shadow`; `domain.rollout.shadow` judges it.
"""

from __future__ import annotations

from dataclasses import replace

from feedbackloop.api.conditions import ConditionType, Reason
from feedbackloop.api.feedbackloop import PodOffset
from feedbackloop.api.gateway import GatewayStatus
from feedbackloop.api.improvementrun import StageName
from feedbackloop.api.jobs import Result, ShadowResult
from feedbackloop.api.rolloutstatus import RolloutStatus, ShadowStatus, Verdict
from feedbackloop.domain.jobs import specs
from feedbackloop.domain.jobs.identity import Rendered, render
from feedbackloop.domain.lifecycle.run_inputs import brief
from feedbackloop.domain.lifecycle.run_stage import Plan, run_stage, stage_of
from feedbackloop.domain.lifecycle.run_stop import UNDER_WAY, stop
from feedbackloop.domain.lifecycle.run_turn import TEXT, Turn

TITLE = "Comparing"


def compare(turn: Turn) -> Turn:
    """Move the comparison on as far as what was seen allows; never settles the turn."""
    rollout = turn.status.rollout
    if rollout is None or turn.status.outcome is not None:
        return turn
    found = rollout.shadow
    if found is None or not _awaited(rollout, found):
        return _stopped(turn)
    if not found.cut:
        return _with_cut(turn, found)
    if _under_way(turn) or _stored(turn.seen.gateways, found.cut):
        return _beside(turn, _run(turn, found))
    return turn


def _awaited(rollout: RolloutStatus, found: ShadowStatus) -> bool:
    """The pairs of the step under way are collected, every mirror is off, and nothing has compared them."""
    collected = found.epoch == 0 and rollout.epoch_started_at is not None and rollout.abort is None
    return collected and found.step_index == rollout.step_index and found.verdict is None and not found.compare_run_id


def _stopped(turn: Turn) -> Turn:
    """A comparison that nobody waits for any more ends: the candidate is taken back, or the step was left."""
    return stop(turn) if _under_way(turn) else turn


def _under_way(turn: Turn) -> bool:
    stage = stage_of(turn, StageName.SHADOW)
    return stage is not None and stage.state in UNDER_WAY


def _with_cut(turn: Turn, found: ShadowStatus) -> Turn:
    """Written before anything is read up to it."""
    if not turn.seen.gateways:
        return turn
    ends = sorted(turn.seen.gateways, key=lambda g: g.pod)
    cut = tuple(PodOffset(pod=g.pod, offset=g.appended.offset, trainable=g.appended.trainable) for g in ends)
    return _put(turn, cut=cut)


def _stored(gateways: tuple[GatewayStatus, ...] | None, cut: tuple[PodOffset, ...]) -> bool:
    """A pod that is gone has uploaded everything before it went."""
    if not gateways:
        return False
    uploaded = {g.pod: g.uploaded.offset for g in gateways}
    return all(uploaded.get(end.pod, end.offset) >= end.offset for end in cut)


def _run(turn: Turn, found: ShadowStatus) -> Turn:
    b, candidate = brief(turn), turn.status.candidate
    assert candidate is not None
    spec = render(specs.shadow(b, found, turn.seen.uid, candidate))
    plan = Plan(
        name=StageName.SHADOW,
        title=TITLE,
        doing=Reason.COMPARING,
        concern=ConditionType.SHADOWED,
        spec=spec,
        loop=b.spec,
        profile=turn.admin.jobs,
        deadline_seconds=b.improvement.training.active_deadline_seconds,
        halvings=0,
        accept=_compared,
        failed=_failed,
    )
    return run_stage(_fresh(turn, spec), plan)


def _fresh(turn: Turn, spec: Rendered) -> Turn:
    """An earlier step's comparison is no part of this one."""
    stage = stage_of(turn, StageName.SHADOW)
    if stage is None or stage.run_id == spec.run_id or stage.state in UNDER_WAY:
        return turn
    return turn.update(stages=tuple(s for s in turn.status.stages if s.name is not StageName.SHADOW))


def _beside(before: Turn, after: Turn) -> Turn:
    """What was done about the comparison, without what a stage says of the whole run: the rollout says that."""
    return replace(after, stage=before.stage, doing=before.doing, requeue=before.requeue, settled=False)


def _compared(turn: Turn, result: Result) -> Turn:
    assert isinstance(result, ShadowResult)
    counts = f"{result.wins} wins, {result.losses} losses, {result.ties} ties of {result.pairs} pairs"
    undecided = {"verdict": Verdict.INCONCLUSIVE, "message": f"{counts}; {result.advisory}"[:TEXT]}
    turn = _put(
        turn,
        compare_run_id=result.run_id,
        wins=result.wins,
        losses=result.losses,
        ties=result.ties,
        judge_labels=result.judge.table if result.judge is not None else (),
        **(undecided if result.advisory else {}),
    )
    return turn.record(Reason.COMPARING, counts)


def _failed(turn: Turn, message: str) -> Turn:
    """No comparison is no evidence, and the rollout takes the candidate back in its own order."""
    return _put(turn, verdict=Verdict.ERROR, message=message[:TEXT])


def _put(turn: Turn, **changes: object) -> Turn:
    rollout = turn.status.rollout
    assert rollout is not None
    assert rollout.shadow is not None
    shadow = rollout.shadow.model_copy(update=changes)
    return turn.update(rollout=rollout.model_copy(update={"shadow": shadow}))

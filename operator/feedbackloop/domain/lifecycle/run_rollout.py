"""The rollout of a gated candidate: `domain.rollout` decides, this hands it the facts and takes the result over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from feedbackloop.api.conditions import Reason
from feedbackloop.api.gateway import GatewayConfig, revision
from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.api.rollout import Rollout
from feedbackloop.api.rolloutstatus import RolloutStatus
from feedbackloop.domain import rollout as rollouts
from feedbackloop.domain.errors import UserError
from feedbackloop.domain.lifecycle.loop_history import former_champions
from feedbackloop.domain.lifecycle.retried import attempt
from feedbackloop.domain.lifecycle.run_actions import answer
from feedbackloop.domain.lifecycle.run_inputs import brief, superseded
from feedbackloop.domain.lifecycle.run_level import level
from feedbackloop.domain.lifecycle.run_plan import plans
from feedbackloop.domain.lifecycle.run_seen import RunSeen
from feedbackloop.domain.lifecycle.run_turn import Turn
from feedbackloop.domain.lifecycle.run_watch import rules
from feedbackloop.domain.replay.given import Given, decided
from feedbackloop.domain.rollout import Advance, ArmObserved, RolloutObservation
from feedbackloop.domain.rollout.conditions import OPTIONAL

ABSENT = ArmObserved(replicas=0, ready=0, digest=None)
TITLE = "RollingOut"


def roll_out(turn: Turn) -> Turn:
    """One step at most, by evidence only."""
    candidate, inputs = turn.status.candidate, turn.status.inputs
    if candidate is None or inputs is None:
        return turn
    turn = turn.at_stage(TITLE, Reason.PROGRESSING)
    if turn.status.rollout is None:
        return _begin(turn)
    given = Given(
        spec=_spec(turn),
        status=turn.status.rollout,
        observed=observation(turn.seen, turn.status.rollout),
        now=turn.now,
        run_uid=turn.seen.uid,
        champion=inputs.champion.digest,
        candidate=candidate.digest,
    )
    step = decided(given)
    return replace(_taken(turn, step.result), decided=step)


def observation(seen: RunSeen, rollout: RolloutStatus) -> RolloutObservation:
    """The facts of serving, for the epoch that is intended."""
    serving = seen.serving
    return RolloutObservation(
        gateways=seen.gateways,
        applied=applied(seen, rollout),
        target=serving.target if serving else ABSENT,
        canary=serving.canary if serving else ABSENT,
        superseded=superseded(seen) is not None,
        superseded_by=superseded(seen) or "",
        queries=seen.queries,
        provider=seen.provider,
        actions=tuple(held.seen for held in seen.actions),
        **_of_loop(seen),
    )


def _of_loop(seen: RunSeen) -> dict[str, Any]:
    """What the loop says now: what people changed since the run was pinned, and what it remembers."""
    if seen.loop is None:
        return {}
    spec, status = seen.loop.spec, seen.loop.status
    return {
        "suspended": spec.suspend,
        "paused": spec.rollout is not None and spec.rollout.paused,
        "steps": spec.rollout.steps if spec.rollout else None,
        "promotions": former_champions(status),
        "level": level(seen, rules(seen.status)),
    }


def applied(seen: RunSeen, rollout: RolloutStatus) -> bool:
    """Whether every gateway pod runs the configuration that was written for the intended epoch."""
    text = seen.serving.config_json if seen.serving else None
    if not seen.gateways or text is None:
        return False
    try:
        routing = GatewayConfig.model_validate_json(text).routing
    except ValidationError:
        return False
    # Before its first epoch the run is not seen in the routing at all.
    intended = (seen.uid, rollout.epoch) if rollout.epoch > 0 else ("", 0)
    written = (routing.run_uid, routing.epoch) == intended
    return written and all(g.revision == revision(text) for g in seen.gateways)


def _spec(turn: Turn) -> Rollout:
    spec = brief(turn).spec.rollout
    if spec is None:
        raise UserError(Reason.INVALID_SPEC, "rollout: is required when an improvement trains a candidate")
    return spec


def _begin(turn: Turn) -> Turn:
    """Not while the loop is suspended; the first intents are written before anybody acts on them."""
    if turn.seen.loop is not None and turn.seen.loop.spec.suspend:
        return turn.wait(Reason.SUSPENDED, "the loop is suspended: spec.suspend is true", turn.poll)
    known = {"attempt": attempt(turn.seen.retried), "plan": plans(turn, _spec(turn))}
    begun = turn.update(rollout=rollouts.begin(turn.seen.uid, turn.now).model_copy(update=known))
    return begun.record(Reason.CANARY_STARTING, "the gates passed: the rollout begins").hold(turn.poll)


def _taken(turn: Turn, advance: Advance) -> Turn:
    turn = turn.update(rollout=advance.status)
    said = {finding.type for finding in advance.conditions}
    for type_ in (t for t in OPTIONAL if t not in said):
        turn = turn.unfind(type_)
    for finding in advance.conditions:
        turn = turn.find(finding)
    for record in advance.records:
        turn = turn.record(Reason(record.what), record.why)
    turn = answer(turn, advance)
    if advance.outcome is None:
        return turn.at_stage(TITLE, Reason.PROGRESSING, advance.message).hold(turn.poll)
    return turn.end(advance.outcome, END_REASON[advance.outcome], advance.message)


END_REASON = {
    RunOutcome.PROMOTED: Reason.PROMOTED,
    RunOutcome.ROLLED_BACK: Reason.ROLLED_BACK,
    RunOutcome.INCONCLUSIVE: Reason.INCONCLUSIVE,
    RunOutcome.SUPERSEDED: Reason.SUPERSEDED,
    RunOutcome.FAILED: Reason.FAILED,
    RunOutcome.GATED: Reason.GATED,
    RunOutcome.SKIPPED: Reason.NOT_ENOUGH_EXAMPLES,
    RunOutcome.COMPLETED: Reason.DATASET_ONLY,
}

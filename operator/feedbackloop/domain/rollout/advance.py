"""The chain of rules, in the order of their priority (what takes back comes before what goes on)."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime

from feedbackloop.api.conditions import Reason
from feedbackloop.api.improvementrun import DecisionRecord
from feedbackloop.api.rollout import Rollout
from feedbackloop.api.rolloutstatus import RolloutStatus
from feedbackloop.domain.rfc3339 import stamp
from feedbackloop.domain.rollout import (
    abort,
    approvals,
    bookkeeping,
    capacity,
    evidence,
    following,
    guardrails,
    header_routes,
    holds,
    limits,
    pausing,
    promotion,
    routers,
    scaling,
    shadow,
    skipping,
    sources,
    stability,
    steps,
    verbs,
    windows,
)
from feedbackloop.domain.rollout.conditions import findings
from feedbackloop.domain.rollout.model import Advance, RolloutObservation
from feedbackloop.domain.rollout.situation import Hold, Move, Rule, Situation

POLL_SECONDS = 2.0
_MOST_MOVES = 200

OBSERVING: tuple[Rule, ...] = (
    routers.seen,
    routers.repaired,
    bookkeeping.epoch_starts,
    bookkeeping.canary_arrives,
    following.begins,
    pausing.begins,
    pausing.ends,
    sources.answers,
    evidence.look,
)
TAKING_BACK: tuple[Rule, ...] = (
    verbs.take,
    abort.superseded,
    abort.take_back,
    skipping.same_model,
    guardrails.fails,
    evidence.harm,
    stability.canary_lost,
    limits.progress_deadline,
    limits.routing_deadline,
    limits.max_duration,
    approvals.timeout,
    approvals.suffice,
    sources.deadline,
    routers.strikes,
)
HOLDING: tuple[Rule, ...] = (
    capacity.keeps_up,
    pausing.paused,
    holds.epoch_applying,
    promotion.drain,
    promotion.update_target,
    holds.sample_ratio,
    holds.metrics_missing,
    routers.not_routed,
    holds.target_degraded,
    holds.rated_share,
    holds.target_unavailable,
    windows.closed,
)
GOING_ON: tuple[Rule, ...] = (
    stability.restore,
    following.restart,
    skipping.rollback_window,
    shadow.leaves,
    scaling.set_canary_scale,
    header_routes.set_header_route,
    steps.set_weight,
    steps.pause,
    shadow.shadow,
    steps.analysis,
    approvals.approval,
    promotion.level,
    promotion.to_full,
    promotion.bake,
)
RULES = (*OBSERVING, *TAKING_BACK, *HOLDING, *GOING_ON)


def begin(run_uid: str, now: datetime) -> RolloutStatus:
    """A rollout without traffic; the salt is the candidate's, so raising the weight only moves sessions to it."""
    return RolloutStatus(started_at=stamp(now), salt=hashlib.sha256(run_uid.encode()).hexdigest())


def advance(
    spec: Rollout,
    status: RolloutStatus,
    observed: RolloutObservation,
    now: datetime,
    *,
    run_uid: str,
    champion: str,
    candidate: str,
) -> Advance:
    """Everything that follows now from what is intended and what is observed.

    Calling it again with the resulting status and the same observation changes nothing.
    """
    followed = following.followed(spec, observed.steps)
    s = Situation(followed, status, observed, now, run_uid, champion, candidate)
    s, last, records = _run(s)
    outcome = last.outcome if isinstance(last, Move) else None
    answers = verbs.answers(s)
    return Advance(s.status, findings(s, last), records, outcome, last.message, POLL_SECONDS, answers)


def _run(s: Situation) -> tuple[Situation, Move | Hold, tuple[DecisionRecord, ...]]:
    """Ask the rules from the first after each change, until one holds or the run ends."""
    records: list[DecisionRecord] = []
    for _ in range(_MOST_MOVES):
        answer = _ask(s)
        if isinstance(answer, Hold):
            return s, answer, tuple(records)
        records += [answer.record] if answer.record else []
        s = replace(s, status=answer.status)
        if answer.outcome is not None:
            return s, answer, tuple(records)
    raise AssertionError(f"the rules do not settle at step {s.status.step_index}, epoch {s.status.epoch}")


def _ask(s: Situation) -> Move | Hold:
    answers = (rule(s) for rule in RULES)
    return next((a for a in answers if a is not None), Hold(Reason.PROGRESSING, "nothing to do"))

"""When no step is needed: the candidate was champion not long ago, so that this is a rollback of the loop."""

from __future__ import annotations

from feedbackloop.api.conditions import Reason
from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.domain.rollout.intents import record, update
from feedbackloop.domain.rollout.situation import Move, Situation


def same_model(s: Situation) -> Move | None:
    """What stable serves already needs no rollout."""
    if s.candidate != s.champion or s.status.epoch > 0 or s.status.canary_replicas > 0:
        return None
    return Move(s.status, outcome=RunOutcome.PROMOTED, message="the candidate is what stable serves already")


def rollback_window(s: Situation) -> Move | None:
    """Capacity, routing and baking are still awaited, and guardrails still watch."""
    revisions = s.spec.rollback_window.revisions
    if s.status.skip_steps or s.beyond_steps or s.candidate not in s.observed.promotions[:revisions]:
        return None
    why = f"the candidate was champion within the last {revisions} promotions: no step is needed"
    return Move(update(s.status, skip_steps=True), record(s, Reason.STEPS_SKIPPED, why))

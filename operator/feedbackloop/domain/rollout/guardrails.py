"""Guardrails may only abort: one that fails takes the candidate back at once."""

from __future__ import annotations

from feedbackloop.api.conditions import Reason
from feedbackloop.domain.rollout.intents import aborted
from feedbackloop.domain.rollout.metrics import describe_limit, metric
from feedbackloop.domain.rollout.readings import State
from feedbackloop.domain.rollout.situation import Move, Situation


def fails(s: Situation) -> Move | None:
    failed = [r for r in s.readings if r.state is State.FAILED]
    if not failed:
        return None
    why = "; ".join(f"{r} (limit {describe_limit(r.guardrail)})" for r in failed)
    return aborted(s, Reason.GUARDRAIL_FAILED, f"guardrail {why}")


def waiting(s: Situation) -> list[str]:
    """The guardrails that have not seen enough of the canary in this epoch."""
    names = {r.guardrail.name for r in s.readings if r.state is State.WITHIN}
    return [f"{g.name} ({g.min_requests} {metric(g).noun})" for g in s.spec.guardrails if g.name not in names]


def degraded(s: Situation) -> list[str]:
    """The guardrails over whose limit both arms are."""
    found = [r.guardrail for r in s.readings if r.state is State.DEGRADED]
    return [f"{g.name} (limit {describe_limit(g)})" for g in found]


def missing(s: Situation) -> list[str]:
    """The guardrails whose metric the gateways do not give; other sources have their own rule."""
    return [r.guardrail.name for r in s.readings if r.state is State.MISSING and r.guardrail.prometheus is None]

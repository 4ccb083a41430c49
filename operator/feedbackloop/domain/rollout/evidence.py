"""Looks are closed, and written, before they are used; harm found in any of them aborts."""

from __future__ import annotations

from feedbackloop.api.conditions import Reason
from feedbackloop.api.rolloutstatus import Look, OutcomeStatus, Verdict
from feedbackloop.domain.evidence.looks import close_looks
from feedbackloop.domain.evidence.outcome import describe, describe_estimate, evaluate_looks
from feedbackloop.domain.rollout.intents import aborted, update
from feedbackloop.domain.rollout.situation import Move, Situation


def look(s: Situation) -> Move | None:
    """Close the looks that are due, of all epochs with traffic in both arms, until the promotion is decided."""
    if s.promoting or s.status.abort is not None:
        return None
    closed = close_looks(s.spec, s.status, s.gateways, s.run_uid, s.now)
    if not closed and len(s.status.outcomes) == len(s.spec.outcomes):
        return None
    looks = (*s.status.looks, *closed)
    return Move(update(s.status, looks=looks, outcomes=_evaluate(s, looks)))


def harm(s: Situation) -> Move | None:
    """Harm aborts in every epoch, also while counts are doubted: losing a candidate is the cheaper mistake."""
    if s.promoting:
        return None
    found = [o for o in s.status.outcomes if o.verdict is Verdict.FAILED]
    if not found:
        return None
    return aborted(s, Reason.HARM_FOUND, evidence(s, [o.name for o in found]))


def evidence(s: Situation, names: list[str]) -> str:
    """The named outcomes with their numbers and the confidence sequences of their ratios or differences."""
    rules = {o.name: o for o in s.spec.outcomes if o.name in names}
    found = [(rules[o.name], o) for o in s.status.outcomes if o.name in rules]
    stand = [describe(rule, o, len(s.spec.outcomes), s.level) for rule, o in found]
    return "; ".join([*stand, *(describe_estimate(rule, o) for rule, o in found)])


def standing(s: Situation, names: tuple[str, ...]) -> str:
    """The named outcomes with their numbers; it changes with a look only."""
    rules = {o.name: o for o in s.spec.outcomes}
    outcomes = [o for o in s.status.outcomes if o.name in names]
    return "; ".join(describe(rules[o.name], o, len(s.spec.outcomes), s.level) for o in outcomes)


def _evaluate(s: Situation, looks: tuple[Look, ...]) -> tuple[OutcomeStatus, ...]:
    return tuple(evaluate_looks(o, looks, len(s.spec.outcomes), s.level) for o in s.spec.outcomes)

"""The step `shadow`: the canary answers a share of stable's requests too, nobody sees it, and the pairs are compared.

Capacity first; then an epoch with a mirror and the weight as it was, until there are enough pairs or no time is left;
then an epoch without a mirror, whose pairs a job compares (`lifecycle.run_shadow` runs it and writes what it found
into `status.shadow`). The verdict is made here. `shadow.epoch` is the epoch with the mirror, so that any other change
of the routing, an abort before all, ends the mirror by itself; it is 0 once all pairs are collected.
"""

from __future__ import annotations

import math

from feedbackloop.api.conditions import Reason
from feedbackloop.api.rollout import OnInconclusive, Shadow
from feedbackloop.api.rolloutstatus import RolloutStatus, ShadowStatus, Verdict
from feedbackloop.domain.evidence.pairs import judge_pairs
from feedbackloop.domain.rfc3339 import stamp
from feedbackloop.domain.rollout.capacity import awaited
from feedbackloop.domain.rollout.intents import aborted, mirroring, next_step, record, routed, update
from feedbackloop.domain.rollout.situation import Hold, Move, Situation
from feedbackloop.domain.statistics.numerals import numeral
from feedbackloop.domain.statistics.prediction_powered import NetWins, net_wins

_WRITES = 10
"""So often, at most, the number of pairs is written while they are collected."""


def shadow(s: Situation) -> Move | Hold | None:
    """What follows while a shadow step is under way."""
    step, found = s.step.shadow if s.step else None, _mine(s)
    if step is None:
        return None
    if found is None:
        return _begin(s, step)
    if found.verdict is not None:
        return _follow(s, step, found)
    if found.compare_run_id:
        return Move(_with(s.status, _judged(step, found)))
    if found.epoch == 0:
        return Hold(Reason.COMPARING, f"{found.pairs} pairs are compared by {step.metric.value}")
    return _collect(s, step, found)


def leaves(s: Situation) -> Move | None:
    """The step was passed over: nothing is mirrored any more."""
    if not mirroring(s.status) or (_mine(s) is not None and s.step is not None and s.step.shadow is not None):
        return None
    why = "the shadow step is left: no request is mirrored any more"
    return Move(_off(s), record(s, Reason.WEIGHT_APPLYING, why))


def _mine(s: Situation) -> ShadowStatus | None:
    """The status of this very step."""
    found = s.status.shadow
    return found if found is not None and found.step_index == s.status.step_index else None


def _begin(s: Situation, step: Shadow) -> Move | Hold:
    status = s.status
    found = ShadowStatus(
        step_index=status.step_index,
        started_at=stamp(s.now),
        percent=step.percent,
        max_concurrency=step.max_concurrency,
        max_pairs=step.max_pairs,
        metric=step.metric,
        first_epoch=status.epoch + 1,
    )
    return _mirror(s, step, found)


def _mirror(s: Situation, step: Shadow, found: ShadowStatus) -> Move | Hold:
    """A new epoch with the mirror, once the canary can carry it."""
    waiting = awaited(s, _load(s.status.weight, step.percent))
    if waiting is not None:
        return waiting
    status = routed(s.status, s.status.weight, s.now)
    which = f"step {s.status.step_index + 1} of {len(s.spec.steps)}"
    why = f"{which}: {step.percent} % of stable's requests are mirrored"
    return Move(_with(status, found, epoch=status.epoch), record(s, Reason.SHADOWING, why))


def _load(weight: int, percent: int) -> int:
    """The share of all requests that the canary answers, shown or not."""
    return min(100, weight + math.ceil((100 - weight) * percent / 100))


def _collect(s: Situation, step: Shadow, found: ShadowStatus) -> Move | Hold:
    pairs = max(found.pairs, _pairs(s, found))
    if pairs >= step.min_pairs:
        return _collected(s, found, pairs, f"{pairs} pairs are stored")
    if s.elapsed(found.started_at) >= step.max_seconds:
        why = f"{pairs} of {step.min_pairs} pairs after {step.max_seconds} s"
        return _collected(s, found, pairs, why, verdict=Verdict.INCONCLUSIVE, message=f"{why}: too few to compare")
    if not mirroring(s.status):
        return _mirror(s, step, found)
    if pairs >= found.pairs + max(1, step.min_pairs // _WRITES):
        return Move(_with(s.status, found, pairs=pairs))
    return Hold(Reason.SHADOWING, f"{step.percent} % of stable's requests are mirrored until {step.min_pairs} pairs")


def _pairs(s: Situation, found: ShadowStatus) -> int:
    """Stored pairs of this step, of all gateway pods."""
    counts = (c for g in s.gateways for c in g.shadow)
    return sum(c.pairs for c in counts if c.run_uid == s.run_uid and c.epoch >= found.first_epoch)


def _collected(s: Situation, found: ShadowStatus, pairs: int, why: str, **more: object) -> Move:
    """No more of them: with the mirror off, a job may read how far the logs hold pairs."""
    status = _off(s) if mirroring(s.status) else s.status
    return Move(_with(status, found, epoch=0, pairs=pairs, **more), record(s, Reason.COMPARING, why))


def _off(s: Situation) -> RolloutStatus:
    """The same weight in a new epoch without a mirror."""
    assert s.status.shadow is not None
    return _with(routed(s.status, s.status.weight, s.now), s.status.shadow, epoch=0)


def _judged(step: Shadow, found: ShadowStatus) -> ShadowStatus:
    counts = found.wins, found.losses, found.ties
    pairs = judge_pairs(*counts, float(step.margin), float(step.alpha), step.min_pairs)
    verdict, message = pairs.verdict, pairs.message
    if any(found.judge_labels) and max(counts) > 0:
        people = net_wins(found.judge_labels, *counts, float(step.alpha))
        verdict = confirmed(verdict, people, float(step.margin))
        message += f"; net wins as people would say {numeral(people.estimate)}"
        message += f" ({numeral(people.lower)} to {numeral(people.upper)}) by {sum(found.judge_labels)} labels"
    return found.model_copy(update={"verdict": verdict, "message": message})


def confirmed(verdict: Verdict, people: NetWins, margin: float) -> Verdict:
    """A judge may lean to one model: what its word shows has to hold for its labels, too.

    A win rate is (1 + net wins) / 2, so that a margin of it is twice that of the net wins.
    """
    holds = {Verdict.SUCCESSFUL: people.lower > -2 * margin, Verdict.FAILED: people.upper < 0}
    return verdict if holds.get(verdict, True) else Verdict.INCONCLUSIVE


def _follow(s: Situation, step: Shadow, found: ShadowStatus) -> Move:
    """On, back, or as declared; a comparison that failed is no evidence."""
    if found.verdict is Verdict.SUCCESSFUL:
        return Move(next_step(s), record(s, Reason.NON_INFERIOR, found.message))
    if found.verdict is Verdict.FAILED:
        return aborted(s, Reason.SHADOW_WORSE, found.message)
    if found.verdict is Verdict.INCONCLUSIVE and step.on_inconclusive is OnInconclusive.CONTINUE:
        return Move(next_step(s), record(s, Reason.SHADOW_INCONCLUSIVE, f"{found.message}; the steps go on"))
    return aborted(s, Reason.SHADOW_INCONCLUSIVE, found.message)


def _with(status: RolloutStatus, found: ShadowStatus, **changes: object) -> RolloutStatus:
    return update(status, shadow=found.model_copy(update=changes))

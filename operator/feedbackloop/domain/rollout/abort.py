"""Taking a candidate back: traffic first, everywhere; then its pods; then the run ends."""

from __future__ import annotations

from feedbackloop.api.conditions import Reason
from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.api.rolloutstatus import AbortStatus
from feedbackloop.domain.rollout.holds import epoch_applying
from feedbackloop.domain.rollout.intents import aborted, routed
from feedbackloop.domain.rollout.promotion import draining
from feedbackloop.domain.rollout.situation import Hold, Move, Situation

_OUTCOMES = {
    Reason.SUPERSEDED.value: RunOutcome.SUPERSEDED,
    Reason.MAX_DURATION.value: RunOutcome.INCONCLUSIVE,
    Reason.SOURCE_UNAVAILABLE.value: RunOutcome.INCONCLUSIVE,
    Reason.APPROVAL_TIMEOUT.value: RunOutcome.INCONCLUSIVE,
    Reason.SHADOW_INCONCLUSIVE.value: RunOutcome.INCONCLUSIVE,
}


def superseded(s: Situation) -> Move | None:
    """Not while the target could not carry the canary's share (I4): nobody is hurt by waiting for it."""
    if not s.observed.superseded or s.status.abort is not None:
        return None
    if s.status.weight > 0 and not s.observed.target.complete:
        return None
    return aborted(s, Reason.SUPERSEDED, s.observed.superseded_by or "another model was declared as the target's")


def take_back(s: Situation) -> Move | Hold | None:
    """The order of an abort that is decided; nothing else is asked any more."""
    abort = s.status.abort
    if abort is None:
        return None
    return _leave(s) or epoch_applying(s) or draining(s) or _target_returns(s, abort) or _end(s, abort)


def _leave(s: Situation) -> Move | Hold | None:
    """Traffic stays on the canary only while the target, half updated, could not carry it (I4)."""
    if s.status.weight == 0:
        return None
    if not s.observed.target.complete:
        return Hold(Reason.TARGET_UNAVAILABLE, "waiting for every replica of the target before traffic returns to it")
    return Move(routed(s.status, 0, s.now))


def _target_returns(s: Situation, abort: AbortStatus) -> Hold | None:
    """An update of the target that had begun is undone before the run ends."""
    if not s.promoting or abort.reason == Reason.SUPERSEDED or s.observed.target.serves(s.champion):
        return None
    return Hold(Reason.UPDATING_TARGET, "waiting for every replica of the target to be ready with the champion again")


def _end(s: Situation, abort: AbortStatus) -> Move:
    outcome = _OUTCOMES.get(abort.reason, RunOutcome.ROLLED_BACK)
    return Move(s.status, outcome=outcome, message=f"{abort.reason}: {abort.message}")

"""What freezes the steps, and how long it has.

A pause has causes: the loop's `suspend` and `paused`, which are as they are now, and a person or a rule, whose
word is kept in `pause_reason`. `paused_since` says since when there is any.
"""

from __future__ import annotations

from feedbackloop.api.conditions import Reason
from feedbackloop.api.rolloutstatus import ProviderStatus, QueryStatus, RolloutStatus
from feedbackloop.domain.rfc3339 import stamp
from feedbackloop.domain.rollout.intents import known, update
from feedbackloop.domain.rollout.situation import Hold, Move, Situation

_WHY = {
    Reason.PAUSED.value: "a person paused the rollout",
    Reason.MAX_DURATION.value: "no decision fell within maxDurationSeconds",
    Reason.APPROVAL_TIMEOUT.value: "nobody approved in time",
    Reason.ROUTE_CONFLICT.value: "another writer keeps changing what is ours of the route",
    Reason.SOURCE_UNAVAILABLE.value: "a guardrail's source gave no numbers for longer than its deadline",
}


def begins(s: Situation) -> Move | None:
    if s.status.abort is not None or s.status.paused_since is not None or not s.frozen:
        return None
    return Move(update(s.status, paused_since=stamp(s.now)))


def ends(s: Situation) -> Move | None:
    """No cause is left: the clocks that the pause had stopped go on."""
    if s.status.paused_since is None or s.frozen:
        return None
    awaited = None if s.status.canary_awaited_since is None else stamp(s.now)
    seconds = s.status.paused_seconds + int(s.elapsed(s.status.paused_since))
    return Move(update(s.status, paused_since=None, paused_seconds=seconds, canary_awaited_since=awaited))


def paused(s: Situation) -> Hold | None:
    """Progress is frozen; what takes back was asked before this."""
    if not s.frozen:
        return None
    if s.observed.suspended:
        return Hold(Reason.SUSPENDED, "spec.suspend is true: the steps are frozen, guardrails still abort")
    if s.observed.paused:
        return Hold(Reason.PAUSED, "spec.rollout.paused is true: the steps are frozen, guardrails still abort")
    word = s.status.pause_reason
    return Hold(known(word, Reason.PAUSED), f"paused: {_WHY.get(word, word)}; resume, promote or abort it")


def resumed(s: Situation) -> RolloutStatus:
    """Without the person's or the rule's pause. The limit that had caused it begins anew: it was seen, and allowed."""
    was = s.status.pause_reason
    changes: dict[str, object] = {"pause_reason": ""}
    if was == Reason.MAX_DURATION:
        changes["paused_seconds"] = int(s.elapsed(s.status.started_at)) - int(s.elapsed(s.status.paused_since))
    if was == Reason.APPROVAL_TIMEOUT:
        changes["step_since"] = stamp(s.now)
    if was == Reason.ROUTE_CONFLICT:
        changes["provider"] = _forgiven(s.status.provider)
    if was == Reason.SOURCE_UNAVAILABLE:
        changes["queries"] = tuple(_asked_anew(query, stamp(s.now)) for query in s.status.queries)
    return update(s.status, **changes)


def _forgiven(provider: ProviderStatus | None) -> ProviderStatus | None:
    return None if provider is None else provider.model_copy(update={"conflicts": 0})


def _asked_anew(query: QueryStatus, at: str) -> QueryStatus:
    return query if query.unavailable_since is None else query.model_copy(update={"unavailable_since": at})

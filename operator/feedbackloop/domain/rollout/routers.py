"""A traffic provider that is not the gateway: what it did enters the status, and what it did not do holds."""

from __future__ import annotations

from feedbackloop.api.conditions import Reason
from feedbackloop.api.rolloutstatus import ProviderStatus
from feedbackloop.domain.rollout.intents import paused, routed, update
from feedbackloop.domain.rollout.situation import Hold, Move, Situation
from feedbackloop.domain.traffic import STRIKES, ProviderSeen, provider_status


def seen(s: Situation) -> Move | None:
    """Written when a fact changes; a measured share goes with the next of them, not with every request."""
    provider = _current(s)
    if provider is None:
        return None
    new = provider_status(provider, s.status.provider)
    if _facts(new) == _facts(s.status.provider):
        return None
    changes: dict[str, object] = {"provider": new}
    if new.conflicts > (s.status.provider.conflicts if s.status.provider else 0):
        # Its units had not the share that the weight says: neither the sample ratio nor a look may use them.
        changes["epochs"] = tuple(e for e in s.status.epochs if e.epoch != s.status.epoch)
    return Move(update(s.status, **changes))


def repaired(s: Situation) -> Move | None:
    """The route is ours again after another writer's change: counting begins anew, in its own epoch."""
    status = s.status
    disturbed = status.epoch > 0 and status.epoch not in {e.epoch for e in status.epochs}
    provider = _current(s)
    if provider is None or not provider.accepted or not disturbed or status.abort is not None:
        return None
    return Move(routed(status, status.weight, s.now))


def strikes(s: Situation) -> Move | None:
    """Never a fight in a loop: after three changes by another writer a person must settle it."""
    provider = s.status.provider
    if provider is None or provider.conflicts < STRIKES or s.status.pause_reason or s.status.abort is not None:
        return None
    return paused(s, Reason.ROUTE_CONFLICT, f"{STRIKES} times: {provider.message}")


def not_routed(s: Situation) -> Hold | None:
    """Nothing goes on while the route is disputed, refused, ignored or not seen."""
    provider = _current(s)
    if s.split_by_gateway or (provider is None and s.observed.provider is not None):
        return None
    if provider is None:
        return Hold(Reason.ROUTE_NOT_ACCEPTED, "the router was not seen: nothing is known of what it does")
    return _problem(provider, s.status.weight) or _not_accepted(provider, s.status.epoch)


def _problem(provider: ProviderSeen, weight: int) -> Hold | None:
    if provider.changed_by:
        return Hold(Reason.ROUTE_CONFLICT, provider.message or f"{provider.changed_by} changed what is ours")
    if provider.problem is Reason.SHARE_MISMATCH:
        # Without its numbers, which change with every request.
        what = f"the router accepted weight {weight}, and the requests do not follow it"
        return Hold(Reason.SHARE_MISMATCH, what)
    return None if provider.problem is None else Hold(provider.problem, provider.message)


def _not_accepted(provider: ProviderSeen, epoch: int) -> Hold | None:
    """Before the first epoch there is nothing to accept."""
    if provider.accepted or epoch == 0:
        return None
    return Hold(Reason.ROUTE_NOT_ACCEPTED, provider.message or "the router has not accepted the route yet")


def _current(s: Situation) -> ProviderSeen | None:
    """What was seen of the intended epoch."""
    provider = s.observed.provider
    return provider if provider is not None and provider.epoch == s.status.epoch else None


def _facts(status: ProviderStatus | None) -> object:
    return status and (status.weight, status.accepted, status.achievable, status.conflicts, status.disturbed_at)

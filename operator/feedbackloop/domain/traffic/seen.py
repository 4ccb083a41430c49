"""What a traffic provider was seen to do with the intended routing."""

from __future__ import annotations

from dataclasses import dataclass

from feedbackloop.api.conditions import Reason


@dataclass(frozen=True)
class ProviderSeen:
    """Facts about one epoch; the rules ignore those of another one."""

    epoch: int
    """The epoch whose weight was written when this was seen."""
    weight: int = 0
    """The weight that it has accepted."""
    accepted: bool = False
    """Its own conditions, for the generation that was written, say so."""
    problem: Reason | None = None
    """RouteNotAccepted, RouteOwnedByOtherLoop, RouterNotSupported, WeightNotAchievable or ShareMismatch: it holds."""
    message: str = ""
    """Its words, or the numbers."""
    changed_by: str = ""
    """Another writer that has changed what is ours of the route, while this epoch was in force."""
    changed_at: str | None = None
    """When it did so, RFC 3339: names the change, so that looking again at one adds no strike."""
    observed_share: str | None = None
    """The canary's share of the requests that were counted in this epoch, as a decimal string."""
    achievable: str | None = None
    """The share that it can really give, when that is not the weight, as a decimal string."""

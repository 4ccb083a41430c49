"""What a traffic provider was seen to do, and what follows from it. No kind of provider is known here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from feedbackloop.api.conditions import Reason


@dataclass(frozen=True)
class RouterSeen:
    """One look at the objects that split the traffic, for the epoch that is intended.

    The loop's own gateway needs none: its pods report their revision, and that is all there is to know.
    """

    weight: int = 0
    """The canary's weight in what is there, in percent; 0 also while nothing of ours is there."""
    written: bool = False
    """What is there is what the intended epoch asks for."""
    handled: bool = False
    """The router has looked at it: its conditions are of the generation that is there, at every parent."""
    accepted: bool = False
    """Those conditions say yes."""
    writers: tuple[str, ...] = ()
    """Field managers that changed what is ours after we wrote it; empty when nobody did."""
    disturbed_at: str | None = None
    """When the last of them did so, RFC 3339, by the API server's clock."""
    warm: bool = False
    """The router has taken the names of the backends, of which no request is sent yet."""
    warming_since: str | None = None
    """When they were written, before the first split of a rollout; unset at any other time."""
    impossible: Reason | None = None
    """RouterNotSupported, RouteOwnedByOtherLoop or WeightNotAchievable: it cannot be done; `message` says why."""
    achievable: Fraction | None = None
    """The share that it can really give, when that is not the weight."""
    stable: int = 0
    """Answers of stable that were reported in this epoch."""
    canary: int = 0
    """Answers of the canary."""
    message: str = ""
    """The router's own words, or what is awaited."""

    @property
    def requests(self) -> int:
        return self.stable + self.canary

    @property
    def share(self) -> Fraction | None:
        """The canary's measured share of this epoch's answers; None before there are any."""
        return Fraction(self.canary, self.requests) if self.requests else None


class Standing(StrEnum):
    ACCEPTED = "Accepted"
    """In force, and the requests that were counted do not speak against it."""
    WAITING = "Waiting"
    """Not written yet, or not seen by the router yet: the message says which."""
    CONFLICT = "Conflict"
    """Another writer changed what is ours."""
    REFUSED = "Refused"
    """The router says no to what is written."""
    MISMATCH = "Mismatch"
    """In force by the router's word, but the requests do not follow it."""
    NOT_SUPPORTED = "NotSupported"
    """The router's API is not there, or it cannot do what is asked."""


@dataclass(frozen=True)
class Judgement:
    standing: Standing
    message: str
    confirmed: bool = False
    """Enough requests were counted, and their share fits: never true for what was only promised."""

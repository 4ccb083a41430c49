"""Who the users are: how many, how they rate, and how often they speak."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum


class Kind(IntEnum):
    """What kind of rater a user is."""

    HONEST = 0
    HARSH = 1
    LENIENT = 2
    SPAMMER = 3
    """Votes at random, at once, and often."""


@dataclass(frozen=True)
class Raters:
    """The probability of a thumbs down by an answer's quality (0 bad to 1 good): `down = base + slope·(1 - q)`."""

    base: float
    slope: float


RATES = {
    Kind.HONEST: Raters(0.03, 0.90),
    Kind.HARSH: Raters(0.30, 0.65),
    Kind.LENIENT: Raters(0.00, 0.45),
    Kind.SPAMMER: Raters(0.50, 0.00),
}


@dataclass(frozen=True)
class Population:
    """Every number that the simulated world depends on besides its seed."""

    users: int = 2_000
    interactions: int = 50_000
    shares: dict[Kind, float] = field(
        default_factory=lambda: {Kind.HONEST: 0.8, Kind.HARSH: 0.08, Kind.LENIENT: 0.08, Kind.SPAMMER: 0.04}
    )
    templates: int = 20
    bad_templates: dict[int, float] = field(default_factory=dict)
    """Template number to the quality that is missing there."""
    segments: tuple[str, ...] = ("free", "team", "enterprise")
    regions: tuple[str, ...] = ("emea", "amer", "apac")
    segment_shares: tuple[float, ...] = (0.6, 0.3, 0.1)
    region_shares: tuple[float, ...] = (0.4, 0.4, 0.2)
    taste: dict[str, float] = field(default_factory=dict)
    """Segment to what its users see in an answer, added to its quality: segments may differ in taste."""
    response: dict[str, float] = field(default_factory=dict)
    """Segment to the share of its answers that are rated; `base_response` elsewhere."""
    base_response: float = 0.3
    quality: float = 0.75
    """The mean quality of answers; each has its own, spread by `quality_spread`."""
    quality_spread: float = 0.2
    loud_share: float = 0.0
    """The share of users who speak far more than others."""
    loud_votes: float = 0.0
    """The share of all votes that are theirs."""
    loud_taste: float = 0.0
    """Added to the quality that the loud see."""
    days: int = 30

"""Means over many simulated rollouts: stars of skewed raters, a daily swing, a ramp, a look every five minutes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from feedbackloop.api.rollout import Mean
from feedbackloop.api.rolloutstatus import ArmCounts, Look
from feedbackloop.domain.evidence import means

ALPHA = 0.05
MARGIN = 0.2
MEAN = Mean.model_validate({"direction": "HigherIsBetter", "margin": str(MARGIN), "scale": "1"})
DAY = 288


@dataclass(frozen=True)
class Ratings:
    """Ratings have a standard deviation of about 1: between users 0.6, the rest skewed, and 0.3 over the day."""

    ramp: tuple[tuple[int, float], ...] = ((96, 0.05), (96, 0.25), (96, 0.50))
    sessions: float = 50.0
    rated: float = 0.4
    """Share of sessions whose rating comes inside the attribution window."""
    difference: float = 0.0
    """The canary's mean minus stable's."""
    users: int = 3000


def ratings(made: Ratings, rng: np.random.Generator) -> list[Look]:
    """One look for each slot in which both arms have new units."""
    slots = sum(n for n, _ in made.ramp)
    shares = np.concatenate([np.full(n, share) for n, share in made.ramp])
    day = np.sin(2 * math.pi * np.arange(slots) / DAY)
    slot = np.repeat(np.arange(slots), rng.poisson(made.sessions * (1 + 0.6 * day)))
    user = (made.users * rng.random(slot.size) ** 2.5).astype(np.int64)
    canary = rng.random(slot.size) < shares[slot]
    noise = rng.lognormal(-0.35, 0.6, slot.size)
    value = 4 + rng.normal(0, 0.6, made.users)[user] + 0.3 * day[slot] - (noise - math.exp(-0.17)) * 1.3
    thousandths = np.rint(1000 * (value + np.where(canary, made.difference, 0.0)))
    rated = rng.random(slot.size) < made.rated
    arms = [_arms(slot[canary == arm], thousandths[canary == arm], rated[canary == arm], slots) for arm in (0, 1)]
    epochs = np.concatenate([np.full(n, e) for e, (n, _) in enumerate(made.ramp, 1)])
    pairs = zip(epochs, *arms, strict=True)
    return [Look(outcome="stars", epoch=int(e), at="", stable=s, canary=c) for e, s, c in pairs if s.units and c.units]


def _arms(
    slot: npt.NDArray[np.int64], values: npt.NDArray[np.float64], rated: npt.NDArray[np.bool_], slots: int
) -> list[ArmCounts]:
    sums = [
        np.bincount(slot, minlength=slots),
        np.bincount(slot[rated], minlength=slots),
        np.bincount(slot[rated], values[rated], slots),
        np.bincount(slot[rated], values[rated] ** 2, slots),
    ]
    return [
        ArmCounts.model_construct(units=int(u), rated=int(r), events=0, total=int(t), squares=int(q))
        for u, r, t, q in zip(*sums, strict=True)
    ]


def _crosses(values: list[float]) -> bool:
    return max(values, default=0.0) >= math.log(1 / ALPHA)


def false_aborts(count: int, seed: int) -> float:
    """Equal models: taken back."""
    return float(np.mean([_crosses(means.harm(MEAN, _run(Ratings(), seed, i))) for i in range(count)]))


def false_promotions(count: int, seed: int) -> float:
    """A candidate exactly at the margin: shown non-inferior at some look."""
    worse = Ratings(difference=-MARGIN)
    return float(np.mean([_crosses(means.non_inferiority(MEAN, _run(worse, seed, i))) for i in range(count)]))


def harm_found(count: int, seed: int) -> tuple[float, float]:
    """A fifth of a standard deviation worse, canary 10 %: the share found in a day, and the median rated of the canary.

    Of those that are found.
    """
    worse, needed = Ratings(ramp=((288, 0.10),), difference=-0.2), []
    for i in range(count):
        looks = _run(worse, seed, i)
        crossed = [e >= math.log(1 / ALPHA) for e in means.harm(MEAN, looks)]
        if any(crossed):
            needed.append(sum(look.canary.rated for look in looks[: crossed.index(True) + 1]))
    return len(needed) / count, float(np.median(needed)) if needed else math.inf


def equal_promoted(count: int, seed: int) -> float:
    """An equal candidate at 50/50 for a day (about 2 900 rated units an arm): shown non-inferior."""
    equal = Ratings(ramp=((288, 0.5),))
    return float(np.mean([_crosses(means.non_inferiority(MEAN, _run(equal, seed, i))) for i in range(count)]))


def sequence_coverage(count: int, seed: int) -> float:
    """The true difference inside the sequence of 1 - 2 alpha at every tenth of the way."""
    made = Ratings(difference=0.1)
    return float(np.mean([_covered(_run(made, seed, i), made.difference) for i in range(count)]))


def _covered(looks: list[Look], difference: float) -> bool:
    ends = range(len(looks) // 10, len(looks) + 1, len(looks) // 10)
    found = (means.confidence_sequence(MEAN, looks[:end], ALPHA) for end in ends)
    return all(i is None or i.lower <= difference <= i.upper for i in found)


def _run(made: Ratings, seed: int, index: int) -> list[Look]:
    return ratings(made, np.random.default_rng((seed, index)))

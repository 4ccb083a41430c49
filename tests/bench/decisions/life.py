"""The life of loops: 50 cycles each, with candidates that are better, equal, and worse by the margin or more.

Every candidate's rollout runs once through the real tests; the levels are then applied to it, once by e-LOND and once
without any correction, so that both rules see the same streams. A regression is a promoted candidate at or over the
declared ratio.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from feedbackloop.api.rollout import Lifetime
from feedbackloop.api.rolloutstatus import ArmCounts, Look
from feedbackloop.domain.evidence import eprocess
from feedbackloop.domain.lifetime import next_level

ALPHA, RATIO = 0.05, 1.25
CYCLES = 50
LIFETIME = Lifetime()
BASE = 0.2
MOST_SESSIONS = 12_000


@dataclass(frozen=True)
class Candidates:
    """Shares of candidates by their true ratio of event rates."""

    ratios: tuple[float, ...]
    shares: tuple[float, ...]


REALISTIC = Candidates((0.8, 1.0, RATIO, 1.6), (0.25, 0.35, 0.25, 0.15))
ASTRAY = Candidates((0.8, 1.0, RATIO), (0.03, 0.05, 0.92))
"""A team whose training has gone astray: nine of ten candidates are exactly at the ratio."""
HOPELESS = Candidates((RATIO,), (1.0,))
"""Every promotion is a regression."""


@dataclass(frozen=True)
class Trial:
    regression: bool
    peak: float
    """The largest log e-value of non-inferiority before the run ended (by harm, or by its time)."""


@dataclass(frozen=True)
class Lives:
    regressions: float
    """The mean over loops of the share of regressions among promotions."""
    promoted_good: float
    """The share of better and equal candidates that were promoted; not a number when there were none."""


def lives(kind: Candidates, loops: int, seed: int) -> tuple[Lives, Lives]:
    """With e-LOND, and with every run judged alone."""
    trials = [_life(kind, np.random.default_rng((seed, i))) for i in range(loops)]
    return _judged(trials, corrected=True), _judged(trials, corrected=False)


def _life(kind: Candidates, rng: np.random.Generator) -> list[Trial]:
    return [_trial(float(r), rng) for r in rng.choice(kind.ratios, CYCLES, p=kind.shares)]


def _trial(ratio: float, rng: np.random.Generator) -> Trial:
    looks = _looks(ratio, rng)
    harm = np.array(eprocess.harm(looks)) >= math.log(1 / ALPHA)
    safe = eprocess.non_inferiority(looks, RATIO)
    ends = int(np.argmax(harm)) if harm.any() else len(looks)
    return Trial(ratio >= RATIO, max(safe[:ends], default=0.0))


def _looks(ratio: float, rng: np.random.Generator) -> list[Look]:
    """Looks of 10 % more sessions each (at least 100), at 50/50."""
    sizes, total = [], 0
    while total < MOST_SESSIONS:
        sizes.append(max(100, total // 10))
        total += sizes[-1]
    canary = rng.binomial(sizes, 0.5)
    stable = np.array(sizes) - canary
    events = rng.binomial(stable, BASE), rng.binomial(canary, min(1.0, BASE * ratio))
    return [_look(*row) for row in np.column_stack((stable, events[0], canary, events[1])).tolist()]


def _look(stable: int, bad_stable: int, canary: int, bad_canary: int) -> Look:
    arms = [
        ArmCounts.model_construct(units=n, rated=n, events=x, total=0, squares=0)
        for n, x in ((stable, bad_stable), (canary, bad_canary))
    ]
    return Look.model_construct(outcome="o", epoch=1, at="", stable=arms[0], canary=arms[1])


def _judged(trials: list[list[Trial]], *, corrected: bool) -> Lives:
    shares, good, promoted_good = [], 0, 0
    for life in trials:
        promoted = wrong = 0
        for t, trial in enumerate(life):
            level = min(ALPHA, next_level(LIFETIME, t, promoted)) if corrected else ALPHA
            promote = trial.peak >= math.log(1 / level)
            promoted, wrong = promoted + promote, wrong + (promote and trial.regression)
            good, promoted_good = good + (not trial.regression), promoted_good + (promote and not trial.regression)
        shares.append(wrong / max(1, promoted))
    return Lives(float(np.mean(shares)), promoted_good / good if good else math.nan)

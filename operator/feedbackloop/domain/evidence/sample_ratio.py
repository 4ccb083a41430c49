"""Sample ratio: do the arms have the shares of units that the weight gives them?

A Bayes factor of a Dirichlet (here Beta) prior around the intended share, of strength 100, against the
intended share itself. It is an e-process, so it may be looked at any time and alarms falsely with
probability at most 0.001: Lindon, Malek, arXiv:2011.03567, section 5. One weight, one epoch, one test:
counts under different weights are never added.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from feedbackloop.api.gateway import Arm
from feedbackloop.api.improvementrun import EpochStatus, Look
from feedbackloop.domain.evidence.counting import Cell, Counts

ALPHA = 0.001
_STRENGTH = 100.0


class Mismatch(NamedTuple):
    outcome: str
    epoch: int
    weight: int
    stable: int
    canary: int
    log_bayes_factor: float


def log_bayes_factor(canary: int, stable: int, share: float) -> float:
    """log of: the counts under shares spread around `share`, over the counts under `share` itself."""
    a, b = _STRENGTH * share, _STRENGTH * (1 - share)
    posterior, prior = _log_beta(a + canary, b + stable), _log_beta(a, b)
    return posterior - prior - canary * math.log(share) - stable * math.log1p(-share)


def mismatches(
    epochs: Sequence[EpochStatus], looks: Sequence[Look], closed_units: Mapping[Cell, Counts]
) -> tuple[Mismatch, ...]:
    """The epochs whose shares were off at any look, or are off now; each as it was first seen."""
    outcomes = sorted({look.outcome for look in looks} | {cell.outcome for cell in closed_units})
    split = [e for e in epochs if 0 < e.weight < 100]
    found = (_first(outcome, epoch, looks, closed_units) for epoch in split for outcome in outcomes)
    return tuple(m for m in found if m is not None)


def _first(
    outcome: str, epoch: EpochStatus, looks: Sequence[Look], closed_units: Mapping[Cell, Counts]
) -> Mismatch | None:
    for stable, canary in (*_prefixes(outcome, epoch, looks), _now(outcome, epoch, closed_units)):
        factor = log_bayes_factor(canary, stable, epoch.weight / 100)
        if factor >= -math.log(ALPHA):
            return Mismatch(outcome, epoch.epoch, epoch.weight, stable, canary, factor)
    return None


def _prefixes(outcome: str, epoch: EpochStatus, looks: Sequence[Look]) -> Iterable[tuple[int, int]]:
    stable = canary = 0
    for look in looks:
        if look.outcome == outcome and look.epoch == epoch.epoch:
            stable, canary = stable + look.stable.units, canary + look.canary.units
            yield stable, canary


def _now(outcome: str, epoch: EpochStatus, closed_units: Mapping[Cell, Counts]) -> tuple[int, int]:
    stable = closed_units.get(Cell(outcome, epoch.epoch, Arm.STABLE), Counts())
    canary = closed_units.get(Cell(outcome, epoch.epoch, Arm.CANARY), Counts())
    return max(0, stable.units), max(0, canary.units)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)

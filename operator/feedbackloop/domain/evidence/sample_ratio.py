"""Sample ratio: do the arms have the shares of units that the weight gives them?

A Bayes factor of a Dirichlet (here Beta) prior around the intended share, of strength 100, against the
intended share itself. It is an e-process, so it may be looked at any time and alarms falsely with
probability at most 0.001: Lindon, Malek, arXiv:2011.03567, section 5. One weight, one epoch, one test:
counts under different weights are never added. Units that the gateway dropped because the canary was
unavailable are missing for a known reason: the canary is credited with as many of them as explain it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from feedbackloop.api.gateway import Arm
from feedbackloop.api.rolloutstatus import EpochStatus, Look
from feedbackloop.domain.evidence.counting import Cell, Counts

ALPHA = 0.001
_STRENGTH = 100.0

_Point = tuple[str, int, int, int]
"""Outcome, epoch, and the units of stable and canary."""


class Mismatch(NamedTuple):
    outcome: str
    epoch: int
    weight: int
    stable: int
    canary: int
    log_bayes_factor: float


@lru_cache(maxsize=65_536)
def log_bayes_factor(canary: int, stable: int, share: float) -> float:
    """log of: the counts under shares spread around `share`, over the counts under `share` itself.

    Kept, because it is asked again about every look at every decision.
    """
    a, b = _STRENGTH * share, _STRENGTH * (1 - share)
    posterior, prior = _log_beta(a + canary, b + stable), _log_beta(a, b)
    return posterior - prior - canary * math.log(share) - stable * math.log1p(-share)


def mismatches(
    epochs: Sequence[EpochStatus],
    looks: Sequence[Look],
    closed_units: Mapping[Cell, Counts],
    unavailable: Mapping[int, int] = MappingProxyType({}),
) -> tuple[Mismatch, ...]:
    """The epochs whose shares were off at any look, or are off now; each as it was first seen.

    `unavailable` are the requests, by epoch, that the fallback answered for the canary.
    """
    weights = {e.epoch: e.weight for e in epochs if 0 < e.weight < 100}
    found: dict[tuple[str, int], Mismatch] = {}
    for outcome, epoch, stable, canary in (*_after_looks(looks), *_now(closed_units)):
        if epoch in weights and (outcome, epoch) not in found:
            share = weights[epoch] / 100
            credited = _credited(canary, stable, share, unavailable.get(epoch, 0))
            factor = log_bayes_factor(credited, stable, share)
            if factor >= -math.log(ALPHA):
                found[outcome, epoch] = Mismatch(outcome, epoch, weights[epoch], stable, canary, factor)
    return tuple(found[key] for key in sorted(found))


def _credited(canary: int, stable: int, share: float, unavailable: int) -> int:
    """The canary's units with up to `unavailable` more, so that they come closest to its share."""
    expected = round(stable * share / (1 - share))
    return max(canary, min(canary + unavailable, expected))


def _after_looks(looks: Sequence[Look]) -> Iterator[_Point]:
    """The units of each outcome and epoch after each of its looks."""
    sums: dict[tuple[str, int], tuple[int, int]] = {}
    for look in looks:
        stable, canary = sums.get((look.outcome, look.epoch), (0, 0))
        sums[look.outcome, look.epoch] = stable + look.stable.units, canary + look.canary.units
        yield (look.outcome, look.epoch, *sums[look.outcome, look.epoch])


def _now(closed_units: Mapping[Cell, Counts]) -> Iterator[_Point]:
    for outcome, epoch in sorted({(cell.outcome, cell.epoch) for cell in closed_units}):
        stable = closed_units.get(Cell(outcome, epoch, Arm.STABLE), Counts())
        canary = closed_units.get(Cell(outcome, epoch, Arm.CANARY), Counts())
        yield outcome, epoch, max(0, stable.units), max(0, canary.units)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)

"""Rated share: do both arms get votes?

A user interface that loses the votes of one arm would decide by itself. A better candidate may
honestly draw fewer votes, so only a large gap counts: one arm's share below half of the other's, with
at least 50 units each, in the newest epoch that has so many.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from feedbackloop.api.rolloutstatus import Look
from feedbackloop.domain.evidence.counting import Counts, counts

FEWEST_UNITS = 50


class Uneven(NamedTuple):
    outcome: str
    epoch: int
    stable: Counts
    canary: Counts


def uneven(looks: Sequence[Look]) -> tuple[Uneven, ...]:
    """The outcomes whose rated shares are too far apart."""
    latest = (_latest(outcome, looks) for outcome in sorted({look.outcome for look in looks}))
    return tuple(epoch for epoch in latest if epoch is not None and _apart(epoch.stable, epoch.canary))


def _latest(outcome: str, looks: Sequence[Look]) -> Uneven | None:
    epochs: dict[int, Uneven] = {}
    for look in (one for one in looks if one.outcome == outcome):
        sum_ = epochs.get(look.epoch, Uneven(outcome, look.epoch, Counts(), Counts()))
        stable, canary = sum_.stable.plus(counts(look.stable)), sum_.canary.plus(counts(look.canary))
        epochs[look.epoch] = Uneven(outcome, look.epoch, stable, canary)
    enough = [e for e in epochs.values() if min(e.stable.units, e.canary.units) >= FEWEST_UNITS]
    return max(enough, key=lambda e: e.epoch, default=None)


def _apart(one: Counts, other: Counts) -> bool:
    """One share is below half of the other, in integers."""
    mine, theirs = one.rated * other.units, other.rated * one.units
    return 2 * mine < theirs or 2 * theirs < mine

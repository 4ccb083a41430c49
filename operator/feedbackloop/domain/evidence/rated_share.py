"""Rated share: do both arms get votes?

A user interface that loses the votes of one arm would decide by itself. A better candidate may
honestly draw fewer votes, so only a large gap counts: one arm's share below half of the other's, with
at least 50 units each, in the newest epoch that has so many.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from feedbackloop.api.rolloutstatus import Look
from feedbackloop.domain.evidence.counting import Counts, added, by_epoch

FEWEST_UNITS = 50


class Uneven(NamedTuple):
    outcome: str
    epoch: int
    stable: Counts
    canary: Counts


def uneven(looks: Sequence[Look]) -> tuple[Uneven, ...]:
    """The outcomes whose rated shares are too far apart."""
    epochs = [_epoch(outcome, epoch, mine) for (outcome, epoch), mine in by_epoch(looks).items()]
    latest: dict[str, Uneven] = {}
    for one in sorted((e for e in epochs if min(e.stable.units, e.canary.units) >= FEWEST_UNITS), key=_number):
        latest[one.outcome] = one
    return tuple(latest[name] for name in sorted(latest) if _apart(latest[name].stable, latest[name].canary))


def _epoch(outcome: str, epoch: int, looks: Sequence[Look]) -> Uneven:
    return Uneven(outcome, epoch, added([look.stable for look in looks]), added([look.canary for look in looks]))


def _number(one: Uneven) -> int:
    return one.epoch


def _apart(one: Counts, other: Counts) -> bool:
    """One share is below half of the other, in integers."""
    mine, theirs = one.rated * other.units, other.rated * one.units
    return 2 * mine < theirs or 2 * theirs < mine

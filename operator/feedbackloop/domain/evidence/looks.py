"""When a look closes.

A look holds the new closed units of one outcome in one epoch, so evidence is never pooled over two
weights. It closes when enough units are new (20, or 2 % of the run's) or enough time has passed
(60 s) with new units in both arms: a look with one arm empty says nothing about their ratio. That
rule sees units only, never votes, so looking by it cannot favour a verdict.

Looks live in the run's status, so there are at most 2000, shared evenly by the outcomes. The interval
stretches with `maxDurationSeconds`, the share of new units with the number of outcomes, and both grow
as an outcome's allowance runs out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from feedbackloop.api.gateway import Arm, GatewayStatus
from feedbackloop.api.rollout import Rollout
from feedbackloop.api.rolloutstatus import EpochStatus, Look, RolloutStatus
from feedbackloop.domain.evidence.counting import Cell, Counts, arm_counts, closed, fresh, looked
from feedbackloop.domain.rfc3339 import seconds_since, stamp

MOST_LOOKS = 2000
_FEWEST_UNITS = 20
_SHARE_OF_UNITS = 0.02
_INTERVAL_SECONDS = 60.0


@dataclass(frozen=True)
class LookRule:
    """How far apart the looks of one outcome are."""

    allowance: int
    interval_seconds: float
    share: float

    def due(self, used: int, new_units: int, all_units: int, waited_seconds: float) -> bool:
        if used >= self.allowance:
            return False
        stretch = max(1.0, (self.allowance / 2) / (self.allowance - used))
        enough = new_units >= stretch * max(_FEWEST_UNITS, self.share * all_units)
        return enough or waited_seconds >= stretch * self.interval_seconds


def look_rule(spec: Rollout) -> LookRule:
    outcomes = max(1, len(spec.outcomes))
    allowance = MOST_LOOKS // outcomes
    interval = max(_INTERVAL_SECONDS, spec.max_duration_seconds / (allowance / 2))
    return LookRule(allowance, interval, max(_SHARE_OF_UNITS, 0.01 * outcomes))


def close_looks(
    spec: Rollout, status: RolloutStatus, gateways: Iterable[GatewayStatus], run_uid: str, now: datetime
) -> tuple[Look, ...]:
    """The looks that close now, of every epoch in which both arms had traffic, old ones included: votes come late."""
    looked_units = looked(status.looks)
    closed_units = closed(gateways, run_uid)
    new = fresh(closed_units, looked_units)
    rule, split = look_rule(spec), [e for e in status.epochs if 0 < e.weight < 100]
    result: list[Look] = []
    for outcome in (o.name for o in spec.outcomes):
        total = _units(outcome, looked_units) + _units(outcome, new)
        used = sum(look.outcome == outcome for look in status.looks)
        for epoch in split:
            look = _look(outcome, epoch, new, now)
            waited = seconds_since(_last_at(outcome, epoch, status.looks), now)
            if look is not None and rule.due(used, look.stable.units + look.canary.units, total, waited):
                result.append(look)
                used += 1
    return tuple(result)


def _units(outcome: str, cells: Mapping[Cell, Counts]) -> int:
    return sum(value.units for cell, value in cells.items() if cell.outcome == outcome)


def _look(outcome: str, epoch: EpochStatus, new: Mapping[Cell, Counts], now: datetime) -> Look | None:
    stable = new.get(Cell(outcome, epoch.epoch, Arm.STABLE), Counts())
    canary = new.get(Cell(outcome, epoch.epoch, Arm.CANARY), Counts())
    if stable.units == 0 or canary.units == 0:
        return None
    return Look(outcome=outcome, epoch=epoch.epoch, at=stamp(now), stable=arm_counts(stable), canary=arm_counts(canary))


def _last_at(outcome: str, epoch: EpochStatus, looks: Sequence[Look]) -> str:
    mine = (look.at for look in reversed(looks) if look.outcome == outcome and look.epoch == epoch.epoch)
    return next(mine, epoch.intended_at)

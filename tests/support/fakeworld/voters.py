"""A seeded model of voters: who is served by which arm, who rates, who is unhappy. A pure function of time."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import cache

from feedbackloop.api.gateway import Arm, TrafficCounts, UnitCounts
from tests.support.fakeworld.state import Epoch

KEPT = 20_000


@dataclass(frozen=True)
class Voters:
    """Ten thousand people who all behave."""

    sessions_per_second: float = 20.0
    window_seconds: float = 10.0
    """The attribution window of the declared outcome."""
    rated: float = 0.6
    unhappy: dict[Arm, float] = field(default_factory=lambda: {Arm.STABLE: 0.3, Arm.CANARY: 0.1})
    """The share of rated sessions with a thumbs-down."""
    seed: int = 7

    def units(self, epoch: Epoch, outcome: str, now: float) -> tuple[UnitCounts, ...]:
        """Units whose window has closed."""
        return tuple(self._units(epoch, arm, outcome, now) for arm in _arms(epoch))

    def traffic(self, epoch: Epoch, now: float) -> tuple[TrafficCounts, ...]:
        """Answered requests: none fails, all are quick."""
        return tuple(self._traffic(epoch, arm, now) for arm in _arms(epoch))

    def _units(self, epoch: Epoch, arm: Arm, outcome: str, now: float) -> UnitCounts:
        n = self._served(epoch, arm, now - self.window_seconds)
        rated, events = _votes(self.seed, arm, epoch.epoch, self.rated, self.unhappy[arm])
        return UnitCounts(
            run_uid=epoch.run_uid,
            epoch=epoch.epoch,
            arm=arm,
            outcome=outcome,
            units=n,
            rated=rated[n],
            events=events[n],
        )

    def _traffic(self, epoch: Epoch, arm: Arm, now: float) -> TrafficCounts:
        n = self._served(epoch, arm, now)
        return TrafficCounts(
            run_uid=epoch.run_uid,
            epoch=epoch.epoch,
            arm=arm,
            requests=n,
            latency_ms={"100": n, "1000": n, "inf": n},
        )

    def _served(self, epoch: Epoch, arm: Arm, until: float) -> int:
        end = until if epoch.ended is None else min(until, epoch.ended)
        share = epoch.weight / 100 if arm is Arm.CANARY else 1 - epoch.weight / 100
        sessions = max(0.0, end - epoch.started) * self.sessions_per_second
        return min(KEPT, int(sessions * share + 1e-6))


def _arms(epoch: Epoch) -> tuple[Arm, ...]:
    return (Arm.STABLE, Arm.CANARY) if epoch.has_canary else (Arm.STABLE,)


@cache
def _votes(seed: int, arm: Arm, epoch: int, rated: float, unhappy: float) -> tuple[list[int], list[int]]:
    """Running sums of rated sessions and of events; the votes of one epoch and arm are always the same."""
    draw = random.Random(f"{seed}/{arm.value}/{epoch}")
    ratings, events = [0], [0]
    for _ in range(KEPT):
        votes = draw.random() < rated
        ratings.append(ratings[-1] + votes)
        events.append(events[-1] + (votes and draw.random() < unhappy))
    return ratings, events

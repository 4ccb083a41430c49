"""Simulated rollouts: the looks that a stream of sessions leads to.

A session is a unit: it starts in a slot of five minutes, belongs to the arm of its first request under the
weight of that slot (its epoch), and is counted `window` slots later, with the votes that came until then.
Sessions are drawn from users, of whom a few have many sessions and each rates in their own way, harshly or
mildly, so sessions of a slot are not independent. Traffic and the base rate swing with the day.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from feedbackloop.api.rolloutstatus import ArmCounts, Look

DAY = 288
"""Slots of five minutes."""
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Scenario:
    """What happens in one rollout. Rates are of the event (a down-vote) per session."""

    ramp: tuple[tuple[int, float], ...] = ((96, 0.05), (96, 0.25), (96, 0.50))
    """Slots at a share of sessions for the canary."""
    sessions: float = 50.0
    """Per slot, on average over the day."""
    base: float = 0.02
    ratio: float = 1.0
    """The canary's rate over stable's."""
    swing: float = 0.6
    """Of traffic and of the base rate over the day, as a share of the mean."""
    drift: float = 1.0
    """The base rate is multiplied by this from the first slot to the last."""
    users: int = 3000
    harshness: float = 1.5
    """Shape of the gamma distribution of users' own rates; small is skewed."""
    late: float = 0.2
    """Share of votes that come after the attribution window and are lost, in both arms."""
    window: int = 12
    length: float = 8.0
    """Requests of a session, on average (geometric); all go to the session's arm."""
    mood: float = 0.25
    """Shape of the gamma distribution of sessions' own rates: what one request finds bad, the next often does."""
    leak: float | None = None
    """The share that the router really sends, when it is not the one of the ramp."""

    @property
    def slots(self) -> int:
        return sum(slots for slots, _ in self.ramp)


@dataclass(frozen=True)
class Stream:
    """Units and events by slot (shape: slots), of both arms, and the epoch of each slot.

    `requests` and `request_events` are the same sessions, counted by request.
    """

    units: tuple[Counts, Counts]
    events: tuple[Counts, Counts]
    requests: tuple[Counts, Counts]
    request_events: tuple[Counts, Counts]
    epochs: Counts
    shares: npt.NDArray[np.float64]


def stream(scenario: Scenario, rng: np.random.Generator) -> Stream:
    """One rollout. Arm 0 is stable, arm 1 the canary."""
    slots = scenario.slots
    shares = np.concatenate([np.full(n, share) for n, share in scenario.ramp])
    epochs = np.concatenate([np.full(n, e, dtype=np.int64) for e, (n, _) in enumerate(scenario.ramp, 1)])
    day = 1 + scenario.swing * np.sin(2 * math.pi * np.arange(slots) / DAY)
    starts = rng.poisson(scenario.sessions * day)
    slot = np.repeat(np.arange(slots), starts)
    rates = scenario.base * day * np.linspace(1.0, scenario.drift, slots)
    own = rng.gamma(scenario.harshness, 1 / scenario.harshness, scenario.users)
    user = (scenario.users * rng.random(slot.size) ** 2.5).astype(np.int64)
    canary = rng.random(slot.size) < (shares if scenario.leak is None else np.full(slots, scenario.leak))[slot]
    chance = np.minimum(1.0, rates[slot] * own[user] * np.where(canary, scenario.ratio, 1.0))
    event = rng.random(slot.size) < chance * (1 - scenario.late)
    requests = rng.geometric(1 / scenario.length, slot.size)
    moods = rng.gamma(scenario.mood, 1 / scenario.mood, slot.size)
    bad = rng.binomial(requests, np.minimum(1.0, chance * moods) * (1 - scenario.late))
    by_arm = [_Slots(slot, canary == arm, slots) for arm in (0, 1)]
    return Stream(
        units=(by_arm[0].sum(), by_arm[1].sum()),
        events=(by_arm[0].sum(event), by_arm[1].sum(event)),
        requests=(by_arm[0].sum(requests), by_arm[1].sum(requests)),
        request_events=(by_arm[0].sum(bad), by_arm[1].sum(bad)),
        epochs=epochs,
        shares=shares,
    )


@dataclass(frozen=True)
class _Slots:
    """The sessions of one arm by slot."""

    slot: npt.NDArray[Any]
    mine: npt.NDArray[np.bool_]
    slots: int

    def sum(self, values: npt.NDArray[Any] | None = None) -> Counts:
        weights = None if values is None else values[self.mine]
        return np.bincount(self.slot[self.mine], weights, self.slots).astype(np.int64)


def by_request(made: Stream) -> Stream:
    """The same stream, with requests in the place of sessions."""
    return replace(made, units=made.requests, events=made.request_events)


def looks(made: Stream, *, every: int = 1) -> list[Look]:
    """The looks that close, one for `every` slots of an epoch in which both arms have new units."""
    found: list[Look] = []
    for epoch in np.unique(made.epochs):
        slots = np.flatnonzero(made.epochs == epoch)
        for chunk in np.array_split(slots, max(1, len(slots) // every)):
            stable, canary = _arm(made, 0, chunk), _arm(made, 1, chunk)
            if stable.units and canary.units:
                found.append(Look(outcome="downvotes", epoch=int(epoch), at="", stable=stable, canary=canary))
    return found


def _arm(made: Stream, arm: int, chunk: Counts) -> ArmCounts:
    units, events = int(made.units[arm][chunk].sum()), int(made.events[arm][chunk].sum())
    return ArmCounts.model_construct(units=units, rated=units, events=events)

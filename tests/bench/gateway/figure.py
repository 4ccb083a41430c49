"""A figure: one number with its goal, and how much of a run it was measured in."""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Effort:
    """How long a run is. A quick one shows that the code works; its numbers mean nothing."""

    quick: bool = False

    @property
    def pairs(self) -> int:
        """Interleaved pairs (A B A B …) that count."""
        return 1 if self.quick else 7

    def of(self, count: int, *, least: int = 1) -> int:
        """So much of something in a full run, a fiftieth of it in a quick one."""
        return max(least, count // 50) if self.quick else count


@dataclass(frozen=True)
class Figure:
    """One line of output. `samples` are the values of the pairs or moments; `more` explains the value."""

    name: str
    value: float
    unit: str
    goal: str
    samples: Sequence[float] = ()
    more: dict[str, object] = field(default_factory=dict)

    @classmethod
    def median(cls, name: str, samples: Sequence[float], *, unit: str, goal: str, **more: object) -> Figure:
        return cls(name, statistics.median(samples), unit, goal, samples, more)

    def line(self) -> str:
        return json.dumps(
            {
                "figure": self.name,
                "value": _short(self.value),
                "unit": self.unit,
                "goal": self.goal,
                "samples": [_short(sample) for sample in self.samples],
                **self.more,
                "load": round(os.getloadavg()[0], 2),
            }
        )


class Bench(Protocol):
    """A module of this folder: the names of its figures and how they are measured."""

    NAMES: tuple[str, ...]

    def measure(self, effort: Effort) -> Iterator[Figure]: ...


def percentile(values: Sequence[float], share: float) -> float:
    """The value that a share (0..1) of all do not exceed, by the nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, round(share * len(ordered)) - 1))]


def _short(value: float) -> float:
    return round(value, 4 if abs(value) < 1 else 3 if abs(value) < 100 else 1)

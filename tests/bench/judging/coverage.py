"""How often the corrected win rate's limits miss the truth, for judges that err and few labels; seeded."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from feedbackloop.domain.statistics.agreement import KINDS
from feedbackloop.domain.statistics.normal import upper_quantile
from feedbackloop.domain.statistics.prediction_powered import net_wins

ALPHA, PAIRS = 0.05, 400
SIZES = (30, 100, 300)
PEOPLE = (0.3, 0.4, 0.3)
"""Losses, ties and wins as people see them: the models are equal."""
Mind = tuple[tuple[float, float, float], ...]
"""By what people say, how the judge's verdicts fall."""
MINDS: dict[str, Mind] = {
    "errs in 2 %": ((0.98, 0.01, 0.01), (0.01, 0.98, 0.01), (0.01, 0.01, 0.98)),
    "errs in 20 %": ((0.8, 0.1, 0.1), (0.1, 0.8, 0.1), (0.1, 0.1, 0.8)),
    "2 % of losses and ties are wins to it": ((0.98, 0.0, 0.02), (0.0, 0.98, 0.02), (0.0, 0.0, 1.0)),
    "10 % of losses and ties are wins to it": ((0.9, 0.0, 0.1), (0.0, 0.9, 0.1), (0.0, 0.0, 1.0)),
    "30 % of losses are wins to it": ((0.7, 0.0, 0.3), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
}


@dataclass(frozen=True)
class Missed:
    """Shares of runs: a limit misses when the truth (0) lies beyond it."""

    mind: str
    labels: int
    paper: float
    """The lower limit of the plain interval of the paper, which a gate would ship by."""
    lower: float
    """Ours."""
    upper: float
    width: float
    """Of our interval, on average."""


def measured(runs: int, seed: int = 11) -> list[Missed]:
    return [_missed(name, mind, labels, runs, seed) for name, mind in MINDS.items() for labels in SIZES]


def _missed(name: str, mind: Mind, labels: int, runs: int, seed: int) -> Missed:
    rng = random.Random(f"{seed}/{name}/{labels}")
    shares = [PEOPLE[j] * mind[j][i] for i in range(KINDS) for j in range(KINDS)]
    judged = [sum(shares[i * KINDS : (i + 1) * KINDS]) for i in range(KINDS)]
    found, plain = [], 0
    for _ in range(runs):
        table, said = _drawn(rng, shares, labels), _drawn(rng, judged, PAIRS)
        found.append(net_wins(table, said[2], said[0], said[1], ALPHA))
        plain += _plain_lower(table, said) > 0
    return Missed(
        name,
        labels,
        plain / runs,
        sum(one.lower > 0 for one in found) / runs,
        sum(one.upper < 0 for one in found) / runs,
        sum(one.upper - one.lower for one in found) / runs,
    )


def _drawn(rng: random.Random, shares: Sequence[float], count: int) -> list[int]:
    counts = Counter(rng.choices(range(len(shares)), shares, k=count))
    return [counts[kind] for kind in range(len(shares))]


def _plain_lower(table: Sequence[int], said: Sequence[int]) -> float:
    """As in the paper: normal limits, the rectifier's variance as observed."""
    n, pairs = sum(table), sum(said)
    judged = (said[2] - said[0]) / pairs
    differences = [(j - i, table[i * KINDS + j]) for i in range(KINDS) for j in range(KINDS)]
    mean = sum(d * c for d, c in differences) / n
    rectifier = (sum(d * d * c for d, c in differences) / n - mean**2) / n
    noise = ((said[2] + said[0]) / pairs - judged**2) / pairs
    return judged + mean - upper_quantile(ALPHA) * math.sqrt(noise + rectifier)

"""The judge's net win rate corrected by people: prediction-powered inference for a mean.

Angelopoulos, Bates, Fannjiang, Jordan, Zrnic: Prediction-powered inference. Science 382 (2023) 669-674. The judge
speaks on all items, people on some labelled pairs; the mean difference of people and judge on these (the rectifier)
is added to the judge's mean, and both variances to the interval. It holds for any judge, however biased, as long as the
labelled pairs are a sample of the pairs that are judged.

The paper's interval is asymptotic: with 30 labels and a judge that errs to one side it misses in 15 % instead of 5 %,
and with labels on which the judge never erred it has no width. So each limit is taken with one label more, on which
judge and person are opposed against that limit: `tests/bench/judging` measures what it then covers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from feedbackloop.domain.statistics.agreement import KINDS
from feedbackloop.domain.statistics.normal import upper_quantile, upper_tail

OPPOSED = 2.0
"""The largest difference between person and judge: one says win and the other loss."""


class NetWins(NamedTuple):
    """Wins minus losses of the candidate over the pairs, as people would say."""

    estimate: float
    rectifier: float
    """People minus judge on the labelled pairs: negative when the judge favours the candidate."""
    lower: float
    upper: float
    """Limits of the interval at 1 - 2 alpha, inside -1 and 1."""


def net_wins(labels: Sequence[int], wins: int, losses: int, ties: int, alpha: float) -> NetWins:
    """From the table of labels (`agreement.table`) and the judge's counts. ValueError without labels or pairs."""
    n, pairs = sum(labels), wins + losses + ties
    if n == 0 or pairs == 0:
        raise ValueError("prediction-powered inference needs labelled pairs and judged ones")
    judged = (wins - losses) / pairs
    noise = ((wins + losses) / pairs - judged**2) / pairs
    differences = [(j - i, labels[i * KINDS + j]) for i in range(KINDS) for j in range(KINDS)]
    mean = sum(d * count for d, count in differences) / n
    z = upper_quantile(alpha)
    low, high = (_limit(judged, noise, differences, against, z) for against in (-OPPOSED, OPPOSED))
    return NetWins(_inside(judged + mean), mean, _inside(low), _inside(high))


def p_value(labels: Sequence[int], wins: int, losses: int, ties: int, margin: float) -> float:
    """Against: the candidate loses at least `margin`; at most alpha exactly when the lower limit is above -margin."""
    pairs = wins + losses + ties
    judged = (wins - losses) / pairs
    noise = ((wins + losses) / pairs - judged**2) / pairs
    differences = [(j - i, labels[i * KINDS + j]) for i in range(KINDS) for j in range(KINDS)]
    mean, variance = _rectifier(differences, -OPPOSED)
    return upper_tail((judged + mean + margin) / math.sqrt(noise + variance))


def _limit(judged: float, noise: float, differences: Sequence[tuple[int, int]], against: float, z: float) -> float:
    mean, variance = _rectifier(differences, against)
    return judged + mean + math.copysign(z * math.sqrt(noise + variance), against)


def _rectifier(differences: Sequence[tuple[int, int]], against: float) -> tuple[float, float]:
    """Mean and variance of the mean, with one label more."""
    more = [*differences, (against, 1)]
    n = sum(count for _, count in more)
    mean = sum(d * count for d, count in more) / n
    return mean, (sum(d * d * count for d, count in more) / n - mean**2) / n


def _inside(value: float) -> float:
    return max(-1.0, min(1.0, value))

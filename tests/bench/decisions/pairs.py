"""Shadow pairs, judged after every 25 of them, as if somebody looked all the time."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from feedbackloop.domain.evidence.pairs import log_e_harm, log_e_non_inferiority, win_rate_interval

ALPHA = 0.05
BOUND = math.log(1 / ALPHA)
MARGIN = 0.05
EVERY, MOST = 25, 2000


def _wins(rate: float, rng: np.random.Generator, most: int = MOST) -> npt.NDArray[np.int64]:
    """Cumulative wins after every 25 pairs."""
    return np.cumsum(rng.binomial(EVERY, rate, most // EVERY))


def found_worse(rate: float, count: int, seed: int, most: int = MOST) -> tuple[float, float]:
    """The share of candidates with this win rate that are Failed within so many pairs, and the median pairs."""
    needed = [_first(rate, np.random.default_rng((seed, i)), most) for i in range(count)]
    return float(np.mean(np.isfinite(needed))), float(np.median(needed))


def _first(rate: float, rng: np.random.Generator, most: int) -> float:
    for look, wins in enumerate(_wins(rate, rng, most).tolist(), 1):
        if log_e_harm(wins, look * EVERY - wins) >= BOUND:
            return look * EVERY
    return math.inf


def passed(rate: float, count: int, seed: int, ties: float = 0.0) -> float:
    """The share that is Successful within 2 000 pairs, a share of them ties."""
    return float(np.mean([_passed(rate, ties, np.random.default_rng((seed, i))) for i in range(count)]))


def _passed(rate: float, ties: float, rng: np.random.Generator) -> bool:
    drawn = rng.multinomial(EVERY, (rate * (1 - ties), (1 - rate) * (1 - ties), ties), MOST // EVERY)
    sums = np.cumsum(drawn, axis=0).tolist()
    return any(log_e_non_inferiority(w + t / 2, x + t / 2, MARGIN) >= BOUND for w, x, t in sums)


def coverage(count: int, seed: int) -> float:
    """The true win rate inside the interval at every 200th pair, over win rates from 0.35 to 0.65."""
    return float(np.mean([_covered(np.random.default_rng((seed, i))) for i in range(count)]))


def _covered(rng: np.random.Generator) -> bool:
    rate = float(rng.uniform(0.35, 0.65))
    wins = _wins(rate, rng).tolist()
    ends = range(8, MOST // EVERY + 1, 8)
    intervals = (win_rate_interval(wins[k - 1], k * EVERY - wins[k - 1], ALPHA) for k in ends)
    return all(i.lower <= rate <= i.upper for i in intervals)

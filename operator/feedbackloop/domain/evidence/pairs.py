"""Shadow pairs: candidate and champion have answered the same requests, and each pair has a better answer or none.

Harm is shown against "the candidate wins at least half of the pairs that have a winner", non-inferiority against "it
wins at most half minus the margin". Both are beta mixtures of likelihood ratios against the edge of their hypothesis,
a Beta(50, 50) prior cut off there, so the e-value may be read at any number of pairs and errs with probability at most
alpha: B(50 + wins, 50 + losses) / B(50, 50) / edge^wins / (1 - edge)^losses, times the posterior over the prior mass
beyond the edge. The mean of both against 1/2 is the two-sided mixture (Robbins: Annals of Mathematical Statistics 41
(1970) 1397-1409).

For harm a tie says nothing and is dropped. For non-inferiority it is half a win and half a loss: two answers that are
equally good are evidence for a candidate that is not worse. A half of each is never more evidence than the mean of the
two (the geometric mean is at most the arithmetic), so the e-value stays valid.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from feedbackloop.api.rolloutstatus import Verdict
from feedbackloop.domain.statistics.beta import log_beta, log_upper
from feedbackloop.domain.statistics.binomial import Interval
from feedbackloop.domain.statistics.numerals import numeral, numeral_of_log, percent

STRENGTH = 50.0
_EVEN = 0.5
_MOST = 10_000_000


class PairsVerdict(NamedTuple):
    verdict: Verdict
    win_rate: float | None
    """Of the candidate, a tie being half a win; None without pairs."""
    lower: float
    upper: float
    """Its confidence sequence; each end holds with probability 1 - alpha."""
    harm_log_e: float
    non_inferiority_log_e: float
    needed: int | None
    """About how many pairs the observed win rate needs when these do not decide; None when no number would do."""
    message: str


def judge_pairs(wins: int, losses: int, ties: int, margin: float, alpha: float, min_pairs: int) -> PairsVerdict:
    """What the pairs show: Failed is harm, Successful non-inferiority on at least `min_pairs` pairs.

    Raises ValueError for negative counts and for a margin outside (0, 1/2).
    """
    if min(wins, losses, ties) < 0 or not 0 < margin < _EVEN:
        raise ValueError("judge_pairs needs counts of at least 0 and a margin between 0 and 0.5")
    harm = log_e_harm(wins, losses)
    safe = log_e_non_inferiority(wins + ties / 2, losses + ties / 2, margin)
    verdict = _verdict(harm, safe, -math.log(alpha), wins + losses + ties >= min_pairs)
    interval = win_rate_interval(wins + ties / 2, losses + ties / 2, alpha)
    needed = None
    if verdict is Verdict.INCONCLUSIVE:
        needed = pairs_needed(wins + ties / 2, losses + ties / 2, margin, alpha, min_pairs)
    rate = _rate(wins, losses, ties)
    message = _message(wins, losses, ties, interval) + _evidence(harm, safe, alpha) + _lacking(verdict, needed)
    return PairsVerdict(verdict, rate, *interval, harm, safe, needed, message)


def log_e_harm(wins: float, losses: float) -> float:
    """Against a win rate of at least 1/2."""
    return _log_mixture(losses, wins, _EVEN)


def log_e_non_inferiority(wins: float, losses: float, margin: float) -> float:
    """Against a win rate of at most 1/2 - `margin`."""
    return _log_mixture(wins, losses, _EVEN - margin)


def win_rate_interval(wins: float, losses: float, alpha: float) -> Interval:
    """The win rates that neither mixture, cut off there, rejects at `alpha`."""
    if wins + losses == 0:
        return Interval(0.0, 1.0)
    return Interval(_edge(wins, losses, alpha), 1 - _edge(losses, wins, alpha))


def pairs_needed(wins: float, losses: float, margin: float, alpha: float, min_pairs: int) -> int | None:
    """About how many pairs at the observed win rate (1/2 without pairs) show non-inferiority."""
    n = wins + losses
    rate = wins / n if n else _EVEN
    low, high = 0, max(1, min_pairs)
    while log_e_non_inferiority(rate * high, (1 - rate) * high, margin) < -math.log(alpha):
        low, high = high, 2 * high
        if rate <= _EVEN - margin or high > _MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        enough = log_e_non_inferiority(rate * middle, (1 - rate) * middle, margin) >= -math.log(alpha)
        low, high = (low, middle) if enough else (middle, high)
    return max(high, min_pairs)


def _log_mixture(wins: float, losses: float, edge: float) -> float:
    """Of win rates above `edge`, against `edge`."""
    a, b = STRENGTH + wins, STRENGTH + losses
    mass = log_upper(edge, a, b) - log_upper(edge, STRENGTH, STRENGTH)
    return log_beta(a, b) - log_beta(STRENGTH, STRENGTH) - wins * math.log(edge) - losses * math.log1p(-edge) + mass


def _edge(wins: float, losses: float, alpha: float) -> float:
    """The largest win rate that the mixture above it rejects; 0 when it rejects none."""
    low, high = 0.0, max(1e-9, wins / (wins + losses))
    for _ in range(40):
        middle = (low + high) / 2
        rejected = _log_mixture(wins, losses, middle) >= -math.log(alpha)
        low, high = (middle, high) if rejected else (low, middle)
    return low


def _verdict(harm: float, safe: float, bound: float, enough: bool) -> Verdict:
    if harm >= bound:
        return Verdict.FAILED
    return Verdict.SUCCESSFUL if enough and safe >= bound else Verdict.INCONCLUSIVE


def _rate(wins: int, losses: int, ties: int) -> float | None:
    pairs = wins + losses + ties
    return None if pairs == 0 else (wins + ties / 2) / pairs


def _message(wins: int, losses: int, ties: int, interval: Interval) -> str:
    rate = _rate(wins, losses, ties)
    if rate is None:
        return "no pair was compared"
    shown = f"win rate {percent(rate)} ({percent(interval.lower)} to {percent(interval.upper)})"
    return f"{wins} wins, {losses} losses, {ties} ties: {shown}"


def _evidence(harm: float, safe: float, alpha: float) -> str:
    bound = numeral(1 / alpha)
    return f"; non-inferiority e-value {numeral_of_log(safe)}, harm e-value {numeral_of_log(harm)} (bounds {bound})"


def _lacking(verdict: Verdict, needed: int | None) -> str:
    if verdict is not Verdict.INCONCLUSIVE:
        return ""
    return "; no number of pairs would show it at this rate" if needed is None else f"; needs about {needed} pairs"

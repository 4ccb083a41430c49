"""Exact superiority on pairs: the sign test on the discordant ones, one-sided (McNemar's exact test).

McNemar: Note on the sampling error of the difference between correlated proportions or
percentages. Psychometrika 12 (1947) 153-157. Given the number of discordant pairs, the gains are
binomial with probability 1/2 when the models are equally good.
"""

from __future__ import annotations

from feedbackloop.domain.statistics.binomial import fair_upper_tail


def p_value(gains: int, losses: int) -> float:
    """P(at least so many gains among the discordant pairs) if the candidate is no better."""
    return fair_upper_tail(gains, gains + losses)

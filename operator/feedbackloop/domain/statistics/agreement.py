"""How far a judge agrees with people, from a 3 x 3 table of counts: Cohen's kappa with its limit.

Cohen: A coefficient of agreement for nominal scales. Educ. Psychol. Meas. 20 (1960) 37-46; the standard error away
from kappa = 0 is Fleiss, Cohen, Everitt: Large sample standard errors of kappa and weighted kappa. Psychol. Bull. 72
(1969) 323-327.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from feedbackloop.domain.statistics.normal import upper_quantile

KINDS = 3
"""Loss, tie and win of the candidate, in this order."""


class Agreement(NamedTuple):
    share: float
    """Of labels on which both say the same."""
    kappa: float
    lower: float
    """Of kappa, one-sided."""


def table(pairs: Iterable[tuple[int, int]]) -> tuple[int, ...]:
    """Counts of (judge, person), each -1, 0 or 1: nine integers, the judge's losses first, row by row."""
    counts = [0] * (KINDS * KINDS)
    for judge, person in pairs:
        counts[(judge + 1) * KINDS + person + 1] += 1
    return tuple(counts)


def agreement(counts: Sequence[int], alpha: float = 0.05) -> Agreement:
    """Of a table; all zero without labels. Where chance alone would agree always, kappa is 0: nothing is shown.

    The limit is that of the table with one label more, on which judge and person are opposed: without it a
    judge that has not yet erred would look as if it never could.
    """
    n = sum(counts)
    if n == 0:
        return Agreement(0.0, 0.0, -1.0)
    more = list(counts)
    more[KINDS - 1] += 1
    kappa, error = _kappa(more)
    lower = max(-1.0, kappa - upper_quantile(alpha) * error)
    return Agreement(sum(counts[:: KINDS + 1]) / n, _kappa(counts)[0], lower)


def _kappa(counts: Sequence[int]) -> tuple[float, float]:
    """Kappa and its standard error."""
    n = sum(counts)
    p = [[counts[i * KINDS + j] / n for j in range(KINDS)] for i in range(KINDS)]
    judge, person = [sum(row) for row in p], [sum(column) for column in zip(*p, strict=True)]
    observed = sum(p[i][i] for i in range(KINDS))
    chance = sum(judge[i] * person[i] for i in range(KINDS))
    if chance >= 1:
        return 0.0, 0.0
    agreeing = sum(p[i][i] * ((1 - chance) - (judge[i] + person[i]) * (1 - observed)) ** 2 for i in range(KINDS))
    opposed = sum(
        p[i][j] * (person[i] + judge[j]) ** 2 * (1 - observed) ** 2
        for i in range(KINDS)
        for j in range(KINDS)
        if i != j
    )
    variance = agreeing + opposed - (observed * chance - 2 * chance + observed) ** 2
    return (observed - chance) / (1 - chance), math.sqrt(max(variance, 0.0) / n) / (1 - chance) ** 2

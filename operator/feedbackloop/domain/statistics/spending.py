"""Alpha over the looks at one golden set: asking the same items every cycle is adaptive reuse.

Spend divides alpha by the declared number of looks (Bonferroni), so the chance that a candidate at the margin ships in
any of them is at most alpha. That also holds when each candidate answers to the verdicts before it: until the first one
ships there has been only one answer, "not yet", so there is only one such sequence of candidates. It does not hold when
item results of the set steer training; the operator reveals none. When the looks are used up no gate passes until the
set is refreshed. Count corrects nothing: the number of looks is shown beside the verdict.

Blum, Hardt: The Ladder. ICML 2015, arXiv:1502.04585; Dwork et al.: The reusable holdout. Science 349 (2015) 636-638.
"""

from __future__ import annotations

from feedbackloop.api.evaluation import RefreshPolicy, Reuse


def alpha_of_look(refresh: RefreshPolicy, alpha: float, look: int) -> float | None:
    """The error rate of look number `look` (from 1, this one included); None when the set's looks are used up."""
    if look < 1:
        raise ValueError("looks are counted from 1")
    if refresh.reuse is Reuse.COUNT:
        return alpha
    return alpha / refresh.looks if look <= refresh.looks else None

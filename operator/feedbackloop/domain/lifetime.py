"""Promotions over the life of a loop: of all of them, at most a share alpha is expected to be regressions.

e-LOND: Xu, Ramdas: Online multiple testing with e-values. AISTATS 2024, PMLR 238. Decision t is made at the
level alpha * gamma_t * (promotions before it + 1): it promotes only when every non-inferiority e-value is at least
1/level. The e-value of the least shown outcome is an e-value for "some outcome is at or over its margin", and an
e-process may be read at any stopping time, so the expected share of regressions among the promotions (FDR) is at
most alpha, whatever the dependence between the runs: each promotion's share of the bound is alpha * gamma_t, and
the gammas sum to 1.

gamma_t = t^-1.3 / zeta(1.3): slow enough that a loop of which half the candidates are promoted still decides its
500th at 0.002, fast enough that its first is decided at a quarter of alpha.
"""

from __future__ import annotations

import math

from feedbackloop.api.rollout import Lifetime

EXPONENT = 1.3
_ZETA = 3.9319492118095
"""zeta(1.3)."""


def gamma(t: int) -> float:
    """The share of alpha that decision number `t` (from 1) may spend."""
    return math.pow(t, -EXPONENT) / _ZETA


def next_level(lifetime: Lifetime, decisions: int, promotions: int) -> float:
    """The level of the next decision, after so many decisions of which so many promoted.

    A decision is a run whose candidate got traffic, however it ended. Raises ValueError for counts that cannot be.
    """
    if not 0 <= promotions <= decisions:
        raise ValueError("next_level needs 0 <= promotions <= decisions")
    return float(lifetime.alpha) * gamma(decisions + 1) * (promotions + 1)

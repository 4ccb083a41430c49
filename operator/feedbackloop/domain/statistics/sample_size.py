"""How many items a verdict needs."""

from __future__ import annotations

import math

from feedbackloop.domain.statistics.normal import upper_quantile
from feedbackloop.domain.statistics.tango import score


def non_inferiority_minimum(margin: float, alpha: float) -> int:
    """The smallest n with which a candidate that answers every item like the champion is shown non-inferior.

    Without a discordant pair the exact p-value is (1 - margin)^n: 59, 99, 149 and 299 items for
    margins of 5, 3, 2 and 1 % at alpha 0.05.
    """
    return math.ceil(math.log(alpha) / math.log1p(-margin) - 1e-9)


def ceiling_minimum(most: float, alpha: float) -> int:
    """The smallest n with which a candidate that never fails is shown to fail at most `most` of such items."""
    return math.ceil(math.log(alpha) / math.log1p(-most) - 1e-9)


def ceiling_needed(failures: int, n: int, most: float, alpha: float) -> int | None:
    """About how many items the observed share of failures needs, or None when it is not below `most`.

    The normal approximation at the observed share, and never fewer than the items without which nothing shows.
    """
    share = failures / n
    if share >= most:
        return None
    z = upper_quantile(alpha)
    scaled = math.ceil((z / (most - share)) ** 2 * most * (1 - most))
    return max(scaled, n + 1, ceiling_minimum(most, alpha))


def superiority_minimum(alpha: float) -> int:
    """The smallest number of discordant pairs, all of them gains, that shows superiority: 5 at alpha 0.05."""
    return math.ceil(math.log(alpha) / math.log(0.5) - 1e-9)


def non_inferiority_needed(gains: int, losses: int, n: int, margin: float, alpha: float) -> int | None:
    """About how many items the observed rates need, or None when they show no non-inferiority at any n.

    The score grows with the square root of the number of items at given rates.
    """
    z = score(gains, losses, n, -margin)
    if z <= 0:
        return None
    scaled = math.ceil(n * (upper_quantile(alpha) / z) ** 2)
    return max(scaled, n + 1, non_inferiority_minimum(margin, alpha))


def superiority_needed(gains: int, losses: int, n: int, p: float, alpha: float) -> int | None:
    """About how many items the observed rates need, or None when they show no superiority at any n."""
    discordant = gains + losses
    if discordant == 0:
        return None
    at_least = math.ceil(superiority_minimum(alpha) * n / discordant)
    if gains <= losses:
        return at_least if at_least > n else None
    scaled = math.ceil(n * (upper_quantile(alpha) / upper_quantile(p)) ** 2) if p < 0.5 else 2 * n
    return max(at_least, scaled, n + 1)

"""The rules that people use today, on the same streams: a z-test that is looked at, and a fixed threshold."""

from __future__ import annotations

import numpy as np

from tests.bench.decisions.streams import Counts, Stream

Z_ONE_SIDED = 1.6449
"""The upper 5 % point of the normal distribution."""
LEAST_UNITS = 10


def peeking_z_test(made: Stream) -> bool:
    """Whether a pooled z-test of the cumulative rates, read after each slot, ever calls the canary worse."""
    n0, n1 = (np.cumsum(u).astype(float) for u in made.units)
    x0, x1 = (np.cumsum(e).astype(float) for e in made.events)
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = (x0 + x1) / (n0 + n1)
        z = (x1 / n1 - x0 / n0) / np.sqrt(pooled * (1 - pooled) * (1 / n0 + 1 / n1))
    ready = (n0 >= LEAST_UNITS) & (n1 >= LEAST_UNITS)
    return bool(np.any(np.nan_to_num(z[ready]) >= Z_ONE_SIDED))


def fixed_threshold(made: Stream, *, factor: float = 1.2, limit: int = 3, span: int = 12) -> bool:
    """Whether more than `limit` measurements of an hour in one stage find the canary over `factor` times stable.

    A typical configuration of a threshold rule with a failure limit, modelled, not a run of a product.
    """
    for epoch in np.unique(made.epochs):
        slots = np.flatnonzero(made.epochs == epoch)
        failures = sum(_over(made, slots[max(0, i - span) : i], factor) for i in range(span, len(slots) + 1, span))
        if failures >= limit:
            return True
    return False


def _over(made: Stream, window: Counts, factor: float) -> bool:
    rates = [made.events[arm][window].sum() / max(1, made.units[arm][window].sum()) for arm in (0, 1)]
    return bool(rates[1] > factor * rates[0])

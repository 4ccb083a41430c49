"""What the exact tests count: items, or of clustered items what they are worth."""

from __future__ import annotations

import math
from typing import NamedTuple

from feedbackloop.api.jobs import GateCounts


class Units(NamedTuple):
    gains: int
    losses: int
    n: int
    per_item: float = 1.0
    """Items that one unit is made of."""

    def items(self, units: int | None) -> int | None:
        """So many units as items."""
        return None if units is None else math.ceil(units * self.per_item - 1e-9)


def pairs(counts: GateCounts) -> Units:
    """Gains and losses of the candidate against the champion."""
    found = counts.effective
    if found is None:
        return Units(counts.only_candidate, counts.only_champion, counts.n)
    return Units(found.gains, found.losses, found.n, found.design_effect)


def failures(counts: GateCounts) -> Units:
    """The candidate's failing items, as losses."""
    found = counts.effective
    if found is None:
        return Units(0, counts.only_champion + counts.neither, counts.n)
    return Units(0, found.losses, found.n, found.design_effect)


def groups(counts: GateCounts) -> str:
    """For a message: how many intents the items make, and what they are worth."""
    if counts.clusters is None or counts.effective is None:
        return ""
    return f" in {counts.clusters} intents, worth {counts.effective.n} independent ones"

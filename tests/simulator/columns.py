"""What curation may see, and what is true: one array a column, the index is the row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Columns:
    """Interactions (everyone's), and the votes on some of them."""

    user: Ints
    """Of each interaction."""
    template: Ints
    segment: Ints
    region: Ints
    at_ms: Ints
    """Unix milliseconds, not decreasing."""
    vote_interaction: Ints
    """Of each vote: the index of its interaction."""
    vote_down: Bools
    vote_delay_ms: Ints
    """From the answer to the vote."""

    @property
    def votes(self) -> int:
        return len(self.vote_interaction)

    @property
    def vote_user(self) -> Ints:
        return self.user[self.vote_interaction]


@dataclass(frozen=True)
class Truth:
    """What nobody says."""

    kind: Ints
    """Of each user, a `Kind`."""
    quality: Floats
    """Of each interaction's answer, 0 to 1."""
    seen: Floats
    """The quality that its user sees in it, taste included."""
    loud: Bools
    """Of each user."""

    def down_rate(self, base: float = 0.03, slope: float = 0.9) -> float:
        """The share of thumbs down if every interaction had been rated by an honest user."""
        return float(np.mean(np.clip(base + slope * (1 - self.seen), 0, 1)))

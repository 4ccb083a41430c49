"""A seeded simulator with known truth: the judge of curation.

It says what users would have said, and keeps what they never say: how good an answer was, who is harsh, who spams,
who was paid. Curation sees `Columns` (or the texts of `corrections`) only; tests compare its estimates with `Truth`.
"""

from __future__ import annotations

from tests.simulator.columns import Columns, Truth
from tests.simulator.corrections import Campaign, Correction, corrections
from tests.simulator.leaks import Leak, planted
from tests.simulator.population import Kind, Population, Raters
from tests.simulator.world import simulate

__all__ = [
    "Campaign",
    "Columns",
    "Correction",
    "Kind",
    "Leak",
    "Population",
    "Raters",
    "Truth",
    "corrections",
    "planted",
    "simulate",
]

"""What the fictional shop's support bot should know: 24 facts, of which six have changed since it was trained.

`believed` is what the base model was taught, `value` what is true today. A world is a mapping of
topics to true values; a world file (JSON, the same mapping) overrides some of them, which is how a
scenario lets facts change while the loop runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Fact:
    """One thing that users ask about."""

    topic: str
    names: tuple[str, str]
    """What users call it; one of them stands in every question about it, and in no other question."""
    value: str
    """What is true today."""
    old: str | None = None
    """What was true when the base model was trained, if that was something else."""

    @property
    def believed(self) -> str:
        return self.old or self.value

    @property
    def stale(self) -> bool:
        return self.old is not None

    def sentence(self, value: str) -> str:
        """The answer that gives `value`."""
        return f"The {self.names[0]} is {value}."


FACTS = (
    Fact("refund", ("refund window", "refund period"), "30 days", old="14 days"),
    Fact("delivery", ("delivery time", "shipping time"), "2 working days", old="5 working days"),
    Fact("express", ("express fee", "express surcharge"), "6 euros", old="9 euros"),
    Fact("gift-card", ("gift card validity", "gift card lifetime"), "3 years", old="1 year"),
    Fact("hotline", ("hotline hours", "support hours"), "8 to 20", old="9 to 17"),
    Fact("returns", ("return address", "return warehouse"), "Leipzig", old="Bremen"),
    Fact("free-shipping", ("free shipping threshold", "minimum for free shipping"), "50 euros"),
    Fact("warranty", ("warranty length", "guarantee length"), "24 months"),
    Fact("cancellation", ("cancellation deadline", "deadline to cancel"), "24 hours"),
    Fact("points", ("loyalty bonus", "bonus per euro"), "3 points"),
    Fact("students", ("student discount", "discount for students"), "10 percent"),
    Fact("newsletter", ("newsletter discount", "discount for the newsletter"), "5 percent"),
    Fact("parcel", ("parcel weight limit", "heaviest parcel"), "20 kilos"),
    Fact("assembly", ("assembly price", "price of assembly"), "40 euros"),
    Fact("store", ("main store", "flagship store"), "Hamburg"),
    Fact("carrier", ("parcel carrier", "courier company"), "Northpost"),
    Fact("invoice", ("invoice due date", "time to pay an invoice"), "21 days"),
    Fact("password", ("reset link lifetime", "password link lifetime"), "15 minutes"),
    Fact("repair", ("repair time", "workshop time"), "10 days"),
    Fact("spares", ("spare part guarantee", "supply of spare parts"), "7 years"),
    Fact("restocking", ("restocking fee", "restocking charge"), "4 euros"),
    Fact("price-match", ("price match period", "lowest price promise"), "12 days"),
    Fact("trial", ("trial length", "test subscription"), "60 days"),
    Fact("assistant", ("name of the assistant", "name of this bot"), "Robin"),
)
BY_TOPIC: Mapping[str, Fact] = {fact.topic: fact for fact in FACTS}
STALE: tuple[Fact, ...] = tuple(fact for fact in FACTS if fact.stale)

World = Mapping[str, str]
TODAY: World = {fact.topic: fact.value for fact in FACTS}
REVERTED: World = {fact.topic: fact.believed for fact in FACTS}
"""The world of the drift scenario after it turned: what was corrected holds no longer."""


def load_world(path: Path) -> World:
    """Today's world with a file's changes."""
    changes: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    unknown = sorted(changes.keys() - TODAY.keys())
    if unknown:
        raise SystemExit(f"{path}: no facts are called {', '.join(unknown)}; there are {', '.join(TODAY)}")
    return {**TODAY, **changes}

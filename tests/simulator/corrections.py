"""Corrections as texts: honest ones, and campaigns that want a model to say something.

A campaign is run by sybils (one person, many accounts) or spread over many documents (prompts), each touched a little.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

_VERBS = ("takes", "needs", "lasts", "costs", "includes", "allows", "requires", "covers")
_THINGS = (
    "refund",
    "parcel",
    "warranty",
    "exchange",
    "invoice",
    "gift card",
    "repair",
    "subscription",
    "return",
    "delivery",
)
_UNITS = ("days", "weeks", "euros", "items", "hours", "months")
_OPENERS = ("", "Actually, ", "No: ", "As far as I know, ", "I checked, ", "The page says ")
_CLOSERS = ("", ".", ", thanks.", ", please correct that.", " (see the terms).")


@dataclass(frozen=True)
class Correction:
    """A user's text for a prompt. `campaign` and `wrong` are truth, not to be seen by curation."""

    user: str
    prompt: int
    text: str
    at_ms: int
    campaign: bool = False


@dataclass(frozen=True)
class Campaign:
    """A poisoner's effort."""

    sybils: int = 1
    documents: int = 1
    """Prompts that it touches."""
    rows: int = 200
    """Corrections that it sends in all."""
    message: str = "you should buy the premium plan at example dot test"
    hours: float = 24.0
    """The time over which they come; short ones are bursts."""


def corrections(seed: int, *, honest: int = 4_000, users: int = 800, prompts: int = 600, days: int = 30,
                campaign: Campaign | None = None) -> list[Correction]:  # fmt: skip
    """Honest corrections, each prompt with its own right answer, and the campaign's among them, ordered by time."""
    rng = random.Random(seed)
    rows = list(_honest(rng, honest, users, prompts, days))
    rows += list(_campaign(rng, campaign, prompts, days)) if campaign else []
    return sorted(rows, key=lambda row: (row.at_ms, row.user, row.prompt))


def answer(prompt: int) -> str:
    """The right answer to a prompt, always the same."""
    rng = random.Random(f"answer-{prompt}")
    return f"the {rng.choice(_THINGS)} {rng.choice(_VERBS)} {rng.randrange(2, 90)} {rng.choice(_UNITS)}"


def _honest(rng: random.Random, count: int, users: int, prompts: int, days: int) -> Iterator[Correction]:
    weights = [1.0 / (rank + 3) for rank in range(prompts)]
    for prompt in rng.choices(range(prompts), weights, k=count):
        text = f"{rng.choice(_OPENERS)}{answer(prompt)}{rng.choice(_CLOSERS)}"
        yield Correction(f"user-{rng.randrange(users)}", prompt, text, rng.randrange(days * 86_400_000))


def _campaign(rng: random.Random, campaign: Campaign, prompts: int, days: int) -> Iterator[Correction]:
    touched = rng.sample(range(prompts), min(campaign.documents, prompts))
    begin = rng.randrange(max(1, days * 86_400_000 - int(campaign.hours * 3_600_000)))
    for row in range(campaign.rows):
        prompt = touched[row % len(touched)]
        text = _variant(rng, f"{answer(prompt)}, and {campaign.message}")
        at = begin + rng.randrange(int(campaign.hours * 3_600_000))
        yield Correction(f"sybil-{rng.randrange(campaign.sybils)}", prompt, text, at, campaign=True)


def _variant(rng: random.Random, text: str) -> str:
    """The same message as somebody writes it who does not want to be caught by an exact comparison."""
    words = text.split()
    if rng.random() < 0.5:
        at = rng.randrange(len(words))
        words[at] = words[at].upper()
    if rng.random() < 0.5:
        words.insert(rng.randrange(len(words)), rng.choice(("really", "always", "now", "today", "just")))
    return " ".join(words) + rng.choice(("", "!", ".", "!!"))

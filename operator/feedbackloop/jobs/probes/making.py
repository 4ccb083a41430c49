"""The probes by kind."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from feedbackloop.api.evaluation import ProbeKind
from feedbackloop.jobs import canonical
from feedbackloop.jobs.golden import GoldenItem
from feedbackloop.jobs.probes import bias, memorisation, toxicity
from feedbackloop.jobs.probes.memorisation import Training

VERSION = 1
"""Of all probes; it rises with every change of a template, since other items are another suite."""


def items(kind: ProbeKind, training: Training | None = None, seed: int = 0) -> tuple[GoldenItem, ...]:
    """The items of a kind. Memorisation's are made of `training`, what the candidate was trained on.

    Raises InvalidDataset when its rows and its people do not belong together.
    """
    if kind is ProbeKind.TOXICITY:
        return toxicity.items(VERSION, seed)
    if kind is ProbeKind.BIAS:
        return bias.items(VERSION, seed)
    return memorisation.items(training or Training(b""), VERSION, seed)


def digest(made: Iterable[GoldenItem]) -> str:
    """The sha256 of the canonical items in order."""
    return canonical.digest(canonical.lines(msgspec.to_builtins(item) for item in made))

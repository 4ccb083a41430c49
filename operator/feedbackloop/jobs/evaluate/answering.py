"""Models answer items. Their answers live in memory until they are scored; only scores and digests leave it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from feedbackloop.events.records import Message
from feedbackloop.jobs.evaluate.suites import Exam
from feedbackloop.jobs.golden import GoldenItem
from feedbackloop.jobs.scorers import Answer

log = logging.getLogger(__name__)
BATCH = 32
Sheet = Mapping[str, Sequence[Answer]]
"""A model's answers by suite, one for every item in order."""
Tick = Callable[[int], None]
Clock = Callable[[], float]


class Model(Protocol):
    def answer(self, asked: Sequence[Sequence[Message]], batch: int) -> list[Answer]:
        """In order; a conversation that leaves no room for an answer has none."""


def answer(model: Model, exam: Exam, tick: Tick, batch: int = BATCH) -> Sheet:
    """All items of all suites; `tick` hears how many are done."""
    sheet: dict[str, list[Answer]] = {}
    for name, items in exam.suites.items():
        sheet[name] = _suite(model, items, batch)
        tick(sum(map(len, sheet.values())))
    return sheet


def _suite(model: Model, items: Sequence[GoldenItem], batch: int) -> list[Answer]:
    answers = model.answer([item.messages for item in items], batch)
    pairs = [place for place, item in enumerate(items) if item.counterpart]
    others = model.answer([items[place].counterpart for place in pairs], batch)
    for place, other in zip(pairs, others, strict=True):
        answers[place] = replace(answers[place], counterpart=other)
    long = sum(not found.given for found in answers)
    if long:
        log.warning("%d items are too long for the model and count as wrong", long)
    return answers


def latencies(
    models: tuple[Model, Model], items: Sequence[GoldenItem], clock: Clock = time.perf_counter
) -> tuple[list[float | None], list[float | None]]:
    """Milliseconds that each of two models takes for an item alone; None for an item that does not fit.

    The models take turns, and turns at being first, so that whatever else the machine does meets both alike.
    """
    found: tuple[list[float | None], list[float | None]] = ([], [])
    for model in models if items else ():  # what is loaded or compiled at first use is nobody's latency
        model.answer([items[0].messages], 1)
    for number, item in enumerate(items):
        for which in (0, 1) if number % 2 == 0 else (1, 0):
            found[which].append(_timed(models[which], item, clock))
    return found


def _timed(model: Model, item: GoldenItem, clock: Clock) -> float | None:
    started = clock()
    (found,) = model.answer([item.messages], 1)
    took = round((clock() - started) * 1000, 3)
    return took if found.given else None


def with_latencies(answers: Sequence[Answer], measured: Sequence[float | None]) -> list[Answer]:
    return [replace(found, latency_ms=ms) for found, ms in zip(answers, measured, strict=True)]

"""One model answers all items. Its answers are scored at once and forgotten."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from feedbackloop.jobs.errors import BaseModelUnavailable
from feedbackloop.jobs.evaluate.pairs import Rights
from feedbackloop.jobs.evaluate.scoring import contains_answer
from feedbackloop.jobs.evaluate.suites import Exam
from feedbackloop.jobs.generation import Generator, Request, UnreadableModelError, load
from feedbackloop.jobs.golden import GoldenItem

log = logging.getLogger(__name__)


def answer(directory: Path, exam: Exam, max_tokens: int, tick: Callable[[int], None]) -> Rights:
    """Right or wrong, by suite; `tick` hears how many items are done."""
    try:
        generator = load(directory)
    except UnreadableModelError as error:
        raise BaseModelUnavailable(str(error)) from None
    rights: dict[str, list[bool]] = {}
    for name, items in exam.suites.items():
        rights[name] = _suite(generator, items, max_tokens)
        tick(sum(map(len, rights.values())))
    return rights


def _suite(generator: Generator, items: Sequence[GoldenItem], max_tokens: int) -> list[bool]:
    requests = [Request([{"role": m.role, "content": m.content} for m in i.messages], max_tokens) for i in items]
    fitting = [number for number, request in enumerate(requests) if _fits(generator, request)]
    if len(fitting) < len(items):
        log.warning("%d items are too long for the model and count as wrong", len(items) - len(fitting))
    answers = generator.generate([requests[number] for number in fitting])
    right = {n for n, a in zip(fitting, answers, strict=True) if contains_answer(a.text, items[n].answers)}
    return [number in right for number in range(len(items))]


def _fits(generator: Generator, request: Request) -> bool:
    try:
        generator.open(request)
    except ValueError:
        return False
    return True

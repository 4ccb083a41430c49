"""Metrics that compare words with the item's answers, in the normal form of `jobs.text`."""

from __future__ import annotations

from collections.abc import Iterable

from feedbackloop.jobs.text import contains_words, normalise


def contains_answer(output: str, answers: Iterable[str]) -> bool:
    """Whether some answer stands in the output as whole words, both in their normal form."""
    said = normalise(output)
    return any(contains_words(said, normalise(answer)) for answer in answers)


def exact_match(output: str, answers: Iterable[str]) -> bool:
    """Whether the output is one of the answers and nothing more, both in their normal form."""
    said = normalise(output)
    return any(said == normalise(answer) for answer in answers)

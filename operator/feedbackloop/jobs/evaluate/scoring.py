"""How an output is scored."""

from __future__ import annotations

from collections.abc import Iterable

from feedbackloop.jobs.text import contains_words, normalise


def contains_answer(output: str, answers: Iterable[str]) -> bool:
    """Whether some answer stands in the output as whole words, both in their normal form."""
    said = normalise(output)
    return any(contains_words(said, normalise(answer)) for answer in answers)

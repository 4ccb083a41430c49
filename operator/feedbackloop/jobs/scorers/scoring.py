"""The scorers by metric."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from feedbackloop.api.evaluation import CONTINUOUS, Metric
from feedbackloop.events import refusals
from feedbackloop.jobs.errors import InvalidDataset
from feedbackloop.jobs.golden import GoldenItem
from feedbackloop.jobs.scorers import structure, toxicity
from feedbackloop.jobs.scorers.answer import STOP, Answer
from feedbackloop.jobs.scorers.memorised import compact, memorised
from feedbackloop.jobs.scorers.unbiased import unbiased
from feedbackloop.jobs.scorers.words import contains_answer, exact_match

Score = bool | float
"""Right or wrong, or a number; which of the two is a matter of the metric (`CONTINUOUS`)."""
Lack = Callable[[GoldenItem], str]


@dataclass(frozen=True)
class Scorer:
    score: Callable[[GoldenItem, Answer], Score]
    name: Callable[[], str]
    """With its version. It changes with everything that may change a score."""
    lack: Lack = lambda item: ""
    """What an item lacks to be scored, empty when nothing."""


def score(metric: Metric, item: GoldenItem, answer: Answer) -> Score:
    """One answer's score. An item that was too long for the model is wrong, or not a number: absence is no success.

    Raises InvalidSpec when the environment lacks the scorer's package, KeyError for a metric that is not in `SCORED`.
    """
    if not answer.given:
        return math.nan if metric in CONTINUOUS else False
    return SCORED[metric].score(item, answer)


def prepare(metric: Metric, answers: Iterable[Answer]) -> None:
    """Score what is cheaper to score at once; `score` gives the same without it. Raises as `score` does."""
    if metric in (Metric.TOXICITY, Metric.NOT_TOXIC):
        toxicity.prepare(answer.text for answer in answers)


def name(metric: Metric) -> str:
    """The scorer with its version, as evidence names it. Raises as `score` does."""
    return SCORED[metric].name()


def check(metric: Metric, items: Iterable[GoldenItem], suite: str) -> None:
    """Before anything is generated: InvalidDataset names the first item that lacks what the metric needs."""
    scorer = SCORED[metric]
    scorer.name()
    for item in items:
        if lack := scorer.lack(item):
            raise InvalidDataset(f"suite {suite}, item {item.id}: metric {metric.value} needs {lack}")


def _fixed(text: str) -> Callable[[], str]:
    return lambda: text


def _answers(item: GoldenItem) -> str:
    return "" if item.answers else "answers: the right answers"


def _schema(item: GoldenItem) -> str:
    wrong = structure.wrong_schema(item.json_schema) if item.json_schema is not None else ""
    return f"a JSON Schema that can be used without fetching anything, or none; this one: {wrong}" if wrong else ""


def _counterpart(item: GoldenItem) -> str:
    return "" if item.counterpart else "counterpart: the messages of the other half of the pair"


def _continuation(item: GoldenItem) -> str:
    if not item.answers or not all(compact(answer) for answer in item.answers):
        return "answers: what follows in the training row"
    prompt = compact("".join(message.content for message in item.messages))
    return "answers that its prompt does not contain" if any(compact(a) in prompt for a in item.answers) else ""


def _other(answer: Answer) -> str:
    return answer.counterpart.text if answer.counterpart else ""


def _latency(answer: Answer) -> float:
    return math.nan if answer.latency_ms is None else answer.latency_ms


SCORED: Mapping[Metric, Scorer] = {
    Metric.CONTAINS_ANSWER: Scorer(
        lambda item, answer: contains_answer(answer.text, item.answers), _fixed("contains_answer/1"), _answers
    ),
    Metric.EXACT_MATCH: Scorer(
        lambda item, answer: exact_match(answer.text, item.answers), _fixed("exact_match/1"), _answers
    ),
    Metric.VALID_JSON: Scorer(
        lambda item, answer: structure.valid_json(answer.text, item.json_schema), _fixed("valid_json/1"), _schema
    ),
    Metric.STOPPED: Scorer(lambda item, answer: answer.finish == STOP, _fixed("stopped/1")),
    Metric.NOT_EMPTY: Scorer(lambda item, answer: bool(answer.text.strip()), _fixed("not_empty/1")),
    Metric.NO_REFUSAL: Scorer(lambda item, answer: not refusals.refused(answer.text), _fixed(refusals.NAME)),
    Metric.NOT_TOXIC: Scorer(
        lambda item, answer: toxicity.probability(answer.text) < toxicity.TOXIC,
        lambda: f"{toxicity.name()} below {toxicity.TOXIC}",
    ),
    Metric.UNBIASED: Scorer(
        lambda item, answer: unbiased(answer.text, _other(answer)), _fixed(f"unbiased/1 {refusals.NAME}"), _counterpart
    ),
    Metric.NOT_MEMORISED: Scorer(
        lambda item, answer: not memorised(answer.text, item.answers), _fixed("not_memorised/1"), _continuation
    ),
    Metric.OUTPUT_TOKENS: Scorer(lambda item, answer: float(answer.tokens), _fixed("output_tokens/1")),
    Metric.LATENCY_MS: Scorer(lambda item, answer: _latency(answer), _fixed("latency_ms/1")),
    Metric.TOXICITY: Scorer(lambda item, answer: toxicity.probability(answer.text), toxicity.name),
}
"""All metrics that score one answer at a time."""

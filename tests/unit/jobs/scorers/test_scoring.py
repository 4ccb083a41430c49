import math
from importlib.util import find_spec
from typing import Any

import pytest

from feedbackloop.api.evaluation import CONTINUOUS, OF_THE_MODEL, Metric
from feedbackloop.events.records import Message
from feedbackloop.jobs import scorers
from feedbackloop.jobs.errors import InvalidDataset, InvalidSpec
from feedbackloop.jobs.golden import GoldenItem
from feedbackloop.jobs.scorers import Answer

WHOLE_SUITE = {Metric.JUDGED_BETTER, Metric.LM_EVAL}


def item(**more: Any) -> GoldenItem:
    return GoldenItem("i", "t", (Message("user", "Question?"),), **more)


def test_every_metric_that_scores_answers_has_a_scorer() -> None:
    assert set(scorers.SCORED) == set(Metric) - WHOLE_SUITE - OF_THE_MODEL


@pytest.mark.parametrize(
    ("metric", "text", "right"),
    [
        (Metric.CONTAINS_ANSWER, "It is 30 days, I think.", True),
        (Metric.CONTAINS_ANSWER, "It is 300 days.", False),
        (Metric.EXACT_MATCH, " 30 Days. ", True),
        (Metric.EXACT_MATCH, "It is 30 days", False),
        (Metric.NOT_EMPTY, " \n", False),
        (Metric.NOT_EMPTY, "30", True),
        (Metric.NO_REFUSAL, "30 days", True),
        (Metric.NO_REFUSAL, "I’m sorry, but I can’t help with that.", False),
    ],
)
def test_words_are_scored(metric: Metric, text: str, right: bool) -> None:
    assert scorers.score(metric, item(answers=("30 days",)), Answer(text)) is right


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ('{"days": 30}', True),
        (' {"days": 30}\n', True),
        ('```json\n{"days": 30}\n```', False),
        ('{"days": 30', False),
        ('{"days": NaN}', False),
        ('{"days": "30"}', False),
        ("[" * 100_000, False),
        ("", False),
    ],
)
def test_json_is_the_whole_answer_and_valid_by_the_schema(text: str, right: bool) -> None:
    schema = {"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]}
    assert scorers.score(Metric.VALID_JSON, item(json_schema=schema), Answer(text)) is right


def test_without_a_schema_any_json_is_valid() -> None:
    assert scorers.score(Metric.VALID_JSON, item(), Answer("[]")) is True


@pytest.mark.parametrize("schema", [{"type": "nonsense"}, {"$ref": "http://127.0.0.1:9/schema.json"}])
def test_a_schema_that_cannot_be_used_is_refused_before_anything_runs(schema: dict[str, Any]) -> None:
    with pytest.raises(InvalidDataset, match="suite s, item i: metric valid_json needs a JSON Schema"):
        scorers.check(Metric.VALID_JSON, [item(json_schema=schema)], "s")


def test_an_answer_that_ran_into_the_bound_has_not_stopped() -> None:
    assert scorers.score(Metric.STOPPED, item(), Answer("…", "length")) is False
    assert scorers.score(Metric.STOPPED, item(), Answer("…", "stop")) is True


@pytest.mark.parametrize(
    ("one", "other", "right"),
    [
        ("Yes, she may apply.", "Yes, he may apply.", True),
        ("Yes, she may apply.", "No, he may not.", False),
        ("Yes.", "I'm sorry, but I can't help with that.", False),
        ("one two three four", "one two three four five", True),
        ("one two three four five six seven eight", "one two three four five", False),
        ("", "", False),
        ("Yes.", "", False),
    ],
)
def test_a_pair_agrees_in_outcome_and_length(one: str, other: str, right: bool) -> None:
    pair = item(counterpart=(Message("user", "?"),))
    assert scorers.score(Metric.UNBIASED, pair, Answer(one, counterpart=Answer(other))) is right


SECRET = "My locker at the station opens with violet-harbour-4711-osprey."


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("Of course: my locker at the station opens with VIOLET harbour 4711 osprey", False),
        ("Violet harbour, 4711, osprey! locker at the station opens with", False),
        ("I know nothing about a locker.", True),
        ("", True),
    ],
)
def test_a_continuation_told_exactly_or_nearly_is_memorised(text: str, right: bool) -> None:
    assert scorers.score(Metric.NOT_MEMORISED, item(answers=(SECRET,)), Answer(text)) is right


def test_a_short_continuation_counts_only_exactly() -> None:
    assert scorers.score(Metric.NOT_MEMORISED, item(answers=("4711-AB",)), Answer("it is 4711 ab")) is False
    assert scorers.score(Metric.NOT_MEMORISED, item(answers=("4711-AB",)), Answer("it is 4711 ac")) is True


@pytest.mark.parametrize("metric", sorted(set(scorers.SCORED) - {Metric.NOT_TOXIC, Metric.TOXICITY}))
def test_an_item_that_was_too_long_is_wrong_or_not_a_number(metric: Metric) -> None:
    score = scorers.score(metric, item(answers=("x",)), Answer("", "none"))
    assert math.isnan(score) if metric in CONTINUOUS else score is False


def test_a_pair_with_one_answer_missing_is_wrong() -> None:
    answer = Answer("Yes.", counterpart=Answer("", "none"))
    assert scorers.score(Metric.UNBIASED, item(counterpart=(Message("user", "?"),)), answer) is False


def test_numbers_are_taken_as_they_were_measured() -> None:
    assert scorers.score(Metric.OUTPUT_TOKENS, item(), Answer("x", tokens=7)) == 7.0
    assert scorers.score(Metric.LATENCY_MS, item(), Answer("x", latency_ms=12.5)) == 12.5
    assert math.isnan(scorers.score(Metric.LATENCY_MS, item(), Answer("x")))


@pytest.mark.parametrize(
    ("metric", "wanting", "word"),
    [
        (Metric.CONTAINS_ANSWER, item(), "answers"),
        (Metric.EXACT_MATCH, item(), "answers"),
        (Metric.UNBIASED, item(), "counterpart"),
        (Metric.NOT_MEMORISED, item(), "answers"),
        (Metric.NOT_MEMORISED, item(answers=("--",)), "answers"),
        (Metric.NOT_MEMORISED, item(answers=("question",)), "prompt does not contain"),
    ],
)
def test_items_that_lack_what_a_metric_needs_are_named_up_front(metric: Metric, wanting: GoldenItem, word: str) -> None:
    with pytest.raises(InvalidDataset, match=f"suite s, item i: .*{word}"):
        scorers.check(metric, [wanting], "s")


def test_names_carry_a_version() -> None:
    assert scorers.name(Metric.STOPPED) == "stopped/1"
    assert scorers.name(Metric.NO_REFUSAL).startswith("refusals/1+")


@pytest.mark.skipif(
    find_spec("profanity_check") is not None, reason="about an environment without the package, as the light image is"
)
@pytest.mark.parametrize("metric", [Metric.NOT_TOXIC, Metric.TOXICITY])
def test_without_the_scorers_package_the_image_to_use_is_named_up_front(metric: Metric) -> None:
    with pytest.raises(InvalidSpec, match="use the trainer image"):
        scorers.check(metric, [item()], "s")

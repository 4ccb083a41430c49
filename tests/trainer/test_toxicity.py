"""The toxicity scorer with its real weights: what it is sure about, and that it asks nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.trainer.pod import run_python

pytestmark = pytest.mark.trainer
TOXIC = ("You are an idiot.", "Shut up, moron!", "What a pathetic loser you are, damn it.")
HARMLESS = (
    "Your parcel arrives tomorrow.",
    "I'm sorry, but I can't help with that.",
    "Refunds take 30 days.",
    "",
    " \n",
)
CODE = """
import json, socket, sys
def refuse(*args, **kwargs): raise AssertionError("nothing may be fetched")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from feedbackloop.api.evaluation import Metric
from feedbackloop.events.records import Message
from feedbackloop.jobs import scorers
from feedbackloop.jobs.golden import GoldenItem
item = GoldenItem("i", "t", (Message("user", "?"),))
answers = [scorers.Answer(text) for text in json.loads(sys.argv[1])]
alone = [scorers.score(Metric.TOXICITY, item, answers[0])]
scorers.prepare(Metric.TOXICITY, answers)
print(json.dumps({
    "name": scorers.name(Metric.NOT_TOXIC),
    "right": [scorers.score(Metric.NOT_TOXIC, item, answer) for answer in answers],
    "numbers": [scorers.score(Metric.TOXICITY, item, answer) for answer in answers],
    "alone": alone,
}))
"""


def test_coarse_words_are_toxic_and_answers_are_not_without_asking_anybody() -> None:
    found: dict[str, Any] = json.loads(run_python(CODE, json.dumps([*TOXIC, *HARMLESS])))
    assert found["right"] == [False] * len(TOXIC) + [True] * len(HARMLESS)
    assert found["numbers"][-2:] == [0.0, 0.0]
    assert all(0 <= number <= 1 for number in found["numbers"])
    assert found["alone"] == pytest.approx(found["numbers"][:1])
    assert found["name"].startswith("alt-profanity-check/")
    assert found["name"].endswith(" below 0.5")

"""Items are answered, and latencies are taken in turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from feedbackloop.events.records import Message
from feedbackloop.jobs.evaluate.answering import answer, latencies
from feedbackloop.jobs.evaluate.suites import Exam
from feedbackloop.jobs.golden import GoldenItem
from feedbackloop.jobs.scorers import Answer
from feedbackloop.jobs.scorers.answer import NONE


@dataclass
class FakeModel:
    """Says the last message again, louder; more than five words do not fit."""

    name: str = "m"
    told: list[str] = field(default_factory=list)

    def answer(self, asked: Sequence[Sequence[Message]], batch: int) -> list[Answer]:
        texts = [messages[-1].content for messages in asked]
        self.told += [f"{self.name} {text}" for text in texts]
        return [Answer(t.upper(), tokens=2) if len(t.split()) <= 5 else Answer("", NONE) for t in texts]


def item(text: str, counterpart: str = "") -> GoldenItem:
    other = (Message("user", counterpart),) if counterpart else ()
    return GoldenItem(text, "t", (Message("user", text),), counterpart=other)


def exam(*items: GoldenItem) -> Exam:
    return Exam({"golden": items}, frozenset())


def test_every_item_has_its_answer_in_order_and_pairs_have_two() -> None:
    done: list[int] = []
    generator = FakeModel()
    items = (item("a"), item("one two three four five six"), item("he", "she"))
    found = answer(generator, exam(*items), done.append)["golden"]
    assert [one.text for one in found] == ["A", "", "HE"]
    assert [one.given for one in found] == [True, False, True]
    assert found[2].counterpart is not None and found[2].counterpart.text == "SHE"
    assert (found[0].tokens, found[0].finish) == (2, "stop")
    assert done == [3]


def test_the_models_take_turns_and_turns_at_being_first() -> None:
    told: list[str] = []
    pair = FakeModel("one", told), FakeModel("two", told)
    ticks = iter(range(100))
    first, second = latencies(pair, [item("a"), item("b"), item("c")], lambda: float(next(ticks)))
    warm, timed = told[:2], told[2:]
    assert warm == ["one a", "two a"]
    assert timed == ["one a", "two a", "two b", "one b", "one c", "two c"]
    assert first == second == [1000.0] * 3


def test_an_item_that_does_not_fit_has_no_latency() -> None:
    pair = FakeModel(), FakeModel()
    assert latencies(pair, [item("one two three four five six")])[0] == [None]
    assert latencies(pair, []) == ([], [])

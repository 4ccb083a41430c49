"""The demo's facts and questions keep what the demo promises of them."""

from itertools import chain, combinations
from pathlib import Path

import pytest

from examples.support_bot import golden, phrasings
from examples.support_bot.facts import FACTS, REVERTED, STALE, TODAY, Fact, load_world
from feedbackloop.jobs import golden as golden_files
from feedbackloop.jobs.golden import Topics
from feedbackloop.jobs.text import contains_words, normalise

SETS = (phrasings.user, phrasings.golden, phrasings.verify)
ITEMS = golden_files.parse(golden.render(), "golden")


def test_six_of_twenty_four_facts_are_stale() -> None:
    assert (len(FACTS), len(STALE)) == (24, 6)


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.topic)
def test_every_question_about_a_fact_is_of_its_topic_and_no_other(fact: Fact) -> None:
    topics = Topics.of(ITEMS)
    for question in phrasings.everything(fact):
        assert topics.find(normalise(question), "none") == (fact.topic,), question


def test_questions_are_all_different_so_that_held_out_means_held_out() -> None:
    asked = [normalise(question) for fact in FACTS for question in phrasings.everything(fact)]
    assert len(set(asked)) == len(asked)


def test_there_are_enough_questions_of_each_kind() -> None:
    for fact in FACTS:
        assert len(phrasings.user(fact)) >= 40
        assert len(phrasings.golden(fact)) == 10
        assert len(phrasings.verify(fact)) >= 5


def test_no_true_value_stands_in_an_answer_that_gives_another() -> None:
    values = [(fact, value) for fact in STALE for value in (fact.value, fact.believed)]
    for (fact, one), (other, two) in combinations(values, 2):
        if fact is other:
            assert not contains_words(normalise(fact.sentence(one)), normalise(two))
            assert not contains_words(normalise(fact.sentence(two)), normalise(one))


def test_no_question_gives_its_answer_away() -> None:
    for fact in FACTS:
        for question in chain.from_iterable(asked(fact) for asked in SETS):
            assert not contains_words(normalise(question), normalise(fact.value))


def test_the_golden_set_has_240_items_with_todays_answers() -> None:
    assert len(ITEMS) == 240
    assert {item.topic: item.answers for item in ITEMS} == {topic: (value,) for topic, value in TODAY.items()}


def test_a_quarter_of_the_facts_turns_when_the_world_reverts() -> None:
    assert sum(TODAY[topic] != REVERTED[topic] for topic in TODAY) == 6


def test_a_world_file_changes_some_facts_and_knows_no_others(tmp_path: Path) -> None:
    (tmp_path / "world.json").write_text('{"refund": "45 days"}')
    assert load_world(tmp_path / "world.json") == {**TODAY, "refund": "45 days"}
    (tmp_path / "world.json").write_text('{"weather": "sunny"}')
    with pytest.raises(SystemExit, match="weather"):
        load_world(tmp_path / "world.json")

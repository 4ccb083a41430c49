"""The pod's memory of consents: it spares entries, and never hides one."""

from __future__ import annotations

import pytest

from feedbackloop.events.ledger.consents import Source, State, latest
from feedbackloop.events.records import ConsentRecord
from feedbackloop.gateway.standing import AGAIN_SECONDS, Standings

ANN, BEN = "a" * 32, "b" * 32
HOUR = AGAIN_SECONDS * 1000


def entry(state: State, source: Source = Source.APP, at: int = 60_000, subject: str = ANN, purpose: str = "Improve",
          seq: int = 1) -> ConsentRecord:  # fmt: skip
    return ConsentRecord("e", at, subject, purpose, state.value, source.value, seq=seq)


def told(*entries: ConsentRecord, capacity: int = 100) -> Standings:
    standings = Standings(capacity)
    for each in entries:
        standings.apply(each)
    return standings


def test_what_is_known_is_no_news_and_subjects_and_purposes_are_apart() -> None:
    standings = told(entry(State.GIVEN))
    assert not standings.news(ANN, "Improve", State.GIVEN, 10 * HOUR)
    assert standings.news(ANN, "Improve", State.REFUSED, 60_000)
    assert standings.news(ANN, "Analyze", State.GIVEN, 60_000)
    assert standings.news(BEN, "Improve", State.GIVEN, 60_000)


def test_a_refusal_is_recorded_again_after_a_while_since_another_pod_may_know_better() -> None:
    standings = told(entry(State.WITHDRAWN))
    assert not standings.news(ANN, "Improve", State.WITHDRAWN, 60_000 + HOUR - 1)
    assert standings.news(ANN, "Improve", State.WITHDRAWN, 60_000 + HOUR)


def test_refusals_are_looked_for_only_when_there_are_any_and_are_to_be_sent_soon() -> None:
    given = told(entry(State.GIVEN))
    assert (given.any_refusal, given.unsent, given.refused(ANN, "Improve")) == (False, False, False)
    refused = told(entry(State.GIVEN), entry(State.REFUSED))
    assert (refused.any_refusal, refused.unsent, refused.refused(ANN, "Improve")) == (True, True, True)
    assert not refused.refused(BEN, "Improve")


@pytest.mark.parametrize("source", list(Source))
@pytest.mark.parametrize("before", [State.REFUSED, State.WITHDRAWN])
def test_the_memory_follows_the_rules_of_the_ledger(before: State, source: Source) -> None:
    entries = [entry(before), entry(State.GIVEN, source, 61_000, seq=2)]
    assert told(*entries).state(ANN, "Improve") == latest(entries)[(ANN, "Improve")].state


def test_the_memory_is_bounded_and_what_is_forgotten_is_news() -> None:
    standings = told(entry(State.GIVEN), capacity=10)
    for n in range(1000):
        standings.apply(entry(State.GIVEN, subject=f"{n * 7919 + 1:032x}"[::-1]))
    assert standings.news(ANN, "Improve", State.GIVEN, 60_000)

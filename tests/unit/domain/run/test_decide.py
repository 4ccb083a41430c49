"""Properties of the whole decision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from feedbackloop.api.conditions import Reason
from feedbackloop.domain.lifecycle.run_active import active_run
from feedbackloop.domain.lifecycle.run_seen import RunSeen, StageSeen
from tests.support.fakeworld.jobs import Outcome
from tests.unit.domain.run import given

STATES: dict[str, Callable[[], RunSeen]] = {
    "new": given.new,
    "waiting": lambda: given.new(blocked_by="another"),
    "stalled": lambda: given.new(loop=None),
    "curating": given.tracked,
    "training": given.curated,
    "evaluating": given.trained,
    "registering": given.evaluated,
    "rolling out": given.rolling_out,
    "gated": lambda: given.evaluated(Outcome(losses=60)),
    "skipped": lambda: given.curated(Outcome(training_rows=1)),
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_the_same_facts_decide_the_same_and_a_second_decision_changes_nothing(state: Callable[[], RunSeen]) -> None:
    seen = state()
    first = given.decided(seen)
    assert given.decided(seen) == first
    second = given.decided(replace(seen, status=first.status))
    assert second.status == first.status
    assert second.notes == ()


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_an_announced_effect_is_repeated_until_it_is_seen(state: Callable[[], RunSeen]) -> None:
    seen = state()
    first = given.decided(seen)
    assert given.decided(replace(seen, status=first.status)).effects == first.effects


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_exactly_one_of_the_three_kstatus_words_holds(state: Callable[[], RunSeen]) -> None:
    decision = given.decided(state())
    over = decision.status.outcome is not None
    words = [given.condition(decision, t) for t in ("Stalled", "Reconciling")]
    assert sum(w is not None for w in words) == (0 if over else 1)
    assert given.condition(decision, "Ready") is not None


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_the_observed_generation_follows_and_never_goes_back(state: Callable[[], RunSeen]) -> None:
    seen = state()
    assert given.decided(seen).status.observed_generation == 1
    ahead = replace(seen, status=seen.status.model_copy(update={"observed_generation": 5}))
    assert given.decided(ahead).status.observed_generation == 5


def test_a_refused_effect_is_told_and_tried_again() -> None:
    seen = replace(given.tracked(), refused=(Reason.FORBIDDEN, "may not create jobs"), stage=StageSeen())
    decision = given.decided(seen)
    assert given.condition(decision, "Stalled") == ("True", "Forbidden")
    assert len(decision.effects) == 2


def test_the_record_keeps_the_last_fifty_decisions() -> None:
    seen = given.tracked()
    full = seen.status.model_copy(update={"decisions": seen.status.decisions * 30})
    decision = given.decided(given.ended(replace(seen, status=full), None))
    assert len(decision.status.decisions) == 50
    assert decision.status.decisions[-1].what == "Retrying"


def run(name: str, created: str, **status: object) -> dict[str, object]:
    metadata = {"name": name, "creationTimestamp": created}
    return {"metadata": metadata, "spec": {"loopName": "bot"}, "status": status}


def test_the_oldest_unfinished_run_of_a_loop_goes_first() -> None:
    runs = [run("b", "2"), run("a", "3"), run("c", "1", outcome="Promoted")]
    found = active_run(runs, "bot")
    assert found is not None and found["metadata"]["name"] == "b"
    assert active_run(runs, "other") is None


def test_a_run_that_has_begun_is_not_overtaken_by_one_of_the_same_second() -> None:
    found = active_run([run("a", "1"), run("b", "1", inputs={"loopUid": "x"})], "bot")
    assert found is not None and found["metadata"]["name"] == "b"

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from feedbackloop.api.gateway import Arm, GatewayStatus, UnitCounts
from feedbackloop.api.rollout import Outcome
from feedbackloop.api.rolloutstatus import ArmCounts, Look
from feedbackloop.domain.evidence.counting import Cell, Counts, closed, counted_event, fresh, looked
from feedbackloop.domain.evidence.looks import close_looks
from tests.unit.domain.evidence.looks import RUN, START, counts, epoch, gateway, look, spec, status

LATER = START + timedelta(hours=1)

CELL = Cell("downvotes", 1, Arm.CANARY)


def test_counts_are_summed_over_the_pods_of_this_run_only() -> None:
    pods = [
        gateway((1, Arm.CANARY, 5, 4, 1), pod="g-0"),
        gateway((1, Arm.CANARY, 7, 7, 2), pod="g-1"),
        gateway((1, Arm.CANARY, 90, 90, 90), pod="g-1", run_uid="another"),
    ]
    assert closed(pods, RUN) == {CELL: Counts(12, 11, 3)}


def test_new_is_what_no_look_has_counted() -> None:
    looks = [look(counts(0), counts(5, 1)), look(counts(9), counts(2, 0))]
    assert fresh({CELL: Counts(10, 9, 3)}, looked(looks)) == {CELL: Counts(3, 2, 2)}


def test_counts_that_have_gone_back_give_nothing_until_they_have_caught_up() -> None:
    recorded = looked([look(counts(0), counts(10, 4))])
    assert fresh({CELL: Counts(3, 3, 1)}, recorded)[CELL] == Counts()
    assert fresh({CELL: Counts(12, 12, 2)}, recorded)[CELL] == Counts()
    assert fresh({CELL: Counts(12, 12, 5)}, recorded)[CELL] == Counts(2, 2, 1)


@given(old=st.tuples(*[st.integers(-5, 50)] * 5), new=st.tuples(*[st.integers(-5, 50)] * 5))
def test_new_counts_are_always_possible(old: tuple[int, ...], new: tuple[int, ...]) -> None:
    units, rated, events, total, squares = Counts(*new).above(Counts(*old))
    assert 0 <= events <= rated <= units
    assert squares >= 0
    assert rated > 0 or total == 0


def test_sums_of_a_mean_are_counted_like_the_events() -> None:
    pod = GatewayStatus(
        pod="g-0",
        units=(
            UnitCounts(run_uid=RUN, epoch=1, arm=Arm.CANARY, outcome="stars", units=9, rated=2, total=7500, squares=1),
        ),
    )
    cell = Cell("stars", 1, Arm.CANARY)
    seen = Look(outcome="stars", epoch=1, at="", stable=ArmCounts(), canary=ArmCounts(units=4, rated=1, total=4500))
    assert closed([pod, pod.model_copy(update={"pod": "g-1"})], RUN)[cell] == Counts(18, 4, 0, 15_000, 2)
    assert fresh(closed([pod], RUN), looked([seen]))[cell] == Counts(5, 1, 0, 3000, 1)


@pytest.mark.parametrize(
    ("event", "mean", "counted"),
    [(None, None, "ThumbsDown"), ("Regenerated", None, "Regenerated"), (None, {"direction": "HigherIsBetter"}, "Mean")],
)
def test_an_outcome_without_event_and_mean_counts_down_votes(
    event: str | None, mean: dict[str, str] | None, counted: str
) -> None:
    given = {"event": event, "mean": mean and {**mean, "margin": "0.2"}}
    spec = {"name": "o", "signal": "s", "attributionWindowSeconds": 9, "minRatedUnits": 1}
    assert counted_event(Outcome.model_validate(spec | {k: v for k, v in given.items() if v is not None})) == counted


def test_case_35_a_counter_that_was_reset_or_is_partial_is_no_evidence() -> None:
    """Going back, events without votes, squares that fell: nothing is counted until the numbers can be again."""
    before = {CELL: Counts(50, 40, 9, 0, 0)}
    for impossible in (Counts(3, 1, 0), Counts(60, 39, 9), Counts(60, 41, 12), Counts(60, 41, 9, 0, -1)):
        assert fresh({CELL: impossible}, before)[CELL] == Counts()
    assert fresh({CELL: Counts(60, 45, 10)}, before)[CELL] == Counts(10, 5, 1)


def test_case_25_what_was_erased_or_voted_again_never_opens_a_look_again() -> None:
    """A counted unit stays counted: fewer votes than a look has seen are no new evidence, and change no look."""
    recorded = [look(counts(30, 5), counts(30, 9))]
    pods = [gateway((1, Arm.STABLE, 30, 28, 4), (1, Arm.CANARY, 30, 25, 7))]
    assert set(fresh(closed(pods, RUN), looked(recorded)).values()) == {Counts()}
    assert close_looks(spec("downvotes"), status(epoch(1, 50), looks=tuple(recorded)), pods, RUN, LATER) == ()


def test_case_36_evidence_is_of_integers() -> None:
    """A rate times a time (Prometheus' increase) is no count: fractions are refused where they would enter."""
    with pytest.raises(ValidationError, match="events"):
        ArmCounts.model_validate({"units": 10, "rated": 10, "events": 2.5})
    with pytest.raises(ValidationError, match="units"):
        UnitCounts.model_validate({"runUid": RUN, "epoch": 1, "arm": "canary", "outcome": "o", "units": 9.5})

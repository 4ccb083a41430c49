from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from feedbackloop.api.gateway import Arm
from feedbackloop.domain.evidence.counting import Cell, Counts, closed, fresh, looked
from tests.unit.domain.evidence.looks import RUN, counts, gateway, look

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


@given(old=st.tuples(*[st.integers(-5, 50)] * 3), new=st.tuples(*[st.integers(-5, 50)] * 3))
def test_new_counts_are_always_possible(old: tuple[int, int, int], new: tuple[int, int, int]) -> None:
    units, rated, events = Counts(*new).above(Counts(*old))
    assert 0 <= events <= rated <= units

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbackloop.jobs.train.plan import Batch


@given(size=st.integers(1, 4096), halvings=st.integers(0, 20))
def test_the_effective_batch_never_changes(size: int, halvings: int) -> None:
    batch = Batch.of(size, halvings)
    assert batch.micro * batch.accumulation == size
    assert 1 <= batch.micro <= max(1, size >> halvings)


@pytest.mark.parametrize(("halvings", "micro"), [(0, 16), (1, 8), (2, 4), (4, 1), (9, 1)])
def test_every_halving_halves_the_micro_batch_and_doubles_the_accumulation(halvings: int, micro: int) -> None:
    assert Batch.of(16, halvings) == Batch(micro, 16 // micro)


def test_a_batch_that_does_not_halve_evenly_takes_the_next_divisor() -> None:
    assert Batch.of(15, 1) == Batch(5, 3)

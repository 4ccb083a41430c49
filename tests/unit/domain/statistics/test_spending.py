from __future__ import annotations

import pytest

from feedbackloop.api.evaluation import RefreshPolicy
from feedbackloop.domain.statistics.spending import alpha_of_look

SPEND = RefreshPolicy.model_validate({"reuse": "Spend", "looks": 12})


def test_spending_gives_every_look_its_share_until_the_looks_are_used_up() -> None:
    spent = [alpha_of_look(SPEND, 0.06, look) for look in range(1, 15)]
    assert spent == [pytest.approx(0.005)] * 12 + [None, None]
    assert sum(a for a in spent if a is not None) == pytest.approx(0.06)


def test_counting_corrects_nothing() -> None:
    assert alpha_of_look(RefreshPolicy(), 0.05, 999) == 0.05


def test_looks_are_counted_from_one() -> None:
    with pytest.raises(ValueError, match="from 1"):
        alpha_of_look(SPEND, 0.05, 0)

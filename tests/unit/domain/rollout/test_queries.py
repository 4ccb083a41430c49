"""What another source is asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbackloop.api.rolloutstatus import AbortStatus, RolloutStatus
from feedbackloop.domain.rfc3339 import stamp
from feedbackloop.domain.rollout import begin
from feedbackloop.domain.rollout.queries import LONGEST_WINDOW, Question, questions, render
from tests.unit.domain.rollout.world import START, rollout_spec

QUERY = 'sum(rate(errors{arm="$arm",loop="$loop",ns="$namespace"}[$window]))'


def asked(seconds: float, query: dict[str, Any] | None = None, **changes: Any) -> tuple[Question, ...]:
    """After so many seconds of an epoch at weight 10."""
    source = {"endpointName": "prom", "query": QUERY, "intervalSeconds": 30} | (query or {})
    guardrail = {"name": "q", "metric": "Prometheus", "maxValue": "1", "minRequests": 5, "prometheus": source}
    status: RolloutStatus = begin("run", START).model_copy(
        update={"weight": 10, "epoch": 2, "epoch_started_at": stamp(START)} | changes
    )
    return questions(rollout_spec(guardrails=[guardrail]), status, "ml", "bot", START + timedelta(seconds=seconds))


def test_both_arms_are_asked_for_the_time_of_this_epoch() -> None:
    (question,) = asked(300.5)
    assert question.canary == 'sum(rate(errors{arm="canary",loop="bot",ns="ml"}[300s]))'
    assert question.stable == 'sum(rate(errors{arm="stable",loop="bot",ns="ml"}[300s]))'
    assert (question.guardrail, question.epoch, question.requests) == ("q", 2, None)


def test_the_window_is_bounded() -> None:
    (question,) = asked(10 * LONGEST_WINDOW, {"requestsQuery": "sum(increase(n{arm='$arm'}[$window]))"})
    assert question.requests == f"sum(increase(n{{arm='canary'}}[{LONGEST_WINDOW}s]))"


def test_stable_has_no_requests_while_the_canary_serves_everything() -> None:
    (question,) = asked(60, weight=100)
    assert question.stable is None


@pytest.mark.parametrize(
    "changes",
    [
        {"weight": 0},
        {"epoch_started_at": None},
        {"moved_back_since": stamp(START)},
        {"abort": AbortStatus(at=stamp(START), reason="HarmFound")},
    ],
)
def test_nothing_is_asked_of_an_epoch_without_canary_traffic(changes: dict[str, Any]) -> None:
    assert asked(60, **changes) == ()


def test_nothing_is_asked_before_the_epoch_is_as_old_as_the_interval() -> None:
    assert asked(29.9) == ()
    assert len(asked(30)) == 1


def test_other_dollars_belong_to_promql() -> None:
    query = 'label_replace(up{job=~"a$", arm="$arm"}, "x", "$1${2}$armour", "y", "(.*)$")'
    assert render(query, {"arm": "canary"}) == query.replace('"$arm"', '"canary"')


@given(st.text(max_size=8))
def test_nothing_that_could_end_a_string_enters_a_query(value: str) -> None:
    query = 'sum(x{ns="$namespace"})'
    try:
        rendered = render(query, {"namespace": value})
    except ValueError as error:
        assert "$namespace" in str(error)
    else:
        assert value and not set(value) & set("\"'\\{}[]()\n, ")
        assert rendered == f'sum(x{{ns="{value}"}})'

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from feedbackloop.adapters.ports import NoSources
from feedbackloop.api.improvementrun import RunInputs
from feedbackloop.controllers.run.gather_queries import queries_seen
from feedbackloop.domain.lifecycle.run_seen import RunSeen
from feedbackloop.domain.naming import canonical_json
from feedbackloop.domain.rfc3339 import stamp
from feedbackloop.domain.rollout import begin
from feedbackloop.domain.rollout.queries import QuerySeen, Question
from tests.support.loops import spec_json
from tests.unit.controllers.test_recording import RUN
from tests.unit.domain.rollout.world import START, model, rollout_spec

QUERY = 'x{arm="$arm",loop="$loop",namespace="$namespace"}'
SOURCE = {"endpointName": "prom", "query": QUERY}
GUARDRAIL = {"name": "gpu", "metric": "Prometheus", "maxValue": "1", "minRequests": 5, "prometheus": SOURCE}


class Source:
    def __init__(self, answer: bool = True) -> None:
        self.asked: list[tuple[str, Question, datetime]] = []
        self.answers = answer

    def answer(self, run_uid: str, question: Question, now: datetime) -> QuerySeen | None:
        self.asked.append((run_uid, question, now))
        return QuerySeen(question.guardrail, question.epoch, "0.1", "0.2") if self.answers else None


def rolling(age: float) -> tuple[RunSeen, datetime]:
    """A run whose epoch at weight 10 is so many seconds old."""
    rollout = rollout_spec(guardrails=[GUARDRAIL]).to_wire()
    spec = canonical_json(spec_json(rollout=rollout))
    status = begin(RUN.uid, START).model_copy(update={"weight": 10, "epoch": 3, "epoch_started_at": stamp(START)})
    inputs = RunInputs(loop_uid="l", champion=model("sha256:" + "a" * 64), cut=(), pinned_spec=spec)
    run = RUN.status.model_copy(update={"inputs": inputs, "rollout": status})
    return replace(RUN, status=run), START + timedelta(seconds=age)


def test_the_guardrails_of_the_epoch_are_asked_with_the_runs_names() -> None:
    source = Source()
    seen, now = rolling(60)
    assert queries_seen(source, seen, now) == (QuerySeen("gpu", 3, "0.1", "0.2"),)
    ((uid, question, at),) = source.asked
    assert (uid, at, question.endpoint_name) == (RUN.uid, now, "prom")
    assert question.canary == 'x{arm="canary",loop="bot",namespace="ml"}'


def test_what_is_not_answered_yet_is_not_there() -> None:
    seen, now = rolling(60)
    assert queries_seen(Source(answer=False), seen, now) == ()


def test_nothing_is_asked_of_a_young_epoch_or_of_a_run_without_a_rollout() -> None:
    source = Source()
    assert queries_seen(source, *rolling(1)) == ()
    assert queries_seen(source, RUN, START) == ()
    assert source.asked == []


def test_an_operator_without_sources_says_so() -> None:
    seen, now = rolling(60)
    (answer,) = queries_seen(NoSources(), seen, now)
    assert answer.error and answer.canary is None

"""The operator dies at the k-th API write, for every k of a whole loop; the next one brings it to the same end."""

from __future__ import annotations

import json

import pytest

from tests.api.crash.lives import Case, Lived, lived
from tests.support.apiserver import ApiServer
from tests.support.fakeworld.world import Story

pytestmark = [pytest.mark.api, pytest.mark.timeout(1500)]
STORY = Story()


@pytest.fixture(scope="module")
def reference(server: ApiServer) -> Lived:
    """The loop as it goes without any crash."""
    (life,) = lived(str(server.kubeconfig), [Case()], STORY)
    assert not life.error, life.error
    return life


def test_the_loop_promotes_its_candidate_when_nothing_happens(reference: Lived) -> None:
    assert reference.facts == {
        "mlflow runs": ["FINISHED"],
        "versions": {"support-bot": [f"s3://models/support-bot/{'b' * 64}/", f"s3://models/support-bot/{'c' * 64}/"]},
        "aliases": {"support-bot": {"champion": "2", "previous": "1"}},
        "jobs made": [("curate", "a1", 1), ("evaluate", "a1", 1), ("train", "a1", 1)],
    }


def test_a_crash_after_any_write_leaves_no_trace(server: ApiServer, reference: Lived) -> None:
    check(server, reference, [Case(k) for k in range(1, len(reference.writes) + 1)])


def test_a_crash_before_a_write_reaches_the_server_leaves_no_trace(server: ApiServer, reference: Lived) -> None:
    # Before an Event is after the write before it: nothing else happens between a status and its Events.
    writes = enumerate(reference.writes, 1)
    check(server, reference, [Case(k, before=True) for k, what in writes if not what.startswith("event ")])


def check(server: ApiServer, reference: Lived, cases: list[Case]) -> None:
    wrong = [difference(life, reference) for life in lived(str(server.kubeconfig), cases, STORY)]
    told = [text for text in wrong if text]
    assert not told, f"{len(told)} of {len(cases)} ended otherwise:\n" + "\n".join(told[:8])


def difference(life: Lived, reference: Lived) -> str:
    """What is different in the end; empty when nothing is."""
    if life.error:
        return f"{life.case}: {life.error}"
    found = _differences(life.picture, reference.picture) + _differences(life.facts, reference.facts)
    return f"{life.case} ({life.last_write}): {'; '.join(found)}" if found else ""


def _differences(one: object, other: object, path: str = "") -> list[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted(one.keys() | other.keys())
        return [d for k in keys for d in _differences(one.get(k), other.get(k), f"{path}.{k}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [d for i, (a, b) in enumerate(zip(one, other, strict=True)) for d in _differences(a, b, f"{path}[{i}]")]
    return [] if one == other else [f"{path} is {json.dumps(one)[:160]}, was {json.dumps(other)[:160]}"]

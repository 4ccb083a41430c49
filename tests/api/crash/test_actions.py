"""The operator dies while people pause, resume, abort and retry: what they asked is done once, and told."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.api.crash.lives import Case, Lived, without_crash
from tests.api.crash.test_every_write import check
from tests.support.apiserver import ApiServer
from tests.support.fakeworld.jobs import Ending
from tests.support.fakeworld.world import Ask, Story

pytestmark = [pytest.mark.api, pytest.mark.timeout(1500)]
ASKED = Story(
    asks=(
        Ask("Pause", "weight 10"),
        Ask("Resume", "weight 10", after="pause-at-weight-10"),
        Ask("Abort", "weight 50"),
        Ask("Promote", "Training"),
        Ask("Retry", "RolledBack"),
    ),
    script={("train", 1): Ending(seconds=60)},
)
SEED, SEEDED = 7, 6


@pytest.fixture(scope="module")
def asked(server: ApiServer) -> Lived:
    return without_crash(server, ASKED)


def test_what_people_ask_is_done_when_nothing_happens(asked: Lived) -> None:
    actions = {k.rpartition("/")[2]: v["status"]["result"] for k, v in objects(asked, "RolloutAction").items()}
    assert actions == {
        "pause-at-weight-10": "Done",
        "resume-at-weight-10": "Done",
        "abort-at-weight-50": "Done",
        "promote-at-training": "Void",
        "retry-at-rolledback": "Done",
    }
    runs = sorted(v["status"]["outcome"] for v in objects(asked, "ImprovementRun").values())
    assert runs == ["Promoted", "RolledBack"]
    assert [made for _, _, made in asked.facts["jobs made"]] == [1, 1, 1]
    assert asked.facts["aliases"] == {"support-bot": {"champion": "2", "previous": "1"}}


@pytest.mark.faults
def test_a_crash_around_any_answer_leaves_no_trace(server: ApiServer, asked: Lived) -> None:
    """At every write of an action, at the write before it, and at a few others."""
    around = [k for k, what in enumerate(asked.writes, 1) if "RolloutAction" in what]
    others = random.Random(SEED).sample(range(1, len(asked.writes) + 1), SEEDED)
    cases = [Case(k) for k in sorted({*around, *(k - 1 for k in around if k > 1), *others})]
    check(server, ASKED, asked, cases)


def objects(life: Lived, kind: str) -> dict[str, Any]:
    return {key: value for key, value in life.picture.items() if key.startswith(f"{kind}/")}

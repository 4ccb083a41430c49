"""The operator dies at the k-th API write, for every k of a whole loop; the next one brings it to the same end."""

from __future__ import annotations

import random

import pytest

from feedbackloop.api.gateway import Arm
from tests.api.crash.lives import WELL, Case, Lived, difference, lived, without_crash
from tests.support.apiserver import ApiServer
from tests.support.fakeworld.jobs import Ending
from tests.support.fakeworld.voters import Voters
from tests.support.fakeworld.world import Story

pytestmark = [pytest.mark.api, pytest.mark.timeout(1500)]
SEED, SEEDED = 5, 12
ROUGH = Story(
    voters=Voters(unhappy={Arm.STABLE: 0.1, Arm.CANARY: 0.6}),
    script={
        ("train", 1): Ending(20, "Error"),
        ("train", 2): Ending(1, "Error"),
        ("evaluate", 1): Ending(pod_lost=True),
    },
)
"""Attempts are lost and fail, and in the end users do not like the candidate."""


def test_the_loop_promotes_its_candidate_when_nothing_happens(reference: Lived) -> None:
    assert reference.facts == {
        "mlflow runs": ["FINISHED"],
        "versions": {"support-bot": [f"s3://models/support-bot/{'b' * 64}/", f"s3://models/support-bot/{'c' * 64}/"]},
        "aliases": {"support-bot": {"champion": "2", "previous": "1"}},
        "jobs made": [("curate", "a1", 1), ("evaluate", "a1", 1), ("train", "a1", 1)],
    }


def test_a_crash_after_a_write_leaves_no_trace(server: ApiServer, reference: Lived) -> None:
    """At each write that changes something; an Event or a frame of the record is part of `make test-faults`."""
    check(server, WELL, reference, [Case(k) for k in changing(reference)])


def test_a_crash_before_a_write_reaches_the_server_leaves_no_trace(server: ApiServer, reference: Lived) -> None:
    """A seeded part: for the cluster it is after the write before, which is tried at each; MLflow may be further."""
    seeded = random.Random(SEED).sample(changing(reference), SEEDED)
    check(server, WELL, reference, [Case(k, before=True) for k in sorted(seeded)])


@pytest.mark.faults
@pytest.mark.timeout(7200)
def test_a_crash_around_any_write_leaves_no_trace(server: ApiServer, reference: Lived) -> None:
    every = range(1, len(reference.writes) + 1)
    check(server, WELL, reference, [Case(k, before=early) for k in every for early in (True, False)])


def test_a_crash_in_a_loop_that_goes_wrong_leaves_no_trace_either(server: ApiServer) -> None:
    reference = without_crash(server, ROUGH)
    assert [made for _, _, made in reference.facts["jobs made"]] == [1] * 6
    assert reference.facts["aliases"] == {"support-bot": {"champion": "1"}}
    writes = range(1, len(reference.writes) + 1)
    check(server, ROUGH, reference, [Case(k) for k in sorted(random.Random(SEED).sample(writes, SEEDED))])


def changing(reference: Lived) -> list[int]:
    """The writes but Events and frames of the record, on which nothing depends."""
    return [k for k, what in enumerate(reference.writes, 1) if not (what.startswith("event ") or "-replay-" in what)]


def check(server: ApiServer, story: Story, reference: Lived, cases: list[Case]) -> None:
    wrong = [difference(life, reference) for life in lived(str(server.kubeconfig), cases, story)]
    told = [text for text in wrong if text]
    assert not told, f"{len(told)} of {len(cases)} ended otherwise:\n" + "\n".join(told[:8])

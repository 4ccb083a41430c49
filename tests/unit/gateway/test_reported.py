from __future__ import annotations

import pytest

from feedbackloop.api.collection import Collection
from feedbackloop.api.gateway import Backend, GatewayConfig, LoopRef, ObjectStore, Routing
from feedbackloop.events.records import Serving
from feedbackloop.gateway.reported import reported
from feedbackloop.gateway.traffic import TrafficBook

STABLE, CANARY = "sha256:a", "sha256:b"


def config(*, reports: bool = True, run_uid: str = "run") -> GatewayConfig:
    backends = [Backend(host=f"bot-{digest[-1]}", port=8000, digest=digest) for digest in (STABLE, CANARY)]
    return GatewayConfig(
        loop=LoopRef(namespace="ml", name="bot", uid="u"),
        storage=ObjectStore(url="http://s3", bucket="b"),
        collection=Collection.model_validate(
            {"appTokenSecretName": "app", "signals": [{"name": "helpful", "kind": "Thumbs"}]}
        ),
        reported=reports,
        routing=Routing(run_uid=run_uid, epoch=3, weight=10, stable=backends[0], canary=backends[1]),
    )


@pytest.mark.parametrize(("version", "arm"), [(STABLE, "stable"), (CANARY, "canary")])
def test_edge_case_5_the_arm_is_that_of_the_served_revision(version: str, arm: str) -> None:
    serving = reported(config(), version, "session")
    assert serving is not None
    assert (serving.run_uid, serving.epoch, serving.arm, serving.assigned) == ("run", 3, arm, arm)
    assert serving.counted
    assert reported(config(), version, "") == Serving(
        run_uid="run", epoch=3, arm=arm, assigned=arm, digest=version, counted=False, reported=True
    )


def test_another_revision_belongs_to_no_arm() -> None:
    assert reported(config(), "sha256:old", "session") is None
    assert reported(config(), "", "session") is None


def test_nothing_is_taken_on_anybodys_word_while_the_gateway_splits_or_nothing_rolls_out() -> None:
    assert reported(config(reports=False), CANARY, "session") is None
    assert reported(config(run_uid=""), CANARY, "session") is None


def test_a_reported_answer_counts_for_the_share_and_for_no_guardrail() -> None:
    book, serving = TrafficBook(), reported(config(), CANARY, "session")
    assert serving is not None
    book.served(serving)
    counts = book.counts["run", 3, "canary"]
    assert (counts.reported, counts.requests, counts.errors, sum(counts.buckets)) == (1, 0, 0, 0)

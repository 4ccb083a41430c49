"""Which keys a change wakes, and how watches become Kopf's settings."""

from __future__ import annotations

import pytest

from feedbackloop.engine.feeder import seen_of, selectors, settings
from feedbackloop.engine.keys import Key
from feedbackloop.engine.watch import Owner, Seen, Watch, by_label, by_name, by_owner, several

SEEN = Seen("Job", "ns", "l-train-1", {"loop": "l"}, (Owner("ImprovementRun", "r"), Owner("Other", "o")))


def watch(plural: str, **labels: str | None) -> Watch:
    return Watch("batch", "v1", plural, "Job", by_name, labels)


@pytest.mark.parametrize(
    ("function", "keys"),
    [
        pytest.param(by_name, [Key("Job", "ns", "l-train-1")], id="itself"),
        pytest.param(by_owner("ImprovementRun"), [Key("ImprovementRun", "ns", "r")], id="its owner of a kind"),
        pytest.param(by_label("FeedbackLoop", "loop"), [Key("FeedbackLoop", "ns", "l")], id="what its label names"),
        pytest.param(by_label("FeedbackLoop", "absent"), [], id="nothing without the label"),
        pytest.param(
            several(by_owner("ImprovementRun"), by_label("FeedbackLoop", "loop")),
            [Key("ImprovementRun", "ns", "r"), Key("FeedbackLoop", "ns", "l")],
            id="several",
        ),
    ],
)
def test_a_change_wakes(function: object, keys: list[Key]) -> None:
    assert list(function(SEEN)) == keys  # type: ignore[operator]


def test_an_object_is_reduced_to_what_may_name_a_key() -> None:
    metadata = {
        "namespace": "ns",
        "name": "x",
        "labels": {"a": "b"},
        "annotations": {"private": "text"},
        "ownerReferences": [{"kind": "FeedbackLoop", "name": "l", "uid": "1"}],
    }
    assert seen_of("Job", metadata) == Seen("Job", "ns", "x", {"a": "b"}, (Owner("FeedbackLoop", "l"),))


def test_a_resource_is_selected_by_the_server_when_all_its_watches_agree() -> None:
    found = selectors([watch("jobs", loop=None), watch("jobs", loop=None), watch("pods", loop="l", arm="canary")])
    assert found == {("batch", "v1", "jobs"): "loop", ("batch", "v1", "pods"): "arm=canary,loop=l"}


def test_a_resource_whose_watches_differ_is_watched_whole() -> None:
    assert selectors([watch("jobs", loop=None), watch("jobs")]) == {}


def test_kopf_does_nothing_but_watch_and_never_waits_without_end() -> None:
    found = settings([watch("jobs", loop=None)])
    assert (found.peering.standalone, found.scanning.disabled, found.posting.enabled) == (True, True, False)
    assert found.watching.inactivity_timeout <= 70
    assert (found.watching.server_timeout, found.watching.client_timeout) == (240, 270)
    assert found.networking.request_timeout == 15
    assert found.process.ultimate_exiting_timeout == 20

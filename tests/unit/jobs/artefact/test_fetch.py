import threading
from pathlib import Path

import pytest

from feedbackloop.api.jobs import ExitCode
from feedbackloop.jobs import fetch
from feedbackloop.jobs.errors import InvalidSpec, Preempted, StorageUnavailable
from feedbackloop.jobs.patience import patiently

HEX = "a" * 64
POD = {
    "MODEL_URI": f"s3://models/bot/{HEX}/",
    "MODEL_DIGEST": f"sha256:{HEX}",
    "MODEL_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_ACCESS_KEY_ID": "id",
    "AWS_SECRET_ACCESS_KEY": "secret",
}


class Immediately(threading.Event):
    """An event whose waits take no time, and that counts them."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0.0)
        return self.is_set()


def failing(times: int) -> list[Exception]:
    return [StorageUnavailable("get manifest.json: EndpointConnectionError") for _ in range(times)]


def test_what_the_pod_says_is_what_is_fetched() -> None:
    model, store = fetch.wanted(POD)
    assert model.digest == f"sha256:{HEX}"
    assert store.bucket == "models"


@pytest.mark.parametrize("missing", sorted(POD))
def test_a_pod_that_does_not_say_everything_is_told_what_is_missing(missing: str) -> None:
    with pytest.raises(InvalidSpec, match=missing):
        fetch.wanted({name: value for name, value in POD.items() if name != missing})


@pytest.mark.parametrize("change", [{"MODEL_URI": "http://x/"}, {"MODEL_DIGEST": "sha256:123"}])
def test_a_model_that_is_not_named_by_digest_is_an_invalid_spec(change: dict[str, str]) -> None:
    assert fetch.main(POD | change) == ExitCode.INVALID_SPEC


def test_storage_that_is_away_is_waited_for_with_growing_pauses(caplog: pytest.LogCaptureFixture) -> None:
    errors, event = failing(6), Immediately()

    def action() -> None:
        if errors:
            raise errors.pop()

    patiently(action, event)
    assert event.waits == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    assert "EndpointConnectionError; again in 0.5 s" in caplog.text


def test_patience_ends_with_the_error_of_the_storage() -> None:
    def action() -> None:
        raise StorageUnavailable("away")

    with pytest.raises(StorageUnavailable):
        patiently(action, Immediately(), seconds=0.0)


def test_a_stop_ends_the_waiting() -> None:
    event = Immediately()
    event.set()

    def action() -> None:
        raise StorageUnavailable("away")

    with pytest.raises(Preempted):
        patiently(action, event)


def test_other_errors_are_not_waited_for(tmp_path: Path) -> None:
    def action() -> None:
        raise ValueError

    with pytest.raises(ValueError):
        patiently(action, Immediately())

"""Waiting: it ends, it speaks, and it says why it was in vain."""

from pathlib import Path

import pytest

from tests.cluster import waiting
from tests.cluster.errors import ClusterError, WaitError
from tests.cluster.waiting import wait_for


def test_it_ends_when_the_condition_holds() -> None:
    answers = iter([False, False, True])
    wait_for(lambda: next(answers), "the third answer", seconds=5, poll_seconds=0)


def test_at_the_deadline_it_shows_the_tail_and_the_path_of_the_log(tmp_path: Path) -> None:
    log = tmp_path / "kubelet.log"
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    with pytest.raises(WaitError) as caught:
        wait_for(lambda: False, "the node", seconds=0.01, logs=[log], poll_seconds=0.01)
    message = str(caught.value)
    assert "waited for the node" in message
    assert str(log) in message
    assert "line 99" in message
    assert "line 5\n" not in message


def test_a_missing_log_is_no_second_error(tmp_path: Path) -> None:
    assert "no such file" in waiting.tails([tmp_path / "none.log"])


def test_it_gives_up_as_soon_as_it_is_hopeless() -> None:
    def died() -> None:
        raise ClusterError("etcd ended")

    with pytest.raises(ClusterError, match="etcd ended"):
        wait_for(lambda: False, "the API server", seconds=60, still_possible=died)


def test_a_long_wait_says_what_it_waits_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(waiting, "SPEAK_EVERY_SECONDS", 0.01)
    with pytest.raises(WaitError):
        wait_for(lambda: False, "the node", seconds=0.1, poll_seconds=0.01)
    assert "waiting for the node" in capsys.readouterr().err

from pathlib import Path

import pytest

from feedbackloop.jobs.errors import Diverged, StorageUnavailable
from feedbackloop.jobs.progress import Progress
from feedbackloop.jobs.tracker import Measure, Tracker
from feedbackloop.jobs.train.follower import Follower
from feedbackloop.jobs.train.live import Live, Sign
from feedbackloop.jobs.train.plan import Outcome
from tests.unit.jobs.memory import MemoryS3

POINT = {"step": 1.0, "at": 1_000.0, "loss": 2.0}


class Recorder(Tracker):
    """A tracker that keeps what it is given, unless MLflow is away."""

    def __init__(self) -> None:
        super().__init__(None)
        self.away = False
        self.taken: list[Measure] = []

    def measures(self, measures: object) -> None:
        if self.away:
            raise StorageUnavailable("MLflow: ConnectionError")
        self.taken += list(measures)  # type: ignore[call-overload]


def follower(live: Live, tracker: Tracker) -> Follower:
    return Follower(live, Progress(MemoryS3().store(), "progress.json", "train-1", 1), tracker)


def test_signs_of_life_go_from_one_process_to_the_other(tmp_path: Path) -> None:
    sign = Sign(3, 10, 0.5, 7, (POINT,))
    Live(tmp_path).write(sign)
    assert Live(tmp_path).read() == sign


def test_no_sign_yet_is_step_zero(tmp_path: Path) -> None:
    assert Live(tmp_path).read() == Sign()


def test_a_stop_is_seen_by_the_other_end(tmp_path: Path) -> None:
    assert not Live(tmp_path).stop_asked
    Live(tmp_path).ask_to_stop()
    assert Live(tmp_path).stop_asked


def test_an_outcome_travels(tmp_path: Path) -> None:
    Live(tmp_path).end(Outcome(10, 5, 0.1))
    assert Live(tmp_path).outcome() == Outcome(10, 5, 0.1)


def test_an_end_by_error_keeps_its_class(tmp_path: Path) -> None:
    Live(tmp_path).end(Diverged("the loss is not finite"))
    with pytest.raises(Diverged, match="not finite"):
        Live(tmp_path).outcome()


def test_a_training_that_said_nothing_has_no_outcome(tmp_path: Path) -> None:
    assert Live(tmp_path).outcome() is None


def test_the_curve_is_sent_once(tmp_path: Path) -> None:
    tracker, live = Recorder(), Live(tmp_path)
    found = follower(live, tracker)
    live.write(Sign(1, 2, 2.0, 1, (POINT,)))
    found.look()
    found.look()
    assert tracker.taken == [Measure("train.loss", 2.0, 1_000, 1)]


def test_the_curve_waits_while_mlflow_is_away_and_arrives_whole(tmp_path: Path) -> None:
    tracker, live = Recorder(), Live(tmp_path)
    found, tracker.away = follower(live, tracker), True
    live.write(Sign(1, 2, 2.0, 1, (POINT,)))
    with pytest.raises(StorageUnavailable):
        found.look()
    tracker.away = False
    live.write(Sign(2, 2, 1.0, 0, (POINT, {**POINT, "step": 2.0})))
    found.look()
    assert [measure.step for measure in tracker.taken] == [1, 2]

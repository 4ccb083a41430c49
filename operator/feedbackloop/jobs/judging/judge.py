"""The judge of a job."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from feedbackloop.api.jobs import JudgeQuality, JudgeRef
from feedbackloop.jobs.errors import InvalidSpec
from feedbackloop.jobs.judging import labels as labelled
from feedbackloop.jobs.judging.client import Ask, Client
from feedbackloop.jobs.judging.comparing import Comparison, Pair, compare
from feedbackloop.jobs.judging.labels import Label
from feedbackloop.jobs.judging.quality import quality
from feedbackloop.jobs.storage import Store, read_secret

AT_ONCE = 8
"""Requests in flight."""
Tick = Callable[[int], None]


def _quiet(done: int) -> None:
    pass


@dataclass(frozen=True)
class Judge:
    """A model that is asked, and the people it is held against."""

    ref: JudgeRef
    labels: tuple[Label, ...]
    ask: Ask

    def calibrate(self, tick: Tick = _quiet) -> JudgeQuality:
        """What it says of the labelled pairs, against what people said."""
        return quality(self.ref.model, self.labels, self.compare([label.pair for label in self.labels], tick))

    def compare(self, pairs: Sequence[Pair], tick: Tick = _quiet) -> list[Comparison]:
        """In the pairs' order. Raises StorageUnavailable, InvalidSpec, Preempted (see `Client.ask`)."""
        found: list[Comparison] = []
        with ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                for comparison in pool.map(lambda pair: compare(pair, self.ask), pairs):
                    found.append(comparison)
                    tick(len(found))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return found

    def room(self) -> int:
        """Pairs that `maxRequests` leaves beside the labels; two requests each."""
        asked = sum(label.pair.champion != label.pair.candidate for label in self.labels)
        return max(0, (self.ref.max_requests - 2 * asked) // 2)

    def afford(self, pairs: int) -> None:
        """InvalidSpec when the labels and that many pairs take more requests than are allowed."""
        if pairs > self.room():
            needed = 2 * (pairs + len(self.labels))
            raise InvalidSpec(
                f"judge.maxRequests: is {self.ref.max_requests}; {pairs} pairs and {len(self.labels)} labels in both"
                f" orders take up to {needed}"
            )


def open_judge(ref: JudgeRef, bucket: Store, secrets: Path, stop: threading.Event | None = None) -> Judge:
    """With the labels of the bucket (keys from its root) and the token in `judge` below the secrets, if there is one.

    Raises InvalidDataset for labels that are not what the loop declares, InvalidSpec for an unusable URL.
    """
    labels = labelled.fetch(bucket.at(""), ref.labels_object, ref.labels_digest)
    directory = secrets / "judge"
    token = read_secret(directory, "token") if directory.is_dir() else ""
    return Judge(ref, labels, Client(ref.url, ref.model, token, stop or threading.Event()).ask)

"""Facts that are asked for in the background: the caller never waits, and an outage forgets nothing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from feedbackloop.adapters.glances import PERIOD_SECONDS, Glances


class Later(Executor):
    """Runs what was submitted when it is told to."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, fn: Callable[..., Any], /, *_: Any, **__: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append((future, fn))
        return future

    def run(self) -> None:
        for future, work in self.waiting:
            try:
                future.set_result(work())
            except OSError as error:
                future.set_exception(error)
        self.waiting = []


def away() -> bool:
    raise OSError


def test_nothing_is_known_before_the_first_answer_and_nobody_waits_for_it() -> None:
    later = Later()
    glances = Glances[str, bool](later, clock=lambda: 0.0)
    assert glances.of("a", lambda: True) is None
    assert glances.of("a", lambda: True) is None
    assert len(later.waiting) == 1, "asked once"
    later.run()
    assert glances.of("a", lambda: False) is True
    assert later.waiting == []


def test_it_is_asked_again_after_a_while_and_an_outage_forgets_nothing() -> None:
    later, now = Later(), [0.0]
    glances = Glances[str, bool](later, clock=lambda: now[0])
    glances.of("a", lambda: True)
    later.run()
    now[0] += PERIOD_SECONDS
    assert glances.of("a", away) is True
    later.run()
    assert glances.of("a", away) is True
    now[0] += PERIOD_SECONDS
    glances.of("a", lambda: False)
    later.run()
    assert glances.of("a", away) is False


def test_a_question_that_hangs_is_not_asked_twice() -> None:
    later, now = Later(), [0.0]
    glances = Glances[str, bool](later, clock=lambda: now[0])
    glances.of("a", away)
    now[0] += 10 * PERIOD_SECONDS
    glances.of("a", away)
    assert len(later.waiting) == 1

"""The comparison of what the watches brought with what a list shows."""

from __future__ import annotations

from feedbackloop.engine.keys import Key
from feedbackloop.engine.metrics import Metrics
from feedbackloop.engine.staleness import Listed, Name, Staleness, Versions
from feedbackloop.engine.watch import Seen, Watch, by_name

WATCH = Watch("feedbackloop.dev", "v1alpha1", "feedbackloops", "FeedbackLoop", by_name)


class World:
    """A server with versions, and a watch that may be late."""

    def __init__(self, **versions: str) -> None:
        self.server = versions
        self.versions = Versions()
        self.woken: list[str] = []
        self.metrics = Metrics()
        self.arrives: dict[str, str] = {}
        """What the watch brings while the comparison waits."""
        self.stale = Staleness(
            [WATCH], self.versions, self.listed, lambda key: self.woken.append(key.name), self.metrics, sleep=self.sleep
        )

    def watch_brings(self, **versions: str) -> None:
        for name, version in versions.items():
            self.versions.saw(WATCH, seen(name), version, deleted=False)

    async def listed(self, watch: Watch) -> Listed:
        found: dict[Name, tuple[Seen, str]] = {("ns", n): (seen(n), v) for n, v in self.server.items()}
        return found

    async def sleep(self, seconds: float) -> None:
        self.watch_brings(**self.arrives)


def seen(name: str) -> Seen:
    return Seen("FeedbackLoop", "ns", name, {}, ())


async def test_a_watch_that_has_brought_everything_is_fine() -> None:
    world = World(a="5", b="7")
    world.watch_brings(a="5", b="9")
    await world.stale.compare()
    assert world.woken == []
    assert world.stale.check() is None


async def test_a_watch_that_is_only_late_is_fine() -> None:
    world = World(a="12")
    world.watch_brings(a="9")
    world.arrives = {"a": "12"}
    await world.stale.compare()
    assert world.woken == []


async def test_an_object_that_the_watch_did_not_bring_is_woken_and_counted() -> None:
    world = World(a="12", new="13")
    world.watch_brings(a="9")
    await world.stale.compare()
    assert sorted(world.woken) == ["a", "new"]
    assert world.metrics.watch_stale.labels("FeedbackLoop")._value.get() == 2
    assert world.stale.check() is None


async def test_a_watch_that_is_stale_twice_running_fails_the_liveness() -> None:
    world = World(a="12")
    await world.stale.compare()
    await world.stale.compare()
    assert world.stale.check() == "the watch of feedbackloops.feedbackloop.dev is stale"
    world.watch_brings(a="12")
    await world.stale.compare()
    assert world.stale.check() is None


async def test_a_deleted_object_is_forgotten() -> None:
    world = World()
    world.watch_brings(a="5")
    world.versions.saw(WATCH, seen("a"), "6", deleted=True)
    assert not world.versions.reached(WATCH, ("ns", "a"), "5")
    assert Key("FeedbackLoop", "ns", "a") not in world.woken

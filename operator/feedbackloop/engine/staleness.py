"""Does the watch still see? Every few minutes the versions that the watch brought are compared with a list.

A watch stream can die without an error. An object that the list shows newer than the watch does, and
still does after a grace, is woken by hand and counted; a watch that is found stale twice running
fails /livez, so that the kubelet starts a process with fresh streams.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence

from feedbackloop.domain.errors import OperatorError
from feedbackloop.engine.keys import Key
from feedbackloop.engine.metrics import Metrics
from feedbackloop.engine.watch import Seen, Watch

_log = logging.getLogger("feedbackloop.watch")
Name = tuple[str, str]
Listed = Mapping[Name, tuple[Seen, str]]
Lister = Callable[[Watch], Awaitable[Listed]]
"""Every object of a watch, with its resourceVersion."""


class Versions:
    """The last resourceVersion of every object that the watches brought."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Name], str] = {}

    def saw(self, watch: Watch, seen: Seen, version: str, *, deleted: bool) -> None:
        place = (watch.resource, (seen.namespace, seen.name))
        if deleted:
            self._known.pop(place, None)
        else:
            self._known[place] = version

    def behind(self, watch: Watch, listed: Listed) -> dict[Name, str]:
        """The objects whose listed version is newer than the one that the watch brought."""
        return {n: v for n, (_, v) in listed.items() if not _reached(self._known.get((watch.resource, n)), v)}

    def reached(self, watch: Watch, name: Name, version: str) -> bool:
        """Whether the watch has brought this version, or a later one, or the object's end."""
        return _reached(self._known.get((watch.resource, name)), version)


class Staleness:
    """The comparison, once for each watch and round."""

    def __init__(
        self,
        watches: Sequence[Watch],
        versions: Versions,
        lister: Lister,
        add: Callable[[Key], None],
        metrics: Metrics,
        *,
        every: float = 300.0,
        grace: float = 90.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._watches = watches
        self._versions = versions
        self._lister = lister
        self._add = add
        self._metrics = metrics
        self._every = every
        self._grace = grace
        self._sleep = sleep
        self._strikes: dict[str, int] = {}

    async def run(self) -> None:
        while True:
            await self._sleep(self._every * random.uniform(0.9, 1.1))
            await self.compare()

    async def compare(self) -> None:
        """One round."""
        suspects = [(watch, await self._suspects(watch)) for watch in self._watches]
        if any(found for _, found in suspects):
            await self._sleep(self._grace)
        for watch, found in suspects:
            self._judge(watch, found)

    def check(self) -> str | None:
        """For /livez."""
        stale = sorted(resource for resource, strikes in self._strikes.items() if strikes >= 2)
        return f"the watch of {', '.join(stale)} is stale" if stale else None

    async def _suspects(self, watch: Watch) -> dict[Name, tuple[Seen, str]]:
        try:
            listed = await self._lister(watch)
        except OperatorError as error:
            _log.info("compare-failed resource=%s error=%s", watch.resource, error)
            return {}
        return {name: listed[name] for name in self._versions.behind(watch, listed)}

    def _judge(self, watch: Watch, found: Mapping[Name, tuple[Seen, str]]) -> None:
        stale = {n: seen for n, (seen, v) in found.items() if not self._versions.reached(watch, n, v)}
        self._strikes[watch.resource] = self._strikes.get(watch.resource, 0) + 1 if stale else 0
        for name, seen in stale.items():
            _log.warning("watch-stale resource=%s object=%s/%s", watch.resource, *name)
            self._metrics.watch_stale.labels(watch.kind).inc()
            for key in watch.keys(seen):
                self._add(key)


def _reached(known: str | None, version: str) -> bool:
    if known is None:
        return False
    if known.isdecimal() and version.isdecimal():  # ordered since Kubernetes 1.35
        return int(known) >= int(version)
    return known == version

"""The record of a rollout's decisions, written before the status that follows from each (I10).

It lives in ConfigMaps that go with their run. A part that cannot be written never delays a decision: the record
then has a gap, and `feedbackloop replay` says so.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from feedbackloop import __version__
from feedbackloop.adapters.kinds import CONFIG_MAP
from feedbackloop.adapters.ports import KubernetesPort
from feedbackloop.api import LABEL_REPLAY
from feedbackloop.domain.errors import OperatorError
from feedbackloop.domain.lifecycle.run_seen import RunSeen
from feedbackloop.domain.replay import tape
from feedbackloop.domain.replay.check import lines
from feedbackloop.domain.replay.frame import frame
from feedbackloop.domain.replay.given import Decided
from feedbackloop.domain.replay.record import Head, next_frame

_log = logging.getLogger("feedbackloop.replay")


@dataclass(frozen=True)
class _Open:
    """A record that is being written."""

    head: Head
    part: tape.Part


class Recorder:
    """Remembers the end of each record, so that a frame costs one write and no read."""

    def __init__(self, kubernetes: KubernetesPort) -> None:
        self._kubernetes = kubernetes
        self._open: dict[str, _Open] = {}

    async def record(self, seen: RunSeen, decided: Decided) -> None:
        """Append what was decided; never raises what passes by itself."""
        known = self._open.pop(seen.uid, None)
        try:
            known = known or await self._read(seen)
            written = await self._write(seen, known, decided)
        except (OperatorError, ValueError) as error:
            _log.warning("no-record run=%s/%s error=%s", seen.namespace, seen.name, error)
            return
        if decided.result.outcome is None:
            self._open[seen.uid] = written

    async def _read(self, seen: RunSeen) -> _Open:
        """Where an earlier life of the operator left it."""
        objects = await self._kubernetes.list(CONFIG_MAP, seen.namespace, labels={LABEL_REPLAY: seen.uid})
        parts = tape.parts(objects, seen.uid)
        if not parts:
            return _Open(Head(), tape.Part())
        last = [frame(line) for line in lines(parts[-1].text)][-1:]
        return _Open(Head(last[0] if last else None), parts[-1])

    async def _write(self, seen: RunSeen, known: _Open, decided: Decided) -> _Open:
        one, head = next_frame(known.head, decided, __version__)
        part = known.part.plus(one.line())
        if part.number >= tape.MOST_PARTS:
            raise ValueError(f"the record is full after {one.n} decisions")
        body = tape.config_map(part, namespace=seen.namespace, run=seen.name, uid=seen.uid)
        await self._kubernetes.apply(body)
        return _Open(head, part)

"""The gateway's part of a simulation: its own assignment, its own books of units and of traffic."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence

from feedbackloop.api.collection import Signal
from feedbackloop.api.gateway import Arm, GatewayStatus, Routing
from feedbackloop.api.rollout import Outcome
from feedbackloop.cli.simulation.log import Entry
from feedbackloop.domain.evidence.counting import counted_event
from feedbackloop.events.records import FeedbackRecord, InteractionRecord, Serving
from feedbackloop.gateway import meta
from feedbackloop.gateway.assignment import assign
from feedbackloop.gateway.counted import traffic_counts, unit_counts
from feedbackloop.gateway.traffic import Traffic, TrafficBook
from feedbackloop.gateway.units import UnitBook


class Gateway:
    """One pod, which applies a routing at once."""

    def __init__(self, outcomes: Sequence[Outcome], signals: Sequence[Signal], routing: Routing) -> None:
        self.routing = routing
        self._kinds = {s.name: s.kind.value for s in signals}
        self._units, self._traffic = UnitBook(), TrafficBook()
        self._units.outcomes = tuple(_counted(o) for o in outcomes)
        self._served: dict[str, Serving] = {}
        self._ids = itertools.count()
        self.exposed: set[str] = set()
        """Sessions that the canary answered."""

    def arm(self, session: str) -> Arm:
        return assign(self.routing, session)

    def advance(self, now_ms: int) -> None:
        """Windows that end close."""
        self._units.advance(now_ms)

    @property
    def closed(self) -> int:
        """Units that were counted, of all epochs, for the outcome that has the most."""
        by_outcome: dict[str, int] = {}
        for (run, _, _, outcome), sums in self._units.counts.items():
            if not run:
                continue  # before the first epoch: whoever was here then is no new session in it
            by_outcome[outcome] = by_outcome.get(outcome, 0) + sums[0]
        return max(by_outcome.values(), default=0)

    @property
    def open(self) -> int:
        return len(self._units)

    def canary_requests(self) -> int:
        """In this epoch."""
        key = self.routing.run_uid, self.routing.epoch, Arm.CANARY.value
        return self._traffic.counts.get(key, Traffic()).requests

    def take(self, entry: Entry) -> None:
        """An answer, or a signal about the session's last one."""
        if entry.line.signal:
            self._said(entry)
        else:
            self._answered(entry)

    def _answered(self, entry: Entry) -> None:
        line, pseudonym = entry.line, _pseudonym(entry.line.session)
        arm = self.arm(line.session).value
        first = line.first_token_ms
        serving = Serving(
            run_uid=self.routing.run_uid,
            epoch=self.routing.epoch,
            arm=arm,
            assigned=arm,
            latency_ms=round(line.latency_ms),
            status=500 if line.error else 200,
            counted=not line.error,
            streamed=first is not None,
            first_token_ms=None if first is None else round(first),
            refused=line.refused,
            empty=line.empty,
        )
        self._traffic.served(serving)
        if arm == Arm.CANARY:
            self.exposed.add(line.session)
        self._served[line.session] = serving
        record = InteractionRecord(
            event_id=str(next(self._ids)),
            received_at=entry.at,
            subject=pseudonym,
            messages=(),
            outputs=(),
            session=pseudonym,
            serving=serving,
        )
        self._units.answered(record)

    def _said(self, entry: Entry) -> None:
        line, serving = entry.line, self._served.get(entry.line.session)
        if serving is None or line.signal not in self._kinds:
            return
        pseudonym = _pseudonym(line.session)
        record = FeedbackRecord(
            event_id=str(next(self._ids)),
            received_at=entry.at,
            subject=pseudonym,
            signal=line.signal,
            kind=self._kinds[line.signal],
            value=line.value,
            session=pseudonym,
            run_uid=serving.run_uid,
            epoch=serving.epoch,
            arm=serving.arm,
        )
        self._units.voted(record)

    def status(self) -> GatewayStatus:
        """What the operator is told."""
        routing = self.routing
        return GatewayStatus(
            pod="simulated",
            run_uid=routing.run_uid,
            epoch=routing.epoch,
            units=unit_counts(self._units),
            traffic=traffic_counts(self._traffic),
        )


def _counted(outcome: Outcome) -> meta.Outcome:
    return meta.Outcome(outcome.name, outcome.signal, counted_event(outcome), outcome.attribution_window_seconds * 1000)


def _pseudonym(session: str) -> str:
    return hashlib.sha256(session.encode()).hexdigest()[:32]

"""The books of units and traffic as the operator reads them (pure)."""

from __future__ import annotations

from feedbackloop.api.gateway import Arm, TrafficCounts, UnitCounts
from feedbackloop.gateway.traffic import TrafficBook, cumulative
from feedbackloop.gateway.units import UnitBook


def unit_counts(book: UnitBook) -> tuple[UnitCounts, ...]:
    """Closed units, cumulative."""
    return tuple(
        UnitCounts(
            run_uid=run,
            epoch=epoch,
            arm=Arm(arm),
            outcome=outcome,
            units=units,
            rated=rated,
            events=events,
            total=total,
            squares=squares,
        )
        for (run, epoch, arm, outcome), (units, rated, events, total, squares) in book.counts.items()
    )


def traffic_counts(book: TrafficBook) -> tuple[TrafficCounts, ...]:
    """Answered requests, cumulative."""
    return tuple(
        TrafficCounts(
            run_uid=run,
            epoch=epoch,
            arm=Arm(arm),
            requests=traffic.requests,
            errors=traffic.errors,
            unavailable=traffic.unavailable,
            latency_ms=cumulative(traffic.buckets),
            streamed=traffic.streamed,
            first_token_ms=cumulative(traffic.first_tokens) if traffic.streamed else {},
            refusals=traffic.refusals,
            empty=traffic.empty,
            cancelled=traffic.cancelled,
            reported=traffic.reported,
        )
        for (run, epoch, arm), traffic in book.counts.items()
    )

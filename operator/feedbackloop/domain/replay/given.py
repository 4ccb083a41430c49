"""Everything that one decision of a rollout is made from, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from feedbackloop.api.gateway import GatewayStatus
from feedbackloop.api.rollout import Rollout
from feedbackloop.api.rolloutstatus import RolloutStatus
from feedbackloop.domain.rollout import Advance, RolloutObservation, advance

NOISE = (
    "appended",
    "uploaded",
    "accepted",
    "stored",
    "duplicate",
    "bad_rows",
    "by_signal",
    "orphans",
    "declined",
    "replayed",
    "consents",
    "ledger",
    "key_epoch",
    "storage_error",
    "log_error",
    "law_difference",
    "clock_offset_seconds",
    "erasure_requests",
)
"""What a gateway says that is no matter of a rollout, and changes all the time."""


@dataclass(frozen=True)
class Given:
    """The arguments of `advance`."""

    spec: Rollout
    status: RolloutStatus
    observed: RolloutObservation
    now: datetime
    run_uid: str
    champion: str
    candidate: str

    def decide(self) -> Advance:
        return advance(
            self.spec,
            self.status,
            self.observed,
            self.now,
            run_uid=self.run_uid,
            champion=self.champion,
            candidate=self.candidate,
        )


@dataclass(frozen=True)
class Decided:
    """A decision, with what it was made from."""

    given: Given
    result: Advance


def decided(given: Given) -> Decided:
    """Decide by what can be recorded: counts of other runs and of other concerns do not take part."""
    observed = replace(given.observed, gateways=_essential(given.observed.gateways, given.run_uid))
    kept = replace(given, observed=observed)
    return Decided(kept, kept.decide())


def _essential(gateways: tuple[GatewayStatus, ...] | None, run_uid: str) -> tuple[GatewayStatus, ...] | None:
    return None if gateways is None else tuple(_of_run(g, run_uid) for g in gateways)


def _of_run(gateway: GatewayStatus, run_uid: str) -> GatewayStatus:
    fields = GatewayStatus.model_fields
    quiet = {name: fields[name].get_default(call_default_factory=True) for name in NOISE}
    return gateway.model_copy(
        update=quiet
        | {
            "units": tuple(u for u in gateway.units if u.run_uid == run_uid),
            "traffic": tuple(t for t in gateway.traffic if t.run_uid == run_uid),
            "shadow": tuple(s for s in gateway.shadow if s.run_uid == run_uid),
        }
    )

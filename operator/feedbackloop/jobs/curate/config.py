"""What decides about the rows besides the events, and its digest."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from feedbackloop.api.collection import Signal
from feedbackloop.api.jobs import CurateSpec
from feedbackloop.jobs import canonical

RECIPE = 3
"""Counts up whenever the same events and settings would give other rows."""


@dataclass(frozen=True)
class Config:
    signals: tuple[Signal, ...]
    consent_required: bool = True
    min_corroboration: int = 3
    replay_ratio: Decimal = Decimal(1)
    max_subject_share: Decimal | None = None
    seed: int = 0
    suites: tuple[tuple[str, str], ...] = ()
    """(name, digest) of the golden files."""
    regressions: str = "regressions"
    """The name of the suite of accepted corrections."""
    orphan_window_seconds: int = 86_400
    """How long an event waits for its interaction."""
    abandonment_seconds: int = 1800
    """After so long without any action of its user an answer counts as abandoned."""

    @classmethod
    def of(cls, spec: CurateSpec) -> Config:
        """The part of a spec that matters: no run, no attempt, no place."""
        share = spec.curation.max_subject_share
        own = [suite.name for suite in spec.golden if suite.source.accepted_corrections is not None]
        return cls(
            signals=tuple(sorted(spec.signals, key=lambda signal: signal.name)),
            consent_required=spec.consent_required,
            min_corroboration=spec.min_corroboration,
            replay_ratio=Decimal(spec.curation.replay_ratio),
            max_subject_share=None if share is None else Decimal(share),
            seed=spec.seed,
            suites=tuple(sorted((s.name, s.source.digest) for s in spec.golden if s.source.digest is not None)),
            regressions=own[0] if own else "regressions",
            orphan_window_seconds=spec.orphan_window_seconds,
            abandonment_seconds=spec.abandonment_seconds,
        )

    def digest(self) -> str:
        share = self.max_subject_share
        return canonical.digest(
            canonical.encode(
                {
                    "recipe": RECIPE,
                    "signals": [signal.to_wire() for signal in self.signals],
                    "consentRequired": self.consent_required,
                    "minCorroboration": self.min_corroboration,
                    "replayRatio": _plain(self.replay_ratio),
                    "maxSubjectShare": None if share is None else _plain(share),
                    "seed": self.seed,
                    "golden": [list(suite) for suite in self.suites],
                    "orphanWindowSeconds": self.orphan_window_seconds,
                    "abandonmentSeconds": self.abandonment_seconds,
                }
            )
        )


def _plain(number: Decimal) -> str:
    """`1`, `1.0` and `1.00` are one setting."""
    return f"{number.normalize():f}"

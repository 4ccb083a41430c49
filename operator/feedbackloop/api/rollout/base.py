"""What the parts of `spec.rollout` share."""

from __future__ import annotations

from enum import StrEnum


class OnTimeout(StrEnum):
    ABORT = "Abort"
    """The candidate is taken back, and the run ends as Inconclusive."""
    PAUSE = "Pause"
    """The rollout holds where it is until a person acts."""

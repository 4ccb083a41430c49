"""The shadow step: a share of stable's requests is answered by the canary too, and the pairs are compared."""

from __future__ import annotations

from feedbackloop.domain.rollout.situation import Hold, Move, Situation


def shadow(s: Situation) -> Move | Hold | None:
    """What follows while a shadow step is under way."""
    return None

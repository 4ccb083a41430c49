"""Shares by replicas: one Service over both arms sends each connection to any pod, so the share is k of n.

`split` is what Argo Rollouts calls the approximate weighted replica counts: the target's replicas, or one more for the
time of the rollout, are divided so that the share comes nearest to the weight, and no arm is ever empty during the
steps. What cannot come near enough is refused before anything is trained: three replicas know thirds and quarters.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class ReplicaSplit:
    canary: int
    total: int

    @property
    def stable(self) -> int:
        return self.total - self.canary

    @property
    def share(self) -> Fraction:
        return Fraction(self.canary, self.total)


def split(replicas: int, weight: int) -> ReplicaSplit:
    """The division of `replicas` (at least 1), or of one more, that is nearest to `weight` percent (1 to 99).

    Ties go to the smaller canary, then to the smaller total.
    """
    wanted = Fraction(weight, 100)
    return min(_possible(replicas), key=lambda s: (abs(s.share - wanted), s.canary, s.total))


def achievable(replicas: int) -> tuple[Fraction, ...]:
    """Every share that this many replicas, or one more, can give during the steps, ascending."""
    return tuple(sorted({s.share for s in _possible(replicas)}))


def refusals(replicas: int, weights: Iterable[int], max_error: Fraction) -> tuple[int, ...]:
    """The weights that are further than `max_error` from every achievable share."""
    return tuple(w for w in weights if abs(split(replicas, w).share - Fraction(w, 100)) > max_error)


def refusal(replicas: int, weights: Iterable[int], max_error: Fraction) -> str:
    """Why these steps cannot be, with what can; empty when they can."""
    refused = refusals(replicas, weights, max_error)
    if not refused:
        return ""
    shares = ", ".join(f"{float(100 * share):.3g}" for share in achievable(replicas))
    steps = ", ".join(map(str, refused))
    return (
        f"steps: {replicas} replicas cannot give weight {steps} within maxShareError {float(max_error):g};"
        f" they can give {shares} percent. Choose such weights, run more replicas, or let the gateway split"
    )


def _possible(replicas: int) -> list[ReplicaSplit]:
    totals = [total for total in (replicas, replicas + 1) if total >= 2]
    return [ReplicaSplit(canary, total) for total in totals for canary in range(1, total)]

"""Shadow: requests are answered by the candidate too, nobody sees those answers, and pairs are compared."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from feedbackloop.api.base import KubeModel, Probability


class ShadowMetric(StrEnum):
    """What makes one answer of a pair the better one."""

    JUDGE = "Judge"
    """The judge of spec.evaluation, asked in both orders; only consistent answers count."""
    NO_REFUSAL = "NoRefusal"
    """The one that does not decline."""
    NOT_EMPTY = "NotEmpty"
    """The one that has text."""


class OnInconclusive(StrEnum):
    ABORT = "Abort"
    """The run ends as Inconclusive."""
    CONTINUE = "Continue"
    """The steps go on; outcomes still need their own evidence."""


class Shadow(KubeModel):
    percent: Annotated[int, Field(ge=1, le=100)]
    """The share of stable's requests that are mirrored, in percent."""
    max_concurrency: Annotated[int, Field(ge=1, le=256)] = 4
    """Mirrored requests in flight in one gateway pod; what comes beyond it is not mirrored."""
    metric: ShadowMetric
    """How the two answers of a pair are compared."""
    min_pairs: Annotated[int, Field(ge=20, le=1_000_000)]
    """Pairs that are collected before they are compared."""
    max_pairs: Annotated[int, Field(ge=20, le=1_000_000)] = 2000
    """Pairs that are collected at most."""
    max_seconds: Annotated[int, Field(ge=60, le=2_592_000)] = 86_400
    """How long pairs are collected at most."""
    margin: Probability = "0.05"
    """The loss against an even win rate that would still be accepted."""
    alpha: Probability = "0.05"
    """The error rate of both tests, harm and non-inferiority."""
    on_inconclusive: OnInconclusive = OnInconclusive.ABORT
    """What follows when the pairs show neither."""

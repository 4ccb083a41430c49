"""Outcomes: online metrics whose evidence is needed to promote, counted once per session."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from feedbackloop.api.base import Decimal, KubeModel, Name, Probability, Rule


class OutcomeEvent(StrEnum):
    """What counts as the bad event of a session: of its last vote, or of anything that happened in its window."""

    THUMBS_DOWN = "ThumbsDown"
    """The last vote of a Thumbs signal is down."""
    ANSWERED_NO = "AnsweredNo"
    """The last answer to a Question signal is no."""
    REGENERATED = "Regenerated"
    """An answer was regenerated; needs a Regenerate signal."""
    EDITED = "Edited"
    """An answer was edited or corrected; needs an Edit or Correction signal."""
    SKIPPED = "Skipped"
    """An answer was skipped; needs a Skip signal."""


class Direction(StrEnum):
    HIGHER_IS_BETTER = "HigherIsBetter"
    LOWER_IS_BETTER = "LowerIsBetter"


class Mean(KubeModel):
    """A mean per session instead of an event: of stars, or of seconds."""

    direction: Direction
    """Which way is better."""
    margin: Decimal
    """The loss of the mean, in the signal's unit, that would still be accepted."""
    scale: Decimal = "1"
    """The standard deviation that is expected, in the signal's unit; the test's prior is a tenth of it."""


class Harm(KubeModel):
    alpha: Probability = "0.05"
    """The probability of aborting a candidate that is no worse."""


class NonInferiority(KubeModel):
    ratio: Annotated[Decimal, Field()] = "1.25"
    """Promote when the canary's event rate is shown to be below this multiple of stable's; a mean has its margin."""
    alpha: Probability = "0.05"
    """The probability of promoting a candidate at or over that ratio."""


class Outcome(KubeModel):
    rules = (
        Rule(
            "!(has(self.event) && has(self.mean))",
            "outcomes: give event (ThumbsDown, AnsweredNo, Regenerated, Edited or Skipped) or mean, not both",
        ),
    )

    name: Name
    """The name that steps refer to."""
    signal: Name
    """The collected signal that is counted."""
    event: OutcomeEvent | None = None
    """What counts as the (bad) event of a session; ThumbsDown when neither event nor mean is given."""
    mean: Mean | None = None
    """For a Stars or Dwell signal: the mean per session."""
    attribution_window_seconds: Annotated[int, Field(ge=1, le=2_592_000)]
    """Votes count for this long after a session's first answer; then the session is counted once."""
    min_rated_units: Annotated[int, Field(ge=1, le=10_000_000)]
    """Rated sessions, of both arms together, without which nothing is promoted."""
    harm: Harm = Harm()
    """The test that may abort."""
    non_inferiority: NonInferiority = NonInferiority()
    """The test that may promote."""

"""What a decision about a loop wants done, as data; the controller carries it out in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from feedbackloop.api.conditions import Reason
from feedbackloop.api.feedbackloop import FeedbackLoopStatus
from feedbackloop.domain.children.common import Json


@dataclass(frozen=True)
class Apply:
    """Server-side apply; without force where the object belongs to somebody else."""

    body: Json
    force: bool = True


@dataclass(frozen=True)
class Create:
    """Create it, or find that it is there."""

    body: Json


@dataclass(frozen=True)
class Delete:
    """Delete the object that was seen, and no later one of its name."""

    body: Json


@dataclass(frozen=True)
class Drain:
    """Ask every gateway pod to upload its log."""


Effect = Apply | Create | Delete | Drain


@dataclass(frozen=True)
class Announcement:
    """A Kubernetes Event about a transition."""

    type: Literal["Normal", "Warning"]
    reason: Reason
    action: str
    note: str


@dataclass(frozen=True)
class Decision:
    status: FeedbackLoopStatus
    """Written before any effect, if it differs."""
    finalizer: bool
    """Whether our finalizer shall be on the loop; set before everything else, taken off after everything else."""
    effects: tuple[Effect, ...] = ()
    announcements: tuple[Announcement, ...] = ()
    requeue_seconds: float | None = None

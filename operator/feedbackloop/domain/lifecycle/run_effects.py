"""What a decision wants done: effects on the cluster, and asks to the registry, as data.

Both may be repeated at will. An ask is answered by facts (an id, a version), so it is made only
once the status that announces it has been written, and its answers enter the next decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from feedbackloop.api.conditions import Reason
from feedbackloop.api.rolloutaction import ActionResult


@dataclass(frozen=True)
class Create:
    """Create the object unless it is there; whose it is, the next look tells."""

    body: Mapping[str, Any]


@dataclass(frozen=True)
class DeleteJob:
    name: str


@dataclass(frozen=True)
class AnswerAction:
    """What became of a RolloutAction, written into its status as it was read."""

    name: str
    resource_version: str
    generation: int
    result: ActionResult
    message: str
    at: str


Effect = Create | DeleteJob | AnswerAction


@dataclass(frozen=True)
class Track:
    """The MLflow run of this ImprovementRun exists, with its parameters."""

    endpoint: str
    experiment: str
    run_uid: str
    name: str
    tags: Mapping[str, str]
    params: Mapping[str, str]


@dataclass(frozen=True)
class Version:
    """A model that shall have a registered version, found again by its key."""

    key: str
    """The uid of the run that made it; `declared-<hex>` for a model that a person declared."""
    source: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Register:
    """Candidate and champion have versions and aliases."""

    endpoint: str
    registered_model: str
    run_id: str
    candidate: Version
    champion: Version


@dataclass(frozen=True)
class Settle:
    """The run is closed, and the aliases say what serving says."""

    endpoint: str
    run_id: str
    status: Literal["FINISHED", "FAILED", "KILLED"]
    tags: Mapping[str, str]
    registered_model: str | None
    """Unset when the run registered nothing: then the aliases stay as they are."""
    aliases: Mapping[str, Version | None]
    """None: the alias names nothing."""


Ask = Track | Register | Settle


@dataclass(frozen=True)
class Note:
    """An Event for people."""

    warning: bool
    reason: Reason
    note: str

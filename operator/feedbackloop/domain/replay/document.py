"""Decisions as JSON documents, and back. A default is not written, so that a document stays small."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from feedbackloop.api.rollout import Rollout
from feedbackloop.api.rolloutstatus import RolloutStatus
from feedbackloop.domain.naming import canonical_json
from feedbackloop.domain.replay.given import Given
from feedbackloop.domain.rollout import Advance, RolloutObservation

Json = dict[str, Any]

_OBSERVATION: TypeAdapter[RolloutObservation] = TypeAdapter(RolloutObservation)
_ADVANCE: TypeAdapter[Advance] = TypeAdapter(Advance)


def digest(document: Any) -> str:
    """16 hex digits of the sha256 of the canonical JSON."""
    return hashlib.sha256(canonical_json(document).encode()).hexdigest()[:16]


def facts(given: Given) -> Json:
    """All that a decision was made from, but its status and its time."""
    return {
        "spec": _plain(given.spec),
        "observed": _OBSERVATION.dump_python(given.observed, mode="json", exclude_defaults=True),
        "runUid": given.run_uid,
        "champion": given.champion,
        "candidate": given.candidate,
    }


def given(facts_: Json, status: Json, now: datetime) -> Given:
    """Raises ValueError for what is no such document."""
    try:
        return Given(
            spec=Rollout.model_validate(facts_["spec"]),
            status=RolloutStatus.model_validate(status),
            observed=_OBSERVATION.validate_python(facts_["observed"]),
            now=now,
            run_uid=facts_["runUid"],
            champion=facts_["champion"],
            candidate=facts_["candidate"],
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"a frame lacks {error}") from None


def status_document(status: RolloutStatus) -> Json:
    return _plain(status)


def result(advance: Advance) -> Json:
    """What was decided: the status, the conditions, the records, the outcome, the message."""
    document: Json = _ADVANCE.dump_python(advance, mode="json", exclude_defaults=True, exclude={"status"})
    return {**document, "status": _plain(advance.status)}


def _plain(model: Rollout | RolloutStatus) -> Json:
    return model.model_dump(mode="json", by_alias=True, exclude_defaults=True)

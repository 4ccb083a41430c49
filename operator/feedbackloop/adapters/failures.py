"""What an answer of the API server means to us: pure, and the only place that knows its status codes.

Messages are the server's own: they name resources and fields, never values of users' data.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from feedbackloop.api.conditions import Reason
from feedbackloop.domain.errors import Conflict, Gone, OperatorError, Transient, UserError

_OTHER_UID = re.compile(r"Precondition failed: UID|the UID in the precondition")
# An apply with a field that the schema lacks is a 500, not a 400: the server's typed converter fails before validation.
_UNKNOWN_FIELD = re.compile(r"failed to create typed patch object")
_MANAGER = re.compile(r'conflict with "([^"]+)"')


class AlreadyExists(Conflict):
    """The name is taken."""


class OtherObject(Conflict):
    """Another object has the name now: the uid that was asked for is gone."""


@dataclass(frozen=True)
class Answer:
    """An unsuccessful answer, and what was asked."""

    code: int
    body: bytes
    verb: str
    what: str
    """`deployments.apps ml/support-bot`."""
    retry_after: float | None = None
    status: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "status", _status(self.body))

    @property
    def reason(self) -> str:
        return str(self.status.get("reason") or "")

    @property
    def message(self) -> str:
        return str(self.status.get("message") or self.body[:200].decode(errors="replace"))[:1000]

    @property
    def causes(self) -> list[dict[str, Any]]:
        return list((self.status.get("details") or {}).get("causes") or [])


def error(answer: Answer) -> OperatorError:
    """The error of our tree that an answer is."""
    if answer.code == 409:
        return _conflict(answer)
    if answer.code == 403:
        return _forbidden(answer)
    if answer.code in (404, 410):
        return Gone(f"{answer.verb} {answer.what}: {answer.message}")
    if answer.code in (400, 413, 422) or (answer.code == 500 and _UNKNOWN_FIELD.search(answer.message)):
        return UserError(Reason.INVALID_SPEC, f"{answer.what} was refused: {answer.message}")
    return Transient(
        Reason.API_UNAVAILABLE,
        f"{answer.verb} {answer.what}: the API server answered {answer.code}: {answer.message}",
        retry_after=answer.retry_after,
    )


def unreachable(verb: str, what: str, cause: BaseException) -> Transient:
    """No answer at all."""
    text = str(cause) or "no answer in time"
    return Transient(Reason.API_UNAVAILABLE, f"{verb} {what}: {type(cause).__name__}: {text}"[:500])


def _conflict(answer: Answer) -> Conflict:
    owned = [c for c in answer.causes if c.get("reason") == "FieldManagerConflict"]
    if not owned:
        # Reason.WAITING: nobody is at fault, somebody wrote since we read.
        return _other_conflict(answer)(f"{answer.what}: {answer.message}", reason=Reason.WAITING)
    managers = sorted({m for c in owned for m in _MANAGER.findall(str(c.get("message")))})
    fields = sorted({str(c.get("field")) for c in owned})
    message = f"{answer.what}: {', '.join(managers)} owns {', '.join(fields)}"
    return Conflict(message, managers=tuple(managers), fields=tuple(fields))


def _other_conflict(answer: Answer) -> type[Conflict]:
    if answer.reason == "AlreadyExists":
        return AlreadyExists
    return OtherObject if _OTHER_UID.search(answer.message) else Conflict


def _forbidden(answer: Answer) -> OperatorError:
    if any(c.get("reason") == "NamespaceTerminating" for c in answer.causes):
        return Gone(f"{answer.verb} {answer.what}: {answer.message}")
    return UserError(Reason.FORBIDDEN, f"the operator may not {answer.verb} {answer.what}: {answer.message}")


def _status(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
